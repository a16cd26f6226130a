//! What the tests share: short names for common steps, and roles for child processes.
#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests may panic; each uses its share of this"
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

/// Nobody waits for so long, but for something that never comes.
pub const FOR_EVER: Duration = Duration::from_secs(300);

/// How long something takes by itself, if that is less than `bound` in one of some tries: a busy machine may hold up each, but
/// takes nothing off.
///
/// # Panics
/// Where all of them took longer. A try that gives nothing is one in which the machine was too late for what is tried.
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

/// What a look-up came to, with the first part's bytes.
pub fn look(shard: &mut Shard, key: &str) -> (Lookup, Option<Vec<u8>>) {
    let found = shard.get(key.as_bytes(), &Validator::None).unwrap();
    let bytes = match &found {
        Lookup::Hit(hit) => Some(shard.read_part(hit, 0).unwrap()),
        _ => None,
    };
    (found, bytes)
}

/// The bytes of a key; none where it is absent, stale or corrupt.
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

/// Options under which nothing happens by itself, and a busy machine's long turns do not pass for a lock that is never given back.
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

/// A value that tells from its first bytes how the rest must look.
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

/// Panics unless `bytes` are a `telling` value of `key`; gives its round.
pub fn check_telling(key: &str, bytes: &[u8]) -> u64 {
    let mut pieces = bytes.splitn(3, |b| *b == b'|');
    assert_eq!(pieces.next().unwrap(), key.as_bytes(), "another key's bytes under {key}");
    let round: u64 = std::str::from_utf8(pieces.next().unwrap()).unwrap().parse().unwrap();
    let len = pieces.next().unwrap().len();
    assert!(bytes == telling(key, round, len), "wrong bytes under {key}");
    round
}

/// Offset and head of every frame from the start of the file, as far as their lengths lead.
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

/// Runs this test binary again as a child that does only `role`, a test of its own.
pub fn child(role: &str, path: &Path, arg: &str) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args([role, "--exact", "--nocapture", "--include-ignored"])
        .env("WARMSHARD_TEST_PATH", path)
        .env("WARMSHARD_TEST_ARG", arg)
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap()
}

/// Path and argument, in a child; nothing when the role's test runs by itself.
pub fn role() -> Option<(PathBuf, String)> {
    let path = std::env::var_os("WARMSHARD_TEST_PATH")?;
    Some((path.into(), std::env::var("WARMSHARD_TEST_ARG").unwrap()))
}
