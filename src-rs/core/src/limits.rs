//! The bounds of the engine, in one place: the lengths, counts and times that code compares with before
//! it allocates, reads or sleeps.

/// Version of the file layout in `docs/format.md`. Another version reads as an empty shard.
pub const FORMAT_VERSION: u32 = 2;

/// Longest delta of the index, in bytes, that is always checked entirely during opening; that takes about 5 us.
pub const CHECK_AT_ONCE: u64 = 64 << 10;

/// Look-ups before a handle checks longer deltas entirely as well; see `state/unchecked.rs`.
pub const LOOKUPS_UNCHECKED: u32 = 128;

/// Bytes before the first frame: the file header and its two root slots.
pub const HEADER_LEN: u64 = 4096;

/// Frames start at, and parts are aligned to, multiples of this many bytes.
pub const ALIGN: u64 = 16;

/// Shortest frame, in bytes. The bitmaps of checked records have one bit for each unit of this size, so
/// that no two frames share a bit; see `state/bits.rs`.
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

/// Longest frame that is no snapshot, in bytes: the parts, and more than key, validator, lengths, names,
/// padding and digest can take. A frame head with a greater length is damaged.
pub const MAX_RECORD_LEN: u64 = MAX_ENTRY_BYTES + (1 << 20);

/// Most bytes that a walk passes over in search of the next valid head: one lost record of any length.
pub const MAX_GAP: u64 = MAX_RECORD_LEN;

/// Highest generation of a frame, root or header. Counting never comes near it, so a higher one is damaged.
/// If it were believed, the generation could not rise any more.
pub const MAX_GENERATION: u64 = 1 << 62;

/// Highest generation of a sidecar's page that is believed. It leaves room to rise up to `MAX_GENERATION`.
pub const MAX_PAGE_GENERATION: u64 = MAX_GENERATION / 2;

/// Default of `maxBytes`, in bytes: compaction brings the shard file back under it.
pub const DEFAULT_MAX_BYTES: u64 = 1 << 30;

/// Lowest value that `maxBytes` may be set to.
pub const MIN_MAX_BYTES: u64 = 64 << 10;

/// Longest file, in bytes: an index slot has 40 bits for an offset in units of 16 bytes, so 16 TiB.
pub const MAX_FILE_LEN: u64 = 1 << 44;

/// Default of `lockTimeout`, in milliseconds.
pub const DEFAULT_LOCK_TIMEOUT_MS: u64 = 5_000;

/// Longest sleep between two tries for the lock, in microseconds.
pub const MAX_LOCK_BACKOFF_US: u64 = 2_000;

/// A call that has waited this long for locks asks for its turn, in milliseconds; see `sidecar/turn.rs`.
pub const LONG_WAIT_MS: u64 = 200;

/// How long such a request is valid, in milliseconds: a little longer than the time between two tries on a busy
/// machine.
pub const TURN_MS: u64 = 20;

/// Longest time that a call leaves the lock to others that have asked for their turn, in milliseconds.
pub const MAX_GIVE_WAY_MS: u64 = 50;

/// Tries to lock a sidecar or a shard file that is replaced again and again, before giving up.
pub const MAX_SIDECAR_RETRIES: usize = 16;

/// Tries to find shard file and sidecar in agreement while the file is being replaced.
pub const MAX_RELOAD_RETRIES: usize = 8;

/// A writer writes the next index snapshot when the tail has this many entries.
pub const TAIL_ENTRIES: usize = 512;

/// A writer writes the next index snapshot when the tail has this many bytes.
pub const TAIL_BYTES: u64 = 4 << 20;

/// A writer that closes its handle writes an index snapshot if the tail has this many entries.
pub const TAIL_ENTRIES_AT_CLOSE: usize = 64;

/// A new index snapshot absorbs the next older one as long as that has at most this many times as
/// many entries as were gathered so far.
pub const MERGE_FACTOR: u64 = 4;

/// Most index snapshots that a look-up may have to probe.
pub const MAX_TABLES: usize = 8;

/// Appended frames are written in pieces of about this size, in bytes.
pub const WRITE_CHUNK: usize = 1 << 20;

/// Once this many bytes of a batch were written, another thread writes the next pieces.
pub const WRITE_BEHIND_FROM: u64 = 2 * WRITE_CHUNK as u64;

/// Pieces of a batch that may wait for that thread to lay and write them. Further pieces are laid by the thread that
/// fills them, which waits when twice as many are under way; see `shard/behind.rs`.
pub const MAX_PIECES: usize = 3;

/// Values of at least this many bytes in a large batch are copied by the writing thread.
pub const LEND_FROM: usize = 256;

/// A file smaller than this is never compacted for its dead bytes.
pub const MIN_COMPACT_BYTES: u64 = 1 << 20;

/// Bytes that may still have to be copied when compaction takes the lock.
pub const COMPACT_LOCKED_BYTES: u64 = 1 << 20;

/// Rounds of catching up without the lock, after which compaction takes the lock in any case.
pub const COMPACT_ROUNDS: usize = 8;

/// Least time between two checks that the files at a handle's paths are still those that it has open,
/// in milliseconds.
pub const IDENTITY_CHECK_MS: u64 = 250;

/// Every this many hits, a handle reads the clock to see whether that check is due.
pub const HITS_PER_CLOCK: u64 = 1024;

/// Most misses between two readings of the clock for that check. In a burst of misses the first one reads
/// the clock, then every second, every fourth, and so on.
pub const MISSES_PER_CLOCK: u64 = 16;

/// Each handle notes the use of an entry at most once in this time, in milliseconds.
pub const RECENCY_EPOCH_MS: u64 = 60_000;

/// Resolution of a last-use time, in milliseconds.
pub const RECENCY_TICK_MS: u64 = 16;

/// The recency table has 2 to the power of one of these numbers buckets.
pub const RECENCY_BITS: std::ops::RangeInclusive<u32> = 12..=20;

/// A source that was modified at most this long before it was cached may change again and keep its modification
/// time, in nanoseconds.
pub const RACY_NS: u64 = 20_000_000;

/// Largest source file that is read to compare it with a racy validator, in bytes.
pub const MAX_RACY_SOURCE_BYTES: u64 = 64 << 20;

/// Most temporary files of dead processes that one sweep looks at.
pub const MAX_SWEEP: usize = 256;

/// Least number of bytes by which a mapping is larger than its file, so that a file that grows need not be
/// mapped again soon.
pub const MAP_RESERVE: u64 = 64 << 20;

/// A window starts at a multiple of this many bytes. If windows were larger, V8 would collect garbage for each.
pub const WINDOW_STRIDE: u64 = 4 << 20;

/// Most bytes of an ordinary window. It reaches into the next stride, so that most entries that start near the
/// end of a stride fit. An entry that reaches farther gets a window of its own.
pub const WINDOW_LEN: u64 = WINDOW_STRIDE + (1 << 20);

/// Most bytes of ordinary windows that one handle lends of a file. Other entries are copied: V8 counts
/// windows as memory, and with some gigabytes of them it would collect garbage all the time.
pub const MAX_LENT_BYTES: u64 = 1 << 30;

/// Most outputs of one artifact.
pub const MAX_OUTPUTS: usize = 16_384;

/// Most bytes of row blocks, behind the outputs of a payload file, that are read.
pub const MAX_ROW_BLOCKS_BYTES: u64 = 4 * DEFAULT_MAX_ENTRY_BYTES;

/// Default of an artifact store's `maxBytes`, which a flush brings it back under.
pub const DEFAULT_ARTIFACT_BYTES: u64 = 5 << 30;

/// Least time between two attempts to compare an artifact store's rows with its payloads, if other writers keep
/// the comparison from finishing, in milliseconds.
pub const COMPARE_PAUSE_MS: u64 = 60_000;

/// Most uses that an artifact store remembers exactly. With one more, all are left to the recency table.
pub const MAX_EXACT_USES: usize = 1 << 16;

/// Corrupt records that a verify report lists one by one.
pub const MAX_REPORTED: usize = 1000;

/// Longest name of a content file, in bytes. A temporary name is longer and must still fit into the 255 bytes that file
/// systems allow.
pub const MAX_BLOB_NAME_BYTES: usize = 200;

/// Most files that one walk over a folder returns.
pub const MAX_WALK: usize = 1 << 20;

/// Most content files that may wait to be synced. Publishing one more first syncs all of them.
pub const MAX_PENDING_FILES: usize = 1 << 16;

/// Most content files that are synced in parallel.
pub const MAX_PARALLEL_SYNCS: usize = 16;

/// Most sources whose canonical paths one script cache remembers. With one more, all are forgotten.
pub const MAX_KNOWN_SOURCES: usize = 65_536;

/// Most missed sources whose state one script cache remembers until they are saved. With one more, all are
/// forgotten, and an artifact that is saved later belongs to the source's state at that time.
pub const MAX_MISSED_SOURCES: usize = 65_536;

/// Largest source of a module that a program cache stores, in bytes.
pub const MAX_PROGRAM_SOURCE: u64 = 32 << 20;

/// Most modules and resolutions that one process records before it publishes them.
pub const MAX_PENDING_MODULES: usize = 1 << 16;

/// Most bytes of text and code that one process records before it publishes them. Further modules are not recorded.
pub const MAX_PENDING_BYTES: usize = 256 << 20;

/// Most facts that one module or resolution may depend on.
pub const MAX_FACTS: usize = 256;

/// Most folders, and most manifests, that one program cache remembers.
pub const MAX_KNOWN_FOLDERS: usize = 65_536;

/// Largest artifact of a pipeline cache, in bytes.
pub const MAX_ARTIFACT_BYTES: u64 = 64 << 20;

/// Default of a pipeline cache's `maxBytes`, which bounds its folder.
pub const DEFAULT_PIPELINE_BYTES: u64 = 1 << 30;

/// Payloads of at least this many bytes are mapped and lent. For smaller ones a mapping costs more than
/// reading a copy.
pub const MAP_BLOB_BYTES: usize = 256 << 10;

/// While a process has this many windows lent, further payloads are read and not lent. Systems allow a
/// process some 65,000 mappings; once they are used up, its next allocation can fail and end it.
pub const MAX_LENT_WINDOWS: usize = 1 << 13;
