//! Blob folders, and a disk for them that fails the calls that it is told to.

use super::faulty::Faulty;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use warmshard_core::storage::disk::Disk;
use warmshard_core::stores::blob::BlobFolder;
use warmshard_core::{Error, Result};

pub fn on_disk(dir: &Path) -> BlobFolder {
    BlobFolder::new(Arc::new(Disk::default()), dir, dir)
}

pub fn read(folder: &BlobFolder, name: &str) -> Option<Vec<u8>> {
    let file = folder.open(name).unwrap()?;
    let mut bytes = vec![0; file.identity().unwrap().len as usize];
    assert_eq!(file.read_at(&mut bytes, 0).unwrap(), bytes.len());
    Some(bytes)
}

pub fn listing(dir: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(dir).into_iter().flatten();
    let mut names: Vec<_> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Fails calls by name, a given number of times, and notes every call.
#[derive(Default)]
pub struct Script {
    refusals: Mutex<BTreeMap<&'static str, usize>>,
    pub calls: Mutex<Vec<String>>,
}

impl Script {
    pub fn refuse(&self, what: &'static str, times: usize) {
        self.refusals.lock().unwrap().insert(what, times);
    }

    pub fn calls(&self, what: &str) -> usize {
        self.calls.lock().unwrap().iter().filter(|c| c.starts_with(what)).count()
    }

    fn strike(&self, what: &'static str, path: &Path) -> Result<()> {
        self.calls.lock().unwrap().push(format!("{what} {}", path.display()));
        let mut refusals = self.refusals.lock().unwrap();
        match refusals.get_mut(what) {
            Some(left) if *left > 0 => {
                *left -= 1;
                Err(Error::io(what, path, std::io::ErrorKind::StorageFull.into()))
            }
            _ => Ok(()),
        }
    }
}

pub fn scripted(dir: &Path) -> (Arc<Script>, BlobFolder) {
    let script = Arc::new(Script::default());
    let strike = Arc::clone(&script);
    let storage = Faulty::new(Disk::default(), move |what, path| strike.strike(what, path));
    (script, BlobFolder::new(storage, dir, &dir.join("temporary")))
}
