//! What a power cut may leave: computes from the log of a disk the states that it may be in at a moment.
//!
//! Only synced bytes of a file, and names at the last sync of the folder, are certain. Each later change may
//! have reached the disk or not, independently of the others: in any order, torn at sectors or pages, the new
//! length before the bytes or the bytes before the length.

use super::Random;
use super::platter::Image;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// One change of the disk.
#[derive(Debug, Clone)]
pub enum Change {
    Create(PathBuf, u64),
    Rename(PathBuf, PathBuf),
    Remove(PathBuf),
    SyncNames,
    Write(u64, u64, Vec<u8>),
    SetLen(u64, u64),
    Sync(u64),
    FailedSync(u64),
}

/// The initial files, and every change since then with its time.
#[derive(Debug, Clone, Default)]
pub struct Log {
    start: Vec<(PathBuf, u64, Vec<u8>)>,
    pub changes: Vec<(u64, Change)>,
}

impl Log {
    pub fn there(&mut self, path: PathBuf, inode: u64, bytes: Vec<u8>) {
        self.start.push((path, inode, bytes));
    }

    pub fn note(&mut self, time: u64, change: Change) {
        self.changes.push((time, change));
    }
}

#[derive(Debug, Clone, Default)]
struct Content {
    synced: Vec<u8>,
    pending: Vec<Piece>,
    /// Whether this is a sidecar, whose contents mean nothing in another boot.
    page: bool,
}

#[derive(Debug, Clone)]
enum Piece {
    Bytes(usize, Vec<u8>),
    Len(usize),
}

/// The disk at one moment of its log: what is certainly there, and what may be.
#[derive(Debug, Clone, Default)]
pub struct Moment {
    names: BTreeMap<PathBuf, u64>,
    pending_names: Vec<Change>,
    files: BTreeMap<u64, Content>,
}

/// How much of what was not synced is there.
#[derive(Debug, Clone, Copy)]
pub enum Mode {
    Nothing,
    All,
    /// The new length, with zeros instead of the bytes.
    LengthOnly,
    /// The bytes, with the old length.
    BytesOnly,
    /// Of one file, the first pieces (inode, number).
    First(u64, usize),
    /// Of one file, all pieces but this one.
    Without(u64, usize),
    /// Of one file, only this piece.
    Only(u64, usize),
    /// As `First`, and of the next piece the part before this offset in the file (`true`) or after it.
    Torn(u64, usize, usize, bool),
    /// Each sector at random (seed, size of a sector).
    Sectors(u64, usize),
    /// The same, with random bytes in the missing sectors.
    Rubbish(u64, usize),
}

/// One state: which changes of names are there, and which bytes.
#[derive(Debug, Clone)]
pub struct Variant {
    pub names: Vec<bool>,
    pub mode: Mode,
}

impl Moment {
    pub fn start(log: &Log) -> Self {
        let mut it = Moment::default();
        for (path, inode, bytes) in &log.start {
            it.names.insert(path.clone(), *inode);
            let page = is_page(path);
            it.files.insert(*inode, Content { synced: bytes.clone(), pending: Vec::new(), page });
        }
        it
    }

    /// Whether a cut before this change can leave a state that a cut before the next change cannot.
    pub fn is_worth_a_cut(&self, change: &Change) -> bool {
        match change {
            Change::Write(inode, ..) | Change::SetLen(inode, _) => !self.files[inode].page,
            _ => true,
        }
    }

    pub fn go_on(&mut self, change: &Change) {
        match change {
            Change::Create(path, inode) => {
                self.files.insert(*inode, Content { page: is_page(path), ..Content::default() });
                self.pending_names.push(change.clone());
            }
            Change::Rename(..) | Change::Remove(_) => self.pending_names.push(change.clone()),
            Change::SyncNames => {
                let all = vec![true; self.pending_names.len()];
                self.names = self.names_after(&all);
                self.pending_names.clear();
            }
            Change::Write(inode, at, bytes) => {
                self.file(*inode).pending.push(Piece::Bytes(*at as usize, bytes.clone()));
            }
            Change::SetLen(inode, len) => self.file(*inode).pending.push(Piece::Len(*len as usize)),
            Change::Sync(inode) => {
                let file = self.file(*inode);
                file.synced = file.after(|_| true);
                file.pending.clear();
            }
            // The worst case: the bytes are gone, and no later sync writes them.
            Change::FailedSync(inode) => self.file(*inode).pending.clear(),
        }
    }

    fn file(&mut self, inode: u64) -> &mut Content {
        self.files.get_mut(&inode).unwrap()
    }

    fn names_after(&self, kept: &[bool]) -> BTreeMap<PathBuf, u64> {
        let mut names = self.names.clone();
        for (change, _) in self.pending_names.iter().zip(kept).filter(|(_, kept)| **kept) {
            match change {
                Change::Create(path, inode) => drop(names.insert(path.clone(), *inode)),
                Change::Remove(path) => drop(names.remove(path)),
                Change::Rename(from, to) => {
                    if let Some(inode) = names.remove(from).or_else(|| self.inode_of(from)) {
                        names.insert(to.clone(), inode);
                    }
                }
                _ => {}
            }
        }
        names
    }

    /// The file that was created under a name since the last sync of the folder.
    fn inode_of(&self, path: &PathBuf) -> Option<u64> {
        self.pending_names.iter().rev().find_map(|change| match change {
            Change::Create(made, inode) if made == path => Some(*inode),
            _ => None,
        })
    }

    /// All systematic states, and some random ones.
    pub fn variants(&self, random: &mut Random) -> Vec<Variant> {
        let count = self.pending_names.len();
        let up_to = |n: usize| (0..count).map(|i| i < n).collect::<Vec<_>>();
        let mut out = Vec::new();
        for names in (0..=count).map(up_to) {
            for mode in [Mode::Nothing, Mode::All, Mode::LengthOnly, Mode::BytesOnly] {
                out.push(Variant { names: names.clone(), mode });
            }
        }
        let with = |mode| Variant { names: up_to(count), mode };
        for (inode, file) in self.files.iter().filter(|(_, file)| !file.page) {
            for (k, piece) in file.pending.iter().enumerate() {
                out.extend([Mode::First(*inode, k), Mode::Without(*inode, k)].map(with));
                out.push(with(Mode::Only(*inode, k)));
                let Piece::Bytes(at, bytes) = piece else { continue };
                let sectors = boundaries(*at, bytes.len(), 512);
                let step = (sectors.len() / 8).max(1);
                let mut places: Vec<usize> = sectors.into_iter().step_by(step).collect();
                places.extend(boundaries(*at, bytes.len(), 4096).into_iter().take(4));
                for place in places {
                    out.extend([true, false].map(|front| with(Mode::Torn(*inode, k, place, front))));
                }
            }
        }
        for _ in 0..6 {
            let names = (0..count).map(|_| !random.one_in(3)).collect();
            let (seed, size) = (random.next(1 << 30), if random.one_in(2) { 512 } else { 4096 });
            let mode = if random.one_in(3) { Mode::Rubbish(seed, size) } else { Mode::Sectors(seed, size) };
            out.push(Variant { names, mode });
        }
        out
    }

    /// The files of a state.
    pub fn image(&self, variant: &Variant) -> Image {
        let names = self.names_after(&variant.names);
        names.into_iter().map(|(path, inode)| (path, self.files[&inode].left(inode, variant.mode))).collect()
    }
}

impl Content {
    fn after(&self, keep: impl Fn(usize) -> bool) -> Vec<u8> {
        let mut bytes = self.synced.clone();
        for (_, piece) in self.pending.iter().enumerate().filter(|(k, _)| keep(*k)) {
            put(&mut bytes, piece);
        }
        bytes
    }

    fn left(&self, inode: u64, mode: Mode) -> Vec<u8> {
        let all = self.after(|_| true);
        match mode {
            Mode::Nothing => self.synced.clone(),
            Mode::LengthOnly => {
                let mut bytes = self.synced.clone();
                bytes.resize(all.len(), 0);
                bytes
            }
            Mode::BytesOnly => {
                let mut bytes = all;
                bytes.resize(self.synced.len(), 0);
                bytes
            }
            Mode::First(of, n) if of == inode => self.after(|k| k < n),
            Mode::Without(of, n) if of == inode => self.after(|k| k != n),
            Mode::Only(of, n) if of == inode => self.after(|k| k == n),
            Mode::Torn(of, n, place, front) if of == inode => self.torn(n, place, front),
            Mode::Sectors(seed, size) => self.by_chance(Random::new(seed ^ inode), size, false),
            Mode::Rubbish(seed, size) => self.by_chance(Random::new(seed ^ inode), size, true),
            _ => all,
        }
    }

    fn torn(&self, n: usize, place: usize, front: bool) -> Vec<u8> {
        let mut bytes = self.after(|k| k < n);
        let Piece::Bytes(at, piece) = &self.pending[n] else { return bytes };
        let cut = place - at;
        let (from, part) = if front { (*at, &piece[..cut]) } else { (place, &piece[cut..]) };
        put(&mut bytes, &Piece::Bytes(from, part.to_vec()));
        bytes
    }

    fn by_chance(&self, mut random: Random, size: usize, rubbish: bool) -> Vec<u8> {
        let mut bytes = self.synced.clone();
        for piece in &self.pending {
            let Piece::Bytes(at, new) = piece else {
                if random.one_in(2) {
                    put(&mut bytes, piece);
                }
                continue;
            };
            let mut from = *at;
            for to in boundaries(*at, new.len(), size).into_iter().chain([at + new.len()]) {
                let mut part = new[from - at..to - at].to_vec();
                let kept = !random.one_in(3);
                if !kept && rubbish {
                    part.iter_mut().for_each(|byte| *byte = random.next(256) as u8);
                }
                // A sector that was synced before contains either the old bytes or the new ones.
                if kept || (rubbish && from >= self.synced.len()) {
                    put(&mut bytes, &Piece::Bytes(from, part));
                }
                from = to;
            }
        }
        bytes
    }
}

fn put(bytes: &mut Vec<u8>, piece: &Piece) {
    match piece {
        Piece::Len(len) => bytes.resize(*len, 0),
        Piece::Bytes(at, new) => {
            bytes.resize(bytes.len().max(at + new.len()), 0);
            bytes[*at..at + new.len()].copy_from_slice(new);
        }
    }
}

/// Multiples of a size within a range, without its ends.
fn boundaries(at: usize, len: usize, size: usize) -> Vec<usize> {
    ((at / size + 1) * size..at + len).step_by(size).collect()
}

fn is_page(path: &std::path::Path) -> bool {
    path.extension().is_some_and(|e| e == "lock")
}
