// Installs the packages as users do, but from a registry on this machine, and runs what users run.
//
//   npm run build && npm run test:install             everything
//   npm run test:install -- npm pnpm                  some package managers only
//
// After `npm run build:all` it installs exactly what would be published.

import { execFileSync } from 'node:child_process';
import { cpSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundles } from './bundles.mjs';
import { environment, install, MANAGERS, run } from './projects.mjs';
import { publish, startRegistry } from './registry.mjs';
import { dryRun, stage } from './stage.mjs';
import { fetchTools, tool, WORK } from './tools.mjs';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const TSC = join(ROOT, 'node_modules/typescript/bin/tsc');
const only = process.argv.slice(2);
const started = Date.now();

/** @param {string} folder @param {Record<string, string>} env */
function types(folder, env) {
  const common = [
    '--ignoreConfig',
    '--noEmit',
    '--strict',
    '--types',
    'node',
    '--typeRoots',
    join(ROOT, 'node_modules/@types'),
  ];
  for (const [module, resolution, file] of [
    ['nodenext', 'nodenext', 'typed.mts'],
    ['nodenext', 'nodenext', 'typed.cts'],
    ['node16', 'node16', 'typed.mts'],
    ['node16', 'node16', 'typed.cts'],
    ['esnext', 'bundler', 'typed.ts'],
  ]) {
    const args = [
      '--module',
      `${module}`,
      '--moduleResolution',
      `${resolution}`,
      '--target',
      'es2023',
      '--lib',
    ];
    run([process.execPath, TSC, ...common, ...args, 'es2023,esnext.disposable', `${file}`], folder, env);
    console.log(`  TypeScript, ${resolution}, ${file}: ok`);
  }
}

/** @param {string} name @param {string} version @param {Record<string, string>} env */
async function check(name, version, env) {
  const folder = install(name, version, env);
  console.log(`${name}: installed`);
  const { node } = /** @type {typeof MANAGERS[string]} */ (MANAGERS[name]);
  const programs = [['smoke.cjs'], ['smoke.mjs'], ['worker.cjs'], ['-r', 'warmshard/register', 'smoke.cjs']];
  for (const program of programs) {
    const out = run([...node, ...program], folder, env);
    if (!out.includes('smoke: ok')) throw new Error(`${name}, ${program}: ${out}`);
    console.log(`  ${program.join(' ')}: ok`);
  }
  const doctor =
    name === 'yarn pnp'
      ? [...node.slice(0, -1), 'run', 'warmshard']
      : [process.execPath, join(folder, 'node_modules/warmshard/dist/cli.cjs')];
  const found = JSON.parse(run([...doctor, 'doctor', '--json'], folder, env));
  if (!found.ok || !/@warmshard/.test(found.binary.path)) throw new Error(JSON.stringify(found, null, 2));
  console.log(
    `  warmshard doctor: ok, ${found.binary.path.slice(folder.length + 1)}, fast door ${found.fastDoor.open ? 'open' : 'shut'}`,
  );
  if (name !== 'npm') return;
  types(folder, env);
  await bundles(folder, env);
}

/** Installs the example for Electron from this checkout; Electron itself is replaced by a stand-in in the tests. */
function electron() {
  const folder = join(WORK, 'projects/electron');
  rmSync(folder, { recursive: true, force: true });
  cpSync(join(ROOT, 'examples/electron'), folder, { recursive: true });
  const into = [join(ROOT, 'scripts/install/into.mjs'), folder, '--omit=dev', '--omit=peer'];
  execFileSync(process.execPath, into, { stdio: 'ignore' });
  execFileSync(process.execPath, ['make-shipped.cjs'], { cwd: folder });
  console.log('the example for Electron: installed from the checkout, and its shard made');
}

fetchTools();
const { folders, without } = stage(join(WORK, 'stage'));
const main = /** @type {string} */ (folders.at(-1));
const { version } = JSON.parse(readFileSync(join(main, 'package.json'), 'utf8'));
for (const folder of folders.filter((folder) => !without.includes(folder))) {
  execFileSync(process.execPath, [tool('publint/src/cli.js'), '--strict', '--pack', 'npm', folder], {
    stdio: 'inherit',
  });
}
// It gets a file: in a folder it would run the package's scripts.
const [{ filename }] = JSON.parse(
  execFileSync('npm', ['pack', '--ignore-scripts', '--json'], { cwd: main, encoding: 'utf8' }),
);
// `node16` leaves out versions of Node.js that do not know `exports`: only 20 and later are supported.
const attw = [
  tool('@arethetypeswrong/cli/dist/index.js'),
  join(main, filename),
  '--format',
  'ascii',
  '--profile',
  'node16',
];
execFileSync(process.execPath, attw, { stdio: 'inherit' });
rmSync(join(main, filename));
const registry = await startRegistry();
try {
  dryRun(folders, registry.url);
  publish(folders, registry.url);
  const env = environment(registry.url);
  electron();
  for (const name of Object.keys(MANAGERS))
    if (only.length === 0 || only.includes(name)) await check(name, version, env);
} finally {
  registry.stop();
}
console.log(`all installed and ran, in ${Math.round((Date.now() - started) / 1000)} s`);
