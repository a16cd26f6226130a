//! Another user could write to the cache, and so run code as the user who read it.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests may panic")]

mod common;
use common::*;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::path::Path;
use warmshard_core::storage::trust::Trust;
use warmshard_core::{Code, Job, Options, Shard};

fn chmod(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

fn refused(path: &Path, trust: Trust) -> bool {
    let outcomes: Vec<Option<Code>> = [false, true]
        .into_iter()
        .map(|read_only| {
            let options = Options { trust, read_only, ..quiet() };
            Shard::open(path, options).err().map(|e| e.code())
        })
        .collect();
    assert_eq!(outcomes[0], outcomes[1]);
    assert!(matches!(outcomes[0], None | Some(Code::UntrustedFile)), "{outcomes:?}");
    outcomes[0].is_some()
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

#[test]
fn files_and_folders_are_private_whatever_the_umask() {
    rustix::process::umask(rustix::fs::Mode::empty());
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x/y/a.shard");
    let mut shard = open(&path);
    put(&mut shard, "k", b"1");
    let mode = |p: &Path| std::fs::metadata(p).unwrap().mode() & 0o7777;
    let check = || {
        assert_eq!((mode(&path), mode(&lock_path(&path))), (0o600, 0o600));
        assert_eq!((mode(path.parent().unwrap()), mode(&dir.path().join("x"))), (0o700, 0o700));
    };
    check();
    shard.compact(&Job::default()).unwrap();
    check();
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o022));
}

#[test]
fn links_folders_and_pipes_are_refused_without_hanging() {
    let dir = tempfile::tempdir().unwrap();
    let real = dir.path().join("real.shard");
    put(&mut open(&real), "k", b"1");
    for (name, sidecar) in [("a", false), ("b", true)] {
        let path = dir.path().join(name);
        let at = if sidecar { lock_path(&path) } else { path.clone() };
        symlink(&real, &at).unwrap();
        assert!(refused(&path, Trust::Private));
        std::fs::remove_file(&at).unwrap();
        std::fs::create_dir(&at).unwrap();
        assert!(refused(&path, Trust::Private));
        std::fs::remove_dir(&at).unwrap();
        rustix::fs::mknodat(
            rustix::fs::CWD,
            &at,
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::from_raw_mode(0o600),
            0,
        )
        .unwrap();
        assert!(refused(&path, Trust::Private));
        std::fs::remove_file(&at).unwrap();
        assert!(!refused(&path, Trust::Private));
    }
}

#[test]
fn what_others_can_write_to_is_refused() {
    for sidecar in [false, true] {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.shard");
        put(&mut open(&path), "k", b"1");
        let at = if sidecar { lock_path(&path) } else { path.clone() };
        for (mode, private, group) in
            [(0o644, false, false), (0o660, true, false), (0o606, true, true), (0o666, true, true)]
        {
            chmod(&at, mode);
            assert_eq!(refused(&path, Trust::Private), private, "{mode:o}");
            assert_eq!(refused(&path, Trust::Group), group, "{mode:o}");
            assert_eq!(refused(&path, Trust::System), private, "{mode:o}");
        }
    }
}

#[test]
fn what_belongs_to_another_user_is_refused() {
    if !is_root() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.shard");
    put(&mut open(&path), "k", b"1");
    chown(&path, Some(1234), None).unwrap();
    for trust in [Trust::Private, Trust::Group, Trust::System] {
        assert!(refused(&path, trust));
    }
    // An open handle does not follow to such a file either.
    chown(&path, Some(0), None).unwrap();
    let mut shard = open(&path);
    put(&mut shard, "l", b"1");
    let other = dir.path().join("b.shard");
    put(&mut open(&other), "k", b"evil");
    chown(&other, Some(1234), None).unwrap();
    std::fs::rename(&other, &path).unwrap();
    assert_eq!(shard.put(b"m", &[b"1"], Default::default()).unwrap_err().code(), Code::UntrustedFile);
    assert_ne!(get(&mut shard, "k"), Some(b"evil".to_vec()));
}

/// The shard is read by a child that runs as an ordinary user.
#[test]
fn a_system_shard_is_read_by_users_who_trust_root() {
    if !is_root() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("sys/a.shard");
    put(&mut open(&path), "k", b"1");
    for at in [dir.path(), path.parent().unwrap()] {
        chmod(at, 0o755);
    }
    chmod(&path, 0o644);
    for sidecar in [true, false] {
        if sidecar {
            chmod(&lock_path(&path), 0o644);
        } else {
            std::fs::remove_file(lock_path(&path)).unwrap();
        }
        let out = dir.path().join("out");
        std::fs::write(&out, "").unwrap();
        chown(&out, Some(65534), None).unwrap();
        let mut command = std::process::Command::new(std::env::current_exe().unwrap());
        std::os::unix::process::CommandExt::uid(&mut command, 65534);
        // That user may lack the permission to run the test binary; then nothing can be tested.
        let Ok(mut child) = command
            .args(["child_reads", "--exact", "--include-ignored"])
            .env("WARMSHARD_TEST_PATH", &path)
            .env("WARMSHARD_TEST_ARG", &out)
            .stdout(std::process::Stdio::null())
            .spawn()
        else {
            return;
        };
        assert!(child.wait().unwrap().success());
        assert_eq!(std::fs::read_to_string(&out).unwrap(), "read");
    }
}

#[test]
#[ignore = "a role for a child process"]
fn child_reads() {
    let Some((path, out)) = role() else { return };
    let with = |trust| Shard::open(&path, Options { trust, ..read_only() });
    assert_eq!(with(Trust::Private).unwrap_err().code(), Code::UntrustedFile);
    let mut shard = with(Trust::System).unwrap();
    assert_eq!(get(&mut shard, "k").unwrap(), b"1");
    assert_eq!(shard.put(b"x", &[b"1"], Default::default()).unwrap_err().code(), Code::ReadOnly);
    std::fs::write(out, "read").unwrap();
}

#[test]
fn a_read_only_handle_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.shard");
    for i in 0..200 {
        put(&mut open(&path), &format!("n{i}"), b"1");
    }
    for sidecar in [true, false] {
        if !sidecar {
            std::fs::remove_file(lock_path(&path)).unwrap();
        }
        let before = std::fs::read(&path).unwrap();
        let mut shard = Shard::open(&path, read_only()).unwrap();
        assert_eq!((get(&mut shard, "n7").unwrap(), shard.len()), (b"1".to_vec(), 200));
        let job = Job::default();
        let codes = [
            shard.put(b"k", &[b"1"], Default::default()).unwrap_err().code(),
            shard.delete(b"n7").unwrap_err().code(),
            shard.clear().unwrap_err().code(),
            shard.compact(&job).unwrap_err().code(),
            shard.evict_stale(&job).unwrap_err().code(),
            shard.merge_in(&job, |_| Ok(())).unwrap_err().code(),
            shard.replace_all(&job, |_| Ok(())).unwrap_err().code(),
        ];
        assert_eq!(codes, [Code::ReadOnly; 7]);
        shard.flush().unwrap();
        assert!(!shard.durability().durable);
        assert!(shard.verify(&job).unwrap().is_sound());
        shard.close();
        assert_eq!(std::fs::read(&path).unwrap(), before);
        assert_eq!(lock_path(&path).exists(), sidecar);
    }
    let nothing = dir.path().join("none/b.shard");
    let mut shard = Shard::open(&nothing, read_only()).unwrap();
    assert_eq!((get(&mut shard, "k"), shard.len()), (None, 0));
    assert!(!nothing.parent().unwrap().exists());
}
