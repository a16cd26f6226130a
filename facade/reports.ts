import type { Validator } from './later/meta.js';

/** What is known about an entry besides its value. */
export interface EntryInfo {
  /** The key. */
  key: string;
  /** Bytes of all parts together. */
  bytes: number;
  /** Bytes of each part, by name; by position (`'0'`, `'1'`, ...) for an entry of another producer. */
  parts: Record<string, number>;
  /** The host that made it. */
  host: { name: string; version: string };
  /** Whether this handle's own producer made it; the entries of others are stale for this handle. */
  current: boolean;
  /** When it was stored. */
  cachedAt: Date;
  /** Approximately when it was last used; never before it was stored. */
  lastUsedAt: Date;
  /** When it expires, in milliseconds since the epoch. An expired entry may still be reported. */
  expiresAt?: number;
  /** The validator it was put with: a `get` with a validator must pass an equal one. */
  validator?: Validator;
  /** Whether the source is compared by content before the entry's first use. */
  racy: boolean;
  /** The generation that published it. */
  generation: number;
}

/** What a compaction did. */
export interface CompactReport {
  /** Bytes of the file before. */
  bytesBefore: number;
  /** Bytes of the file after. */
  bytesAfter: number;
  /** Entries copied. */
  kept: number;
  /** Entries dropped because they had expired. */
  expired: number;
  /** Entries dropped because their digest failed. */
  corrupt: number;
  /** Entries dropped to come under `maxBytes`: other producers' first, then the least recently used. */
  evicted: number;
  /** False if there was no file, or if another process replaced it meanwhile. */
  replaced: boolean;
}

/** One thing that is wrong with a file. */
export interface Fault {
  /** Where in the file, in bytes. */
  offset: number;
  /** The record's key, if it can be read. */
  key?: string;
  /** What is wrong. */
  reason: string;
}

/** What a verification of the whole file found. */
export interface VerifyReport {
  /** Whether nothing is wrong. */
  ok: boolean;
  /** Frames in the file. */
  frames: number;
  /** Records among them, live or not. */
  records: number;
  /** Live entries whose digest is right. */
  entries: number;
  /** Frames (records, tombstones, commit frames and index snapshots) whose digest fails. */
  corrupt: number;
  /** Bytes that belong to no frame. */
  damagedBytes: number;
  /** Live entries that the index does not find. */
  unindexed: number;
  /** What is wrong, one by one; at most 1000. */
  faults: Fault[];
}

/** What a power cut now might cost. */
export interface Durability {
  /** Changes published since the machine started, but not flushed. */
  pendingEntries: number;
  /** Bytes published, but not flushed, including the index. */
  pendingBytes: number;
  /** Whether a power cut would cost nothing. */
  durable: boolean;
}

/** Statistics of a shard. The counters from `hits` on are this handle's own. */
export interface ShardStats {
  /** Live entries, of all producers. */
  entries: number;
  /** Bytes of their frames. */
  liveBytes: number;
  /** Bytes of the file. */
  fileBytes: number;
  /** Bytes that compaction would free. */
  deadBytes: number;
  /** Bytes of the index snapshots in use. */
  indexBytes: number;
  /** Index snapshots that a look-up may probe. */
  indexSnapshots: number;
  /** Entries that were stored after the newest of them. */
  tailEntries: number;
  /** Rises with every published change, of any process. */
  generation: number;
  /** Look-ups that found a usable entry. */
  hits: number;
  /** Look-ups that found none. */
  misses: number;
  /** Look-ups whose entry had another validator or producer. */
  stale: number;
  /** Look-ups whose entry failed its digest. */
  corrupt: number;
  /** Entries stored. */
  puts: number;
  /** Entries not stored because the host's binary could not be identified. */
  rejectedPuts: number;
  /** Entries deleted by `delete`. */
  deletes: number;
  /** Entries dropped by compaction and `evictStale`. */
  evictions: number;
  /** Flushes. */
  flushes: number;
  /** Compactions. */
  compactions: number;
  /** How often this handle caught up with changes by others. */
  refreshes: number;
  /** How often the system refused to read; what was known continued to be served. */
  readErrors: number;
  /** Whether values come from a memory mapping. */
  mapped: boolean;
  /**
   * How look-ups enter the addon: `'fast'`, called directly by optimised code, or `'node-api'`: until a handle has done
   * some hundred look-ups, for handles with a codec or parts, on runtimes other than Node.js, and with `WARMSHARD_FAST=0`.
   */
  door: 'fast' | 'node-api';
  /** Why it stays `'node-api'` in this process, as soon as that is known. */
  doorShut?: string;
  /** Why the file at the path reads as an empty shard; the next change replaces it. */
  rejected?: string;
}
