//! A folder of outputs contained half a file under the name of a complete one, and many temporary files that
//! were never removed.

mod common;
use common::blobs::{listing, on_disk, read, scripted};
use common::*;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;
use warmshard_core::Code;
use warmshard_core::limits::MAX_BLOB_NAME_BYTES;
use warmshard_core::storage::disk::Disk;
use warmshard_core::storage::{Open, Storage};
use warmshard_core::stores::blob::Pending;

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
fn a_folder_that_was_removed_is_created_again() {
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
    assert_eq!(folder.pending(), Pending::default(), "files that were removed from outside need no sync");
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
fn a_link_a_pipe_or_an_untrusted_file_reads_as_none_and_is_replaced_not_followed() {
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
    // A file that was replaced from outside before it was synced is not ours and needs no sync.
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
fn prepared_files_are_visible_once_published_and_removed_when_dropped() {
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
fn only_temporary_files_of_dead_processes_are_swept() {
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
    // Waits until it is killed, or until its parent has died.
    let parent = std::os::unix::process::parent_id();
    while std::os::unix::process::parent_id() == parent {
        std::thread::sleep(Duration::from_millis(20));
    }
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
    assert_eq!(listing(root.path()).len(), 2, "the writer is still alive");
    writer.kill().unwrap();
    writer.wait().unwrap();
    folder.sweep();
    assert_eq!(listing(root.path()), ["ready"]);
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
    // The storage itself gives the same answer for a missing file.
    assert!(Disk::default().open(&root.path().join("nothing"), Open::Read).unwrap().is_none());
}
