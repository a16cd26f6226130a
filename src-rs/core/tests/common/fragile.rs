//! A disk whose power can be cut: of what was not synced, some pieces remain.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use warmshard_core::Result;
use warmshard_core::mapping::{Region, SharedWords, Window};
use warmshard_core::storage::memory::Memory;
use warmshard_core::storage::{File, Identity, Listed, Open, Storage};

const SECTOR: usize = 512;

/// An offset and the bytes written there, or a new length and `None`.
type Piece = (u64, Option<Vec<u8>>);

/// What the disk certainly contains, and what was written since then and may or may not have reached it.
#[derive(Debug, Default)]
struct Platter {
    /// The synced bytes, by file number.
    synced: BTreeMap<u64, Vec<u8>>,
    /// The pieces written since the last sync, by file number.
    pending: BTreeMap<u64, Vec<Piece>>,
    /// The names as they were when the folder was last synced, and as they are.
    names: [BTreeMap<PathBuf, u64>; 2],
}

/// The disk, in memory.
#[derive(Debug, Clone)]
pub struct Fragile {
    memory: Memory,
    platter: Arc<Mutex<Platter>>,
}

#[derive(Debug)]
struct FragileFile {
    file: Arc<dyn File>,
    number: u64,
    platter: Arc<Mutex<Platter>>,
}

pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % below
    }
}

impl Fragile {
    pub fn new() -> Self {
        Fragile { memory: Memory::new(), platter: Arc::default() }
    }

    /// The disk as it may be if the power is cut now.
    pub fn cut(&self, random: &mut Random) -> Fragile {
        let old = self.platter.lock().unwrap();
        let new = Fragile::new();
        // A boot id that was not used before.
        (0..self.memory.boot_id()).for_each(|_| new.memory.reboot());
        // Changes of names have reached the disk all together or not at all, as with a journal.
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
    fn path(&self) -> &Path {
        self.file.path()
    }
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
