// node_modules was copied from a Mac into a container, and the error said only "not installed": it was installed, for a Mac.

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { type LoadFacts, loadFailure, PLATFORMS, remedy, triedLines } from '../facade/seldom/load-failure.js';
import { type Inside, inChild } from './helpers/child.js';
import { shardPath } from './helpers/folder.js';

const place = '/app/node_modules/@warmshard/linux-x64-gnu/warmshard.linux-x64-gnu.node';
const failed = (message: string, code?: string) => ({
  place,
  error: Object.assign(new Error(message), code && { code }),
});
const missing = failed(
  "Cannot find module '@warmshard/linux-x64-gnu'\nRequire stack:\n- x",
  'MODULE_NOT_FOUND',
);
const facts = (own: Partial<LoadFacts>): LoadFacts => ({
  triple: 'linux-x64-gnu',
  attempts: [missing],
  installed: [],
  processor: 'AMD EPYC',
  folder: '/app/node_modules/warmshard/dist',
  ...own,
});
const dlopen = (message: string, own: Partial<LoadFacts> = {}) =>
  facts({ attempts: [failed(message, 'ERR_DLOPEN_FAILED')], ...own });

const CASES: Record<string, [LoadFacts, RegExp]> = {
  "npm's optional-dependency bug": [
    facts({}),
    /not installed.*bug 4828.*package-lock\.json.*--omit=optional/,
  ],
  'installed for another platform': [
    facts({ installed: ['darwin-arm64'] }),
    /Installed for darwin-arm64, but this Node\.js takes @warmshard\/linux-x64-gnu/,
  ],
  'a platform without a binary': [
    facts({ triple: 'win32-x64' }),
    /No binary is made for win32-x64.*linux-x64-gnu/,
  ],
  'an old glibc': [
    dlopen("/lib/x86_64-linux-gnu/libc.so.6: version `GLIBC_2.28' not found (required by /app/x.node)"),
    /older than the binary needs: glibc \d/,
  ],
  'musl where glibc is': [
    dlopen('libc.musl-x86_64.so.1: cannot open shared object file: No such file or directory'),
    /other C library, or this one is missing/,
  ],
  'glibc where musl is': [
    dlopen('Error loading shared library ld-linux-x86-64.so.2: No such file or directory', {
      triple: 'linux-x64-musl',
    }),
    /other C library.*@warmshard\/linux-x64-musl/,
  ],
  'another processor': [
    dlopen(
      "dlopen(x.node): tried: 'x.node' (mach-o file, but is an incompatible architecture (have 'x86_64', need 'arm64'))",
      {
        triple: 'darwin-arm64',
      },
    ),
    /another processor or system/,
  ],
  'another system': [dlopen('/app/x.node: invalid ELF header'), /another processor or system, or damaged/],
  Rosetta: [
    facts({ triple: 'darwin-x64', processor: 'VirtualApple @ 2.50GHz', installed: ['darwin-arm64'] }),
    /under Rosetta/,
  ],
  'a download cut short': [dlopen('/app/x.node: file too short'), /damaged/],
  'a folder mounted noexec': [
    dlopen('/app/x.node: failed to map segment from shared object'),
    /mounted noexec \(\/app/,
  ],
  'an asar archive': [
    facts({ folder: '/opt/App/resources/app.asar/node_modules/warmshard/dist' }),
    /asar archive.*asarUnpack/,
  ],
  'the permission model': [
    facts({
      attempts: [
        failed('Cannot load native addon because loading addons is disabled.', 'ERR_DLOPEN_DISABLED'),
      ],
    }),
    /--allow-addons/,
  ],
  'a variable that names nothing': [facts({ override: '/nowhere' }), /WARMSHARD_NATIVE_PATH names/],
  'a runtime without Node-API': [
    dlopen('x.node: undefined symbol: napi_add_finalizer'),
    /lacks functions of Node-API/,
  ],
};

for (const [name, [given, told]] of Object.entries(CASES))
  test(`the remedy fits the cause: ${name}`, (t) => {
    t.regex(remedy(given), told);
  });

test('each attempt is described in one line', (t) => {
  t.deepEqual(triedLines([missing, failed('no\nand more', 'ERR_DLOPEN_FAILED')]), [
    `${place}: not installed`,
    `${place}: no`,
  ]);
});

test('the error names each place, and says why it failed and what to do', (t) => {
  const error = loadFailure('linux-x64-gnu', [missing]);
  t.is(error.code, 'ERR_NATIVE_LOAD');
  t.is(error.cause, missing.error);
  for (const part of [place, 'not installed', 'Node.js v', 'warmshard doctor', 'linux-x64-gnu'])
    t.true(error.message.includes(part), error.message);
});

test('every platform with a package is in the list', (t) => {
  t.deepEqual([...PLATFORMS].sort(), readdirSync(join(__dirname, '..', 'npm')).sort());
});

const PERMISSION =
  Number(process.versions.node.split('.', 1)[0]) < 24 ? '--experimental-permission' : '--permission';

test('the error under the permission model, and with --no-addons, names the option to change', async (t) => {
  const body = ({ warmshard: { Shard } }: Inside, path: string) => {
    try {
      const shard = Shard.open(path);
      shard.put('key', new Uint8Array(3));
      return shard.get('key')?.length;
    } catch (error) {
      return [(error as { code: string }).code, (error as Error).message];
    }
  };
  const nodeArgs = [PERMISSION, '--allow-fs-read=*', '--allow-fs-write=*'];
  t.is(await inChild(t, body, shardPath(t), { nodeArgs: [...nodeArgs, '--allow-addons'] }), 3);
  const [code, message] = (await inChild(t, body, shardPath(t), { nodeArgs })) as unknown as string[];
  t.is(code, 'ERR_NATIVE_LOAD');
  t.regex(`${message}`, /told not to load native addons.*--allow-addons/);
  const [same, told] = (await inChild(t, body, shardPath(t), {
    nodeArgs: ['--no-addons'],
  })) as unknown as string[];
  t.is(same, 'ERR_NATIVE_LOAD');
  t.regex(`${told}`, /leave out --no-addons/);
});
