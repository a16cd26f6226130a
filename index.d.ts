// Emitted from index.ts by `npm run build:types`. Do not edit.

/**
 * Turns values into bytes and back. Either side may throw; the error is then the `cause` of one with `ERR_CODEC`.
 *
 * @example
 * const dates: Codec<Date> = {
 *   encode: (date) => Buffer.from(date.toISOString()),
 *   decode: (bytes) => new Date(Buffer.from(bytes).toString()),
 * };
 */
interface Codec<V> {
    /** The bytes of a value. They are copied at once. */
    encode(value: V): Uint8Array;
    /** The value of what `encode` made. `bytes` may be a view of mapped memory: copy what must outlive it unchanged. */
    decode(bytes: Uint8Array): V;
}
/**
 * The codecs that come with warmshard: bytes as they are; well-formed text; what `JSON.stringify` can say; what
 * `structuredClone` can copy (`node:v8`); and a constants pool (`constantsCodec`).
 */
type CodecName = 'bytes' | 'utf8' | 'json' | 'structured' | 'constants';

/** What a constants pool holds. */
type Constant = undefined | number | bigint | string;
/**
 * A constants pool as bytes: an array of `undefined`, numbers, bigints of 64 bits and strings, all of which come
 * back as they were: `-0`, `NaN` and lone surrogates too. Also known to `Shard` as the codec `'constants'`.
 *
 * Either side throws `WarmshardError` with `ERR_CODEC`: for a value of any other type, with its index, and for bytes
 * that are no constants pool, whatever they are.
 */
declare const constantsCodec: Codec<Constant[]>;

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
/** The file is a link or no regular file, belongs to another user, or may be written by others: see the option `trust`. */
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

/** The host program: what makes and uses the entries. An entry of another host build is stale. */
interface Host {
    /** The program's name. At most 63 bytes of UTF-8. */
    name: string;
    /** Its version, compared for equality. At most 63 bytes of UTF-8. */
    version: string;
    /**
     * A number of your own, 0 to 4294967295. Raise it when the shape of what you store changes (its opcodes, for
     * instance) while name, version and binary stay the same. Default: none.
     */
    schema?: number | undefined;
    /**
     * Path of the binary whose modification time and size identify the build. Default: `process.execPath`. Where the
     * binary cannot be examined, nothing is served or stored. `false`: name, version and schema are enough.
     */
    binary?: string | false | undefined;
}
/** How a shard is opened. */
interface ShardOptions<V = Uint8Array> {
    /** The producer. Default: an anonymous one that every shard opened without a host shares. */
    host?: Host | undefined;
    /**
     * How values become bytes: by name, or a `Codec` of your own. Default `'bytes'`: values are `Uint8Array`s. The name is not
     * stored: open a shard with the codec that it was filled with.
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
    /** Store keys below this absolute folder relative to it, so that the shard can be used at another path. */
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
    /** What the codec takes; with `parts`, an object with one value for each part. */
    value: V;
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
    /** What it was put with: what a `get` with a validator must give. */
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
    /**
     * How look-ups enter the addon: `'fast'`, called by optimised code directly, or `'node-api'`, as it is before a
     * handle has done many, for handles that copy, on runtimes other than Node.js, and with `WARMSHARD_FAST=0`.
     */
    door: 'fast' | 'node-api';
    /** Why it stays `'node-api'` in this process, once that is known. */
    doorShut?: string;
    /** Why the file at the path reads as an empty shard; the next change replaces it. */
    rejected?: string;
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

/**
 * What an entry is put with, and what a look-up may ask for: a source's modification time (and size, where both sides know
 * it), a digest of its content, or at most 64 bytes that mean something to the caller only. A look-up that gives one finds only
 * an entry with an equal one.
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
    /** What a `get` that gives a validator is compared with. Default: none, and such a `get` does not find the entry. */
    validator?: Validator | undefined;
    /** When the entry stops being one, in milliseconds since the epoch (`Date.now() + ...`). Default: never. */
    expiresAt?: number | undefined;
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
 *
 * @example
 * const shard = Shard.open('/var/cache/app/artifacts.shard', { host: { name: 'app', version: '1.4.0' } });
 * let code = shard.get(key);
 * if (code === undefined) shard.put(key, (code = compile(key)));
 */
declare class Shard<V = Uint8Array> {
    #private;
    /**
     * Opens the shard at `path`; folders above it are made. A missing file is an empty shard, and so is one that is
     * damaged, foreign or of another format: `stats().rejected` says why, and the next change replaces it.
     *
     * @param path of the file; beside it stands `<path>.lock`
     * @throws WarmshardError `ERR_INVALID_ARG`, `ERR_UNTRUSTED_FILE`, `ERR_IO`, `ERR_NO_SPACE`, `ERR_NATIVE_LOAD`
     */
    static open<V = Uint8Array>(path: string, options?: ShardOptions<V>): Shard<V>;
    /** Where the file is; absolute. */
    readonly path: string;
    /** Whether this handle never changes anything. */
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
     * The value of a key, or `undefined` where there is none, or where it expired, is damaged, or was made by another
     * host build. As long as nothing changes, bytes that are looked up again may come as the same object.
     *
     * @param validator what the entry must have been put with; any other entry is stale. Default: nothing is compared,
     * whatever the entry was put with
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
     * The values of many keys, in their order; `undefined` for each that `get` would not find. Quicker than as many calls of `get`.
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
     * What is known of this host's entry of a key, whatever its validator; `undefined` where there is none.
     *
     * @throws WarmshardError `ERR_INVALID_KEY`, `ERR_CLOSED`
     */
    info(key: string): EntryInfo | undefined;
    /**
     * Stores a value; the previous one of this host, if any, is replaced. Every process sees it at its next `get`. It survives
     * a power cut after the next `flush`, or with `durability: 'sync'` when this returns.
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
     * Stores many entries with one publish: other processes, and whoever opens after a crash, see all of them or none.
     * Of entries with one key the last counts. Returns how many were given; none writes nothing.
     *
     * @example
     * shard.mergeIn(new Map([['a', bytesOfA], ['b', bytesOfB]]));
     * shard.mergeIn([{ key: 'c', value: bytesOfC, expiresAt: Date.now() + 3_600_000 }]);
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
     * @throws WarmshardError `ERR_CLOSED`; `ERR_IO` where not all could be read (`access: 'read'`)
     */
    keys(): IterableIterator<string>;
    /**
     * Keys and values of this host's usable entries, oldest first: keys as of this call, values as of their turn.
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
     * Rewrites the live entries into a fresh file under `maxBytes`, durably. Happens by itself when it pays.
     *
     * @throws WarmshardError `ERR_READ_ONLY`, `ERR_LOCK_TIMEOUT`, `ERR_IO`, `ERR_NO_SPACE`, `ERR_CLOSED`
     */
    compact(): CompactReport;
    /**
     * Reads and verifies everything; repairs nothing.
     *
     * @throws WarmshardError `ERR_CLOSED`; `ERR_IO` where not all could be read
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
     * Numbers on the file and on what this handle did.
     *
     * @throws WarmshardError `ERR_CLOSED`
     */
    stats(): ShardStats;
    /** Ends the use of this handle; again: nothing. Values that it gave stay valid. */
    close(): void;
    /** `using shard = Shard.open(...)` closes it at the end of the block. */
    [Symbol.dispose](): void;
    /**
     * `mergeIn` off the event loop. Values are encoded and copied before it returns. This and all further forms reject with
     * what the synchronous one throws, and with `ERR_ABORTED`.
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

/** What is known of an artifact. */
interface ArtifactMeta {
    /** A name for each output. */
    outputNames: string[];
    /** Bytes of each output; as many as there are names. */
    outputSizes: number[];
    /** What the compiler printed: text or bytes, as it was given. */
    stdout: string | Uint8Array;
    /** What it complained about: text or bytes, as it was given. */
    stderr: string | Uint8Array;
    /** How it ended; a signed 32-bit integer. */
    exitCode: number;
    /** Bytes that count in `totalSizeBytes` and `evictTo`. */
    totalSize: number;
    /** When it was stored, in whole milliseconds since the epoch. */
    storedAt: number;
}
/**
 * What `insert` takes: an `ArtifactMeta` of which all but the outputs may be left out. Defaults: empty `stdout` and
 * `stderr`, exit code 0, the sum of the sizes, now.
 */
type ArtifactInput = Pick<ArtifactMeta, 'outputNames' | 'outputSizes'> & Partial<ArtifactMeta>;
/** How an artifact store is opened. Those of a shard concern its index. */
interface ArtifactStoreOptions extends Pick<ShardOptions, 'host' | 'readOnly' | 'copy' | 'access' | 'lockTimeout' | 'trust'> {
    /** A folder of its own below the store's: 1 to 64 of `a-z`, `0-9` and `-`. Default: the store's folder itself. */
    namespace?: string | undefined;
    /** A flush brings the sum of total sizes back under this many bytes. Default 5 GiB. */
    maxBytes?: number | undefined;
    /**
     * Touch no file before something is asked for that is not in memory. Meanwhile `insert` works, and what it
     * stores is never overwritten by what is on disk. `ready()` opens the index off the event loop. Default false.
     */
    deferLoad?: boolean | undefined;
}
/** Numbers on an artifact store. */
interface ArtifactStats {
    /** Artifacts. */
    entries: number;
    /** The sum of their total sizes. */
    bytes: number;
    /** Rows of the index that this handle has made again from payloads. */
    recoveredRows: number;
    /** Payload files that it removed because no row could be made of them. */
    sweptFiles: number;
    /** Why the index read as empty when it was opened. */
    rejected?: string;
    /** Why the folder could not be looked through for payloads without rows. */
    failed?: string;
}
/**
 * Compiler outputs by key: metadata in an index, payloads in files beside it that are read only when asked for.
 *
 * Changes of the index stay in memory until `flush`; outputs are written at once. A crash in between loses rows at
 * most, and those whose payload carries its metadata are made again. Any number of processes may share a folder:
 * each sees what the others have flushed.
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
    /** The folder; absolute, the namespace included. */
    readonly path: string;
    /** Whether this handle never changes anything. */
    readonly readOnly: boolean;
    private constructor();
    /**
     * Stores metadata, in memory until `flush`. Outputs that the key has stay.
     *
     * @throws WarmshardError `ERR_INVALID_KEY`, `ERR_INVALID_ARG`, `ERR_TOO_LARGE`, `ERR_READ_ONLY`, `ERR_CLOSED`
     */
    insert(key: string, meta: ArtifactInput): void;
    /**
     * Stores the metadata of many; none of them if one is refused. Returns how many.
     *
     * @throws WarmshardError as `insert`
     */
    insertMany(rows: Iterable<readonly [string, ArtifactInput]>): number;
    /**
     * The metadata of a key; `undefined` where there is none. Counts as a use.
     *
     * @throws WarmshardError `ERR_INVALID_KEY`, `ERR_CLOSED`
     */
    get(key: string): ArtifactMeta | undefined;
    /**
     * Removes a key; its payload files go with the next `flush`. Returns whether it was there.
     *
     * @throws WarmshardError `ERR_INVALID_KEY`, `ERR_READ_ONLY`, `ERR_CLOSED`
     */
    remove(key: string): boolean;
    /**
     * Removes many keys. Returns how many of them were there.
     *
     * @throws WarmshardError as `remove`; nothing is removed where a key is none
     */
    removeBatch(keys: readonly string[]): number;
    /**
     * Every key with its metadata; those that are flushed first, oldest first.
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
     * Removes everything; the files go with the next `flush`. Returns how many artifacts there were.
     *
     * @throws WarmshardError `ERR_READ_ONLY`, `ERR_CLOSED`
     */
    clear(): number;
    /**
     * Writes the outputs of a key to `{key}_0`, `{key}_1` and so on or, with `pack`, to one `{key}.pack`, in place of
     * those that were there. A key that is no plain file name is digested. Metadata that the key has stays and is
     * written along, so that the index can be rebuilt.
     *
     * @throws WarmshardError `ERR_INVALID_KEY`, `ERR_INVALID_ARG`, `ERR_TOO_LARGE` (an output beyond 1 GiB, more than 16384
     * of them), `ERR_READ_ONLY`, `ERR_IO`, `ERR_NO_SPACE`, `ERR_CLOSED`
     */
    putOutputs(key: string, outputs: readonly Uint8Array[], options?: {
        pack?: boolean;
    }): void;
    /**
     * The bytes of an output, verified; `undefined` where there are none, or where they are damaged or belong to other
     * metadata. From 256 KiB on they are mapped and lent: treat them as read-only. Counts as a use.
     *
     * @throws WarmshardError `ERR_INVALID_KEY`, `ERR_INVALID_ARG`, `ERR_CLOSED`
     */
    output(key: string, index: number): Uint8Array | undefined;
    /**
     * Evicts artifacts, the one that was not used for longest first, until their total sizes sum up to at most `bytes`,
     * and flushes. Returns how many were evicted.
     *
     * @throws WarmshardError `ERR_INVALID_ARG`, `ERR_READ_ONLY`, `ERR_LOCK_TIMEOUT`, `ERR_IO`, `ERR_NO_SPACE`, `ERR_CLOSED`
     */
    evictTo(bytes: number): number;
    /**
     * Makes everything survive a power cut: syncs the payloads, then commits the changed rows as one batch, so that other
     * processes see all of them or none. What others have flushed meanwhile is kept.
     *
     * @throws WarmshardError `ERR_LOCK_TIMEOUT`, `ERR_IO`, `ERR_NO_SPACE`, `ERR_CLOSED`; what was not flushed stays to be
     */
    flush(): void;
    /** `flush` with the payloads synced off the event loop. Changes may go on meanwhile. Rejects with what `flush` throws. */
    flushAsync(): Promise<void>;
    /** Resolves when the index of a store with `deferLoad` is open; payloads are looked through off the event loop. */
    ready(): Promise<void>;
    /** What a power cut now might cost. */
    durability(): Durability;
    /** Numbers on the store. */
    stats(): ArtifactStats;
    /** Flushes what can be, and ends the use of this handle; again: nothing. Outputs that it gave stay valid. */
    close(): void;
    /** `using store = ArtifactStore.open(...)` closes it at the end of the block. */
    [Symbol.dispose](): void;
}

/** Functions that are gathered until `commit` stores them all at once. */
declare class AutoloadShardWriter {
    #private;
    /** Functions gathered since the last commit. */
    get size(): number;
    /**
     * Adds a function, in the place of an earlier one of this name. The blob is copied.
     *
     * @throws WarmshardError `ERR_INVALID_KEY`, `ERR_INVALID_ARG`, `ERR_TOO_LARGE`: now, so that one wrong entry does
     * not spoil a commit
     */
    add(name: string, blob: Uint8Array): this;
    /**
     * Stores what was gathered with one publish, and begins anew. Returns how many functions; of none it writes
     * nothing. If it throws, everything is still gathered, and can be committed again.
     *
     * @throws WarmshardError as `AutoloadCache.mergeIn`
     */
    commit(): number;
}

/** How an autoload cache is opened. What is not said here is as for a `Shard`. */
interface AutoloadCacheOptions extends Pick<ShardOptions, 'readOnly' | 'durability' | 'digest' | 'verify' | 'copy' | 'access' | 'maxBytes' | 'maxEntryBytes' | 'lockTimeout' | 'trust' | 'autoCompact'> {
    /** The program that compiles. What another build of it has compiled is not there. */
    host: Host;
}
/** Numbers on an autoload cache. Counters from `hits` on are this handle's own. */
interface AutoloadCacheStats {
    /** Live entries, of all hosts. */
    entries: number;
    /** Bytes of all blobs. */
    bytes: number;
    /** Look-ups that found a function. */
    hits: number;
    /** Look-ups that found none. */
    misses: number;
    /** Look-ups that found only what another host build had compiled. */
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
 * Compiled functions by name, in one file that every process shares. No source is looked at: an entry is valid for
 * the host build that made it.
 *
 * What `get` returns is lent, not copied; see `Shard`.
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
     * Opens the cache at `path`; folders above it are made. A missing file is an empty cache, and so is one that is
     * damaged, of another format, or not an autoload cache.
     *
     * @throws WarmshardError `ERR_INVALID_ARG`, `ERR_UNTRUSTED_FILE`, `ERR_IO`, `ERR_NO_SPACE`, `ERR_NATIVE_LOAD`
     */
    static open(path: string, options: AutoloadCacheOptions): AutoloadCache;
    /** Where the file is; absolute. */
    readonly path: string;
    /** Whether this handle never changes anything. */
    readonly readOnly: boolean;
    private constructor();
    /**
     * A function's blob, or `undefined` where there is none of this host build.
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
     * Stores many functions with one publish and leaves the others: all or none. Of entries with one name the last
     * counts. Returns how many were given; none writes nothing.
     *
     * @throws WarmshardError as `putOne`; nothing is stored then
     */
    mergeIn(entries: Iterable<[string, Uint8Array]>): number;
    /** `mergeIn` off the event loop. Blobs are copied before it returns. Rejects with what `mergeIn` throws, and with `ERR_ABORTED`. */
    mergeInAsync(entries: Iterable<[string, Uint8Array]>, options?: WorkOptions): Promise<number>;
    /**
     * Makes exactly these functions the contents, of all hosts, atomically and durably. Returns how many were given.
     *
     * @throws WarmshardError as `putOne`; the cache is as before then
     */
    replaceAll(entries: Iterable<[string, Uint8Array]>): number;
    /** `replaceAll` off the event loop. Blobs are copied before it returns. */
    replaceAllAsync(entries: Iterable<[string, Uint8Array]>, options?: WorkOptions): Promise<number>;
    /** Gathers functions and stores them with one publish. */
    writer(): AutoloadShardWriter;
    /**
     * The names of this host build's functions.
     *
     * @throws WarmshardError `ERR_CLOSED`
     */
    cachedNames(): Set<string>;
    /**
     * Those of the names that the cache lacks, in the order in which they appear first. Blobs are not touched: one
     * that is damaged is found out by `get`.
     *
     * @throws WarmshardError `ERR_INVALID_KEY`, `ERR_INVALID_ARG`, `ERR_CLOSED`
     */
    missing(names: Iterable<string>): string[];
    /**
     * This host build's functions. Counted by a walk when something has changed.
     *
     * @throws WarmshardError `ERR_CLOSED`
     */
    get entryCount(): number;
    /**
     * Numbers on the cache and on what this handle did.
     *
     * @throws WarmshardError `ERR_CLOSED`
     */
    stats(): AutoloadCacheStats;
    /**
     * Drops everything and removes the file; again: nothing. Other processes see it at their next look-up.
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
    /** Ends the use of this handle; again: nothing. What it gave stays valid. */
    close(): void;
    /** `using cache = AutoloadCache.open(...)` closes it at the end of the block. */
    [Symbol.dispose](): void;
}

/**
 * Where a cache lies unless somebody says otherwise: in `$WARMSHARD_HOME`, else in `warmshard` below
 * `$XDG_CACHE_HOME`, else in `~/.cache/warmshard` (`~/Library/Caches/warmshard` on macOS).
 *
 * @param name the file's, a plain one. Default `scripts.shard`
 * @returns an absolute path; nothing is made there
 * @throws WarmshardError `ERR_INVALID_ARG` where `WARMSHARD_HOME` is relative, or none of them is set
 */
declare function defaultCachePath(name?: string): string;

/**
 * A file's modification time, as `ScriptCache.get` and `put` want it; links are followed.
 *
 * @returns whole seconds since the epoch, and nanoseconds of the second; `undefined` where there is no such
 * file, or none that may be looked at
 * @throws WarmshardError `ERR_INVALID_ARG` where `path` is no string
 */
declare function fileMtime(path: string): [sec: number, nsec: number] | undefined;

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
 * @example
 * const key = fingerprint('my-compiler 3.1.0', source, JSON.stringify(options));
 * let artifact = cache.get(key);
 * if (artifact === undefined) cache.put(key, (artifact = compile(source, options)));
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

/** How a script cache is opened. What is not said here is as for a `Shard`. */
interface ScriptCacheOptions<P extends string = 'code'> extends Pick<ShardOptions, 'readOnly' | 'durability' | 'digest' | 'verify' | 'copy' | 'access' | 'maxBytes' | 'maxEntryBytes' | 'trust' | 'autoCompact'> {
    /** The program that compiles. What another build of it has compiled is stale. */
    host: Host;
    /** Names of the parts that belong to each source. Default `['code']`. */
    parts?: readonly P[] | undefined;
    /**
     * What tells that a source has not changed: `'mtime'` (default), its modification time and size; `'content'`, a
     * digest of its content, for checkouts and container layers whose modification times mean nothing. By content
     * each process reads each source once.
     */
    validate?: 'mtime' | 'content' | undefined;
    /** How long a save waits for other processes, in milliseconds, before it is skipped. Default 1000. */
    lockTimeout?: number | undefined;
    /**
     * Store paths below this absolute folder relative to it, so that the cache can be used at another path. Links
     * in it are followed when the cache is opened.
     */
    root?: string | undefined;
}
/** What is saved beside the parts. */
interface SaveMeta {
    /** When the entry stops being one, in milliseconds since the epoch. Default: never. */
    expiresAt?: number | undefined;
}
/** Numbers on a script cache. Counters from `hits` on are this handle's own. */
interface ScriptCacheStats {
    /** Sources with a live entry, of all hosts. */
    entries: number;
    /** Bytes of their parts. */
    bytes: number;
    /** Look-ups that found what was compiled. */
    hits: number;
    /** Look-ups that found nothing, those of sources that do not exist included. */
    misses: number;
    /** Look-ups of sources that had changed, or that another host build had compiled. */
    stale: number;
    /** Look-ups whose entry was damaged. */
    corrupt: number;
    /** Saves and puts that stored. */
    saves: number;
    /** Saves and puts that did not, for whatever reason. */
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
    /** Bytes of each part; by position (`'0'`, `'1'`, ...) where the host that compiled it had more or fewer. */
    bytes: Record<P, number>;
    /** The version of the host that compiled it. */
    version: string;
    /** When it was saved. */
    cachedAt: Date;
}
/**
 * What a program compiled from source files, by canonical path, in one file that every process shares.
 *
 * The cache never stops its host: whatever is missing, changed, damaged or made by another build reads as not
 * there, and what the system refuses to store is skipped and counted. Only wrong arguments, and the use of a
 * closed cache, throw.
 *
 * What `load` returns is lent, not copied; see `Shard`.
 *
 * @example
 * const cache = ScriptCache.open('/var/cache/app/templates.shard', { host: { name: 'app', version: '1.4.0' } });
 * let parts = cache.load('views/home.tpl');
 * if (parts === undefined) cache.save('views/home.tpl', (parts = { code: compile('views/home.tpl') }));
 */
declare class ScriptCache<P extends string = 'code'> {
    #private;
    /**
     * Opens the cache at `path`; folders above it are made. A missing file is an empty cache, and so is one that is
     * damaged, of another format, or not a script cache.
     *
     * @throws WarmshardError `ERR_INVALID_ARG`, `ERR_UNTRUSTED_FILE`, `ERR_IO`, `ERR_NO_SPACE`, `ERR_NATIVE_LOAD`
     */
    static open<P extends string = 'code'>(path: string, options: ScriptCacheOptions<P>): ScriptCache<P>;
    /** Where the file is; absolute. */
    readonly path: string;
    /** Whether this handle never changes anything. */
    readonly readOnly: boolean;
    private constructor();
    /**
     * What was compiled from a source as it is now: all parts or none. A hit on an absolute path that this handle
     * has met before takes one system call.
     *
     * @param source path of the source file; links are followed. One that does not exist, is no regular file, or may
     * not be looked at is a miss
     * @throws WarmshardError `ERR_INVALID_ARG` where `source` is no string, `ERR_CLOSED`
     */
    load(source: string): Record<P, Uint8Array> | undefined;
    /**
     * Stores what was compiled from a source. Call it with the name that `load` was called with: if the source is
     * no longer the one that `load` missed, then what was compiled may be of either, and is not stored.
     *
     * @returns whether it was stored. `false`, and a counter, where it was not: the source changed or is gone, the
     * lock was not to be had in time, the disk is full, the cache is read-only, the entry is larger than
     * `maxEntryBytes`, or the host's binary cannot be identified
     * @throws WarmshardError `ERR_INVALID_ARG`, `ERR_CLOSED`
     */
    save(source: string, parts: Record<P, Uint8Array>, meta?: SaveMeta): boolean;
    /**
     * What was stored under a path and a modification time: all parts or none. Nothing is asked of the file system.
     * Entries that were saved by content (`validate`) are not found by a time.
     *
     * @param path taken as it is: use a canonical one
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
     * Numbers on the cache and on what this handle did. The sum of bytes is a walk over the entries.
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
     * Drops what was compiled from sources that are gone or have changed, and what other hosts compiled. Returns how
     * many entries.
     *
     * @throws WarmshardError `ERR_READ_ONLY`, `ERR_LOCK_TIMEOUT`, `ERR_IO`, `ERR_NO_SPACE`, `ERR_CLOSED`
     */
    evictStale(): number;
    /** `evictStale` off the event loop. Rejects with what it throws, and with `ERR_ABORTED`. */
    evictStaleAsync(options?: WorkOptions): Promise<number>;
    /**
     * Drops everything and removes the file; again: nothing. Other processes see it at their next look-up.
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
    /** Ends the use of this handle; again: nothing. What it gave stays valid. */
    close(): void;
    /** `using cache = ScriptCache.open(...)` closes it at the end of the block. */
    [Symbol.dispose](): void;
}

/**
 * The script cache that programs share unless they have one of their own: at `defaultCachePath()`, for artifacts of
 * Node.js itself, opened at the first call. One for each thread; after a `close` the next call opens it anew.
 *
 * @returns `undefined` where the environment variable `WARMSHARD` is `0`, `false` or `no`, or where it cannot be
 * opened, which is not tried again
 */
declare function scriptCache(): ScriptCache | undefined;

/**
 * The folder in which an application keeps what it can make again: below `$XDG_CACHE_HOME`, else `~/.cache`
 * (`~/Library/Caches` on macOS). It is not made.
 *
 * @param app a plain name, which becomes the folder's
 * @throws WarmshardError `ERR_INVALID_ARG`
 */
declare function userCacheFolder(app: string): string;

export { ArtifactStore, AutoloadCache, AutoloadShardWriter, DiskPipelineCache, Fingerprint, LayeredPipelineCache, MemoryPipelineCache, RemotePipelineCache, ScriptCache, Shard, WarmshardError, constantsCodec, decodeArtifact, defaultCachePath, encodeArtifact, fileMtime, fingerprint, scriptCache, userCacheFolder };
export type { ArtifactInput, ArtifactMeta, ArtifactStats, ArtifactStoreOptions, AutoloadCacheOptions, AutoloadCacheStats, Codec, CodecName, CompactReport, Constant, DiskPipelineOptions, Durability, Entry, EntryInfo, EntryMeta, ErrorCode, Fault, Host, LayeredPipelineOptions, MemoryPipelineOptions, PipelineMetrics, PipelineStore, Progress, RemoteMetrics, RemotePipelineMetrics, RemotePipelineOptions, SaveMeta, ScriptCacheOptions, ScriptCacheStats, ScriptInfo, ShardOptions, ShardStats, Validator, VerifyReport, WorkOptions };
