//! Single changes. Each is one frame that needs no commit frame; its cost does not depend on the shard's size.

use super::append::{Appender, shrink, write_snapshot};
use super::{PutMeta, Shard};
use crate::clock::now_ns;
use crate::error::{Error, Result};
use crate::frame::RecordFields;
use crate::header::Header;
use crate::key;
use crate::limits::{HEADER_LEN, MAX_PARTS, MAX_SIDECAR_RETRIES, TAIL_BYTES, TAIL_ENTRIES};
use crate::sidecar::{Durable, Sidecar};
use crate::state::{Found, Loading, State, is_racy, source_digest_of};
use crate::storage::{File, Open};
use crate::validator::{SOURCE_DIGEST_LEN, Stored, Validator};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

impl Shard {
    /// Stores an entry. If the producer could not be identified, nothing is stored, and that is counted.
    ///
    /// # Errors
    /// `InvalidKey`, `InvalidArg`, `TooLarge`, `ReadOnly`, `LockTimeout`, `Io`, `NoSpace`; then the entry
    /// is not stored.
    pub fn put(&mut self, key: &[u8], parts: &[&[u8]], meta: PutMeta<'_>) -> Result<()> {
        key::stored(key, self.options.root.as_ref())?;
        self.check_entry(parts)?;
        let encoded;
        let validator = if matches!(meta.validator, Validator::None) {
            &Stored::NONE
        } else {
            encoded = self.encode_validator(key, &meta.validator)?;
            &encoded
        };
        self.put_stored(key, parts, validator, meta.expires_ms)
    }

    /// The same with a validator in its stored form, for callers that have already decided whether it
    /// is racy.
    pub(crate) fn put_stored(
        &mut self,
        key: &[u8],
        parts: &[&[u8]],
        validator: &Stored,
        expires_ms: u64,
    ) -> Result<()> {
        let stored = key::stored(key, self.options.root.as_ref())?;
        self.check_entry(parts)?;
        if self.options.read_only {
            return Err(Error::ReadOnly(self.path.clone()));
        }
        let Some(producer) = self.options.producer.id() else {
            self.changes.rejected_puts.add(1);
            return Ok(());
        };
        let patience = self.patience();
        self.in_swift_lock(&patience, |shard| {
            shard.put_locked(&stored, parts, producer, validator, expires_ms)
        })?;
        self.changes.puts.add(1);
        self.compact_in_background(&patience);
        Ok(())
    }

    /// Deletes this producer's entry of a key. Returns whether there was one, expired or not.
    ///
    /// # Errors
    /// `InvalidKey`, `ReadOnly`, `LockTimeout`, `Io`, `NoSpace`.
    pub fn delete(&mut self, key: &[u8]) -> Result<bool> {
        let stored = key::stored(key, self.options.root.as_ref())?;
        if self.options.read_only {
            return Err(Error::ReadOnly(self.path.clone()));
        }
        let Some(producer) = self.options.producer.id() else {
            return Ok(false);
        };
        let patience = self.patience();
        let done = self.in_swift_lock(&patience, |shard| shard.delete_locked(&stored, producer))?;
        if done {
            self.changes.deletes.add(1);
            self.compact_in_background(&patience);
        }
        Ok(done)
    }

    /// Checks the parts of an entry against this handle's limits, before anything is allocated.
    pub(crate) fn check_entry(&self, parts: &[&[u8]]) -> Result<()> {
        if parts.len() != self.options.part_count || parts.len() > MAX_PARTS {
            return Err(Error::InvalidArg(format!(
                "an entry of this shard has {} part(s), not {}",
                self.options.part_count,
                parts.len()
            )));
        }
        let size = parts.iter().fold(0u64, |sum, p| sum.saturating_add(p.len() as u64));
        if size > self.options.max_entry_bytes {
            return Err(Error::TooLarge {
                what: "the entry",
                size,
                limit: self.options.max_entry_bytes,
                remedy: "raise maxEntryBytes, or keep the value in a file of its own",
            });
        }
        Ok(())
    }

    /// The stored form of a validator. If the source was modified a moment ago, it may change again and
    /// keep its modification time; then the validator becomes racy, with a digest of the source.
    pub(super) fn encode_validator(&self, key: &[u8], validator: &Validator<'_>) -> Result<Stored> {
        let mut stored = validator.encode()?;
        if let Validator::Mtime { sec, nsec, .. } = *validator
            && key.first() == Some(&b'/')
            && is_racy(sec, nsec, now_ns())
        {
            let path = std::str::from_utf8(key).ok().map(Path::new);
            match path.and_then(source_digest_of) {
                Some(digest) => stored.make_racy(&digest),
                // The source exists but is too large or cannot be read: zeros match no content.
                None if path.is_some_and(Path::exists) => stored.make_racy(&[0; SOURCE_DIGEST_LEN]),
                None => {}
            }
        }
        Ok(stored)
    }

    fn put_locked(
        &mut self,
        key: &[u8],
        parts: &[&[u8]],
        producer: u64,
        v: &Stored,
        expires_ms: u64,
    ) -> Result<()> {
        self.ensure_file()?;
        let generation = self.next_generation();
        let Some(state) = self.state.as_deref_mut() else {
            return Ok(());
        };
        let hash = state.keys.hash(key);
        let host = Arc::clone(&self.options.producer);
        let fields = RecordFields {
            key,
            key_hash: hash,
            producer,
            name: &host.name,
            version: &host.version,
            validator_kind: v.kind(),
            validator: v.bytes(),
            parts,
            expires_ms,
            cached_ns: now_ns(),
        };
        self.append_one(&fields, false, generation)
    }

    fn delete_locked(&mut self, key: &[u8], producer: u64) -> Result<bool> {
        let generation = self.next_generation();
        let Some(state) = self.state.as_deref_mut() else {
            return Ok(false);
        };
        let hash = state.keys.hash(key);
        let found = state.find(key, hash, producer, &mut self.scratch);
        state.view.could_read()?;
        if !matches!(found, Found::Record(_)) {
            return Ok(false);
        }
        self.append_one(&tombstone_fields(key, hash, producer), true, generation)?;
        Ok(true)
    }

    /// Appends and publishes one frame.
    fn append_one(&mut self, fields: &RecordFields<'_>, tombstone: bool, generation: u64) -> Result<()> {
        let Some(state) = self.state.as_deref_mut() else {
            return Ok(());
        };
        let end = state.end;
        let mut appender = Appender::new(state, &mut self.buffer, generation);
        let settled = appender.push(fields, tombstone, false).and_then(|()| appender.settle_one());
        shrink(&mut self.buffer);
        match settled {
            Ok(entry) => {
                if let (Some(entry), Some(state)) = (entry, self.state.as_deref_mut()) {
                    state.remember(entry, &mut self.scratch);
                }
                self.finish_append(end, 1)
            }
            Err(error) => {
                self.take_back(end);
                Err(error)
            }
        }
    }

    /// Cuts off what a failed append has written behind the published end.
    pub(super) fn take_back(&mut self, end: u64) {
        let mut wrote = false;
        if let Some(state) = self.state.as_deref_mut() {
            state.view.extend_written(end);
            let file = state.view.file();
            wrote = file.identity().map_or(true, |there| there.len > end);
            let _ = file.set_len(end);
        }
        // Its frames may have reached the disk all the same, and after a power cut they may be found between those that
        // were written over them. So no other change may have their generation.
        if let Some(sidecar) = self.sidecar.as_ref().filter(|_| wrote) {
            sidecar.skip_to(self.next_generation());
        }
        // The index may contain the failed change, so the file is read again.
        self.know(u64::MAX);
        self.let_go();
        self.seen = None;
    }

    /// Syncs appended frames if each change must be durable, publishes them, and writes an index snapshot
    /// if the tail is long. The frames, which begin at `from`, are in this handle's index already.
    pub(super) fn finish_append(&mut self, from: u64, frames: u64) -> Result<()> {
        self.wrote = true;
        let read = self.state.as_ref().map_or(Ok(()), |s| s.view.could_read());
        let synced = read.and_then(|()| if self.options.sync_each { self.sync_file() } else { Ok(()) });
        let published = synced.and_then(|()| self.publish(frames));
        if published.is_err() {
            self.take_back(from);
        }
        published?;
        if self.options.sync_each {
            self.note_durable();
        }
        if self.tail_is_long() {
            // The entry is stored. If the index cannot be written, only opening becomes slower.
            let _ = self.write_snapshot();
        }
        Ok(())
    }

    pub(super) fn publish(&mut self, frames: u64) -> Result<()> {
        if let (Some(state), Some(sidecar)) = (&self.state, &self.sidecar) {
            sidecar.publish(&state.published(), frames);
            sidecar.could_reach()?;
            let generation = state.generation;
            self.know(generation);
        }
        Ok(())
    }

    pub(super) fn tail_is_long(&self) -> bool {
        self.state.as_ref().is_some_and(|s| {
            s.tail.len() >= TAIL_ENTRIES
                || (!s.tail.is_empty() && s.end.saturating_sub(s.tail_from) >= TAIL_BYTES)
        })
    }

    /// Writes and publishes an index snapshot. The caller holds the lock.
    pub(super) fn write_snapshot(&mut self) -> Result<()> {
        let Some(state) = self.state.as_deref_mut() else {
            return Ok(());
        };
        let end = state.end;
        let done = write_snapshot(state, &[], &mut self.buffer, &mut self.scratch);
        match done {
            Ok(()) => {
                let published = self.publish(0);
                self.unless_unknown(published)
            }
            Err(_) => {
                state.view.extend_written(end);
                let _ = state.view.file().set_len(end);
                done
            }
        }
    }

    pub(super) fn next_generation(&self) -> u64 {
        let page = self.sidecar.as_ref().map_or(0, |s| s.credible_generation());
        self.state.as_ref().map_or(0, |s| s.generation).max(page).max(self.highest).saturating_add(1)
    }

    /// Creates the shard file if there is none, or if the one at the path reads as empty.
    pub(super) fn ensure_file(&mut self) -> Result<()> {
        if self.state.is_some() {
            return Ok(());
        }
        // An empty file changes nothing for readers, so it has the current generation.
        let generation = self.next_generation().saturating_sub(1);
        let (path, state) = self.new_file(generation)?;
        let renamed = self.storage.rename(&path, &self.path);
        if renamed.is_err() {
            let _ = self.storage.remove(&path);
        }
        renamed?;
        let durable = Durable { dir_pending: true, ..Durable::default() };
        self.take_file(state, &durable)
    }

    /// Creates a new file under a temporary name, with a header only, and locks it.
    pub(super) fn new_file(&self, generation: u64) -> Result<(PathBuf, Box<State>)> {
        let digest =
            self.options.digest.clone().or_else(|| self.state.as_ref().map(|s| s.header.digest.clone()));
        let header = Header::new(digest.unwrap_or(crate::digest::Digest::Xxh3), generation)
            .map_err(|error| error.about(&self.path))?;
        let header = Header { kind: self.options.kind, ..header };
        let (path, file) = self.make_temporary(&header.shard_id)?;
        let made = self.fill_new_file(&path, file, &header);
        if made.is_err() {
            let _ = self.storage.remove(&path);
        }
        made.map(|state| (path, state))
    }

    /// Creates and locks a temporary file. Containers that share a folder may have equal process ids,
    /// so a part of the shard's random id is in the name as well.
    fn make_temporary(&self, shard_id: &[u8; 16]) -> Result<(PathBuf, Arc<dyn File>)> {
        static COUNTER: AtomicU64 = AtomicU64::new(0);
        let random = shard_id.iter().take(4).fold(0u64, |n, b| n << 8 | u64::from(*b));
        let mut path = PathBuf::new();
        for _ in 0..MAX_SIDECAR_RETRIES {
            let number = COUNTER.fetch_add(1, Ordering::Relaxed);
            let mut name = self.path.as_os_str().to_owned();
            name.push(format!(".tmp.{}.{number}.{random:08x}", std::process::id()));
            path = PathBuf::from(name);
            let Some(file) = self.storage.open(&path, Open::CreateNew)? else {
                break;
            };
            // The lock keeps other processes from sweeping the file. One may have removed it before it was locked.
            let locked = file.try_lock()?;
            let there = self.storage.identity(&path)?;
            if locked && there.is_some_and(|t| file.identity().is_ok_and(|i| i.same_file(&t))) {
                return Ok((path, file));
            }
        }
        Err(Error::io("open", &path, std::io::ErrorKind::NotFound.into()))
    }

    fn fill_new_file(&self, path: &Path, file: Arc<dyn File>, header: &Header) -> Result<Box<State>> {
        let host = &self.options.producer;
        file.write_at(&header.encode(&host.name, &host.version), 0)?;
        let mapped = self.options.mapped && file.maps_are_coherent();
        match State::open(file, mapped, header.kind, Some(&header.digest))? {
            Loading::Loaded(state) => Ok(state),
            Loading::Rejected(_) => Err(Error::io("read", path, std::io::ErrorKind::InvalidData.into())),
        }
    }

    /// Uses a file that was just renamed into place, and publishes it.
    ///
    /// # Errors
    /// `Io` if the page could not be written. Then the next handle examines the file itself.
    pub(super) fn take_file(&mut self, mut state: Box<State>, durable: &Durable) -> Result<()> {
        self.rejected = None;
        self.seen = Some(state.identity);
        self.lender.forget();
        if let Some(sidecar) = &self.sidecar {
            state.epoch = Some(sidecar.publish_file(&state.published(), durable));
        }
        self.know(state.generation);
        if let Some(old) = self.state.replace(state) {
            // Other processes may be waiting for the lock on the old file, and lent windows would keep it locked.
            old.view.file().unlock();
        }
        self.wrote = true;
        debug_assert!(self.state.as_ref().is_some_and(|s| s.end >= HEADER_LEN));
        // A failed sync concerned the old file.
        self.untold_failure = false;
        let told = self.sidecar.as_ref().map_or(Ok(()), Sidecar::could_reach);
        self.unless_unknown(told)
    }
}

/// The content of a tombstone.
pub(super) fn tombstone_fields(key: &[u8], key_hash: u64, producer: u64) -> RecordFields<'_> {
    RecordFields {
        key,
        key_hash,
        producer,
        name: "",
        version: "",
        validator_kind: 0,
        validator: &[],
        parts: &[],
        expires_ms: 0,
        cached_ns: now_ns(),
    }
}
