//! The build had reported its outputs as stored. After a power cut half of them were empty files.

mod common;
use common::blobs::{listing, on_disk, read, scripted};
use common::faulty::Faulty;
use common::*;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use warmshard_core::Code;
use warmshard_core::limits::{MAX_PARALLEL_SYNCS, MAX_PENDING_FILES};
use warmshard_core::storage::memory::Memory;
use warmshard_core::stores::blob::{BlobFolder, Pending};

#[test]
fn a_sync_fails_if_the_whole_folder_is_gone() {
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
fn pending_counts_what_is_not_synced_yet() {
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
fn the_folders_above_new_folders_are_synced() {
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
fn a_file_whose_sync_failed_is_written_again() {
    let root = tempfile::tempdir().unwrap();
    let (script, folder) = scripted(root.path());
    let value = telling("one", 1, 3 << 20);
    folder.write("one", &[&value]).unwrap();
    let inode = || root.path().join("one").metadata().unwrap().ino();
    let before = inode();
    script.refuse("fdatasync", 1);
    folder.sync().unwrap_err();
    assert_eq!(inode(), before);
    // A second sync would succeed now. Here the copy cannot be written.
    for what in ["open", "pwrite", "fdatasync", "rename"] {
        script.refuse(what, 1);
        folder.sync().unwrap_err();
        assert_eq!(folder.pending().files, 1, "{what}");
        assert_eq!(inode(), before, "{what}");
        assert_eq!(listing(&root.path().join("temporary")), [] as [String; 0], "{what}");
    }
    folder.sync().unwrap();
    assert_eq!(folder.pending(), Pending::default());
    assert_ne!(inode(), before, "the file was not replaced by its copy");
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
            // The other threads may be slow to start.
            let start = Instant::now();
            while peak.load(Ordering::SeqCst) < 2 && start.elapsed() < FOR_EVER {
                std::thread::sleep(Duration::from_millis(1));
            }
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
