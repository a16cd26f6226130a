// Answers of strings that never came again were kept for ever, and one of them was given after the entry had changed.

import test from 'ava';
import { ORDINARY } from '../facade/fast.js';
import { hot, STATUS } from '../facade/handle.js';
import { ERA, MOST, MOST_OF_ALL, TURN } from '../facade/later/memo.js';
import { NEVER_KEEP } from '../facade/later/views.js';
import { COPIES, fill, type Played, played, raise, WINDOW } from './helpers/played.js';

test.serial('a kept value is the same object again, and the fast door is not asked', (t) => {
  const it = played(true);
  const [key] = fill(it, 1) as [string];
  const value = it.get(key);
  t.deepEqual(value, new Uint8Array(4));
  for (let i = 0; i < 100; i++) t.is(it.get(key), value);
  t.is(it.asked, 1);
});

test.serial('a new generation, in either half of the counter, and a new era drop kept answers', (t) => {
  const changes = [
    (it: Played) => raise(it.page as Int32Array),
    (it: Played) => raise(it.page as Int32Array, 1),
    (it: Played) => raise(it.answer, ERA),
  ];
  for (const change of changes) {
    const it = played();
    const [key] = fill(it, 1) as [string];
    it.begin();
    const value = it.get(key);
    t.is(it.get(key), value);
    change(it);
    t.not(it.get(key), value);
    t.false(it.on);
    it.begin();
    t.not(it.get(key), value, 'the old answer is gone');
    t.is(it.get(key), it.get(key), 'new answers are kept');
  }
});

test.serial('an answer is not kept if a change comes during its look-up', (t) => {
  for (const eager of [false, true])
    for (const change of ['page', 'era']) {
      const it = played(eager);
      const [key] = fill(it, 1) as [string];
      it.begin();
      it.during = () => {
        if (change === 'page') raise(it.page as Int32Array);
        else raise(it.answer, ERA);
        it.during = () => {};
      };
      const value = it.get(key);
      t.not(it.get(key), value, `${change}, eager ${eager}`);
    }
});

test.serial('an answer is not kept if reporting hits changes the era meanwhile', (t) => {
  const it = played(true);
  const keys = fill(it, TURN * 2);
  hot(it.handle).countKept = () => {
    raise(it.answer, ERA);
    return 0;
  };
  const seen = new Map<string, Uint8Array | undefined>();
  for (let round = 0; round < 4; round++)
    for (const key of keys) {
      const era = it.answer[ERA];
      const value = it.get(key);
      if (it.answer[ERA] !== era) seen.set(key, value);
      else if (seen.has(key)) t.not(value, seen.get(key));
    }
  t.true(seen.size > 0);
});

test.serial('misses, copies, answers for long keys and those that must not be kept are not kept', (t) => {
  const it = played(true);
  const [key] = fill(it, 1) as [string];
  const long = 'k'.repeat(257);
  it.values.set(long, 0);
  t.is(it.get('absent'), undefined);
  for (const [status, name] of [
    [COPIES, key],
    [NEVER_KEEP, key],
    [WINDOW, long],
  ] as const) {
    it.status = status;
    const value = it.get(name);
    t.is(value?.length, 4);
    t.not(it.get(name), value);
  }
  it.status = ORDINARY;
  it.handle.first.get = () => it.answer.set([WINDOW], STATUS);
  t.not(it.get(key), it.get(key), 'an answer through Node-API');
});

test.serial('if the memory of a kept value was transferred, the fast door is asked again', (t) => {
  const it = played(true);
  const [key] = fill(it, 1) as [string];
  const value = it.get(key) as Uint8Array;
  structuredClone(value.buffer, { transfer: [value.buffer as ArrayBuffer] });
  t.is(value.length, 0);
  it.handle.windows[WINDOW] = new ArrayBuffer(8);
  t.is(it.get(key)?.length, 4);
  t.is(it.get(key), it.get(key));
});

test.serial('each hit is counted once', (t) => {
  const it = played();
  const keys = fill(it, 100);
  it.begin();
  let [hits, misses] = [0, 0];
  for (let i = 0; i < 10_000; i++) {
    if (it.get(i % 7 === 0 ? 'absent' : (keys[i % 100] as string)) === undefined) misses++;
    else hits++;
    if (i % 999 === 0) it.memo.count();
    if (i % 3001 === 0) raise(it.page as Int32Array);
    if (i % 4001 === 0) it.begin();
  }
  it.memo.count();
  t.is(it.told + it.asked, hits + misses);
});

test.serial('answers are still kept after a look-up has thrown', (t) => {
  const it = played(true);
  const [key] = fill(it, 1) as [string];
  for (let i = 1; i < TURN; i++) it.get(key);
  it.during = () => {
    throw new Error('invalid key');
  };
  t.throws(() => it.get('none'));
  it.during = () => {};
  for (let i = 0; i < TURN * 10; i++) t.deepEqual(it.get(key), new Uint8Array(4));
  it.memo.count();
  t.is(it.told + it.asked, TURN * 11);
  t.true(it.asked < 20);
});

test.serial('no more answers than allowed are kept, and too many different strings end keeping', (t) => {
  const it = played();
  const keys = fill(it, MOST + 30);
  it.begin();
  // Look up the first MOST keys several times, so that keeping pays even when no more may be kept.
  for (const [at, key] of keys.entries()) for (let i = 0; i < (at < MOST ? 5 : 1); i++) it.get(key);
  t.true(it.on);
  let kept = 0;
  for (const key of keys) {
    const before = it.asked;
    it.get(key);
    if (it.asked === before) kept++;
  }
  t.true(kept <= MOST && kept > MOST - TURN * 2, `${kept} are kept`);
  const many = fill(played(), MOST * 8);
  const other = played();
  for (const [i, key] of many.entries()) other.values.set(key, i);
  other.begin();
  let looks = 0;
  while (other.on) other.get(many[looks++] as string);
  t.true(looks < MOST / 2, `${looks} look-ups until it ended`);
});

test.serial(
  'keeping that does not pay is tried less and less often; keeping that paid begins again soon',
  (t) => {
    const it = played();
    const [key] = fill(it, 1) as [string];
    it.hashed = false;
    const waits: number[] = [];
    for (let round = 0; round < 7; round++) {
      waits.push(it.begin());
      raise(it.page as Int32Array);
      it.get(key);
    }
    t.deepEqual(waits, [1, 64, 512, 4096, 32_768, 65_536, 65_536]);
    it.begin();
    it.hashed = true;
    for (let i = 0; i < 20_000; i++) it.get(key);
    raise(it.page as Int32Array);
    it.get(key);
    t.is(it.begin(), 1);
  },
);

test.serial('strings that are new each time end keeping, and so do misses', (t) => {
  const it = played();
  const keys = fill(it, 1000);
  const looks = (key: (i: number) => string) => {
    let i = 0;
    while (it.on && i < 1e6) it.get(key(i++));
    return i;
  };
  it.begin();
  for (let i = 0; i < TURN * 40; i++) it.get(keys[i % 1000] as string);
  t.true(it.on);
  it.hashed = false;
  t.is(
    looks((i) => keys[i % 1000] as string),
    TURN * 4,
  );
  it.hashed = true;
  it.begin();
  for (let i = 0; i < TURN * 40; i++) it.get(keys[i % 1000] as string);
  t.true(looks(() => 'absent') <= TURN * 2);
});

test.serial('a second set of equal strings does not end keeping for ever', (t) => {
  const it = played();
  const keys = fill(it, 5000);
  const hashed = new Set<number>();
  it.begin();
  for (let i = 0; i < 50_000; i++) it.get(keys[i % 5000] as string);
  t.true(it.on);
  let random = 1;
  let answered = 0;
  for (let i = 0; i < 3_000_000; i++) {
    random = (random * 48_271) % 2_147_483_647;
    const at = random % 5000;
    it.hashed = hashed.has(at);
    const before = it.asked;
    it.get(keys[at] as string);
    // Looking up a string in a Map hashes it.
    if (it.on || it.watching) hashed.add(at);
    if (i > 2_900_000 && it.asked === before) answered++;
  }
  t.true(answered > 90_000, `${answered} of 100,000`);
});

test.serial('answers that are not asked for any more are dropped, and closing drops all', (t) => {
  const it = played();
  const [key] = fill(it, 1) as [string];
  it.begin();
  const value = it.get(key);
  it.memo.tidy();
  for (let i = 0; i < TURN; i++) it.get(key);
  it.memo.tidy();
  t.is(it.get(key), value, 'it was used since the last tidy');
  it.memo.tidy();
  t.false(it.on);
  it.begin();
  t.not(it.get(key), value);
  it.handle.closed = true;
  it.memo.close();
  t.false(it.on);
  t.is(it.begin(100), 100, 'a closed shard keeps nothing');
});

test.serial('without the page of the shared generation nothing is kept', (t) => {
  const it = played();
  it.page = undefined;
  t.is(it.begin(10_000), 10_000);
});

test.serial('all shards of a thread together keep no more answers than allowed', (t) => {
  const shards: Played[] = [];
  let kept = 0;
  const use = () => {
    const it = played(true);
    const keys = fill(it, MOST);
    for (const key of keys) for (let i = 0; i < 2; i++) it.get(key);
    let same = 0;
    for (const key of keys) {
      const before = it.asked;
      it.get(key);
      if (it.asked === before) same++;
    }
    shards.push(it);
    return same;
  };
  for (let i = 0; i < 6; i++) kept += use();
  t.true(kept <= MOST_OF_ALL && kept > MOST_OF_ALL / 2, `${kept} are kept`);
  t.is(use(), 0);
  // Shards of other tests may or may not have been collected yet.
  for (const it of shards.splice(0)) {
    it.close();
  }
  t.true(use() > MOST / 2, 'there is room again');
});
