//! Memory mappings: the only unsafe code of the core.
//!
//! Three kinds, each behind a safe door, and pins of the first:
//! - [`Region`]: the shard file, shared and read-only, larger than the file so that growth needs no
//!   new mapping. Only bytes below the *readable* length are ever touched; they are never rewritten.
//! - [`Window`]: a private, copy-on-write part of the file that may be lent to JavaScript. A stray
//!   write there stays in the process.
//! - [`SharedWords`]: the sidecar's page of atomic words.
//!
//! A file that somebody else truncates under a mapping raises SIGBUS at the next touch of the lost
//! pages; no code here can exclude that. Files are private to their owner, and `access: 'read'`
//! does without mappings.
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
    /// Where `map` begins.
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
    /// What `mmap` says.
    pub fn new(file: &File, len: usize) -> io::Result<Self> {
        let map = MmapOptions::new().len(len.max(1)).map_raw_read_only(file)?;
        let base = first_byte(&map)?;
        Ok(Region { map: Arc::new(map), base, readable: 0 })
    }

    /// Sets how many bytes may be read. The caller has seen, by `fstat` or by its own successful
    /// write, that the file is at least that long. Returns whether the mapping reaches that far.
    pub fn set_readable(&mut self, len: u64) -> bool {
        match usize::try_from(len) {
            Ok(len) if len <= self.map.len() => {
                self.readable = len;
                true
            }
            _ => false,
        }
    }

    /// `len` bytes at `offset`, or `None` where they are not all readable.
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

/// Published bytes of a shard file that stay mapped, whatever becomes of the shard.
#[derive(Debug, Clone)]
pub struct Pin {
    map: Arc<MmapRaw>,
    from: usize,
    len: usize,
}

impl Region {
    /// As `get`, for longer than the region lives.
    #[must_use]
    pub fn pin(&self, offset: u64, len: usize) -> Option<Pin> {
        let from = usize::try_from(offset).ok()?;
        (from.checked_add(len)? <= self.readable).then(|| Pin { map: Arc::clone(&self.map), from, len })
    }
}

impl Pin {
    /// The bytes. Nobody can write to them through this mapping.
    #[must_use]
    pub fn as_slice(&self) -> &[u8] {
        // SAFETY: `pin` has checked the bounds against what is readable, the mapping lives as long as `self`, and
        // published bytes are never rewritten (shard/append.rs).
        unsafe { std::slice::from_raw_parts(self.map.as_ptr().add(self.from), self.len) }
    }
}

impl Region {
    /// Asks for the cache line at `offset`, without waiting for it. Nothing where it is not readable.
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
    // SAFETY: every processor of this kind has the instruction, which changes nothing but its caches.
    unsafe { _mm_prefetch::<_MM_HINT_T0>(std::ptr::from_ref(byte).cast()) };
}

#[cfg(not(target_arch = "x86_64"))]
#[inline(always)]
fn fetch(_: &u8) {}

/// Asks the processor for bytes that will be read in a moment; of many, for as many as its cache has room for
/// beside those of others.
#[inline]
pub fn prefetch(bytes: &[u8]) {
    bytes.chunks(64).take(64).filter_map(<[u8]>::first).for_each(fetch);
}

/// A private copy-on-write mapping of part of a file. Dropping it unmaps.
#[derive(Debug)]
pub struct Window {
    map: MmapRaw,
}

impl Window {
    /// Maps `len` bytes at `offset`, a multiple of the page size. All of them must lie within the file.
    ///
    /// # Errors
    /// What `mmap` says.
    pub fn new(file: &File, offset: u64, len: usize) -> io::Result<Self> {
        // SAFETY: the mapping is private, and its memory is handed out as a raw pointer only
        // (`as_mut_ptr`); a Rust reference to it is made by `peek` only, before anybody can write to it.
        let map = unsafe { MmapOptions::new().offset(offset).len(len).map_copy(file)? };
        Ok(Window { map: map.into() })
    }

    /// Shows the bytes, before the window is lent.
    pub fn peek<T>(&mut self, look: impl FnOnce(&[u8]) -> T) -> T {
        // SAFETY: the mapping is that long and lay within the file when it was made; content files are
        // never edited (stores/blob), and nobody writes to a window that was not lent yet: lending takes
        // it away from whoever could call this.
        look(unsafe { std::slice::from_raw_parts(self.map.as_ptr(), self.map.len()) })
    }

    /// Where the bytes are, for as long as the window lives.
    #[must_use]
    pub fn as_mut_ptr(&self) -> *mut u8 {
        self.map.as_mut_ptr()
    }

    /// How many there are.
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

/// A page of atomic words that processes share, with 32-bit ticks behind it.
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
    /// Maps the first `bytes` of a sidecar, which is at least that long.
    ///
    /// # Errors
    /// What `mmap` says.
    pub fn map(file: &File, bytes: usize, writable: bool) -> io::Result<Self> {
        let mut options = MmapOptions::new();
        options.len(bytes.max(8));
        let map = if writable { options.map_raw(file)? } else { options.map_raw_read_only(file)? };
        let base = first_byte(&map)?.cast();
        Ok(SharedWords { base, bytes: map.len(), owner: Owner::Mapped { _map: map, writable } })
    }

    /// Words on the heap, shared by the handles of one simulated file.
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

    /// Where they are, for as long as this lives.
    #[must_use]
    pub fn as_ptr(&self) -> *const AtomicU64 {
        self.base.as_ptr()
    }

    /// Bytes in all.
    #[must_use]
    pub fn len(&self) -> usize {
        self.bytes
    }

    /// Whether there are none.
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

    /// The 32-bit tick at byte `offset` plus four times `index`.
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
