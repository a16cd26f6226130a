//! Short functions for what the tests do with artifact stores.

use super::{quiet, telling};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use warmshard_core::Options;
use warmshard_core::storage::Storage;
use warmshard_core::stores::artifact::{ArtifactOptions, ArtifactStore, Content, Meta, Stream};

pub fn with(index: Options) -> ArtifactOptions {
    ArtifactOptions { index, deferred: false, max_bytes: u64::MAX }
}

pub fn store(dir: &Path) -> ArtifactStore {
    ArtifactStore::open(dir, with(quiet())).unwrap()
}

pub fn store_with(dir: &Path, index: Options) -> ArtifactStore {
    ArtifactStore::open(dir, with(index)).unwrap()
}

pub fn store_on(storage: Arc<dyn Storage>, dir: &Path) -> ArtifactStore {
    ArtifactStore::open_on(storage, dir, with(quiet())).unwrap()
}

/// The metadata of a round of a key with `count` outputs.
pub fn meta(key: &str, round: u64, count: usize) -> Meta {
    Meta {
        output_names: (0..count).map(|i| format!("{key}.{i}.o")).collect(),
        output_sizes: (0..count).map(|i| output(key, round, i).len() as u64).collect(),
        stdout: Stream::Text(format!("{key}|{round}|{count}")),
        stderr: Stream::Bytes(vec![0xff; (round % 5) as usize]),
        exit_code: round as i32,
        total_size: 100 + round,
        stored_ns: 1_700_000_000_000_000_000 + round,
    }
}

/// The round to which metadata belongs. Panics if it is not exactly that of a round.
pub fn round_of(key: &str, found: &Meta) -> u64 {
    let round = found.exit_code as u64;
    assert_eq!(*found, meta(key, round, found.output_names.len()));
    round
}

/// One output of a round of a key.
pub fn output(key: &str, round: u64, index: usize) -> Vec<u8> {
    telling(&format!("{key}#{index}"), round, (round as usize * 7 + index * 13) % 700)
}

pub fn outputs(key: &str, round: u64, count: usize) -> Vec<Vec<u8>> {
    (0..count).map(|i| output(key, round, i)).collect()
}

pub fn put(store: &mut ArtifactStore, key: &str, outputs: &[Vec<u8>], pack: bool) {
    let outputs: Vec<&[u8]> = outputs.iter().map(Vec::as_slice).collect();
    store.put_outputs(key, &outputs, pack).unwrap();
}

/// Puts and inserts a round.
pub fn add(store: &mut ArtifactStore, key: &str, round: u64, count: usize, pack: bool) {
    put(store, key, &outputs(key, round, count), pack);
    store.insert(key, meta(key, round, count)).unwrap();
}

/// The same, in a store that is opened for this and flushed.
pub fn flushed(dir: &Path, key: &str, round: u64, count: usize, pack: bool) {
    let mut store = store(dir);
    add(&mut store, key, round, count, pack);
    store.flush().unwrap();
}

pub fn bytes(content: &Content) -> Vec<u8> {
    match content {
        Content::Bytes(bytes) => bytes.clone(),
        #[expect(unsafe_code, reason = "the window is alive, and its file is not written to")]
        Content::Window { window, from } => {
            // SAFETY: as above.
            let all = unsafe { std::slice::from_raw_parts(window.as_mut_ptr(), window.len()) };
            all[*from..].to_vec()
        }
    }
}

pub fn read(store: &mut ArtifactStore, key: &str, index: usize) -> Option<Vec<u8>> {
    store.output(key, index as u32).unwrap().as_ref().map(bytes)
}

/// Whether the store has exactly this round of the key, complete.
pub fn has(store: &mut ArtifactStore, key: &str, round: u64, count: usize) -> bool {
    let outputs = (0..count).all(|i| read(store, key, i) == Some(output(key, round, i)));
    store.get(key).unwrap() == Some(meta(key, round, count)) && outputs && read(store, key, count).is_none()
}

pub fn all(store: &mut ArtifactStore) -> BTreeMap<String, Meta> {
    let rows = store.load_all().unwrap();
    let map: BTreeMap<String, Meta> = rows.iter().cloned().collect();
    assert_eq!(map.len(), rows.len(), "a key twice");
    let bytes = map.values().map(|meta| meta.total_size).sum();
    assert_eq!(store.totals().unwrap(), (map.len() as u64, bytes));
    map
}

/// Every file below a folder, relative to it, sorted.
pub fn files(dir: &Path) -> Vec<String> {
    fn walk(dir: &Path, top: &Path, out: &mut Vec<String>) {
        for entry in std::fs::read_dir(dir).into_iter().flatten() {
            let path: PathBuf = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, top, out);
            } else {
                out.push(path.strip_prefix(top).unwrap().to_str().unwrap().to_owned());
            }
        }
    }
    let mut out = Vec::new();
    walk(dir, dir, &mut out);
    out.sort();
    out
}

/// The same without the index and the note.
pub fn payloads(dir: &Path) -> Vec<String> {
    let own = ["index.shard", "index.shard.lock", ".tmp/state"];
    files(dir).into_iter().filter(|name| !own.contains(&name.as_str())).collect()
}
