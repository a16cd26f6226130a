import { EventEmitter } from 'node:events';
import { invalid } from '../facade/errors.js';
import { object, show, unlike } from '../facade/later/checks.js';
import { Shard, type ShardOptions, WarmshardError } from '../index.js';
import { decode, encode } from './values.js';

/** How `KeyvShard` opens its shard: as `Shard.open`, except that Keyv decides how values become bytes. */
export type KeyvShardOptions = Omit<ShardOptions, 'codec' | 'parts'>;

/** One of the entries that `setMany` stores. */
export interface KeyvShardEntry {
  /** The key, with Keyv's prefix. */
  key: string;
  /** The value, as Keyv's serialiser made it. */
  value: unknown;
  /** Time to live, in milliseconds. Default: no limit. */
  ttl?: number | undefined;
}

/**
 * A shard as the storage adapter of a Keyv, version 4, 5 or 6.
 *
 * Keys are stored as Keyv gives them, which is with their namespace in front. Strings, `Buffer`s, `Uint8Array`s and
 * what `structuredClone` can copy come back as they were. Every method rejects with a `WarmshardError` if a `Shard`
 * would throw it.
 *
 * Several Keyvs with a namespace each should have a `KeyvShard` each: Keyv tells its adapter by a property which
 * namespace `clear` and `iterator` are about. All of them can be over one `Shard`.
 *
 * @example
 * const keyv = new Keyv({ store: new KeyvShard('/var/cache/app/keyv.shard') });
 * await keyv.set('answer', { value: 42 }, 60_000);
 * await keyv.get('answer'); // { value: 42 }, in every process, for a minute
 */
export class KeyvShard {
  /** The shard: for `flush`, `stats`, `compact` and everything else that Keyv does not have. */
  readonly shard: Shard;
  /** What Keyv reads to find out what kind of store this is. */
  readonly opts: { dialect: string; url: string; [option: string]: unknown };
  /**
   * The namespace that `clear` and `iterator` are limited to; set by Keyv. The property does not exist before: its
   * absence tells Keyv 6 to put the namespace into the keys, as Keyv 4 and 5 always do.
   */
  declare namespace?: string | undefined;
  readonly #isOwn: boolean;
  readonly #events = new EventEmitter();

  /**
   * @param shard the path of a shard, which is opened, and closed by `disconnect`; or a `Shard` that you have opened
   * without `codec` and `parts`, and that `disconnect` leaves open
   * @param options for a path: as for `Shard.open`
   * @throws WarmshardError as `Shard.open`
   */
  constructor(shard: string | Shard, options?: KeyvShardOptions) {
    this.#isOwn = !(shard instanceof Shard);
    if (shard instanceof Shard) {
      if (options !== undefined) throw invalid('options are for a path: this Shard is open already');
      this.shard = shard;
    } else {
      if (typeof shard !== 'string') throw unlike('shard must be a path or a Shard', shard);
      this.shard = Shard.open(shard, checked(options));
    }
    // Keyv 4 and 5 iterate only over stores whose dialect they know; sqlite's is a file as well.
    this.opts = { dialect: 'sqlite', url: this.shard.path };
  }

  /** The value of a key, or `undefined`. */
  async get<Value = unknown>(key: string): Promise<Value | undefined> {
    return this.#decode(key, this.shard.get(key)) as Value | undefined;
  }

  /** The values of many keys, in their order, with one call of `Shard.getMany`. */
  async getMany<Value = unknown>(keys: readonly string[]): Promise<(Value | undefined)[]> {
    const found = this.shard.getMany(keys);
    return found.map((bytes, i) => this.#decode(keys[i] as string, bytes) as Value | undefined);
  }

  /**
   * Stores a value; every process sees it at its next `get`.
   *
   * @param ttl time to live, in milliseconds. Default, 0 and Infinity: no limit. If negative, the entry has expired already
   */
  async set(key: string, value: unknown, ttl?: number): Promise<boolean> {
    const expiresAt = expiry(ttl);
    if (expiresAt === undefined) this.shard.put(key, encode(value));
    else this.shard.put(key, encode(value), { expiresAt });
    return true;
  }

  /** Stores many entries with one publish: all of them or none. Returns an array with `true` for each. */
  // biome-ignore lint/suspicious/noExplicitAny: Keyv 5 gives its caller these booleans, but has its store declare void
  async setMany(entries: readonly KeyvShardEntry[]): Promise<any> {
    if (!Array.isArray(entries)) throw unlike('entries must be an array', entries);
    const batch = entries.map((entry, i) => {
      object(`entry ${i}`, entry);
      const { key, value, ttl } = entry as KeyvShardEntry;
      return { key, value: encode(value), expiresAt: expiry(ttl) };
    });
    this.shard.mergeIn(batch);
    return entries.map(() => true);
  }

  /** Deletes a key. Returns whether it was there. */
  async delete(key: string): Promise<boolean> {
    return this.shard.delete(key);
  }

  /** Deletes many keys, one after the other. Returns whether one of them was there. */
  async deleteMany(keys: readonly string[]): Promise<boolean> {
    if (!Array.isArray(keys)) throw unlike('keys must be an array', keys);
    let found = false;
    for (const key of keys) if (this.shard.delete(key)) found = true;
    return found;
  }

  /** Deletes every entry of the namespace; without a namespace, every entry of the shard. */
  async clear(): Promise<void> {
    const prefix = prefixOf(this.namespace);
    if (prefix === '') this.shard.clear();
    else for (const key of this.shard.keys()) if (key.startsWith(prefix)) this.shard.delete(key);
  }

  /** Whether `get` would find a value. */
  async has(key: string): Promise<boolean> {
    return this.shard.has(key);
  }

  /** The same for many keys, in their order. */
  async hasMany(keys: readonly string[]): Promise<boolean[]> {
    if (!Array.isArray(keys)) throw unlike('keys must be an array', keys);
    return keys.map((key) => this.shard.has(key));
  }

  /**
   * Keys and values, oldest first: the keys at the time of the first step, each value when it is reached. What was
   * deleted or has expired meanwhile is left out.
   *
   * @param namespace the namespace of the entries. Default: `this.namespace`; all entries if that is not set
   */
  async *iterator<Value = unknown>(
    namespace: string | undefined = this.namespace,
  ): AsyncGenerator<(string | Awaited<Value> | undefined)[], void> {
    const prefix = prefixOf(namespace);
    for (const key of this.shard.keys()) {
      if (!key.startsWith(prefix)) continue;
      const value = this.#decode(key, this.shard.get(key));
      if (value !== undefined) yield [key, value as Awaited<Value>];
    }
  }

  /** Closes the shard, if this object has opened it. Calling it again does nothing. */
  async disconnect(): Promise<void> {
    if (this.#isOwn) this.shard.close();
  }

  /**
   * Calls `listener` with an error for every `'error'`: an entry that reads as absent because its bytes are not what a
   * `KeyvShard` stores. Keyv passes it on to its own listeners.
   */
  on(event: string, listener: (...told: never[]) => void): this {
    this.#events.on(event, listener as (...told: unknown[]) => void);
    return this;
  }

  #decode(key: string, bytes: Uint8Array | undefined): unknown {
    if (bytes === undefined) return undefined;
    try {
      return decode(bytes);
    } catch (error) {
      this.#tell(
        new WarmshardError(
          'ERR_CODEC',
          `the value of ${show(key)} cannot be read; was it stored by something else?`,
          undefined,
          undefined,
          undefined,
          { cause: error },
        ),
      );
      return undefined;
    }
  }

  #tell(error: WarmshardError): void {
    try {
      this.#events.emit('error', error);
    } catch {
      // Without a listener, here or on the Keyv, emitting throws. For the caller it is a miss all the same.
    }
  }
}

function checked(options: KeyvShardOptions | undefined): KeyvShardOptions {
  if (options === undefined) return {};
  object('options', options);
  for (const name of ['codec', 'parts'])
    if ((options as Record<string, unknown>)[name] !== undefined)
      throw invalid(`${name} is not for KeyvShard: Keyv's serialiser makes the values`);
  return options;
}

/** When an entry expires, in milliseconds since the epoch; `undefined` if it does not. */
function expiry(ttl: number | undefined): number | undefined {
  if (ttl === undefined || ttl === null) return undefined;
  if (typeof ttl !== 'number') throw unlike('ttl must be a number of milliseconds', ttl);
  // The same rule as in Keyv. Rounded up: an entry may live a little longer, but never shorter.
  if (ttl === 0 || !Number.isFinite(ttl)) return undefined;
  const expiresAt = Math.max(0, Math.ceil(Date.now() + ttl));
  return Number.isSafeInteger(expiresAt) ? expiresAt : undefined;
}

/** What the keys of a namespace begin with. Keyv 6 writes two colons. */
function prefixOf(namespace: string | undefined): string {
  return namespace === undefined || namespace === null || namespace === '' ? '' : `${namespace}:`;
}
