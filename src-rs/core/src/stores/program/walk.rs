//! Canonical paths, determined folder by folder. Folders are remembered for the life of the process, as Node.js does.

use super::hashing::ByPath;
use super::place::parent;
use super::stamp::Look;
use crate::limits::MAX_KNOWN_FOLDERS;
use rustix::fs::FileType;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;

/// See the module's head.
#[derive(Debug, Default)]
pub struct Walk {
    folders: ByPath<Box<[u8]>>,
    /// Canonical paths of files that are there, until `settle`: Node.js remembers them for as long.
    files: ByPath<Box<[u8]>>,
}

impl Walk {
    /// Forgets the canonical paths of files.
    pub fn settle(&mut self) {
        self.files.clear();
    }

    /// The canonical path of a file, and the state of the file if it was read just now.
    pub fn known_file(&mut self, path: &[u8]) -> Option<(Vec<u8>, Option<Look>)> {
        if let Some(real) = self.files.get(path) {
            return Some((real.to_vec(), None));
        }
        let (real, look) = self.file(path)?;
        if self.files.len() < MAX_KNOWN_FOLDERS {
            self.files.insert(path.into(), real.as_slice().into());
        }
        Some((real, Some(look)))
    }

    /// The canonical path of a file, and the state of the file. `None` if there is no regular file.
    pub fn file(&mut self, path: &[u8]) -> Option<(Vec<u8>, Look)> {
        let folder = parent(path);
        let name = path.get(folder.len()..)?;
        let mut real = self.folder(folder)?.to_vec();
        real.extend_from_slice(name);
        let look = Look::at_link(&real)?;
        if look.kind != FileType::Symlink {
            return look.is_file().then_some((real, look));
        }
        let real = resolve(&real)?;
        let look = Look::at_link(&real)?;
        look.is_file().then_some((real, look))
    }

    /// The canonical path of a folder; empty for the root.
    pub fn folder(&mut self, path: &[u8]) -> Option<&[u8]> {
        if path.is_empty() {
            return Some(&[]);
        }
        if !self.folders.contains_key(path) {
            let above = parent(path);
            let name = path.get(above.len()..)?;
            let mut real = self.folder(above)?.to_vec();
            real.extend_from_slice(name);
            match Look::at_link(&real)?.kind {
                FileType::Directory => {}
                FileType::Symlink => {
                    real = resolve(&real)?;
                    // The root is empty here, so that names with a leading slash can be appended.
                    if real == b"/" {
                        real.clear();
                    }
                }
                _ => return None,
            }
            if self.folders.len() >= MAX_KNOWN_FOLDERS {
                self.folders.clear();
            }
            self.folders.insert(path.into(), real.into());
        }
        self.folders.get(path).map(|real| &**real)
    }
}

fn resolve(path: &[u8]) -> Option<Vec<u8>> {
    let path = Path::new(std::ffi::OsStr::from_bytes(path));
    std::fs::canonicalize(path).ok().map(|real| real.into_os_string().into_vec())
}
