//! The quick way served an entry that was deleted, which the full look-up knew.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests may panic")]

mod common;
use common::*;
use warmshard_core::header::Header;
use warmshard_core::limits::TAIL_ENTRIES;
use warmshard_core::{Job, Lookup, Options, PutMeta, Quick, Shard, Validator, key};

/// Checks that the quick way and the full look-up agree. Returns whether the quick way gave an answer.
fn agrees(shard: &mut Shard, key: &str) -> bool {
    let quick = shard.peek_quickly(key.as_bytes());
    let full = shard.peek(key.as_bytes(), &Validator::None).unwrap();
    let again = shard.peek_quickly(key.as_bytes());
    for said in [quick, again] {
        match (said, full) {
            (Quick::Hit(offset, len), Lookup::Hit(hit)) => {
                assert_eq!((offset, len), (hit.offset, hit.len), "{key}")
            }
            (Quick::Miss, Lookup::Miss) | (Quick::Ask, _) => {}
            other => panic!("{key}: {other:?}"),
        }
    }
    again != Quick::Ask
}

fn meta(validator: Validator<'_>, expires_ms: u64) -> PutMeta<'_> {
    PutMeta { validator, expires_ms }
}

#[test]
fn both_ways_agree_through_every_kind_of_change() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.shard");
    let (mut shard, mut other) = (open(&path), Shard::open(&path, by("other")).unwrap());
    let mut follower = open(&path);
    // Lengths around the sizes in which keys are compared, and around the shortest frame.
    let keys: Vec<String> = (0..140).map(|i| format!("{i:03}{}", "k".repeat(i))).collect();
    let mut state = 7u64;
    let mut random = |n: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % n
    };
    let mut said = 0;
    for step in 0..6000 {
        let key = &keys[random(keys.len())];
        let value = telling(key, step, random(300));
        match random(12) {
            0..4 => put(&mut shard, key, &value),
            4 => drop(shard.delete(key.as_bytes()).unwrap()),
            5 => other.put(key.as_bytes(), &[&value], PutMeta::default()).unwrap(),
            6 => shard.put(key.as_bytes(), &[&value], meta(Validator::Opaque(b"v"), 0)).unwrap(),
            7 => shard.put(key.as_bytes(), &[&value], meta(Validator::None, 1)).unwrap(),
            8 if step % 500 == 0 => drop(shard.compact(&Job::default()).unwrap()),
            _ => {}
        }
        for _ in 0..5 {
            said += u32::from(agrees(&mut shard, &keys[random(keys.len())]));
            agrees(&mut other, &keys[random(keys.len())]);
            agrees(&mut follower, &keys[random(keys.len())]);
        }
    }
    assert!(said > 10_000, "the quick way hardly ever gives an answer: {said}");
}

#[test]
fn it_answers_from_the_tail_and_from_snapshots() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.shard");
    let mut shard = open(&path);
    let keys: Vec<String> = (0..TAIL_ENTRIES * 2 + 100).map(|i| format!("key {i}")).collect();
    keys.iter().for_each(|key| put(&mut shard, key, key.as_bytes()));
    let mut asked = 0;
    for key in &keys {
        assert!(agrees(&mut shard, key), "{key}");
        assert!(agrees(&mut shard, &format!("absent {key}")));
        let Quick::Hit(offset, len) = shard.get_quickly(key.as_bytes()) else {
            // After many hits the handle looks at the clock.
            asked += 1;
            assert_eq!(get(&mut shard, key).unwrap(), key.as_bytes());
            continue;
        };
        let mut bytes = vec![0; len as usize];
        assert!(shard.copy(offset, &mut bytes));
        assert_eq!(bytes, key.as_bytes());
    }
    assert!((1..3).contains(&asked), "the clock was looked at {asked} times");
    let stats = shard.stats();
    assert_eq!((stats.hits, stats.misses), (keys.len() as u64, 0), "each look-up is counted once");
    assert_eq!(shard.get_quickly(b"absent"), Quick::Miss);
    assert_eq!(shard.stats().misses, 1);
}

#[test]
fn unusual_cases_are_left_to_the_full_look_up() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.shard");
    put(&mut open(&path), "k", b"v");
    let root = warmshard_core::key::Root::new("/app").unwrap();
    let unusual =
        [unmapped(), Options { verify_always: true, ..quiet() }, Options { root: Some(root), ..quiet() }];
    for options in unusual {
        let mut shard = Shard::open(&path, options).unwrap();
        assert!(!agrees(&mut shard, "k"));
        assert_eq!(shard.get_quickly(b"k"), Quick::Ask);
        assert_eq!(shard.stats().hits, 0);
    }
    let mut shard = open(&path);
    assert_eq!(shard.peek_quickly(b"k"), Quick::Ask, "not verified yet");
    assert!(agrees(&mut shard, "k"));
    for key in [&b""[..], b"\0k", &[b'k'; 4095]] {
        assert_eq!(shard.peek_quickly(key), Quick::Ask);
    }
}

#[test]
fn a_key_with_the_same_bits_of_its_hash_is_not_mistaken_for_another() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.shard");
    let mut shard = open(&path);
    // So few keys that all are in one group of the index.
    let keys: Vec<String> = (0..5).map(|i| format!("{i:08}")).collect();
    keys.iter().for_each(|key| put(&mut shard, key, key.as_bytes()));
    shard.compact(&Job::default()).unwrap();
    keys.iter().for_each(|key| assert!(agrees(&mut shard, key)));
    let header = Header::decode(&std::fs::read(&path).unwrap(), None).unwrap();
    let bits = |key: &str| key::hash(key.as_bytes(), header.seed) & 0x7F_FFFF;
    let taken: Vec<u64> = keys.iter().map(|key| bits(key)).collect();
    let like = (5..100_000_000).map(|i| format!("{i:08}")).filter(|key| taken.contains(&bits(key)));
    for key in like.take(3) {
        assert_eq!(shard.peek_quickly(key.as_bytes()), Quick::Ask, "{key}");
        assert_eq!(get(&mut shard, &key), None);
    }
}

#[test]
fn an_expired_entry_is_not_found() {
    let dir = tempfile::tempdir().unwrap();
    let mut shard = open(&dir.path().join("a.shard"));
    let at = warmshard_core::clock::now_ms() + 400;
    shard.put(b"k", &[b"v"], meta(Validator::None, at)).unwrap();
    let found = get(&mut shard, "k");
    assert!(found.as_deref() == Some(b"v") || warmshard_core::clock::now_ms() >= at, "{found:?}");
    while warmshard_core::clock::now_ms() <= at {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    assert_eq!(shard.peek_quickly(b"k"), Quick::Ask);
    assert_eq!(get(&mut shard, "k"), None);
}
