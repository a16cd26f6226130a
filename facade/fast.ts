/** The answer that sends a look-up through Node-API. See src-rs/binding/fast.rs. */
export const ORDINARY = -6;

/** Functions that optimised code calls directly, not through Node-API; see src-cpp/fast.cc. */
export interface FastCalls {
  get(key: string, shard: number): number;
  has(key: string, shard: number): number;
  /** Prefetches memory for the look-up of a key, which follows after `AHEAD` more calls: see later/look-ups.ts. */
  ahead(key: string, shard: number): number;
  /** 1 if V8 knows the string's hash, as it does once the string was a key of a Map. */
  hashed(key: string, shard: number): number;
  /** Makes the shard's copies go into this memory, of which there must not be a view yet. */
  slab(shard: number, buffer: ArrayBuffer): void;
}

/** The calls. There are none until later/door.ts has given a handle its number. */
export const fast = {} as FastCalls;

/** Look-ups that a new handle does through Node-API before it loads the fast door: fewer are not worth it. */
export function patience(): number {
  return process.env.WARMSHARD_FAST === 'eager' ? 1 : 512;
}
