// After weeks of mixed use one entry was wrong: every operation worked by itself, but not in that order.

import fc from 'fast-check';
import { Shard } from 'warmshard';
import { pattern } from './helpers/bytes.js';
import { shardPath } from './helpers/folder.js';
import { everyWay } from './helpers/ways.js';

/** What the model, a plain map, knows about an entry. */
interface Known {
  value: Uint8Array;
  version: number | undefined;
}

interface World {
  model: Map<string, Known>;
  shard: Shard;
  open(): Shard;
}

// Few keys, so that operations meet; some of the keys are unusual.
const KEYS = ['a', 'b', 'é', 'e\u0301', '\0', '\0r', '🦀', 'Ł', '/x/y', '__proto__', 'k'.repeat(4094)];
const key = fc.oneof(
  fc.constantFrom(...KEYS),
  fc.integer({ min: 0, max: 700 }).map((n) => `key ${n}`),
);
const value = fc
  .tuple(fc.oneof(fc.nat(200), fc.constantFrom(0, 1, 15, 16, 4096, 20_000, 131_073)), fc.nat(1000))
  .map(([length, seed]) => pattern(length, seed));
const version = fc.option(fc.nat(3), { nil: undefined });
const meta = (v: number | undefined) => (v === undefined ? {} : { validator: new Uint8Array([v]) });

const known = (value: Uint8Array, version: number | undefined): Known => ({ value, version });
const entry = fc.tuple(key, value, version);
type Batch = [string, Uint8Array, number | undefined][];
const asEntries = (batch: Batch) => batch.map(([key, value, v]) => ({ key, value, ...meta(v) }));

function expectSame(actual: Uint8Array | undefined, expected: Uint8Array | undefined, what: string): void {
  if (actual === undefined && expected === undefined) return;
  if (actual === undefined || expected === undefined || Buffer.compare(actual, expected) !== 0)
    throw new Error(`${what}: ${actual?.length} bytes, expected ${expected?.length}`);
}

function expectEqual(actual: unknown, expected: unknown, what: string): void {
  if (actual !== expected) throw new Error(`${what}: ${actual}, expected ${expected}`);
}

class Step implements fc.Command<World, World> {
  constructor(
    readonly name: string,
    readonly act: (world: World) => void,
  ) {}
  check = () => true;
  run = (_: World, world: World) => this.act(world);
  toString = () => this.name;
}

const short = (key: string) => (key.length > 12 ? `${key.length} chars` : JSON.stringify(key));

function checkAll({ shard, model }: World): void {
  expectEqual(shard.size, model.size, 'size');
  expectEqual([...shard.keys()].sort().join(), [...model.keys()].sort().join(), 'keys');
  for (const [k, v] of shard.entries()) expectSame(v, model.get(k)?.value, `entry ${short(k)}`);
  const report = shard.verify();
  expectEqual(report.ok, true, `verify: ${JSON.stringify(report.faults)}`);
  expectEqual(report.entries, model.size, 'verified entries');
}

const steps = [
  entry.map(
    ([k, v, ver]) =>
      new Step(`put ${short(k)} ${v.length} ${ver}`, ({ shard, model }) => {
        shard.put(k, v, meta(ver));
        model.set(k, known(v, ver));
      }),
  ),
  fc.tuple(key, version).map(
    ([k, ver]) =>
      new Step(`get ${short(k)} ${ver}`, ({ shard, model }) => {
        const there = model.get(k);
        const expected = ver === undefined || there?.version === ver ? there?.value : undefined;
        const validator = meta(ver).validator;
        // Repeated, because the answer may be kept.
        for (const what of ['get', 'get again', 'get once more'])
          expectSame(shard.get(k, validator), expected, what);
        expectEqual(shard.has(k, validator), expected !== undefined, 'has');
        expectEqual(shard.info(k)?.bytes, there?.value.length, 'info');
      }),
  ),
  fc.array(key, { maxLength: 20 }).map(
    (keys) =>
      new Step(`getMany ${keys.length}`, ({ shard, model }) => {
        const values = shard.getMany(keys);
        for (const [i, k] of keys.entries())
          expectSame(values[i], model.get(k)?.value, `getMany ${short(k)}`);
      }),
  ),
  key.map(
    (k) =>
      new Step(`delete ${short(k)}`, ({ shard, model }) => {
        expectEqual(shard.delete(k), model.delete(k), 'delete');
      }),
  ),
  fc.array(entry, { maxLength: 40 }).map(
    (batch) =>
      new Step(`mergeIn ${batch.length}`, ({ shard, model }) => {
        expectEqual(shard.mergeIn(asEntries(batch)), batch.length, 'mergeIn');
        for (const [k, v, ver] of batch) model.set(k, known(v, ver));
      }),
  ),
  fc.array(entry, { maxLength: 40 }).map(
    (batch) =>
      new Step(`replaceAll ${batch.length}`, ({ shard, model }) => {
        expectEqual(shard.replaceAll(asEntries(batch)), batch.length, 'replaceAll');
        model.clear();
        for (const [k, v, ver] of batch) model.set(k, known(v, ver));
      }),
  ),
  // Enough entries that the index is written and merged.
  fc.tuple(fc.integer({ min: 500, max: 700 }), fc.nat(1000)).map(
    ([count, seed]) =>
      new Step(`fill ${count} ${seed}`, ({ shard, model }) => {
        for (let i = 0; i < count; i++) {
          const v = pattern((i + seed) % 40, i + seed);
          shard.put(`key ${i}`, v);
          model.set(`key ${i}`, known(v, undefined));
        }
      }),
  ),
  fc.constant(new Step('flush', ({ shard }) => shard.flush())),
  fc.constant(new Step('check', checkAll)),
  fc.constant(
    new Step('clear', ({ shard, model }) => {
      shard.clear();
      model.clear();
    }),
  ),
  fc.constant(
    new Step('compact', (world) => {
      world.shard.compact();
      checkAll(world);
    }),
  ),
  fc.constant(
    new Step('reopen', (world) => {
      world.shard.close();
      world.shard = world.open();
    }),
  ),
  fc.constant(
    // The old handle stays open, like that of another process.
    new Step('open another', (world) => {
      world.shard = world.open();
    }),
  ),
];

everyWay('a shard behaves like a map, whatever is done in whatever order', (t, way) => {
  t.timeout(60_000);
  const property = fc.property(fc.commands(steps, { maxCommands: 60, size: 'max' }), (commands) => {
    const path = shardPath(t);
    const opened: Shard[] = [];
    const open = () => {
      const shard = Shard.open(path, way.options);
      opened.push(shard);
      return shard;
    };
    const world: World = { model: new Map(), shard: open(), open };
    fc.modelRun(() => ({ model: world, real: world }), commands);
    for (const shard of opened) shard.close();
    world.shard = open();
    checkAll(world);
    world.shard.close();
  });
  t.notThrows(() =>
    fc.assert(property, { numRuns: 60, interruptAfterTimeLimit: 60_000, endOnFailure: false }),
  );
});
