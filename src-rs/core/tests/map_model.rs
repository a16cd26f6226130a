//! A cache that had lost an update served last week's code. The shard must behave like a plain map.
#![expect(clippy::unwrap_used, reason = "tests may panic")]

mod common;
use common::*;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use warmshard_core::shard::Totals;
use warmshard_core::storage::Storage;
use warmshard_core::storage::disk::Disk;
use warmshard_core::storage::memory::Memory;
use warmshard_core::{Job, Options, PutMeta, Shard};

#[derive(Debug, Clone)]
enum Step {
    Put(u8, u16),
    Delete(u8),
    Merge(Vec<(u8, u16)>),
    /// More entries than fit into a tail, so that an index snapshot is written.
    MergeMany(u8),
    ReplaceAll(Vec<(u8, u16)>),
    Clear,
    RemoveFile,
    Compact,
    Reopen,
    ByOther(u8, u16),
    DeleteByOther(u8),
    PutExpired(u8),
    EvictStale,
    Flush,
    Reboot,
    AbortedMerge(u8),
}

fn step() -> impl Strategy<Value = Step> {
    let entries = || prop::collection::vec((0..40u8, 0..2000u16), 0..12);
    prop_oneof![
        8 => (0..40u8, 0..2000u16).prop_map(|(k, n)| Step::Put(k, n)),
        3 => (0..40u8).prop_map(Step::Delete),
        3 => entries().prop_map(Step::Merge),
        1 => any::<u8>().prop_map(Step::MergeMany),
        1 => entries().prop_map(Step::ReplaceAll),
        1 => Just(Step::Clear),
        1 => Just(Step::RemoveFile),
        2 => Just(Step::Compact),
        3 => Just(Step::Reopen),
        4 => (0..40u8, 0..2000u16).prop_map(|(k, n)| Step::ByOther(k, n)),
        2 => (0..40u8).prop_map(Step::DeleteByOther),
        1 => (0..40u8).prop_map(Step::PutExpired),
        1 => Just(Step::EvictStale),
        1 => Just(Step::Flush),
        1 => Just(Step::Reboot),
        1 => (0..40u8).prop_map(Step::AbortedMerge),
    ]
}

struct World {
    storage: Arc<dyn Storage>,
    memory: Option<Memory>,
    path: PathBuf,
    options: Options,
    shard: Option<Shard>,
    other: Shard,
    model: BTreeMap<String, Vec<u8>>,
    round: u64,
    generation: u64,
}

impl World {
    fn new(storage: Arc<dyn Storage>, memory: Option<Memory>, path: &Path, options: Options) -> Self {
        let open = || Shard::open_on(Arc::clone(&storage), path, options.clone()).unwrap();
        let (shard, other) = (Some(open()), open());
        World {
            path: path.into(),
            storage,
            memory,
            options,
            shard,
            other,
            model: BTreeMap::new(),
            round: 0,
            generation: 0,
        }
    }

    fn open(&self) -> Shard {
        Shard::open_on(Arc::clone(&self.storage), &self.path, self.options.clone()).unwrap()
    }

    fn value(&mut self, key: &str, len: u16) -> Vec<u8> {
        self.round += 1;
        telling(key, self.round, usize::from(len))
    }

    fn entries(&mut self, entries: &[(u8, u16)]) -> Vec<(String, Vec<u8>)> {
        entries.iter().map(|(k, n)| (format!("key {k}"), self.value(&format!("key {k}"), *n))).collect()
    }

    fn act(&mut self, step: &Step) {
        let mut shard = self.shard.take().unwrap();
        match step {
            Step::Put(k, n) | Step::ByOther(k, n) => {
                let key = format!("key {k}");
                let value = self.value(&key, *n);
                let by_other = matches!(step, Step::ByOther(..));
                put(if by_other { &mut self.other } else { &mut shard }, &key, &value);
                self.model.insert(key, value);
            }
            Step::Delete(k) | Step::DeleteByOther(k) => {
                let key = format!("key {k}");
                let by_other = matches!(step, Step::DeleteByOther(..));
                let handle = if by_other { &mut self.other } else { &mut shard };
                let there = handle.delete(key.as_bytes()).unwrap();
                assert_eq!(there, self.model.remove(&key).is_some());
            }
            Step::Merge(entries) => {
                let entries = self.entries(entries);
                let refs: Vec<(&str, &[u8])> = entries.iter().map(|(k, v)| (k.as_str(), &v[..])).collect();
                merge(&mut shard, &refs);
                self.model.extend(entries);
            }
            Step::MergeMany(seed) => {
                let entries: Vec<(String, Vec<u8>)> =
                    (0..600u32).map(|i| (format!("many {}", i * u32::from(*seed)), vec![*seed; 3])).collect();
                let refs: Vec<(&str, &[u8])> = entries.iter().map(|(k, v)| (k.as_str(), &v[..])).collect();
                merge(&mut shard, &refs);
                self.model.extend(entries);
            }
            Step::ReplaceAll(entries) => {
                let entries = self.entries(entries);
                shard
                    .replace_all(&Job::default(), |batch| {
                        entries
                            .iter()
                            .try_for_each(|(k, v)| batch.put(k.as_bytes(), &[v], PutMeta::default()))
                    })
                    .unwrap();
                self.model = entries.into_iter().collect();
            }
            Step::Clear => {
                shard.clear().unwrap();
                self.model.clear();
            }
            Step::RemoveFile => {
                shard.remove_file().unwrap();
                assert_eq!(self.storage.identity(&self.path).unwrap(), None);
                self.model.clear();
            }
            Step::Compact => {
                shard.compact(&Job::default()).unwrap();
            }
            Step::Reopen => {
                shard.close();
                shard = self.open();
            }
            Step::PutExpired(k) => {
                let meta = PutMeta { expires_ms: 1, ..PutMeta::default() };
                shard.put(format!("key {k}").as_bytes(), &[b"late"], meta).unwrap();
                self.model.remove(&format!("key {k}"));
                // Counted as an entry until it is evicted.
                shard.evict_stale(&Job::default()).unwrap();
            }
            Step::EvictStale => {
                assert_eq!(shard.evict_stale(&Job::default()).unwrap(), 0);
            }
            Step::Flush => {
                shard.flush().unwrap();
                assert!(shard.durability().durable);
            }
            Step::Reboot => {
                if let Some(memory) = &self.memory {
                    memory.reboot();
                    shard = self.open();
                    self.other = self.open();
                }
            }
            Step::AbortedMerge(k) => {
                let job = Job::default();
                shard
                    .merge_in(&job, |batch| {
                        batch.put(format!("key {k}").as_bytes(), &[b"never"], PutMeta::default())?;
                        job.abort();
                        batch.put(b"nor this", &[b"never"], PutMeta::default())
                    })
                    .unwrap_err();
            }
        }
        let generation = shard.generation();
        assert!(generation >= self.generation, "the generation went back");
        self.generation = generation;
        self.shard = Some(shard);
    }

    fn check(&mut self) {
        let mut fresh = self.open();
        let read_only = Options { read_only: true, ..self.options.clone() };
        let mut reader = Shard::open_on(Arc::clone(&self.storage), &self.path, read_only).unwrap();
        let shard = self.shard.as_mut().unwrap();
        for handle in [shard, &mut self.other, &mut fresh, &mut reader] {
            check_against(handle, &self.model);
        }
    }
}

fn check_against(shard: &mut Shard, model: &BTreeMap<String, Vec<u8>>) {
    for (key, value) in model {
        assert_eq!(get(shard, key).as_ref(), Some(value), "{key}");
    }
    for k in 0..40u8 {
        let key = format!("key {k}");
        assert_eq!(get(shard, &key).is_some(), model.contains_key(&key), "{key}");
        assert_eq!(shard.knows(key.as_bytes()).unwrap(), model.contains_key(&key), "{key}");
    }
    assert_eq!(get(shard, "nor this"), None);
    assert_eq!(shard.len(), model.len() as u64);
    let bytes = model.values().map(|value| value.len() as u64).sum();
    assert_eq!(shard.totals().unwrap(), Totals { own: model.len() as u64, part_bytes: bytes });
    let mut keys = Vec::new();
    let mut cursor = shard.cursor().unwrap();
    loop {
        let some = cursor.next_keys(7).unwrap();
        if some.is_empty() {
            break;
        }
        keys.extend(some);
    }
    keys.sort();
    assert_eq!(keys, model.keys().cloned().collect::<Vec<_>>());
    let report = shard.verify(&Job::default()).unwrap();
    assert!(report.is_sound() && report.live == model.len() as u64, "{report:?}");
}

fn run(mut world: World, steps: &[Step]) {
    for step in steps {
        world.act(step);
        if let Some(shard) = world.shard.as_mut() {
            assert_eq!(shard.len(), world.model.len() as u64, "after {step:?}");
        }
    }
    world.check();
    world.act(&Step::Reopen);
    world.act(&Step::Compact);
    world.check();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn mapped(steps in prop::collection::vec(step(), 1..40)) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.shard");
        run(World::new(Arc::new(Disk::default()), None, &path, quiet()), &steps);
    }

    #[test]
    fn by_positioned_reads(steps in prop::collection::vec(step(), 1..40)) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.shard");
        run(World::new(Arc::new(Disk::default()), None, &path, unmapped()), &steps);
    }

    #[test]
    fn in_memory_with_reboots(steps in prop::collection::vec(step(), 1..40)) {
        let memory = Memory::new();
        let world = World::new(Arc::new(memory.clone()), Some(memory), Path::new("/a.shard"), quiet());
        run(world, &steps);
    }
}

#[test]
fn another_process_sees_the_same_map() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.shard");
    let mut shard = open(&path);
    let mut model = BTreeMap::new();
    for i in 0..700u64 {
        let key = format!("key {}", i % 300);
        let value = telling(&key, i, 20);
        put(&mut shard, &key, &value);
        model.insert(key, value);
    }
    let dump = |shard: &mut Shard| -> String {
        let mut keys: Vec<String> = shard.list().unwrap().into_iter().map(|i| i.key).collect();
        keys.sort();
        keys.iter().map(|k| format!("{k}={:x?}\n", get(shard, k))).collect()
    };
    assert!(child("child_dumps", &path, "").wait().unwrap().success());
    let out = path.with_extension("dump");
    assert_eq!(std::fs::read_to_string(&out).unwrap(), dump(&mut shard));
    shard.compact(&Job::default()).unwrap();
    assert!(child("child_dumps", &path, "").wait().unwrap().success());
    assert_eq!(std::fs::read_to_string(&out).unwrap(), dump(&mut shard));
    // The child deleted one entry each time, after its dump.
    model.remove("key 0");
    assert_eq!(shard.len(), 299 - 1);
}

/// The other process of the test above.
#[test]
#[ignore = "a role for a child process"]
fn child_dumps() {
    let Some((path, _)) = role() else { return };
    let mut shard = open(&path);
    let mut keys: Vec<String> = shard.list().unwrap().into_iter().map(|i| i.key).collect();
    keys.sort();
    let gone = keys.remove(0);
    assert!(shard.delete(gone.as_bytes()).unwrap());
    let text: String = keys.iter().map(|k| format!("{k}={:x?}\n", get(&mut shard, k))).collect();
    std::fs::write(path.with_extension("dump"), text).unwrap();
}
