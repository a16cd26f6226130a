//! Repeats one operation so that its instructions can be counted: `bench/instructions.mjs` runs this under valgrind
//! with two numbers of turns and takes the difference, so that the set-up of the shard does not count.
//!
//! ```sh
//! cargo run --release -p warmshard-instructions -- hit|miss|put TURNS
//! ```
#![expect(clippy::unwrap_used, clippy::panic, reason = "a tool may panic")]

use std::hint::black_box;
use std::path::Path;
use warmshard_core::{Lookup, Options, PutMeta, Quick, Shard, Validator};

/// Entries of the shard: few enough to keep the valgrind runs short.
const ENTRIES: usize = 5000;
const VALUE_BYTES: usize = 1024;
const MOST_PUTS: usize = 20_000;

/// A key of 60 bytes that looks like a path.
fn key(folder: &str, i: usize) -> String {
    format!("/home/user/{folder}/node_modules/package-{:02}/lib/{i:08}.js", i % 97)
}

fn keys(folder: &str, count: usize) -> Vec<String> {
    (0..count).map(|i| key(folder, i)).collect()
}

/// Looks keys up as the binding does: the quick way first, then `get`.
fn look_up(shard: &mut Shard, keys: &[String], turns: usize) -> usize {
    let mut hits = 0;
    for key in keys.iter().cycle().take(turns) {
        let key = black_box(key.as_bytes());
        let found = match shard.get_quickly(key) {
            Quick::Ask => matches!(black_box(shard.get(key, &Validator::None).unwrap()), Lookup::Hit(_)),
            quick => matches!(black_box(quick), Quick::Hit(..)),
        };
        hits += usize::from(found);
    }
    hits
}

fn main() {
    let mut args = std::env::args().skip(1);
    let what = args.next().unwrap_or_default();
    let turns: usize = args.next().and_then(|n| n.parse().ok()).unwrap_or(1000);
    // The caller makes and deletes this folder.
    let folder = std::env::var_os("COUNTED_FOLDER").unwrap();
    let path = Path::new(&folder).join(format!("{what}-{turns}.shard"));
    let mut shard = Shard::open(&path, Options::default()).unwrap();
    let value = vec![7; VALUE_BYTES];
    let present = keys("project", ENTRIES);
    for key in &present {
        shard.put(key.as_bytes(), &[&value], PutMeta::default()).unwrap();
    }
    // The first look-up of each record verifies its digest, which must not count.
    assert_eq!(look_up(&mut shard, &present, ENTRIES), ENTRIES);
    match what.as_str() {
        "hit" => assert_eq!(look_up(&mut shard, &present, turns), turns),
        "miss" => assert_eq!(look_up(&mut shard, &keys("another", ENTRIES), turns), 0),
        "put" => {
            // Every run makes the same number of keys, so that making them does not count.
            let keys = keys("another", MOST_PUTS);
            assert!(turns <= MOST_PUTS);
            for key in keys.iter().take(turns) {
                shard.put(black_box(key.as_bytes()), &[&value], PutMeta::default()).unwrap();
            }
        }
        _ => panic!("hit, miss or put?"),
    }
}
