//! The bytes of a shard file: from a mapping if it can be mapped, otherwise by positioned reads.
//!
//! Invariant: nothing at or beyond `readable` is ever returned, and `readable` never exceeds the file's
//! length, as known from the system or from this handle's own successful write.

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
    /// A view in which nothing is readable yet. If `mapped` is false, it never maps the file.
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

    /// Makes bytes up to `len` readable, or up to the file's end if that comes first. Returns how many are readable.
    ///
    /// # Errors
    /// `Io` if a system call fails.
    pub fn extend(&mut self, len: u64) -> Result<u64> {
        let there = self.file.length()?;
        self.set(len.min(there));
        Ok(self.readable)
    }

    /// Makes exactly `len` bytes readable. The caller knows that the file is at least that long: it has just written them
    /// or asked for the file's length.
    pub fn extend_written(&mut self, len: u64) {
        self.set(len);
    }

    /// Switches between a mapping, if the file can be mapped, and positioned reads.
    pub fn set_mapped(&mut self, mapped: bool) {
        self.mapped = mapped;
        self.region = None;
        self.set(self.readable);
    }

    /// Whether the file is to be mapped if it can be.
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
        // Reserve room for the file to double, so that it is mapped again only after doubling.
        self.region = self.file.map(len.saturating_add(len.max(MAP_RESERVE)));
        if !self.region.as_mut().is_some_and(|r| r.set_readable(len)) {
            // No address space, or too many mappings: positioned reads work as well.
            self.region = None;
        }
    }

    /// `len` bytes at `offset`: in place if the file is mapped, otherwise read into `scratch`. `None` if they are not
    /// readable, or if reading fails (see `could_read`).
    #[inline(always)]
    pub fn get<'a>(&'a self, offset: u64, len: usize, scratch: &'a mut Vec<u8>) -> Option<&'a [u8]> {
        match &self.region {
            Some(region) => region.get(offset, len),
            None => self.read(offset, len, scratch),
        }
    }

    /// `len` bytes at `offset`, in place. `None` if they are not readable or the file is not mapped.
    #[inline(always)]
    #[must_use]
    pub fn mapped(&self, offset: u64, len: usize) -> Option<&[u8]> {
        self.region.as_ref()?.get(offset, len)
    }

    /// Prefetches the cache line at `offset`, if the file is mapped.
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
        // Bytes that cannot be read count as absent; `could_read` reports the error.
        let read = self.file.read_at(scratch, offset).map_err(|e| self.refusal.note(e)).ok()?;
        (read == len).then_some(scratch.as_slice())
    }

    /// Whether no read has failed since this was last asked.
    ///
    /// # Errors
    /// `Io` if a system call failed.
    pub fn could_read(&self) -> Result<()> {
        self.refusal.ask()
    }

    /// Forgets failed reads of earlier operations, so that `could_read` tells only of the next one.
    pub fn ask_again(&self) {
        let _ = self.refusal.ask();
    }

    /// Bytes that stay mapped even if this view is dropped. `None` if the file is not mapped or they are not readable.
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

    /// Copies the bytes at `offset` to `to`. Returns `false` if they are not readable or reading fails.
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
