// After an upgrade an editor loaded bytecode that its old version had compiled, and crashed at the first breakpoint.

import { readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import test from 'ava';
import { type Host, Shard } from 'warmshard';
import { bytes, text } from './helpers/bytes.js';
import { folder, shardPath } from './helpers/folder.js';
import { everyWay } from './helpers/ways.js';

const host = (name: string, version: string, binary: string | false = false): { host: Host } => ({
  host: { name, version, binary },
});

everyWay('several hosts share one file, and each sees only its own entries', (t, way) => {
  const hosts = [host('a', '1'), host('a', '2'), host('b', '1'), host('a1', ''), {}];
  const shards = hosts.map((options) => way.open(options));
  for (const [i, shard] of shards.entries()) {
    shard.put('shared', bytes(`of ${i}`));
    shard.put(`own ${i}`, bytes(`${i}`));
  }
  for (const [i, options] of hosts.entries()) {
    const shard = way.open(options);
    t.is(text(shard.get('shared')), `of ${i}`);
    t.deepEqual([...shard.keys()], ['shared', `own ${i}`]);
    t.is(shard.size, 2 * hosts.length);
    t.is(shard.get(`own ${(i + 1) % hosts.length}`), undefined);
    t.is(shard.info(`own ${(i + 1) % hosts.length}`), undefined);
    t.like(shard.stats(), { hits: 1, stale: 1, misses: 0 });
    t.is(shard.list().filter((entry) => entry.current).length, 2);
  }
  t.true(shards[0]?.delete('shared'));
  t.false(shards[0]?.delete('own 1'));
  for (const [i, shard] of shards.entries()) t.is(text(shard.get('shared')), i === 0 ? undefined : `of ${i}`);
  shards[0]?.compact();
  for (const [i, shard] of shards.entries()) t.is(text(shard.get(`own ${i}`)), `${i}`);
});

everyWay('evictStale drops the entries of other hosts', (t, way) => {
  const old = way.open(host('tool', '1'));
  for (let i = 0; i < 20; i++) old.put(`${i}`, bytes('old'));
  const shard = way.open(host('tool', '2'));
  shard.put('1', bytes('new'));
  t.is(shard.evictStale(), 20);
  t.is(shard.size, 1);
  t.is(text(shard.get('1')), 'new');
  t.is(old.get('2'), undefined);
  t.is(shard.stats().evictions, 20);
});

everyWay('replaceAll and clear drop the entries of all hosts', (t, way) => {
  const [one, two] = [way.open(host('one', '1')), way.open(host('two', '1'))];
  one.put('a', bytes('1'));
  two.replaceAll([['b', bytes('2')]]);
  t.is(one.get('a'), undefined);
  t.is(one.size, 1);
  one.put('a', bytes('1'));
  two.clear();
  t.is(one.size, 0);
});

test('a binary that was rebuilt, or rolled back, is another host', (t) => {
  const path = shardPath(t);
  const binary = join(folder(t), 'tool');
  const open = () => Shard.open(path, host('tool', '1', binary));
  const build = (content: string, when: number) => {
    writeFileSync(binary, content);
    utimesSync(binary, when, when);
  };
  const stored = () => {
    using shard = open();
    return text(shard.get('key'));
  };
  build('one', 1000);
  {
    using shard = open();
    shard.put('key', bytes('by one'));
  }
  t.is(stored(), 'by one');
  build('one', 1001);
  t.is(stored(), undefined, 'built again');
  build('ones', 1000);
  t.is(stored(), undefined, 'another size');
  build('one', 999);
  t.is(stored(), undefined, 'rolled back');
  build('one', 1000);
  t.is(stored(), 'by one');
});

test('a host whose binary cannot be found gets nothing and stores nothing', (t) => {
  const path = shardPath(t);
  const binary = join(folder(t), 'tool');
  writeFileSync(binary, 'x');
  using known = Shard.open(path, host('tool', '1', binary));
  known.put('key', bytes('value'));
  rmSync(binary);
  using shard = Shard.open(path, host('tool', '1', binary));
  t.is(shard.get('key'), undefined);
  t.false(shard.has('key'));
  t.deepEqual([...shard.keys()], []);
  shard.put('other', bytes('value'));
  t.is(shard.stats().rejectedPuts, 1);
  const batch = ['key', 'other'].map((key): [string, Uint8Array] => [key, bytes('value')]);
  t.is(shard.mergeIn(batch), 0);
  t.is(shard.stats().rejectedPuts, 3);
  t.is(shard.replaceAll(batch), 0);
  t.is(shard.stats().rejectedPuts, 5);
  t.is(text(known.get('key')), 'value', 'replaceAll of such a host changes nothing');
  t.deepEqual(readdirSync(dirname(path)).sort(), ['cache.shard', 'cache.shard.lock']);
  t.false(shard.delete('key'));
  t.is(shard.size, 1);
  t.is(shard.evictStale(), 0, 'such a host cannot tell which entries are stale');
  t.is(text(known.get('key')), 'value');
});

test('the default binary of a host is that of Node.js', (t) => {
  const path = shardPath(t);
  using byDefault = Shard.open(path, { host: { name: 'tool', version: '1' } });
  byDefault.put('key', bytes('value'));
  using named = Shard.open(path, host('tool', '1', process.execPath));
  t.is(text(named.get('key')), 'value');
  using without = Shard.open(path, host('tool', '1'));
  t.is(without.get('key'), undefined);
});
