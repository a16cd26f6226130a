//! Somebody named a target `../../.bashrc`.

mod common;
use common::artifacts::*;
use common::quiet;
use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt;
use warmshard_core::limits::MAX_KEY_BYTES;
use warmshard_core::stores::artifact::{ArtifactOptions, ArtifactStore};
use warmshard_core::{Code, Options};

fn hostile() -> Vec<String> {
    let plain = [
        "..",
        ".",
        "/",
        "//",
        "../../etc/passwd",
        "/etc/passwd",
        "a/../../b",
        "./a",
        "a/",
        "\0",
        "\0r",
        "\0l",
        "\0lx",
        "a\0b",
        "a\nb",
        "con",
        "CON",
        "nul.",
        "a:b",
        "a\\b",
        "..\\..\\b",
        "%2e%2e%2f",
        "~",
        "~root",
        "-rf",
        "*",
        "$(id)",
        ".tmp",
        ".tmp/state",
        "tmp",
        "index.shard",
        "index.shard.lock",
        "index.shard.tmp.1.2.0badcafe",
        "index.shard.tmp.1.2.0badcafe_0",
        "live.1.2.3",
        "state",
        "a",
        "A",
        "a_0",
        "a_0_0",
        "a.pack",
        "a_1",
        "a_",
        "_0",
        ".pack",
        "é",
        "e\u{301}",
        "İ",
        "ß",
        "SS",
        "ſ",
        "日本語",
        "\u{202e}x",
        "\u{feff}",
        " ",
        "a ",
        "a.",
    ];
    let mut keys: Vec<String> = plain.map(String::from).to_vec();
    for len in [179, 180, 181, 255, 1000, MAX_KEY_BYTES - 2] {
        keys.push("k".repeat(len));
        keys.push(format!("{}/", "k".repeat(len - 1)));
    }
    // A key that is the stem of another key.
    keys.push(format!("~{}", blake3::hash(b"..").to_hex()));
    keys
}

#[test]
fn no_key_leaves_the_folder_or_meets_another() {
    for pack in [false, true] {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("a/b/store");
        let mut store = store(&dir);
        let keys = hostile();
        for (round, key) in keys.iter().enumerate() {
            add(&mut store, key, round as u64, 2, pack);
            if round % 10 == 0 {
                store.flush().unwrap();
            }
        }
        for (round, key) in keys.iter().enumerate() {
            assert!(has(&mut store, key, round as u64, 2), "{key:?}");
        }
        store.close();
        let inodes: BTreeSet<u64> =
            payloads(&dir).iter().map(|name| dir.join(name).metadata().unwrap().ino()).collect();
        assert_eq!(inodes.len(), keys.len() * if pack { 1 } else { 2 });
        assert!(files(root.path()).iter().all(|name| name.starts_with("a/b/store/")));
        assert!(payloads(&dir).iter().all(|name| !name.contains('/')), "{:?}", payloads(&dir));
        // With the index, without it, and with a comparison as after a reboot.
        for damage in [None, Some("index.shard"), Some(".tmp/state")] {
            if let Some(name) = damage {
                std::fs::remove_file(dir.join(name)).unwrap();
            }
            let mut store = self::store(&dir);
            assert_eq!((store.recovered().swept, store.recovered().dropped), (0, 0));
            let rows = all(&mut store);
            assert_eq!(
                rows.keys().collect::<BTreeSet<_>>(),
                keys.iter().collect::<BTreeSet<_>>(),
                "{damage:?}"
            );
            for (round, key) in keys.iter().enumerate() {
                assert!(has(&mut store, key, round as u64, 2), "{key:?}");
            }
        }
        let mut store = self::store(&dir);
        for (n, key) in keys.iter().enumerate() {
            assert!(store.remove(key).unwrap(), "{key:?}");
            if n % 20 == 0 {
                store.flush().unwrap();
                assert_eq!(payloads(&dir).len(), (keys.len() - n - 1) * if pack { 1 } else { 2 }, "{key:?}");
            }
        }
        store.close();
        assert_eq!(payloads(&dir), Vec::<String>::new());
    }
}

#[test]
fn what_cannot_be_a_key_is_refused_everywhere() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = store(dir.path());
    for key in ["", &"k".repeat(MAX_KEY_BYTES - 1)] {
        let refused = [
            store.insert(key, meta("x", 1, 0)).unwrap_err(),
            store.get(key).unwrap_err(),
            store.remove(key).unwrap_err(),
            store.put_outputs(key, &[], true).unwrap_err(),
            store.output(key, 0).unwrap_err(),
        ];
        assert!(refused.iter().all(|error| error.code() == Code::InvalidKey), "{refused:?}");
    }
    assert_eq!(read(&mut store, "k", u32::MAX as usize), None);
}

#[test]
fn files_of_others_in_the_folder_stay() {
    let dir = tempfile::tempdir().unwrap();
    flushed(dir.path(), "mine", 1, 2, false);
    let strangers =
        ["notes.txt", "mine_9", "theirs_0", "theirs.pack", "x_007", "live.1.2.3", ".hidden", "mine.pack.bak"];
    for name in strangers {
        std::fs::write(dir.path().join(name), format!("not a payload: {name}")).unwrap();
    }
    std::fs::create_dir(dir.path().join("release-2")).unwrap();
    std::fs::create_dir(dir.path().join("folder_0")).unwrap();
    std::fs::remove_file(dir.path().join("index.shard")).unwrap();
    let mut store = store(dir.path());
    assert!(has(&mut store, "mine", 1, 2));
    assert_eq!(store.clear().unwrap(), 1);
    store.close();
    let mut left = payloads(dir.path());
    left.sort();
    let mut expected = strangers.to_vec();
    expected.sort_unstable();
    assert_eq!(left, expected);
    assert!(dir.path().join("folder_0").is_dir() && dir.path().join("release-2").is_dir());
}

#[test]
fn a_namespace_may_have_any_name_that_is_allowed() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["tmp", "index", "boot", "live", "a-0", "-"] {
        warmshard_core::stores::artifact::names::check_namespace(name).unwrap();
        flushed(&dir.path().join(name), "live.x", 1, 2, false);
    }
    flushed(dir.path(), "tmp", 2, 2, false);
    std::fs::remove_file(dir.path().join(".tmp/state")).unwrap();
    assert!(has(&mut store(dir.path()), "tmp", 2, 2));
    for name in ["tmp", "index", "boot", "live", "a-0", "-"] {
        assert!(has(&mut store(&dir.path().join(name)), "live.x", 1, 2), "{name}");
    }
}

#[test]
fn options_of_the_index_cannot_break_the_store() {
    let dir = tempfile::tempdir().unwrap();
    let root = warmshard_core::key::Root::new("/project").unwrap();
    let index =
        Options { root: Some(root), max_entry_bytes: 16, part_count: 3, max_bytes: 65_536, ..quiet() };
    let mut odd =
        ArtifactStore::open(dir.path(), ArtifactOptions { max_bytes: u64::MAX, ..with(index) }).unwrap();
    for n in 0..200 {
        add(&mut odd, &format!("/project/{n}"), n, 2, true);
    }
    odd.close();
    let mut plain = store(dir.path());
    for n in 0..200 {
        assert!(has(&mut plain, &format!("/project/{n}"), n, 2));
    }
}
