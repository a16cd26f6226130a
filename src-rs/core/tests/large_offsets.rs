//! The cache grew beyond four gigabytes, and a 32-bit offset wrapped around.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests may panic")]

mod common;
use common::*;
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::path::Path;
use warmshard_core::frame::{HEAD_LEN, Head, RecordFields, Sealer};
use warmshard_core::header::{Header, Root};
use warmshard_core::index::snapshot::{About, encode};
use warmshard_core::index::{Entry, Place};
use warmshard_core::shard::Loan;
use warmshard_core::{Digest, Job, Lookup, Options, Shard, Validator, key};
use zerocopy::IntoBytes;

/// Makes a sparse shard: one record at the front, a frame that is only a length, one record and an index
/// snapshot at `far`, and a root slot.
fn craft(path: &Path, far: u64) {
    let header = Header::new(Digest::Xxh3, 1).unwrap();
    let sealer = Sealer::new(header.check_seed(), Digest::Xxh3);
    let file = std::fs::File::create(path).unwrap();
    file.set_permissions(std::fs::Permissions::from_mode(0o600)).unwrap();
    file.write_all_at(&header.encode("", ""), 0).unwrap();
    let mut entries = Vec::new();
    let mut record = |name: &str, at: u64| {
        let hash = key::hash(name.as_bytes(), header.seed);
        let fields = RecordFields {
            key: name.as_bytes(),
            key_hash: hash,
            producer: Options::default().producer.id().unwrap(),
            name: "",
            version: "",
            validator_kind: 0,
            validator: &[],
            parts: &[name.as_bytes()],
            expires_ms: 0,
            cached_ns: 1,
        };
        let mut out = Vec::new();
        sealer.record(&mut out, at, 1, 0, &fields);
        file.write_all_at(&out, at).unwrap();
        entries.push(Entry { hash, place: Place::new(at, false) });
        at + out.len() as u64
    };
    let gap = record("near", 4096);
    let after = record("far", far);
    let mut filler: Head = zerocopy::FromZeros::new_zeroed();
    filler.kind = warmshard_core::frame::SNAPSHOT;
    filler.generation = 1.into();
    filler.length = (far - gap).into();
    let sum = warmshard_core::digest::checksum(sealer.seed().wrapping_add(gap), &filler.as_bytes()[8..]);
    filler.check = sum.into();
    assert!(filler.is_whole(sealer.seed(), gap) && filler.as_bytes().len() == HEAD_LEN);
    file.write_all_at(filler.as_bytes(), gap).unwrap();
    entries.sort_by_key(|e| e.hash);
    let about = About { offset: after, older: 0, generation: 1, live_entries: 2, live_bytes: 256 };
    let mut out = Vec::new();
    encode(&mut out, &sealer, &about, &entries);
    file.write_all_at(&out, after).unwrap();
    let root = Root { sequence: 1, generation: 1, committed: after + out.len() as u64, snapshot: after };
    file.write_all_at(&root.encode(sealer.seed()), root.offset()).unwrap();
}

fn try_out(far: u64, options: &Options) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.shard");
    craft(&path, far);
    let open = || Shard::open(&path, options.clone()).unwrap();
    let mut shard = open();
    let mut idle = open();
    for i in 0..600u64 {
        put(&mut shard, &format!("n{i}"), &telling("n", i, 5));
    }
    merge(&mut shard, &[("b0", b"0"), ("b1", b"1")]);
    assert!(shard.stats().file_bytes > far && shard.stats().index_snapshots >= 1);
    for handle in [&mut shard, &mut idle, &mut open()] {
        assert_eq!(get(handle, "near").unwrap(), b"near");
        assert_eq!(get(handle, "far").unwrap(), b"far");
        assert_eq!(get(handle, "b1").unwrap(), b"1");
        for i in 0..600u64 {
            assert_eq!(check_telling("n", &get(handle, &format!("n{i}")).unwrap()), i);
        }
        assert_eq!(handle.len(), 604);
        let Lookup::Hit(hit) = handle.get(b"far", &Validator::None).unwrap() else { panic!() };
        assert!(hit.offset > far && hit.offset % 16 == 0);
        if options.mapped {
            assert_eq!(handle.loan(hit.offset, hit.len), Loan::NeedsWindow);
            let lent = handle.window(hit.offset).unwrap();
            assert!(lent.start <= hit.offset);
            assert!(matches!(handle.loan(hit.offset, hit.len), Loan::Window { .. }));
        }
    }
    shard.flush().unwrap();
    std::fs::remove_file(lock_path(&path)).unwrap();
    let mut shard = open();
    assert_eq!((get(&mut shard, "far").unwrap(), shard.len()), (b"far".to_vec(), 604));
    let report = shard.compact(&Job::default()).unwrap();
    assert_eq!((report.kept, report.replaced), (604, true));
    assert!(report.bytes_before > far && report.bytes_after < 1 << 20);
    assert_eq!(get(&mut idle, "far").unwrap(), b"far");
}

#[test]
fn entries_beyond_four_gigabytes_are_found() {
    for far in [(1u64 << 32) - 128, 1 << 32, (5 << 30) + 16] {
        try_out(far, &quiet());
        try_out(far, &unmapped());
    }
}

#[test]
fn entries_near_the_longest_file_are_found() {
    // The largest sparse file of many file systems is just below 16 TiB.
    try_out(10 << 40, &quiet());
    try_out(10 << 40, &unmapped());
}
