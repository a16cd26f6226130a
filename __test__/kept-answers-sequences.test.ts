// A program looked up 100,000 strings in random order, and thousands of answers were kept again and again, for nothing.

import test from 'ava';
import { MOST } from '../facade/later/memo.js';
import { fill, type Played, played, TICK_HITS } from './helpers/played.js';

/** Repeatable random numbers from 0 to 1. */
function chance(): () => number {
  let seed = 1;
  return () => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed / 2_147_483_647;
  };
}

type Sequence = (count: number) => () => number;

const uniform: Sequence = (count) => {
  const next = chance();
  return () => Math.floor(next() * count);
};
const cycle: Sequence = (count) => {
  let at = 0;
  return () => at++ % count;
};
const twice: Sequence = (count) => {
  const next = uniform(count);
  let [turn, at] = [0, 0];
  return () => {
    if (turn++ % 2 === 0) at = next();
    return at;
  };
};
const zipf: Sequence = (count) => {
  const next = chance();
  const sums: number[] = [0];
  for (let i = 1; i <= count; i++) sums.push((sums[i - 1] as number) + 1 / i);
  return () => {
    const wanted = next() * (sums[count] as number);
    let [low, high] = [0, count - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((sums[middle + 1] as number) <= wanted) low = middle + 1;
      else high = middle;
    }
    return low;
  };
};

interface Course {
  /** Look-ups until answers were kept for the first time. */
  began: number | undefined;
  /** The share of the last tenth of look-ups that kept answers answered. */
  share: number;
}

/** Looks up `count` keys in the order of a sequence. `hashed`: whether V8 has hashed the strings, as if they came again. */
function run(sequence: Sequence, count: number, looks = 400_000, hashed = true): Course {
  const it = played();
  it.hashed = hashed;
  const keys = fill(it, count);
  const next = sequence(count);
  const course: Course = { began: undefined, share: 0 };
  let answered = 0;
  for (let i = 0; i < looks; i++) {
    const { asked } = it;
    it.get(keys[next()] as string);
    if (it.on) course.began ??= i;
    if (i >= looks * 0.9 && asked === it.asked) answered++;
  }
  course.share = answered / (looks / 10);
  it.close();
  return course;
}

test.serial('the answers of few keys are kept soon', (t) => {
  for (const sequence of [uniform, cycle])
    for (const count of [1, 10, 1000]) {
      const { began = Number.POSITIVE_INFINITY, share } = run(sequence, count, 50_000);
      t.true(began < TICK_HITS + 128 + 1.1 * count, `${count}: after ${began}`);
      t.true(share > 0.99, `${count}: ${share}`);
    }
});

test.serial('as many answers as allowed are kept, in random and in cyclic order', (t) => {
  for (const sequence of [uniform, cycle])
    for (const count of [5000, 10_000, 30_000]) {
      const { share } = run(sequence, count);
      t.true(share > 0.98, `${sequence.name}, ${count}: ${share}`);
    }
});

test.serial('if there are slightly more keys than that, most answers are still kept', (t) => {
  const { share } = run(uniform, (MOST * 5) / 4);
  t.true(share > 0.75, `${share}`);
});

test.serial('the answers of the frequent ones among many keys are kept', (t) => {
  const { share } = run(zipf, 100_000);
  t.true(share > 0.75, `${share}`);
});

test.serial('of too many keys no answers are kept', (t) => {
  for (const sequence of [uniform, cycle, twice]) {
    const { began } = run(sequence, 100_000, 1_000_000);
    t.is(began, undefined, sequence.name);
  }
});

test.serial('of strings that are new each time no answers are kept', (t) => {
  const { began } = run(uniform, 1000, 400_000, false);
  t.is(began, undefined);
});

test.serial('if keeping answers does not pay, look-ups are watched less and less often', (t) => {
  const it = played();
  const keys = fill(it, 100_000);
  const watched: [number, number] = [0, 0];
  const looks = 3_000_000;
  for (let i = 0; i < looks; i++) {
    it.get(keys[i % 100_000] as string);
    if (it.watching) watched[i < looks / 2 ? 0 : 1]++;
  }
  it.close();
  t.true(watched[0] > MOST && watched[0] < looks / 12, `${watched} of ${looks} look-ups`);
  t.true(watched[1] > 0 && watched[1] <= 2 * MOST, `${watched} of ${looks} look-ups`);
});

test.serial('if all shards together keep as many answers as allowed, nothing is watched', (t) => {
  const shards: Played[] = [];
  for (let i = 0; i < 4; i++) {
    const it = played(true);
    for (const key of fill(it, MOST)) for (let i = 0; i < 2; i++) it.get(key);
    shards.push(it);
  }
  const { began } = run(cycle, 2000);
  t.is(began, undefined);
  for (const it of shards) it.close();
});

test.serial('watched look-ups give the same answers', (t) => {
  const it = played();
  const [key] = fill(it, 1) as [string];
  it.memo.tick('');
  t.true(it.watching);
  t.deepEqual(it.get(key), new Uint8Array(4));
  t.is(it.get('absent'), undefined);
  it.memo.close();
  t.false(it.watching);
  t.deepEqual(it.get(key), new Uint8Array(4));
  it.close();
});
