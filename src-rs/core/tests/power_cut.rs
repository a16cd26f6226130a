//! The power failed while the cache was written, again and again. Half of a change must never come back.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests may panic")]

mod common;
use common::fragile::{Fragile, Random};
use common::*;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use warmshard_core::{Job, PutMeta, Shard};

const PATH: &str = "/a.shard";
const KEYS: u64 = 12;
const BATCH: u64 = 4;

/// For each key the rounds that a look-up may find; 0 stands for no entry. The flushed state is the first.
#[derive(Debug, Clone, Default)]
struct Allowed {
    rounds: BTreeMap<String, Vec<u64>>,
}

impl Allowed {
    fn note(&mut self, key: &str, round: u64) {
        self.rounds.entry(key.into()).or_insert_with(|| vec![0]).push(round);
    }

    fn flushed(&mut self) {
        for rounds in self.rounds.values_mut() {
            *rounds = vec![*rounds.last().unwrap()];
        }
    }

    fn replaced(&mut self, round: u64) {
        for rounds in self.rounds.values_mut() {
            *rounds = vec![0];
        }
        self.rounds.insert("k0".into(), vec![round]);
    }

    fn check(&self, shard: &mut Shard, what: &str) -> BTreeMap<String, u64> {
        let mut found = BTreeMap::new();
        for (key, rounds) in &self.rounds {
            let round = get(shard, key).map_or(0, |bytes| check_telling(key, &bytes));
            assert!(rounds.contains(&round), "{what}: {key} is of round {round}, not of {rounds:?}");
            found.insert(key.clone(), round);
        }
        let batch: Vec<Option<&u64>> = (0..BATCH).map(|i| found.get(&format!("b{i}"))).collect();
        assert!(batch.iter().all(|r| *r == batch[0]), "{what}: half a batch: {batch:?}");
        found
    }
}

fn change(shard: &mut Shard, allowed: &mut Allowed, random: &mut Random, round: u64) {
    let key = format!("k{}", random.next(KEYS));
    match random.next(12) {
        0..=5 => {
            put(shard, &key, &telling(&key, round, random.next(1500) as usize));
            allowed.note(&key, round);
        }
        6 => {
            shard.delete(key.as_bytes()).unwrap();
            allowed.note(&key, 0);
        }
        7 | 8 => {
            let len = random.next(900) as usize;
            let batch = |b: &mut warmshard_core::shard::Batch<'_, '_>| {
                (0..BATCH).try_for_each(|i| {
                    let key = format!("b{i}");
                    b.put(key.as_bytes(), &[&telling(&key, round, len)], PutMeta::default())
                })
            };
            shard.merge_in(&Job::default(), batch).unwrap();
            (0..BATCH).for_each(|i| allowed.note(&format!("b{i}"), round));
        }
        9 => {
            shard.flush().unwrap();
            allowed.flushed();
        }
        10 if shard.compact(&Job::default()).unwrap().replaced => allowed.flushed(),
        _ if random.next(6) == 0 => {
            let value = telling("k0", round, 5);
            shard.replace_all(&Job::default(), |b| b.put(b"k0", &[&value], PutMeta::default())).unwrap();
            allowed.replaced(round);
        }
        _ => {}
    }
}

#[test]
fn what_was_flushed_stays_and_what_was_not_comes_whole_or_not_at_all() {
    for seed in 0..60u64 {
        let mut random = Random(seed);
        let mut disk = Fragile::new();
        let mut allowed = Allowed::default();
        let mut round = 0;
        for boot in 0..6 {
            let mut shard = Shard::open_on(Arc::new(disk.clone()), Path::new(PATH), quiet()).unwrap();
            for _ in 0..random.next(60) {
                round += 1;
                change(&mut shard, &mut allowed, &mut random, round);
            }
            let what = format!("seed {seed}, boot {boot}");
            allowed.check(&mut shard, &what);
            let next = disk.cut(&mut random);
            drop(shard);
            disk = next;
            let open = || Shard::open_on(Arc::new(disk.clone()), Path::new(PATH), quiet()).unwrap();
            let found = allowed.check(&mut open(), &what);
            // Every later open finds the same as the first one, also after compaction.
            let mut shard = open();
            assert_eq!(allowed.check(&mut shard, &what), found, "{what}");
            put(&mut shard, "anchor", b"1");
            shard.compact(&Job::default()).unwrap();
            assert_eq!(allowed.check(&mut shard, &what), found, "{what}");
            assert!(shard.verify(&Job::default()).unwrap().is_sound(), "{what}");
            for (key, round) in found {
                allowed.rounds.insert(key, vec![round]);
            }
        }
    }
}
