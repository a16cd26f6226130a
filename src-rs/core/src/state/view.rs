//! The bytes of a shard file: through a mapping where there can be one, else by positioned reads.
//!
//! Invariant: nothing at or beyond `readable` is ever handed out, and `readable` never exceeds the
//! file's length as the system or our own successful write gave it.

use crate::error::Result;
use crate::limits::MAP_RESERVE;
use crate::mapping::{Pin, Region};
use crate::storage::File;
use crate::storage::refusal::Refusal;
use std::sync::Arc;

/// One file's readable bytes.
#[derive(Debug)]
pub struct View {
    file: Arc<dyn File>,
    region: Option<Region>,
    mapped: bool,
    readable: u64,
    refusal: Refusal,
}

impl View {
    /// A view of nothing yet. With `mapped` false it will read and never map.
    #[must_use]
    pub fn new(file: Arc<dyn File>, mapped: bool) -> Self {
        View { file, region: None, mapped, readable: 0, refusal: Refusal::default() }
    }

    /// Another view of the same bytes, with a mapping of its own.
    ///
    /// # Errors
    /// `Io` if a system call fails.
    pub fn again(&self) -> Result<Self> {
        let mut view = View::new(Arc::clone(&self.file), self.mapped);
        view.extend(self.readable)?;
        Ok(view)
    }

    /// The file.
    #[must_use]
    pub fn file(&self) -> &Arc<dyn File> {
        &self.file
    }

    /// Whether bytes come from a mapping.
    #[must_use]
    pub fn is_mapped(&self) -> bool {
        self.region.is_some()
    }

    /// How many bytes can be read.
    #[inline(always)]
    #[must_use]
    pub fn readable(&self) -> u64 {
        self.readable
    }

    /// Makes bytes up to `len` readable, as far as the file has them. Returns how far that is.
    ///
    /// # Errors
    /// `Io` if a system call fails.
    pub fn extend(&mut self, len: u64) -> Result<u64> {
        let there = self.file.length()?;
        self.set(len.min(there));
        Ok(self.readable)
    }

    /// The same, after our own write has reached `len`.
    pub fn extend_written(&mut self, len: u64) {
        self.set(len);
    }

    /// From now on reads, or maps again where it did before.
    pub fn set_mapped(&mut self, mapped: bool) {
        self.mapped = mapped;
        self.region = None;
        self.set(self.readable);
    }

    /// Whether bytes are to come from a mapping, if there can be one.
    #[must_use]
    pub fn wants_mapping(&self) -> bool {
        self.mapped
    }

    fn set(&mut self, len: u64) {
        self.readable = len;
        if !self.mapped || len == 0 {
            return;
        }
        if self.region.as_mut().is_some_and(|r| r.set_readable(len)) {
            return;
        }
        // Room for the file to double, so that mapping is as rare as doubling.
        self.region = self.file.map(len.saturating_add(len.max(MAP_RESERVE)));
        if !self.region.as_mut().is_some_and(|r| r.set_readable(len)) {
            // No address space, or too many mappings: reading works as well.
            self.region = None;
        }
    }

    /// `len` bytes at `offset`: in place from the mapping, else read into `scratch`.
    #[inline(always)]
    pub fn get<'a>(&'a self, offset: u64, len: usize, scratch: &'a mut Vec<u8>) -> Option<&'a [u8]> {
        match &self.region {
            Some(region) => region.get(offset, len),
            None => self.read(offset, len, scratch),
        }
    }

    /// The same where there is a mapping; else nothing.
    #[inline(always)]
    #[must_use]
    pub fn mapped(&self, offset: u64, len: usize) -> Option<&[u8]> {
        self.region.as_ref()?.get(offset, len)
    }

    /// Asks for the cache line at `offset`, without waiting for it.
    #[inline(always)]
    pub fn fetch(&self, offset: u64) {
        if let Some(region) = &self.region {
            region.fetch(offset);
        }
    }

    #[cold]
    fn read<'a>(&self, offset: u64, len: usize, scratch: &'a mut Vec<u8>) -> Option<&'a [u8]> {
        if !self.contains(offset, len as u64) {
            return None;
        }
        scratch.resize(len, 0);
        // What cannot be read is not there.
        let read = self.file.read_at(scratch, offset).map_err(|e| self.refusal.note(e)).ok()?;
        (read == len).then_some(scratch.as_slice())
    }

    /// Whether everything that was asked for since the last time could be read, if it was there.
    ///
    /// # Errors
    /// `Io` if a system call failed.
    pub fn could_read(&self) -> Result<()> {
        self.refusal.ask()
    }

    /// What was refused to others until now is no reason.
    pub fn ask_again(&self) {
        let _ = self.refusal.ask();
    }

    /// Bytes that stay where they are, whatever becomes of this view. `None` where there is no mapping.
    #[must_use]
    pub fn pin(&self, offset: u64, len: usize) -> Option<Pin> {
        self.region.as_ref()?.pin(offset, len)
    }

    /// Whether `len` bytes at `offset` are readable.
    #[inline(always)]
    #[must_use]
    pub fn contains(&self, offset: u64, len: u64) -> bool {
        offset.checked_add(len).is_some_and(|end| end <= self.readable)
    }

    /// Copies bytes out, straight to where they are wanted.
    #[must_use]
    pub fn copy(&self, offset: u64, to: &mut [u8]) -> bool {
        match &self.region {
            Some(region) => match region.get(offset, to.len()) {
                Some(from) => {
                    to.copy_from_slice(from);
                    true
                }
                None => false,
            },
            None => {
                self.contains(offset, to.len() as u64)
                    && match self.file.read_at(to, offset) {
                        Ok(read) => read == to.len(),
                        Err(error) => {
                            self.refusal.note(error);
                            false
                        }
                    }
            }
        }
    }
}
