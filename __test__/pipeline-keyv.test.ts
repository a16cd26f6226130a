// The Redis of a build farm hung, ran full, was flushed or returned wrong bytes, and builds hung, failed or were wrong.

import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import {
  DiskPipelineCache,
  encodeArtifact,
  fingerprint,
  MemoryPipelineCache,
  type PipelineStore,
} from 'warmshard';
import {
  type KeyvLike,
  KeyvPipelineCache,
  type KeyvPipelineOptions,
  type KeyvReadMetrics,
  type KeyvWriteMetrics,
} from 'warmshard/keyv';
import { pattern, same } from './helpers/bytes.js';
import { folder } from './helpers/folder.js';
import { atBest, FOR_EVER } from './helpers/patience.js';
import { rejectsCode, throwsCode } from './helpers/throws.js';

// biome-ignore lint/suspicious/noExplicitAny: wrong arguments are the point
const wrong = (value: unknown) => value as any;
const never = () => new Promise<never>(() => {});
const sleep = (ms: number) => new Promise((done) => setTimeout(done, ms));

const ONE = fingerprint('one');
const PAYLOAD = pattern(5000, 1);
const SEALED = encodeArtifact(ONE, PAYLOAD);
const SENT = Buffer.from(SEALED).toString('base64');

function cacheOf(t: ExecutionContext, keyv: KeyvLike, options?: KeyvPipelineOptions): KeyvPipelineCache {
  const cache = new KeyvPipelineCache(keyv, options);
  t.teardown(() => cache.close());
  return cache;
}

/** An engine that answers every look-up in one way. */
const answering = (get: () => unknown): KeyvLike => ({ get, set: () => true });
/** An engine that answers every write in one way. */
const taking = (set: (key: string, value: string, ttl?: number) => unknown): KeyvLike => ({
  get: () => undefined,
  set,
});

/** Every look-up is counted under exactly one outcome. */
function read(
  t: ExecutionContext,
  cache: KeyvPipelineCache,
  outcome: keyof KeyvReadMetrics,
  times = 1,
): void {
  const { requests, dropped, waiting, errors, ...outcomes } = cache.metrics().remote;
  t.is(outcomes[outcome as keyof typeof outcomes], times, JSON.stringify(outcomes));
  t.is(
    Object.values(outcomes).reduce((sum, n) => sum + n, 0),
    requests,
  );
  t.is(dropped + waiting + errors, 0);
}

function written(
  t: ExecutionContext,
  cache: KeyvPipelineCache,
  outcome: keyof KeyvWriteMetrics,
  times = 1,
): void {
  const { writes } = cache.metrics();
  t.is(writes[outcome], times, JSON.stringify(writes));
  t.is(writes.stored + writes.failed + writes.timedOut + writes.aborted, writes.requests);
}

test('what one machine puts, another one gets, verified, and keeps in its local store', async (t) => {
  const engine = new Map<string, string>();
  const local = new MemoryPipelineCache();
  const first = cacheOf(t, engine, { local });
  first.put(ONE, PAYLOAD);
  same(t, local.get(ONE), PAYLOAD);
  await first.flush();
  t.deepEqual([...engine], [[`${ONE}`, SENT]]);
  written(t, first, 'stored');
  t.is(first.metrics().flushes, 1);
  const nearer = new MemoryPipelineCache();
  const second = cacheOf(t, engine, { local: nearer });
  same(t, await second.get(ONE), PAYLOAD);
  same(t, nearer.get(ONE), PAYLOAD);
  engine.clear();
  same(t, await second.get(ONE), PAYLOAD);
  read(t, second, 'found');
  t.is(await second.get(fingerprint('two')), undefined);
  t.like(second.metrics(), { lookups: 3, hits: 2, misses: 1, puts: 1, entries: 1, hitRatePpm: 666_666 });
});

test('it works without a local store, and for artifacts of any length', async (t) => {
  const cache = cacheOf(t, new Map());
  for (const length of [0, 1, 2, 3, 70_000, 3_000_001]) {
    const key = fingerprint(String(length));
    cache.put(key, pattern(length, 5));
    await cache.flush();
    same(t, await cache.get(key), pattern(length, 5));
  }
  t.like(cache.metrics(), { lookups: 6, hits: 6, puts: 0, entries: 0 });
  t.is(cache.metrics().writes.pendingBytes, 0);
});

const answers: Record<string, [outcome: keyof KeyvReadMetrics, get: () => unknown]> = {
  nothing: ['notFound', () => undefined],
  null: ['notFound', async () => null],
  'an exception': [
    'failed',
    () => {
      throw new Error('no');
    },
  ],
  'a rejection': ['failed', async () => Promise.reject(new Error('no'))],
  'a rejection with nothing': ['failed', () => Promise.reject()],
  'a then that throws': [
    'failed',
    () => ({
      // biome-ignore lint/suspicious/noThenProperty: this is what is tested
      get then() {
        throw new Error('no');
      },
    }),
  ],
  'no answer': ['timedOut', never],
  // biome-ignore lint/suspicious/noThenProperty: this is what is tested
  'a then that never calls': ['timedOut', () => ({ then: () => {} })],
  'an empty string': ['rejected', () => ''],
  text: ['rejected', () => '<html>Log in</html>'],
  'no base64': ['rejected', () => '\u{1f600}'.repeat(30)],
  'a number': ['rejected', () => 7],
  false: ['rejected', () => false],
  'an object': ['rejected', () => ({ value: SENT })],
  'an array': ['rejected', () => [...SEALED]],
  'a function': ['rejected', () => () => SENT],
  'other bytes': ['rejected', () => pattern(5032, 2)],
  'no bytes': ['rejected', () => new Uint8Array()],
  'wide numbers': ['rejected', () => new Uint16Array(SEALED)],
  'one wrong bit': ['rejected', () => Buffer.from(SEALED).fill(1, 77, 78).toString('base64')],
  'half of it': ['rejected', () => SENT.slice(0, SENT.length / 2)],
  "another one's": [
    'rejected',
    () => Buffer.from(encodeArtifact(fingerprint('two'), PAYLOAD)).toString('base64'),
  ],
  'too much text': ['oversized', () => 'A'.repeat(20_000)],
  'very much text': ['oversized', () => 'A'.repeat(2 ** 28)],
  'too many bytes': ['oversized', () => new Uint8Array(2 ** 27)],
  'one byte too many': ['oversized', () => pattern(6033, 1)],
};
for (const [name, [outcome, get]] of Object.entries(answers)) {
  test(`an engine that answers with ${name}: a miss, counted as ${outcome}`, async (t) => {
    const local = new MemoryPipelineCache();
    const cache = cacheOf(t, answering(get), { local, timeout: 50, maxBytes: 6000 });
    t.is(await cache.get(ONE), undefined);
    read(t, cache, outcome);
    t.like(cache.metrics(), { misses: 1, puts: 0, entries: 0 });
  });
}

test('bytes in other encodings and views are accepted, and copied', async (t) => {
  const theirs = Buffer.from(SEALED);
  for (const answer of [theirs, new Uint8Array(theirs), `${SENT}\n`, SENT.replaceAll('=', '')]) {
    const cache = cacheOf(
      t,
      answering(() => answer),
    );
    const found = await cache.get(ONE);
    same(t, found, PAYLOAD);
    if (found !== undefined && typeof answer !== 'string') t.not(found.buffer, answer.buffer);
  }
});

const writes: Record<string, [outcome: keyof KeyvWriteMetrics, set: () => unknown]> = {
  true: ['stored', () => true],
  nothing: ['stored', async () => undefined],
  anything: ['stored', async () => [{}]],
  false: ['failed', async () => false],
  'an exception': [
    'failed',
    () => {
      throw new Error('no');
    },
  ],
  'a rejection': ['failed', async () => Promise.reject(new Error('full'))],
  'no answer': ['timedOut', never],
};
for (const [name, [outcome, set]] of Object.entries(writes)) {
  test(`an engine that takes a write with ${name}: counted as ${outcome}`, async (t) => {
    const local = new MemoryPipelineCache();
    const cache = cacheOf(t, taking(set), { local, timeout: 50 });
    cache.put(ONE, PAYLOAD);
    await cache.flush();
    written(t, cache, outcome);
    same(t, await cache.get(ONE), PAYLOAD);
    // Without an answer the engine may still hold the bytes.
    t.is(cache.metrics().writes.pendingBytes, name === 'no answer' ? SEALED.length : 0);
  });
}

test('concurrent look-ups of one fingerprint share one request and its bytes', async (t) => {
  let asked = 0;
  const engine = answering(async () => {
    asked++;
    await sleep(20);
    return SENT;
  });
  const cache = cacheOf(t, engine);
  const key = new Uint8Array(ONE);
  const all = Array.from({ length: 50 }, () => cache.get(key));
  key.fill(0);
  const found = await Promise.all(all);
  for (const artifact of found) t.is(artifact, found[0]);
  same(t, found[0], PAYLOAD);
  t.is(asked, 1);
  same(t, await cache.get(ONE), PAYLOAD);
  t.is(asked, 2);
  t.like(cache.metrics(), { lookups: 51, hits: 51 });
});

test('there are never more look-ups or writes at a time than allowed, and all are answered', async (t) => {
  const most = { get: 0, set: 0 };
  const now = { get: 0, set: 0 };
  const visit = async (what: 'get' | 'set', answer: unknown) => {
    most[what] = Math.max(most[what], ++now[what]);
    await sleep(1);
    now[what]--;
    return answer;
  };
  const cache = cacheOf(
    t,
    { get: () => visit('get', undefined), set: () => visit('set', true) },
    { maxConcurrent: 3, timeout: FOR_EVER },
  );
  for (let i = 0; i < 40; i++) cache.put(fingerprint(String(i)), PAYLOAD);
  await Promise.all(Array.from({ length: 40 }, (_, i) => cache.get(fingerprint(String(i)))));
  await cache.flush();
  t.deepEqual(most, { get: 3, set: 3 });
  read(t, cache, 'notFound', 40);
  written(t, cache, 'stored', 40);
});

test('an engine that hangs delays no look-up for longer than the time-out, however many there are', async (t) => {
  const took = await atBest(2000, async () => {
    const cache = cacheOf(t, answering(never), { timeout: 100, maxConcurrent: 2 });
    const found = await Promise.all(Array.from({ length: 300 }, (_, i) => cache.get(fingerprint(`${i}`))));
    t.true(found.every((artifact) => artifact === undefined));
    read(t, cache, 'timedOut', 300);
  });
  // If they waited one after the other, two at a time, this would take 15 seconds.
  t.true(took < 2000, `${took} ms`);
});

test('an engine that hangs gets no more bytes than allowed, and new ones once it answers', async (t) => {
  const answers: ((value: boolean) => void)[] = [];
  const engine = taking(() => new Promise((done) => answers.push(done)));
  const cache = cacheOf(t, engine, { timeout: 20, maxPendingBytes: 2 * SEALED.length });
  for (let i = 0; i < 10; i++) cache.put(fingerprint(`${i}`), PAYLOAD);
  t.like(cache.metrics().writes, { pendingBytes: 2 * SEALED.length, dropped: 8, waiting: 2 });
  await cache.flush();
  written(t, cache, 'timedOut', 2);
  cache.put(ONE, PAYLOAD);
  t.like(cache.metrics().writes, { pendingBytes: 2 * SEALED.length, dropped: 9 });
  for (const answer of answers) answer(true);
  await sleep(1);
  t.is(cache.metrics().writes.pendingBytes, 0);
  cache.put(ONE, PAYLOAD);
  t.is(cache.metrics().writes.waiting, 1);
});

test('an artifact that is too large is kept in the local store, and not sent', async (t) => {
  const engine = new Map<string, string>();
  const local = new MemoryPipelineCache();
  const cache = cacheOf(t, engine, { local, maxBytes: 4999 });
  cache.put(ONE, PAYLOAD);
  await cache.flush();
  written(t, cache, 'oversized');
  t.is(engine.size, 0);
  same(t, await cache.get(ONE), PAYLOAD);
  const none = cacheOf(t, engine, { maxPendingBytes: 0 });
  none.put(ONE, PAYLOAD);
  written(t, none, 'dropped');
});

test('an artifact is sent as it was when it was put, and only once while it waits', async (t) => {
  const sent: [string, string, number | undefined][] = [];
  const engine = taking(async (key, value, ttl) => {
    await sleep(1);
    sent.push([key, value, ttl]);
  });
  const cache = cacheOf(t, engine, { ttl: 60_000, maxConcurrent: 1 });
  const artifact = new Uint8Array(PAYLOAD);
  cache.put(fingerprint('before'), PAYLOAD);
  cache.put(ONE, artifact);
  artifact.fill(0);
  cache.put(ONE, PAYLOAD);
  await cache.flush();
  t.is(sent.length, 2);
  t.deepEqual(sent[1], [`${ONE}`, SENT, 60_000]);
  cache.put(ONE, PAYLOAD);
  await cache.flush();
  t.is(sent.length, 3);
});

test('closing aborts what is in progress and sends nothing more, and later calls throw', async (t) => {
  const local = new MemoryPipelineCache();
  const sent: string[] = [];
  const engine: KeyvLike = {
    get: never,
    set: (key) => {
      sent.push(key);
      return never();
    },
  };
  const cache = cacheOf(t, engine, { local, maxConcurrent: 1 });
  const asked = [cache.get(ONE), cache.get(fingerprint('two'))];
  cache.put(fingerprint('three'), PAYLOAD);
  cache.put(fingerprint('four'), PAYLOAD);
  cache.close();
  cache.close();
  t.deepEqual(await Promise.all(asked), [undefined, undefined]);
  await sleep(1);
  t.deepEqual(sent, [`${fingerprint('three')}`]);
  t.like(cache.metrics(), { remote: { aborted: 1, waiting: 0 }, writes: { aborted: 1, waiting: 0 } });
  t.is(cache.metrics().writes.pendingBytes, SEALED.length);
  await rejectsCode(t, 'ERR_CLOSED', () => cache.get(ONE));
  throwsCode(t, 'ERR_CLOSED', () => cache.put(ONE, PAYLOAD));
  await rejectsCode(t, 'ERR_CLOSED', () => cache.flush());
  same(t, local.get(fingerprint('four')), PAYLOAD);
});

test('errors of the local store are thrown, except when it cannot keep what was found elsewhere', async (t) => {
  const broken = (name: keyof PipelineStore): PipelineStore => {
    const store = new MemoryPipelineCache();
    return Object.assign(Object.create(store), {
      ...Object.fromEntries(
        (['get', 'put', 'flush', 'metrics'] as const).map((method) => [
          method,
          (store[method] as () => unknown).bind(store),
        ]),
      ),
      [name]: () => {
        throw new Error(`no ${name}`);
      },
    });
  };
  const engine = new Map([[`${ONE}`, SENT]]);
  await t.throwsAsync(() => cacheOf(t, engine, { local: broken('get') }).get(ONE), { message: 'no get' });
  same(t, await cacheOf(t, engine, { local: broken('put') }).get(ONE), PAYLOAD);
  t.throws(() => cacheOf(t, engine, { local: broken('put') }).put(ONE, PAYLOAD), { message: 'no put' });
  await t.throwsAsync(() => cacheOf(t, engine, { local: broken('flush') }).flush(), { message: 'no flush' });
});

test('a disk cache in front serves the next process without the engine', async (t) => {
  const root = join(folder(t), 'cache');
  const cache = cacheOf(t, new Map([[`${ONE}`, SENT]]), { local: new DiskPipelineCache(root) });
  same(t, await cache.get(ONE), PAYLOAD);
  const next = cacheOf(
    t,
    answering(() => t.fail()),
    { local: new DiskPipelineCache(root) },
  );
  same(t, await next.get(ONE), PAYLOAD);
});

test('wrong arguments are refused', async (t) => {
  for (const keyv of [undefined, null, 1, 'redis://', {}, { get() {} }, { set() {} }])
    throwsCode(t, 'ERR_INVALID_ARG', () => new KeyvPipelineCache(wrong(keyv)));
  for (const options of [
    null,
    1,
    { local: {} },
    { local: null },
    { timeout: 0 },
    { timeout: 2 ** 31 },
    { maxBytes: 2 ** 26 + 1 },
    { maxBytes: 1.5 },
    { maxConcurrent: 0 },
    { maxConcurrent: 1025 },
    { maxPendingBytes: -1 },
    { ttl: 0 },
    { ttl: '1' },
  ])
    throwsCode(t, 'ERR_INVALID_ARG', () => new KeyvPipelineCache(new Map(), wrong(options)));
  const cache = cacheOf(t, new Map());
  for (const key of [undefined, 'a', new Uint8Array(31)]) {
    await rejectsCode(t, 'ERR_INVALID_ARG', () => cache.get(wrong(key)));
    throwsCode(t, 'ERR_INVALID_ARG', () => cache.put(wrong(key), PAYLOAD));
  }
  throwsCode(t, 'ERR_INVALID_ARG', () => cache.put(ONE, wrong('text')));
});
