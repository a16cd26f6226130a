//! Look-ups.

use super::Shard;
use crate::clock::now_ms;
use crate::error::Result;
use crate::key;
use crate::limits::MAX_PARTS;
use crate::mapping::Pin;
use crate::state::{Found, Hit, Lookup, Want};
use crate::validator::Validator;

impl Shard {
    /// Looks a key up. If the file is mapped, a hit on a record that was verified before takes no lock,
    /// makes no system call and allocates nothing.
    ///
    /// # Errors
    /// `InvalidKey`.
    #[inline(always)]
    pub fn get(&mut self, key: &[u8], validator: &Validator<'_>) -> Result<Lookup> {
        let found = self.peek(key, validator)?;
        match found {
            Lookup::Hit(_) => {
                self.lookups.hits = self.lookups.hits.wrapping_add(1);
                self.hits_left = self.hits_left.wrapping_sub(1);
                if self.hits_left == 0 {
                    self.check_identity();
                    // The check may have switched to another file, in which the hit's offset means
                    // nothing. So look again.
                    return self.peek(key, validator);
                }
            }
            Lookup::Miss => self.lookups.misses = self.lookups.misses.wrapping_add(1),
            Lookup::Stale => self.lookups.stale = self.lookups.stale.wrapping_add(1),
            Lookup::Corrupt => self.lookups.corrupt = self.lookups.corrupt.wrapping_add(1),
        }
        if !matches!(found, Lookup::Hit(_)) {
            self.check_after_miss();
        }
        Ok(found)
    }

    /// The same without counting the look-up, for `has`.
    ///
    /// # Errors
    /// `InvalidKey`.
    #[inline(always)]
    pub fn peek(&mut self, key: &[u8], validator: &Validator<'_>) -> Result<Lookup> {
        self.catch_up_for(key);
        let root = self.options.root.as_ref();
        let stored = key::stored(key, root)?;
        let (Some(state), Some(producer)) = (self.state.as_deref_mut(), self.options.producer.id()) else {
            return Ok(Lookup::Miss);
        };
        let want = Want {
            key: &stored,
            hash: state.keys.hash(&stored),
            producer,
            validator,
            verify_always: self.options.verify_always,
            root,
        };
        let found = state.lookup(&want, self.sidecar.as_ref(), &mut self.scratch);
        if state.view.is_mapped() || state.view.could_read().is_ok() {
            return Ok(found);
        }
        // A read has failed, perhaps before this look-up; so try again. If it fails again, the newest entry may be among
        // what could not be read.
        let again = state.lookup(&want, self.sidecar.as_ref(), &mut self.scratch);
        if state.view.could_read().is_ok() {
            return Ok(again);
        }
        self.lookups.read_errors = self.lookups.read_errors.wrapping_add(1);
        Ok(Lookup::Miss)
    }

    /// Whether this producer has an entry of a key that has not expired. Its parts are neither read nor
    /// verified, and nothing is counted.
    ///
    /// # Errors
    /// `InvalidKey`.
    pub fn knows(&mut self, key: &[u8]) -> Result<bool> {
        let (Some(frame), Some(state)) = (self.place_of(key)?, self.state.as_deref()) else {
            return Ok(false);
        };
        let expires = state.head_at(frame, &mut self.scratch).map(|head| head.expires_ms.get());
        Ok(expires.is_some_and(|at| at == 0 || at > now_ms()))
    }

    /// Offset of this producer's newest record of a key, even if it has expired or is damaged.
    pub(super) fn place_of(&mut self, key: &[u8]) -> Result<Option<u64>> {
        self.catch_up_for(key);
        let stored = key::stored(key, self.options.root.as_ref())?;
        let (Some(state), Some(producer)) = (self.state.as_deref(), self.options.producer.id()) else {
            return Ok(None);
        };
        let hash = state.keys.hash(&stored);
        if !state.view.is_mapped() {
            state.view.ask_again();
        }
        let found = state.find(&stored, hash, producer, &mut self.scratch);
        Ok(match found {
            Found::Record(frame) if state.view.is_mapped() || state.view.could_read().is_ok() => Some(frame),
            _ => None,
        })
    }

    /// Counts a miss that the caller found without a look-up. Like a look-up, it sometimes checks whether
    /// the files are still at their paths.
    #[inline(always)]
    pub(crate) fn count_miss(&mut self) {
        self.lookups.misses = self.lookups.misses.wrapping_add(1);
        self.check_after_miss();
    }

    /// Writes offset and length of each part of a hit to `out`, in the order in which they were stored.
    /// Returns the number of parts.
    pub fn parts_into(&mut self, hit: &Hit, out: &mut [(u64, u32); MAX_PARTS]) -> usize {
        self.state.as_ref().map_or(0, |state| state.parts_of(hit, out, &mut self.scratch))
    }

    /// The same as a list.
    pub fn parts(&mut self, hit: &Hit) -> Vec<(u64, u32)> {
        let mut parts = [(0, 0); MAX_PARTS];
        let count = self.parts_into(hit, &mut parts);
        parts.get(..count).unwrap_or_default().to_vec()
    }

    /// Copies the file's bytes at `offset` to `to`. Returns `false` if they cannot be read.
    #[must_use]
    pub fn copy(&self, offset: u64, to: &mut [u8]) -> bool {
        self.state.as_ref().is_some_and(|s| s.view.copy(offset, to))
    }

    /// Bytes of the file that stay mapped even if the shard is closed or replaced. `None` if the file is not mapped or
    /// does not have them.
    #[must_use]
    pub fn pin(&self, offset: u64, len: u32) -> Option<Pin> {
        self.state.as_ref()?.view.pin(offset, usize::try_from(len).ok()?)
    }

    /// A copy of one part of a hit.
    pub fn read_part(&mut self, hit: &Hit, part: usize) -> Option<Vec<u8>> {
        let (offset, len) = self.parts(hit).get(part).copied()?;
        let mut bytes = vec![0; usize::try_from(len).ok()?];
        self.copy(offset, &mut bytes).then_some(bytes)
    }
}
