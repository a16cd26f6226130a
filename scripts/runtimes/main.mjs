// Runs the core of the suite on every runtime that can be had here.
//
//   npm run test:runtimes                    Node.js 20 to 26, Bun, Deno
//   npm run test:arm64                       arm64 under emulation, and musl; npm run build:all first
//   npm run test:runtimes -- node-22 bun     those that are named
//   npm run test:runtimes -- --suite         the whole suite on each Node.js, minutes each

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { binaryFor, HOSTS } from './hosts.mjs';

const CORE = fileURLToPath(new URL('core.cjs', import.meta.url));
const AVA = fileURLToPath(new URL('../../node_modules/ava/entrypoints/cli.mjs', import.meta.url));
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { suite: { type: 'boolean' }, foreign: { type: 'boolean' } },
});
const foreign = /** @param {string} name */ (name) => /^(arm64|musl)/.test(name);
const names =
  positionals.length > 0
    ? positionals
    : Object.keys(HOSTS).filter((name) =>
        values.suite ? name.startsWith('node-') : foreign(name) === (values.foreign ?? false),
      );

const rows = [];
for (const name of names) {
  try {
    const host = HOSTS[name]?.();
    if (host === undefined) throw new Error(`one of ${Object.keys(HOSTS).join(', ')}`);
    const binary = binaryFor(host);
    const [command = '', ...args] = [...host.command, ...(values.suite ? [AVA] : [CORE])];
    const env = {
      ...process.env,
      CORE_COMMAND: JSON.stringify(host.command),
      ...(binary !== undefined && { WARMSHARD_NATIVE_PATH: binary }),
    };
    const timeout = values.suite ? 1_800_000 : 300_000;
    const { status, stdout, stderr, error } = spawnSync(command, args, { env, encoding: 'utf8', timeout });
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
