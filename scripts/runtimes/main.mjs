// Runs the core of the suite on every runtime that is available here.
//
//   npm run test:runtimes                    Node.js 20 to 26, Bun, Deno
//   npm run test:arm64                       arm64 under emulation, and musl; npm run build:all first
//   npm run test:runtimes -- node-22 bun     only these
//   npm run test:runtimes -- --suite         the whole suite on each Node.js, which takes minutes each
//   npm run test:arm64 -- --suite            the suite on musl, and what an emulator can run of it on arm64: suites.mjs;
//                                            with --file=__test__/keys.test.ts only that file

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { runInGuest } from './guest.mjs';
import { binaryFor, HOSTS } from './hosts.mjs';
import { suiteFor } from './suites.mjs';

const CORE = fileURLToPath(new URL('core.cjs', import.meta.url));
const AVA = fileURLToPath(new URL('../../node_modules/ava/entrypoints/cli.mjs', import.meta.url));
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    suite: { type: 'boolean' },
    foreign: { type: 'boolean' },
    file: { type: 'string', multiple: true },
  },
});
const foreign = /** @param {string} name */ (name) => /^(arm64|musl)/.test(name);
const names =
  positionals.length > 0
    ? positionals
    : Object.keys(HOSTS).filter((name) =>
        values.foreign ? foreign(name) : values.suite ? name.startsWith('node-') : !foreign(name),
      );

/** @param {import('./hosts.mjs').Host} host @param {string | undefined} binary */
function run({ command, guest }, binary) {
  const timeout = values.suite ? 3_600_000 : 300_000;
  if (values.suite && guest !== undefined) {
    const files = values.file ?? suiteFor(guest);
    // An emulator takes ten times as long, and longer if the machine has other work to do.
    const patience = guest.qemu === undefined ? [] : ['--timeout=20m'];
    return runInGuest(guest, ['node_modules/ava/entrypoints/cli.mjs', ...patience, ...files], { timeout });
  }
  const [program = '', ...args] = [...command, ...(values.suite ? [AVA, ...(values.file ?? [])] : [CORE])];
  const env = {
    ...process.env,
    CORE_COMMAND: JSON.stringify(command),
    ...(binary !== undefined && { WARMSHARD_NATIVE_PATH: binary }),
  };
  return spawnSync(program, args, { env, encoding: 'utf8', timeout });
}

const rows = [];
for (const name of names) {
  try {
    const host = HOSTS[name]?.();
    if (host === undefined) throw new Error(`one of ${Object.keys(HOSTS).join(', ')}`);
    const { status, stdout, stderr, error } = await run(host, binaryFor(host));
    if (status !== 0) console.log(`${name}:\n${stdout}${stderr}`);
    const { mapped, lent, door, doorShut } = JSON.parse(/^\{.*\}$/m.exec(stdout)?.[0] ?? '{}');
    const result = /\d+ passed, \d+ failed|\d+ tests? (passed|failed)/.exec(stdout)?.[0];
    rows.push({ name, status, result: result ?? error?.message, mapped, lent, door, doorShut });
    if (status !== 0) process.exitCode = 1;
  } catch (error) {
    process.exitCode = 1;
    rows.push({ name, result: /** @type {Error} */ (error).message });
  }
}
console.table(rows);
