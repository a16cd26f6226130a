//! Every bound of the engine, in one place.
//!
//! A length, count or wait that is not listed here does not exist: code compares against these
//! before it allocates, reads or sleeps.

/// Version of the file layout in `docs/format.md`. Another version reads as an empty shard.
pub const FORMAT_VERSION: u32 = 2;

/// Longest delta of the index, in bytes, that whoever opens the shard checks whole at once: it takes about 5 us.
pub const CHECK_AT_ONCE: u64 = 64 << 10;

/// Looks at the index before a handle checks longer deltas whole, too; see `state/unchecked.rs`.
pub const LOOKUPS_UNCHECKED: u32 = 128;

/// Bytes before the first frame: the file header and its two root slots.
pub const HEADER_LEN: u64 = 4096;

/// Frames start at, and parts are aligned to, multiples of this many bytes.
pub const ALIGN: u64 = 16;

/// Shortest frame, in bytes. Most bitmaps keep one bit for each unit of this size, so that no two
/// frames share a bit; see `state/bits.rs`.
pub const MIN_FRAME_LEN: u64 = 128;

/// Longest key, in bytes of UTF-8.
pub const MAX_KEY_BYTES: usize = 4096;

/// Most parts of one entry.
pub const MAX_PARTS: usize = 32;

/// Longest part name, in bytes of UTF-8.
pub const MAX_PART_NAME_BYTES: usize = 64;

/// Longest opaque or digest validator, in bytes.
pub const MAX_VALIDATOR_BYTES: usize = 64;

/// Longest host name or host version, in bytes of UTF-8.
pub const MAX_HOST_BYTES: usize = 63;

/// Default of `maxEntryBytes`: the sum of an entry's parts.
pub const DEFAULT_MAX_ENTRY_BYTES: u64 = 64 << 20;

/// Highest value that `maxEntryBytes` may be set to.
pub const MAX_ENTRY_BYTES: u64 = 1 << 30;

/// Longest record frame: the parts, and more than key, validator, lengths, names, padding and digest
/// can take. A length beyond it is damage, and is neither allocated nor skipped.
pub const MAX_RECORD_LEN: u64 = MAX_ENTRY_BYTES + (1 << 20);

/// Most bytes that a walk passes over in search of the next whole frame: one lost record, however long.
pub const MAX_GAP: u64 = MAX_RECORD_LEN;

/// Highest generation. None comes near it by counting; a higher one is damage, and believing it would
/// leave no room to rise.
pub const MAX_GENERATION: u64 = 1 << 62;

/// Highest generation that a sidecar's page is believed: what is counted on from there has room to rise.
pub const MAX_PAGE_GENERATION: u64 = MAX_GENERATION / 2;

/// Default of `maxBytes`: the size that compaction brings a shard back under.
pub const DEFAULT_MAX_BYTES: u64 = 1 << 30;

/// Smallest `maxBytes`.
pub const MIN_MAX_BYTES: u64 = 64 << 10;

/// Highest file offset that an index slot can name: 40 bits of 16-byte units, 16 TiB.
pub const MAX_FILE_LEN: u64 = 1 << 44;

/// Default of `lockTimeout`, in milliseconds.
pub const DEFAULT_LOCK_TIMEOUT_MS: u64 = 5_000;

/// Longest sleep between two tries for the lock, in microseconds.
pub const MAX_LOCK_BACKOFF_US: u64 = 2_000;

/// A call that has waited for locks for so long asks for its turn, in milliseconds.
pub const LONG_WAIT_MS: u64 = 200;

/// How long each such asking holds: somewhat more than the time between two tries on a busy machine.
pub const TURN_MS: u64 = 20;

/// Longest that a call leaves the lock to those who ask for their turn.
pub const MAX_GIVE_WAY_MS: u64 = 50;

/// Tries to lock a sidecar or a shard file that somebody keeps replacing, before giving up.
pub const MAX_SIDECAR_RETRIES: usize = 16;

/// Tries to see the shard file and the sidecar agree while a replacement is under way.
pub const MAX_RELOAD_RETRIES: usize = 8;

/// Entries in the tail behind the newest index snapshot that make a writer write the next one.
pub const TAIL_ENTRIES: usize = 512;

/// Bytes in the tail that make a writer write the next index snapshot.
pub const TAIL_BYTES: u64 = 4 << 20;

/// Entries in the tail that make a closing writer write an index snapshot.
pub const TAIL_ENTRIES_AT_CLOSE: usize = 64;

/// A new index snapshot absorbs the next older one while that holds at most this many times as
/// many entries as have been gathered so far.
pub const MERGE_FACTOR: u64 = 4;

/// Most index snapshots that a look-up may have to probe.
pub const MAX_TABLES: usize = 8;

/// Appended bytes are handed to the file system in pieces of about this size.
pub const WRITE_CHUNK: usize = 1 << 20;

/// Bytes of a batch from which on its pieces are written on another thread.
pub const WRITE_BEHIND_FROM: u64 = 2 * WRITE_CHUNK as u64;

/// Pieces of a batch that may wait to be laid and written. As many more wait only to be written.
pub const MAX_PIECES: usize = 3;

/// Values of a large batch from this many bytes on are copied by the thread that writes.
pub const LEND_FROM: usize = 256;

/// A file smaller than this is never compacted for its dead bytes.
pub const MIN_COMPACT_BYTES: u64 = 1 << 20;

/// Bytes that may still have to be copied when compaction takes the lock.
pub const COMPACT_LOCKED_BYTES: u64 = 1 << 20;

/// Rounds of catching up without the lock before compaction takes it all the same.
pub const COMPACT_ROUNDS: usize = 8;

/// Least time between two checks that the files at our paths are still the ones we hold,
/// in milliseconds.
pub const IDENTITY_CHECK_MS: u64 = 250;

/// Hits between two looks at the clock for that check.
pub const HITS_PER_CLOCK: u64 = 1024;

/// Most misses between two looks at the clock for that check. As many go by only where they come faster
/// than such checks: the first ones of a burst look each, then every second, every fourth, and so on.
pub const MISSES_PER_CLOCK: u64 = 16;

/// A last-use time is written at most once per entry and process in this time, in milliseconds.
pub const RECENCY_EPOCH_MS: u64 = 60_000;

/// Resolution of a last-use time, in milliseconds.
pub const RECENCY_TICK_MS: u64 = 16;

/// Fewest and most buckets of the recency table, as powers of two.
pub const RECENCY_BITS: std::ops::RangeInclusive<u32> = 12..=20;

/// A source modified this close to the moment of caching may change again unseen, in nanoseconds.
pub const RACY_NS: u64 = 20_000_000;

/// Largest source file that is read to settle a racy validator.
pub const MAX_RACY_SOURCE_BYTES: u64 = 64 << 20;

/// Temporary files of dead processes that one sweep removes at the most.
pub const MAX_SWEEP: usize = 256;

/// Bytes of address space by which a mapping is larger than its file, so that growth needs no
/// new mapping.
pub const MAP_RESERVE: u64 = 64 << 20;

/// A window starts at a multiple of this many bytes. Larger ones make V8 collect garbage for each.
pub const WINDOW_STRIDE: u64 = 4 << 20;

/// Most bytes of one ordinary window: an entry that starts in a stride may end in the next. What
/// reaches farther gets a window of its own.
pub const WINDOW_LEN: u64 = WINDOW_STRIDE + (1 << 20);

/// Most bytes of ordinary windows that one handle lends of a file. What lies behind is copied: to V8
/// a window is memory, and beyond some gigabytes it would collect garbage without end.
pub const MAX_LENT_BYTES: u64 = 1 << 30;

/// Most outputs of one artifact.
pub const MAX_OUTPUTS: usize = 16_384;

/// Row blocks behind the outputs of a payload file: more of them are not read, in bytes.
pub const MAX_ROW_BLOCKS_BYTES: u64 = 4 * DEFAULT_MAX_ENTRY_BYTES;

/// Default of an artifact store's `maxBytes`, which a flush brings it back under.
pub const DEFAULT_ARTIFACT_BYTES: u64 = 5 << 30;

/// Least time between two comparisons of an artifact store's rows and payloads that cannot finish because
/// others are at work, in milliseconds.
pub const COMPARE_PAUSE_MS: u64 = 60_000;

/// Uses that an artifact store remembers exactly, before it leaves them to the recency table.
pub const MAX_EXACT_USES: usize = 1 << 16;

/// Corrupt records that a verify report lists one by one.
pub const MAX_REPORTED: usize = 1000;

/// Longest name of a content file, in bytes: with what a temporary name adds, within every file system's 255.
pub const MAX_BLOB_NAME_BYTES: usize = 200;

/// Files that one walk of a folder takes in at the most.
pub const MAX_WALK: usize = 1 << 20;

/// Content files that may wait for their sync. Who publishes one more syncs them first.
pub const MAX_PENDING_FILES: usize = 1 << 16;

/// Most content files that are synced at a time.
pub const MAX_PARALLEL_SYNCS: usize = 16;

/// Sources whose canonical paths one script cache remembers. One more, and all are forgotten.
pub const MAX_KNOWN_SOURCES: usize = 65_536;

/// Missed sources whose state one script cache remembers until they are saved. One more, and all are
/// forgotten: what is saved then is held to the state at that time.
pub const MAX_MISSED_SOURCES: usize = 65_536;

/// Largest source of a module that a program cache takes in, in bytes.
pub const MAX_PROGRAM_SOURCE: u64 = 32 << 20;

/// Modules and resolutions that one process records before it publishes them.
pub const MAX_PENDING_MODULES: usize = 1 << 16;

/// Bytes of text and code that one process records before it publishes them. What comes later is not kept.
pub const MAX_PENDING_BYTES: usize = 256 << 20;

/// Facts that one module or resolution may depend on.
pub const MAX_FACTS: usize = 256;

/// Folders, and manifests, that one program cache remembers. One more, and all are forgotten.
pub const MAX_KNOWN_FOLDERS: usize = 65_536;

/// Largest artifact of a pipeline cache, in bytes.
pub const MAX_ARTIFACT_BYTES: u64 = 64 << 20;

/// Default of a pipeline cache's `maxBytes`: the size of its folder.
pub const DEFAULT_PIPELINE_BYTES: u64 = 1 << 30;

/// From this many bytes on a payload is lent from a mapping rather than read: below, the mapping costs
/// more than the copy.
pub const MAP_BLOB_BYTES: usize = 256 << 10;

/// Windows of a process that may be lent when one more payload is lent rather than read. Systems allow
/// a process some 65,000 mappings, and one that has no more left dies of the next allocation.
pub const MAX_LENT_WINDOWS: usize = 1 << 13;
