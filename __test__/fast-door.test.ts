// Look-ups were fast until a key contained an umlaut; then the answer was wrong, or the process crashed.

import { spawnSync } from 'node:child_process';
import { copyFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { Shard } from 'warmshard';
import { bytes, same } from './helpers/bytes.js';
import { type Inside, inChild } from './helpers/child.js';
import { folder, shardPath } from './helpers/folder.js';
import { throwsCode } from './helpers/throws.js';

const root = join(__dirname, '..');
const built = readdirSync(root).some((name) => name.endsWith(`.${process.versions.modules}.node`));
const through = built ? test : test.skip;

/** More calls than V8 needs to optimise the caller. */
const MANY = 30_000;

through('every kind of string finds its value, in optimised code, too', (t) => {
  const shard = Shard.open(shardPath(t));
  const plain = 'a plain key of some length';
  const keys: Record<string, string> = {
    plain,
    cons: ['cons', String(Date.now())].join('-') + plain.slice(3),
    sliced: `xx${plain}`.slice(2) + String.fromCharCode(65),
    'latin-1': 'schl\u00fcssel f\u00fcr l\u00e4nge',
    'two bytes': 'ключ-\u{1F511}',
    'ASCII in two bytes': 'ключ-ascii'.slice(5),
    long: 'k'.repeat(2000),
    longest: 'k'.repeat(4094),
  };
  for (const [name, key] of Object.entries(keys)) shard.put(key, bytes(name));
  const names = Object.keys(keys);
  let hits = 0;
  for (let i = 0; i < MANY; i++) {
    const name = names[i % names.length] as string;
    const found = shard.get(keys[name] as string);
    if (found?.length === name.length && found[0] === name.charCodeAt(0)) hits++;
    if (
      shard.get(`absent${i % 7}`) !== undefined ||
      shard.has(`absent${i % 5}`) ||
      !shard.has(keys[name] as string)
    )
      t.fail(`at ${i}`);
  }
  t.is(hits, MANY);
  t.is(shard.stats().door, process.env.WARMSHARD_FAST === '0' ? 'node-api' : 'fast');
  t.is(shard.stats().hits, MANY, 'each is counted once');
  t.is(shard.stats().misses, MANY);
  shard.close();
});

through('invalid keys throw the same errors as without the fast door', (t) => {
  const shard = Shard.open(shardPath(t));
  shard.put('k', bytes('v'));
  const look = (key: unknown) => shard.get(key as string);
  for (let i = 0; i < MANY; i++) look('k');
  for (const key of ['', 'x'.repeat(4095), '\ud800', 7, undefined, null, {}, Symbol('s')])
    throwsCode(t, 'ERR_INVALID_KEY', () => look(key), String(key));
  same(t, shard.get('k'), bytes('v'));
  shard.close();
  throwsCode(t, 'ERR_CLOSED', () => shard.get('k'));
  throwsCode(t, 'ERR_CLOSED', () => shard.has('k'));
});

through('getMany finds what get finds, and each look-up is counted once', (t) => {
  const shard = Shard.open(shardPath(t));
  const keys = Array.from(
    { length: 1000 },
    (_, i) => `${i % 3 === 0 ? 'absent' : 'k\u00fcy'.slice(i % 2)}${i}`,
  );
  keys.forEach((key, i) => {
    if (i % 3 !== 0) shard.put(key, bytes(`${i}`));
  });
  for (let i = 0; i < MANY; i++) shard.has('absent');
  for (const count of [0, 1, 11, 12, 13, 1000]) {
    const before = shard.stats();
    for (let round = 0; round < 20; round++) {
      const values = shard.getMany(keys.slice(0, count));
      t.is(values.length, count);
      for (let i = 0; i < count; i++)
        if (Buffer.from(values[i] ?? []).toString() !== (i % 3 === 0 ? '' : `${i}`)) return t.fail(`at ${i}`);
    }
    const { hits, misses } = shard.stats();
    const absent = Math.ceil(count / 3);
    t.deepEqual([hits - before.hits, misses - before.misses], [20 * (count - absent), 20 * absent]);
  }
  throwsCode(t, 'ERR_INVALID_KEY', () => shard.getMany(['k', 7 as unknown as string]));
  shard.close();
  for (const none of [[], ['k']]) throwsCode(t, 'ERR_CLOSED', () => shard.getMany(none));
});

through('handles that copy use the fast door, too, and a copy belongs to its caller', (t) => {
  const path = shardPath(t);
  const shard = Shard.open(path, { copy: true });
  // Values for the slab and values too large for it; so many that several slabs are filled.
  for (const [i, length] of [0, 1, 1000, 16_384, 16_385, 100_000].entries())
    shard.put(`${i}`, new Uint8Array(length).fill(i));
  const kept: Uint8Array[] = [];
  for (let i = 0; i < MANY; i++) {
    const value = shard.get(`${i % 6}`) as Uint8Array;
    if (value.some((byte) => byte !== i % 6)) return t.fail(`at ${i}`);
    if (i % 100 < 6) kept.push(value.subarray(0, 1000).fill(0xff));
    else value.fill(0xee);
  }
  for (const value of kept) if (value.some((byte) => byte !== 0xff)) return t.fail('a copy was written over');
  t.is(shard.stats().door, process.env.WARMSHARD_FAST === '0' ? 'node-api' : 'fast');
  shard.close();
});

through('changes are seen: its own, those of other handles, and a new file', (t) => {
  const path = shardPath(t);
  const shard = Shard.open(path);
  const other = Shard.open(path);
  for (let i = 0; i < MANY; i++) {
    if (i % 1000 === 0) other.put('k', bytes(`${i}`));
    if (i % 5000 === 2500) other.replaceAll([['k', bytes(`${i - (i % 1000)}`)]]);
    if (Number(Buffer.from(shard.get('k') ?? []).toString()) !== i - (i % 1000)) return t.fail(`at ${i}`);
  }
  other.clear();
  t.is(shard.get('k'), undefined);
  for (const open of [shard, other]) open.close();
  t.pass();
});

through("many shards, opened and closed, never get each other's values", (t) => {
  const dir = folder(t);
  for (let round = 0; round < 3; round++) {
    const shards = Array.from({ length: 300 }, (_, i) => {
      const shard = Shard.open(join(dir, `${i}`));
      shard.put('k', bytes(`${i}`));
      return shard;
    });
    for (let i = 0; i < 600; i++)
      for (const [n, shard] of shards.entries()) {
        if (i > 3 && n % 50 !== 0) continue;
        if (Buffer.from(shard.get('k') ?? []).toString() !== `${n}`) return t.fail(`${n}`);
      }
    for (const shard of shards) shard.close();
  }
  t.pass();
});

through('workers come and go, each with its own handle', async (t) => {
  const result = await inChild(
    t,
    async ({ warmshard: { Shard }, worker }: Inside, path: string) => {
      const shard = Shard.open(path);
      shard.put('k', Buffer.from('main'));
      for (let i = 0; i < 6; i++) {
        const ended = new Promise((done) => {
          worker(({ warmshard: { Shard } }: Inside, path: string) => {
            const shard = Shard.open(path);
            for (let i = 0; i < 20_000; i++) if (shard.get('k')?.length !== 4) throw new Error('lost');
            // The shard stays open; the worker's environment ends with it.
          }, path).on('exit', done);
        });
        for (let n = 0; n < 20_000; n++) if (shard.get('k')?.length !== 4) throw new Error('lost');
        if ((await ended) !== 0) throw new Error('a worker failed');
      }
      return shard.stats().door;
    },
    shardPath(t),
    { env: { WARMSHARD_FAST: 'eager' } },
  );
  t.is(result, 'fast');
});

async function stateOf(t: ExecutionContext, env: Record<string, string>, nodeArgs: string[] = []) {
  return inChild(
    t,
    ({ warmshard: { Shard } }: Inside, path: string) => {
      const shard = Shard.open(path);
      shard.put('k', Buffer.from('v'));
      for (let i = 0; i < 5000; i++) if (shard.get('k')?.[0] !== 118) throw new Error('lost');
      const { door, doorShut } = shard.stats();
      return { door, doorShut };
    },
    shardPath(t),
    { env, nodeArgs },
  );
}

through('the fast door is used after many look-ups, and not if it is switched off', async (t) => {
  t.is((await stateOf(t, { WARMSHARD_FAST: '1' })).door, 'fast');
  const off = await stateOf(t, { WARMSHARD_FAST: '0' });
  t.deepEqual(off, { door: 'node-api', doorShut: 'switched off by WARMSHARD_FAST=0' });
  const flags = [
    '--no-turbo-fast-api-calls',
    '--no-opt',
    '--jitless',
    '--always-turbofan',
    '--stress-compaction',
    '--maglev',
  ];
  for (const flag of flags) {
    // Not every version of V8 has every flag.
    if (spawnSync(process.execPath, [flag, '-e', '0']).status !== 0) continue;
    t.is((await stateOf(t, { WARMSHARD_FAST: 'eager' }, [flag])).door, 'fast', flag);
  }
});

test('a fast door for another ABI, or a file that is none, is not used, and look-ups still work', async (t) => {
  const dir = folder(t);
  const addon = readdirSync(root).find((name) => /^warmshard\.[a-z0-9-]+\.node$/.test(name)) as string;
  copyFileSync(join(root, addon), join(dir, addon));
  const env = { WARMSHARD_NATIVE_PATH: join(dir, addon), WARMSHARD_FAST: 'eager' };
  const absent = await stateOf(t, env);
  t.is(absent.door, 'node-api');
  t.truthy(absent.doorShut);
  const other = readdirSync(root).find(
    (name) => name.startsWith('warmshard-fast.') && !name.endsWith(`.${process.versions.modules}.node`),
  );
  const target = join(
    dir,
    addon.replace('warmshard', 'warmshard-fast').replace('.node', `.${process.versions.modules}.node`),
  );
  // The fast door of another major version under our name, if one was built; otherwise a file that is no binary.
  copyFileSync(join(root, other ?? 'package.json'), target);
  t.is((await stateOf(t, env)).door, 'node-api');
  // The addon in place of the fast door.
  copyFileSync(join(root, addon), target);
  t.is((await stateOf(t, env)).door, 'node-api');
});

through('the fast door says what it cannot find', (t) => {
  const name = readdirSync(root).find(
    (name) => name.startsWith('warmshard-fast.') && name.endsWith(`.${process.versions.modules}.node`),
  ) as string;
  const script = `const door = require(${JSON.stringify(join(root, name))});
    const target = {};
    door.offer(target);
    console.log(JSON.stringify([door.connect('/nowhere.node'), door.connect(), Object.keys(target)]));`;
  const { stdout } = spawnSync(process.execPath, ['-e', script], { encoding: 'utf8' });
  t.deepEqual(JSON.parse(stdout), ['addon', 'addon', []]);
});
