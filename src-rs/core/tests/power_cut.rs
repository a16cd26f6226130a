//! The power went while the cache was written, again and again; never may half of anything come back.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests may panic")]

mod common;
use common::*;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use warmshard_core::mapping::{Region, SharedWords, Window};
use warmshard_core::storage::memory::Memory;
use warmshard_core::storage::{File, Identity, Listed, Open, Storage};
use warmshard_core::{Job, PutMeta, Result, Shard};

const SECTOR: usize = 512;

/// Bytes written at an offset; `None` for a new length.
type Piece = (u64, Option<Vec<u8>>);

/// What the disk holds for certain, and what was written since and may or may not have reached it.
#[derive(Debug, Default)]
struct Platter {
    /// By file number: the synced bytes.
    synced: BTreeMap<u64, Vec<u8>>,
    /// By file number: pieces written since its last sync.
    pending: BTreeMap<u64, Vec<Piece>>,
    /// Names as they were when the folder was last synced, and as they are.
    names: [BTreeMap<PathBuf, u64>; 2],
}

/// A disk on the heap whose power can be cut.
#[derive(Debug, Clone)]
struct Fragile {
    memory: Memory,
    platter: Arc<Mutex<Platter>>,
}

#[derive(Debug)]
struct FragileFile {
    file: Arc<dyn File>,
    number: u64,
    platter: Arc<Mutex<Platter>>,
}

struct Random(u64);

impl Random {
    fn next(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % below
    }
}

impl Fragile {
    fn new() -> Self {
        Fragile { memory: Memory::new(), platter: Arc::default() }
    }

    /// The disk as it may be after a power cut now.
    fn cut(&self, random: &mut Random) -> Fragile {
        let old = self.platter.lock().unwrap();
        let new = Fragile::new();
        new.memory.reboot();
        // Each name's change reached the disk, or did not: all of them or none, as a journal does it.
        let names = &old.names[random.next(2) as usize];
        for (path, number) in names {
            let mut bytes = old.synced.get(number).cloned().unwrap_or_default();
            for (at, piece) in old.pending.get(number).into_iter().flatten() {
                let at = *at as usize;
                match piece {
                    None => {
                        if random.next(2) == 0 {
                            bytes.resize(at, 0);
                        }
                    }
                    Some(piece) => {
                        for (n, sector) in piece.chunks(SECTOR).enumerate() {
                            let from = at + n * SECTOR;
                            if random.next(3) != 0 {
                                bytes.resize(bytes.len().max(from + sector.len()), 0);
                                bytes[from..from + sector.len()].copy_from_slice(sector);
                            }
                        }
                    }
                }
            }
            new.open(path, Open::Create).unwrap();
            new.memory.set_bytes(path, bytes.clone());
            let mut platter = new.platter.lock().unwrap();
            let number = platter.names[1][path];
            platter.synced.insert(number, bytes);
            platter.names[0] = platter.names[1].clone();
        }
        new
    }
}

impl Storage for Fragile {
    fn open(&self, path: &Path, how: Open) -> Result<Option<Arc<dyn File>>> {
        let Some(file) = self.memory.open(path, how)? else {
            return Ok(None);
        };
        let number = file.identity()?.inode;
        self.platter.lock().unwrap().names[1].insert(path.into(), number);
        Ok(Some(Arc::new(FragileFile { file, number, platter: Arc::clone(&self.platter) })))
    }
    fn identity(&self, path: &Path) -> Result<Option<Identity>> {
        self.memory.identity(path)
    }
    fn rename(&self, from: &Path, to: &Path) -> Result<()> {
        self.memory.rename(from, to)?;
        let mut platter = self.platter.lock().unwrap();
        let number = platter.names[1].remove(from).unwrap();
        platter.names[1].insert(to.into(), number);
        Ok(())
    }
    fn remove(&self, path: &Path) -> Result<()> {
        self.platter.lock().unwrap().names[1].remove(path);
        self.memory.remove(path)
    }
    fn sync_dir(&self, _: &Path) -> Result<()> {
        let mut platter = self.platter.lock().unwrap();
        platter.names[0] = platter.names[1].clone();
        Ok(())
    }
    fn create_dirs(&self, _: &Path) -> Result<()> {
        Ok(())
    }
    fn list(&self, dir: &Path, prefix: &str, most: usize) -> Result<Vec<PathBuf>> {
        self.memory.list(dir, prefix, most)
    }
    fn walk(&self, dir: &Path, most: usize) -> Result<Vec<Listed>> {
        self.memory.walk(dir, most)
    }
    fn boot_id(&self) -> u64 {
        self.memory.boot_id()
    }
}

impl File for FragileFile {
    fn identity(&self) -> Result<Identity> {
        self.file.identity()
    }
    fn read_at(&self, buf: &mut [u8], offset: u64) -> Result<usize> {
        self.file.read_at(buf, offset)
    }
    fn write_at(&self, bytes: &[u8], offset: u64) -> Result<()> {
        let mut platter = self.platter.lock().unwrap();
        let pending = platter.pending.entry(self.number).or_default();
        pending.push((offset, Some(bytes.to_vec())));
        self.file.write_at(bytes, offset)
    }
    fn set_len(&self, len: u64) -> Result<()> {
        let mut platter = self.platter.lock().unwrap();
        platter.pending.entry(self.number).or_default().push((len, None));
        self.file.set_len(len)
    }
    fn allocate(&self, len: u64) -> Result<()> {
        self.file.allocate(len)
    }
    fn sync(&self) -> Result<()> {
        let mut platter = self.platter.lock().unwrap();
        let mut bytes = vec![0; self.file.identity()?.len as usize];
        self.file.read_at(&mut bytes, 0)?;
        platter.synced.insert(self.number, bytes);
        platter.pending.remove(&self.number);
        Ok(())
    }
    fn try_lock(&self) -> Result<bool> {
        self.file.try_lock()
    }
    fn unlock(&self) {
        self.file.unlock();
    }
    fn maps_are_coherent(&self) -> bool {
        true
    }
    fn map(&self, _: u64) -> Option<Region> {
        None
    }
    fn window(&self, _: u64, _: u64) -> Option<Window> {
        None
    }
    fn words(&self, bytes: u64, writable: bool) -> Option<SharedWords> {
        self.file.words(bytes, writable)
    }
}

const PATH: &str = "/a.shard";
const KEYS: u64 = 12;
const BATCH: u64 = 4;

/// For each key the rounds that a look-up may give; 0 stands for none. The last flushed state is the
/// first of them.
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
            // What the first to open found is what everybody finds, after compaction too.
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
