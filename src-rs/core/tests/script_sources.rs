//! A host got bytecode of another file, because a link had been switched, a file had been rewritten within one
//! tick of the clock, or a relative name had come to mean another file.
#![expect(clippy::unwrap_used, reason = "tests may panic")]

mod common;
use common::*;
use std::ffi::{CStr, CString};
use std::fs::{self, File, FileTimes};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use warmshard_core::kind::Kind;
use warmshard_core::storage::disk::Disk;
use warmshard_core::storage::{Open, Storage};
use warmshard_core::stores::script::{Scripts, Validate};
use warmshard_core::{Code, Lookup, Options, Producer, Shard};

struct Cache {
    scripts: Scripts,
    shard: Shard,
}

impl Cache {
    fn open(path: &Path, validate: Validate, options: Options) -> Self {
        let shard = Shard::open(path, Options { kind: Kind::Script, ..options }).unwrap();
        Cache { scripts: Scripts::new(validate), shard }
    }

    fn load(&mut self, source: &Path) -> Option<Vec<u8>> {
        match self.scripts.load(&mut self.shard, &c(source)).unwrap() {
            Lookup::Hit(hit) => self.shard.read_part(&hit, 0),
            _ => None,
        }
    }

    fn save(&mut self, source: &Path, code: &[u8]) -> bool {
        self.scripts.save(&mut self.shard, &c(source), &[code], 0).unwrap()
    }

    fn last_skip(&self) -> &str {
        self.scripts.tally().last_skip.as_deref().unwrap_or_default()
    }
}

fn c(path: &Path) -> CString {
    CString::new(path.as_os_str().as_bytes()).unwrap()
}

/// A folder and a cache in it.
fn setup(validate: Validate) -> (tempfile::TempDir, PathBuf, Cache) {
    let dir = tempfile::tempdir().unwrap();
    let real = dir.path().canonicalize().unwrap();
    let cache = Cache::open(&real.join("a.shard"), validate, quiet());
    (dir, real, cache)
}

/// Writes a source that was modified long ago.
fn write_old(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    set_mtime(path, SystemTime::UNIX_EPOCH + Duration::from_secs(1_600_000_000));
}

fn set_mtime(path: &Path, time: SystemTime) {
    File::options().write(true).open(path).unwrap().set_times(FileTimes::new().set_modified(time)).unwrap();
}

/// Waits until the file's ctime is settled.
fn settle() {
    std::thread::sleep(Duration::from_millis(30));
}

#[test]
fn one_file_is_one_entry_by_whatever_name() {
    let (_guard, dir, mut cache) = setup(Validate::Mtime);
    let source = dir.join("real.js");
    write_old(&source, "one");
    std::os::unix::fs::symlink(&source, dir.join("link.js")).unwrap();
    fs::create_dir(dir.join("sub")).unwrap();
    let names = [dir.join("link.js"), dir.join("./real.js"), dir.join("sub/../real.js"), source.clone()];
    for round in 0..3 {
        for (i, name) in names.iter().enumerate() {
            let expected = (round > 0 || i > 0).then(|| b"code".to_vec());
            assert_eq!(cache.load(name), expected, "{name:?}");
            assert!(cache.save(name, b"code"));
        }
        settle();
    }
    assert_eq!(cache.shard.list().unwrap().len(), 1);
    assert_eq!(cache.shard.list().unwrap()[0].key, source.to_str().unwrap());
}

#[test]
fn a_link_that_is_switched_leads_to_the_other_entry() {
    let (_guard, dir, mut cache) = setup(Validate::Mtime);
    let (a, b, link) = (dir.join("a.js"), dir.join("b.js"), dir.join("link.js"));
    write_old(&a, "aaa");
    write_old(&b, "bbb");
    settle();
    cache.save(&a, b"of a");
    cache.save(&b, b"of b");
    for (target, code) in [(&a, b"of a"), (&b, b"of b"), (&a, b"of a")] {
        let _ = fs::remove_file(&link);
        std::os::unix::fs::symlink(target, &link).unwrap();
        for _ in 0..2 {
            assert_eq!(cache.load(&link).unwrap(), code);
        }
    }
}

#[test]
fn a_link_between_names_of_one_file_leads_to_the_name_that_it_names() {
    let (_guard, dir, mut cache) = setup(Validate::Mtime);
    for release in ["1", "2"] {
        fs::create_dir(dir.join(release)).unwrap();
    }
    write_old(&dir.join("1/x.js"), "same");
    // As in deployments that share unchanged files between releases.
    fs::hard_link(dir.join("1/x.js"), dir.join("2/x.js")).unwrap();
    settle();
    let current = dir.join("current");
    for release in ["1", "2", "1"] {
        let _ = fs::remove_file(&current);
        std::os::unix::fs::symlink(dir.join(release), &current).unwrap();
        for _ in 0..2 {
            cache.load(&current.join("x.js"));
            assert!(cache.save(&current.join("x.js"), release.as_bytes()));
        }
    }
    let mut keys: Vec<String> = cache.shard.list().unwrap().into_iter().map(|info| info.key).collect();
    keys.sort();
    assert_eq!(keys, ["1/x.js", "2/x.js"].map(|name| dir.join(name).to_str().unwrap().to_owned()));
    assert_eq!(cache.load(&dir.join("2/x.js")).unwrap(), b"2");
}

#[test]
fn a_file_that_gets_the_inode_of_another_is_not_mistaken_for_it() {
    let (_guard, dir, mut cache) = setup(Validate::Mtime);
    let (a, b, name) = (dir.join("a.js"), dir.join("b.js"), dir.join("name.js"));
    for round in 0..50u8 {
        write_old(&a, "a");
        std::os::unix::fs::symlink(&a, &name).unwrap();
        cache.load(&name);
        cache.save(&name, &[b'a', round]);
        fs::remove_file(&a).unwrap();
        fs::remove_file(&name).unwrap();
        // Most file systems reuse the inode's number at once.
        write_old(&b, "b");
        std::os::unix::fs::symlink(&b, &name).unwrap();
        let got = cache.load(&name);
        assert!(got.is_none() || got.as_deref() == Some(&[b'b', round - 1][..]), "{got:?}");
        cache.save(&name, &[b'b', round]);
        fs::remove_file(&b).unwrap();
        fs::remove_file(&name).unwrap();
    }
}

#[test]
fn a_source_that_is_not_a_readable_file_is_a_miss_and_is_not_saved() {
    let (_guard, dir, mut cache) = setup(Validate::Mtime);
    fs::create_dir(dir.join("folder")).unwrap();
    write_old(&dir.join("file"), "x");
    let long = PathBuf::from(format!("/{}", "x/".repeat(2300)));
    let broken = [dir.join("gone"), dir.join("folder"), dir.join("file/below"), PathBuf::new(), long];
    for source in &broken {
        assert_eq!(cache.load(source), None, "{source:?}");
        assert!(!cache.save(source, b"code"), "{source:?}");
    }
    assert_eq!(cache.shard.stats().misses, broken.len() as u64);
    assert_eq!(cache.scripts.tally().skipped, broken.len() as u64);
    assert!(cache.last_skip().contains("no regular file"), "{}", cache.last_skip());
    assert!(cache.shard.is_empty());
}

#[test]
fn a_source_rewritten_in_the_same_tick_is_stale() {
    let (_guard, dir, mut cache) = setup(Validate::Mtime);
    let source = dir.join("racy.js");
    fs::write(&source, "one").unwrap();
    let mtime = fs::metadata(&source).unwrap().modified().unwrap();
    assert_eq!(cache.load(&source), None);
    assert!(cache.save(&source, b"of one"));
    assert_eq!(cache.load(&source).unwrap(), b"of one");
    fs::write(&source, "two").unwrap();
    // As if the clock had not ticked: `stat` gives the same.
    set_mtime(&source, mtime);
    let mut fresh = Cache::open(&dir.join("a.shard"), Validate::Mtime, quiet());
    assert_eq!(fresh.load(&source), None);
    assert_eq!(cache.load(&source), None);
}

#[test]
fn a_source_that_changes_between_load_and_save_is_not_saved() {
    let (_guard, dir, mut cache) = setup(Validate::Mtime);
    let source = dir.join("edited.js");
    write_old(&source, "old");
    assert_eq!(cache.load(&source), None);
    write_old(&source, "older");
    assert!(!cache.save(&source, b"of old"));
    assert_eq!((cache.scripts.tally().changed, cache.scripts.tally().skipped), (1, 1));
    assert!(cache.last_skip().contains("changed"));
    // Only that miss is remembered.
    assert_eq!(cache.load(&source), None);
    assert!(cache.save(&source, b"of older"));
    assert_eq!(cache.load(&source).unwrap(), b"of older");
}

#[test]
fn a_source_that_changes_within_a_tick_between_load_and_save_is_not_saved() {
    let (_guard, dir, mut cache) = setup(Validate::Mtime);
    let source = dir.join("racy.js");
    fs::write(&source, "one").unwrap();
    // A time in the future stays racy, and the ctime of two writes in a row is often the same.
    let soon = SystemTime::now() + Duration::from_secs(60);
    for _ in 0..20 {
        fs::write(&source, "one").unwrap();
        set_mtime(&source, soon);
        assert_eq!(cache.load(&source), None);
        fs::write(&source, "two").unwrap();
        set_mtime(&source, soon);
        assert!(!cache.save(&source, b"of one"));
    }
    assert_eq!(cache.scripts.tally().changed, 20);
}

#[test]
fn a_source_whose_link_is_switched_between_load_and_save_is_not_saved() {
    let (_guard, dir, mut cache) = setup(Validate::Mtime);
    let (a, b, link) = (dir.join("a.js"), dir.join("b.js"), dir.join("link.js"));
    write_old(&a, "same");
    write_old(&b, "same");
    std::os::unix::fs::symlink(&a, &link).unwrap();
    assert_eq!(cache.load(&link), None);
    fs::remove_file(&link).unwrap();
    std::os::unix::fs::symlink(&b, &link).unwrap();
    assert!(!cache.save(&link, b"of a"));
    assert!(cache.shard.is_empty());
}

#[test]
fn a_save_that_failed_still_remembers_the_miss() {
    let (_guard, dir, mut cache) = setup(Validate::Mtime);
    let source = dir.join("x.js");
    write_old(&source, "one");
    assert_eq!(cache.load(&source), None);
    cache.shard.close();
    cache.shard =
        Shard::open(&dir.join("a.shard"), Options { kind: Kind::Script, lock_timeout_ms: 0, ..quiet() })
            .unwrap();
    let holder = Disk::default().open(&lock_path(&dir.join("a.shard")), Open::Read).unwrap().unwrap();
    assert!(holder.try_lock().unwrap());
    assert!(!cache.save(&source, b"of one"));
    assert_eq!(cache.scripts.tally().locked, 1);
    holder.unlock();
    write_old(&source, "other");
    assert!(!cache.save(&source, b"of one"), "the retry is still compared with the state of the miss");
    assert_eq!(cache.scripts.tally().changed, 1);
}

#[test]
fn if_validated_by_content_modification_times_do_not_matter() {
    let (_guard, dir, mut cache) = setup(Validate::Content);
    let source = dir.join("x.js");
    write_old(&source, "one");
    assert_eq!(cache.load(&source), None);
    assert!(cache.save(&source, b"of one"));
    settle();
    set_mtime(&source, SystemTime::now());
    assert_eq!(cache.load(&source).unwrap(), b"of one");
    let mut fresh = Cache::open(&dir.join("a.shard"), Validate::Content, quiet());
    assert_eq!(fresh.load(&source).unwrap(), b"of one");
    let mtime = fs::metadata(&source).unwrap().modified().unwrap();
    fs::write(&source, "two").unwrap();
    set_mtime(&source, mtime);
    assert_eq!((cache.load(&source), fresh.load(&source)), (None, None));
    // Other contents with the same `stat`: the source is read again.
    fs::write(&source, "six").unwrap();
    set_mtime(&source, mtime);
    assert!(!cache.save(&source, b"of two"));
    assert_eq!(cache.shard.evict_stale(&warmshard_core::Job::default()).unwrap(), 1);
}

#[test]
fn a_host_that_cannot_be_identified_saves_nothing() {
    let (_guard, dir, _) = setup(Validate::Mtime);
    let source = dir.join("x.js");
    write_old(&source, "one");
    let producer = Producer::new("host", "1", Some(&dir.join("gone")), &[String::new()]).unwrap();
    let options = Options { producer: Arc::new(producer), ..quiet() };
    let mut cache = Cache::open(&dir.join("b.shard"), Validate::Mtime, options);
    assert_eq!(cache.load(&source), None);
    assert!(!cache.save(&source, b"code"));
    assert!(cache.last_skip().contains("identified"));
}

#[test]
fn only_the_callers_mistakes_are_errors() {
    let (_guard, dir, mut cache) = setup(Validate::Mtime);
    let source = dir.join("x.js");
    write_old(&source, "one");
    let name: &CStr = &c(&source);
    let error = cache.scripts.save(&mut cache.shard, name, &[b"a", b"b"], 0).unwrap_err();
    assert_eq!(error.code(), Code::InvalidArg);
    assert_eq!(cache.scripts.tally().skipped, 0);
    cache.shard.close();
    let options = Options { max_entry_bytes: 4, ..quiet() };
    let mut small = Cache::open(&dir.join("a.shard"), Validate::Mtime, options);
    assert!(!small.save(&source, b"12345"));
    assert!(small.save(&source, b"1234"));
}

#[test]
fn a_relative_name_follows_the_working_folder() {
    if let Some((dir, _)) = role() {
        let mut cache = Cache::open(&dir.join("a.shard"), Validate::Mtime, quiet());
        for (round, folder) in ["one", "two", "one", "two"].iter().enumerate() {
            std::env::set_current_dir(dir.join(folder)).unwrap();
            for name in ["x.js", "./x.js"] {
                let got = cache.load(Path::new(name));
                let expected = (round > 1 || name == "./x.js").then(|| folder.as_bytes().to_vec());
                assert_eq!(got, expected, "{folder} {name}");
                assert!(cache.save(Path::new(name), folder.as_bytes()));
            }
        }
        // A miss in one folder does not count for the file in the other.
        fs::hard_link(dir.join("one/x.js"), dir.join("one/y.js")).unwrap();
        write_old(&dir.join("two/y.js"), "y");
        std::env::set_current_dir(dir.join("one")).unwrap();
        cache.load(Path::new("y.js"));
        std::env::set_current_dir(dir.join("two")).unwrap();
        assert!(!cache.save(Path::new("y.js"), b"of one's"));
        return;
    }
    let (_guard, dir, cache) = setup(Validate::Mtime);
    drop(cache);
    for folder in ["one", "two"] {
        fs::create_dir(dir.join(folder)).unwrap();
    }
    write_old(&dir.join("one/x.js"), "shared");
    // One file under two names, as some package managers make them.
    fs::hard_link(dir.join("one/x.js"), dir.join("two/x.js")).unwrap();
    settle();
    let mut child = child("a_relative_name_follows_the_working_folder", &dir, "");
    assert!(child.wait().unwrap().success());
    let mut keys: Vec<String> = Cache::open(&dir.join("a.shard"), Validate::Mtime, quiet())
        .shard
        .list()
        .unwrap()
        .into_iter()
        .map(|info| info.key)
        .collect();
    keys.sort();
    assert_eq!(keys, ["one/x.js", "two/x.js"].map(|name| dir.join(name).to_str().unwrap().to_owned()));
}
