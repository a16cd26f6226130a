// Values that are easy to make and to distinguish.

import type { ExecutionContext } from 'ava';

export const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'utf8'));

export const text = (value: Uint8Array | undefined): string | undefined =>
  value === undefined ? undefined : Buffer.from(value).toString('utf8');

/** A value of any length that depends on both arguments. */
export function pattern(length: number, seed: number): Uint8Array {
  const out = new Uint8Array(length);
  let state = (seed * 2654435761 + length) >>> 0;
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    out[i] = state >>> 24;
  }
  return out;
}

/** Returns a generator of repeatable random numbers below a bound. */
export function random(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let n = Math.imul(state ^ (state >>> 15), state | 1);
    n ^= n + Math.imul(n ^ (n >>> 7), n | 61);
    return ((n ^ (n >>> 14)) >>> 0) % below;
  };
}

/** Asserts that two values have the same bytes. ava's own comparison takes seconds for large ones. */
export function same(
  t: ExecutionContext,
  actual: Uint8Array | undefined,
  expected: Uint8Array | undefined,
  what = 'bytes differ',
): void {
  if (actual === undefined || expected === undefined) t.is(actual, expected, what);
  else if (Buffer.compare(actual, expected) === 0) t.pass();
  else t.fail(`${what}: ${actual.length} bytes where ${expected.length} were expected`);
}
