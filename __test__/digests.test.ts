// A shard came over the network. Anyone who could write it could run code in every program that read it.

import { readFileSync, writeFileSync } from 'node:fs';
import test from 'ava';
import { Shard } from 'warmshard';
import { bytes, pattern, same, text } from './helpers/bytes.js';
import { shardPath } from './helpers/folder.js';
import { throwsCode } from './helpers/throws.js';
import { everyWay } from './helpers/ways.js';

const key = (fill: number) => ({ digest: { key: new Uint8Array(32).fill(fill) } });

everyWay('values come back with every kind of digest', (t, way) => {
  for (const [i, options] of [{ digest: 'xxh3' as const }, { digest: 'blake3' as const }, key(1)].entries()) {
    const path = `${way.path}.${i}`;
    using shard = Shard.open(path, { ...way.options, ...options });
    for (let n = 0; n < 100; n++) shard.put(`${n}`, pattern(n * 31, n));
    using again = Shard.open(path, { ...way.options, ...options });
    for (let n = 0; n < 100; n++) same(t, again.get(`${n}`), pattern(n * 31, n));
    t.true(again.verify().ok);
    t.is(again.compact().kept, 100);
    same(t, shard.get('50'), pattern(1550, 50));
  }
});

everyWay('without the option, shards with either unkeyed digest can be read', (t, way) => {
  const shard = way.open({ digest: 'blake3' });
  shard.put('key', bytes('value'));
  const other = way.open();
  t.is(text(other.get('key')), 'value');
  other.put('more', bytes('more'));
  t.is(text(shard.get('more')), 'more');
});

everyWay('a shard with another key, or without one, reads as empty, and says why', (t, way) => {
  way.open(key(1)).put('key', bytes('secret'));
  for (const options of [key(2), {}, { digest: 'xxh3' as const }]) {
    const shard = way.open({ ...options, readOnly: true });
    t.is(shard.get('key'), undefined);
    t.is(shard.size, 0);
    t.true((shard.stats().rejected ?? '').length > 0);
  }
  const unkeyed = `${way.path}.unkeyed`;
  {
    using shard = Shard.open(unkeyed);
    shard.put('key', bytes('forged'));
  }
  using shard = Shard.open(unkeyed, { ...way.options, ...key(1) });
  t.is(shard.get('key'), undefined);
  shard.put('key', bytes('ours'));
  t.is(text(shard.get('key')), 'ours');
  t.is(shard.stats().rejected, undefined);
});

test('the key is copied when the shard is opened', (t) => {
  const path = shardPath(t);
  const secret = new Uint8Array(32).fill(7);
  using shard = Shard.open(path, { digest: { key: secret } });
  secret.fill(0);
  shard.put('key', bytes('value'));
  using again = Shard.open(path, key(7));
  t.is(text(again.get('key')), 'value');
});

test('a key must have 32 bytes', (t) => {
  const path = shardPath(t);
  for (const length of [0, 1, 31, 33, 64])
    throwsCode(t, 'ERR_INVALID_ARG', () => Shard.open(path, { digest: { key: new Uint8Array(length) } }));
});

everyWay("a flipped bit is found at the first use, and with verify 'always' at any use", (t, way) => {
  const put = way.open();
  put.put('early', pattern(5000, 1));
  put.put('late', pattern(5000, 2));
  put.close();
  const always = way.open({ verify: 'always' });
  const first = way.open({ verify: 'first' });
  same(t, always.get('early'), pattern(5000, 1));
  same(t, first.get('early'), pattern(5000, 1));
  // Change the file in place, like a failing disk or a stray write.
  const file = readFileSync(way.path);
  for (const seed of [1, 2]) {
    const at = file.indexOf(Buffer.from(pattern(5000, seed)));
    t.true(at > 0);
    file[at + 2500] = (file[at + 2500] ?? 0) ^ 0x10;
  }
  writeFileSync(way.path, file, { flag: 'r+' });
  t.is(always.get('early'), undefined);
  t.is(always.get('late'), undefined);
  t.is(first.get('late'), undefined);
  t.is(always.stats().corrupt, 2);
  t.is(first.stats().corrupt, 1);
  const report = first.verify();
  t.like(report, { ok: false, corrupt: 2, entries: 0 });
  t.deepEqual(report.faults.map((fault) => fault.key).sort(), ['early', 'late']);
  t.true(report.faults.every((fault) => fault.offset > 0 && fault.reason.length > 0));
  // Putting the entry again repairs it.
  first.put('late', pattern(5000, 2));
  same(t, first.get('late'), pattern(5000, 2));
  t.is(first.compact().corrupt, 1);
  t.true(first.verify().ok);
});
