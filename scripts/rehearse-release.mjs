// Runs the shell steps of the release workflow on this machine: in a fresh clone, with artifacts laid out as its actions
// do it, and publishing to a local registry.
//
//   npm run build:all && npm run test:release
//   npm run test:release -- --quick                  without the suite
//
// What only a runner can do is left out and reported: installing tools, other machines, and provenance.

import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ownPlatform } from './cross/platforms.mjs';
import { startRegistry } from './install/registry.mjs';
import { fetchTools, tool } from './install/tools.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const WORK = join(ROOT, 'target/rehearsal');
const ARTIFACTS = join(WORK, 'artifacts');
const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));

/**
 * @typedef {{ uses?: string, run?: string, with?: Record<string, string>, env?: Record<string, string> }} Step
 * @typedef {Record<string, { steps: Step[] }>} Jobs
 */

/** Steps that prepare the runner's machine, or build binaries, which takes an hour: those in npm/ are used instead. */
const LEFT_OUT = process.argv.includes('--quick')
  ? /^(rustup |sudo |npm run build:all -- \$\{\{|docker |npm run test:js)/
  : /^(rustup |sudo |npm run build:all -- \$\{\{|docker )/;

/** @param {string} text @param {Record<string, string>} values */
const filledIn = (text, values) =>
  text.replace(/\$\{\{\s*([\w.]+)\s*\}\}/g, (_, name) => {
    const value = values[name];
    if (value === undefined) throw new Error(`the rehearsal knows no \${{ ${name} }}`);
    return value;
  });

/** Runs a program; returns its output. @param {string} command @param {string[]} args @param {string} cwd */
function run(command, args, cwd, /** @type {NodeJS.ProcessEnv} */ env = {}) {
  const { status, stdout, stderr } = spawnSync(command, args, {
    cwd,
    encoding: 'utf8',
    env: { ...process.env, ...env },
    maxBuffer: 1 << 28,
  });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ended with ${status}\n${stdout}${stderr}`);
  return stdout;
}

/** Does what `actions/upload-artifact` does: it drops the folders that all paths have in common. */
function upload() {
  for (const platform of readdirSync(join(ROOT, 'npm'))) {
    const from = join(ROOT, 'npm', platform);
    const files = readdirSync(from).filter((name) => name.endsWith('.node') || name === 'LICENSE');
    if (!files.some((name) => name === `warmshard.${platform}.node`))
      throw new Error(`no binary for ${platform}: npm run build:all`);
    for (const file of files) cpSync(join(from, file), join(ARTIFACTS, platform, file));
  }
}

/**
 * Does what `actions/download-artifact` does: puts one artifact into the folder, or each into a folder of its name.
 *
 * @param {Step} step
 * @param {string} clone
 */
function download({ with: { name, path } = {} }, clone) {
  const from = name === undefined ? ARTIFACTS : join(ARTIFACTS, name);
  cpSync(from, join(clone, path ?? '.'), { recursive: true });
}

/** @param {string} job @param {Step[]} steps @param {Record<string, string>} values @param {Record<string, string>} env */
function perform(job, steps, values, env) {
  const clone = join(WORK, job);
  console.log(`${job}:`);
  for (const step of steps) {
    const given = Object.fromEntries(
      Object.entries(step.with ?? {}).map(([k, v]) => [k, filledIn(`${v}`, values)]),
    );
    if (step.uses?.startsWith('actions/checkout@'))
      run('git', ['clone', '--quiet', '--shared', ROOT, clone], ROOT);
    else if (step.uses?.startsWith('actions/download-artifact@')) download({ with: given }, clone);
    else if (step.run === undefined || LEFT_OUT.test(step.run)) {
      console.log(`  left out: ${step.uses ?? step.run?.split('\n', 1)[0]}`);
      continue;
    }
    if (step.run === undefined) {
      console.log(`  ${step.uses}: done`);
      continue;
    }
    const own = Object.fromEntries(Object.entries(step.env ?? {}).map(([k, v]) => [k, filledIn(v, values)]));
    // Only a runner can attest where a package comes from.
    const script = filledIn(step.run, values).replaceAll(' --provenance', '');
    // The local registry has only our own packages. Dependencies come from the usual one.
    const registry = step.run.startsWith('npm ci') ? { npm_config_registry: undefined } : {};
    run('bash', ['--noprofile', '--norc', '-eo', 'pipefail', '-c', script], clone, {
      ...env,
      ...own,
      ...registry,
    });
    console.log(`  ${step.run.trim().split('\n', 1)[0]}: done`);
  }
}

rmSync(WORK, { recursive: true, force: true });
mkdirSync(join(WORK, 'home'), { recursive: true });
fetchTools();
const { parse } = createRequire(import.meta.url)(tool('yaml'));
const { jobs } = /** @type {{ jobs: Jobs }} */ (
  parse(readFileSync(join(ROOT, '.github/workflows/release.yml'), 'utf8'))
);
upload();
const registry = await startRegistry();
try {
  const matrix = { 'matrix.platform': ownPlatform(), 'matrix.node': process.versions.node };
  perform('test', jobs.test?.steps ?? [], matrix, { CI: 'true' });
  perform(
    'publish',
    jobs.publish?.steps ?? [],
    { 'secrets.NPM_TOKEN': 'anyone' },
    {
      CI: 'true',
      // `npm config set` writes to this file, and npm uses only this registry.
      npm_config_userconfig: join(WORK, 'home/npmrc'),
      npm_config_registry: registry.url,
      GITHUB_REF_NAME: `v${version}`,
      GITHUB_SERVER_URL: 'https://example.com',
      GITHUB_REPOSITORY: 'owner/warmshard',
    },
  );
  const view = ['view', '--json', '--registry', registry.url];
  const { optionalDependencies, repository } = JSON.parse(
    run('npm', [...view, `warmshard@${version}`], WORK),
  );
  for (const [name, wanted] of Object.entries(optionalDependencies)) {
    const found = JSON.parse(run('npm', [...view, `${name}@${wanted}`], WORK));
    if (found.version !== version || found.repository.url !== repository.url)
      throw new Error(`${name} is not as it should be: ${JSON.stringify(found)}`);
  }
  console.log(
    `published here: warmshard@${version} and its ${Object.keys(optionalDependencies).length} platforms`,
  );
} finally {
  registry.stop();
}
