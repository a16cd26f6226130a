// An answer that a get had kept was given again after another process had changed the entry. Every change must end it.

import { join } from 'node:path';
import fc from 'fast-check';
import { Shard } from 'warmshard';
import { text } from './helpers/bytes.js';
import { type Inside, startChild } from './helpers/child.js';
import { folder } from './helpers/folder.js';
import { keeping } from './helpers/keeping.js';

/** What either process does to the shard; keys and values are numbers. */
type Change =
  | { act: 'put' | 'delete'; key: number; value: number }
  | { act: 'mergeIn' | 'replaceAll'; keys: number[]; value: number }
  | { act: 'clear' | 'compact' | 'flush' | 'nothing' };
interface Step {
  change: Change;
  /** Which process does it. */
  there: boolean;
}

const KEYS = 12;
const key = fc.nat(KEYS - 1);
const keys = fc.uniqueArray(key, { maxLength: KEYS });
const value = fc.nat(1e6);
const change: fc.Arbitrary<Change> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ act: fc.constantFrom('put', 'delete'), key, value }) },
  { weight: 4, arbitrary: fc.record({ act: fc.constantFrom('mergeIn', 'replaceAll'), keys, value }) },
  { weight: 2, arbitrary: fc.record({ act: fc.constantFrom('clear', 'compact', 'flush', 'nothing') }) },
);
const step: fc.Arbitrary<Step> = fc.record({ change, there: fc.boolean() });

// Both processes run this function, so it may only use its arguments.
function apply(shard: Shard, change: Change): void {
  const bytes = (value: number) => Buffer.from(String(value).repeat(20));
  switch (change.act) {
    case 'put':
      shard.put(`key number ${change.key}`, bytes(change.value));
      break;
    case 'delete':
      shard.delete(`key number ${change.key}`);
      break;
    case 'mergeIn':
    case 'replaceAll':
      shard[change.act](change.keys.map((key) => [`key number ${key}`, bytes(change.value + key)]));
      break;
    case 'nothing':
      break;
    default:
      shard[change.act]();
  }
}

function model(known: Map<number, number>, change: Change): void {
  if (change.act === 'clear' || change.act === 'replaceAll') known.clear();
  if (change.act === 'put') known.set(change.key, change.value);
  if (change.act === 'delete') known.delete(change.key);
  if (change.act === 'mergeIn' || change.act === 'replaceAll')
    for (const key of change.keys) known.set(key, change.value + key);
}

keeping('whatever either of two processes does, the next get sees it', async (t) => {
  const dir = folder(t);
  const child = startChild(
    t,
    async ({ warmshard: { Shard }, receive, send }: Inside, [dir, apply]: string[]) => {
      const run = new Function('__name', `return ${apply}`)((f: unknown) => f) as (
        shard: Shard,
        change: unknown,
      ) => void;
      let shard: Shard | undefined;
      for (;;) {
        const { open, change } = (await receive()) as { open?: string; change?: unknown };
        if (open !== undefined) {
          shard?.close();
          shard = Shard.open(`${dir}/${open}`);
        } else if (shard !== undefined && change !== undefined) run(shard, change);
        send('done');
      }
    },
    [dir, apply.toString()],
  );
  const tell = async (message: object) => {
    child.send(message);
    await child.receive();
  };
  // The same string objects each time, and flat ones.
  const names = Array.from({ length: KEYS }, (_, i) => Buffer.from(`key number ${i}`).toString('latin1'));
  let [runs, kept] = [0, 0];
  const property = fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
    const name = `${runs++}.shard`;
    using shard = Shard.open(join(dir, name));
    await tell({ open: name });
    const known = new Map<number, number>();
    const look = (what: string) => {
      for (let i = 0; i < KEYS; i++) {
        const expected = known.get(i);
        const found = shard.get(names[i] as string);
        if (text(found) !== (expected === undefined ? undefined : String(expected).repeat(20)))
          throw new Error(`${names[i]} after ${what}: ${text(found)}, expected ${expected}`);
        const again = shard.get(names[i] as string);
        if (text(again) !== text(found)) throw new Error(`${names[i]} after ${what}: ${text(again)} next`);
        if (again !== undefined && again === found) kept++;
      }
    };
    for (const { change, there } of steps) {
      const what = `${JSON.stringify(change)} ${there ? 'there' : 'here'}`;
      if (there) await tell({ change });
      else apply(shard, change);
      model(known, change);
      // Once right after the change, and once more with the answers that were kept then.
      look(what);
      look(what);
    }
  });
  await t.notThrowsAsync(
    fc.assert(property, {
      numRuns: 100,
      endOnFailure: true,
      includeErrorInReport: true,
    }),
  );
  // Without kept answers the test would prove nothing.
  t.true(kept > 10 * runs, `${kept} answers were kept, in ${runs} runs`);
  await child.kill();
});
