// A loop over a cache deleted some entries, and so skipped others.

import test from 'ava';
import { Shard } from 'warmshard';
import { bytes, text } from './helpers/bytes.js';
import { shardPath } from './helpers/folder.js';
import { throwsCode } from './helpers/throws.js';
import { everyWay } from './helpers/ways.js';

const COUNT = 3000;

everyWay('keys and entries return everything, oldest first', (t, way) => {
  const shard = way.open();
  const names = Array.from({ length: COUNT }, (_, i) => `key ${i}`);
  shard.mergeIn(names.map((name) => [name, bytes(name)]));
  const check = (handle: Shard) => {
    t.deepEqual([...handle.keys()], names);
    const seen = [...handle.entries()];
    t.deepEqual(
      seen.map(([key]) => key),
      names,
    );
    t.true(seen.every(([key, value]) => text(value) === key));
    t.is([...handle].length, COUNT);
  };
  check(shard);
  check(way.open());
  shard.compact();
  check(shard);
});

everyWay('keys shows the shard as it was when the walk began', (t, way) => {
  const shard = way.open();
  for (let i = 0; i < COUNT; i++) shard.put(`${i}`, bytes(`${i}`));
  const changes: ((i: number) => void)[] = [
    (i) => shard.put(`new ${i}`, bytes('new')),
    (i) => shard.delete(`${(i * 7) % COUNT}`),
    (i) => shard.put(`${(i * 11) % COUNT}`, bytes('changed')),
    (i) => {
      if (i === 500) shard.compact();
    },
    (i) => {
      if (i === 1500) shard.clear();
    },
  ];
  const expected = Array.from({ length: COUNT }, (_, i) => `${i}`);
  const seen: string[] = [];
  for (const key of shard.keys()) {
    for (const change of changes) change(seen.length);
    seen.push(key);
  }
  t.deepEqual(seen, expected);
});

everyWay('entries leaves out what is deleted during the walk, and shows current values', (t, way) => {
  const shard = way.open();
  for (let i = 0; i < 100; i++) shard.put(`${i}`, bytes(`${i}`));
  const seen: string[] = [];
  for (const [key, value] of shard.entries()) {
    const i = Number(key);
    if (i % 2 === 0) shard.delete(`${i + 1}`);
    shard.put(`${i + 2}`, bytes('changed'));
    seen.push(`${key} ${text(value)}`);
    if (i === 50) shard.compact();
    if (seen.length > 200) break;
  }
  t.is(seen.length, 50);
  t.is(seen[0], '0 0');
  t.is(seen[1], '2 changed');
});

everyWay('a walk begins with the call, and may be left early', (t, way) => {
  const shard = way.open();
  shard.put('a', bytes('a'));
  const keys = shard.keys();
  const entries = shard.entries();
  shard.put('b', bytes('b'));
  t.deepEqual([...keys], ['a']);
  t.deepEqual(
    [...entries].map(([key]) => key),
    ['a'],
  );
  for (const _ of shard.keys()) break;
  t.deepEqual([...shard.keys()], ['a', 'b']);
  t.is(keys.next().done, true);
});

test('closing the shard during a walk makes entries throw, and keys go on', (t) => {
  using shard = Shard.open(shardPath(t));
  for (let i = 0; i < COUNT; i++) shard.put(`${i}`, bytes(`${i}`));
  const [keys, entries] = [shard.keys(), shard.entries()];
  keys.next();
  entries.next();
  shard.close();
  t.is([...keys].length, COUNT - 1);
  throwsCode(t, 'ERR_CLOSED', () => entries.next());
});
