//! A bit in the cache had flipped, and the program that was linked from it crashed.
#![expect(clippy::unwrap_used, reason = "tests may panic")]

mod common;
use common::artifacts::*;
use common::{quiet, unmapped};
use std::path::{Path, PathBuf};
use warmshard_core::Options;
use warmshard_core::limits::MAP_BLOB_BYTES;
use warmshard_core::stores::artifact::ArtifactStore;

/// A store with the artifact `k`, which has two outputs, and the path of one of its files.
fn filled(pack: bool) -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let mut store = store(dir.path());
    add(&mut store, "k", 3, 2, pack);
    add(&mut store, "other", 4, 2, pack);
    store.close();
    let file = dir.path().join(if pack { "k.pack" } else { "k_0" });
    (dir, file)
}

/// Checks that each output has the right bytes or is missing. Returns how many there are.
fn right_or_none(store: &mut ArtifactStore, what: &str) -> usize {
    let found = (0..3).filter(|i| {
        let found = read(store, "k", *i);
        assert!(found.is_none() || found == Some(output("k", 3, *i)), "{what}: wrong bytes");
        found.is_some()
    });
    let found = found.count();
    let rows = store.get("k").unwrap();
    assert!(rows.is_none() || rows == Some(meta("k", 3, 2)), "{what}: wrong metadata");
    assert!(has(store, "other", 4, 2), "{what}");
    found
}

fn without_index(dir: &Path) -> ArtifactStore {
    let _ = std::fs::remove_file(dir.join("index.shard"));
    store(dir)
}

#[test]
fn any_flipped_byte_costs_an_output_at_most() {
    for pack in [false, true] {
        let (dir, file) = filled(pack);
        let good = std::fs::read(&file).unwrap();
        let mut store = store(dir.path());
        let mut harmless = 0;
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 0x41;
            std::fs::write(&file, &bad).unwrap();
            let found = right_or_none(&mut store, &format!("pack {pack}, byte {at}"));
            harmless += usize::from(found == 2);
        }
        // Only the padding and the row block are not covered by the digests of outputs and front.
        assert!(harmless < 450, "{harmless} of {} bytes are covered by no digest", good.len());
    }
}

#[test]
fn rows_rebuilt_from_damaged_payloads_are_right_or_missing() {
    for pack in [false, true] {
        let (dir, file) = filled(pack);
        let good = std::fs::read(&file).unwrap();
        let (mut whole, mut bare) = (0, 0);
        for at in (0..good.len()).step_by(3) {
            let mut bad = good.clone();
            bad[at] ^= 0x41;
            std::fs::write(&file, &bad).unwrap();
            let what = format!("pack {pack}, byte {at}");
            let mut store = without_index(dir.path());
            let found = right_or_none(&mut store, &what);
            match store.get("k").unwrap() {
                Some(_) => whole += usize::from(found == 2),
                None => bare += usize::from(found > 0),
            }
            drop(store);
            // The sweep may have removed useless files.
            let mut store = without_index(dir.path());
            add(&mut store, "k", 3, 2, pack);
            store.close();
            assert_eq!(std::fs::read(&file).unwrap(), good, "the same put gives the same bytes");
        }
        assert!(whole > 5 && bare > 5, "{whole} {bare}");
    }
}

#[test]
fn a_file_cut_anywhere_costs_an_output_at_most() {
    for pack in [false, true] {
        let (dir, file) = filled(pack);
        let good = std::fs::read(&file).unwrap();
        let mut indexed = store(dir.path());
        for len in 0..good.len() {
            std::fs::write(&file, &good[..len]).unwrap();
            right_or_none(&mut indexed, &format!("pack {pack}, cut to {len}"));
        }
        std::fs::write(&file, [&good[..], b"more behind it"].concat()).unwrap();
        assert_eq!(right_or_none(&mut indexed, "longer"), 2);
        assert!(has(&mut without_index(dir.path()), "k", 3, 2), "bytes after the last row block are ignored");
    }
}

#[test]
fn swapped_files_are_not_served_for_each_other() {
    let swap = |dir: &Path, a: &str, b: &str| {
        std::fs::rename(dir.join(a), dir.join("hold")).unwrap();
        std::fs::rename(dir.join(b), dir.join(a)).unwrap();
        std::fs::rename(dir.join("hold"), dir.join(b)).unwrap();
    };
    for (pack, a, b) in [(false, "k_0", "other_0"), (false, "k_1", "other_1"), (true, "k.pack", "other.pack")]
    {
        let (dir, _) = filled(pack);
        swap(dir.path(), a, b);
        for mut store in [store(dir.path()), without_index(dir.path())] {
            for key in ["k", "other"] {
                let round = if key == "k" { 3 } else { 4 };
                for i in 0..2 {
                    let found = read(&mut store, key, i);
                    assert!(found.is_none() || found == Some(output(key, round, i)), "{a} {b}");
                }
                assert_eq!(read(&mut store, key, usize::from(a == "k_1")), None);
            }
        }
    }
    let (dir, _) = filled(false);
    swap(dir.path(), "k_0", "k_1");
    assert_eq!(right_or_none(&mut store(dir.path()), "swapped indexes"), 0);
    assert_eq!(right_or_none(&mut without_index(dir.path()), "swapped indexes"), 0);
}

#[test]
fn links_pipes_and_folders_in_place_of_an_output_are_not_served() {
    for pack in [false, true] {
        for kind in ["link", "pipe", "folder", "readable by all"] {
            let (dir, file) = filled(pack);
            std::fs::rename(&file, dir.path().join("aside")).unwrap();
            match kind {
                "link" => std::os::unix::fs::symlink("aside", &file).unwrap(),
                "pipe" => {
                    let mode = rustix::fs::Mode::from_raw_mode(0o600);
                    rustix::fs::mknodat(rustix::fs::CWD, &file, rustix::fs::FileType::Fifo, mode, 0).unwrap();
                }
                "folder" => std::fs::create_dir(&file).unwrap(),
                _ => {
                    std::fs::copy(dir.path().join("aside"), &file).unwrap();
                    let open = std::os::unix::fs::PermissionsExt::from_mode(0o666);
                    std::fs::set_permissions(&file, open).unwrap();
                }
            }
            let what = format!("{kind}, pack {pack}");
            let mut first = store(dir.path());
            assert_eq!(read(&mut first, "k", 0), None, "{what}");
            assert_eq!(right_or_none(&mut without_index(dir.path()), &what), 0);
            let mut again = store(dir.path());
            if kind == "folder" {
                assert!(again.put_outputs("k", &[b"1", b"2"], pack).is_err());
                add(&mut again, "fine", 1, 1, true);
                again.flush().unwrap();
                again.insert("k", meta("k", 3, 2)).unwrap();
                again.flush().unwrap();
                assert!(again.remove("k").unwrap());
                again.flush().unwrap();
                assert!(file.is_dir() && has(&mut store(dir.path()), "fine", 1, 1), "{what}");
            } else {
                // Replaced, not followed.
                add(&mut again, "k", 3, 2, pack);
                again.flush().unwrap();
                assert!(has(&mut store(dir.path()), "k", 3, 2), "{what}");
                assert!(file.symlink_metadata().unwrap().is_file());
            }
            assert!(dir.path().join("aside").exists());
        }
    }
}

#[test]
fn a_torn_or_foreign_row_block_is_ignored_and_the_one_before_it_counts() {
    let (dir, file) = filled(true);
    let one = std::fs::read(&file).unwrap();
    let mut indexed = store(dir.path());
    indexed.insert("k", meta("k", 8, 2)).unwrap();
    indexed.close();
    let two = std::fs::read(&file).unwrap();
    assert!(two.starts_with(&one) && two.len() > one.len());
    assert_eq!(without_index(dir.path()).get("k").unwrap(), Some(meta("k", 8, 2)));
    for len in one.len()..two.len() {
        std::fs::write(&file, &two[..len]).unwrap();
        assert_eq!(without_index(dir.path()).get("k").unwrap(), Some(meta("k", 3, 2)), "{len}");
    }
    // The next row block replaces the torn one.
    let mut mended = without_index(dir.path());
    mended.insert("k", meta("k", 9, 2)).unwrap();
    mended.close();
    assert_eq!(without_index(dir.path()).get("k").unwrap(), Some(meta("k", 9, 2)));
    // A row block of another key.
    let other = std::fs::read(dir.path().join("other.pack")).unwrap();
    let at = other.windows(4).rposition(|bytes| bytes == b"ROWB").unwrap();
    std::fs::write(&file, [&one[..], &other[at..]].concat()).unwrap();
    assert_eq!(without_index(dir.path()).get("k").unwrap(), Some(meta("k", 3, 2)));
}

#[test]
fn large_outputs_are_lent_and_damaged_ones_are_not() {
    let dir = tempfile::tempdir().unwrap();
    let large = common::telling("k", 1, MAP_BLOB_BYTES + 77);
    for pack in [false, true] {
        let name = if pack { "k.pack" } else { "k_1" };
        let mut first = store(dir.path());
        put(&mut first, "k", &[b"small".to_vec(), large.clone()], pack);
        first.insert("k", meta("k", 1, 2)).unwrap();
        first.flush().unwrap();
        for options in [quiet(), unmapped(), Options { verify_always: true, ..quiet() }] {
            assert_eq!(read(&mut store_with(dir.path(), options), "k", 1).as_ref(), Some(&large));
        }
        let good = std::fs::read(dir.path().join(name)).unwrap();
        for at in [200_000, good.len() - 1000, 300] {
            let mut bad = good.clone();
            bad[at] ^= 1;
            std::fs::write(dir.path().join(name), &bad).unwrap();
            for options in [quiet(), unmapped()] {
                let found = read(&mut store_with(dir.path(), options), "k", 1);
                assert!(found.is_none() || found.as_ref() == Some(&large));
            }
            std::fs::write(dir.path().join(name), &good[..at]).unwrap();
            assert_eq!(read(&mut store(dir.path()), "k", 1), None);
        }
        std::fs::write(dir.path().join(name), &good).unwrap();
    }
}
