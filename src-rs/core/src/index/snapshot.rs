//! Index snapshots: open-addressing tables that are read in place from the file.
//!
//! A table consists of groups of eight slots (`group.rs`). The home of an entry is the group whose number is
//! the high half of hash times `homes`, so the slots are ordered by hash. Probing goes upwards from the home,
//! over at most `max_probe` groups, and never wraps around. The full hashes are stored behind the slots, in the
//! same order. Ordinary look-ups do not read them; they read only slots, rarely from a second cache line.

use super::Entry;
use super::group::{self, GROUP_LEN, GROUP_SLOTS, Group};
use crate::frame::{HEAD_LEN, Head, Sealer, TABLE_LEN};
use zerocopy::little_endian::U64;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// Bytes of a full hash.
pub(crate) const HASH_LEN: u64 = 8;
const SLOTS: u64 = GROUP_SLOTS as u64;
/// Slots begin at a multiple of a cache line in the file, and so in every mapping of it.
const SLOTS_ALIGN: u64 = GROUP_LEN as u64;

/// What follows the frame head of an index snapshot: the description of its table.
#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned, Clone, Copy)]
#[repr(C)]
struct RawSnapshot {
    older: U64,
    count: U64,
    homes: U64,
    groups: U64,
    max_probe: U64,
    slots_from: U64,
    live_entries: U64,
    live_bytes: U64,
}

/// Bytes of that description.
pub const RAW_LEN: usize = size_of::<RawSnapshot>();
const _: () = assert!(RAW_LEN == TABLE_LEN);
/// Usually more than all the bytes of a table beside its home groups and hashes.
const LITTLE: usize = 4096;

/// A table in the file, by what its description says.
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
    homes: u64,
    groups: u64,
    max_probe: u64,
    /// Offset in the file of the first group of slots.
    slots_at: u64,
}

/// The groups of slots that may hold a hash.
#[derive(Debug, Clone, Copy)]
pub struct Probe {
    /// Offset in the file of the first group.
    pub from: u64,
    /// Bytes of all of them.
    pub len: usize,
}

/// The high half of a product. For a hash `a` it is the hash's position among `b` evenly spread ones.
#[inline(always)]
pub(crate) fn mulhi(a: u64, b: u64) -> u64 {
    ((u128::from(a) * u128::from(b)) >> 64) as u64
}

impl Table {
    /// Reads the table whose frame begins at offset `frame` from the frame's first bytes. `None` if
    /// anything in them is damaged, contradictory, or reaches beyond the file.
    #[must_use]
    pub fn read(bytes: &[u8], frame: u64, sealer: &Sealer, file_len: u64) -> Option<Self> {
        let head = Head::read(bytes)?;
        if head.kind != crate::frame::SNAPSHOT
            || !head.is_whole(sealer.seed(), frame)
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
            homes: raw.homes.get(),
            groups: raw.groups.get(),
            max_probe: raw.max_probe.get(),
            slots_at: frame.checked_add(raw.slots_from.get())?,
        };
        let slots_end = it.groups.checked_mul(GROUP_LEN as u64)?.checked_add(raw.slots_from.get())?;
        let needed = it.count.checked_mul(HASH_LEN)?.checked_add(slots_end)?;
        let sound = raw.slots_from.get() >= (HEAD_LEN + RAW_LEN) as u64
            && needed <= it.frame_len
            && frame.checked_add(it.frame_len)? <= file_len
            && it.older < frame
            && it.homes <= it.groups
            && it.count.div_ceil(SLOTS) <= it.groups
            && it.max_probe <= it.groups
            && it.homes > 0;
        sound.then_some(it)
    }

    /// Whether an older table lies below this one.
    #[must_use]
    pub fn is_delta(&self) -> bool {
        self.older != 0
    }

    /// The offset at which its frame ends.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.frame.saturating_add(self.frame_len)
    }

    /// Which groups to look at for a hash.
    #[inline(always)]
    #[must_use]
    pub fn probe(&self, hash: u64) -> Probe {
        let home = mulhi(hash, self.homes);
        let groups = self.max_probe.min(self.groups.saturating_sub(home));
        Probe { from: self.group_at(home), len: groups.wrapping_mul(GROUP_LEN as u64) as usize }
    }

    /// Offset in the file of a hash's home, a whole group.
    #[inline(always)]
    #[must_use]
    pub fn home(&self, hash: u64) -> u64 {
        self.group_at(mulhi(hash, self.homes))
    }

    /// Offset in the file of a group. `read` has checked that all groups lie within the file.
    #[inline(always)]
    fn group_at(&self, group: u64) -> u64 {
        self.slots_at.wrapping_add(group.wrapping_mul(GROUP_LEN as u64))
    }

    /// Offset in the file of the full hashes. `read` has checked that all of them lie within the frame.
    #[must_use]
    pub fn hashes_at(&self) -> u64 {
        self.group_at(self.groups)
    }

    /// All entries, in the order of their hashes, from the whole frame. `None` if the counts are wrong.
    #[must_use]
    pub fn entries(&self, frame: &[u8]) -> Option<Vec<Entry>> {
        let from = usize::try_from(self.slots_at.checked_sub(self.frame)?).ok()?;
        let len = usize::try_from(self.groups.checked_mul(GROUP_LEN as u64)?).ok()?;
        let groups = frame.get(from..from.checked_add(len)?)?;
        let (hashes, _) = frame.get(from.checked_add(len)?..)?.as_chunks();
        let mut hashes = hashes.iter().map(|hash| u64::from_le_bytes(*hash));
        let mut out = Vec::with_capacity(usize::try_from(self.count).ok()?);
        for place in Group::all(groups).flat_map(Group::places) {
            out.push(Entry { hash: hashes.next()?, place });
        }
        (out.len() as u64 == self.count).then_some(out)
    }
}

/// What a new snapshot contains beside its entries.
#[derive(Debug, Clone, Copy)]
pub struct About {
    /// Offset at which the frame will be written.
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

/// Appends the sealed frame of a table with `entries` to `out`. The entries must be sorted by hash.
pub fn encode(out: &mut Vec<u8>, sealer: &Sealer, about: &About, entries: &[Entry]) {
    let count = entries.len() as u64;
    // Five of eight slots are occupied on average. Then 9 % of look-ups read a second group.
    let homes = count.div_ceil(5).max(1);
    let from = out.len();
    let body = about.offset.saturating_add((HEAD_LEN + RAW_LEN) as u64);
    let slots_from = body.next_multiple_of(SLOTS_ALIGN).saturating_sub(about.offset);
    let slots_at = from.saturating_add(usize::try_from(slots_from).unwrap_or(0));
    let home_bytes = usize::try_from(homes).unwrap_or(0).saturating_mul(GROUP_LEN);
    // The home groups. A few more follow only if the last ones overflow.
    out.reserve(
        home_bytes.saturating_add(entries.len().saturating_mul(HASH_LEN as usize)).saturating_add(LITTLE),
    );
    out.resize(slots_at.saturating_add(home_bytes), 0);
    // The number of the next free slot.
    let mut used = 0u64;
    let mut max_probe = 0u64;
    for entry in entries {
        let home = mulhi(entry.hash, homes);
        let at = home.saturating_mul(SLOTS).max(used);
        used = at.saturating_add(1);
        let group = at / SLOTS;
        max_probe = max_probe.max(group.saturating_sub(home).saturating_add(1));
        let group = usize::try_from(group).unwrap_or(0);
        let group_at = slots_at.saturating_add(group.saturating_mul(GROUP_LEN));
        if group_at >= out.len() {
            out.resize(group_at.saturating_add(GROUP_LEN), 0);
        }
        if let Some(group) = out.get_mut(group_at..).and_then(<[u8]>::first_chunk_mut) {
            group::put(group, (at % SLOTS) as usize, *entry);
        }
    }
    let group_bytes = out.len().saturating_sub(slots_at) as u64;
    let raw = RawSnapshot {
        older: about.older.into(),
        count: count.into(),
        homes: homes.into(),
        groups: (group_bytes / GROUP_LEN as u64).into(),
        max_probe: max_probe.into(),
        slots_from: slots_from.into(),
        live_entries: about.live_entries.into(),
        live_bytes: about.live_bytes.into(),
    };
    let bytes = slots_from.saturating_add(group_bytes).saturating_add(count.saturating_mul(HASH_LEN));
    let len = crate::frame::align(bytes).max(crate::limits::MIN_FRAME_LEN);
    if let Some(to) = out.get_mut(from.saturating_add(HEAD_LEN)..).and_then(|b| b.get_mut(..RAW_LEN)) {
        to.copy_from_slice(raw.as_bytes());
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
    use crate::index::Place;

    fn sealer() -> Sealer {
        Sealer::new(3, Digest::Xxh3)
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
    fn every_entry_is_found_and_read_back_in_order() {
        for n in [0, 1, 2, 100, 10_000] {
            let (entries, frame, table) = table(n);
            assert!(sealer().verify(&frame, 4096));
            assert_eq!(table.entries(&frame).unwrap(), entries);
            for e in &entries {
                let probe = table.probe(e.hash);
                let from = usize::try_from(probe.from - 4096).unwrap();
                let slots = &frame[from..from + probe.len];
                let mut full = true;
                let groups = Group::all(slots).take_while(|g| std::mem::replace(&mut full, g.is_full()));
                assert!(groups.flat_map(|g| g.candidates(e.hash)).any(|p| p == e.place));
            }
        }
    }

    #[test]
    fn a_table_that_is_truncated_or_of_another_place_or_shard_is_not_read() {
        let (_, frame, table) = table(100);
        assert!(Table::read(&frame, 4096, &sealer(), 4096 + frame.len() as u64 - 1).is_none());
        assert!(Table::read(&frame, 8192, &sealer(), u64::MAX).is_none(), "at another offset");
        assert!(
            Table::read(&frame, 4096, &Sealer::new(4, Digest::Xxh3), u64::MAX).is_none(),
            "of another shard"
        );
        assert_eq!(table.slots_at % 64, 0);
    }
}
