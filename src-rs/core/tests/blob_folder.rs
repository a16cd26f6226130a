//! The build had said "stored"; after the power cut half of its outputs were empty files, and the folder was
//! full of temporary ones that nobody would ever remove.
#![expect(clippy::unwrap_used, reason = "tests may panic")]

mod common;
use common::faulty::Faulty;
use common::*;
use std::collections::BTreeMap;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use warmshard_core::limits::{MAX_BLOB_NAME_BYTES, MAX_PARALLEL_SYNCS, MAX_PENDING_FILES};
use warmshard_core::storage::Open;
use warmshard_core::storage::Storage;
use warmshard_core::storage::disk::Disk;
use warmshard_core::storage::memory::Memory;
use warmshard_core::stores::blob::{BlobFolder, Pending};
use warmshard_core::{Code, Error, Result};

fn on_disk(dir: &Path) -> BlobFolder {
    BlobFolder::new(Arc::new(Disk::default()), dir, dir)
}

fn read(folder: &BlobFolder, name: &str) -> Option<Vec<u8>> {
    let file = folder.open(name).unwrap()?;
    let mut bytes = vec![0; file.identity().unwrap().len as usize];
    assert_eq!(file.read_at(&mut bytes, 0).unwrap(), bytes.len());
    Some(bytes)
}

fn listing(dir: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(dir).into_iter().flatten();
    let mut names: Vec<_> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Refuses calls by name, as often as is said, and notes every call.
#[derive(Default)]
struct Script {
    refusals: Mutex<BTreeMap<&'static str, usize>>,
    calls: Mutex<Vec<String>>,
}

impl Script {
    fn refuse(&self, what: &'static str, times: usize) {
        self.refusals.lock().unwrap().insert(what, times);
    }

    fn calls(&self, what: &str) -> usize {
        self.calls.lock().unwrap().iter().filter(|c| c.starts_with(what)).count()
    }

    fn strike(&self, what: &'static str, path: &Path) -> Result<()> {
        self.calls.lock().unwrap().push(format!("{what} {}", path.display()));
        let mut refusals = self.refusals.lock().unwrap();
        match refusals.get_mut(what) {
            Some(left) if *left > 0 => {
                *left -= 1;
                Err(Error::io(what, path, std::io::ErrorKind::StorageFull.into()))
            }
            _ => Ok(()),
        }
    }
}

fn scripted(dir: &Path) -> (Arc<Script>, BlobFolder) {
    let script = Arc::new(Script::default());
    let strike = Arc::clone(&script);
    let storage = Faulty::new(Disk::default(), move |what, path| strike.strike(what, path));
    (script, BlobFolder::new(storage, dir, &dir.join("temporary")))
}

#[test]
fn what_is_written_is_read_and_private() {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("a/b");
    let folder = on_disk(&dir);
    assert!(folder.open("one").unwrap().is_none() && folder.names().unwrap().is_empty());
    assert!(!root.path().join("a").exists(), "only a write makes the folder");
    folder.write("one", &[b"he", b"", b"llo"]).unwrap();
    folder.write("empty", &[]).unwrap();
    assert_eq!(read(&folder, "one").unwrap(), b"hello");
    assert_eq!(read(&folder, "empty").unwrap(), b"");
    folder.write("one", &[b"again"]).unwrap();
    assert_eq!(read(&on_disk(&dir), "one").unwrap(), b"again");
    for made in ["a", "a/b"] {
        assert_eq!(root.path().join(made).metadata().unwrap().permissions().mode() & 0o777, 0o700);
    }
    assert_eq!(dir.join("one").metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let mut names: Vec<_> = folder.names().unwrap().into_iter().map(|f| (f.name, f.len)).collect();
    names.sort();
    assert_eq!(names, [("empty".to_string(), 0), ("one".to_string(), 5)]);
    assert!(folder.remove("one").unwrap() && !folder.remove("one").unwrap());
    assert_eq!(listing(&dir), ["empty"]);
}

#[test]
fn a_folder_that_was_removed_is_made_again() {
    let root = tempfile::tempdir().unwrap();
    let (_, folder) = scripted(&root.path().join("a"));
    folder.write("one", &[b"1"]).unwrap();
    std::fs::remove_dir_all(root.path().join("a")).unwrap();
    folder.write("two", &[b"2"]).unwrap();
    let prepared = folder.prepare("three", &[b"3"]).unwrap();
    std::fs::remove_file(root.path().join("a/two")).unwrap();
    folder.publish(prepared).unwrap();
    assert_eq!(listing(&root.path().join("a")), ["temporary", "three"]);
    folder.sync().unwrap();
    assert_eq!(folder.pending(), Pending::default(), "files that others removed need no sync");
}

#[test]
fn a_sync_fails_where_the_whole_folder_is_gone() {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("a");
    let folder = on_disk(&dir);
    folder.write("one", &[b"12345"]).unwrap();
    std::fs::remove_dir_all(&dir).unwrap();
    assert_eq!(folder.sync().unwrap_err().code(), Code::Io);
    assert_eq!(folder.pending(), Pending { files: 1, bytes: 5 });
    folder.write("two", &[b"2"]).unwrap();
    folder.sync().unwrap();
    assert_eq!(folder.pending(), Pending::default());
    folder.remove("two").unwrap();
    std::fs::remove_dir_all(&dir).unwrap();
    folder.sync().unwrap();
}

#[test]
fn names_that_lead_elsewhere_are_refused() {
    let root = tempfile::tempdir().unwrap();
    let folder = on_disk(&root.path().join("a"));
    let long = "x".repeat(MAX_BLOB_NAME_BYTES + 1);
    for name in ["", ".", "..", "../a", "a/b", "/etc/passwd", ".hidden", "a\0b", &long] {
        for outcome in [
            folder.write(name, &[b"x"]),
            folder.open(name).map(drop),
            folder.open_write(name).map(drop),
            folder.remove(name).map(drop),
        ] {
            assert_eq!(outcome.unwrap_err().code(), Code::InvalidArg, "{name:?}");
        }
    }
    assert_eq!(listing(root.path()), [] as [String; 0]);
    let longest = "\u{e4}".repeat(MAX_BLOB_NAME_BYTES / 2);
    folder.write(&longest, &[b"x"]).unwrap();
    assert_eq!(read(&folder, &longest).unwrap(), b"x");
}

#[test]
fn what_is_no_file_of_ours_reads_as_none_and_is_replaced_unfollowed() {
    let root = tempfile::tempdir().unwrap();
    let target = root.path().join("precious");
    std::fs::write(&target, "precious").unwrap();
    std::fs::set_permissions(&target, std::fs::Permissions::from_mode(0o600)).unwrap();
    let dir = root.path().join("a");
    let folder = on_disk(&dir);
    std::fs::create_dir(&dir).unwrap();
    std::os::unix::fs::symlink(&target, dir.join("link")).unwrap();
    std::os::unix::fs::symlink("nowhere", dir.join("dangling")).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(dir.join("pipe")).status().unwrap().success());
    std::fs::write(dir.join("open to all"), "x").unwrap();
    std::fs::set_permissions(dir.join("open to all"), std::fs::Permissions::from_mode(0o666)).unwrap();
    let odd = ["link", "dangling", "pipe", "open to all"];
    for name in odd {
        assert!(folder.open(name).unwrap().is_none(), "{name}");
        assert!(folder.open_write(name).unwrap().is_none(), "{name}");
    }
    for name in odd {
        folder.write(name, &[b"ours"]).unwrap();
        assert_eq!(read(&folder, name).unwrap(), b"ours", "{name}");
        assert!(dir.join(name).symlink_metadata().unwrap().is_file());
    }
    std::os::unix::fs::symlink(&target, dir.join("second")).unwrap();
    assert!(folder.remove("second").unwrap());
    assert_eq!(std::fs::read_to_string(&target).unwrap(), "precious");
    std::fs::create_dir(dir.join("folder")).unwrap();
    assert!(folder.open("folder").unwrap().is_none());
    assert_eq!(folder.write("folder", &[b"x"]).unwrap_err().code(), Code::Io);
    assert_eq!(folder.remove("folder").unwrap_err().code(), Code::Io);
    assert_eq!(listing(&dir), ["dangling", "folder", "link", "open to all", "pipe"]);
    assert_eq!(folder.pending().files, 4);
    folder.sync().unwrap();
    // Replaced by somebody before it was synced: it is not ours to sync.
    folder.write("link", &[b"ours"]).unwrap();
    std::fs::remove_file(dir.join("link")).unwrap();
    std::os::unix::fs::symlink(&target, dir.join("link")).unwrap();
    folder.sync().unwrap();
    assert_eq!(folder.pending(), Pending::default());
}

#[test]
fn a_failed_write_leaves_what_was_there_and_no_temporary_file() {
    for what in ["open", "pwrite", "rename"] {
        let root = tempfile::tempdir().unwrap();
        let (script, folder) = scripted(&root.path().join("a"));
        folder.write("one", &[b"old"]).unwrap();
        script.refuse(what, 1);
        assert_eq!(folder.write("one", &[b"new", b"er"]).unwrap_err().code(), Code::NoSpace, "{what}");
        assert_eq!(read(&folder, "one").unwrap(), b"old");
        assert_eq!(listing(&root.path().join("a/temporary")), [] as [String; 0], "{what}");
        assert_eq!(folder.pending(), Pending { files: 1, bytes: 3 });
        folder.write("one", &[b"new", b"er"]).unwrap();
        assert_eq!(read(&folder, "one").unwrap(), b"newer");
    }
}

#[test]
fn prepared_files_are_seen_once_published_and_removed_when_dropped() {
    let root = tempfile::tempdir().unwrap();
    let folder = on_disk(root.path());
    let (a, b) = (folder.prepare("a", &[b"1"]).unwrap(), folder.prepare("b", &[b"22"]).unwrap());
    assert!(folder.open("a").unwrap().is_none() && folder.names().unwrap().is_empty());
    assert_eq!((a.len(), folder.pending().files), (1, 0));
    folder.publish(a).unwrap();
    drop(b);
    assert_eq!(listing(root.path()), ["a"]);
    assert_eq!(folder.pending(), Pending { files: 1, bytes: 1 });
}

#[test]
fn temporary_files_of_the_dead_are_swept_and_no_others() {
    let root = tempfile::tempdir().unwrap();
    let folder = on_disk(root.path());
    let alive = folder.prepare("alive", &[b"1"]).unwrap();
    let others =
        [".tmp.1.2.0123456", ".x.tmp.1.2.0123456g", ".x.tmp..2.01234567", "x.tmp.1.2.01234567", ".y"];
    let dead = [".x.tmp.1.2.01234567", ".a.b.tmp.4194304.18.89abcdef", "..tmp.1.2.01234567"];
    for name in others.into_iter().chain(dead) {
        std::fs::write(root.path().join(name), "half").unwrap();
    }
    folder.sweep();
    let left = listing(root.path());
    assert!(dead.iter().all(|d| !left.contains(&(*d).to_string())), "{left:?}");
    assert_eq!(left.len(), others.len() + 1, "{left:?}");
    folder.publish(alive).unwrap();
    assert_eq!(read(&folder, "alive").unwrap(), b"1");
}

#[test]
#[ignore = "a role of the test below"]
fn killed_while_it_writes() {
    let Some((path, _)) = role() else { return };
    let folder = on_disk(&path);
    let _held = folder.prepare("held", &[b"half"]).unwrap();
    folder.write("ready", &[b""]).unwrap();
    std::thread::sleep(Duration::from_secs(60));
}

#[test]
fn a_killed_writers_temporary_file_is_swept_once_it_is_dead() {
    let root = tempfile::tempdir().unwrap();
    let folder = on_disk(root.path());
    let mut writer = child("killed_while_it_writes", root.path(), "");
    while folder.open("ready").unwrap().is_none() {
        std::thread::sleep(Duration::from_millis(5));
    }
    folder.sweep();
    assert_eq!(listing(root.path()).len(), 2, "it lives");
    writer.kill().unwrap();
    writer.wait().unwrap();
    folder.sweep();
    assert_eq!(listing(root.path()), ["ready"]);
}

#[test]
fn pending_counts_what_has_yet_to_be_synced() {
    let folder = BlobFolder::new(Arc::new(Memory::new()), Path::new("/a"), Path::new("/a"));
    folder.write("one", &[b"12345"]).unwrap();
    folder.write("two", &[b"123"]).unwrap();
    assert_eq!(folder.pending(), Pending { files: 2, bytes: 8 });
    folder.write("one", &[b"1"]).unwrap();
    assert_eq!(folder.pending(), Pending { files: 2, bytes: 4 });
    folder.touch_pending("two", 10);
    assert_eq!(folder.pending(), Pending { files: 2, bytes: 14 });
    folder.remove("two").unwrap();
    assert_eq!(folder.pending(), Pending { files: 1, bytes: 1 });
    folder.sync().unwrap();
    assert_eq!(folder.pending(), Pending::default());
    folder.touch_pending("one", 7);
    assert_eq!(folder.pending(), Pending { files: 1, bytes: 7 });
    folder.sync().unwrap();
    assert_eq!(folder.pending(), Pending::default());
}

#[test]
fn folders_are_synced_after_the_files_and_what_failed_stays_pending() {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("a/b");
    let (script, folder) = scripted(&dir);
    for n in 0..5 {
        folder.write(&format!("{n}"), &[b"1234"]).unwrap();
    }
    script.refuse("fsync", usize::MAX);
    assert_eq!(folder.sync().unwrap_err().code(), Code::NoSpace);
    assert_eq!(folder.pending(), Pending { files: 5, bytes: 20 }, "their names may be lost");
    script.refuse("fsync", 0);
    script.refuse("fdatasync", 2);
    assert_eq!(folder.sync().unwrap_err().code(), Code::NoSpace);
    assert_eq!(folder.pending(), Pending { files: 2, bytes: 8 });
    script.calls.lock().unwrap().clear();
    folder.sync().unwrap();
    assert_eq!(folder.pending(), Pending::default());
    let calls = script.calls.lock().unwrap().clone();
    let last_file = calls.iter().rposition(|c| c.starts_with("fdatasync")).unwrap();
    assert!(calls[last_file..].contains(&format!("fsync {}", dir.display())), "{calls:?}");
    folder.sync().unwrap();
    assert_eq!(script.calls.lock().unwrap().len(), calls.len(), "nothing is left to do");
}

#[test]
fn new_folders_names_are_synced_in_the_folders_above() {
    let root = tempfile::tempdir().unwrap();
    let (script, folder) = scripted(&root.path().join("a/b"));
    folder.write("one", &[b"1"]).unwrap();
    folder.sync().unwrap();
    for above in [root.path().to_path_buf(), root.path().join("a"), root.path().join("a/b")] {
        let call = format!("fsync {}", above.display());
        assert!(script.calls.lock().unwrap().contains(&call), "{call}");
    }
}

#[test]
fn a_file_whose_sync_failed_is_written_anew() {
    let root = tempfile::tempdir().unwrap();
    let (script, folder) = scripted(root.path());
    let value = telling("one", 1, 3 << 20);
    folder.write("one", &[&value]).unwrap();
    let inode = || root.path().join("one").metadata().unwrap().ino();
    let before = inode();
    script.refuse("fdatasync", 1);
    folder.sync().unwrap_err();
    assert_eq!(inode(), before);
    // Now the kernel would call it synced. But the copy cannot be written.
    for what in ["open", "pwrite", "fdatasync", "rename"] {
        script.refuse(what, 1);
        folder.sync().unwrap_err();
        assert_eq!(folder.pending().files, 1, "{what}");
        assert_eq!(inode(), before, "{what}");
        assert_eq!(listing(&root.path().join("temporary")), [] as [String; 0], "{what}");
    }
    folder.sync().unwrap();
    assert_eq!(folder.pending(), Pending::default());
    assert_ne!(inode(), before, "still the file that may be lost");
    assert_eq!(read(&folder, "one").unwrap(), value);
    script.calls.lock().unwrap().clear();
    folder.touch_pending("one", 1);
    folder.sync().unwrap();
    assert_eq!((script.calls("pwrite"), script.calls("fdatasync")), (0, 1), "the copy is trusted");
}

#[test]
fn a_suspect_file_that_is_appended_to_stays_suspect_and_a_new_one_is_not() {
    let root = tempfile::tempdir().unwrap();
    let (script, folder) = scripted(root.path());
    for name in ["appended", "replaced"] {
        folder.write(name, &[b"first"]).unwrap();
    }
    script.refuse("fdatasync", 2);
    folder.sync().unwrap_err();
    folder.open_write("appended").unwrap().unwrap().write_at(b" second", 5).unwrap();
    folder.touch_pending("appended", 7);
    folder.write("replaced", &[b"second"]).unwrap();
    let inode = |name: &str| root.path().join(name).metadata().unwrap().ino();
    let (appended, replaced) = (inode("appended"), inode("replaced"));
    folder.sync().unwrap();
    assert_ne!(inode("appended"), appended);
    assert_eq!(inode("replaced"), replaced);
    assert_eq!(read(&folder, "appended").unwrap(), b"first second");
    assert_eq!(read(&folder, "replaced").unwrap(), b"second");
}

#[test]
fn what_is_rewritten_during_a_sync_stays_pending() {
    let dir = Path::new("/a");
    let slot: Arc<Mutex<Option<Arc<BlobFolder>>>> = Arc::default();
    let inner = Arc::clone(&slot);
    let storage = Faulty::new(Memory::new(), move |what, _| {
        if what == "fdatasync"
            && let Some(folder) = inner.lock().unwrap().take()
        {
            folder.write("one", &[b"newer"]).unwrap();
        }
        Ok(())
    });
    let folder = Arc::new(BlobFolder::new(storage, dir, dir));
    folder.write("one", &[b"old"]).unwrap();
    *slot.lock().unwrap() = Some(Arc::clone(&folder));
    folder.sync().unwrap();
    assert_eq!(folder.pending(), Pending { files: 1, bytes: 5 });
    folder.sync().unwrap();
    assert_eq!(folder.pending(), Pending::default());
}

#[test]
fn syncs_run_side_by_side_but_not_without_bound() {
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (inside, peak) = (Arc::clone(&now), Arc::clone(&most));
    let storage = Faulty::new(Memory::new(), move |what, _| {
        if what == "fdatasync" {
            peak.fetch_max(inside.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            std::thread::sleep(Duration::from_millis(2));
            inside.fetch_sub(1, Ordering::SeqCst);
        }
        Ok(())
    });
    let folder = BlobFolder::new(storage, Path::new("/a"), Path::new("/a"));
    for n in 0..200 {
        folder.write(&n.to_string(), &[b"1"]).unwrap();
    }
    folder.sync().unwrap();
    let most = most.load(Ordering::SeqCst);
    assert!(most > 1 && most <= MAX_PARALLEL_SYNCS, "{most} at a time");
    assert_eq!((now.load(Ordering::SeqCst), folder.pending()), (0, Pending::default()));
}

#[test]
fn too_many_pending_files_are_synced_before_one_more() {
    let folder = BlobFolder::new(Arc::new(Memory::new()), Path::new("/a"), Path::new("/a"));
    for n in 0..MAX_PENDING_FILES {
        folder.touch_pending(&n.to_string(), 1);
    }
    assert_eq!(folder.pending().files, MAX_PENDING_FILES as u64);
    folder.touch_pending("0", 1);
    assert_eq!(folder.pending().files, MAX_PENDING_FILES as u64);
    folder.write("one more", &[b"1"]).unwrap();
    assert_eq!(folder.pending().files, 1);
}

#[test]
fn threads_that_write_sync_and_remove_at_once_agree() {
    let root = tempfile::tempdir().unwrap();
    let folder = on_disk(root.path());
    std::thread::scope(|scope| {
        for thread in 0..4u64 {
            let folder = &folder;
            scope.spawn(move || {
                for round in 0..60 {
                    let name = format!("{}", round % 7);
                    folder.write(&name, &[&telling(&name, thread * 100 + round, 2000)]).unwrap();
                    match round % 10 {
                        3 => folder.sync().unwrap(),
                        6 => drop(folder.remove(&name).unwrap()),
                        9 => folder.sweep(),
                        _ => {}
                    }
                }
            });
        }
    });
    for file in folder.names().unwrap() {
        check_telling(&file.name, &read(&folder, &file.name).unwrap());
    }
    folder.sync().unwrap();
    assert_eq!(folder.pending(), Pending::default());
    assert!(listing(root.path()).iter().all(|n| n.len() == 1));
    // The storage's own door agrees with the folder's.
    assert!(Disk::default().open(&root.path().join("nothing"), Open::Read).unwrap().is_none());
}
