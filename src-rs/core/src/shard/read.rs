//! Looking up.

use super::Shard;
use crate::error::Result;
use crate::key;
use crate::state::{Hit, Lookup, Want};
use crate::validator::Validator;

impl Shard {
    /// Looks a key up. On a hit, no system call, no lock and no allocation.
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
                    // The hit is an offset into the file that was just looked at; if that was
                    // replaced, look again.
                    return self.peek(key, validator);
                }
            }
            Lookup::Miss => self.lookups.misses = self.lookups.misses.wrapping_add(1),
            Lookup::Stale => self.lookups.stale = self.lookups.stale.wrapping_add(1),
            Lookup::Corrupt => self.lookups.corrupt = self.lookups.corrupt.wrapping_add(1),
        }
        if !matches!(found, Lookup::Hit(_)) {
            self.check_identity();
        }
        Ok(found)
    }

    /// The same without counting, for `has`.
    ///
    /// # Errors
    /// `InvalidKey`.
    #[inline(always)]
    pub fn peek(&mut self, key: &[u8], validator: &Validator<'_>) -> Result<Lookup> {
        self.catch_up();
        let root = self.options.root.as_ref();
        let stored = key::stored(key, root)?;
        let (Some(state), Some(producer)) = (self.state.as_deref_mut(), self.options.producer.id()) else {
            return Ok(Lookup::Miss);
        };
        let want = Want {
            key: &stored,
            hash: key::hash(&stored, state.header.seed),
            producer,
            validator,
            verify_always: self.options.verify_always,
            root,
        };
        Ok(state.lookup(&want, self.sidecar.as_ref(), &mut self.scratch))
    }

    /// Offset and length of every part of a hit, in the order of their names.
    pub fn parts(&mut self, hit: &Hit) -> Vec<(u64, u32)> {
        match &self.state {
            Some(state) => state.parts_of(hit, &mut self.scratch),
            None => Vec::new(),
        }
    }

    /// Copies bytes of the file to where they are wanted; `false` where they are not there.
    #[must_use]
    pub fn copy(&self, offset: u64, to: &mut [u8]) -> bool {
        self.state.as_ref().is_some_and(|s| s.view.copy(offset, to))
    }

    /// A copy of one part of a hit.
    pub fn read_part(&mut self, hit: &Hit, part: usize) -> Option<Vec<u8>> {
        let (offset, len) = self.parts(hit).get(part).copied()?;
        let mut bytes = vec![0; usize::try_from(len).ok()?];
        self.copy(offset, &mut bytes).then_some(bytes)
    }
}
