// An app worked in Node.js and failed in Electron, where memory cannot be lent, the app is in an archive, and each kind of
// process has its own V8 flags.
//
// Electron is not available everywhere, so a small module replaces it here. The example itself is unchanged.

import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { Shard } from 'warmshard';
import { folder } from './helpers/folder.js';

const root = join(__dirname, '..');

/** A replacement for the parts of Electron that the example uses. */
const ELECTRON = `
const { fork } = require('node:child_process');
const { join } = require('node:path');
exports.app = {
  isPackaged: false,
  whenReady: () => Promise.resolve(),
  getPath: () => process.env.USER_DATA,
  exit: (code) => process.exit(code),
};
exports.utilityProcess = {
  fork: (file, args) => fork(file, args, { execArgv: ['--no-opt', '--stack-size=900', '-r', join(__dirname, 'port.cjs')] }),
};`;
const PORT = `process.parentPort = { postMessage: (message) => process.send(message) };`;

/** Installs the example, and returns its folder. */
function installed(dir: string): string {
  const app = join(dir, 'app');
  cpSync(join(root, 'examples', 'electron'), app, { recursive: true });
  mkdirSync(join(app, 'node_modules', 'electron'), { recursive: true });
  symlinkSync(root, join(app, 'node_modules', 'warmshard'));
  writeFileSync(join(app, 'node_modules', 'electron', 'index.js'), ELECTRON);
  writeFileSync(join(app, 'node_modules', 'electron', 'port.cjs'), PORT);
  return app;
}

for (const copy of ['0', '1'])
  test(`the example's processes share a shard, and read the one that is shipped: WARMSHARD_COPY=${copy}`, (t) => {
    const dir = folder(t);
    const app = installed(dir);
    mkdirSync(join(dir, 'user'));
    const env = { ...process.env, NODE_OPTIONS: '', WARMSHARD_COPY: copy, USER_DATA: join(dir, 'user') };
    const run = (file: string) =>
      spawnSync(process.execPath, [join(app, file)], { cwd: app, env, encoding: 'utf8' });
    const made = run('make-shipped.cjs');
    t.is(made.status, 0, made.stderr);
    // As if an administrator had installed it: the files are read-only.
    chmodSync(join(app, 'resources', 'shipped.shard'), 0o444);
    chmodSync(join(app, 'resources'), 0o555);
    t.teardown(() => chmodSync(join(app, 'resources'), 0o755));
    const main = run('main.cjs');
    t.is(main.status, 0, main.stdout + main.stderr);
    t.regex(main.stdout, /shipped: compiled before it was shipped\nshared: ok/);
  });

test('if lending is forbidden, values are the same, but in memory of their own', (t) => {
  const dir = folder(t);
  const before = process.env.WARMSHARD_COPY;
  process.env.WARMSHARD_COPY = '1';
  t.teardown(() => {
    if (before === undefined) delete process.env.WARMSHARD_COPY;
    else process.env.WARMSHARD_COPY = before;
  });
  const shard = Shard.open(join(dir, 'a.shard'));
  for (const size of [0, 1, 5000, 50_000, 2_000_000]) {
    shard.put(`${size}`, new Uint8Array(size).fill(7));
    const value = shard.get(`${size}`) as Uint8Array;
    t.is(value.length, size);
    t.true(value.every((byte) => byte === 7));
    value.fill(1);
    t.true(shard.get(`${size}`)?.every((byte) => byte === 7));
  }
});

test('if the binary is still in the archive, the error says how to unpack it', (t) => {
  const dir = folder(t);
  const modules = join(dir, 'resources', 'app.asar', 'node_modules');
  cpSync(join(root, 'dist'), join(modules, 'warmshard', 'dist'), { recursive: true });
  cpSync(join(root, 'package.json'), join(modules, 'warmshard', 'package.json'));
  const program = `
    const { Shard } = require(${JSON.stringify(join(modules, 'warmshard'))});
    try { Shard.open(${JSON.stringify(join(dir, 'a.shard'))}); } catch (error) { console.log(error.code, error.message); }`;
  const { stdout } = spawnSync(process.execPath, ['-e', program], {
    encoding: 'utf8',
    env: { ...process.env, NODE_OPTIONS: '' },
  });
  t.regex(stdout, /^ERR_NATIVE_LOAD[\s\S]*asarUnpack/);
});

/** What Electron's `fs` and `process.dlopen` do with files that a packager has unpacked beside the archive. */
const UNPACKED = `
const fs = require('node:fs');
const { normalize } = require('node:path');
const real = (path) => typeof path === 'string' ? normalize(path).replace(/app\\.asar(?=[/])/, 'app.asar.unpacked') : path;
const { existsSync } = fs;
fs.existsSync = (path) => existsSync(path) || existsSync(real(path));
const { dlopen } = process;
process.dlopen = (module, path, ...flags) => {
  if (existsSync(path)) throw new Error('nothing is loaded out of an archive: ' + path);
  console.log('loaded', real(path).split('/resources/')[1]);
  return dlopen.call(process, module, real(path), ...flags);
};`;

test('a binary that was unpacked beside the archive is found there', (t) => {
  const dir = folder(t);
  const inside = join(dir, 'resources', 'app.asar', 'node_modules');
  const built = readdirSync(root).find((name) => /^warmshard\..*\.node$/.test(name)) as string;
  const binary = join('node_modules', '@warmshard', `${built.split('.')[1]}`, built);
  cpSync(join(root, 'dist'), join(inside, 'warmshard', 'dist'), { recursive: true });
  cpSync(join(root, 'package.json'), join(inside, 'warmshard', 'package.json'));
  cpSync(join(root, built), join(dir, 'resources', 'app.asar.unpacked', binary));
  writeFileSync(join(dir, 'electron.cjs'), UNPACKED);
  const program = `
    const { Shard } = require(${JSON.stringify(join(inside, 'warmshard'))});
    const shard = Shard.open(${JSON.stringify(join(dir, 'a.shard'))});
    shard.put('key', new Uint8Array(5));
    console.log(shard.get('key').length);`;
  const { stdout, stderr } = spawnSync(process.execPath, ['-r', join(dir, 'electron.cjs'), '-e', program], {
    encoding: 'utf8',
    env: { ...process.env, NODE_OPTIONS: '', WARMSHARD_COPY: '1' },
  });
  t.is(stdout, `loaded app.asar.unpacked/${binary}\n5\n`, stderr);
});
