//! Memory mappings: the only unsafe code of the core.
//!
//! There are three kinds, each with a safe interface:
//! - [`Region`]: the shard file, shared and read-only, larger than the file so that growth needs no
//!   new mapping. Only bytes below the *readable* length are accessed; they are never rewritten. A
//!   [`Pin`] keeps part of a region mapped.
//! - [`Window`]: a part of the file, mapped privately and copy-on-write, that may be lent to
//!   JavaScript. A stray write to it stays in the process.
//! - [`SharedWords`]: the sidecar's page of atomic words.
//!
//! If another program truncates a mapped file, the next access to a lost page raises SIGBUS. Code
//! here cannot prevent that, but only the files' owner can do it, and `access: 'read'` maps nothing.
#![allow(unsafe_code)]

use memmap2::{MmapOptions, MmapRaw};
use std::fs::File;
use std::io;
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64};

/// A shared read-only mapping of a shard file.
#[derive(Debug)]
pub struct Region {
    map: Arc<MmapRaw>,
    /// The first byte of `map`.
    base: NonNull<u8>,
    readable: usize,
}

// SAFETY: nobody writes through `base`, and the mapping lives as long as its owner, `map`.
unsafe impl Send for Region {}
// SAFETY: as above.
unsafe impl Sync for Region {}

impl Region {
    /// Reserves `len` bytes of address space over the file; nothing is readable yet.
    ///
    /// # Errors
    /// The error of `mmap`.
    pub fn new(file: &File, len: usize) -> io::Result<Self> {
        let map = MmapOptions::new().len(len.max(1)).map_raw_read_only(file)?;
        let base = first_byte(&map)?;
        Ok(Region { map: Arc::new(map), base, readable: 0 })
    }

    /// Sets how many bytes may be read. The caller must know, from the system or from its own
    /// successful write, that the file is at least that long. Returns `false`, and changes nothing, if
    /// the mapping is shorter.
    pub fn set_readable(&mut self, len: u64) -> bool {
        match usize::try_from(len) {
            Ok(len) if len <= self.map.len() => {
                self.readable = len;
                true
            }
            _ => false,
        }
    }

    /// `len` bytes at `offset`, or `None` if not all of them are readable.
    #[inline(always)]
    #[must_use]
    pub fn get(&self, offset: u64, len: usize) -> Option<&[u8]> {
        let from = usize::try_from(offset).ok()?;
        let end = from.checked_add(len)?;
        if end > self.readable {
            return None;
        }
        // SAFETY: `readable` never exceeds the mapping's length (set_readable), the file is at least
        // that long (its callers in state/view.rs), and bytes below the committed length are never
        // rewritten (shard/append.rs), so they cannot change under this slice.
        Some(unsafe { std::slice::from_raw_parts(self.base.as_ptr().add(from), len) })
    }
}

fn first_byte(map: &MmapRaw) -> io::Result<NonNull<u8>> {
    NonNull::new(map.as_mut_ptr()).ok_or_else(|| io::Error::other("mmap gave a null address"))
}

/// Published bytes of a shard file that stay mapped even if the shard is closed or replaced.
#[derive(Debug, Clone)]
pub struct Pin {
    map: Arc<MmapRaw>,
    from: usize,
    len: usize,
}

impl Region {
    /// Like `get`, but the bytes may outlive the region.
    #[must_use]
    pub fn pin(&self, offset: u64, len: usize) -> Option<Pin> {
        let from = usize::try_from(offset).ok()?;
        (from.checked_add(len)? <= self.readable).then(|| Pin { map: Arc::clone(&self.map), from, len })
    }
}

impl Pin {
    /// The bytes. The mapping is read-only.
    #[must_use]
    pub fn as_slice(&self) -> &[u8] {
        // SAFETY: `pin` has checked the bounds against what is readable, the mapping lives as long as `self`, and
        // published bytes are never rewritten (shard/append.rs).
        unsafe { std::slice::from_raw_parts(self.map.as_ptr().add(self.from), self.len) }
    }
}

impl Region {
    /// Prefetches the cache line at `offset`. Does nothing if that is not readable.
    #[inline(always)]
    pub fn fetch(&self, offset: u64) {
        if let Some([byte, ..]) = self.get(offset, 1) {
            fetch(byte);
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn fetch(byte: &u8) {
    use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
    // SAFETY: every x86-64 processor has this instruction, and it affects nothing but the caches.
    unsafe { _mm_prefetch::<_MM_HINT_T0>(std::ptr::from_ref(byte).cast()) };
}

#[cfg(not(target_arch = "x86_64"))]
#[inline(always)]
fn fetch(_: &u8) {}

/// Prefetches bytes that will be read soon, at most the first 4 KiB, so that they do not displace others from the cache.
#[inline]
pub fn prefetch(bytes: &[u8]) {
    bytes.chunks(64).take(64).filter_map(<[u8]>::first).for_each(fetch);
}

/// A private copy-on-write mapping of part of a file. It is unmapped when dropped.
#[derive(Debug)]
pub struct Window {
    map: MmapRaw,
}

impl Window {
    /// Maps `len` bytes at `offset`, a multiple of the page size. All of them must lie within the file.
    ///
    /// # Errors
    /// The error of `mmap`.
    pub fn new(file: &File, offset: u64, len: usize) -> io::Result<Self> {
        // SAFETY: the mapping is private, and its memory is handed out only as a raw pointer
        // (`as_mut_ptr`); only `peek` makes a Rust reference to it, before anybody can write to it.
        let map = unsafe { MmapOptions::new().offset(offset).len(len).map_copy(file)? };
        Ok(Window { map: map.into() })
    }

    /// Reads the bytes before the window is lent.
    pub fn peek<T>(&mut self, look: impl FnOnce(&[u8]) -> T) -> T {
        // SAFETY: the mapping has this length and lay within the file when it was made. Content files are
        // never edited (stores/blob). Nobody can write to the window yet: lending it moves it, and after
        // that this method cannot be called.
        look(unsafe { std::slice::from_raw_parts(self.map.as_ptr(), self.map.len()) })
    }

    /// The address of the bytes, valid as long as the window lives.
    #[must_use]
    pub fn as_mut_ptr(&self) -> *mut u8 {
        self.map.as_mut_ptr()
    }

    /// The length in bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.map.len()
    }

    /// Never true: a window has at least one byte.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.map.len() == 0
    }
}

enum Owner {
    Mapped { _map: MmapRaw, writable: bool },
    Heap { _words: Arc<[AtomicU64]> },
}

/// A page of atomic words shared between processes, followed by a table of 32-bit ticks.
pub struct SharedWords {
    base: NonNull<AtomicU64>,
    bytes: usize,
    owner: Owner,
}

// SAFETY: all access goes through atomics, and the memory lives as long as its owner.
unsafe impl Send for SharedWords {}
// SAFETY: as above.
unsafe impl Sync for SharedWords {}

impl SharedWords {
    /// Maps the first `bytes` of a sidecar. The file must be at least that long.
    ///
    /// # Errors
    /// The error of `mmap`.
    pub fn map(file: &File, bytes: usize, writable: bool) -> io::Result<Self> {
        let mut options = MmapOptions::new();
        options.len(bytes.max(8));
        let map = if writable { options.map_raw(file)? } else { options.map_raw_read_only(file)? };
        let base = first_byte(&map)?.cast();
        Ok(SharedWords { base, bytes: map.len(), owner: Owner::Mapped { _map: map, writable } })
    }

    /// Words on the heap, shared by all handles on one file of the in-memory storage.
    #[must_use]
    pub fn heap(words: Arc<[AtomicU64]>) -> Option<Self> {
        let base = NonNull::new(words.as_ptr().cast_mut())?;
        let bytes = words.len().checked_mul(8)?;
        Some(SharedWords { base, bytes, owner: Owner::Heap { _words: words } })
    }

    /// Whether stores are possible. A store to a read-only page would end the process.
    #[must_use]
    pub fn writable(&self) -> bool {
        match self.owner {
            Owner::Mapped { writable, .. } => writable,
            Owner::Heap { .. } => true,
        }
    }

    /// The address of the words, valid as long as `self` lives.
    #[must_use]
    pub fn as_ptr(&self) -> *const AtomicU64 {
        self.base.as_ptr()
    }

    /// The length in bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.bytes
    }

    /// Whether the length is zero.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bytes == 0
    }

    /// The word at `index`, or `None` beyond the end.
    #[inline(always)]
    #[must_use]
    pub fn word(&self, index: usize) -> Option<&AtomicU64> {
        let end = index.checked_add(1)?.checked_mul(8)?;
        if end > self.bytes {
            return None;
        }
        // SAFETY: in bounds; mappings are page-aligned and heap words are aligned by their type; the
        // owner keeps the memory alive for as long as `self`, and it is only ever accessed atomically.
        Some(unsafe { &*self.base.as_ptr().add(index) })
    }

    /// The 32-bit tick number `index` of a table that begins at byte `offset`, or `None` beyond the end.
    #[inline(always)]
    #[must_use]
    pub fn tick(&self, offset: usize, index: usize) -> Option<&AtomicU32> {
        let at = index.checked_mul(4)?.checked_add(offset)?;
        if !offset.is_multiple_of(4) || at.checked_add(4)? > self.bytes {
            return None;
        }
        // SAFETY: in bounds and 4-byte aligned, as the base is 8-byte aligned; alive and atomic as above.
        Some(unsafe { &*self.base.as_ptr().cast::<u8>().add(at).cast::<AtomicU32>() })
    }
}

impl std::fmt::Debug for SharedWords {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SharedWords").field("bytes", &self.bytes).finish_non_exhaustive()
    }
}
