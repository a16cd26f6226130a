//! Batches: many changes that become visible together, as frames, one commit frame and one publish.

use super::append::{Appender, shrink, write_snapshot};
use super::put::tombstone_fields;
use super::{Job, Patience, PutMeta, Shard};
use crate::clock::now_ns;
use crate::error::Result;
use crate::frame::RecordFields;
use crate::key;
use crate::limits::TAIL_ENTRIES;
use crate::state::Found;
use crate::validator::{Stored, Validator};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;

/// Takes the changes of a batch.
pub struct Batch<'a, 'b> {
    pub(super) shard: &'a BatchContext<'a>,
    pub(super) appender: &'a mut Appender<'b>,
    job: &'a Job,
    /// Entries that were not stored because the producer could not be identified.
    pub(super) rejected: u64,
    /// The time that entries get. It is read once for each piece.
    cached_ns: u64,
    /// Where the piece begins for which that time was read.
    cached_at: u64,
}

/// What a batch needs from its shard while the appender has the shard's state.
pub(super) struct BatchContext<'a> {
    pub shard: &'a Shard,
    pub producer: Option<u64>,
    pub seed: u64,
    /// Whether the frames need a commit frame. They do not in a new file that is not at the path yet.
    pub in_batch: bool,
}

impl<'a, 'b> Batch<'a, 'b> {
    pub(super) fn new(shard: &'a BatchContext<'a>, appender: &'a mut Appender<'b>, job: &'a Job) -> Self {
        Batch { shard, appender, job, rejected: 0, cached_ns: 0, cached_at: 0 }
    }

    /// Adds an entry.
    ///
    /// # Errors
    /// `InvalidKey`, `InvalidArg`, `TooLarge`, `Io`, `NoSpace`, `Aborted`. If the caller returns the
    /// error, nothing of the batch is published.
    pub fn put(&mut self, key: &[u8], parts: &[&[u8]], meta: PutMeta<'_>) -> Result<()> {
        self.put_by(key, parts, None, meta).map(drop)
    }

    /// The same for an entry of one part, which may be copied later, by another thread: `value` must stay unchanged until
    /// the whole batch has returned, with success or an error. Returns whether it was copied already.
    ///
    /// # Errors
    /// As `put`.
    pub fn put_lent(&mut self, key: &[u8], value: &'static [u8], meta: PutMeta<'_>) -> Result<bool> {
        self.put_by(key, &[value], Some(value), meta)
    }

    fn put_by(
        &mut self,
        key: &[u8],
        parts: &[&[u8]],
        lent: Option<&'static [u8]>,
        meta: PutMeta<'_>,
    ) -> Result<bool> {
        self.job.step()?;
        let shard = self.shard.shard;
        let stored = key::stored(key, shard.options.root.as_ref())?;
        shard.check_entry(parts)?;
        // Entries of large batches rarely have a validator, and encoding one would add a tenth to the cost of an entry.
        let encoded;
        let validator = if matches!(meta.validator, Validator::None) {
            &Stored::NONE
        } else {
            encoded = shard.encode_validator(key, &meta.validator)?;
            &encoded
        };
        let Some(producer) = self.shard.producer else {
            self.rejected = self.rejected.saturating_add(1);
            shard.changes.rejected_puts.add(1);
            return Ok(true);
        };
        let host = &shard.options.producer;
        if self.cached_at != self.appender.piece() {
            self.cached_at = self.appender.piece();
            self.cached_ns = now_ns();
        }
        let fields = RecordFields {
            key: &stored,
            key_hash: key::hash(&stored, self.shard.seed),
            producer,
            name: &host.name,
            version: &host.version,
            validator_kind: validator.kind(),
            validator: validator.bytes(),
            parts,
            expires_ms: meta.expires_ms,
            cached_ns: self.cached_ns,
        };
        match lent {
            Some(value) => self.appender.push_lent(&fields, value, self.shard.in_batch),
            None => self.appender.push(&fields, false, self.shard.in_batch).map(|()| true),
        }
    }

    /// Deletes this producer's entry of a key, if there is one.
    ///
    /// # Errors
    /// As `put`.
    pub fn delete(&mut self, key: &[u8]) -> Result<()> {
        self.job.step()?;
        let shard = self.shard.shard;
        let stored = key::stored(key, shard.options.root.as_ref())?;
        let Some(producer) = self.shard.producer else {
            return Ok(());
        };
        let hash = key::hash(&stored, self.shard.seed);
        self.appender.push(&tombstone_fields(&stored, hash, producer), true, self.shard.in_batch)
    }
}

impl Shard {
    /// Lets `fill` make a batch, and publishes all of it or nothing. Returns the number of its changes. An empty batch
    /// writes nothing. If the producer could not be identified, nothing is stored, and that is counted.
    ///
    /// # Errors
    /// What `fill` returns; `ReadOnly`, `LockTimeout`, `Io`, `NoSpace`.
    pub fn merge_in<F>(&mut self, job: &Job, fill: F) -> Result<u64>
    where
        F: FnOnce(&mut Batch<'_, '_>) -> Result<()>,
    {
        self.merge_within(&self.patience(), job, fill)
    }

    /// The same as part of a longer call.
    pub(crate) fn merge_within<F>(&mut self, patience: &Patience, job: &Job, fill: F) -> Result<u64>
    where
        F: FnOnce(&mut Batch<'_, '_>) -> Result<()>,
    {
        self.in_lock(patience, |shard| {
            shard.ensure_file()?;
            shard.append_batch(|shard, appender| {
                let context = BatchContext {
                    shard,
                    producer: shard.options.producer.id(),
                    seed: appender.state.header.seed,
                    in_batch: true,
                };
                fill(&mut Batch::new(&context, appender, job))
            })
        })
        .inspect(|added| {
            self.changes.puts.add(*added);
            self.compact_in_background(patience);
        })
    }

    /// Deletes entries, given by stored key, producer and offset, if they are still at these offsets. Returns how many
    /// were.
    pub(super) fn delete_places(
        &mut self,
        doomed: &[(Vec<u8>, u64, u64)],
        job: &Job,
        patience: &Patience,
    ) -> Result<u64> {
        if doomed.is_empty() {
            return Ok(0);
        }
        self.in_lock(patience, |shard| {
            let Some(state) = shard.state.as_deref() else {
                return Ok(0);
            };
            let seed = state.header.seed;
            let mut still = Vec::new();
            for (key, producer, place) in doomed {
                let hash = key::hash(key, seed);
                if state.find(key, hash, *producer, &mut shard.scratch) == Found::Record(*place) {
                    still.push((key, hash, *producer));
                }
            }
            shard.append_batch(|_, appender| {
                for (key, hash, producer) in &still {
                    job.step()?;
                    appender.push(&tombstone_fields(key, *hash, *producer), true, true)?;
                }
                Ok(())
            })
        })
    }

    /// Runs a change with the lock held. The lock is released even if the caller's code in the change
    /// panics, because a host may catch the panic and go on.
    pub(super) fn in_lock<T>(
        &mut self,
        patience: &Patience,
        change: impl FnOnce(&mut Self) -> Result<T>,
    ) -> Result<T> {
        self.lock(patience)?;
        let file = self.state.as_ref().map(|s| Arc::clone(s.view.file()));
        let done = catch_unwind(AssertUnwindSafe(|| change(self)));
        if let Some(file) = file {
            file.unlock();
        }
        self.unlock();
        done.unwrap_or_else(|panic| {
            // The state may be lost; the next call reads the file again.
            self.know(u64::MAX);
            resume_unwind(panic)
        })
    }

    fn append_batch<F>(&mut self, fill: F) -> Result<u64>
    where
        F: FnOnce(&Shard, &mut Appender<'_>) -> Result<()>,
    {
        let generation = self.next_generation();
        // State and buffer are taken out so that `fill` can borrow the rest of the handle.
        let Some(mut state) = self.state.take() else {
            return Ok(0);
        };
        let mut buffer = std::mem::take(&mut self.buffer);
        let end = state.end;
        let mut appender = Appender::new(&mut state, &mut buffer, generation);
        let filled = fill(self, &mut appender);
        let frames = appender.len() as u64;
        let settled = filled.and_then(|()| {
            if frames == 0 {
                return Ok(Vec::new());
            }
            appender.commit_frame();
            appender.settle()
        });
        let done = match settled {
            Ok(newest) => {
                let mut indexed = newest.is_empty();
                if newest.len().saturating_add(state.tail.len()) >= TAIL_ENTRIES {
                    let behind = state.end;
                    indexed = write_snapshot(&mut state, &newest, &mut buffer, &mut self.scratch).is_ok();
                    if !indexed {
                        state.view.extend_written(behind);
                        let _ = state.view.file().set_len(behind);
                    }
                }
                if !indexed {
                    for entry in newest {
                        state.remember(entry, &mut self.scratch);
                    }
                }
                Ok(())
            }
            Err(error) => Err(error),
        };
        shrink(&mut buffer);
        self.buffer = buffer;
        self.state = Some(state);
        match done {
            Ok(()) if frames == 0 => Ok(0),
            Ok(()) => self.finish_append(end, frames).map(|()| frames),
            Err(error) => {
                self.take_back(end);
                Err(error)
            }
        }
    }
}
