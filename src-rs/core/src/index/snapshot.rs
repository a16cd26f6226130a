//! Index snapshots: open-addressing tables that are read in place from the file.
//!
//! A slot is one 64-bit word: 23 bits of the hash as a tag, one tombstone bit, and the frame's
//! offset in units of 16 bytes (40 bits). The tag is mixed with the other bits, so that a damaged
//! slot leads nowhere: it could else lead to an older record of the same key, which is whole.
//! Zero is an empty slot. An entry's home is the high half
//! of hash times capacity, so the slots are ordered by hash; probing goes up, never around, and at
//! most `max_probe` slots far. The full hashes stand behind the slots, in their order: only merging
//! reads them, so a look-up touches nothing but 8-byte slots.

use super::{Entry, Place};
use crate::frame::{HEAD_LEN, Head, Sealer, TABLE_LEN};
use crate::limits::ALIGN;
use zerocopy::little_endian::U64;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// Bytes of a slot, and of a full hash.
pub const SLOT_LEN: u64 = 8;
const TAG_BITS: u32 = 23;
const OFFSET_BITS: u32 = 40;
/// The tombstone bit and the offset.
const PLACE_MASK: u64 = (1 << (OFFSET_BITS + 1)) - 1;
/// Spreads a change of any byte of the place over the tag.
const MIX: u64 = 0x9E37_79B9_7F4A_7C15;
/// Slots begin at a multiple of a cache line.
const SLOTS_ALIGN: u64 = 64;

/// Behind the frame head of an index snapshot.
#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned, Clone, Copy)]
#[repr(C)]
struct RawSnapshot {
    older: U64,
    count: U64,
    capacity: U64,
    slots: U64,
    max_probe: U64,
    slots_from: U64,
    live_entries: U64,
    live_bytes: U64,
}

/// Bytes behind a frame head that describe the table.
pub const RAW_LEN: usize = size_of::<RawSnapshot>();
const _: () = assert!(RAW_LEN == TABLE_LEN);

/// A table within the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Table {
    /// Offset of its frame.
    pub frame: u64,
    /// Bytes of its frame.
    pub frame_len: u64,
    /// Offset of the next older table's frame; zero for none.
    pub older: u64,
    /// Occupied slots.
    pub count: u64,
    /// Live entries of the shard when it was written.
    pub live_entries: u64,
    /// Bytes of their frames.
    pub live_bytes: u64,
    capacity: u64,
    slots: u64,
    max_probe: u64,
    slots_from: u64,
}

/// The slots that may hold a hash: where they lie in the file, and how many bytes.
#[derive(Debug, Clone, Copy)]
pub struct Probe {
    /// Offset in the file of the first.
    pub from: u64,
    /// Bytes of them all.
    pub len: usize,
}

#[inline(always)]
fn mulhi(a: u64, b: u64) -> u64 {
    ((u128::from(a) * u128::from(b)) >> 64) as u64
}

/// The tag of a hash, in place in a slot.
#[inline(always)]
#[must_use]
pub fn tag(hash: u64) -> u64 {
    hash << (64 - TAG_BITS)
}

/// The place that a slot names, if its tag is this one.
#[inline(always)]
#[must_use]
pub fn tagged(slot: u64, tag: u64) -> Option<Place> {
    let mixed = (slot & PLACE_MASK).wrapping_mul(MIX);
    ((slot ^ tag ^ mixed) >> (64 - TAG_BITS) == 0).then(|| place(slot))
}

#[inline(always)]
fn place(slot: u64) -> Place {
    let offset = (slot & ((1 << OFFSET_BITS) - 1)).saturating_mul(ALIGN);
    Place::new(offset, slot >> OFFSET_BITS & 1 != 0)
}

fn slot(entry: Entry) -> u64 {
    let tombstone = u64::from(entry.place.is_tombstone()) << OFFSET_BITS;
    let place = tombstone | (entry.place.offset() / ALIGN);
    ((tag(entry.hash) ^ place.wrapping_mul(MIX)) & !PLACE_MASK) | place
}

impl Table {
    /// Reads the table whose frame starts at `frame` from the frame's first bytes. `None` where
    /// anything in them contradicts itself or the file's length.
    #[must_use]
    pub fn read(bytes: &[u8], frame: u64, sealer: &Sealer, file_len: u64) -> Option<Self> {
        let head = Head::read(bytes)?;
        if head.kind != crate::frame::SNAPSHOT
            || !head.is_whole(sealer.seed, frame)
            || head.key_hash.get() != sealer.table_check(bytes)
        {
            return None;
        }
        let (raw, _) = RawSnapshot::ref_from_prefix(bytes.get(HEAD_LEN..)?).ok()?;
        let it = Table {
            frame,
            frame_len: head.length.get(),
            older: raw.older.get(),
            count: raw.count.get(),
            live_entries: raw.live_entries.get(),
            live_bytes: raw.live_bytes.get(),
            capacity: raw.capacity.get(),
            slots: raw.slots.get(),
            max_probe: raw.max_probe.get(),
            slots_from: raw.slots_from.get(),
        };
        let slots_end = it.slots.checked_mul(SLOT_LEN)?.checked_add(it.slots_from)?;
        let needed = it.count.checked_mul(SLOT_LEN)?.checked_add(slots_end)?;
        let sound = it.slots_from >= (HEAD_LEN + RAW_LEN) as u64
            && needed <= it.frame_len
            && frame.checked_add(it.frame_len)? <= file_len
            && it.older < frame
            && it.capacity <= it.slots
            && it.count <= it.slots
            && it.max_probe <= it.slots
            && it.capacity > 0;
        sound.then_some(it)
    }

    /// Offset behind its frame.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.frame.saturating_add(self.frame_len)
    }

    /// Which slots to look at for a hash.
    #[inline(always)]
    #[must_use]
    pub fn probe(&self, hash: u64) -> Probe {
        let home = mulhi(hash, self.capacity);
        let slots = self.max_probe.min(self.slots.saturating_sub(home));
        // `read` has checked that all slots lie within the file.
        let from = self.frame.saturating_add(self.slots_from).saturating_add(home.saturating_mul(SLOT_LEN));
        Probe { from, len: (slots.saturating_mul(SLOT_LEN)) as usize }
    }

    /// All entries in order of their hashes, from the whole frame. `None` where the counts lie.
    #[must_use]
    pub fn entries(&self, frame: &[u8]) -> Option<Vec<Entry>> {
        let from = usize::try_from(self.slots_from).ok()?;
        let len = usize::try_from(self.slots.checked_mul(SLOT_LEN)?).ok()?;
        let slots = frame.get(from..from.checked_add(len)?)?;
        let hashes = frame.get(from.checked_add(len)?..)?;
        let word = |b: &[u8]| b.try_into().map_or(0, u64::from_le_bytes);
        let mut hashes = hashes.chunks_exact(8).map(word);
        let mut out = Vec::with_capacity(usize::try_from(self.count).ok()?);
        for slot in slots.chunks_exact(8).map(word).filter(|s| *s != 0) {
            out.push(Entry { hash: hashes.next()?, place: place(slot) });
        }
        (out.len() as u64 == self.count).then_some(out)
    }
}

/// What a new snapshot says beside its entries.
#[derive(Debug, Clone, Copy)]
pub struct About {
    /// Offset at which the frame will stand.
    pub offset: u64,
    /// Offset of the next older table; zero for none.
    pub older: u64,
    /// The generation.
    pub generation: u64,
    /// Live entries of the shard.
    pub live_entries: u64,
    /// Bytes of their frames.
    pub live_bytes: u64,
}

/// Appends the frame of a table with `entries`, sorted by hash, to `out`.
pub fn encode(out: &mut Vec<u8>, sealer: &Sealer, about: &About, entries: &[Entry]) {
    let count = entries.len() as u64;
    // Five slots in eight are occupied: a hit looks at 1.8 slots on average, a miss at 4.
    let capacity = count.saturating_mul(8).div_ceil(5).max(8);
    let mut slots: Vec<u64> = Vec::with_capacity(usize::try_from(capacity).unwrap_or(0));
    let mut max_probe = 0u64;
    for entry in entries {
        let home = mulhi(entry.hash, capacity);
        let at = home.max(slots.len() as u64);
        max_probe = max_probe.max(at.saturating_sub(home).saturating_add(1));
        slots.resize(usize::try_from(at).unwrap_or(0), 0);
        slots.push(slot(*entry));
    }
    let slots_len = capacity.max(slots.len() as u64);
    slots.resize(usize::try_from(slots_len).unwrap_or(0), 0);

    let from = out.len();
    let body = about.offset.saturating_add((HEAD_LEN + RAW_LEN) as u64);
    let slots_from = body.next_multiple_of(SLOTS_ALIGN).saturating_sub(about.offset);
    let raw = RawSnapshot {
        older: about.older.into(),
        count: count.into(),
        capacity: capacity.into(),
        slots: slots_len.into(),
        max_probe: max_probe.into(),
        slots_from: slots_from.into(),
        live_entries: about.live_entries.into(),
        live_bytes: about.live_bytes.into(),
    };
    let bytes = slots_from.saturating_add(slots_len.saturating_add(count).saturating_mul(SLOT_LEN));
    let len = crate::frame::align(bytes).max(crate::limits::MIN_FRAME_LEN);
    out.reserve(usize::try_from(len).unwrap_or(0));
    out.resize(from.saturating_add(HEAD_LEN), 0);
    out.extend_from_slice(raw.as_bytes());
    out.resize(from.saturating_add(usize::try_from(slots_from).unwrap_or(0)), 0);
    for slot in &slots {
        out.extend_from_slice(&slot.to_le_bytes());
    }
    for entry in entries {
        out.extend_from_slice(&entry.hash.to_le_bytes());
    }
    out.resize(from.saturating_add(usize::try_from(len).unwrap_or(0)), 0);
    sealer.snapshot(out, from, about.offset, about.generation);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Digest;

    fn sealer() -> Sealer {
        Sealer { seed: 3, digest: Digest::Xxh3 }
    }

    fn table(n: u64) -> (Vec<Entry>, Vec<u8>, Table) {
        let mut entries: Vec<Entry> = (1..=n)
            .map(|i| Entry {
                hash: crate::digest::checksum(1, &i.to_le_bytes()),
                place: Place::new(i * 16, i % 7 == 0),
            })
            .collect();
        entries.sort_unstable_by_key(|e| e.hash);
        let about = About { offset: 4096, older: 0, generation: 1, live_entries: n, live_bytes: 0 };
        let mut out = Vec::new();
        encode(&mut out, &sealer(), &about, &entries);
        let table = Table::read(&out, 4096, &sealer(), 4096 + out.len() as u64).unwrap();
        (entries, out, table)
    }

    #[test]
    fn every_entry_is_found_and_comes_back_in_order() {
        for n in [0, 1, 2, 100, 10_000] {
            let (entries, frame, table) = table(n);
            assert!(sealer().verify(&frame, 4096));
            assert_eq!(table.entries(&frame).unwrap(), entries);
            for e in &entries {
                let probe = table.probe(e.hash);
                let from = usize::try_from(probe.from - 4096).unwrap();
                let slots = &frame[from..from + probe.len];
                let found = slots.chunks_exact(8).map(|b| u64::from_le_bytes(b.try_into().unwrap()));
                let mut found = found.take_while(|s| *s != 0).filter_map(|s| tagged(s, tag(e.hash)));
                assert!(found.any(|p| p == e.place));
            }
        }
    }

    #[test]
    fn a_slot_with_a_damaged_byte_keeps_no_tag() {
        let entry = Entry { hash: 0x1234_5678_9ABC_DEF0, place: Place::new(4096, false) };
        let whole = slot(entry);
        assert_eq!(tagged(whole, tag(entry.hash)), Some(entry.place));
        for byte in 0..8 {
            for change in 1..=255u64 {
                assert_eq!(tagged(whole ^ (change << (byte * 8)), tag(entry.hash)), None);
            }
        }
    }

    #[test]
    fn a_table_that_lies_about_its_size_is_not_read() {
        let (_, frame, table) = table(100);
        assert!(Table::read(&frame, 4096, &sealer(), 4096 + frame.len() as u64 - 1).is_none());
        assert!(Table::read(&frame, 8192, &sealer(), u64::MAX).is_none(), "at another offset");
        assert!(
            Table::read(&frame, 4096, &Sealer { seed: 4, ..sealer() }, u64::MAX).is_none(),
            "of another shard"
        );
        assert_eq!((table.slots_from + 4096) % 64, 0);
    }
}
