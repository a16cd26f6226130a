// Emitted from index.ts by `npm run build:types`. Do not edit.

/** Turns values into bytes and back. Either side may throw; the error then carries `ERR_CODEC`. */
interface Codec<V> {
    encode(value: V): Uint8Array;
    /** `bytes` may be a view of mapped memory: copy what must outlive it unchanged. */
    decode(bytes: Uint8Array): V;
}
/** The codecs that come with warmshard, by name. */
type CodecName = 'bytes' | 'utf8' | 'json' | 'structured';

/** Everything that can go wrong, by a code that never changes. Messages may improve. */
type ErrorCode = 
/** The key is not a string, empty, too long, or holds a lone surrogate. */
'ERR_INVALID_KEY'
/** An argument or option has the wrong type or a value out of range. */
 | 'ERR_INVALID_ARG'
/** An entry or the file would exceed its limit. */
 | 'ERR_TOO_LARGE'
/** Another process held the lock for longer than `lockTimeout`. */
 | 'ERR_LOCK_TIMEOUT'
/** The shard was opened with `readOnly`. */
 | 'ERR_READ_ONLY'
/** The shard was closed. */
 | 'ERR_CLOSED'
/** The file is a link, not a regular file, or others may write to it. */
 | 'ERR_UNTRUSTED_FILE'
/** The system refused: see `errno`, `syscall` and `path`. */
 | 'ERR_IO'
/** No space or quota is left. */
 | 'ERR_NO_SPACE'
/** A codec could not encode or decode a value: see `cause`. */
 | 'ERR_CODEC'
/** The work was aborted through its signal; nothing of it was published. */
 | 'ERR_ABORTED'
/** The native binary could not be loaded; the message says what was tried. */
 | 'ERR_NATIVE_LOAD';
/** The only error that warmshard throws or rejects with. */
declare class WarmshardError extends Error {
    /** What kind of failure it is. */
    readonly code: ErrorCode;
    /** The system's negative error number, where it refused something. */
    readonly errno?: number;
    /** The system call that failed. */
    readonly syscall?: string;
    /** The file that the error is about. */
    readonly path?: string;
}

/**
 * What must be equal for an entry to be a hit: a source's modification time (and size, where both sides know
 * it), a digest of its content, or at most 64 bytes that mean something to the caller only.
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
/** What an entry carries beside its value. */
interface EntryMeta {
    /** What a later `get` must present. Default: nothing. */
    validator?: Validator | undefined;
    /** When the entry stops being one, in milliseconds since the epoch. Default: never. */
    expiresAt?: number | undefined;
}

/** Numbers on a store of artifacts. Counters are this object's own. */
interface PipelineMetrics {
    /** Calls of `get`. */
    lookups: number;
    /** Those that found an artifact. */
    hits: number;
    /** Those that found none, or one that is damaged. */
    misses: number;
    /** Artifacts stored. */
    puts: number;
    /** Artifacts not stored: too large, or the system refused. */
    rejectedPuts: number;
    /** Artifacts dropped to stay within the budget. */
    evictions: number;
    /** Their bytes. */
    evictedBytes: number;
    /** Calls of `flush` and `flushAsync`. */
    flushes: number;
    /** Those that failed. */
    flushErrors: number;
    /** Bytes held now: on disk those of the files, with their footers. */
    cachedBytes: number;
    /** Artifacts held now. */
    entries: number;
    /** Hits in a million look-ups, a whole number; 0 before the first look-up. */
    hitRatePpm: number;
}
/** What every store of artifacts can do. Your own may be a layer too. */
interface PipelineStore {
    /** The artifact of a fingerprint, or `undefined`. Treat it as read-only. */
    get(fingerprint: Uint8Array): Uint8Array | undefined;
    /** Stores an artifact, as far as it can; what it could not store is counted. */
    put(fingerprint: Uint8Array, artifact: Uint8Array): void;
    /** Makes what was put survive a power cut, where the store can. */
    flush(): void;
    /** Numbers on it. */
    metrics(): PipelineMetrics;
}

/** The host program: what makes and uses the entries. An entry of another host build is stale. */
interface Host {
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
interface ShardOptions<V = Uint8Array> {
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
    digest?: 'xxh3' | 'blake3' | {
        key: Uint8Array;
    } | undefined;
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
    /** How long a change waits for other processes, in milliseconds. Default 5000. */
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

/** What is known of an entry beside its value. */
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
    /** Whether this handle's own producer made it; others' entries are stale to it. */
    current: boolean;
    /** When it was stored. */
    cachedAt: Date;
    /** When it was last used, about; never before it was stored. */
    lastUsedAt: Date;
    /** When it stops being an entry, in milliseconds since the epoch. */
    expiresAt?: number;
    /** What a `get` with a validator must present. */
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
    /** False where there was no file, or another process replaced it meanwhile. */
    replaced: boolean;
}
/** One thing that is wrong with a file. */
interface Fault {
    /** Where in the file, in bytes. */
    offset: number;
    /** The record's key, where it can be told. */
    key?: string;
    /** What is wrong. */
    reason: string;
}
/** What a walk over everything found. */
interface VerifyReport {
    /** Whether nothing is wrong. */
    ok: boolean;
    /** Frames in the file. */
    frames: number;
    /** Records among them, live or not. */
    records: number;
    /** Live entries whose digest agrees. */
    entries: number;
    /** Records and index snapshots whose digest fails. */
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
    /** Changes published since the machine started and not flushed. */
    pendingEntries: number;
    /** Bytes published and not flushed, index included. */
    pendingBytes: number;
    /** Whether a power cut would cost nothing. */
    durable: boolean;
}
/** Numbers on a shard. Counters from `hits` on are this handle's own. */
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
    /** Entries behind the newest of them. */
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
    /** Times that others' changes were taken in. */
    refreshes: number;
    /** Times that the system would not let us read; what was known served on. */
    readErrors: number;
    /** Whether values come from a memory mapping. */
    mapped: boolean;
    /** Why the file at the path reads as an empty shard; the next change replaces it. */
    rejected?: string;
}

/** An entry of a batch. */
interface Entry<V> extends EntryMeta {
    /** 1 to 4094 bytes of UTF-8, without lone surrogates. */
    key: string;
    /** What the codec takes; with `parts`, an object with one value for each part. */
    value: V;
}

/** How far long work has come. */
interface Progress {
    /** Steps done. */
    done: number;
    /** Steps expected; 0 while that is not known. */
    total: number;
}
/** Options of every async form. */
interface WorkOptions {
    /**
     * Called now and then (at most twenty times a second) while the work goes on, and once when it is done. What it
     * throws ends the work, which then rejects with it.
     */
    onProgress?: ((progress: Progress) => void) | undefined;
    /** Ends the work early; it then rejects with `ERR_ABORTED` and nothing of it is published. */
    signal?: AbortSignal | undefined;
}

/**
 * A persistent cache in one file, shared by any number of processes.
 *
 * Values that `get` returns are views of memory that is lent, not copied: they stay valid after later puts,
 * compaction, `clear` and `close`. Treat them as read-only: a write to one stays in this process, but a later `get`
 * of the same key may show it. Set `copy` to get memory of your own.
 */
declare class Shard<V = Uint8Array> {
    #private;
    /**
     * Opens the shard at `path`; folders above it are made. A missing file is an empty shard, and so is one that is
     * damaged, foreign or of another format: `stats().rejected` says why, and the next change replaces it.
     *
     * @throws WarmshardError `ERR_INVALID_ARG`, `ERR_UNTRUSTED_FILE`, `ERR_IO`, `ERR_NO_SPACE`, `ERR_NATIVE_LOAD`
     */
    static open<V = Uint8Array>(path: string, options?: ShardOptions<V>): Shard<V>;
    /** Where the file is; absolute. */
    readonly path: string;
    /** Whether this handle never changes anything. */
    readonly readOnly: boolean;
    private constructor();
    /** Rises with every published change, of any process. */
    get generation(): number;
    /** Live entries, of all producers. */
    get size(): number;
    /**
     * The value of a key, or `undefined` where there is none, or where it expired, is damaged, was made by another
     * host build, or does not carry an equal validator.
     *
     * @throws WarmshardError `ERR_INVALID_KEY`, `ERR_INVALID_ARG`, `ERR_CODEC`, `ERR_CLOSED`
     */
    get(key: string, validator?: Validator): V | undefined;
    /**
     * The bytes of every part of an entry, by name: all or none. Without the option `parts`, the one part's name
     * is the empty string.
     *
     * @throws WarmshardError as `get`, without `ERR_CODEC`
     */
    getParts(key: string, validator?: Validator): Record<string, Uint8Array> | undefined;
    /**
     * The values of many keys, in their order, in one call.
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
     * What is known of this host's entry of a key, hit or stale.
     *
     * @throws WarmshardError `ERR_INVALID_KEY`, `ERR_CLOSED`
     */
    info(key: string): EntryInfo | undefined;
    /**
     * Stores a value; the previous one of this host, if any, is replaced. Every process sees it at its next `get`.
     *
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
     * Stores many entries with one publish: other processes, and whoever opens after a crash, see all of them or none.
     * Of entries with one key the last counts. Returns how many were given; none writes nothing.
     *
     * @throws WarmshardError as `put`; nothing is stored then
     */
    mergeIn(entries: Iterable<[string, V] | Entry<V>>): number;
    /**
     * Makes exactly these entries the shard's contents, of all hosts, atomically and durably. Returns how many were given.
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
     * The keys of this host's entries as of this call, oldest first. Changes meanwhile do not disturb the walk.
     *
     * @throws WarmshardError `ERR_CLOSED`
     */
    keys(): IterableIterator<string>;
    /**
     * Keys and values of this host's usable entries, oldest first: keys as of this call, values as of their turn.
     *
     * @throws WarmshardError as `get`
     */
    entries(): IterableIterator<[string, V]>;
    /** The same as `entries()`. */
    [Symbol.iterator](): IterableIterator<[string, V]>;
    /** Every entry, of all hosts, newest first. */
    list(): EntryInfo[];
    /**
     * Drops expired entries, other hosts' entries, and those whose key is the absolute path of a source that is
     * gone or no longer has the validator's modification time and size. Returns how many.
     *
     * @throws WarmshardError `ERR_READ_ONLY`, `ERR_LOCK_TIMEOUT`, `ERR_IO`, `ERR_NO_SPACE`, `ERR_CLOSED`
     */
    evictStale(): number;
    /**
     * Rewrites the live entries into a fresh file under `maxBytes`, durably. Happens by itself when it pays.
     *
     * @throws WarmshardError `ERR_READ_ONLY`, `ERR_LOCK_TIMEOUT`, `ERR_IO`, `ERR_NO_SPACE`, `ERR_CLOSED`
     */
    compact(): CompactReport;
    /**
     * Reads and verifies everything; repairs nothing.
     *
     * @throws WarmshardError `ERR_CLOSED`
     */
    verify(): VerifyReport;
    /**
     * Makes everything published so far, by any process, survive a power cut.
     *
     * @throws WarmshardError `ERR_LOCK_TIMEOUT`, `ERR_IO`, `ERR_NO_SPACE`, `ERR_CLOSED`
     */
    flush(): void;
    /** What a power cut now might cost. */
    durability(): Durability;
    /** Numbers on the file and on what this handle did. */
    stats(): ShardStats;
    /** Ends the use of this handle; again: nothing. Values that it gave stay valid. */
    close(): void;
    /** `using shard = Shard.open(...)` closes it at the end of the block. */
    [Symbol.dispose](): void;
    /** `mergeIn` off the event loop. Values are encoded and copied before it returns. */
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

/** How a `DiskPipelineCache` is opened. */
interface DiskPipelineOptions {
    /**
     * `flush`, and `put` now and then, remove the files modified longest ago until all together have at most this many
     * bytes. Default 1 GiB.
     */
    maxBytes?: number | undefined;
    /** Never lend mapped memory: every artifact is a copy. Default false; always so where the runtime forbids lending. */
    copy?: boolean | undefined;
    /** Lend artifacts of 256 KiB and more from a memory mapping (default, where the file system allows it), or read them. */
    access?: 'mmap' | 'read' | undefined;
    /**
     * Which files are believed: `'private'` (default): ours, writable by nobody else. `'group'`: a group may write
     * too. `'system'`: root's as well. Others read as misses.
     */
    trust?: 'private' | 'group' | 'system' | undefined;
    /** Never change anything; read permission is enough. Default false. */
    readOnly?: boolean | undefined;
}
/**
 * Artifacts on disk, one file for each fingerprint: `<root>/<64 hex digits>.bin`.
 *
 * A file is verified each time it is read: torn, rotten, oversized or another fingerprint's, and anything that is no
 * regular file of ours, is a miss. Any number of processes may share a folder.
 */
declare class DiskPipelineCache implements PipelineStore {
    #private;
    /** The same as the constructor. */
    static open(root: string, options?: DiskPipelineOptions): DiskPipelineCache;
    /**
     * The cache in the user's cache folder: `$XDG_CACHE_HOME/<app>`, else `~/.cache/<app>`, on macOS
     * `~/Library/Caches/<app>`.
     *
     * @throws WarmshardError `ERR_INVALID_ARG` also where neither XDG_CACHE_HOME nor HOME tells a folder
     */
    static inUserCache(app: string, options?: DiskPipelineOptions): DiskPipelineCache;
    /** Where the files are; absolute. */
    readonly root: string;
    /** Whether this cache never changes anything. */
    readonly readOnly: boolean;
    /**
     * The cache in a folder, which the first `put` makes.
     *
     * @throws WarmshardError `ERR_INVALID_ARG`, `ERR_NATIVE_LOAD`
     */
    constructor(root: string, options?: DiskPipelineOptions);
    /**
     * The artifact of a fingerprint, or `undefined`: also for what the system would not let us read. Large ones are lent,
     * not copied: they stay valid whatever becomes of the file.
     *
     * @throws WarmshardError `ERR_INVALID_ARG`, `ERR_CLOSED`
     */
    get(fingerprint: Uint8Array): Uint8Array | undefined;
    /**
     * Whether `get` would find an artifact; the file is read and verified for that. Not counted in `metrics()`.
     *
     * @throws WarmshardError `ERR_INVALID_ARG`, `ERR_CLOSED`
     */
    has(fingerprint: Uint8Array): boolean;
    /**
     * Stores an artifact of at most 64 MiB; every process sees it at its next `get`. What is larger, and what the system
     * refuses, is counted in `metrics().rejectedPuts` and not stored; what was there stays.
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
     * Makes everything that this object put survive a power cut: syncs the pending files, sixteen at a time, then the
     * folder. What failed stays pending, and the next `flush` tries again.
     *
     * @throws WarmshardError `ERR_IO`, `ERR_NO_SPACE`, `ERR_CLOSED`
     */
    flush(): void;
    /** `flush` off the event loop. */
    flushAsync(): Promise<void>;
    /**
     * What a power cut now might cost, of what this object put.
     *
     * @throws WarmshardError `ERR_CLOSED`
     */
    durabilityReport(): Durability;
    /**
     * Numbers on what this object did, and on the folder, which is walked for that. What writers that died left
     * behind is removed by the way.
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
    /** Ends the use of this object; again: nothing. It does not flush. Artifacts that it gave stay valid. */
    close(): void;
    /** `using cache = DiskPipelineCache.open(...)` closes it at the end of the block. */
    [Symbol.dispose](): void;
}

/** What an artifact was made from, as 32 bytes: its name in every store. As text it is 64 hex digits. */
declare class Fingerprint extends Uint8Array {
    /** A part of a fingerprint is none. */
    static get [Symbol.species](): Uint8ArrayConstructor;
    /** 64 hex digits. */
    toString(): string;
    /** 64 hex digits. */
    toJSON(): string;
}
/**
 * The fingerprint of everything that an artifact depends on: source, options, version of the compiler. It is BLAKE3-256
 * over each part's length (as a little-endian 64-bit number) and its bytes, strings as UTF-8: the same parts split
 * otherwise make another fingerprint.
 *
 * @throws WarmshardError `ERR_INVALID_ARG` without parts, and for a part that is neither bytes nor well-formed text
 */
declare function fingerprint(...parts: (string | Uint8Array)[]): Fingerprint;
/**
 * An artifact as it lies on disk and travels: the payload, then its 32-byte footer. A server may answer with it.
 *
 * @throws WarmshardError `ERR_INVALID_ARG`, `ERR_TOO_LARGE`
 */
declare function encodeArtifact(fingerprint: Uint8Array, payload: Uint8Array): Uint8Array;
/**
 * The payload of what `encodeArtifact` made, as a view; `undefined` where it is damaged, or another fingerprint's.
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
 * Stores one behind the other, the fastest first. A look-up asks them in that order; what a slower one has is put
 * into the faster ones on the way back.
 *
 * The layers stay yours: close them yourself.
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
    /** Flushes every layer. All are tried; then the first error is thrown. */
    flush(): void;
    /**
     * Look-ups, hits and misses are those of this store: each `get` counts once, however many layers it asked. All else is
     * the sum of the layers': an artifact in two of them counts as two entries, and filling a layer is a put to it.
     */
    metrics(): PipelineMetrics;
}

/** Budgets of a `MemoryPipelineCache`. Zero for either: it holds nothing. */
interface MemoryPipelineOptions {
    /** Most artifacts. Default 1024, at most 4,194,304. */
    maxEntries?: number | undefined;
    /** Most bytes of all artifacts together. Default 64 MiB. */
    maxBytes?: number | undefined;
}
/**
 * Artifacts in the memory of this process. What was not used for longest goes first.
 *
 * What `get` returns is the store's own copy: a write to it shows at the next `get`.
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
     * Whether `get` would find an artifact. Neither counted nor a use.
     *
     * @throws WarmshardError `ERR_INVALID_ARG`
     */
    has(fingerprint: Uint8Array): boolean;
    /**
     * Stores a copy of an artifact. One larger than the whole budget is not stored and counted in
     * `metrics().rejectedPuts`; the older one of its fingerprint goes all the same.
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
    /** Nothing here can survive; it is counted. */
    flush(): void;
    /** Numbers on this store. */
    metrics(): PipelineMetrics;
}

/** How a `RemotePipelineCache` asks. */
interface RemotePipelineOptions {
    /** Asked first; what the server has is put into it. */
    local?: PipelineStore | undefined;
    /** Time for a whole request, its body included, in milliseconds. Default 10000. */
    timeout?: number | undefined;
    /** Most bytes of an artifact. Default and most 64 MiB. */
    maxBytes?: number | undefined;
    /** Sent with each request: `authorization`, say. */
    headers?: Readonly<Record<string, string>> | undefined;
    /** Most requests at a time, 1 to 1024; others wait. Default 16. */
    maxConcurrent?: number | undefined;
    /** In place of Node's own `fetch`. */
    fetch?: typeof globalThis.fetch | undefined;
}
/** How the requests of a `RemotePipelineCache` ended: `requests` is the sum of the others but `dropped` and `waiting`. */
interface RemoteMetrics {
    /** Requests sent and ended. */
    requests: number;
    /** Answered with a sound artifact. */
    found: number;
    /** Answered with 404 or 410. */
    notFound: number;
    /** Answered with a redirect, which is never followed. */
    redirected: number;
    /** Not answered, broken off, or answered with any other status. */
    failed: number;
    /** Answered with more than `maxBytes`. */
    oversized: number;
    /** Answered with bytes whose footer is wrong: damaged, cut, or another fingerprint's. */
    rejected: number;
    /** Not done in time. */
    timedOut: number;
    /** Ended by `close`. */
    aborted: number;
    /** Never sent: too many were waiting. */
    dropped: number;
    /** Under way or waiting now. */
    waiting: number;
}
/** Numbers on a `RemotePipelineCache`: look-ups are its own, all else but `remote` is its local store's. */
interface RemotePipelineMetrics extends PipelineMetrics {
    /** How its requests ended. */
    remote: RemoteMetrics;
}
/**
 * Artifacts of a server: `GET <base>/<64 hex digits>.bin`, answered with payload and footer as `encodeArtifact` and the
 * files of a `DiskPipelineCache` have them.
 *
 * An answer is verified before it is used. Whatever goes wrong on the way is a miss, and counted. The footer finds
 * damage, not forgery: use https, and a server that you would let run code.
 */
declare class RemotePipelineCache {
    #private;
    /**
     * The cache below an http: or https: address. A query in it is sent with each request.
     *
     * @throws WarmshardError `ERR_INVALID_ARG`
     */
    constructor(baseUrl: string | URL, options?: RemotePipelineOptions);
    /**
     * The artifact of a fingerprint: the local store's, else the server's, else `undefined`. Whoever asks for the same at
     * the same time gets the same bytes.
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
    /** Numbers on this cache, and on its local store. */
    metrics(): RemotePipelineMetrics;
    /** Ends the use of this cache, and what is under way: that is a miss. Again: nothing. The local store stays open. */
    close(): void;
    /** `using cache = new RemotePipelineCache(...)` closes it at the end of the block. */
    [Symbol.dispose](): void;
}

export { DiskPipelineCache, Fingerprint, LayeredPipelineCache, MemoryPipelineCache, RemotePipelineCache, Shard, WarmshardError, decodeArtifact, encodeArtifact, fingerprint };
export type { Codec, CodecName, CompactReport, DiskPipelineOptions, Durability, Entry, EntryInfo, EntryMeta, ErrorCode, Fault, Host, LayeredPipelineOptions, MemoryPipelineOptions, PipelineMetrics, PipelineStore, Progress, RemoteMetrics, RemotePipelineMetrics, RemotePipelineOptions, ShardOptions, ShardStats, Validator, VerifyReport, WorkOptions };
