// Builds the binaries of all platforms, or of those that are named, into npm/<platform>/, and checks each.
//
//   npm run build:all                        all six
//   npm run build:all -- linux-arm64-musl    one
//   npm run build:all -- --check             only checks those that are there
//   npm run build:all -- --document          and writes their bytes into docs/runtimes.md
//
// It does the same on a developer's machine and in the release workflow. scripts/cross/tools.mjs says what it needs.
// A platform without a compiler is reported, the others are built all the same, and the exit code is 1.

import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { inspect } from './cross/inspect.mjs';
import { licences, metadata } from './cross/licences.mjs';
import { MACOS, PLATFORMS } from './cross/platforms.mjs';
import { CROSS, compilerFor, zigbuild } from './cross/tools.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { check: { type: 'boolean' }, document: { type: 'boolean' } },
});
const unknown = positionals.filter((name) => PLATFORMS[name] === undefined);
if (unknown.length > 0) throw new Error(`no such platform: ${unknown.join(', ')}`);
const wanted = positionals.length > 0 ? positionals : Object.keys(PLATFORMS);

/** @param {string} command @param {string[]} args @param {Record<string, string>} env */
function run(command, args, env) {
  const { status, error } = spawnSync(command, args, {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, ...env },
  });
  if (status !== 0)
    throw new Error(`${command} ${args.join(' ')}: ${error?.message ?? `ended with ${status}`}`);
}

/** @param {string} platform */
function build(platform) {
  const { rust, zig, flags, cxx } = /** @type {typeof PLATFORMS[string]} */ (PLATFORMS[platform]);
  const compiler = compilerFor(rust);
  console.log(`${platform}: ${compiler.env.RUSTC}, ${compiler.how}`);
  const target = join(CROSS, 'target');
  const args = [
    'zigbuild',
    '--release',
    '--locked',
    '-p',
    'warmshard',
    '--target',
    zig,
    '--target-dir',
    target,
  ];
  // Otherwise panic messages would contain the folders of the machine that built it.
  const remap = `--remap-path-prefix=${root}=/warmshard --remap-path-prefix=${process.env.CARGO_HOME ?? `${process.env.HOME}/.cargo`}=/cargo`;
  run('cargo', [...args, ...compiler.args], {
    ...zigbuild(),
    ...compiler.env,
    MACOSX_DEPLOYMENT_TARGET: MACOS,
    RUSTFLAGS: [flags, remap].filter(Boolean).join(' '),
  });
  const folder = join(root, 'npm', platform);
  const built = join(
    target,
    rust,
    'release',
    `libwarmshard.${platform.startsWith('darwin') ? 'dylib' : 'so'}`,
  );
  copyFileSync(built, join(folder, `warmshard.${platform}.node`));
  const papers = licences(readFileSync(join(root, 'LICENSE'), 'utf8'), metadata(root, rust));
  writeFileSync(join(folder, 'LICENSE'), papers);
  if (cxx === undefined) return;
  const own = spawnSync(cxx, ['--version']).status === 0 ? cxx : (process.env.CXX ?? 'c++');
  run(process.execPath, ['scripts/build-fast.mjs', '--all', '--triple', platform, '--out', folder], {
    CXX: own,
  });
}

mkdirSync(CROSS, { recursive: true });
let failed = false;
const rows = [];
for (const platform of wanted) {
  try {
    if (!values.check) build(platform);
    const file = join(root, 'npm', platform, `warmshard.${platform}.node`);
    if (!existsSync(file)) throw new Error('there is no binary');
    const found = inspect(platform, file);
    rows.push({
      platform,
      bytes: found.bytes,
      oldest: platform.endsWith('gnu')
        ? `glibc ${found.oldest}`
        : platform.startsWith('darwin')
          ? `macOS ${found.oldest}`
          : 'any musl',
      needs: found.needs.join(' '),
      'of Node-API': found.host.length,
      faults: found.faults.join('; ') || 'none',
    });
    failed ||= found.faults.length > 0;
  } catch (error) {
    failed = true;
    rows.push({ platform, faults: /** @type {Error} */ (error).message });
  }
}
console.table(rows);
if (values.document && !failed) {
  const guide = join(root, 'docs/runtimes.md');
  const text = rows.reduce(
    (text, { platform, bytes = 0 }) =>
      text.replace(
        new RegExp(`(\\| \`@warmshard/${platform}\` \\|[^|]*\\|)[^|]*`),
        `$1 ${bytes.toLocaleString('en')} `,
      ),
    readFileSync(guide, 'utf8'),
  );
  writeFileSync(guide, text);
}
if (failed) process.exitCode = 1;
