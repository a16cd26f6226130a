//! A cleaner had overwritten the cache with random bytes, and the next start hung.

mod common;
use common::rubbish::{works, write};
use common::*;
use proptest::prelude::*;
use warmshard_core::header::Header;
use warmshard_core::limits::{FORMAT_VERSION, MAX_GENERATION};
use warmshard_core::{Digest, Job, Options, Shard};

#[test]
fn a_foreign_file_says_why_it_is_empty_and_is_replaced() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.shard");
    let whole = |digest: Digest| Header::new(digest, 0).unwrap().encode("h", "1");
    let with = |at: usize, bytes: &[u8]| {
        let mut block = whole(Digest::Xxh3);
        block[at..at + bytes.len()].copy_from_slice(bytes);
        block
    };
    let keyed = |n: u8| Digest::keyed(&[n; 32]).unwrap();
    let cases: Vec<(&str, Vec<u8>, Option<Digest>)> = vec![
        ("truncated", Vec::new(), None),
        ("truncated", whole(Digest::Xxh3)[..300].to_vec(), None),
        ("foreign", vec![7; 9000], None),
        ("version", with(8, &(FORMAT_VERSION + 1).to_le_bytes()), None),
        ("version", with(8, &(FORMAT_VERSION - 1).to_le_bytes()), None),
        ("endian", with(12, &[1, 2, 3, 4]), None),
        ("pointer-width", with(16, &[4]), None),
        ("checksum", with(40, &[1, 2, 3]), None),
        ("digest", whole(Digest::Xxh3), Some(Digest::Blake3)),
        ("digest", whole(Digest::Blake3), Some(Digest::Xxh3)),
        ("digest", whole(keyed(1)), None),
        ("digest", whole(Digest::Xxh3), Some(keyed(1))),
        ("key", whole(keyed(1)), Some(keyed(2))),
    ];
    for (why, bytes, digest) in cases {
        write(&path, &bytes);
        let options = Options { digest, ..quiet() };
        let mut shard = Shard::open(&path, options.clone()).unwrap();
        let mut reader = Shard::open(&path, Options { read_only: true, ..options.clone() }).unwrap();
        for shard in [&mut shard, &mut reader] {
            let said = shard.stats().rejected.unwrap_or_else(|| panic!("{why}"));
            assert!(said.starts_with(why), "{said:?} instead of {why}");
            assert_eq!((get(shard, "k"), shard.len()), (None, 0));
        }
        put(&mut shard, "k", b"1");
        for shard in [&mut shard, &mut reader, &mut Shard::open(&path, options).unwrap()] {
            assert_eq!(get(shard, "k").unwrap(), b"1", "{why}");
            assert_eq!(shard.stats().rejected, None);
        }
    }
}

#[test]
fn the_right_key_opens_a_keyed_shard() {
    let dir = tempfile::tempdir().unwrap();
    for digest in [Digest::keyed(&[1; 32]).unwrap(), Digest::Blake3] {
        let path = dir.path().join(format!("{digest:?}.shard"));
        let options = Options { digest: Some(digest), ..quiet() };
        let mut shard = Shard::open(&path, options.clone()).unwrap();
        put(&mut shard, "k", b"1");
        merge(&mut shard, &[("l", b"2"), ("m", b"3")]);
        shard.compact(&Job::default()).unwrap();
        put(&mut shard, "n", b"4");
        for shard in [&mut shard, &mut Shard::open(&path, options).unwrap()] {
            assert_eq!((get(shard, "k").unwrap(), get(shard, "n").unwrap()), (b"1".to_vec(), b"4".to_vec()));
            assert!(shard.verify(&Job::default()).unwrap().is_sound());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes_are_an_empty_shard(bytes in prop::collection::vec(any::<u8>(), 0..9000), headed: bool) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.shard");
        let mut all = if headed { Header::new(Digest::Xxh3, 3).unwrap().encode("", "") } else { Vec::new() };
        all.extend(bytes);
        write(&path, &all);
        works(&path, "random bytes");
    }

    #[test]
    fn a_random_sidecar_does_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..9000), cut in 0..30_000usize) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.shard");
        put(&mut open(&path), "here", b"1");
        write(&lock_path(&path), &bytes);
        assert_eq!(get(&mut open(&path), "here").unwrap(), b"1");
        works(&path, "a random sidecar");
        let whole = std::fs::read(lock_path(&path)).unwrap();
        write(&lock_path(&path), &whole[..cut.min(whole.len())]);
        works(&path, "a cut sidecar");
        assert_eq!(get(&mut open(&path), "here").unwrap(), b"1");
    }
}

#[test]
fn no_word_of_the_sidecar_can_do_harm() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.shard");
    let mut shard = open(&path);
    for i in 0..100 {
        put(&mut shard, &format!("n{i}"), &[i; 20]);
    }
    shard.close();
    put(&mut open(&path), "here", b"1");
    let (bytes, sidecar) = (std::fs::read(&path).unwrap(), std::fs::read(lock_path(&path)).unwrap());
    for word in 0..32 {
        for value in [0, 1, 4097, 4112, 1 << 40, MAX_GENERATION + 1, u64::MAX - 1, u64::MAX] {
            let mut bad = sidecar.clone();
            bad[word * 8..word * 8 + 8].copy_from_slice(&value.to_le_bytes());
            let what = format!("word {word} = {value:#x}");
            for path in [&path, &lock_path(&path)] {
                std::fs::remove_file(path).unwrap();
            }
            write(&path, &bytes);
            write(&lock_path(&path), &bad);
            let mut shard = open(&path);
            let mut reader = Shard::open(&path, read_only()).unwrap();
            assert_eq!(get(&mut shard, "here").unwrap(), b"1", "{what}");
            for round in 0..3u8 {
                put(&mut shard, "new", &[round]);
                assert_eq!(get(&mut reader, "new").unwrap(), [round], "{what}");
            }
            assert!(shard.generation() <= MAX_GENERATION, "{what}");
            shard.flush().unwrap();
            assert!(shard.durability().durable, "{what}");
            shard.compact(&Job::default()).unwrap();
            put(&mut shard, "new", b"last");
            for shard in [&mut shard, &mut reader, &mut open(&path)] {
                assert_eq!(get(shard, "new").unwrap(), b"last", "{what}");
                assert_eq!(get(shard, "n7").unwrap(), [7; 20], "{what}");
            }
        }
    }
}

#[test]
fn a_sidecar_overwritten_under_live_handles_is_written_again() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.shard");
    let (mut a, mut b) = (open(&path), open(&path));
    put(&mut a, "k", b"1");
    for value in [0u8, 0xFF, 0x55] {
        let file = std::fs::OpenOptions::new().write(true).open(lock_path(&path)).unwrap();
        std::os::unix::fs::FileExt::write_all_at(&file, &[value; 4096], 0).unwrap();
        put(&mut b, "k", &[value]);
        assert_eq!(get(&mut b, "k").unwrap(), [value]);
        assert_eq!(get(&mut a, "k").unwrap(), [value]);
        put(&mut a, "k", b"again");
        assert_eq!(get(&mut b, "k").unwrap(), b"again");
    }
}

#[test]
fn a_file_that_was_extended_to_terabytes_is_cut_back_in_bounded_time() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.shard");
    {
        put(&mut open(&path), "here", b"1");
        let before = std::fs::metadata(&path).unwrap().len();
        let file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
        file.set_len(9 << 40).unwrap();
        let start = std::time::Instant::now();
        let mut shard = open(&path);
        put(&mut shard, "new", b"2");
        assert!(start.elapsed() < FOR_EVER, "{:?}", start.elapsed());
        assert_eq!(
            (get(&mut shard, "here").unwrap(), get(&mut shard, "new").unwrap()),
            (b"1".to_vec(), b"2".to_vec())
        );
        assert!(std::fs::metadata(&path).unwrap().len() < before + 1000);
    }
}
