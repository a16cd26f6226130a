//! Compaction: rewrites the live entries into a new file, and brings its size back under `maxBytes`.
//!
//! Most entries are copied without the lock, while others read and write. What is appended meanwhile is
//! copied in rounds. The last round is made under the lock, which is held only for that round, a sync of
//! its bytes, and a rename.

use super::append::{Appender, shrink, write_snapshot};
use super::put::tombstone_fields;
use super::{Job, Patience, Shard};
use crate::clock::now_ms;
use crate::error::{Error, Result};
use crate::frame::{HEAD_LEN, Head, RECORD, TOMBSTONE};
use crate::index::Entry;
use crate::key;
use crate::limits::{COMPACT_LOCKED_BYTES, COMPACT_ROUNDS, HEADER_LEN};
use crate::state::State;
use crate::state::scan::{Scan, Step};

/// What a compaction did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CompactReport {
    /// Bytes of the file before.
    pub bytes_before: u64,
    /// Bytes of the file after.
    pub bytes_after: u64,
    /// Entries copied.
    pub kept: u64,
    /// Entries dropped because they had expired.
    pub expired: u64,
    /// Entries dropped because their digest failed.
    pub corrupt: u64,
    /// Entries dropped to come under `maxBytes`: other producers' first, then the least recently used.
    pub evicted: u64,
    /// Whether the file was replaced. It is not if there is none, or if another handle replaced or recovered it meanwhile.
    pub replaced: bool,
}

/// A live entry that may be kept.
struct Candidate {
    entry: Entry,
    head: Head,
    used_ms: u64,
}

impl Shard {
    /// Rewrites the live entries into a new file and puts it in place.
    ///
    /// # Errors
    /// `ReadOnly`, `LockTimeout`, `Io`, `NoSpace`, `Aborted`; then the shard is as before.
    pub fn compact(&mut self, job: &Job) -> Result<CompactReport> {
        self.compact_within(job, &self.patience())
    }

    /// The same as part of a longer call.
    pub(super) fn compact_within(&mut self, job: &Job, patience: &Patience) -> Result<CompactReport> {
        if self.options.read_only {
            return Err(Error::ReadOnly(self.path.clone()));
        }
        self.must_catch_up()?;
        let Some(old) = self.state.take() else {
            return Ok(CompactReport::default());
        };
        let generation = old.generation;
        let started = self.new_file_like(&old, generation);
        let (path, mut new) = match started {
            Ok(it) => it,
            Err(e) => {
                self.state = Some(old);
                return Err(e);
            }
        };
        let mut report = CompactReport { bytes_before: old.end, ..CompactReport::default() };
        let mut old = Some(old);
        let done = self.copy_bulk(&mut old, &mut new, &mut report, job);
        self.state = old;
        let done = done.and_then(|()| self.catch_up_and_install(&path, new, &mut report, job, patience));
        if !matches!(done, Ok(true)) {
            let _ = self.storage.remove(&path);
        }
        report.replaced = done?;
        report.bytes_after = self.state.as_ref().map_or(0, |s| s.end);
        let dropped = report.expired.saturating_add(report.corrupt).saturating_add(report.evicted);
        self.changes.evictions.add(dropped);
        self.changes.compactions.add(u64::from(report.replaced));
        Ok(report)
    }

    fn new_file_like(&mut self, old: &State, generation: u64) -> Result<(std::path::PathBuf, Box<State>)> {
        let digest = self.options.digest.replace(old.header.digest.clone());
        let made = self.new_file(generation);
        self.options.digest = digest;
        made
    }

    fn copy_bulk(
        &mut self,
        old: &mut Option<Box<State>>,
        new: &mut State,
        report: &mut CompactReport,
        job: &Job,
    ) -> Result<()> {
        let Some(old) = old.as_deref_mut() else {
            return Ok(());
        };
        old.view.ask_again();
        let keep = self.choose(old, report);
        old.view.could_read()?;
        job.expect(keep.len() as u64);
        let mut buffer = Vec::new();
        let mut scratch = Vec::new();
        let mut appender = Appender::new(new, &mut buffer, old.generation);
        for candidate in &keep {
            job.step()?;
            if copy_frame(old, candidate.entry.place.offset(), &candidate.head, &mut appender, &mut scratch)?
            {
                report.kept = report.kept.saturating_add(1);
            } else {
                report.corrupt = report.corrupt.saturating_add(1);
            }
        }
        let newest = appender.settle()?;
        if !newest.is_empty() {
            write_snapshot(new, &newest, &mut buffer, &mut self.scratch)?;
        }
        shrink(&mut buffer);
        old.view.could_read()?;
        // Sync the bulk here, without the lock, so that the sync under the lock is short.
        new.view.file().sync()
    }

    /// The entries to keep, in the order of the file.
    fn choose(&mut self, old: &State, report: &mut CompactReport) -> Vec<Candidate> {
        let now = now_ms();
        let mut keep: Vec<Candidate> = Vec::new();
        for entry in old.live(&mut self.scratch) {
            let Some(head) = old.head_at(entry.place.offset(), &mut self.scratch) else {
                report.corrupt = report.corrupt.saturating_add(1);
                continue;
            };
            let expires = head.expires_ms.get();
            if expires != 0 && expires <= now {
                report.expired = report.expired.saturating_add(1);
                continue;
            }
            let last = self.sidecar.as_ref().map_or(0, |s| s.last_used_ms(entry.hash));
            let used_ms = last.max(head.cached_ns.get() / 1_000_000);
            keep.push(Candidate { entry, head, used_ms });
        }
        self.evict_to_budget(&mut keep, report);
        keep.sort_unstable_by_key(|c| c.entry.place.offset());
        keep
    }

    /// If the entries need more than `maxBytes`, drops other producers' entries, then the least recently
    /// used ones, until an eighth of `maxBytes` is free for new entries.
    fn evict_to_budget(&self, keep: &mut Vec<Candidate>, report: &mut CompactReport) {
        // More than an entry's slot and hash take in the new file.
        const INDEX_BYTES: u64 = 24;
        let cost = |c: &Candidate| c.head.length.get().saturating_add(INDEX_BYTES);
        let mut total = keep.iter().fold(HEADER_LEN, |sum, c| sum.saturating_add(cost(c)));
        if total <= self.options.max_bytes {
            return;
        }
        let budget = self.options.max_bytes.saturating_sub(self.options.max_bytes / 8);
        let ours = self.options.producer.id();
        keep.sort_unstable_by_key(|c| {
            (Some(c.head.producer.get()) == ours, c.used_ms, c.head.cached_ns.get(), c.entry.place.offset())
        });
        let mut drop = 0;
        for candidate in keep.iter() {
            if total <= budget {
                break;
            }
            total = total.saturating_sub(cost(candidate));
            drop = usize::saturating_add(drop, 1);
        }
        keep.drain(..drop);
        report.evicted = report.evicted.saturating_add(drop as u64);
    }

    /// Copies what was appended meanwhile, then takes the lock, copies the rest and puts the new file in
    /// place. Returns `false` if another handle has replaced or recovered the file meanwhile.
    fn catch_up_and_install(
        &mut self,
        path: &std::path::Path,
        mut new: Box<State>,
        report: &mut CompactReport,
        job: &Job,
        patience: &Patience,
    ) -> Result<bool> {
        let Some((id, mut done_to)) = self.state.as_ref().map(|s| (source_of(s), s.end)) else {
            return Ok(false);
        };
        for _ in 0..COMPACT_ROUNDS {
            job.check()?;
            self.catch_up();
            match self.copy_news(id, done_to, &mut new, report)? {
                Some(to) if to.saturating_sub(done_to) <= COMPACT_LOCKED_BYTES => {
                    done_to = to;
                    break;
                }
                Some(to) => done_to = to,
                None => return Ok(false),
            }
        }
        self.in_lock(patience, |shard| {
            if shard.copy_news(id, done_to, &mut new, report)?.is_none() {
                return Ok(false);
            }
            new.generation = shard.next_generation();
            shard.install(path, new)?;
            Ok(true)
        })
    }

    /// Copies the frames behind `from`. Returns where they end, or `None` if the file was replaced or recovered.
    fn copy_news(
        &mut self,
        id: Source,
        from: u64,
        new: &mut State,
        report: &mut CompactReport,
    ) -> Result<Option<u64>> {
        let Some(old) = self.state.take() else {
            return Ok(None);
        };
        if source_of(&old) != id {
            self.state = Some(old);
            return Ok(None);
        }
        let done = copy_tail(&old, from, old.generation, new, report, &mut self.scratch);
        let end = old.end;
        self.state = Some(old);
        done.map(|_| Some(end))
    }
}

/// Identifies what offsets refer to: a file, until it is replaced, or recovered and thereby perhaps cut.
type Source = ([u8; 16], Option<u64>);

fn source_of(state: &State) -> Source {
    (state.header.shard_id, state.epoch)
}

/// Copies the undamaged records and tombstones behind `from` to the end of another file, without
/// publishing them. Returns the number of frames written.
pub(super) fn copy_tail(
    old: &State,
    from: u64,
    generation: u64,
    new: &mut State,
    report: &mut CompactReport,
    scratch: &mut crate::state::Scratch,
) -> Result<u64> {
    let mut buffer = Vec::new();
    let mut bytes = Vec::new();
    let mut appender = Appender::new(new, &mut buffer, generation);
    for step in Scan::new(&old.view, &old.sealer, from, old.end) {
        if matches!(step.head.kind, RECORD | TOMBSTONE)
            && !copy_frame(old, step.offset, &step.head, &mut appender, &mut bytes)?
        {
            report.corrupt = report.corrupt.saturating_add(1);
            bury(old, &step, &mut appender, &mut bytes)?;
        }
    }
    old.view.could_read()?;
    let frames = appender.len() as u64;
    if frames == 0 {
        return Ok(0);
    }
    for entry in appender.settle()? {
        new.remember(entry, scratch);
    }
    Ok(frames)
}

/// Writes a tombstone instead of a damaged record, so that an older record of the same key, which may
/// have been copied already, does not become valid again.
fn bury(old: &State, step: &Step, appender: &mut Appender<'_>, scratch: &mut Vec<u8>) -> Result<()> {
    let head = &step.head;
    let key = old
        .view
        .get(step.offset, head.layout().key_end, scratch)
        .and_then(|f| f.get(HEAD_LEN..))
        .filter(|k| key::hash(k, old.header.seed) == head.key_hash.get());
    let Some(key) = key else { return Ok(()) };
    let hash = key::hash(key, appender.state.header.seed);
    appender.push(&tombstone_fields(key, hash, head.producer.get()), true, false)
}

/// Copies one frame if its digest agrees. Returns whether it was copied.
fn copy_frame(
    old: &State,
    offset: u64,
    head: &Head,
    appender: &mut Appender<'_>,
    scratch: &mut Vec<u8>,
) -> Result<bool> {
    let Ok(len) = usize::try_from(head.length.get()) else {
        return Ok(false);
    };
    let Some(frame) = old.view.get(offset, len, scratch) else {
        return Ok(false);
    };
    if !old.sealer.verify(frame, offset) {
        return Ok(false);
    }
    let Some(stored) = frame.get(HEAD_LEN..head.layout().key_end) else {
        return Ok(false);
    };
    let hash = key::hash(stored, appender.state.header.seed);
    appender.adopt(frame, hash, head.kind == TOMBSTONE)?;
    Ok(true)
}
