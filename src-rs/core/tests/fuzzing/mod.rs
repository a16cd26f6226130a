//! Mutations that know where numbers are, and seals that recompute the checksums of mutated bytes.
#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests may panic; each uses a part of this module"
)]

use crate::simulation::Random;
use std::alloc::{GlobalAlloc, Layout, System};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use warmshard_core::digest::checksum;
use warmshard_core::frame::{HEAD_LEN, Head, SNAPSHOT, Sealer};
use warmshard_core::header::{Header, Root};

/// Counts the bytes in use, and their maximum.
pub struct Counting;

static NOW: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

#[expect(unsafe_code, reason = "an allocator that passes every call on to the system's")]
// SAFETY: every call is passed unchanged to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let now = NOW.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        PEAK.fetch_max(now, Ordering::Relaxed);
        // SAFETY: the caller's promise is what the system's allocator requires.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        NOW.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }
}

/// The most bytes that were in use while something ran, minus those in use before.
pub fn peak_of<T>(run: impl FnOnce() -> T) -> (usize, T) {
    let before = NOW.load(Ordering::Relaxed);
    PEAK.store(before, Ordering::Relaxed);
    let done = run();
    (PEAK.load(Ordering::Relaxed).saturating_sub(before), done)
}

/// Numbers at which arithmetic or checks of bounds often go wrong.
const NUMBERS: [u64; 22] = [
    0,
    1,
    15,
    16,
    17,
    79,
    80,
    127,
    128,
    4095,
    4096,
    4097,
    1 << 16,
    1 << 30,
    (1 << 31) - 1,
    1 << 32,
    1 << 40,
    1 << 44,
    1 << 62,
    1 << 63,
    u64::MAX - 15,
    u64::MAX,
];

/// Makes one to four random changes. Some copy pieces of `other`.
pub fn mutate(bytes: &mut Vec<u8>, other: &[u8], random: &mut Random) {
    for _ in 0..=random.next(4) {
        let len = bytes.len() as u64;
        let at = random.next(len.max(1)) as usize;
        let size = [1, 2, 4, 8][random.next(4) as usize];
        // Most numbers are at multiples of their size.
        let field = if random.one_in(4) { at } else { at / size * size };
        match random.next(9) {
            0 => bytes.iter_mut().skip(at).take(1).for_each(|b| *b ^= 1 << random.next(8)),
            1 | 2 => {
                let number = NUMBERS[random.next(NUMBERS.len() as u64) as usize];
                copy_over(bytes, field, &number.to_le_bytes()[..size]);
            }
            3 => {
                // A plausible number: close to the length, or an offset in the file.
                let number = (random.next(len + 64)).wrapping_add(random.next(3)).wrapping_sub(1);
                copy_over(bytes, field, &number.to_le_bytes()[..size.max(4)]);
            }
            4 => bytes.truncate(at),
            5 => bytes.resize(bytes.len() + random.next(300) as usize, random.next(256) as u8),
            6 => {
                let from = random.next(other.len().max(1) as u64) as usize & !15;
                let piece = other[from.min(other.len())..].iter().copied().take(random.next(600) as usize);
                copy_over(bytes, at & !15, &piece.collect::<Vec<u8>>());
            }
            7 => {
                let (from, count) = (random.next(len.max(1)) as usize & !15, random.next(600) as usize);
                let piece: Vec<u8> = bytes.iter().copied().skip(from).take(count).collect();
                copy_over(bytes, at & !15, &piece);
            }
            _ => bytes.iter_mut().skip(at).take(random.next(40) as usize).for_each(|b| *b = 0),
        }
    }
}

fn copy_over(bytes: &mut [u8], at: usize, piece: &[u8]) {
    bytes.iter_mut().skip(at).zip(piece).for_each(|(to, from)| *to = *from);
}

/// Recomputes every checksum of a shard: those of the roots, and those of the frames at `places`.
pub fn seal(bytes: &mut [u8], places: &[usize]) {
    let Ok(header) = Header::decode(bytes, None) else { return };
    let seed = header.check_seed();
    for at in [512usize, 1024] {
        if let Some(slot) = bytes.get_mut(at..at + 40) {
            let sum = checksum(seed, &slot[..32]);
            slot[32..].copy_from_slice(&sum.to_le_bytes());
        }
    }
    let sealer = Sealer::new(seed, header.digest);
    for at in places.iter().copied() {
        let Some(head) = bytes.get(at..).and_then(Head::read).copied() else { continue };
        let len = usize::try_from(head.length.get()).unwrap_or(usize::MAX);
        let end = at.saturating_add(len).min(bytes.len());
        let frame = &mut bytes[at..end];
        if frame.len() < HEAD_LEN {
            continue;
        }
        if head.kind == SNAPSHOT {
            let (table, sum) = (sealer.table_check(frame), checksum(seed, &frame[HEAD_LEN..]));
            frame[16..24].copy_from_slice(&table.to_le_bytes());
            frame[32..40].copy_from_slice(&sum.to_le_bytes());
        } else {
            let sum = checksum(seed, &frame[48..]);
            frame[32..40].copy_from_slice(&sum.to_le_bytes());
        }
        let check = checksum(seed.wrapping_add(at as u64), &frame[8..HEAD_LEN]);
        frame[..8].copy_from_slice(&check.to_le_bytes());
    }
}

/// The offsets of the frames.
pub fn places(bytes: &[u8]) -> Vec<usize> {
    let mut at = 4096;
    let mut out = Vec::new();
    while let Some(head) = bytes.get(at..at + HEAD_LEN).and_then(Head::read) {
        let len = head.length.get() as usize;
        if len == 0 || at + len > bytes.len() {
            break;
        }
        out.push(at);
        at += len;
    }
    out
}

/// Writes a root that declares the whole file as committed, with the last index snapshot in it.
pub fn vouch(bytes: &mut [u8], places: &[usize]) {
    let Ok(header) = Header::decode(bytes, None) else { return };
    let table = |at: &&usize| bytes.get(**at + 40) == Some(&SNAPSHOT);
    let snapshot = places.iter().rev().find(table).map_or(0, |at| *at as u64);
    let committed = bytes.len() as u64 & !15;
    let root = Root { sequence: 9, generation: 1 << 20, committed, snapshot };
    copy_over(bytes, root.offset() as usize, &root.encode(header.check_seed()));
}

/// The files in `tests/corpus` with this extension, with which every run starts: what once failed, and one of
/// each kind.
pub fn corpus(kind: &str) -> Vec<Vec<u8>> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    paths.sort();
    let ours = |p: &PathBuf| p.extension().is_some_and(|e| e == kind);
    paths.into_iter().filter(ours).map(|p| std::fs::read(p).unwrap()).collect()
}
