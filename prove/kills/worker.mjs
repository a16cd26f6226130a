// One process of a storm. It prints each change before it begins and after it is done, until it is killed.

import { writeSync } from 'node:fs';
import { Shard } from 'warmshard';
import { BATCH } from '../lib/oracle.mjs';
import { FOR_EVER } from '../lib/patience.mjs';
import { random } from '../lib/random.mjs';
import { bytesOf, tagOf } from '../lib/values.mjs';

const [role, number, path, tag, seed, maxBytes] =
  /** @type {[string, string, string, string, string, string]} */ (process.argv.slice(2));
const next = random(Number(seed));
const shard = Shard.open(path, { lockTimeout: FOR_EVER, maxBytes: Number(maxBytes) });
/** @param {unknown} what */
const say = (what) => writeSync(1, `${JSON.stringify(what)}\n`);

/** @param {import('../lib/oracle.mjs').Change} change @param {() => void} work */
const change = (change, work) => {
  say(change);
  work();
  say('done');
};
const own = Array.from({ length: 30 }, (_, i) => `${number} key ${i}`);
const batch = Array.from({ length: 12 }, (_, i) => `${BATCH}${number} ${i}`);
const one = () => /** @type {string} */ (own[next(own.length)]);

/** @type {Record<string, (tag: number) => void>} */
const ROLES = {
  writer(tag) {
    const key = one();
    if (next(5) === 0) change({ tag, remove: [key] }, () => shard.delete(key));
    else change({ tag, put: [key] }, () => shard.put(key, bytesOf(key, tag)));
  },
  batcher(tag) {
    change({ tag, put: batch }, () => shard.mergeIn(batch.map((key) => [key, bytesOf(key, tag)])));
  },
  reader() {
    for (let i = 0; i < 200; i++) {
      const key = `${next(3)} key ${next(30)}`;
      const value = shard.get(key);
      if (value !== undefined) tagOf(key, value);
    }
    say(200);
  },
  compactor() {
    say(0);
    shard.compact();
    if (next(4) === 0) shard.evictStale();
  },
  flusher() {
    say(0);
    const what = next(3);
    if (what === 0) shard.flush();
    else if (what === 1) for (const [key, value] of shard.entries()) tagOf(key, value);
    else {
      const found = shard.verify();
      if (!found.ok) throw new Error(JSON.stringify(found));
    }
  },
};
for (let at = Number(tag); ; at++) ROLES[role]?.(at);
