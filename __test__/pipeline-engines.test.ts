// A second tier had only been tried with a Map; real engines and their adapters changed the bytes.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { encodeArtifact, fingerprint, MemoryPipelineCache } from 'warmshard';
import { type KeyvLike, KeyvPipelineCache, KeyvShard } from 'warmshard/keyv';
import { pattern, same } from './helpers/bytes.js';
import { folder, shardPath } from './helpers/folder.js';
import { versions } from './helpers/keyv.js';
import { FOR_EVER } from './helpers/patience.js';

const LENGTHS = [0, 1, 5000, 3_000_000];
const key = (length: number) => fingerprint('an artifact of', String(length));

/** Puts artifacts as one machine and gets them as another. */
async function roundTrip(t: ExecutionContext, engine: KeyvLike, other: KeyvLike = engine): Promise<void> {
  const first = new KeyvPipelineCache(engine, { timeout: FOR_EVER });
  for (const length of LENGTHS) first.put(key(length), pattern(length, 3));
  await first.flush();
  t.like(first.metrics().writes, { stored: LENGTHS.length, requests: LENGTHS.length, pendingBytes: 0 });
  const local = new MemoryPipelineCache();
  const second = new KeyvPipelineCache(other, { local, timeout: FOR_EVER });
  for (const length of LENGTHS) same(t, await second.get(key(length)), pattern(length, 3), `${length}`);
  t.is(await second.get(fingerprint('absent')), undefined);
  t.like(second.metrics(), { hits: LENGTHS.length, misses: 1, entries: LENGTHS.length });
  t.like(second.metrics().remote, { found: LENGTHS.length, notFound: 1, errors: 0 });
  first.close();
  second.close();
}

const brotli = {
  compress: async (value: string) => `z${value}`,
  decompress: async (value: string) => value.slice(1),
};

for (const [version, Keyv] of Object.entries(versions)) {
  test(`${version}: artifacts survive with its serialiser and without`, async (t) => {
    await roundTrip(t, new Keyv({ namespace: 'compiler' }));
    const asIs = { serialize: (data: unknown) => data, deserialize: (data: unknown) => data };
    const bare = { serialize: undefined, deserialize: undefined, serialization: false };
    await roundTrip(t, new Keyv(version === 'Keyv 4' ? asIs : bare));
  });

  test(`${version}: a Buffer that another writer has stored is accepted`, async (t) => {
    const keyv = new Keyv();
    const sealed = encodeArtifact(key(5000), pattern(5000, 3));
    await keyv.set(`${key(5000)}`, Buffer.from(sealed));
    const cache = new KeyvPipelineCache(keyv as KeyvLike);
    same(t, await cache.get(key(5000)), pattern(5000, 3));
    cache.close();
  });

  test(`${version}: failures of an engine are counted, and throw nowhere`, async (t) => {
    const events: ((error: Error) => void)[] = [];
    const no = async () => {
      throw new Error('no connection');
    };
    const store = {
      opts: {},
      get: no,
      set: no,
      delete: no,
      clear: no,
      on: (_: string, on: () => void) => events.push(on),
    };
    const cache = new KeyvPipelineCache(new Keyv({ store }) as KeyvLike);
    t.is(await cache.get(key(1)), undefined);
    cache.put(key(1), pattern(1, 3));
    await cache.flush();
    // Keyv 4 and 6 would throw without a listener.
    for (const emit of events) emit(new Error('connection lost'));
    const { remote, writes } = cache.metrics();
    t.is(remote.failed + remote.notFound, 1);
    t.is(writes.failed, 1);
    t.true(remote.errors >= 1);
    cache.close();
  });

  test(`${version}: a shard can be the engine`, async (t) => {
    const keyv = new Keyv({ store: new KeyvShard(shardPath(t)) });
    await roundTrip(t, keyv as KeyvLike);
    await keyv.disconnect();
  });
}

test('artifacts survive compression', async (t) => {
  const Five = versions['Keyv 5'] as (typeof versions)[string];
  const Six = versions['Keyv 6'] as (typeof versions)[string];
  for (const Keyv of [Five, Six]) await roundTrip(t, new Keyv({ compression: brotli }) as KeyvLike);
});

test('artifacts survive SQLite', async (t) => {
  let adapter: typeof import('@keyv/sqlite');
  try {
    adapter = require('@keyv/sqlite');
  } catch {
    t.log('skipped: sqlite3 is not built; npm run bench:addons builds it');
    t.pass();
    return;
  }
  const Keyv = versions['Keyv 5'] as (typeof versions)[string];
  const uri = `sqlite://${join(folder(t), 'a.sqlite')}`;
  const open = () => new Keyv({ store: new adapter.KeyvSqlite({ uri }) });
  const [first, second] = [open(), open()];
  await roundTrip(t, first as KeyvLike, second as KeyvLike);
  await Promise.all([first.disconnect(), second.disconnect()]);
});

/** Starts a Redis or a Valkey on a socket of its own; `undefined` if neither is installed. */
async function server(t: ExecutionContext): Promise<{ socket: string; process: ChildProcess } | undefined> {
  const socket = join(folder(t), 'redis.sock');
  for (const name of ['redis-server', 'valkey-server']) {
    const child = spawn(name, ['--port', '0', '--unixsocket', socket, '--save', ''], { stdio: 'pipe' });
    t.teardown(() => void child.kill('SIGKILL'));
    const ready = await new Promise<boolean>((done) => {
      child.on('error', () => done(false));
      child.on('exit', () => done(false));
      child.stdout.on('data', (text) => `${text}`.includes('eady to accept connections') && done(true));
    });
    if (ready) return { socket, process: child };
  }
  t.log('skipped: no redis-server and no valkey-server');
  return undefined;
}

test('artifacts survive Redis or Valkey, which costs only misses if it is stopped, hangs or is killed', async (t) => {
  const found = await server(t);
  if (found === undefined) {
    t.pass();
    return;
  }
  // Imported by a variable, so that TypeScript does not need the types of this package.
  const adapter = '@keyv/redis';
  const { default: KeyvRedis } = require(adapter);
  const Keyv = versions['Keyv 5'] as (typeof versions)[string];
  const open = () => {
    const store = new KeyvRedis({ socket: { path: found.socket, tls: false } });
    return new Keyv({ store, namespace: 'compiler' }) as KeyvLike & { disconnect(): Promise<void> };
  };
  const [first, second] = [open(), open()];
  await roundTrip(t, first, second);

  const local = new MemoryPipelineCache();
  const cache = new KeyvPipelineCache(second, { local, timeout: 500 });
  found.process.kill('SIGSTOP');
  t.is(await cache.get(key(5000)), undefined);
  cache.put(key(1), pattern(1, 3));
  await cache.flush();
  t.like(cache.metrics(), { remote: { timedOut: 1 }, writes: { timedOut: 1 } });
  same(t, await cache.get(key(1)), pattern(1, 3));
  found.process.kill('SIGCONT');
  // The engine continues; its client may take a while to notice.
  let artifact: Uint8Array | undefined;
  for (const from = Date.now(); artifact === undefined && Date.now() < from + FOR_EVER; ) {
    await new Promise((done) => setTimeout(done, 20));
    artifact = await cache.get(key(5000));
  }
  same(t, artifact, pattern(5000, 3));
  const { stored } = cache.metrics().writes;
  const gone = once(found.process, 'exit');
  found.process.kill('SIGKILL');
  await gone;
  t.is(await cache.get(key(3_000_000)), undefined);
  cache.put(fingerprint('new'), pattern(9, 3));
  await cache.flush();
  t.is(cache.metrics().writes.stored, stored);
  t.is(cache.metrics().remote.found, 1);
  same(t, await cache.get(fingerprint('new')), pattern(9, 3));
  cache.close();
  for (const keyv of [first, second]) void keyv.disconnect().catch(() => {});
});
