//! The contents of a simulated disk: files by name, and a log of all changes.

use super::cut::{Change, Log};
use std::collections::BTreeMap;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use warmshard_core::storage::Identity;

/// Files by path, with their bytes.
pub type Image = BTreeMap<PathBuf, Vec<u8>>;

pub enum Bytes {
    Heap(Vec<u8>),
    /// A file without a name on the real disk, which can be mapped.
    Real(std::fs::File),
}

pub struct Inode {
    pub bytes: Bytes,
    pub named: bool,
    pub locked_by: u64,
}

#[derive(Default)]
pub struct Platter {
    pub inodes: BTreeMap<u64, Inode>,
    pub names: BTreeMap<PathBuf, u64>,
    pub next: u64,
    pub boot: u64,
    /// By how much the clock of all processes is put forward.
    pub ahead_ms: u64,
    pub real: bool,
    pub log: Log,
    /// Increased by each call of any process.
    pub time: u64,
    /// Bytes read by all processes.
    pub read: u64,
    /// Whether changes are not logged, because the power will not be cut.
    pub unlogged: bool,
}

impl Inode {
    pub fn len(&self) -> u64 {
        match &self.bytes {
            Bytes::Heap(bytes) => bytes.len() as u64,
            Bytes::Real(file) => file.metadata().unwrap().len(),
        }
    }

    pub fn all(&self) -> Vec<u8> {
        let mut out = vec![0; self.len() as usize];
        self.read(&mut out, 0);
        out
    }

    pub fn read(&self, to: &mut [u8], at: u64) -> usize {
        let n = (to.len() as u64).min(self.len().saturating_sub(at)) as usize;
        match &self.bytes {
            Bytes::Heap(bytes) if n > 0 => to[..n].copy_from_slice(&bytes[at as usize..][..n]),
            Bytes::Heap(_) => {}
            Bytes::Real(file) => file.read_exact_at(&mut to[..n], at).unwrap(),
        }
        n
    }

    pub fn write(&mut self, new: &[u8], at: u64) {
        match &mut self.bytes {
            Bytes::Heap(bytes) => {
                let end = at as usize + new.len();
                if bytes.len() < end {
                    bytes.resize(end, 0);
                }
                bytes[at as usize..end].copy_from_slice(new);
            }
            Bytes::Real(file) => file.write_all_at(new, at).unwrap(),
        }
    }

    pub fn set_len(&mut self, len: u64) {
        match &mut self.bytes {
            Bytes::Heap(bytes) => bytes.resize(len as usize, 0),
            Bytes::Real(file) => file.set_len(len).unwrap(),
        }
    }
}

impl Platter {
    pub fn make(&mut self, bytes: &[u8]) -> u64 {
        self.next += 1;
        let mut inode = Inode { bytes: Bytes::Heap(Vec::new()), named: true, locked_by: 0 };
        if self.real {
            inode.bytes = Bytes::Real(tempfile::tempfile().unwrap());
        }
        inode.write(bytes, 0);
        self.inodes.insert(self.next, inode);
        self.next
    }

    pub fn note(&mut self, change: Change) {
        if !self.unlogged {
            self.log.note(self.time, change);
        }
    }

    pub fn identity(&self, number: u64) -> Identity {
        let inode = &self.inodes[&number];
        Identity { device: 1, inode: number, len: inode.len(), named: inode.named }
    }

    pub fn unname(&mut self, number: Option<u64>) {
        if let Some(inode) = number.and_then(|n| self.inodes.get_mut(&n)) {
            inode.named = false;
        }
    }
}
