import { invalid } from '../errors.js';
import type { Handle } from '../handle.js';
import { table } from '../native.js';
import type { ShardOptions } from '../options.js';
import { plainBytes } from '../shard.js';
import { object, ofOne, unlike } from './checks.js';
import { type Codec, resolveCodec } from './codec.js';
import { getParts } from './look-ups.js';
import { type EntryMeta, META_LEN, MetaBlock, type Validator } from './meta.js';

/** An entry of a batch. */
export interface Entry<V> extends EntryMeta {
  /** 1 to 4094 bytes of UTF-8, without lone surrogates. */
  key: string;
  /** What the codec accepts; with the option `parts`, an object with one value for each part. */
  value: V;
}

/** A batch as the addon takes it; see src-rs/binding/entries.rs. */
export interface Batch {
  /** The number of entries. */
  count: number;
  /** Keys and values alternately, `RUN` entries in each array. */
  runs: unknown[][];
  /** Metadata blocks by entry, up to the last entry that has one. */
  metas: (Uint8Array | undefined)[];
  /** Passes a run to the addon. */
  read(run: unknown[]): void;
}

// Saved when this is loaded: no code of the program may run while the addon writes.
const { apply } = Reflect;

/** Entries in a run: `GROUP` in src-rs/binding/entries.rs. */
const RUN = 64;

/** How a shard's values become bytes and back: its codec, applied to the one value or to each part. */
export class Values<V> {
  /** Whether a value is the bytes of the one part. */
  readonly plain: boolean;
  readonly #codec: Codec<V> | undefined;
  readonly #hasParts: boolean;

  constructor(
    options: ShardOptions<V>,
    /** Names of the parts; one empty name if the option is not given. */
    readonly partNames: readonly string[],
  ) {
    this.#codec = resolveCodec(options.codec);
    this.#hasParts = options.parts !== undefined;
    this.plain = this.#codec === undefined && !this.#hasParts;
  }

  /** The bytes of a value's part or parts. The addon checks that they are bytes. */
  encode(value: V): Uint8Array | Uint8Array[] {
    if (this.plain) return plainBytes(value);
    const codec = this.#codec;
    if (!this.#hasParts) return (codec as Codec<V>).encode(value);
    const names = this.partNames;
    object('a value of a shard with parts', value);
    const given = Object.keys(value);
    if (given.length !== names.length)
      throw invalid(
        `a value of this shard must have the parts ${names.join(', ')}, not ${given.join(', ') || 'none'}`,
      );
    return names.map((name) => {
      const part = (value as Record<string, V>)[name];
      if (part === undefined)
        throw invalid(`the value lacks the part ${JSON.stringify(name)}: it must have ${names.join(', ')}`);
      return codec === undefined ? (part as Uint8Array) : codec.encode(part);
    });
  }

  /** The value of an entry's parts. */
  decode(parts: Record<string, Uint8Array>): V {
    const codec = this.#codec;
    if (!this.#hasParts) {
      const bytes = parts[this.partNames[0] as string] as Uint8Array;
      return codec === undefined ? (bytes as V) : codec.decode(bytes);
    }
    if (codec === undefined) return parts as V;
    const decoded: Record<string, unknown> = {};
    for (const name of this.partNames) decoded[name] = codec.decode(parts[name] as Uint8Array);
    return decoded as V;
  }

  /** `Shard.get`, if values are not the bytes of one part. */
  get(key: string, validator: Validator | undefined, handle: Handle): V | undefined {
    const parts = getParts(handle, key, validator);
    return parts === undefined ? undefined : this.decode(parts);
  }

  /** The entries of a batch, encoded. All user code runs here, before the addon sees anything. */
  collect(entries: Iterable<[string, V] | Entry<V>>): Batch {
    if (typeof entries?.[Symbol.iterator] !== 'function')
      throw unlike(
        'a batch must be an iterable of [key, value] or { key, value, validator?, expiresAt? }',
        entries,
      );
    const runs: unknown[][] = [];
    const metas: Batch['metas'] = [];
    let run: unknown[] = [];
    let at = 2 * RUN;
    for (const entry of entries) {
      if (at === 2 * RUN) {
        run = new Array(2 * RUN);
        runs.push(run);
        at = 0;
      }
      const count = (runs.length - 1) * RUN + at / 2;
      if (typeof entry !== 'object' || entry === null)
        throw unlike(`entry ${count} of the batch must be [key, value] or { key, value, ... }`, entry);
      try {
        if (Array.isArray(entry)) {
          run[at] = entry[0];
          run[at + 1] = this.encode(entry[1]);
        } else {
          const { key, value } = entry;
          run[at] = key;
          run[at + 1] = this.encode(value);
          const block = encodeMeta(entry);
          if (block !== undefined) {
            while (metas.length < count) metas.push(undefined);
            metas.push(block);
          }
        }
      } catch (error) {
        throw ofOne(`entry ${count} of the batch`, error);
      }
      at += 2;
    }
    if (runs.length > 0) run.length = at;
    const { takeRun } = table('shard');
    // Arguments cost the addon next to nothing; each element of an array would cost it a call.
    const read = (entries: unknown[]) => apply(takeRun, undefined, entries);
    return { count: runs.length * RUN - RUN + at / 2, runs, metas, read };
  }
}

const PLAIN = new Values<never>({}, ['']);

/** How the values of a shard become bytes and back. */
export function valuesOf<V>(handle: Handle): Values<V> {
  return (handle.coding ?? PLAIN) as unknown as Values<V>;
}

/** The metadata block of one entry of a batch; `undefined` if the entry has neither validator nor expiry. */
function encodeMeta(meta: EntryMeta): Uint8Array | undefined {
  const { validator, expiresAt } = meta;
  if (validator === undefined && expiresAt === undefined) return undefined;
  const block = new Uint8Array(META_LEN);
  new MetaBlock(block.buffer, 0).write({ validator, expiresAt });
  return block;
}
