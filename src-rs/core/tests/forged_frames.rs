//! Every checksum was right and every length was wrong: the file had been forged.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests may panic")]

mod common;
use common::rubbish::{works, write};
use common::*;
use warmshard_core::frame::{HEAD_LEN, RECORD, RecordFields, SNAPSHOT, Sealer};
use warmshard_core::header::{Header, Root};
use warmshard_core::index::snapshot::{About, encode};
use warmshard_core::index::{Entry, Place};
use warmshard_core::limits::MAX_GENERATION;
use warmshard_core::{Digest, Options, Quick, Shard, key};

fn fields(key: &[u8], hash: u64) -> RecordFields<'_> {
    RecordFields {
        key,
        key_hash: hash,
        producer: 7,
        name: "",
        version: "",
        validator_kind: 0,
        validator: &[],
        parts: &[b"value"],
        expires_ms: 0,
        cached_ns: 0,
    }
}

/// A shard with one record, to which forged frames are appended.
struct Forge {
    sealer: Sealer,
    header: Header,
    bytes: Vec<u8>,
    entries: Vec<Entry>,
}

impl Forge {
    fn new() -> Self {
        let header = Header::new(Digest::Xxh3, 0).unwrap();
        let sealer = Sealer::new(header.check_seed(), Digest::Xxh3);
        let mut it = Forge { sealer, bytes: header.encode("", ""), header, entries: Vec::new() };
        it.record("k");
        it
    }

    fn record(&mut self, k: &str) -> usize {
        let hash = key::hash(k.as_bytes(), self.header.seed);
        let at = self.bytes.len();
        let mut fields = fields(k.as_bytes(), hash);
        fields.producer = Options::default().producer.id().unwrap();
        self.sealer.record(&mut self.bytes, at as u64, 1, 0, &fields);
        self.entries.push(Entry { hash, place: Place::new(at as u64, false) });
        self.entries.sort_by_key(|e| e.hash);
        at
    }

    /// Changes a frame and recomputes its checksums.
    fn lie(&mut self, at: usize, change: impl Fn(&mut [u8])) {
        change(&mut self.bytes[at..]);
        let seed = self.sealer.seed();
        if self.bytes[at + 40] == SNAPSHOT {
            let len = u64::from_le_bytes(self.bytes[at + 24..at + 32].try_into().unwrap());
            let end = at.saturating_add(len as usize).min(self.bytes.len());
            let table = self.sealer.table_check(&self.bytes[at..]);
            let sum = warmshard_core::digest::checksum(seed, &self.bytes[at + HEAD_LEN..end]);
            self.bytes[at + 16..at + 24].copy_from_slice(&table.to_le_bytes());
            self.bytes[at + 32..at + 40].copy_from_slice(&sum.to_le_bytes());
        }
        let check = warmshard_core::digest::checksum(
            seed.wrapping_add(at as u64),
            &self.bytes[at + 8..at + HEAD_LEN],
        );
        self.bytes[at..at + 8].copy_from_slice(&check.to_le_bytes());
    }

    fn snapshot(&mut self, older: u64) -> usize {
        let at = self.bytes.len();
        let about = About {
            offset: at as u64,
            older,
            generation: 1,
            live_entries: self.entries.len() as u64,
            live_bytes: 128,
        };
        encode(&mut self.bytes, &self.sealer, &about, &self.entries);
        at
    }

    /// Writes a root slot that names a snapshot, as a flush does.
    fn root(&mut self, snapshot: usize, generation: u64) {
        let root =
            Root { sequence: 1, generation, committed: self.bytes.len() as u64, snapshot: snapshot as u64 };
        let at = root.offset() as usize;
        let slot = root.encode(self.sealer.seed());
        self.bytes[at..at + slot.len()].copy_from_slice(&slot);
    }

    fn try_out(&self, what: &str, survives: bool) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.shard");
        write(&path, &self.bytes);
        let found = get(&mut open(&path), "k");
        assert!(found.is_none() || found.unwrap() == b"value");
        if survives {
            assert_eq!(get(&mut open(&path), "k").unwrap(), b"value", "{what}");
        }
        works(&path, what);
    }
}

#[test]
fn a_keyed_record_of_another_shard_is_a_forgery_here() {
    let a = Sealer::new(1, Digest::keyed(&[1; 32]).unwrap());
    let b = Sealer::new(2, Digest::keyed(&[1; 32]).unwrap());
    let mut frame = Vec::new();
    a.record(&mut frame, 4096, 1, 0, &fields(b"k", 1));
    assert!(a.verify(&frame, 4096));
    // The checksum needs no key, so anyone can compute it, but not the digest.
    let digest = frame[frame.len() - 32..].to_vec();
    let mut forged = Vec::new();
    b.record(&mut forged, 4096, 1, 0, &fields(b"k", 1));
    let len = forged.len();
    forged[len - 32..].copy_from_slice(&digest);
    assert!(!b.verify(&forged, 4096));
}

/// A forged record is so close to a good one that both could share the mark which says that a record was verified.
#[test]
fn a_record_forged_without_the_key_is_not_served_because_its_neighbour_was_verified() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.shard");
    let digest = Digest::keyed(&[1; 32]).unwrap();
    let options = Options { digest: Some(digest.clone()), ..by("host") };
    let producer = options.producer.id().unwrap();
    let header = Header::new(digest.clone(), 0).unwrap();
    let sealer = Sealer::new(header.check_seed(), digest);
    let of = |key: &[u8]| key::hash(key, header.seed);
    // Before and after a frame that starts within a unit of 128 bytes, or at its start.
    let cases = (16..128).step_by(16).map(|by| (4096 + 112, 4096 + 112 - by)).chain([(4096, 4096 + 112)]);
    for (whole_at, forged_at) in cases {
        let mut bytes = header.encode("", "");
        bytes.resize(whole_at, 0);
        let whole = RecordFields { producer, parts: &[b""], ..fields(b"a", of(b"a")) };
        sealer.record(&mut bytes, whole_at as u64, 1, 0, &whole);
        let whole_frame = bytes[whole_at..].to_vec();
        // Sealed with another key.
        let other = Sealer::new(header.check_seed(), Digest::keyed(&[2; 32]).unwrap());
        let mut forged = Vec::new();
        let evil = RecordFields { producer, parts: &[b"evil"], ..fields(b"b", of(b"b")) };
        other.record(&mut forged, forged_at as u64, 1, 0, &evil);
        bytes.resize(bytes.len().max(forged_at + forged.len()), 0);
        bytes[forged_at..forged_at + forged.len()].copy_from_slice(&forged);
        // The good record stays intact.
        bytes[whole_at..whole_at + whole_frame.len()].copy_from_slice(&whole_frame);
        bytes.resize(bytes.len().next_multiple_of(16), 0);
        let mut entries = [(b"a", whole_at), (b"b", forged_at)]
            .map(|(key, at)| Entry { hash: of(key), place: Place::new(at as u64, false) });
        entries.sort_by_key(|entry| entry.hash);
        let offset = bytes.len() as u64;
        let about = About { offset, older: 0, generation: 1, live_entries: 2, live_bytes: 0 };
        encode(&mut bytes, &sealer, &about, &entries);
        let root = Root { sequence: 1, generation: 1, committed: bytes.len() as u64, snapshot: offset };
        let (at, root) = (root.offset() as usize, root.encode(header.check_seed()));
        bytes[at..at + root.len()].copy_from_slice(&root);
        write(&path, &bytes);
        for mapped in [true, false] {
            let _ = std::fs::remove_file(lock_path(&path));
            let mut shard = Shard::open(&path, Options { mapped, ..options.clone() }).unwrap();
            assert_eq!(get(&mut shard, "b"), None);
            assert_eq!(get(&mut shard, "a").unwrap(), b"");
            assert_eq!(shard.peek_quickly(b"b"), Quick::Ask);
            assert_eq!(get(&mut shard, "b"), None, "forged at {forged_at}, beside {whole_at}");
        }
    }
}

#[test]
fn forged_lengths_do_no_harm() {
    for length in
        [0, 1, 16, 127, 129, 1 << 20, 1 << 31, 1 << 44, (1 << 44) + 16, 1 << 63, u64::MAX - 15, u64::MAX]
    {
        let mut it = Forge::new();
        let at = it.record("other");
        it.lie(at, |f| f[24..32].copy_from_slice(&length.to_le_bytes()));
        it.try_out(&format!("length {length:#x}"), true);
        it.root(0, 1);
        it.try_out(&format!("durable length {length:#x}"), true);
    }
    for at_of in [64usize, 66, 67, 68, 69, 70] {
        let mut it = Forge::new();
        let at = it.record("other");
        it.lie(at, |f| f[at_of] = 0xFF);
        it.root(0, 1);
        it.try_out(&format!("head byte {at_of}"), true);
    }
    for generation in [MAX_GENERATION / 2, MAX_GENERATION + 1, u64::MAX] {
        let mut it = Forge::new();
        let at = it.record("other");
        it.lie(at, |f| f[8..16].copy_from_slice(&generation.to_le_bytes()));
        it.try_out(&format!("generation {generation:#x}"), true);
    }
}

#[test]
fn a_forged_snapshot_does_no_harm() {
    for field in 0..8 {
        for value in [0, 1, 8, 4096, 4224, 1 << 20, 1 << 32, 1 << 60, u64::MAX / 8, u64::MAX] {
            let mut it = Forge::new();
            let at = it.snapshot(0);
            it.lie(at, |f| f[HEAD_LEN + field * 8..][..8].copy_from_slice(&u64::to_le_bytes(value)));
            it.root(at, 1);
            it.try_out(&format!("snapshot field {field} = {value:#x}"), false);
        }
    }
}

#[test]
fn snapshots_that_form_a_circle_or_a_long_chain_do_no_harm() {
    let mut it = Forge::new();
    let first = it.snapshot(0);
    let second = it.snapshot(first as u64);
    // The first now names the second, which names the first.
    it.lie(first, |f| f[HEAD_LEN..HEAD_LEN + 8].copy_from_slice(&(second as u64).to_le_bytes()));
    it.root(second, 1);
    it.try_out("a circle", true);
    let mut it = Forge::new();
    let own = it.bytes.len();
    let at = it.snapshot(own as u64);
    it.root(at, 1);
    it.try_out("a snapshot that names itself", true);
    let mut it = Forge::new();
    let mut older = 0;
    for _ in 0..40 {
        older = it.snapshot(older as u64);
    }
    it.root(older, 1);
    it.try_out("a long chain", true);
}

#[test]
fn a_forged_root_does_no_harm() {
    for (snapshot, committed, generation) in [
        (4096, u64::MAX, 1),
        (1, 4096, 1),
        (4097, 4224, 1),
        (0, 1, 1),
        (0, 4100, 1),
        (u64::MAX, 4224, u64::MAX),
    ] {
        let mut it = Forge::new();
        let root = Root { sequence: 1, generation, committed, snapshot };
        let at = root.offset() as usize;
        let slot = root.encode(it.sealer.seed());
        it.bytes[at..at + slot.len()].copy_from_slice(&slot);
        it.try_out(&format!("{root:?}"), true);
    }
}

#[test]
fn a_slot_with_a_wrong_offset_gives_nothing() {
    for place in [16, 4096, 4112, 1 << 30, (1 << 44) - 16] {
        let mut it = Forge::new();
        it.entries[0].place = Place::new(place, false);
        let at = it.snapshot(0);
        it.root(at, 1);
        it.try_out(&format!("a slot for {place:#x}"), false);
    }
    assert_eq!(RECORD, 1);
}
