// After a laptop had lost power, its editor crashed at every start until somebody deleted the cache.

import { copyFileSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { Shard } from 'warmshard';
import { bytes, pattern, random, text } from './helpers/bytes.js';
import { folder, shardPath } from './helpers/folder.js';
import { everyWay } from './helpers/ways.js';

const FOREIGN: Record<string, Uint8Array> = {
  'a text': bytes('hello world\n'),
  'a page of zeros': new Uint8Array(4096),
  'many zeros': new Uint8Array(100_000),
  'one byte': bytes('x'),
  noise: pattern(50_000, 1),
  'a database': Buffer.concat([bytes('SQLite format 3\0'), new Uint8Array(8192)]),
};

everyWay('a foreign file reads as an empty shard, says why, and the next change replaces it', (t, way) => {
  const changes: ((shard: Shard) => unknown)[] = [
    (s) => s.put('key', bytes('value')),
    (s) => s.mergeIn([['key', bytes('value')]]),
    (s) => s.replaceAll([['key', bytes('value')]]),
  ];
  for (const [what, content] of Object.entries(FOREIGN)) {
    for (const change of changes) {
      writeFileSync(way.path, content, { mode: 0o600 });
      rmSync(`${way.path}.lock`, { force: true });
      const shard = way.open();
      t.true((shard.stats().rejected ?? '').length > 3, what);
      t.is(shard.size, 0);
      t.is(shard.get('key'), undefined);
      t.deepEqual([...shard.keys()], []);
      t.deepEqual(shard.list(), []);
      t.deepEqual(
        Buffer.from(readFileSync(way.path)),
        Buffer.from(content),
        `reading changes nothing: ${what}`,
      );
      change(shard);
      t.is(shard.stats().rejected, undefined, what);
      t.is(text(shard.get('key')), 'value');
      t.is(text(way.open().get('key')), 'value');
      shard.close();
    }
  }
});

test('an empty file is an empty shard', (t) => {
  const path = shardPath(t);
  writeFileSync(path, '', { mode: 0o600 });
  using shard = Shard.open(path);
  t.is(shard.size, 0);
  shard.put('key', bytes('value'));
  t.is(text(shard.get('key')), 'value');
});

/** A shard with an index snapshot, a tail, a batch and deletions. */
function make(path: string): Map<string, Uint8Array> {
  const values = new Map<string, Uint8Array>();
  const shard = Shard.open(path);
  const put = (key: string, value: Uint8Array) => {
    values.set(key, value);
    return value;
  };
  for (let i = 0; i < 600; i++) shard.put(`${i}`, put(`${i}`, pattern(i % 90, i)));
  shard.mergeIn(Array.from({ length: 20 }, (_, i) => [`batch ${i}`, put(`batch ${i}`, pattern(200, -i))]));
  for (let i = 0; i < 50; i += 5) shard.delete(`${i}`);
  for (let i = 1; i < 10; i++) shard.put(`${i}`, put(`${i}`, pattern(3000, 1000 + i)));
  for (let i = 0; i < 50; i += 5) values.delete(`${i}`);
  shard.flush();
  shard.close();
  return values;
}

everyWay('a file cut anywhere gives a part of its entries, and never wrong bytes', (t, way) => {
  const whole = join(folder(t), 'whole.shard');
  const values = make(whole);
  const size = statSync(whole).size;
  const next = random(7);
  for (let round = 0; round < 25; round++) {
    const length = round < 5 ? [0, 1, 4095, 4096, size - 1][round] : next(size);
    rmSync(`${way.path}.lock`, { force: true });
    copyFileSync(whole, way.path);
    truncateSync(way.path, length);
    const shard = way.open();
    for (const [key, value] of values) {
      const got = shard.get(key);
      // Deletions and newer values may have been cut off, so an older value may be found.
      if (got !== undefined && Buffer.compare(got, value) !== 0)
        t.true(got.length === Number(key) % 90, `${key} at ${length}`);
    }
    shard.put('after', bytes('after'));
    t.is(text(shard.get('after')), 'after');
    t.true(shard.verify().ok, `cut at ${length}: ${JSON.stringify(shard.verify().faults)}`);
    shard.close();
    t.is(text(way.open({ readOnly: true }).get('after')), 'after');
  }
});

everyWay('any bytes changed anywhere in the file give the right value or none', (t, way) => {
  const whole = join(folder(t), 'whole.shard');
  const values = make(whole);
  // An older value may come back if the frame that replaced or deleted it is damaged.
  const older = (key: string) => pattern(Number(key) % 90, Number(key));
  const original = readFileSync(whole);
  let lost = 0;
  // Each way uses other seeds: 240 in all.
  const from = { lend: 0, copy: 80, read: 160 }[way.name];
  for (let seed = from; seed < from + 80; seed++) {
    const next = random(seed);
    const file = Buffer.from(original);
    const where = seed % 4 === 0 ? 4096 : file.length;
    for (let n = 1 + next(8); n > 0; n--) {
      const at = next(where);
      const kind = next(4);
      if (kind === 0) file[at] = next(256);
      else if (kind === 1) file[at] = (file[at] as number) ^ (1 << next(8));
      else if (kind === 2) file.fill(next(2) * 255, at, at + next(300));
      else file.copy(file, at, next(file.length), next(file.length));
    }
    writeFileSync(way.path, file, { mode: 0o600 });
    // With and without the sidecar of the undamaged file.
    if (seed % 2 === 0) rmSync(`${way.path}.lock`, { force: true });
    const shard = way.open({ readOnly: seed % 3 === 0 });
    for (const [key, value] of values) {
      const got = shard.get(key);
      if (got === undefined) lost += 1;
      else if (Buffer.compare(got, value) !== 0 && Buffer.compare(got, older(key)) !== 0)
        t.fail(`seed ${seed}: ${key} has wrong bytes`);
    }
    shard.verify();
    shard.list();
    for (const [key, value] of shard.entries()) if (value === undefined) t.fail(key);
    if (!shard.readOnly) {
      shard.put('after', bytes('after'));
      t.is(text(shard.get('after')), 'after', `seed ${seed}`);
      shard.compact();
      t.is(text(shard.get('after')), 'after', `seed ${seed}, compacted`);
      t.true(shard.verify().ok, `seed ${seed}`);
    }
    shard.close();
  }
  t.true(lost > 0);
});

everyWay('a damaged sidecar costs time, but no entries', (t, way) => {
  const values = make(way.path);
  const lock = readFileSync(`${way.path}.lock`);
  for (let seed = 0; seed < 60; seed++) {
    const next = random(seed);
    const page = Buffer.from(lock);
    for (let n = 1 + next(20); n > 0; n--)
      page[next(Math.min(page.length, seed % 2 ? 512 : page.length))] = next(256);
    writeFileSync(`${way.path}.lock`, seed % 10 === 9 ? page.subarray(0, next(page.length)) : page);
    const shard = way.open({ readOnly: seed % 3 === 0 });
    for (const [key, value] of values) {
      const got = shard.get(key);
      if (got === undefined || Buffer.compare(got, value) !== 0) t.fail(`seed ${seed}: ${key}`);
    }
    if (!shard.readOnly) {
      shard.put('after', bytes(`${seed}`));
      t.is(text(shard.get('after')), `${seed}`);
    }
    shard.close();
  }
  t.true(way.open().verify().ok);
});

test('verify reports where each stretch of damage begins, and how long it is', (t) => {
  const path = shardPath(t);
  const shard = Shard.open(path);
  const ends = [4096];
  for (let i = 0; i < 4; i++) {
    shard.put(`${i}`, pattern(500, i));
    ends.push(statSync(path).size);
  }
  shard.flush();
  shard.close();
  const content = readFileSync(path);
  for (const i of [0, 2]) content.fill(0x55, ends[i], (ends[i] as number) + 16);
  writeFileSync(path, content);
  using again = Shard.open(path, { readOnly: true });
  const { ok, faults, damagedBytes } = again.verify();
  t.false(ok);
  const lost = [0, 2].map((i) => [ends[i], (ends[i + 1] as number) - (ends[i] as number)] as const);
  lost.forEach(([offset, length], i) => {
    t.like(faults[i], { offset, reason: `${length} bytes that belong to no frame` });
  });
  t.is(
    damagedBytes,
    lost.reduce((sum, [, length]) => sum + length, 0),
  );
});
