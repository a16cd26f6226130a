import type { Codec, CodecName } from './later/codec.js';
import { later } from './later.js';
import type { NativeOptions } from './native.js';

/** The host program, which makes and uses the entries. Entries of another host build are stale. */
export interface Host {
  /** The program's name. At most 63 bytes of UTF-8. */
  name: string;
  /** Its version, compared for equality. At most 63 bytes of UTF-8. */
  version: string;
  /**
   * A number that you choose, 0 to 4294967295. Raise it when the shape of what you store changes (its opcodes, for
   * instance) while name, version and binary stay the same. Default: none.
   */
  schema?: number | undefined;
  /**
   * Path of the binary whose modification time and size identify the build. Default: `process.execPath`. If the binary
   * cannot be examined, nothing is served or stored. `false`: name, version and schema are enough.
   */
  binary?: string | false | undefined;
}

/** How a shard is opened. */
export interface ShardOptions<V = Uint8Array> {
  /**
   * The host, which becomes the producer of the entries. Default: an anonymous one, the same for every shard that is
   * opened without a host.
   */
  host?: Host | undefined;
  /**
   * How values become bytes: the name of a codec, or your own `Codec`. Default `'bytes'`: values are `Uint8Array`s. The
   * name is not stored: open a shard with the codec that it was filled with.
   */
  codec?: CodecName | Codec<V> | undefined;
  /**
   * Names of an entry's parts, 1 to 32, each at most 64 bytes: a value is then an object with bytes for each. Default: one unnamed
   * part.
   */
  parts?: readonly string[] | undefined;
  /** Never change anything; read permission is enough. Default false. */
  readOnly?: boolean | undefined;
  /** `'flush'` (default): durable at `flush()`. `'sync'`: durable when a change returns. */
  durability?: 'flush' | 'sync' | undefined;
  /**
   * What binds key, header and value together. `'xxh3'` (default) and `'blake3'` detect damage; a 32-byte key detects
   * forgery, too, and a shard made with another key reads as empty.
   */
  digest?: 'xxh3' | 'blake3' | { key: Uint8Array } | undefined;
  /** Verify a value's digest on its first use in the process (default) or always. */
  verify?: 'first' | 'always' | undefined;
  /** Never lend mapped memory: every value is a copy. Default false; always so if the runtime forbids lending. */
  copy?: boolean | undefined;
  /**
   * `'mmap'` (default): read through a memory mapping. `'read'`: by positioned reads, which are slower, but survive
   * another program truncating the file; always used on network and FUSE file systems.
   */
  access?: 'mmap' | 'read' | undefined;
  /** Compaction keeps the file under this many bytes. Default 1 GiB; 64 KiB to 4 TiB. */
  maxBytes?: number | undefined;
  /** Most bytes of one value, all parts together. Default 64 MiB; 1 byte to 1 GiB. */
  maxEntryBytes?: number | undefined;
  /** How long one call waits for other processes altogether, in whole milliseconds. Default 5000; 0 does not wait. */
  lockTimeout?: number | undefined;
  /** Store keys that are paths below this absolute folder relative to it, so that the shard can be used at another path. */
  root?: string | undefined;
  /**
   * Which files are used. `'private'` (default): those of this user that nobody else can write to. `'group'`: also those
   * that a group can write to. `'system'`: also those of root that nobody else can write to.
   */
  trust?: 'private' | 'group' | 'system' | undefined;
  /** Compact in the background once half of the file is dead, or it outgrows `maxBytes`. Default true. */
  autoCompact?: boolean | undefined;
}

/** Whether values are copied, not lent, because of an option or of the environment. */
export function mustCopy(copy: boolean | undefined): boolean {
  return copy === true || process.env.WARMSHARD_COPY === '1';
}

/** The options of an `open` without any. */
export const NONE: ShardOptions<never> = {};

/** The defaults of those of the addon's options that the facade itself reads. The addon knows the others. */
export const DEFAULTS = { parts: [''], readOnly: false } as unknown as NativeOptions;

/** Options that few programs use. */
const SELDOM: readonly (keyof ShardOptions<never>)[] = [
  'parts',
  'digest',
  'root',
  'durability',
  'verify',
  'access',
  'trust',
  'maxBytes',
  'maxEntryBytes',
  'lockTimeout',
  'autoCompact',
];

/**
 * The options in the form for the addon. Here only a host and switches are handled, if they are right. For anything else,
 * and for what is wrong, later/options.ts does it.
 */
export function nativeOptions<V>(options: ShardOptions<V>): NativeOptions {
  const { host, readOnly, copy } = options ?? NONE;
  const { name, version, schema, binary } = (host === undefined ? NO_HOST : host) ?? {};
  if (
    typeof options !== 'object' ||
    options === null ||
    !isSwitch(readOnly) ||
    !isSwitch(copy) ||
    (host !== undefined && typeof host !== 'object') ||
    !isName(name) ||
    !isName(version) ||
    schema !== undefined ||
    (binary !== undefined && binary !== false) ||
    SELDOM.some((option) => options[option] !== undefined)
  )
    return later().nativeOptions(options);
  return {
    hostName: name,
    hostVersion: version,
    hostBinary: host === undefined || binary === false ? undefined : process.execPath,
    parts: DEFAULTS.parts,
    readOnly: readOnly === true,
    syncEach: false,
    verifyAlways: false,
    mapped: true,
    autoCompact: true,
  };
}

const NO_HOST: Host = { name: '', version: '' };
const isSwitch = (value: unknown) => value === undefined || typeof value === 'boolean';
const isName = (value: unknown) => typeof value === 'string' && value.isWellFormed();
