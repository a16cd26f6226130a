import { invalid } from './errors.js';
import type { Codec, CodecName } from './later/codec.js';
import type { NativeOptions } from './native.js';

/** The host program: what makes and uses the entries. An entry of another host build is stale. */
export interface Host {
  /** At most 63 bytes of UTF-8. */
  name: string;
  /** At most 63 bytes of UTF-8. */
  version: string;
  /**
   * A number of your own, 0 to 4294967295, to be raised when the shape of what you store changes (opcodes that
   * shift, say) while name, version and binary stay. Default: none.
   */
  schema?: number | undefined;
  /**
   * Path of the binary whose modification time and size identify the build. Default: `process.execPath`. Where
   * it cannot be looked at, nothing is served or stored. `false`: name and version are enough.
   */
  binary?: string | false | undefined;
}

/** How a shard is opened. */
export interface ShardOptions<V = Uint8Array> {
  /** The producer. Default: an anonymous one that every shard opened without a host shares. */
  host?: Host | undefined;
  /** How values become bytes. Default `'bytes'`: values are `Uint8Array`s. */
  codec?: CodecName | Codec<V> | undefined;
  /** Names of an entry's parts, 1 to 32, each at most 64 bytes. Default: one unnamed part. */
  parts?: readonly string[] | undefined;
  /** Never change anything; read permission is enough. Default false. */
  readOnly?: boolean | undefined;
  /** `'flush'` (default): durable at `flush()`. `'sync'`: durable when a change returns. */
  durability?: 'flush' | 'sync' | undefined;
  /**
   * What binds key, header and value together. `'xxh3'` (default) and `'blake3'` find damage; a 32-byte key finds
   * forgery too, and a shard made with another key reads as empty.
   */
  digest?: 'xxh3' | 'blake3' | { key: Uint8Array } | undefined;
  /** Verify a value's digest on its first use in the process (default) or always. */
  verify?: 'first' | 'always' | undefined;
  /** Never lend mapped memory: every value is a copy. Default false; always so where the runtime forbids lending. */
  copy?: boolean | undefined;
  /** Read through a memory mapping (default, where the file system allows it) or by positioned reads. */
  access?: 'mmap' | 'read' | undefined;
  /** Compaction keeps the file under this many bytes. Default 1 GiB, at least 64 KiB. */
  maxBytes?: number | undefined;
  /** Most bytes of one value. Default 64 MiB, at most 1 GiB. */
  maxEntryBytes?: number | undefined;
  /** How long a call waits for other processes in all, in milliseconds. Default 5000. */
  lockTimeout?: number | undefined;
  /** Store keys below this absolute folder relative to it, so that the shard can be used at another path. */
  root?: string | undefined;
  /**
   * Which files are believed: `'private'` (default): ours, writable by nobody else. `'group'`: a group may write
   * too. `'system'`: root's as well.
   */
  trust?: 'private' | 'group' | 'system' | undefined;
  /** Compact in the background once half of the file is dead, or it outgrows `maxBytes`. Default true. */
  autoCompact?: boolean | undefined;
}

export function oneOf(name: string, value: unknown, allowed: readonly string[]): void {
  if (value !== undefined && !allowed.includes(value as string))
    throw invalid(`${name} must be ${allowed.map((a) => `'${a}'`).join(' or ')}, not ${show(value)}`);
}

export function whole(name: string, value: unknown): void {
  if (value !== undefined && !(Number.isSafeInteger(value) && (value as number) >= 0))
    throw invalid(`${name} must be a whole number, not ${show(value)}`);
}

export function flag(name: string, value: unknown): void {
  if (value !== undefined && typeof value !== 'boolean') throw invalid(`${name} must be true or false`);
}

export function text(name: string, value: unknown): asserts value is string {
  if (typeof value !== 'string') throw invalid(`${name} must be a string, not ${show(value)}`);
  // As UTF-8 two that differ in one would be the same.
  if (!value.isWellFormed()) throw invalid(`${name} holds a lone surrogate: ${show(value)}`);
}

/** Whether values are to be copied, not lent: because of an option, or of the environment. */
export function mustCopy(copy: boolean | undefined): boolean {
  return copy === true || process.env.WARMSHARD_COPY === '1';
}

/** For messages. An object's own `toString` may throw, or be missing. */
export function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value);
  return typeof value === 'object' && value !== null ? 'an object' : String(value);
}

/** The options of an `open` without any. */
export const NONE: ShardOptions<never> = {};

/** What the facade itself reads of what the addon takes, if nothing is given; the addon knows the rest. */
export const DEFAULTS = { parts: [''], readOnly: false } as unknown as NativeOptions;

/** Checks the options' types and gives the addon what it wants; ranges are checked by the core. */
export function nativeOptions<V>(options: ShardOptions<V>): NativeOptions {
  if (typeof options !== 'object' || options === null) throw invalid('options must be an object');
  const { host, parts, digest, root } = options;
  if (host !== undefined) {
    if (typeof host !== 'object' || host === null)
      throw invalid('host must be an object with name and version');
    text('host.name', host.name);
    text('host.version', host.version);
    if (host.schema !== undefined && !(Number.isInteger(host.schema) && host.schema >>> 0 === host.schema))
      throw invalid(`host.schema must be a whole number of 0 to 4294967295, not ${show(host.schema)}`);
    if (host.binary !== undefined && host.binary !== false) text('host.binary', host.binary);
  }
  if (parts !== undefined) {
    if (!Array.isArray(parts)) throw invalid('parts must be an array of names');
    for (const part of parts) text('the name of a part', part);
    // Assigned to an object it would be no property.
    if (parts.includes('__proto__')) throw invalid("a part cannot be named '__proto__'");
  }
  const keyed = typeof digest === 'object' && digest !== null;
  if (keyed && !(digest.key instanceof Uint8Array))
    throw invalid('digest.key must be a Uint8Array of 32 bytes');
  const { durability, verify, access, trust, maxBytes, maxEntryBytes, lockTimeout } = options;
  const { readOnly, copy, autoCompact } = options;
  // Only what is given is checked: the first call of a function makes V8 compile it, and the first `open` of a
  // process would wait for that.
  if (digest !== undefined && !keyed) oneOf('digest', digest, ['xxh3', 'blake3']);
  if (durability !== undefined) oneOf('durability', durability, ['flush', 'sync']);
  if (verify !== undefined) oneOf('verify', verify, ['first', 'always']);
  if (access !== undefined) oneOf('access', access, ['mmap', 'read']);
  if (trust !== undefined) oneOf('trust', trust, ['private', 'group', 'system']);
  if (maxBytes !== undefined) whole('maxBytes', maxBytes);
  if (maxEntryBytes !== undefined) whole('maxEntryBytes', maxEntryBytes);
  if (lockTimeout !== undefined) whole('lockTimeout', lockTimeout);
  if (readOnly !== undefined) flag('readOnly', readOnly);
  if (copy !== undefined) flag('copy', copy);
  if (autoCompact !== undefined) flag('autoCompact', autoCompact);
  if (root !== undefined) text('root', root);
  const binary = host === undefined ? false : (host.binary ?? process.execPath);
  return {
    hostName: host?.name ?? '',
    hostVersion: host?.version ?? '',
    hostSchema: host?.schema,
    hostBinary: binary === false ? undefined : binary,
    parts: parts === undefined ? [''] : [...parts],
    readOnly: readOnly ?? false,
    syncEach: durability === 'sync',
    digest: keyed ? undefined : digest,
    digestKey: keyed ? digest.key : undefined,
    verifyAlways: verify === 'always',
    mapped: access !== 'read',
    maxBytes,
    maxEntryBytes,
    lockTimeout,
    root,
    trust,
    autoCompact: autoCompact ?? true,
  };
}
