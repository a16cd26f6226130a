//! The script cache: what was compiled from a source file, under the file's canonical path.
//!
//! A policy over one shard of the kind [`Kind::Script`](crate::kind::Kind). `load` determines the source's
//! canonical path and state itself. `save` is best effort, and must never store under another state of the
//! source than the one that the caller compiled. Therefore a miss remembers the state: what the caller reads
//! next is this state or a later one, and `save` detects a later one.

mod missed;
mod paths;
mod source;

use crate::clock::now_ns;
use crate::error::{Code, Error, Result};
use crate::shard::{PutMeta, Shard};
use crate::state::{Lookup, source_digest_of};
use crate::validator::Validator;
use missed::{Miss, Missed};
use paths::{Found, Paths, SourceDigest};
use std::ffi::{CStr, OsStr};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// What must be equal for an entry to be a hit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Validate {
    /// The source's modification time and size.
    #[default]
    Mtime,
    /// An XXH3-128 digest of the source's content.
    Content,
}

/// What a handle has done, in addition to what its shard counts.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    /// Artifacts stored.
    pub saves: u64,
    /// Artifacts not stored, for any reason.
    pub skipped: u64,
    /// Of these, how many because the source had changed since the miss.
    pub changed: u64,
    /// Of these, how many because another process held the lock.
    pub locked: u64,
    /// Why the last of these was not stored.
    pub last_skip: Option<String>,
}

/// What the policy remembers in this process. The shard is passed to each call.
#[derive(Debug)]
pub struct Scripts {
    validate: Validate,
    paths: Paths,
    missed: Missed,
    tally: Tally,
}

/// Why an artifact was not stored.
enum Skip {
    Changed,
    Because(&'static str),
    Failed(Error),
}

impl From<Error> for Skip {
    fn from(error: Error) -> Self {
        Skip::Failed(error)
    }
}

impl Scripts {
    /// A policy that remembers nothing yet.
    #[must_use]
    pub fn new(validate: Validate) -> Self {
        Scripts {
            validate,
            paths: Paths::new(validate == Validate::Content),
            missed: Missed::default(),
            tally: Tally::default(),
        }
    }

    /// What this handle has done so far.
    #[must_use]
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Looks up what was compiled from a source in its present state. A hit of a known absolute path takes one
    /// system call and no allocation. A source that is not a regular file, or cannot be read, is a miss.
    ///
    /// # Errors
    /// Those of `Shard::get`.
    #[inline]
    pub fn load(&mut self, shard: &mut Shard, source: &CStr) -> Result<Lookup> {
        let Some(found) = self.paths.find(source) else {
            self.missed.forget(source);
            shard.count_miss();
            return Ok(Lookup::Miss);
        };
        let lookup = match &found.digest {
            Some(digest) => shard.get(found.canonical, &Validator::Digest(digest)),
            None => shard.get(found.canonical, &found.state.validator()),
        };
        match lookup {
            Ok(Lookup::Hit(_)) => self.missed.forget(source),
            Ok(_) => self.missed.remember(source, miss_of(&found)),
            Err(_) => {}
        }
        lookup
    }

    /// Stores what the caller compiled from a source. It expires at a time in milliseconds since the epoch;
    /// zero means never. Returns `false` if it could not be stored, and counts this: a failure to store is
    /// not an error for the host.
    ///
    /// # Errors
    /// `InvalidArg` if the parts are not those that the shard declares, `InvalidKey`, `Closed`.
    pub fn save(
        &mut self,
        shard: &mut Shard,
        source: &CStr,
        parts: &[&[u8]],
        expires_ms: u64,
    ) -> Result<bool> {
        let saved = self.try_save(shard, source, parts, expires_ms);
        if matches!(saved, Ok(()) | Err(Skip::Changed)) {
            self.missed.forget(source);
        }
        self.count(saved)
    }

    /// Stores under a canonical path and a validator that the caller gives; best effort like `save`.
    ///
    /// # Errors
    /// As `save`.
    pub fn put(
        &mut self,
        shard: &mut Shard,
        path: &[u8],
        parts: &[&[u8]],
        meta: PutMeta<'_>,
    ) -> Result<bool> {
        let stored = check_host(shard).and_then(|()| Ok(shard.put(path, parts, meta)?));
        self.count(stored)
    }

    fn try_save(
        &mut self,
        shard: &mut Shard,
        source: &CStr,
        parts: &[&[u8]],
        expires_ms: u64,
    ) -> std::result::Result<(), Skip> {
        shard.check_entry(parts)?;
        check_host(shard)?;
        // Must be taken before the source is examined, so that a change in between counts as racy.
        let now = now_ns();
        let Some(found) = self.paths.find(source) else {
            return Err(Skip::Because("the source is no regular file, or cannot be looked at"));
        };
        let miss = self.missed.get(source);
        let validator = match self.validate {
            Validate::Content => {
                let digest = found.digest.ok_or(Skip::Because("the source cannot be read"))?;
                if miss.is_some_and(|m| m.digest != Some(digest)) {
                    return Err(Skip::Changed);
                }
                Validator::Digest(&digest).encode()?
            }
            Validate::Mtime => {
                if miss.is_some_and(|m| m.state != found.state) {
                    return Err(Skip::Changed);
                }
                let racy = found.state.is_racy(now);
                let mut stored = found.state.validator().encode()?;
                if racy || miss.is_some_and(|m| m.racy) {
                    let digest = digest_of(found.canonical).ok_or(Skip::Because(
                        "the source was modified this moment, and is too large to be compared",
                    ))?;
                    if miss.is_some_and(|m| m.racy && m.digest != Some(digest)) {
                        return Err(Skip::Changed);
                    }
                    if racy {
                        stored.make_racy(&digest);
                    }
                }
                stored
            }
        };
        Ok(shard.put_stored(found.canonical, parts, &validator, expires_ms)?)
    }

    fn count(&mut self, saved: std::result::Result<(), Skip>) -> Result<bool> {
        let reason = match saved {
            Ok(()) => {
                self.tally.saves = self.tally.saves.saturating_add(1);
                return Ok(true);
            }
            Err(Skip::Changed) => {
                self.tally.changed = self.tally.changed.saturating_add(1);
                "the source changed after it was looked for".to_owned()
            }
            Err(Skip::Because(reason)) => reason.to_owned(),
            Err(Skip::Failed(error)) => {
                match error.code() {
                    Code::InvalidArg | Code::InvalidKey | Code::Closed => return Err(error),
                    Code::LockTimeout => self.tally.locked = self.tally.locked.saturating_add(1),
                    _ => {}
                }
                error.to_string()
            }
        };
        self.tally.skipped = self.tally.skipped.saturating_add(1);
        self.tally.last_skip = Some(reason);
        Ok(false)
    }
}

fn check_host(shard: &Shard) -> std::result::Result<(), Skip> {
    match shard.options().producer.id() {
        Some(_) => Ok(()),
        None => Err(Skip::Because("the host's binary cannot be identified")),
    }
}

/// The state to remember of a source whose look-up missed.
fn miss_of(found: &Found<'_>) -> Miss {
    // The caller reads the source after this, so changes from now on must be detectable.
    let racy = found.digest.is_none() && found.state.is_racy(now_ns());
    let digest = if racy { digest_of(found.canonical) } else { found.digest };
    Miss { state: found.state, racy, digest }
}

fn digest_of(canonical: &[u8]) -> Option<SourceDigest> {
    source_digest_of(Path::new(OsStr::from_bytes(canonical)))
}
