import { fast, ORDINARY } from '../fast.js';
import { firstGet, type Handle, hot } from '../handle.js';
import { viewFirst } from '../lending.js';
import { writeValidator } from '../validator.js';
import { ofOne, unlike } from './checks.js';
import { knock } from './door.js';
import type { Validator } from './meta.js';
import { viewParts } from './views.js';

// Look-ups of `Shard` other than that of one key's bytes.

/** Marker of an absent key in the answers of `getMany`; see src-rs/binding/hot.rs. */
const ABSENT = 0xffff_fffd;

/** How many keys before its look-up a key is prefetched; see src-rs/core/src/state/ahead.rs. */
const AHEAD = 12;

/** `Shard.getParts`. */
export function getParts(
  handle: Handle,
  key: string,
  validator?: Validator,
): Record<string, Uint8Array> | undefined {
  if (validator === undefined) return viewParts(handle, hot(handle).getParts(key));
  return viewParts(handle, writeValidator(handle, validator).getPartsChecked(key));
}

/** `Shard.getMany`. */
export function getMany<V>(handle: Handle, keys: readonly string[]): (V | undefined)[] {
  if (!Array.isArray(keys)) throw unlike('keys must be an array', keys);
  // A copy: the addon must not meet getters or a proxy.
  const wanted: string[] = Array.from(keys);
  const { coding } = handle;
  if (coding !== undefined)
    return wanted.map((key, i) => numbered(i, () => coding.get(key, undefined, handle)));
  if (handle.patience > 0) {
    handle.patience -= wanted.length;
    if (handle.patience <= 0) knock(handle);
  }
  if (handle.door !== 0 && wanted.length > 0) return getQuickly<V>(handle, wanted);
  const { windows } = handle;
  const answers = new Uint32Array(wanted.length * 3);
  hot(handle).getMany(wanted, answers);
  const values = new Array<V | undefined>(wanted.length).fill(undefined);
  const rest: number[] = [];
  for (let i = 0, word = 0; i < wanted.length; i++, word += 3) {
    const id = answers[word] as number;
    const window = windows[id];
    if (window !== undefined && window.byteLength > 0)
      values[i] = new Uint8Array(window, answers[word + 1], answers[word + 2]) as V;
    else if (id !== ABSENT) rest.push(i);
  }
  // After all others: a look-up may switch to a new file, whose windows have the same numbers.
  for (const i of rest)
    values[i] = viewFirst(handle, hot(handle).getAgain(wanted[i] as string)) as V | undefined;
  return values;
}

/** Looks up one of many keys; an error says which one. */
function numbered<T>(number: number, get: () => T): T {
  try {
    return get();
  } catch (error) {
    throw ofOne(`key ${number}`, error);
  }
}

/** Not in the loop itself, which would have to make a closure for each key. */
const ordinaryGet = (handle: Handle, key: string, number: number): number =>
  numbered(number, () => firstGet(handle, key));

/** `getMany` through the fast door: a call for each key costs less than reading an array's elements through Node-API. */
function getQuickly<V>(handle: Handle, keys: readonly string[]): (V | undefined)[] {
  const { door } = handle;
  const count = keys.length;
  const values = new Array<V | undefined>(count);
  for (let next = 0; next < count + AHEAD; next++) {
    if (next < count) fast.ahead(keys[next] as string, door);
    const i = next - AHEAD;
    if (i < 0) continue;
    const key = keys[i] as string;
    let status = fast.get(key, door);
    if (status === ORDINARY) status = ordinaryGet(handle, key, i);
    values[i] = viewFirst(handle, status, key) as V | undefined;
  }
  return values;
}
