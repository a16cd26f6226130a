//! The store said one thing in memory, another after a restart, and a third to the process next door.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests may panic")]

mod common;
use common::artifacts::*;
use common::{quiet, read_only, unmapped};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::path::Path;
use warmshard_core::stores::artifact::{ArtifactOptions, ArtifactStore, Meta};

/// What a store should contain for a key.
#[derive(Debug, Clone, Default, PartialEq)]
struct Entry {
    meta: Option<Meta>,
    outputs: Vec<Vec<u8>>,
}

type Model = BTreeMap<String, Entry>;

#[derive(Debug, Clone)]
enum Step {
    Insert(usize, u64),
    Put(usize, u64, usize, bool),
    Remove(usize),
    Clear,
    Flush,
    Reopen(bool),
    Second,
    Get(usize),
}

const KEYS: [&str; 5] = ["a", "a_0", "b/..", "a.pack", "\0zero"];

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let key = 0..KEYS.len();
    let step = prop_oneof![
        4 => (key.clone(), 0..50u64).prop_map(|(k, r)| Step::Insert(k, r)),
        6 => (key.clone(), 0..50u64, 0..4usize, any::<bool>()).prop_map(|(k, r, n, p)| Step::Put(k, r, n, p)),
        3 => key.clone().prop_map(Step::Remove),
        3 => Just(Step::Flush),
        2 => any::<bool>().prop_map(Step::Reopen),
        1 => Just(Step::Second),
        1 => Just(Step::Clear),
        2 => key.prop_map(Step::Get),
    ];
    prop::collection::vec(step, 1..40)
}

fn apply(store: &mut ArtifactStore, model: &mut Model, step: &Step) {
    match step {
        Step::Insert(k, round) => {
            let found = meta(KEYS[*k], *round, (*round % 3) as usize);
            store.insert(KEYS[*k], found.clone()).unwrap();
            model.entry(KEYS[*k].into()).or_default().meta = Some(found);
        }
        Step::Put(k, round, count, pack) => {
            let given = outputs(KEYS[*k], *round, *count);
            put(store, KEYS[*k], &given, *pack);
            model.entry(KEYS[*k].into()).or_default().outputs = given;
        }
        Step::Remove(k) => {
            let had = model.remove(KEYS[*k]).is_some_and(|entry| entry.meta.is_some());
            assert_eq!(store.remove(KEYS[*k]).unwrap(), had);
        }
        Step::Clear => {
            let had = model.values().filter(|entry| entry.meta.is_some()).count();
            assert_eq!(store.clear().unwrap(), had as u64);
            model.clear();
        }
        Step::Flush => store.flush().unwrap(),
        Step::Get(k) => drop(store.get(KEYS[*k]).unwrap()),
        Step::Reopen(_) | Step::Second => {}
    }
}

fn check(store: &mut ArtifactStore, model: &Model) {
    let described = |(key, entry): (&String, &Entry)| Some((key.clone(), entry.meta.clone()?));
    assert_eq!(all(store), model.iter().filter_map(described).collect());
    for key in KEYS {
        let entry = model.get(key).cloned().unwrap_or_default();
        assert_eq!(store.get(key).unwrap(), entry.meta, "{key:?}");
        let found: Vec<_> = (0..4).map_while(|i| read(store, key, i)).collect();
        assert_eq!(found, entry.outputs, "{key:?}");
    }
}

fn deferred(dir: &Path) -> ArtifactStore {
    ArtifactStore::open(dir, ArtifactOptions { deferred: true, ..with(quiet()) }).unwrap()
}

fn run(steps: &[Step]) {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let (mut main, mut model) = (store(dir), Model::new());
    for step in steps {
        apply(&mut main, &mut model, step);
        match step {
            Step::Reopen(late) => {
                main.close();
                main = if *late { deferred(dir) } else { store(dir) };
                assert_eq!(main.recovered().rows + main.recovered().swept + main.recovered().dropped, 0);
            }
            Step::Second => {
                main.flush().unwrap();
                check(&mut store(dir), &model);
                // What another handle has changed and flushed is seen.
                let mut other = deferred(dir);
                let change = Step::Insert(2, 60);
                apply(&mut other, &mut model, &change);
                apply(&mut other, &mut model, &Step::Put(3, 61, 2, true));
                other.flush().unwrap();
            }
            _ => {}
        }
        check(&mut main, &model);
    }
    main.flush().unwrap();
    check(&mut main, &model);
    check(&mut store(dir), &model);
    check(&mut store_with(dir, read_only()), &model);
    check(&mut store_with(dir, unmapped()), &model);
    let mut late = deferred(dir);
    if let Some((key, _)) = model.first_key_value().map(|(k, e)| (k.clone(), e.clone())) {
        // An insert before the index is open keeps the outputs.
        late.insert(&key, meta(&key, 70, 1)).unwrap();
        model.get_mut(&key).unwrap().meta = Some(meta(&key, 70, 1));
    }
    check(&mut late, &model);
    late.close();
    check(&mut store(dir), &model);
    // No files of removed keys are left.
    let count = |entry: &Entry| entry.outputs.len().max(1);
    assert!(payloads(dir).len() <= model.values().map(count).sum(), "{:?}", payloads(dir));
    // Without the index, the rows of all keys with outputs are rebuilt.
    std::fs::remove_file(dir.join("index.shard")).unwrap_or_default();
    let mut rebuilt = store(dir);
    for (key, found) in all(&mut rebuilt) {
        assert_eq!(model[&key].meta, Some(found));
    }
    for (key, entry) in model.iter().filter(|(_, entry)| !entry.outputs.is_empty()) {
        assert_eq!(rebuilt.get(key).unwrap(), entry.meta, "{key:?}");
        assert_eq!(read(&mut rebuilt, key, 0).as_ref(), Some(&entry.outputs[0]));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 120, ..ProptestConfig::default() })]
    #[test]
    fn the_store_is_a_map(steps in steps()) {
        run(&steps);
    }
}

#[test]
fn a_key_that_is_removed_and_inserted_again_has_none_of_its_former_outputs() {
    run(&[
        Step::Put(0, 1, 2, false),
        Step::Insert(0, 1),
        Step::Flush,
        Step::Remove(0),
        Step::Insert(0, 2),
        Step::Flush,
        Step::Reopen(false),
    ]);
}
