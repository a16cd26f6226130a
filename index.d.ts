// Emitted from index.ts by `npm run build:types`. Do not edit.

declare global {
    interface SymbolConstructor {
        readonly dispose: unique symbol;
    }
}

/**
 * Turns values into bytes and back. Both functions may throw; what they throw becomes the `cause` of an error with the
 * code `ERR_CODEC`.
 *
 * @example
 * const dates: Codec<Date> = {
 *   encode: (date) => Buffer.from(date.toISOString()),
 *   decode: (bytes) => new Date(Buffer.from(bytes).toString()),
 * };
 */
interface Codec<V> {
    /** Returns the bytes of a value. They are copied at once. */
    encode(value: V): Uint8Array;
    /**
     * Returns the value of what `encode` made. `bytes` may be a view of mapped memory: copy what you keep and want to
     * stay unchanged.
     */
    decode(bytes: Uint8Array): V;
}
/**
 * The built-in codecs: bytes as they are; well-formed text; what `JSON.stringify` can represent; what `structuredClone`
 * can copy (`node:v8`); and a constants pool (`constantsCodec`).
 */
type CodecName = 'bytes' | 'utf8' | 'json' | 'structured' | 'constants';

/** What a constants pool can hold. */
type Constant = undefined | number | bigint | string;
/**
 * Encodes a constants pool: an array of `undefined`, numbers, 64-bit bigints and strings. All of them come back as they
 * were, including `-0`, `NaN` and lone surrogates. `Shard` also accepts it by the name `'constants'`.
 *
 * Both functions throw `WarmshardError` with `ERR_CODEC`: for a value of any other type, naming its index, and for any
 * bytes that are not a constants pool.
 */
declare const constantsCodec: Codec<Constant[]>;

/** The codes of everything that can go wrong. A code never changes; messages may improve. */
type ErrorCode = 
/** The key is not a string, empty, too long, or holds a lone surrogate. */
'ERR_INVALID_KEY'
/** An argument or option has the wrong type, or a value out of range. */
 | 'ERR_INVALID_ARG'
/** An entry or the file would exceed its limit. */
 | 'ERR_TOO_LARGE'
/** Another process held the lock for longer than `lockTimeout`. */
 | 'ERR_LOCK_TIMEOUT'
/** The shard was opened with `readOnly`. */
 | 'ERR_READ_ONLY'
/** The shard was closed. */
 | 'ERR_CLOSED'
/**
 * The file is a symbolic link or not a regular file, belongs to another user, or may be written by others: see the
 * option `trust`.
 */
 | 'ERR_UNTRUSTED_FILE'
/** The system refused a call: see `errno`, `syscall` and `path`. Without them: a mistake in warmshard; report it. */
 | 'ERR_IO'
/** No space or quota is left. */
 | 'ERR_NO_SPACE'
/** A codec could not encode or decode a value: see `cause`. */
 | 'ERR_CODEC'
/** The work was aborted through its signal; none of it was published. */
 | 'ERR_ABORTED'
/** The native binary could not be loaded; the message says what was tried. */
 | 'ERR_NATIVE_LOAD';
/** The only error that warmshard throws or rejects with. */
declare class WarmshardError extends Error {
    /** What kind of failure it is. */
    readonly code: ErrorCode;
    /** The system's error number, negative, if the system refused a call. */
    readonly errno?: number;
    /** The system call that failed. */
    readonly syscall?: string;
    /** The file that the error is about. */
    readonly path?: string;
}

/** The host program, which makes and uses the entries. Entries of another host build are stale. */
interface Host {
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
interface ShardOptions<V = Uint8Array> {
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
    digest?: 'xxh3' | 'blake3' | {
        key: Uint8Array;
    } | undefined;
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

/** An entry of a batch. */
interface Entry<V> extends EntryMeta {
    /** 1 to 4094 bytes of UTF-8, without lone surrogates. */
    key: string;
    /** What the codec accepts; with the option `parts`, an object with one value for each part. */
    value: V;
}

/** What is known about an entry besides its value. */
interface EntryInfo {
    /** The key. */
    key: string;
    /** Bytes of all parts together. */
    bytes: number;
    /** Bytes of each part, by name; by position (`'0'`, `'1'`, ...) for an entry of another producer. */
    parts: Record<string, number>;
    /** The host that made it. */
    host: {
        name: string;
        version: string;
    };
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
interface CompactReport {
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
interface Fault {
    /** Where in the file, in bytes. */
    offset: number;
    /** The record's key, if it can be read. */
    key?: string;
    /** What is wrong. */
    reason: string;
}
/** What a verification of the whole file found. */
interface VerifyReport {
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
interface Durability {
    /** Changes published since the machine started, but not flushed. */
    pendingEntries: number;
    /** Bytes published, but not flushed, including the index. */
    pendingBytes: number;
    /** Whether a power cut would cost nothing. */
    durable: boolean;
}
/** Statistics of a shard. The counters from `hits` on are this handle's own. */
interface ShardStats {
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

/** Statistics of a store of artifacts. The counters are this object's own. */
interface PipelineMetrics {
    /** Calls of `get`. */
    lookups: number;
    /** Those that found an artifact. */
    hits: number;
    /** Those that found none, or a damaged one. */
    misses: number;
    /** Artifacts stored. */
    puts: number;
    /** Artifacts not stored, because they were too large or the system refused. */
    rejectedPuts: number;
    /** Artifacts dropped to stay within the budget. */
    evictions: number;
    /** Their bytes. */
    evictedBytes: number;
    /** Calls of `flush` and `flushAsync`. */
    flushes: number;
    /** Those that failed. */
    flushErrors: number;
    /** Bytes held now; on disk the sizes of the files, including their footers. */
    cachedBytes: number;
    /** Artifacts held now. */
    entries: number;
    /** Hits in a million look-ups, a whole number; 0 before the first look-up. */
    hitRatePpm: number;
}
/** What every store of artifacts can do. Your own implementation can be a layer, too. */
interface PipelineStore {
    /** The artifact of a fingerprint, or `undefined`. Treat it as read-only. */
    get(fingerprint: Uint8Array): Uint8Array | undefined;
    /** Stores an artifact, if it can; what it could not store is counted. */
    put(fingerprint: Uint8Array, artifact: Uint8Array): void;
    /** Makes what was put survive a power cut, if the store can. */
    flush(): void;
    /** Statistics of the store. */
    metrics(): PipelineMetrics;
}

/**
 * What an entry can be put with, and what a look-up can ask for: a source's modification time (and its size, if both
 * have one), a digest of its content, or at most 64 bytes that only the caller understands. A look-up with a validator
 * finds only an entry with an equal one.
 */
type Validator = {
    /** Whole seconds since the epoch. */
    mtimeSec: number;
    /** Nanoseconds of the second, 0 to 999999999. */
    mtimeNsec: number;
    /** Bytes. */
    size?: number | undefined;
} | {
    /** 1 to 64 bytes. */
    digest: Uint8Array;
} | Uint8Array;
/** What an entry carries besides its value. */
interface EntryMeta {
    /** Compared with the validator of a `get`. Default: none; then a `get` with a validator does not find the entry. */
    validator?: Validator | undefined;
    /** When the entry expires, in milliseconds since the epoch (`Date.now() + ...`). Default: never. */
    expiresAt?: number | undefined;
}

/** The progress of long work. */
interface Progress {
    /** Steps done. */
    done: number;
    /** Steps expected; 0 while that is not known. */
    total: number;
}
/** Options of every asynchronous form. */
interface WorkOptions {
    /**
     * Called now and then (at most twenty times a second) during the work, and once when it is done. If it throws, the
     * work ends and rejects with what was thrown.
     */
    onProgress?: ((progress: Progress) => void) | undefined;
    /** Ends the work early: it rejects with `ERR_ABORTED`, and none of it is published. */
    signal?: AbortSignal | undefined;
}

/**
 * A persistent cache in one file, shared by any number of processes.
 *
 * The values that `get` returns are lent, not copied: views of mapped memory that stay valid after later puts,
 * compaction, `clear` and `close`. Treat them as read-only: what you write to one stays in this process, but a later
 * `get` of the same key may return it. With the option `copy` every value is a copy of your own.
 *
 * @example
 * const shard = Shard.open('/var/cache/app/artifacts.shard', { host: { name: 'app', version: '1.4.0' } });
 * let code = shard.get(key);
 * if (code === undefined) shard.put(key, (code = compile(key)));
 */
declare class Shard<V = Uint8Array> {
    #private;
    /**
     * Opens the shard at `path`; missing folders are made. A missing file is an empty shard, and so is one that is
     * damaged, foreign or of another format: `stats().rejected` says why, and the next change replaces it.
     *
     * @param path of the file; its sidecar is `<path>.lock`
     * @throws WarmshardError `ERR_INVALID_ARG`, `ERR_UNTRUSTED_FILE`, `ERR_IO`, `ERR_NO_SPACE`, `ERR_NATIVE_LOAD`
     */
    static open<V = Uint8Array>(path: string, options?: ShardOptions<V>): Shard<V>;
    /** The path of the file; absolute. */
    readonly path: string;
    /** Whether this handle was opened with `readOnly`. */
    readonly readOnly: boolean;
    private constructor();
    /**
     * Rises with every published change, of any process.
     *
     * @throws WarmshardError `ERR_CLOSED`
     */
    get generation(): number;
    /**
     * Live entries, of all producers.
     *
     * @throws WarmshardError `ERR_CLOSED`
     */
    get size(): number;
    /**
     * The value of a key; `undefined` if there is none, or if it has expired, is damaged, or was made by another host
     * build. As long as nothing changes, looking up the same key again may return the same object.
     *
     * @param validator what the entry must have been put with; any other entry is stale. Default: nothing is compared,
     * whatever the entry was put with
     * @throws WarmshardError `ERR_INVALID_KEY`, `ERR_INVALID_ARG`, `ERR_CODEC`, `ERR_CLOSED`
     */
    get(key: string, validator?: Validator): V | undefined;
    /**
     * The bytes of every part of an entry, by name: all or none. Without the option `parts` the only part has the empty
     * string as its name.
     *
     * @throws WarmshardError as `get`, without `ERR_CODEC`
     */
    getParts(key: string, validator?: Validator): Record<string, Uint8Array> | undefined;
    /**
     * The values of many keys, in their order; `undefined` for each that `get` would not find. Faster than as many calls
     * of `get`. Each is looked up by itself: what another process publishes meanwhile may show in some of them.
     *
     * @throws WarmshardError as `get`
     */
    getMany(keys: readonly string[]): (V | undefined)[];
    /**
     * Whether `get` would find a value. Not counted in `stats()`.
     *
     * @throws WarmshardError `ERR_INVALID_KEY`, `ERR_INVALID_ARG`, `ERR_CLOSED`
     */
    has(key: string, validator?: Validator): boolean;
    /**
     * What is known about this host's entry of a key, whatever its validator; `undefined` if there is none. As in `size`,
     * `keys` and `list`, an expired entry is still there until `evictStale` or a compaction drops it.
     *
     * @throws WarmshardError `ERR_INVALID_KEY`, `ERR_CLOSED`
     */
    info(key: string): EntryInfo | undefined;
    /**
     * Stores a value, in place of this host's previous one. Every process sees it at its next `get`. It survives a power
     * cut after the next `flush` or, with `durability: 'sync'`, once this returns.
     *
     * @example
     * const [mtimeSec, mtimeNsec] = fileMtime(path) ?? [0, 0];
     * shard.put(path, compile(path), { validator: { mtimeSec, mtimeNsec } });
     * shard.get(path, { mtimeSec, mtimeNsec }); // undefined once the file has another modification time
     * @throws WarmshardError `ERR_INVALID_KEY`, `ERR_INVALID_ARG`, `ERR_TOO_LARGE`, `ERR_CODEC`, `ERR_READ_ONLY`,
     * `ERR_LOCK_TIMEOUT`, `ERR_IO`, `ERR_NO_SPACE`, `ERR_CLOSED`
     */
    put(key: string, value: V, meta?: EntryMeta): void;
    /**
     * Deletes this host's entry of a key. Returns whether there was one.
     *
     * @throws WarmshardError `ERR_INVALID_KEY`, `ERR_READ_ONLY`, `ERR_LOCK_TIMEOUT`, `ERR_IO`, `ERR_NO_SPACE`, `ERR_CLOSED`
     */
    delete(key: string): boolean;
    /**
     * Stores many entries with one publish: other processes, and every process after a crash, see all of them or none. If
     * a key is given more than once, the last entry counts. Returns how many were given; no entries write nothing. If
     * the host's binary cannot be identified, nothing is stored: 0, counted in `stats().rejectedPuts`.
     *
     * @example
     * shard.mergeIn(new Map([['a', bytesOfA], ['b', bytesOfB]]));
     * shard.mergeIn([{ key: 'c', value: bytesOfC, expiresAt: Date.now() + 3_600_000 }]);
     * @throws WarmshardError as `put`; nothing is stored then
     */
    mergeIn(entries: Iterable<[string, V] | Entry<V>>): number;
    /**
     * Makes exactly these entries the contents of the shard, in place of the entries of all hosts, atomically and
     * durably. Returns how many were given. If the host's binary cannot be identified, everything is left as it was: 0.
     *
     * @throws WarmshardError as `put`; the shard is as before then
     */
    replaceAll(entries: Iterable<[string, V] | Entry<V>>): number;
    /**
     * Drops every entry, of all hosts.
     *
     * @throws WarmshardError `ERR_READ_ONLY`, `ERR_LOCK_TIMEOUT`, `ERR_IO`, `ERR_NO_SPACE`, `ERR_CLOSED`
     */
    clear(): void;
    /**
     * The keys of this host's entries at the time of this call, oldest first. Changes during the walk do not affect it.
     *
     * @throws WarmshardError `ERR_CLOSED`; `ERR_IO` if not everything could be read (`access: 'read'`)
     */
    keys(): IterableIterator<string>;
    /**
     * Keys and values of this host's usable entries, oldest first: the keys at the time of this call, each value when it
     * is reached.
     *
     * @throws WarmshardError as `get` and `keys`
     */
    entries(): IterableIterator<[string, V]>;
    /** The same as `entries()`. */
    [Symbol.iterator](): IterableIterator<[string, V]>;
    /**
     * Every entry, of all hosts, newest first.
     *
     * @throws WarmshardError as `keys`
     */
    list(): EntryInfo[];
    /**
     * Drops expired entries, other hosts' entries, and those whose key is the absolute path of a source that is
     * gone or no longer has the validator's modification time and size. Returns how many.
     *
     * @throws WarmshardError `ERR_READ_ONLY`, `ERR_LOCK_TIMEOUT`, `ERR_IO`, `ERR_NO_SPACE`, `ERR_CLOSED`
     */
    evictStale(): number;
    /**
     * Rewrites the live entries into a new file under `maxBytes`, durably. Compaction also starts by itself; see
     * `autoCompact`.
     *
     * @throws WarmshardError `ERR_READ_ONLY`, `ERR_LOCK_TIMEOUT`, `ERR_IO`, `ERR_NO_SPACE`, `ERR_CLOSED`
     */
    compact(): CompactReport;
    /**
     * Reads and verifies everything; repairs nothing.
     *
     * @throws WarmshardError `ERR_CLOSED`; `ERR_IO` if not everything could be read
     */
    verify(): VerifyReport;
    /**
     * Makes everything published so far, by any process, survive a power cut.
     *
     * @throws WarmshardError `ERR_LOCK_TIMEOUT`, `ERR_IO`, `ERR_NO_SPACE`, `ERR_CLOSED`
     */
    flush(): void;
    /**
     * What a power cut now might cost.
     *
     * @throws WarmshardError `ERR_CLOSED`
     */
    durability(): Durability;
    /**
     * Statistics of the file, and of what this handle did.
     *
     * @throws WarmshardError `ERR_CLOSED`
     */
    stats(): ShardStats;
    /** Closes this handle; closing it again does nothing. Values that it returned stay valid. */
    close(): void;
    /** `using shard = Shard.open(...)` closes it at the end of the block. */
    [Symbol.dispose](): void;
    /**
     * `mergeIn` off the event loop. Values are encoded and copied before it returns. All asynchronous forms reject with
     * what the synchronous form throws, and with `ERR_ABORTED`.
     */
    mergeInAsync(entries: Iterable<[string, V] | Entry<V>>, options?: WorkOptions): Promise<number>;
    /** `replaceAll` off the event loop. Values are encoded and copied before it returns. */
    replaceAllAsync(entries: Iterable<[string, V] | Entry<V>>, options?: WorkOptions): Promise<number>;
    /** `compact` off the event loop. */
    compactAsync(options?: WorkOptions): Promise<CompactReport>;
    /** `verify` off the event loop. */
    verifyAsync(options?: WorkOptions): Promise<VerifyReport>;
    /** `flush` off the event loop. */
    flushAsync(options?: WorkOptions): Promise<void>;
    /** `evictStale` off the event loop. */
    evictStaleAsync(options?: WorkOptions): Promise<number>;
}

/** What is known about an artifact. */
interface ArtifactMeta {
    /** A name for each output. */
    outputNames: string[];
    /** Size of each output, in bytes; as many as there are names. */
    outputSizes: number[];
    /** What the compiler wrote to stdout: text or bytes, as given. */
    stdout: string | Uint8Array;
    /** What it wrote to stderr: text or bytes, as given. */
    stderr: string | Uint8Array;
    /** Its exit code; a signed 32-bit integer. */
    exitCode: number;
    /** The size that counts in `totalSizeBytes` and `evictTo`, in bytes. */
    totalSize: number;
    /** When it was stored, in whole milliseconds since the epoch. */
    storedAt: number;
}
/**
 * What `insert` takes: an `ArtifactMeta` in which everything but the outputs may be left out. Defaults: empty `stdout`
 * and `stderr`, exit code 0, the sum of the output sizes, the current time.
 */
type ArtifactInput = Pick<ArtifactMeta, 'outputNames' | 'outputSizes'> & Partial<ArtifactMeta>;
/** How an artifact store is opened. The options of a shard apply to its index. */
interface ArtifactStoreOptions extends Pick<ShardOptions, 'host' | 'readOnly' | 'copy' | 'access' | 'lockTimeout' | 'trust'> {
    /**
     * A separate folder below the store's: 1 to 64 characters of `a-z`, `0-9` and `-`. Default: the store's folder
     * itself.
     */
    namespace?: string | undefined;
    /** A flush brings the sum of total sizes back under this many bytes. Default 5 GiB. */
    maxBytes?: number | undefined;
    /**
     * Touch no file until something is needed that is not in memory. Until then `insert` works, and what it stores is
     * never overwritten by what is on disk. `ready()` opens the index off the event loop. Default false.
     */
    deferLoad?: boolean | undefined;
}
/** Statistics of an artifact store. */
interface ArtifactStats {
    /** Artifacts. */
    entries: number;
    /** The sum of their total sizes. */
    bytes: number;
    /** Rows of the index that this handle has rebuilt from payloads. */
    recoveredRows: number;
    /** Payload files that it removed because no row could be rebuilt from them. */
    sweptFiles: number;
    /** Why the index read as empty when it was opened. */
    rejected?: string;
    /** Why the folder could not be searched for payloads without rows. */
    failed?: string;
}
/**
 * Compiler outputs by key: metadata in an index, payloads in files beside it, which are read only on request.
 *
 * Changes of the index stay in memory until `flush`; outputs are written at once. A crash in between loses rows at
 * most, and those whose payload carries its metadata are rebuilt. Any number of processes may share a folder; each sees
 * what the others have flushed.
 *
 * @example
 * const store = ArtifactStore.open('/var/cache/cc');
 * const known = store.get(key);
 * const object = known && store.output(key, 0);
 * if (object === undefined) {
 *   const { bytes, stderr } = compile(source);
 *   store.putOutputs(key, [bytes]);
 *   store.insert(key, { outputNames: ['main.o'], outputSizes: [bytes.length], stderr });
 *   store.flush();
 * }
 */
declare class ArtifactStore {
    #private;
    /**
     * Opens the store in a folder, which need not be there yet. A damaged or missing index is rebuilt from the payloads; a
     * process warning then names the file.
     *
     * @throws WarmshardError `ERR_INVALID_ARG`, `ERR_UNTRUSTED_FILE`, `ERR_IO`, `ERR_NO_SPACE`, `ERR_NATIVE_LOAD`
     */
    static open(dir: string, options?: ArtifactStoreOptions): ArtifactStore;
    /** The folder, including the namespace; absolute. */
    readonly path: string;
    /** Whether this handle was opened with `readOnly`. */
    readonly readOnly: boolean;
    private constructor();
    /**
     * Stores metadata, in memory until `flush`. The key keeps its outputs.
     *
     * @throws WarmshardError `ERR_INVALID_KEY`, `ERR_INVALID_ARG`, `ERR_TOO_LARGE`, `ERR_READ_ONLY`, `ERR_CLOSED`
     */
    insert(key: string, meta: ArtifactInput): void;
    /**
     * Stores the metadata of many keys; none of them if one is refused. Returns how many.
     *
     * @throws WarmshardError as `insert`
     */
    insertMany(rows: Iterable<readonly [string, ArtifactInput]>): number;
    /**
     * The metadata of a key; `undefined` if there is none. Counts as a use.
     *
     * @throws WarmshardError `ERR_INVALID_KEY`, `ERR_CLOSED`
     */
    get(key: string): ArtifactMeta | undefined;
    /**
     * Removes a key; the next `flush` removes its payload files. Returns whether it was there.
     *
     * @throws WarmshardError `ERR_INVALID_KEY`, `ERR_READ_ONLY`, `ERR_CLOSED`
     */
    remove(key: string): boolean;
    /**
     * Removes many keys. Returns how many of them were there.
     *
     * @throws WarmshardError as `remove`; nothing is removed if a key is invalid
     */
    removeBatch(keys: readonly string[]): number;
    /**
     * Every key with its metadata; flushed ones first, oldest first.
     *
     * @throws WarmshardError `ERR_CLOSED`
     */
    loadAll(): [string, ArtifactMeta][];
    /**
     * How many artifacts there are.
     *
     * @throws WarmshardError `ERR_CLOSED`
     */
    get size(): number;
    /** Whether there are none. */
    isEmpty(): boolean;
    /**
     * The sum of the artifacts' total sizes, in bytes.
     *
     * @throws WarmshardError `ERR_CLOSED`
     */
    totalSizeBytes(): number;
    /**
     * Removes everything; the next `flush` removes the files. Returns how many artifacts there were.
     *
     * @throws WarmshardError `ERR_READ_ONLY`, `ERR_CLOSED`
     */
    clear(): number;
    /**
     * Writes the outputs of a key to files `{key}_0`, `{key}_1` and so on or, with `pack`, to a single `{key}.pack`, in
     * place of its earlier outputs. A key that is not a plain file name is digested. The key keeps its metadata, which is
     * written to the files as well, so that the index can be rebuilt.
     *
     * @throws WarmshardError `ERR_INVALID_KEY`, `ERR_INVALID_ARG`, `ERR_TOO_LARGE` (an output beyond 1 GiB, more than 16384
     * of them), `ERR_READ_ONLY`, `ERR_IO`, `ERR_NO_SPACE`, `ERR_CLOSED`
     */
    putOutputs(key: string, outputs: readonly Uint8Array[], options?: {
        pack?: boolean;
    }): void;
    /**
     * The bytes of an output, verified; `undefined` if there are none, or if they are damaged or belong to another put.
     * From 256 KiB on they are mapped and lent: treat them as read-only. Counts as a use.
     *
     * @throws WarmshardError `ERR_INVALID_KEY`, `ERR_INVALID_ARG`, `ERR_CLOSED`
     */
    output(key: string, index: number): Uint8Array | undefined;
    /**
     * Evicts artifacts, the least recently used first, until the sum of their total sizes is at most `bytes`, and
     * flushes. Returns how many were evicted.
     *
     * @throws WarmshardError `ERR_INVALID_ARG`, `ERR_READ_ONLY`, `ERR_LOCK_TIMEOUT`, `ERR_IO`, `ERR_NO_SPACE`, `ERR_CLOSED`
     */
    evictTo(bytes: number): number;
    /**
     * Makes everything survive a power cut: syncs the payloads, then commits the changed rows as one batch, so that other
     * processes see all of them or none. What others have flushed in the meantime is kept.
     *
     * @throws WarmshardError `ERR_LOCK_TIMEOUT`, `ERR_IO`, `ERR_NO_SPACE`, `ERR_CLOSED`; what was not flushed stays
     * pending
     */
    flush(): void;
    /**
     * `flush` with the payloads synced off the event loop. Changes may be made meanwhile. Rejects with what `flush`
     * throws.
     */
    flushAsync(): Promise<void>;
    /** Resolves when the index of a store with `deferLoad` is open; payloads are examined off the event loop. */
    ready(): Promise<void>;
    /** What a power cut now might cost. */
    durability(): Durability;
    /** Statistics of the store. */
    stats(): ArtifactStats;
    /**
     * Flushes what can be flushed and closes this handle; closing it again does nothing. Outputs that it returned stay
     * valid.
     */
    close(): void;
    /** `using store = ArtifactStore.open(...)` closes it at the end of the block. */
    [Symbol.dispose](): void;
}

/** Collects functions until `commit` stores them all at once. */
declare class AutoloadShardWriter {
    #private;
    /** Functions collected since the last commit. */
    get size(): number;
    /**
     * Adds a function, in place of an earlier one of the same name. The blob is copied.
     *
     * @throws WarmshardError `ERR_INVALID_KEY`, `ERR_INVALID_ARG`, `ERR_TOO_LARGE`: at once, so that one wrong entry does
     * not spoil a commit
     */
    add(name: string, blob: Uint8Array): this;
    /**
     * Stores the collected functions with one publish and starts a new collection. Returns how many there were; none
     * write nothing. If it throws, the functions are kept and can be committed again.
     *
     * @throws WarmshardError as `AutoloadCache.mergeIn`
     */
    commit(): number;
}

/** How an autoload cache is opened. Options that are not described here are those of a `Shard`. */
interface AutoloadCacheOptions extends Pick<ShardOptions, 'readOnly' | 'durability' | 'digest' | 'verify' | 'copy' | 'access' | 'maxBytes' | 'maxEntryBytes' | 'lockTimeout' | 'trust' | 'autoCompact'> {
    /** The program that compiles. What another build of it has compiled is not found. */
    host: Host;
}
/** Statistics of an autoload cache. The counters from `hits` on are this handle's own. */
interface AutoloadCacheStats {
    /** Live entries, of all hosts. */
    entries: number;
    /** Bytes of all blobs. */
    bytes: number;
    /** Look-ups that found a function. */
    hits: number;
    /** Look-ups that found none. */
    misses: number;
    /** Look-ups that found only a function compiled by another host build. */
    stale: number;
    /** Look-ups whose entry was damaged. */
    corrupt: number;
    /** Entries stored. */
    puts: number;
    /** Entries not stored because the host's binary could not be identified. */
    rejectedPuts: number;
    /** Bytes of the file. */
    fileBytes: number;
    /** Rises with every published change, of any process. */
    generation: number;
    /** Why the file at the path reads as an empty cache; the next change replaces it. */
    rejected?: string;
}
/**
 * Compiled functions by name, in one file that every process shares. No source is examined: an entry is valid for the
 * host build that made it.
 *
 * What `get` returns is lent, not copied: see `Shard`.
 *
 * @example
 * const cache = AutoloadCache.open('/var/cache/app/functions.shard', { host: { name: 'app', version: '1.4.0' } });
 * const writer = cache.writer();
 * for (const name of cache.missing(names)) writer.add(name, compile(name));
 * writer.commit();
 */
declare class AutoloadCache {
    #private;
    /**
     * Opens the cache at `path`; missing folders are made. A missing file is an empty cache, and so is one that is
     * damaged, of another format, or not an autoload cache.
     *
     * @throws WarmshardError `ERR_INVALID_ARG`, `ERR_UNTRUSTED_FILE`, `ERR_IO`, `ERR_NO_SPACE`, `ERR_NATIVE_LOAD`
     */
    static open(path: string, options: AutoloadCacheOptions): AutoloadCache;
    /** The path of the file; absolute. */
    readonly path: string;
    /** Whether this handle was opened with `readOnly`. */
    readonly readOnly: boolean;
    private constructor();
    /**
     * A function's blob; `undefined` if this host build has stored none.
     *
     * @throws WarmshardError `ERR_INVALID_KEY`, `ERR_CLOSED`
     */
    get(name: string): Uint8Array | undefined;
    /**
     * Stores one function.
     *
     * @throws WarmshardError `ERR_INVALID_KEY`, `ERR_INVALID_ARG`, `ERR_TOO_LARGE`, `ERR_READ_ONLY`,
     * `ERR_LOCK_TIMEOUT`, `ERR_IO`, `ERR_NO_SPACE`, `ERR_CLOSED`
     */
    putOne(name: string, blob: Uint8Array): void;
    /**
     * Stores many functions with one publish, all or none, and keeps the others. If a name is given more than once, the
     * last one counts. Returns how many were given; no functions write nothing. If the host's binary cannot be
     * identified, nothing is stored: 0, counted in `stats().rejectedPuts`.
     *
     * @throws WarmshardError as `putOne`; nothing is stored then
     */
    mergeIn(entries: Iterable<[string, Uint8Array]>): number;
    /** `mergeIn` off the event loop. Blobs are copied before it returns. Rejects with what `mergeIn` throws, and with `ERR_ABORTED`. */
    mergeInAsync(entries: Iterable<[string, Uint8Array]>, options?: WorkOptions): Promise<number>;
    /**
     * Makes exactly these functions the contents of the cache, in place of those of all hosts, atomically and durably.
     * Returns how many were given. If the host's binary cannot be identified, everything is left as it was: 0.
     *
     * @throws WarmshardError as `putOne`; the cache is as before then
     */
    replaceAll(entries: Iterable<[string, Uint8Array]>): number;
    /** `replaceAll` off the event loop. Blobs are copied before it returns. */
    replaceAllAsync(entries: Iterable<[string, Uint8Array]>, options?: WorkOptions): Promise<number>;
    /** A writer that collects functions and stores them with one publish. */
    writer(): AutoloadShardWriter;
    /**
     * The names of this host build's functions.
     *
     * @throws WarmshardError `ERR_CLOSED`
     */
    cachedNames(): Set<string>;
    /**
     * The names that the cache lacks, once each, in order of first appearance. Blobs are not read: a damaged one is found
     * only by `get`.
     *
     * @throws WarmshardError `ERR_INVALID_KEY`, `ERR_INVALID_ARG`, `ERR_CLOSED`
     */
    missing(names: Iterable<string>): string[];
    /**
     * How many functions of this host build there are. After a change they are counted by a walk.
     *
     * @throws WarmshardError `ERR_CLOSED`
     */
    get entryCount(): number;
    /**
     * Statistics of the cache, and of what this handle did.
     *
     * @throws WarmshardError `ERR_CLOSED`
     */
    stats(): AutoloadCacheStats;
    /**
     * Drops everything and removes the file; if it is gone already, does nothing. Other processes see this at their next
     * look-up.
     *
     * @throws WarmshardError `ERR_READ_ONLY`, `ERR_LOCK_TIMEOUT`, `ERR_IO`, `ERR_NO_SPACE`, `ERR_CLOSED`
     */
    clear(): void;
    /**
     * Makes everything stored so far, by any process, survive a power cut.
     *
     * @throws WarmshardError `ERR_LOCK_TIMEOUT`, `ERR_IO`, `ERR_NO_SPACE`, `ERR_CLOSED`
     */
    flush(): void;
    /** `flush` off the event loop. */
    flushAsync(options?: WorkOptions): Promise<void>;
    /** Closes this handle; closing it again does nothing. What it returned stays valid. */
    close(): void;
    /** `using cache = AutoloadCache.open(...)` closes it at the end of the block. */
    [Symbol.dispose](): void;
}

/**
 * The default path of a cache: in `$WARMSHARD_HOME`, else in `$XDG_CACHE_HOME/warmshard`, else in `~/.cache/warmshard`
 * (`~/Library/Caches/warmshard` on macOS).
 *
 * @param name a file name without a folder. Default `scripts.shard`
 * @returns an absolute path; nothing is created
 * @throws WarmshardError `ERR_INVALID_ARG` if `WARMSHARD_HOME` is relative, or if none of the variables is set
 */
declare function defaultCachePath(name?: string): string;

/**
 * A file's modification time, as `ScriptCache.get` and `put` take it; symbolic links are followed.
 *
 * @returns whole seconds since the epoch, and nanoseconds of the second; `undefined` if there is no such file, or if it
 * cannot be examined
 * @throws WarmshardError `ERR_INVALID_ARG` if `path` is not a string
 */
declare function fileMtime(path: string): [sec: number, nsec: number] | undefined;

/** How a `DiskPipelineCache` is opened. */
interface DiskPipelineOptions {
    /**
     * `flush`, and `put` now and then, remove the files modified longest ago until all files together have at most this
     * many bytes. Default 1 GiB.
     */
    maxBytes?: number | undefined;
    /** Never lend mapped memory: every artifact is a copy. Default false; always so if the runtime forbids lending. */
    copy?: boolean | undefined;
    /**
     * `'mmap'` (default): lend artifacts of 256 KiB and more from a memory mapping, if the file system allows it.
     * `'read'`: read them.
     */
    access?: 'mmap' | 'read' | undefined;
    /**
     * Which files are used. `'private'` (default): those of this user that nobody else can write to. `'group'`: also
     * those that a group can write to. `'system'`: also those of root that nobody else can write to. All others are
     * misses.
     */
    trust?: 'private' | 'group' | 'system' | undefined;
    /** Never change anything; read permission is enough. Default false. */
    readOnly?: boolean | undefined;
}
/**
 * Artifacts on disk, one file for each fingerprint: `<root>/<64 hex digits>.bin`.
 *
 * A file is verified each time it is read: one that is torn, damaged, too large or another fingerprint's is a miss, and
 * so is anything but a regular file that `trust` allows. Any number of processes may share a folder.
 */
declare class DiskPipelineCache implements PipelineStore {
    #private;
    /** The same as the constructor. */
    static open(root: string, options?: DiskPipelineOptions): DiskPipelineCache;
    /**
     * The cache in the user's cache folder: `$XDG_CACHE_HOME/<app>`, else `~/.cache/<app>`, on macOS
     * `~/Library/Caches/<app>`.
     *
     * @throws WarmshardError as the constructor; `ERR_INVALID_ARG` also if neither XDG_CACHE_HOME nor HOME names a folder
     */
    static inUserCache(app: string, options?: DiskPipelineOptions): DiskPipelineCache;
    /** The folder of the files; absolute. */
    readonly root: string;
    /** Whether this cache was opened with `readOnly`. */
    readonly readOnly: boolean;
    /**
     * The cache in a folder, which the first `put` makes.
     *
     * @throws WarmshardError `ERR_INVALID_ARG`, `ERR_NATIVE_LOAD`
     */
    constructor(root: string, options?: DiskPipelineOptions);
    /**
     * The artifact of a fingerprint, or `undefined`, also if the system refuses to read it. Large ones are lent, not
     * copied: they stay valid whatever happens to the file.
     *
     * @throws WarmshardError `ERR_INVALID_ARG`, `ERR_CLOSED`
     */
    get(fingerprint: Uint8Array): Uint8Array | undefined;
    /**
     * Whether `get` would find an artifact; this reads and verifies the file. Not counted in `metrics()`.
     *
     * @throws WarmshardError `ERR_INVALID_ARG`, `ERR_CLOSED`
     */
    has(fingerprint: Uint8Array): boolean;
    /**
     * Stores an artifact of at most 64 MiB; every process sees it at its next `get`. One that is larger, or that the
     * system refuses, is not stored but counted in `metrics().rejectedPuts`; what was there stays.
     *
     * @throws WarmshardError `ERR_INVALID_ARG`, `ERR_READ_ONLY`, `ERR_CLOSED`
     */
    put(fingerprint: Uint8Array, artifact: Uint8Array): void;
    /**
     * Removes what is at a fingerprint's path. Returns whether there was something.
     *
     * @throws WarmshardError `ERR_INVALID_ARG`, `ERR_READ_ONLY`, `ERR_IO`, `ERR_CLOSED`
     */
    remove(fingerprint: Uint8Array): boolean;
    /**
     * Makes everything that this object has put survive a power cut: syncs the pending files, sixteen at a time, then the
     * folder. What failed stays pending, and the next `flush` tries again.
     *
     * @throws WarmshardError `ERR_IO`, `ERR_NO_SPACE`, `ERR_CLOSED`
     */
    flush(): void;
    /** `flush` off the event loop. */
    flushAsync(): Promise<void>;
    /**
     * What a power cut now might cost, of what this object has put.
     *
     * @throws WarmshardError `ERR_CLOSED`
     */
    durabilityReport(): Durability;
    /**
     * Statistics of what this object did, and of the folder, which is walked for them. Temporary files of dead writers
     * are removed on the way.
     *
     * @throws WarmshardError `ERR_CLOSED`
     */
    metrics(): PipelineMetrics;
    /**
     * Removes every artifact; other files in the folder stay. Returns how many there were.
     *
     * @throws WarmshardError `ERR_READ_ONLY`, `ERR_IO`, `ERR_CLOSED`
     */
    clear(): number;
    /** Closes this object, without flushing; closing it again does nothing. Artifacts that it returned stay valid. */
    close(): void;
    /** `using cache = DiskPipelineCache.open(...)` closes it at the end of the block. */
    [Symbol.dispose](): void;
}

/** A digest of what an artifact was made from, 32 bytes: its name in every store. As text it is 64 hex digits. */
declare class Fingerprint extends Uint8Array {
    /** Slices of a fingerprint are plain `Uint8Array`s. */
    static get [Symbol.species](): Uint8ArrayConstructor;
    /** 64 hex digits. */
    toString(): string;
    /** 64 hex digits. */
    toJSON(): string;
}
/**
 * The fingerprint of everything that an artifact depends on: source, options, version of the compiler. It is BLAKE3-256
 * over each part's length (a little-endian 64-bit number) and its bytes; strings are UTF-8. The same text in other
 * parts has another fingerprint.
 *
 * @example
 * const key = fingerprint('my-compiler 3.1.0', source, JSON.stringify(options));
 * let artifact = cache.get(key);
 * if (artifact === undefined) cache.put(key, (artifact = compile(source, options)));
 * @throws WarmshardError `ERR_INVALID_ARG` without parts, and for a part that is neither bytes nor well-formed text
 */
declare function fingerprint(...parts: (string | Uint8Array)[]): Fingerprint;
/**
 * An artifact as it is stored on disk and sent by a server: the payload, then its 32-byte footer.
 *
 * @throws WarmshardError `ERR_INVALID_ARG`, `ERR_TOO_LARGE`
 */
declare function encodeArtifact(fingerprint: Uint8Array, payload: Uint8Array): Uint8Array;
/**
 * The payload of what `encodeArtifact` made, as a view; `undefined` if it is damaged or another fingerprint's.
 *
 * @throws WarmshardError `ERR_INVALID_ARG`
 */
declare function decodeArtifact(fingerprint: Uint8Array, sealed: Uint8Array): Uint8Array | undefined;

/** How a `LayeredPipelineCache` writes. */
interface LayeredPipelineOptions {
    /** Which layers `put` writes: the first (default), or all of them. */
    write?: 'first' | 'all' | undefined;
}
/**
 * Several stores in layers, the fastest first. A look-up asks them in that order; what a slower one has is put into the
 * faster ones.
 *
 * The layers remain yours to close.
 */
declare class LayeredPipelineCache implements PipelineStore {
    #private;
    /**
     * The layers as an array, or one by one.
     *
     * @throws WarmshardError `ERR_INVALID_ARG`
     */
    constructor(layers: readonly PipelineStore[], options?: LayeredPipelineOptions);
    constructor(...layers: PipelineStore[]);
    /**
     * The artifact of a fingerprint, from the first layer that has it, or `undefined`.
     *
     * @throws WarmshardError `ERR_INVALID_ARG`, and what a layer throws
     */
    get(fingerprint: Uint8Array): Uint8Array | undefined;
    /**
     * Stores an artifact in the first layer, or in all of them; see the option `write`.
     *
     * @throws WarmshardError `ERR_INVALID_ARG`, and what a layer throws
     */
    put(fingerprint: Uint8Array, artifact: Uint8Array): void;
    /** Flushes every layer, then throws the first error, if any. */
    flush(): void;
    /**
     * Look-ups, hits and misses are those of this store: each `get` counts once, however many layers it asked. Everything
     * else is the sum over the layers: an artifact in two of them counts as two entries, and filling a layer counts as a
     * put.
     */
    metrics(): PipelineMetrics;
}

/** The budgets of a `MemoryPipelineCache`. If either is zero, it holds nothing. */
interface MemoryPipelineOptions {
    /** Most artifacts. Default 1024, at most 4,194,304. */
    maxEntries?: number | undefined;
    /** Most bytes of all artifacts together. Default 64 MiB. */
    maxBytes?: number | undefined;
}
/**
 * Artifacts in the memory of this process. The least recently used is evicted first.
 *
 * What `get` returns is the store's own copy: the next `get` returns what you write to it.
 */
declare class MemoryPipelineCache implements PipelineStore {
    #private;
    /** @throws WarmshardError `ERR_INVALID_ARG` */
    constructor(options?: MemoryPipelineOptions);
    /**
     * The artifact of a fingerprint, or `undefined`.
     *
     * @throws WarmshardError `ERR_INVALID_ARG`
     */
    get(fingerprint: Uint8Array): Uint8Array | undefined;
    /**
     * Whether `get` would find an artifact. Not counted, and not a use.
     *
     * @throws WarmshardError `ERR_INVALID_ARG`
     */
    has(fingerprint: Uint8Array): boolean;
    /**
     * Stores a copy of an artifact. One that is larger than the whole budget is not stored but counted in
     * `metrics().rejectedPuts`; the older artifact of its fingerprint is removed nevertheless.
     *
     * @throws WarmshardError `ERR_INVALID_ARG`
     */
    put(fingerprint: Uint8Array, artifact: Uint8Array): void;
    /**
     * Removes an artifact. Returns whether there was one.
     *
     * @throws WarmshardError `ERR_INVALID_ARG`
     */
    remove(fingerprint: Uint8Array): boolean;
    /** Removes every artifact. Returns how many there were. */
    clear(): number;
    /** Does nothing but count: memory cannot be flushed. */
    flush(): void;
    /** Statistics of this store. */
    metrics(): PipelineMetrics;
}

/** How a `RemotePipelineCache` sends requests. */
interface RemotePipelineOptions {
    /** Asked first; what the server returns is put into it. */
    local?: PipelineStore | undefined;
    /** Time limit for a whole request, including its body, in milliseconds. Default 10000. */
    timeout?: number | undefined;
    /** Most bytes of an artifact. Default and maximum: 64 MiB. */
    maxBytes?: number | undefined;
    /** Sent with each request, such as `authorization`. */
    headers?: Readonly<Record<string, string>> | undefined;
    /** Most requests at a time, 1 to 1024; others wait. Default 16. */
    maxConcurrent?: number | undefined;
    /** Used instead of Node.js' own `fetch`. */
    fetch?: typeof globalThis.fetch | undefined;
}
/**
 * How the requests of a `RemotePipelineCache` ended. `requests` is the sum of all others except `dropped` and
 * `waiting`.
 */
interface RemoteMetrics {
    /** Requests that were sent and have ended. */
    requests: number;
    /** Answered with a sound artifact. */
    found: number;
    /** Answered with 404 or 410. */
    notFound: number;
    /** Answered with a redirect, which is never followed. */
    redirected: number;
    /** Not answered, interrupted, or answered with any other status. */
    failed: number;
    /** Answered with more than `maxBytes`. */
    oversized: number;
    /** Answered with bytes whose footer is wrong: damaged, truncated, or another fingerprint's. */
    rejected: number;
    /** Not finished in time. */
    timedOut: number;
    /** Ended by `close`. */
    aborted: number;
    /** Never sent: too many were waiting. */
    dropped: number;
    /** In progress or waiting now. */
    waiting: number;
}
/**
 * Statistics of a `RemotePipelineCache`: look-ups, hits and misses are its own; everything else but `remote` is that of
 * its local store.
 */
interface RemotePipelineMetrics extends PipelineMetrics {
    /** How its requests ended. */
    remote: RemoteMetrics;
}
/**
 * Artifacts on a server: `GET <base>/<64 hex digits>.bin` must return payload and footer, as `encodeArtifact` makes
 * them and as they are in the files of a `DiskPipelineCache`.
 *
 * A response is verified before it is used. Whatever goes wrong is a miss, and counted. The footer detects damage, not
 * forgery: use https, and a server that you would allow to run code.
 */
declare class RemotePipelineCache {
    #private;
    /**
     * The cache below an `http:` or `https:` URL. A query in the URL is sent with each request.
     *
     * @throws WarmshardError `ERR_INVALID_ARG`
     */
    constructor(baseUrl: string | URL, options?: RemotePipelineOptions);
    /**
     * The artifact of a fingerprint: from the local store, else from the server, else `undefined`. Concurrent calls for
     * the same fingerprint share one request and its bytes.
     *
     * @throws WarmshardError `ERR_INVALID_ARG`, `ERR_CLOSED`, and what the local store throws
     */
    get(fingerprint: Uint8Array): Promise<Uint8Array | undefined>;
    /**
     * Flushes the local store.
     *
     * @throws WarmshardError `ERR_CLOSED`, and what the local store throws
     */
    flush(): void;
    /** Statistics of this cache and its local store. */
    metrics(): RemotePipelineMetrics;
    /** Closes this cache; requests in progress end as misses. Closing it again does nothing. The local store stays open. */
    close(): void;
    /** `using cache = new RemotePipelineCache(...)` closes it at the end of the block. */
    [Symbol.dispose](): void;
}

/** How a script cache is opened. Options that are not described here are those of a `Shard`. */
interface ScriptCacheOptions<P extends string = 'code'> extends Pick<ShardOptions, 'readOnly' | 'durability' | 'digest' | 'verify' | 'copy' | 'access' | 'maxBytes' | 'maxEntryBytes' | 'trust' | 'autoCompact'> {
    /** The program that compiles. What another build of it has compiled is stale. */
    host: Host;
    /** Names of the parts that belong to each source. Default `['code']`. */
    parts?: readonly P[] | undefined;
    /**
     * How a change of a source is detected. `'mtime'` (default): by its modification time and size. `'content'`: by a
     * digest of its content, for checkouts and container layers whose modification times mean nothing; each process then
     * reads each source once.
     */
    validate?: 'mtime' | 'content' | undefined;
    /** How long a save waits for other processes, in milliseconds, before it is skipped. Default 1000. */
    lockTimeout?: number | undefined;
    /**
     * Store paths below this absolute folder relative to it, so that the cache can be used at another path. Symbolic
     * links in it are resolved when the cache is opened.
     */
    root?: string | undefined;
}
/** What is saved besides the parts. */
interface SaveMeta {
    /** When the entry expires, in milliseconds since the epoch. Default: never. */
    expiresAt?: number | undefined;
}
/** Statistics of a script cache. The counters from `hits` on are this handle's own. */
interface ScriptCacheStats {
    /** Sources with a live entry, of all hosts. */
    entries: number;
    /** Bytes of their parts. */
    bytes: number;
    /** Look-ups that found an artifact. */
    hits: number;
    /** Look-ups that found nothing, including those of sources that do not exist. */
    misses: number;
    /** Look-ups of sources that had changed, or that another host build had compiled. */
    stale: number;
    /** Look-ups whose entry was damaged. */
    corrupt: number;
    /** Saves and puts that stored something. */
    saves: number;
    /** Saves and puts that were skipped, for any reason. */
    skippedSaves: number;
    /** Of those: the source had changed since `load` missed it. */
    changedSources: number;
    /** Of those: another process held the lock for longer than `lockTimeout`. */
    lockTimeouts: number;
    /** Why the last one of them was skipped. */
    lastSkip?: string;
    /** Entries dropped by compaction and `evictStale`. */
    evictions: number;
    /** Bytes of the file. */
    fileBytes: number;
    /** Rises with every published change, of any process. */
    generation: number;
    /** Why the file at the path reads as an empty cache; the next save replaces it. */
    rejected?: string;
}
/** A source in the cache. */
interface ScriptInfo<P extends string = 'code'> {
    /** Its canonical path. */
    path: string;
    /** Bytes of each part; by position (`'0'`, `'1'`, ...) if the host that compiled it had more or fewer parts. */
    bytes: Record<P, number>;
    /** The version of the host that compiled it. */
    version: string;
    /** When it was saved. */
    cachedAt: Date;
}
/**
 * What a program has compiled from source files, by canonical path, in one file that every process shares.
 *
 * The cache never stops its host: whatever is missing, changed, damaged or made by another build reads as absent, and
 * what the system refuses to store is skipped and counted. After opening, `load`, `save`, `get` and `put` throw only
 * for wrong arguments and for a closed cache.
 *
 * What `load` returns is lent, not copied: see `Shard`.
 *
 * @example
 * const cache = ScriptCache.open('/var/cache/app/templates.shard', { host: { name: 'app', version: '1.4.0' } });
 * let parts = cache.load('views/home.tpl');
 * if (parts === undefined) cache.save('views/home.tpl', (parts = { code: compile('views/home.tpl') }));
 */
declare class ScriptCache<P extends string = 'code'> {
    #private;
    /**
     * Opens the cache at `path`; missing folders are made. A missing file is an empty cache, and so is one that is
     * damaged, of another format, or not a script cache.
     *
     * @throws WarmshardError `ERR_INVALID_ARG`, `ERR_UNTRUSTED_FILE`, `ERR_IO`, `ERR_NO_SPACE`, `ERR_NATIVE_LOAD`
     */
    static open<P extends string = 'code'>(path: string, options: ScriptCacheOptions<P>): ScriptCache<P>;
    /** The path of the file; absolute. */
    readonly path: string;
    /** Whether this handle was opened with `readOnly`. */
    readonly readOnly: boolean;
    private constructor();
    /**
     * What was compiled from a source in its present state: all parts or none. A hit on an absolute path that this handle
     * has looked up before takes one system call.
     *
     * @param source path of the source file; symbolic links are followed. A file that does not exist, is not a regular
     * file, or cannot be examined is a miss
     * @throws WarmshardError `ERR_INVALID_ARG` if `source` is not a string, `ERR_CLOSED`
     */
    load(source: string): Record<P, Uint8Array> | undefined;
    /**
     * Stores what was compiled from a source. Pass the name that `load` was called with: if the source has changed since
     * `load` missed it, the artifact may have been compiled from either version, and it is not stored.
     *
     * @returns whether it was stored. If not, it is counted in `stats()`: the source has changed or is gone, the lock was
     * not free in time, the disk is full, the cache is read-only, the entry is larger than `maxEntryBytes`, or the host's
     * binary cannot be identified
     * @throws WarmshardError `ERR_INVALID_ARG`, `ERR_CLOSED`
     */
    save(source: string, parts: Record<P, Uint8Array>, meta?: SaveMeta): boolean;
    /**
     * What was stored under a path and a modification time: all parts or none. The file system is not asked. Entries that
     * were saved by content (`validate`) are not found by a time.
     *
     * @param path used as it is: pass a canonical one
     * @param mtimeSec whole seconds since the epoch; see `fileMtime`
     * @param mtimeNsec nanoseconds of the second
     * @throws WarmshardError `ERR_INVALID_ARG`, `ERR_INVALID_KEY`, `ERR_CLOSED`
     */
    get(path: string, mtimeSec: number, mtimeNsec: number): Record<P, Uint8Array> | undefined;
    /**
     * Stores under a path and a modification time. What the system refuses is skipped and counted, as by `save`.
     *
     * @throws WarmshardError `ERR_INVALID_ARG`, `ERR_INVALID_KEY`, `ERR_CLOSED`
     */
    put(path: string, mtimeSec: number, mtimeNsec: number, parts: Record<P, Uint8Array>, meta?: SaveMeta): void;
    /**
     * Statistics of the cache, and of what this handle did. Summing up the bytes takes a walk over the entries.
     *
     * @throws WarmshardError `ERR_CLOSED`
     */
    stats(): ScriptCacheStats;
    /**
     * Every source in the cache, of all hosts, newest first.
     *
     * @throws WarmshardError `ERR_CLOSED`
     */
    list(): ScriptInfo<P>[];
    /**
     * Drops what was compiled from sources that are gone or have changed, and what other hosts have compiled. Returns how
     * many entries were dropped.
     *
     * @throws WarmshardError `ERR_READ_ONLY`, `ERR_LOCK_TIMEOUT`, `ERR_IO`, `ERR_NO_SPACE`, `ERR_CLOSED`
     */
    evictStale(): number;
    /** `evictStale` off the event loop. Rejects with what it throws, and with `ERR_ABORTED`. */
    evictStaleAsync(options?: WorkOptions): Promise<number>;
    /**
     * Drops everything and removes the file; if it is gone already, does nothing. Other processes see this at their next
     * look-up.
     *
     * @throws WarmshardError as `evictStale`
     */
    clear(): void;
    /**
     * Makes everything saved so far, by any process, survive a power cut.
     *
     * @throws WarmshardError `ERR_LOCK_TIMEOUT`, `ERR_IO`, `ERR_NO_SPACE`, `ERR_CLOSED`
     */
    flush(): void;
    /** `flush` off the event loop. */
    flushAsync(options?: WorkOptions): Promise<void>;
    /** Whether this handle has been closed. */
    get closed(): boolean;
    /** Closes this handle; closing it again does nothing. What it returned stays valid. */
    close(): void;
    /** `using cache = ScriptCache.open(...)` closes it at the end of the block. */
    [Symbol.dispose](): void;
}

/**
 * The script cache of the process, shared by all programs that have no cache of their own: at `defaultCachePath()`,
 * with Node.js as its host, opened at the first call. There is one for each thread; after a `close` the next call opens
 * it again.
 *
 * @returns `undefined` if the environment variable `WARMSHARD` is `0`, `false` or `no`, or if the cache cannot be
 * opened, which is not tried again
 */
declare function scriptCache(): ScriptCache | undefined;

/**
 * The folder for an application's caches: below `$XDG_CACHE_HOME`, else `~/.cache` (`~/Library/Caches` on macOS). It is
 * not created.
 *
 * @param app the name of the folder, without a path
 * @throws WarmshardError `ERR_INVALID_ARG`
 */
declare function userCacheFolder(app: string): string;

export { ArtifactStore, AutoloadCache, AutoloadShardWriter, DiskPipelineCache, Fingerprint, LayeredPipelineCache, MemoryPipelineCache, RemotePipelineCache, ScriptCache, Shard, WarmshardError, constantsCodec, decodeArtifact, defaultCachePath, encodeArtifact, fileMtime, fingerprint, scriptCache, userCacheFolder };
export type { ArtifactInput, ArtifactMeta, ArtifactStats, ArtifactStoreOptions, AutoloadCacheOptions, AutoloadCacheStats, Codec, CodecName, CompactReport, Constant, DiskPipelineOptions, Durability, Entry, EntryInfo, EntryMeta, ErrorCode, Fault, Host, LayeredPipelineOptions, MemoryPipelineOptions, PipelineMetrics, PipelineStore, Progress, RemoteMetrics, RemotePipelineMetrics, RemotePipelineOptions, SaveMeta, ScriptCacheOptions, ScriptCacheStats, ScriptInfo, ShardOptions, ShardStats, Validator, VerifyReport, WorkOptions };
