//! After a flush the power failed, and then the artifact was there, but its outputs were empty.
#![expect(clippy::unwrap_used, reason = "tests may panic")]

mod common;
use common::artifacts::*;
use common::fragile::{Fragile, Random};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use warmshard_core::stores::artifact::{ArtifactStore, Recovered};

const KEYS: u64 = 5;

/// The states in which a key may be found: round and number of outputs, or `None` if it may be missing. The flushed
/// state is the first.
#[derive(Debug, Clone)]
struct Allowed(BTreeMap<String, Vec<Option<(u64, usize)>>>);

impl Allowed {
    fn note(&mut self, key: &str, state: Option<(u64, usize)>) {
        self.0.entry(key.into()).or_insert_with(|| vec![None]).push(state);
    }

    fn flushed(&mut self) {
        for states in self.0.values_mut() {
            *states = states.last().into_iter().copied().collect();
        }
    }

    fn check(&self, store: &mut ArtifactStore, what: &str) -> BTreeMap<String, (u64, usize)> {
        let mut found = BTreeMap::new();
        let rows = all(store);
        for (key, states) in &self.0 {
            let row = store.get(key).unwrap();
            assert_eq!(rows.get(key), row.as_ref(), "{what}: {key}");
            let state = row.map(|row| (round_of(key, &row), row.output_names.len()));
            if let Some((round, count)) = state {
                assert!(
                    has(store, key, round, count),
                    "{what}: {key} has a row of round {round}, but no outputs"
                );
                found.insert(key.clone(), (round, count));
            }
            // If outputs were overwritten and not flushed, they may be gone, and their row with them.
            let lost = states.len() > 1 && state.is_none();
            assert!(lost || states.contains(&state), "{what}: {key} is {state:?}, not of {states:?}");
        }
        found
    }
}

fn change(store: &mut ArtifactStore, allowed: &mut Allowed, random: &mut Random, round: u64) {
    let key = format!("k{}", random.next(KEYS));
    let (count, pack) = (random.next(4) as usize, random.next(2) == 0);
    match random.next(10) {
        0..=3 => {
            add(store, &key, round, count, pack);
            allowed.note(&key, Some((round, count)));
        }
        4 | 5 => {
            // Metadata is inserted before the outputs are put only for keys that have no outputs yet.
            let gone = store.remove(&key).unwrap();
            allowed.note(&key, None);
            if !gone {
                store.insert(&key, meta(&key, round, count)).unwrap();
                put(store, &key, &outputs(&key, round, count), pack);
                allowed.note(&key, Some((round, count)));
            }
        }
        6 => {
            let bytes = store.totals().unwrap().1 / 2;
            let before = all(store);
            store.evict_to(bytes).unwrap();
            let after = all(store);
            before.keys().filter(|key| !after.contains_key(*key)).for_each(|key| allowed.note(key, None));
            allowed.flushed();
        }
        7 => {
            put(store, "hidden", &outputs("hidden", round, count), pack);
        }
        _ => {
            store.flush().unwrap();
            allowed.flushed();
        }
    }
}

#[test]
fn what_was_flushed_stays_and_no_row_comes_without_its_outputs() {
    let dir = Path::new("/store");
    for seed in 0..150u64 {
        let mut random = Random(seed);
        let mut disk = Fragile::new();
        let mut allowed = Allowed(BTreeMap::new());
        let mut round = 0;
        for boot in 0..6 {
            let mut store = store_on(Arc::new(disk.clone()), dir);
            for _ in 0..random.next(25) {
                round += 1;
                change(&mut store, &mut allowed, &mut random, round);
            }
            let what = format!("seed {seed}, boot {boot}");
            allowed.check(&mut store, &what);
            let next = disk.cut(&mut random);
            drop(store);
            disk = next;
            let mut store = store_on(Arc::new(disk.clone()), dir);
            let found = allowed.check(&mut store, &what);
            assert_eq!(store.recovered().failed, None, "{what}");
            // Every later open finds the same as the first one.
            let mut second = store_on(Arc::new(disk.clone()), dir);
            assert_eq!(*second.recovered(), Recovered::default(), "{what}");
            assert_eq!(allowed.check(&mut second, &what), found, "{what}");
            for (key, states) in &mut allowed.0 {
                *states = vec![found.get(key).copied()];
            }
        }
    }
}
