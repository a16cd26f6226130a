//! Times of the artifact store, each from one run: `cargo bench -p warmshard-core --bench artifact_store`.
//!
//! Files are in the page cache. Flushes sync to the disk of the temporary folder, so their times depend on that disk.
#![expect(clippy::unwrap_used, reason = "a benchmark may panic")]

use std::path::Path;
use std::time::{Duration, Instant};
use warmshard_core::Options;
use warmshard_core::stores::artifact::{ArtifactOptions, ArtifactStore, Meta, Stream};

const COUNT: usize = 10_000;
const LEN: usize = 4096;

fn open(dir: &Path) -> ArtifactStore {
    let options = ArtifactOptions { index: Options::default(), deferred: false, max_bytes: u64::MAX };
    ArtifactStore::open(dir, options).unwrap()
}

fn key(n: usize) -> String {
    blake3::hash(&n.to_le_bytes()).to_hex().as_str().chars().take(32).collect()
}

fn meta(n: usize) -> Meta {
    Meta {
        output_names: vec!["lib.o".into(), "lib.d".into()],
        output_sizes: vec![LEN as u64, 512],
        stdout: Stream::default(),
        stderr: Stream::Text("warning: unused variable: `x`\n".repeat(n % 4)),
        exit_code: 0,
        total_size: LEN as u64 + 512,
        stored_ns: 1_700_000_000_000_000_000 + n as u64,
    }
}

fn time<T>(what: &str, per: usize, work: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let out = work();
    say(what, per, start.elapsed());
    out
}

fn say(what: &str, per: usize, took: Duration) {
    let each = took.as_nanos() as f64 / per as f64;
    println!("{what:<58} {:>10.2} ms {each:>12.0} ns each", took.as_secs_f64() * 1000.0);
}

fn fill(store: &mut ArtifactStore, from: usize, count: usize, flat: bool) {
    let (bytes, small) = (vec![7; LEN], vec![9; 512]);
    for n in from..from + count {
        let outputs: [&[u8]; 2] = [&bytes, &small];
        store.put_outputs(&key(n), if flat { &outputs } else { &outputs[..1] }, !flat).unwrap();
        store.insert(&key(n), meta(n)).unwrap();
    }
}

fn run(flat: bool) {
    println!("\n{}", if flat { "two outputs, a file each" } else { "one output of 4 KiB, packed" });
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let mut store = open(dir);
    time("put_outputs + insert", 1000, || fill(&mut store, 0, 1000, flat));
    time("flush of 1,000 puts", 1000, || store.flush().unwrap());
    time("put_outputs + insert, the same keys again", 1000, || fill(&mut store, 0, 1000, flat));
    time("flush of 1,000 puts of known keys", 1000, || store.flush().unwrap());
    fill(&mut store, 1000, COUNT - 1000, flat);
    time("flush of 9,000 puts", COUNT - 1000, || store.flush().unwrap());
    time("flush with nothing to do", 1, || store.flush().unwrap());
    store.close();

    let mut store = time("open, 10,000 rows, intact", 1, || open(dir));
    let keys: Vec<String> = (0..COUNT).map(key).collect();
    for what in ["get, hit, first", "get, hit, again"] {
        time(what, COUNT, || keys.iter().for_each(|key| assert!(store.get(key).unwrap().is_some())));
    }
    time("output", COUNT, || keys.iter().for_each(|key| assert!(store.output(key, 0).unwrap().is_some())));
    let misses: Vec<String> = (COUNT..2 * COUNT).map(key).collect();
    time("get, miss", COUNT, || misses.iter().for_each(|key| assert!(store.get(key).unwrap().is_none())));
    time("load_all", COUNT, || store.load_all().unwrap());
    time("totals, first", COUNT, || store.totals().unwrap());
    time("totals, again", 1, || store.totals().unwrap());
    time("insert, one row, and flush", 1, || {
        store.insert("one", meta(1)).unwrap();
        store.flush().unwrap();
    });
    store.close();

    std::fs::remove_file(dir.join("index.shard")).unwrap();
    let store = time("open, index gone, 10,000 payloads", COUNT, || open(dir));
    assert_eq!(store.recovered().rows, COUNT as u64);
    store.close();
    std::fs::remove_file(dir.join("index.shard")).unwrap();
    std::fs::remove_file(dir.join(".tmp/state")).unwrap();
    let store = time("the same after a power cut", COUNT, || open(dir));
    assert_eq!(store.recovered().rows, COUNT as u64);
    store.close();
    std::fs::remove_file(dir.join(".tmp/state")).unwrap();
    let mut store = time("open, intact, first in this boot", COUNT, || open(dir));
    assert_eq!(store.recovered().rows, 0);
    let bytes = store.totals().unwrap().1;
    time("evict_to half", COUNT / 2, || store.evict_to(bytes / 2).unwrap());
    time("clear + flush", COUNT / 2, || {
        store.clear().unwrap();
        store.flush().unwrap();
    });
    store.close();
}

fn main() {
    run(false);
    run(true);
}
