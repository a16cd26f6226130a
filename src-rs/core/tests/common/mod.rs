//! What the tests share: short functions for common steps, and roles for child processes.
#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests may panic; each uses a part of this module"
)]

pub mod artifacts;
pub mod blobs;
pub mod document;
pub mod faulty;
pub mod fragile;
pub mod rubbish;

use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::Arc;
use std::time::Duration;
use warmshard_core::frame::{HEAD_LEN, Head};
use warmshard_core::{Job, Lookup, Options, Producer, PutMeta, Shard, Validator};

/// A time limit that is reached only if something never happens.
pub const FOR_EVER: Duration = Duration::from_secs(300);

/// The time that an attempt takes, for the first of 30 that takes less than `bound`: a busy machine makes
/// attempts slower, never faster. An attempt returns `None` if the machine was too slow to make it.
///
/// # Panics
/// If no attempt takes less than `bound`.
pub fn at_best(bound: Duration, mut attempt: impl FnMut() -> Option<Duration>) -> Duration {
    let mut told = Vec::new();
    for _ in 0..30 {
        match attempt() {
            Some(took) if took < bound => return took,
            took => told.push(took),
        }
    }
    panic!("never within {bound:?}: {told:?}");
}

/// The result of a look-up, with the bytes of the first part.
pub fn look(shard: &mut Shard, key: &str) -> (Lookup, Option<Vec<u8>>) {
    let found = shard.get(key.as_bytes(), &Validator::None).unwrap();
    let bytes = match &found {
        Lookup::Hit(hit) => Some(shard.read_part(hit, 0).unwrap()),
        _ => None,
    };
    (found, bytes)
}

/// The bytes of a key; `None` if it is absent, stale or corrupt.
pub fn get(shard: &mut Shard, key: &str) -> Option<Vec<u8>> {
    look(shard, key).1
}

pub fn put(shard: &mut Shard, key: &str, value: &[u8]) {
    shard.put(key.as_bytes(), &[value], PutMeta::default()).unwrap();
}

pub fn merge(shard: &mut Shard, entries: &[(&str, &[u8])]) {
    shard
        .merge_in(&Job::default(), |batch| {
            entries.iter().try_for_each(|(k, v)| batch.put(k.as_bytes(), &[v], PutMeta::default()))
        })
        .unwrap();
}

pub fn open(path: &Path) -> Shard {
    Shard::open(path, quiet()).unwrap()
}

/// Options without automatic compaction, and with a lock timeout that is not reached because of a busy machine.
pub fn quiet() -> Options {
    Options { auto_compact: false, lock_timeout_ms: FOR_EVER.as_millis() as u64, ..Options::default() }
}

pub fn unmapped() -> Options {
    Options { mapped: false, ..quiet() }
}

pub fn read_only() -> Options {
    Options { read_only: true, ..quiet() }
}

pub fn by(name: &str) -> Options {
    Options { producer: Arc::new(Producer::new(name, "1", None, &[String::new()]).unwrap()), ..quiet() }
}

pub fn lock_path(path: &Path) -> PathBuf {
    warmshard_core::sidecar::path_for(path)
}

/// A value whose first bytes (key and round) determine the rest, so that it can be checked by itself.
pub fn telling(key: &str, round: u64, len: usize) -> Vec<u8> {
    let mut bytes = format!("{key}|{round}|").into_bytes();
    let start = bytes.len();
    let mut state = round.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ len as u64;
    while bytes.len() < start + len {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        bytes.push((state >> 56) as u8);
    }
    bytes
}

/// Panics unless `bytes` are a `telling` value of `key`. Returns its round.
pub fn check_telling(key: &str, bytes: &[u8]) -> u64 {
    let mut pieces = bytes.splitn(3, |b| *b == b'|');
    assert_eq!(pieces.next().unwrap(), key.as_bytes(), "another key's bytes under {key}");
    let round: u64 = std::str::from_utf8(pieces.next().unwrap()).unwrap().parse().unwrap();
    let len = pieces.next().unwrap().len();
    assert!(bytes == telling(key, round, len), "wrong bytes under {key}");
    round
}

/// Offset and head of each frame from the start of the file, until a length is invalid.
pub fn frames(bytes: &[u8]) -> Vec<(usize, Head)> {
    let mut at = 4096;
    let mut out = Vec::new();
    while let Some(head) = bytes.get(at..at + HEAD_LEN).and_then(Head::read) {
        let len = head.length.get() as usize;
        if len == 0 || at + len > bytes.len() {
            break;
        }
        out.push((at, *head));
        at += len;
    }
    out
}

/// Copies a shard, and its sidecar if there is one.
pub fn copy_shard(from: &Path, to: &Path) {
    std::fs::copy(from, to).unwrap();
    if lock_path(from).exists() {
        std::fs::copy(lock_path(from), lock_path(to)).unwrap();
    }
}

/// Runs this test binary again as a child that runs only the test named `role`.
pub fn child(role: &str, path: &Path, arg: &str) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args([role, "--exact", "--nocapture", "--include-ignored"])
        .env("WARMSHARD_TEST_PATH", path)
        .env("WARMSHARD_TEST_ARG", arg)
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap()
}

/// Path and argument, if this process is a child; `None` if a role's test is run as a normal test.
pub fn role() -> Option<(PathBuf, String)> {
    let path = std::env::var_os("WARMSHARD_TEST_PATH")?;
    Some((path.into(), std::env::var("WARMSHARD_TEST_ARG").unwrap()))
}
