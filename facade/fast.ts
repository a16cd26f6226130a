/** The answer that means: go through Node-API. See src-rs/binding/fast.rs. */
export const ORDINARY = -6;

/** Functions that optimised code calls without Node-API in between; see src-cpp/fast.cc. */
export interface FastCalls {
  get(key: string, shard: number): number;
  has(key: string, shard: number): number;
  /** Asks for memory that looking the key up will touch, once `AHEAD` more keys have been looked ahead to. */
  ahead(key: string, shard: number): number;
  /** 1 if V8 knows the string's hash, as it does of one that was a key of a Map before. */
  hashed(key: string, shard: number): number;
  /** The shard's copies go into this memory from now on, of which nobody has a view yet. */
  slab(shard: number, buffer: ArrayBuffer): void;
}

/** The calls; before later/door.ts has given a number there are none. */
export const fast = {} as FastCalls;

/** Look-ups that a new shard does by Node-API before it asks for a number: so many make it worth loading the fast door. */
export function patience(): number {
  return process.env.WARMSHARD_FAST === 'eager' ? 1 : 512;
}
