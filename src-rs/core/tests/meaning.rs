//! An upgraded host ran bytes of the old version; an edited source ran as it was before.
#![expect(clippy::unwrap_used, reason = "tests may panic")]

mod common;
use common::*;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use warmshard_core::clock::now_ms;
use warmshard_core::key::Root;
use warmshard_core::limits::{MAX_KEY_BYTES, MAX_PARTS};
use warmshard_core::{Code, Job, Lookup, Options, Producer, PutMeta, Shard, Validator};

fn place() -> (tempfile::TempDir, std::path::PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.shard");
    (dir, path)
}

#[test]
fn entries_of_several_producers_exist_side_by_side_until_stale_ones_are_evicted() {
    let (_dir, path) = place();
    let mut old = Shard::open(&path, by("old")).unwrap();
    let mut new = Shard::open(&path, by("new")).unwrap();
    put(&mut old, "k", b"of old");
    assert!(matches!(look(&mut new, "k").0, Lookup::Stale));
    assert_eq!(new.stats().stale, 1);
    put(&mut new, "k", b"of new");
    for _ in 0..2 {
        assert_eq!(get(&mut old, "k").unwrap(), b"of old");
        assert_eq!(get(&mut new, "k").unwrap(), b"of new");
        assert_eq!(new.len(), 2);
        new.compact(&Job::default()).unwrap();
    }
    assert!(old.delete(b"k").unwrap());
    assert!(matches!(look(&mut old, "k").0, Lookup::Miss));
    assert_eq!(get(&mut new, "k").unwrap(), b"of new");
    put(&mut old, "k", b"again");
    put(&mut old, "l", b"1");
    let infos = new.list().unwrap();
    assert_eq!(infos.iter().filter(|i| i.own).count(), 1);
    assert_eq!(infos.iter().filter(|i| i.host_name == "old").count(), 2);
    assert_eq!(new.evict_stale(&Job::default()).unwrap(), 2);
    assert_eq!((new.len(), get(&mut old, "l")), (1, None));
    assert_eq!(get(&mut new, "k").unwrap(), b"of new");
}

#[test]
fn a_host_without_an_identity_neither_gets_nor_stores_nor_evicts() {
    let (dir, path) = place();
    put(&mut open(&path), "k", b"1");
    let nobody = Producer::new("h", "1", Some(&dir.path().join("absent")), &[String::new()]).unwrap();
    let options = Options { producer: Arc::new(nobody), ..quiet() };
    let mut shard = Shard::open(&path, options).unwrap();
    assert_eq!(get(&mut shard, "k"), None);
    put(&mut shard, "k", b"2");
    assert!(!shard.delete(b"k").unwrap());
    assert_eq!(shard.stats().rejected_puts, 1);
    assert_eq!(shard.evict_stale(&Job::default()).unwrap(), 0);
    assert_eq!(get(&mut open(&path), "k").unwrap(), b"1");
}

#[test]
fn an_entry_is_a_hit_only_for_its_validator() {
    let (_dir, path) = place();
    let mut shard = open(&path);
    let mtime = |sec, nsec, size| Validator::Mtime { sec, nsec, size };
    let cases = [
        (mtime(5, 7, Some(9)), mtime(5, 7, Some(9)), true),
        (mtime(5, 7, Some(9)), mtime(5, 8, Some(9)), false),
        (mtime(5, 7, Some(9)), mtime(6, 7, Some(9)), false),
        (mtime(5, 7, Some(9)), mtime(5, 7, Some(8)), false),
        (mtime(5, 7, None), mtime(5, 7, Some(8)), true),
        (mtime(-5, 7, None), mtime(-5, 7, None), true),
        (Validator::Digest(b"abc"), Validator::Digest(b"abc"), true),
        (Validator::Digest(b"abc"), Validator::Opaque(b"abc"), false),
        (Validator::Opaque(b""), Validator::Opaque(b""), true),
        (Validator::Opaque(b"a"), Validator::None, true),
        (Validator::None, Validator::Opaque(b"a"), false),
    ];
    for (n, (stored, asked, hit)) in cases.iter().enumerate() {
        let key = format!("k{n}");
        let meta = PutMeta { validator: *stored, ..PutMeta::default() };
        shard.put(key.as_bytes(), &[b"v"], meta).unwrap();
        for shard in [&mut shard, &mut open(&path)] {
            let found = shard.get(key.as_bytes(), asked).unwrap();
            assert_eq!(matches!(found, Lookup::Hit(_)), *hit, "{stored:?} {asked:?}");
            assert!(*hit || found == Lookup::Stale);
        }
    }
    assert_eq!(shard.stats().stale, cases.iter().filter(|c| !c.2).count() as u64);
    let bad = Validator::Mtime { sec: 1, nsec: 1_000_000_000, size: None };
    let meta = PutMeta { validator: bad, ..PutMeta::default() };
    assert_eq!(shard.put(b"k", &[b"v"], meta).unwrap_err().code(), Code::InvalidArg);
}

fn validator_of(path: &Path) -> Validator<'static> {
    let meta = std::fs::metadata(path).unwrap();
    Validator::Mtime {
        sec: meta.mtime(),
        nsec: u32::try_from(meta.mtime_nsec()).unwrap(),
        size: Some(meta.len()),
    }
}

fn set_mtime(path: &Path, to: std::time::SystemTime) {
    std::fs::File::options().write(true).open(path).unwrap().set_modified(to).unwrap();
}

#[test]
fn a_source_that_changed_without_a_new_time_is_not_a_hit() {
    let (dir, path) = place();
    let source = dir.path().join("source.js");
    let key = source.to_str().unwrap().as_bytes().to_vec();
    let mut shard = open(&path);
    std::fs::write(&source, b"let a = 1").unwrap();
    // A time in the future stays racy, however long the test takes.
    let mtime = std::time::SystemTime::now() + Duration::from_secs(3600);
    set_mtime(&source, mtime);
    let meta = PutMeta { validator: validator_of(&source), ..PutMeta::default() };
    shard.put(&key, &[b"compiled"], meta).unwrap();
    assert!(shard.info(&key).unwrap().unwrap().racy);
    assert!(matches!(shard.get(&key, &validator_of(&source)).unwrap(), Lookup::Hit(_)));
    let mut other = open(&path);
    std::fs::write(&source, b"let a = 2").unwrap();
    set_mtime(&source, mtime);
    for shard in [&mut shard, &mut other, &mut open(&path)] {
        assert_eq!(shard.get(&key, &validator_of(&source)).unwrap(), Lookup::Stale);
    }
    // A time long ago is not racy, so the source is not read again.
    set_mtime(&source, mtime - Duration::from_secs(7200));
    let meta = PutMeta { validator: validator_of(&source), ..PutMeta::default() };
    shard.put(&key, &[b"compiled"], meta).unwrap();
    assert!(!shard.info(&key).unwrap().unwrap().racy);
    assert_eq!(shard.evict_stale(&Job::default()).unwrap(), 0);
    std::fs::write(&source, b"let a = 3, b").unwrap();
    assert_eq!(shard.evict_stale(&Job::default()).unwrap(), 1);
    let meta = PutMeta { validator: validator_of(&source), ..PutMeta::default() };
    shard.put(&key, &[b"compiled"], meta).unwrap();
    std::fs::remove_file(&source).unwrap();
    assert_eq!(shard.evict_stale(&Job::default()).unwrap(), 1);
}

#[test]
fn a_racy_source_that_cannot_be_digested_is_not_served() {
    let (dir, path) = place();
    let source = dir.path().join("huge.js");
    let file = std::fs::File::create(&source).unwrap();
    file.set_len(warmshard_core::limits::MAX_RACY_SOURCE_BYTES + 1).unwrap();
    set_mtime(&source, std::time::SystemTime::now() + Duration::from_secs(3600));
    let key = source.to_str().unwrap().as_bytes().to_vec();
    let mut shard = open(&path);
    let meta = PutMeta { validator: validator_of(&source), ..PutMeta::default() };
    shard.put(&key, &[b"compiled"], meta).unwrap();
    assert_eq!(shard.get(&key, &validator_of(&source)).unwrap(), Lookup::Stale);
}

#[test]
fn an_expired_entry_is_a_miss() {
    let (_dir, path) = place();
    let mut shard = open(&path);
    let meta = |ms| PutMeta { expires_ms: ms, ..PutMeta::default() };
    let soon = now_ms() + 300;
    shard.put(b"soon", &[b"1"], meta(soon)).unwrap();
    shard.put(b"late", &[b"1"], meta(now_ms() + 600_000)).unwrap();
    assert!(get(&mut shard, "soon").is_some() || now_ms() >= soon);
    while now_ms() <= soon {
        std::thread::sleep(Duration::from_millis(10));
    }
    assert_eq!(look(&mut shard, "soon").0, Lookup::Miss);
    assert!(get(&mut shard, "late").is_some());
    let report = shard.compact(&Job::default()).unwrap();
    assert_eq!((report.expired, report.kept, shard.len()), (1, 1, 1));
}

#[test]
fn a_warmed_shard_serves_at_another_path() {
    let (_dir, path) = place();
    let rooted = |root: &str| Options { root: Some(Root::new(root).unwrap()), ..quiet() };
    let mut build = Shard::open(&path, rooted("/build/app")).unwrap();
    put(&mut build, "/build/app/src/a.js", b"a");
    put(&mut build, "/build/other.js", b"b");
    build.close();
    let mut app = Shard::open(&path, rooted("/srv/app/")).unwrap();
    assert_eq!(get(&mut app, "/srv/app/src/a.js").unwrap(), b"a");
    assert_eq!(get(&mut app, "/build/app/src/a.js"), None);
    assert_eq!(get(&mut app, "/build/other.js").unwrap(), b"b");
    let mut keys = app.cursor().unwrap().next_keys(10).unwrap();
    keys.sort();
    assert_eq!(keys, ["/build/other.js", "/srv/app/src/a.js"]);
}

#[test]
fn parts_come_back_one_by_one_and_aligned() {
    let (_dir, path) = place();
    let names: Vec<String> = (0..MAX_PARTS).map(|i| format!("p{i}")).collect();
    let options = Options {
        producer: Arc::new(Producer::new("h", "1", None, &names).unwrap()),
        part_count: MAX_PARTS,
        ..quiet()
    };
    let mut shard = Shard::open(&path, options.clone()).unwrap();
    let parts: Vec<Vec<u8>> = (0..MAX_PARTS).map(|i| vec![i as u8; i * 7 % 50]).collect();
    let refs: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
    for len in 1..40 {
        shard.put(&vec![b'k'; len], &refs, PutMeta::default()).unwrap();
    }
    shard.compact(&Job::default()).unwrap();
    let mut other = Shard::open(&path, options).unwrap();
    for len in 1..40 {
        for shard in [&mut shard, &mut other] {
            let Lookup::Hit(hit) = shard.get(&vec![b'k'; len], &Validator::None).unwrap() else { panic!() };
            assert_eq!(usize::from(hit.part_count), MAX_PARTS);
            for (n, (offset, len)) in shard.parts(&hit).into_iter().enumerate() {
                assert_eq!(offset % 16, 0);
                assert_eq!(len as usize, parts[n].len());
                assert_eq!(shard.read_part(&hit, n).unwrap(), parts[n]);
            }
            assert_eq!(shard.read_part(&hit, MAX_PARTS), None);
        }
    }
    // A host with other parts is another producer.
    assert_eq!(look(&mut open(&path), "k").0, Lookup::Stale);
}

#[test]
fn what_exceeds_a_limit_is_refused_before_anything_is_written() {
    let (_dir, path) = place();
    let options = Options { max_entry_bytes: 1000, ..quiet() };
    let mut shard = Shard::open(&path, options).unwrap();
    let longest = vec![b'k'; MAX_KEY_BYTES - 2];
    shard.put(&longest, &[&[1; 1000]], PutMeta::default()).unwrap();
    assert!(matches!(shard.get(&longest, &Validator::None).unwrap(), Lookup::Hit(_)));
    let len = std::fs::metadata(&path).unwrap().len();
    let codes = [
        shard.put(b"", &[b"x"], PutMeta::default()).unwrap_err().code(),
        shard.put(&vec![b'k'; MAX_KEY_BYTES - 1], &[b"x"], PutMeta::default()).unwrap_err().code(),
        shard.put(b"k", &[&[1; 1001]], PutMeta::default()).unwrap_err().code(),
        shard.put(b"k", &[b"x", b"y"], PutMeta::default()).unwrap_err().code(),
        shard.put(b"k", &[], PutMeta::default()).unwrap_err().code(),
        shard.get(b"", &Validator::None).unwrap_err().code(),
    ];
    use Code::{InvalidArg, InvalidKey, TooLarge};
    assert_eq!(codes, [InvalidKey, InvalidKey, TooLarge, InvalidArg, InvalidArg, InvalidKey]);
    let failed = shard.merge_in(&Job::default(), |batch| {
        batch.put(b"a", &[b"x"], PutMeta::default())?;
        batch.put(b"b", &[&[1; 1001]], PutMeta::default())
    });
    assert_eq!(failed.unwrap_err().code(), TooLarge);
    assert_eq!(get(&mut shard, "a"), None);
    assert_eq!(std::fs::metadata(&path).unwrap().len(), len);
    for part_count in [0, MAX_PARTS + 1] {
        let options = Options { part_count, ..quiet() };
        assert_eq!(Shard::open(&path, options).unwrap_err().code(), InvalidArg);
    }
}

#[test]
fn empty_values_are_values() {
    let (_dir, path) = place();
    let mut shard = open(&path);
    put(&mut shard, "empty", b"");
    for shard in [&mut shard, &mut open(&path), &mut Shard::open(&path, unmapped()).unwrap()] {
        assert_eq!(get(shard, "empty").unwrap(), b"");
    }
}

#[test]
fn verify_always_notices_damage_after_the_first_use() {
    let (_dir, path) = place();
    let always = Options { verify_always: true, ..quiet() };
    let (mut once, mut always) = (open(&path), Shard::open(&path, always).unwrap());
    put(&mut once, "k", b"right bytes");
    let Lookup::Hit(hit) = always.get(b"k", &Validator::None).unwrap() else { panic!() };
    let file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
    std::os::unix::fs::FileExt::write_all_at(&file, b"W", hit.offset).unwrap();
    assert_eq!(look(&mut always, "k").0, Lookup::Corrupt);
    assert_eq!(look(&mut open(&path), "k").0, Lookup::Corrupt);
    assert_eq!(always.stats().corrupt, 1);
    put(&mut always, "k", b"right bytes");
    assert_eq!(get(&mut always, "k").unwrap(), b"right bytes");
}
