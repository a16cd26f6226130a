// What a Keyv costs over a shard, beside its own Map in memory, over @keyv/sqlite and, if there is a `redis-server` on
// the PATH, over @keyv/redis. Interleaved rounds in one process; ratios within one run count.
//
//   npm run bench:addons   builds sqlite3
//   npm run bench:keyv -- [--rounds N]

import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import KeyvSqlite from '@keyv/sqlite';
import Table from 'cli-table3';
import { Keyv } from 'keyv';
import { fingerprint } from 'warmshard';
import { KeyvPipelineCache, KeyvShard } from 'warmshard/keyv';
import { machine } from './lib/machine.mjs';
import { measure } from './lib/measure.mjs';
import { figure, machineLine } from './report/markdown.mjs';

const { values: options } = parseArgs({ options: { rounds: { type: 'string', default: '7' } } });
const rounds = Math.max(1, Number.parseInt(options.rounds, 10) || 1);
const ENTRIES = 10_000;
const MANY = 100;
const dir = mkdtempSync(join(tmpdir(), 'warmshard-keyv-'));

const keys = Array.from({ length: ENTRIES }, (_, i) => `module-${i}-of-the-program-whose-cache-this-is`);
/** A typical value of an application: an object that becomes 1 KiB of JSON. @param {number} i */
const made = (i) => ({ id: i, text: `${i} `.repeat(250).slice(0, 1000) });
const some = (/** @type {number} */ from) => keys.slice(from, from + MANY);

/** Starts a Redis without persistence on a socket in the folder; `undefined` if none is installed. */
async function redis() {
  const socket = join(dir, 'redis.sock');
  const server = spawn('redis-server', ['--port', '0', '--unixsocket', socket, '--save', ''], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const ready = await new Promise((done) => {
    server.on('error', () => done(false));
    server.on('exit', () => done(false));
    server.stdout.on('data', (text) => `${text}`.includes('eady to accept connections') && done(true));
  });
  if (!ready) return undefined;
  // Imported by a variable, so that TypeScript does not need the types of this package.
  const adapter = '@keyv/redis';
  const { default: KeyvRedis } = await import(`${adapter}`);
  return { store: new KeyvRedis({ socket: { path: socket, tls: false } }), server };
}

const found = await redis();
const shard = new KeyvShard(join(dir, 'a.shard'));
/** @type {[string, Keyv][]} */
const keyvs = [
  ['Map', new Keyv()],
  ['KeyvShard', new Keyv({ store: shard })],
  ['KeyvShard, sync', new Keyv({ store: new KeyvShard(join(dir, 'b.shard'), { durability: 'sync' }) })],
  ['@keyv/sqlite', new Keyv({ store: new KeyvSqlite({ uri: `sqlite://${join(dir, 'c.sqlite')}` }) })],
];
if (found) keyvs.push(['@keyv/redis', new Keyv({ store: found.store })]);

for (const [name, keyv] of keyvs) {
  if (name === '@keyv/sqlite') await keyv.store.query('BEGIN');
  for (const [i, key] of keys.entries()) await keyv.set(key, made(i));
  if (name === '@keyv/sqlite') await keyv.store.query('COMMIT');
}

/** Microseconds for each of `count` turns. @param {number} count @param {(i: number) => Promise<unknown>} turn */
async function each(count, turn) {
  const started = process.hrtime.bigint();
  for (let i = 0; i < count; i++) await turn(i);
  return Number(process.hrtime.bigint() - started) / 1000 / count;
}

let at = 0;
const next = () => {
  at = (at + 7919) % (ENTRIES - MANY);
  return at;
};
/** @type {[string, number, (keyv: Keyv) => (i: number) => Promise<unknown>][]} */
const cases = [
  ['get, there', 1000, (keyv) => () => keyv.get(/** @type {string} */ (keys[next()]))],
  ['get, not there', 1000, (keyv) => (i) => keyv.get(`nothing of this name ${i}`)],
  ['has', 1000, (keyv) => () => keyv.has(/** @type {string} */ (keys[next()]))],
  [`get of ${MANY} keys`, 20, (keyv) => () => keyv.get(some(next()))],
  ['set', 100, (keyv) => (i) => keyv.set(/** @type {string} */ (keys[next()]), made(i))],
  [
    `setMany of ${MANY}`,
    2,
    (keyv) => (i) => keyv.setMany(some(next()).map((key) => ({ key, value: made(i) }))),
  ],
];

const names = keyvs.map(([name]) => name);
const table = new Table({ head: ['us each', ...names], style: { head: [], border: [], compact: true } });
for (const [name, count, turn] of cases) {
  const figures = await measure(
    keyvs.map(([by, keyv]) => ({ name: by, round: () => each(count, turn(keyv)) })),
    { rounds },
  );
  table.push([name, ...names.map((by) => figure(figures[by]?.median ?? Number.NaN))]);
}
console.log(
  `${machineLine(machine(dir))}\n\n${ENTRIES} entries of 1 KiB; medians of ${rounds} rounds\n\n${table}`,
);

/** Through the second tier, without a local store: base64, footer and all. */
const tiers = new Table({ head: ['us each', ...names], style: { head: [], border: [], compact: true } });
for (const [label, length] of /** @type {[string, number][]} */ ([
  ['4 KiB', 4096],
  ['1 MiB', 2 ** 20],
])) {
  const caches = keyvs.map(([name, keyv]) => ({ name, cache: new KeyvPipelineCache(keyv) }));
  const artifact = new Uint8Array(length).fill(7);
  const key = fingerprint(label);
  const count = length > 100_000 ? 5 : 200;
  const puts = await measure(
    caches.map(({ name, cache }) => ({
      name,
      round: () =>
        each(count, async () => {
          cache.put(key, artifact);
          await cache.flush();
        }),
    })),
    { rounds },
  );
  const gets = await measure(
    caches.map(({ name, cache }) => ({ name, round: () => each(count, () => cache.get(key)) })),
    { rounds },
  );
  for (const [what, figures] of /** @type {const} */ ([
    ['get', gets],
    ['put and flush', puts],
  ]))
    tiers.push([`${what}, ${label}`, ...names.map((by) => figure(figures[by]?.median ?? Number.NaN))]);
  for (const { cache } of caches) cache.close();
}
console.log(`\nKeyvPipelineCache over each\n\n${tiers}`);
if (!found) console.log('no redis-server on the PATH');
for (const [, keyv] of keyvs) await keyv.disconnect();
found?.server.kill();
rmSync(dir, { recursive: true, force: true });
