//! After an edit of equal length the old code ran, and a changed manifest was not noticed.
#![expect(clippy::unwrap_used, reason = "tests may panic")]

mod common;
use common::*;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};
use warmshard_core::kind::Kind;
use warmshard_core::stores::program::{ASIDE, Loaded, PARTS, Programs, WIDE, WRAP, Wrap};
use warmshard_core::{Options, Shard};

struct Cache {
    programs: Programs,
    shard: Shard,
}

fn open(path: &Path, root: &str) -> Cache {
    let shard = Shard::open(path, Options { kind: Kind::Program, part_count: PARTS, ..quiet() }).unwrap();
    Cache { programs: Programs::new(b"profile", root.as_bytes()), shard }
}

impl Cache {
    /// Reads a source and records that it compiles to `code`.
    fn record(&mut self, source: &Path, code: &[u8], facts: &[(u8, &[u8])]) -> bool {
        self.programs.read(bytes(source), Wrap::Lines).unwrap();
        let kept = self.programs.record(bytes(source), 0, Some(code.to_vec()), b"", facts);
        self.programs.publish(&mut self.shard).unwrap();
        kept
    }

    fn load(&mut self, source: &Path) -> Option<Vec<u8>> {
        match self.programs.load(&mut self.shard, bytes(source)).unwrap() {
            Loaded::Hit { parts, .. } => Some(parts[1].as_slice().to_vec()),
            _ => None,
        }
    }
}

fn bytes(path: &Path) -> &[u8] {
    path.as_os_str().as_encoded_bytes()
}

fn setup() -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let real = dir.path().canonicalize().unwrap();
    (dir, real)
}

/// Waits until the times of a file are settled.
fn settle() {
    std::thread::sleep(Duration::from_millis(30));
}

fn set_mtime(path: &Path, time: SystemTime) {
    fs::File::options()
        .write(true)
        .open(path)
        .unwrap()
        .set_times(fs::FileTimes::new().set_modified(time))
        .unwrap();
}

#[test]
fn a_source_is_served_as_long_as_its_bytes_are_the_same() {
    let (_guard, dir) = setup();
    let source = dir.join("a.js");
    for settled in [true, false] {
        fs::write(&source, "one").unwrap();
        if settled {
            settle();
        }
        let mut cache = open(&dir.join("x.shard"), "");
        assert!(cache.record(&source, b"code of one", &[]));
        assert_eq!(cache.load(&source).unwrap(), b"code of one");
        let mtime = fs::metadata(&source).unwrap().modified().unwrap();
        set_mtime(&source, SystemTime::UNIX_EPOCH);
        assert_eq!(cache.load(&source).unwrap(), b"code of one", "touched");
        fs::write(&source, "two").unwrap();
        set_mtime(&source, mtime);
        assert_eq!(cache.load(&source), None, "same length, same time");
        fs::remove_file(&source).unwrap();
        assert_eq!(cache.load(&source), None, "removed");
        fs::create_dir(&source).unwrap();
        assert_eq!(cache.load(&source), None, "a folder");
        fs::remove_dir(&source).unwrap();
        fs::write(&source, "one").unwrap();
        assert_eq!(cache.load(&source).unwrap(), b"code of one", "written again");
    }
}

#[test]
fn a_source_rewritten_in_the_same_tick_is_recognised_by_its_bytes() {
    let (_guard, dir) = setup();
    let source = dir.join("a.js");
    let mut cache = open(&dir.join("x.shard"), "");
    for round in 0..20 {
        fs::write(&source, format!("one {round:02}")).unwrap();
        assert!(cache.record(&source, b"one", &[]));
        fs::write(&source, format!("two {round:02}")).unwrap();
        assert_eq!(cache.load(&source), None);
    }
}

#[test]
fn a_source_that_is_read_again_is_recorded_as_it_was_read_last() {
    let (_guard, dir) = setup();
    let source = dir.join("a.js");
    let mut cache = open(&dir.join("x.shard"), "");
    fs::write(&source, "one").unwrap();
    cache.programs.read(bytes(&source), Wrap::Lines).unwrap();
    fs::write(&source, "two").unwrap();
    let text = cache.programs.read(bytes(&source), Wrap::Lines).unwrap();
    assert_eq!(*text.bytes, [WRAP.0, "two", WRAP.1].concat().into_bytes());
    assert!(cache.programs.record(bytes(&source), 0, Some(b"two".to_vec()), b"", &[]));
    cache.programs.publish(&mut cache.shard).unwrap();
    assert_eq!(cache.load(&source).unwrap(), b"two");
    fs::write(&source, "one").unwrap();
    assert_eq!(cache.load(&source), None);
}

#[test]
fn without_a_read_nothing_is_recorded_and_without_code_only_that_the_file_is_left_to_node() {
    let (_guard, dir) = setup();
    let source = dir.join("a.js");
    fs::write(&source, "import 'x'").unwrap();
    let mut cache = open(&dir.join("x.shard"), "");
    assert!(!cache.programs.record(bytes(&source), 0, Some(b"code".to_vec()), b"", &[]));
    cache.programs.read(bytes(&source), Wrap::Lines).unwrap();
    assert!(cache.programs.record(bytes(&source), 8, None, b"", &[]));
    cache.programs.publish(&mut cache.shard).unwrap();
    let Loaded::Hit { flags, parts, .. } = cache.programs.load(&mut cache.shard, bytes(&source)).unwrap()
    else {
        unreachable!("it was recorded");
    };
    assert_eq!(flags, 8 | ASIDE);
    assert!(parts.iter().all(|part| part.as_slice().is_empty()));
    assert!(cache.programs.read(bytes(&dir.join("gone")), Wrap::Lines).is_none());
    assert!(cache.programs.read(bytes(&dir), Wrap::Lines).is_none());
}

#[test]
fn manifests_are_checked_again_by_the_next_process() {
    let (_guard, dir) = setup();
    let (source, own, above) = (dir.join("sub/a.js"), dir.join("sub/package.json"), dir.join("package.json"));
    fs::create_dir(dir.join("sub")).unwrap();
    fs::write(&source, "x").unwrap();
    fs::write(&above, r#"{"type":"commonjs"}"#).unwrap();
    let facts: [(u8, &[u8]); 2] = [(b'm', bytes(&own)), (b'm', bytes(&above))];
    let path = dir.join("x.shard");
    assert!(open(&path, "").record(&source, b"code", &facts));
    let hit = || open(&path, "").load(&source).is_some();
    assert!(hit());
    fs::write(&above, r#"{"type":"module__"}"#).unwrap();
    assert!(!hit(), "same length");
    fs::write(&above, r#"{"type":"commonjs"}"#).unwrap();
    assert!(hit(), "the original contents");
    fs::write(&own, "{}").unwrap();
    assert!(!hit(), "a nearer manifest");
    fs::remove_file(&own).unwrap();
    fs::create_dir(&own).unwrap();
    assert!(hit(), "a folder is not a manifest");
    fs::remove_file(&above).unwrap();
    assert!(!hit());
}

#[test]
fn facts_that_are_not_true_are_not_recorded() {
    let (_guard, dir) = setup();
    let source = dir.join("a.js");
    fs::write(&source, "x").unwrap();
    let mut cache = open(&dir.join("x.shard"), "");
    for (kind, path) in
        [(b'f', bytes(&source)), (b'd', bytes(&dir)), (b'?', bytes(&source)), (b'f', &b"relative"[..])]
    {
        assert!(!cache.record(&source, b"code", &[(kind, path)]), "{}", char::from(kind));
        assert_eq!(cache.load(&source), None);
    }
    let many = vec![(b'f', &b"/gone"[..]); 300];
    assert!(!cache.record(&source, b"code", &many), "more than the limit");
    assert!(cache.record(&source, b"code", &many[..200]));
}

#[test]
fn code_is_replaced_by_larger_code_of_the_same_source() {
    let (_guard, dir) = setup();
    let (source, path) = (dir.join("a.js"), dir.join("x.shard"));
    fs::write(&source, "one").unwrap();
    settle();
    open(&path, "").record(&source, &[1; 1000], &[]);
    let mut mine = open(&path, "");
    assert!(
        !mine.programs.improve(&mut mine.shard, bytes(&source), vec![9; 2000], true).unwrap(),
        "not loaded"
    );
    mine.load(&source).unwrap();
    for (code, always, better) in [
        (&[2; 1000][..], false, false),
        (&[2; 1010], false, false),
        (&[2; 10], true, true),
        (&[3; 1100], false, true),
    ] {
        assert_eq!(
            mine.programs.improve(&mut mine.shard, bytes(&source), code.to_vec(), always).unwrap(),
            better
        );
    }
    mine.programs.publish(&mut mine.shard).unwrap();
    assert_eq!(open(&path, "").load(&source).unwrap(), [3; 1100]);
    // Another process has recorded the next state of the file in the meantime.
    fs::write(&source, "two").unwrap();
    open(&path, "").record(&source, &[4; 100], &[]);
    assert!(!mine.programs.improve(&mut mine.shard, bytes(&source), vec![5; 2000], true).unwrap());
    assert_eq!(open(&path, "").load(&source).unwrap(), [4; 100]);
}

#[test]
fn profiles_and_roots_keep_programs_apart_and_let_them_move() {
    let (_guard, dir) = setup();
    let path = dir.join("x.shard");
    for place in ["here", "there"] {
        fs::create_dir(dir.join(place)).unwrap();
        fs::write(dir.join(place).join("a.js"), "x").unwrap();
    }
    let root = |place: &str| dir.join(place).to_str().unwrap().to_owned();
    assert!(open(&path, &root("here")).record(&dir.join("here/a.js"), b"code", &[]));
    assert_eq!(open(&path, &root("there")).load(&dir.join("there/a.js")).unwrap(), b"code");
    assert_eq!(open(&path, "").load(&dir.join("here/a.js")), None, "stored relative to the root");
    assert_eq!(open(&path, &root("here")).load(&dir.join("there/a.js")), None);
    let mut other = open(&path, &root("here"));
    other.programs = Programs::new(b"another profile", root("here").as_bytes());
    assert_eq!(other.load(&dir.join("here/a.js")), None);
}

#[test]
fn wide_texts_are_flagged_and_texts_of_transpilers_are_recorded() {
    let (_guard, dir) = setup();
    let source = dir.join("a.ts");
    fs::write(&source, "let a: string").unwrap();
    let mut cache = open(&dir.join("x.shard"), "");
    cache.programs.read(bytes(&source), Wrap::Bare).unwrap();
    cache.programs.replace_text(bytes(&source), "let a = '\u{2603}'".as_bytes(), Wrap::Bare);
    assert!(cache.programs.record(bytes(&source), 16, Some(b"code".to_vec()), b"map", &[]));
    cache.programs.publish(&mut cache.shard).unwrap();
    let Loaded::Hit { flags, parts, .. } = cache.programs.load(&mut cache.shard, bytes(&source)).unwrap()
    else {
        unreachable!("it was recorded");
    };
    assert_eq!(flags, 16 | WIDE);
    assert_eq!(parts[0].as_slice().len(), "let a = '.'".len() * 2);
    assert_eq!(parts[2].as_slice(), b"map");
}

#[test]
fn scripts_and_functions_have_separate_entries() {
    let (_guard, dir) = setup();
    let (path, source) = (dir.join("x.shard"), dir.join("a.js"));
    fs::write(&source, "#!x\ny").unwrap();
    settle();
    let functions = || {
        let Cache { programs, shard } = open(&path, "");
        Cache { programs: programs.of_functions(), shard }
    };
    let texts = |cache: &mut Cache| match cache.programs.load(&mut cache.shard, bytes(&source)).unwrap() {
        Loaded::Hit { parts, .. } => parts.map(|part| part.as_slice().to_vec()),
        other => unreachable!("{other:?}"),
    };
    assert!(open(&path, "").record(&source, b"script", &[]));
    assert_eq!(functions().load(&source), None);
    assert!(functions().record(&source, b"function", &[]));
    let [script, function] = [texts(&mut open(&path, "")), texts(&mut functions())];
    assert_eq!(script[0], [WRAP.0.as_bytes(), b"//x\ny", WRAP.1.as_bytes()].concat());
    assert_eq!(script[1], b"script");
    assert_eq!(function[0], b"#!x\ny", "without a wrapper");
    assert_eq!(function[1], b"function");
    // Improving one does not change the other.
    let mut cache = functions();
    cache.load(&source).unwrap();
    assert!(
        cache.programs.improve(&mut cache.shard, bytes(&source), b"better function".to_vec(), true).unwrap()
    );
    cache.programs.publish(&mut cache.shard).unwrap();
    assert_eq!(functions().load(&source).unwrap(), b"better function");
    assert_eq!(open(&path, "").load(&source).unwrap(), b"script");
    // Notes are shared.
    assert!(cache.programs.note(b"n", b"text"));
    cache.programs.publish(&mut cache.shard).unwrap();
    let mut scripts = open(&path, "");
    assert_eq!(scripts.programs.noted(&mut scripts.shard, b"n").unwrap().unwrap(), b"text");
}
