//! Facts: what must still be true of the file system for a recorded answer to be valid.
//!
//! Node.js finds a module by trying one path after the other. A recorded answer is valid as long as the same search
//! would have the same result: what was absent is absent, the manifests that had a say are the same, the file exists.

use super::hashing::ByPath;
use super::place::Place;
use super::search::Manifest;
use super::stamp::{Look, STAMP_LEN, Stamp, take};
use crate::limits::{MAX_FACTS, MAX_KNOWN_FOLDERS};
use rustix::fs::FileType;

const NO_FOLDER: u8 = 1;
const NO_FILE: u8 = 2;
const NO_MANIFEST: u8 = 3;
const MANIFEST: u8 = 4;

/// One fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fact<'a> {
    /// There is no folder at this path.
    NoFolder(Place<'a>),
    /// There is no regular file at this path.
    NoFile(Place<'a>),
    /// There is no manifest (a `package.json`, a `tsconfig.json`) at this path.
    NoManifest(Place<'a>),
    /// There is a manifest in this state.
    Manifest(Place<'a>, Stamp),
}

impl<'a> Fact<'a> {
    /// The present fact about a path, stored relative to a folder. `kind` is `d` if no folder is expected, `f` if no
    /// file is expected, `m` for a manifest, present or not. `None` if a folder or file is there, or if the path
    /// cannot be stored or read.
    #[must_use]
    pub fn today(kind: u8, folder: &[u8], path: &'a [u8], today: &mut Today) -> Option<Self> {
        let place = Place::of(folder, path)?;
        match kind {
            b'd' => (today.kind(path) != Some(FileType::Directory)).then_some(Fact::NoFolder(place)),
            b'f' => (today.kind(path) != Some(FileType::RegularFile)).then_some(Fact::NoFile(place)),
            b'm' if today.kind(path) == Some(FileType::RegularFile) => {
                Some(Fact::Manifest(place, today.stamp(path)?))
            }
            b'm' => Some(Fact::NoManifest(place)),
            _ => None,
        }
    }

    /// Appends the encoded fact.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let (kind, place) = match self {
            Fact::NoFolder(place) => (NO_FOLDER, place),
            Fact::NoFile(place) => (NO_FILE, place),
            Fact::NoManifest(place) => (NO_MANIFEST, place),
            Fact::Manifest(place, _) => (MANIFEST, place),
        };
        out.push(kind);
        place.encode(out);
        if let Fact::Manifest(_, stamp) = self {
            out.extend_from_slice(&stamp.encode());
        }
    }

    fn decode(from: &mut &'a [u8]) -> Option<Self> {
        let [kind] = take(from)?;
        let place = Place::decode(from)?;
        Some(match kind {
            NO_FOLDER => Fact::NoFolder(place),
            NO_FILE => Fact::NoFile(place),
            NO_MANIFEST => Fact::NoManifest(place),
            MANIFEST => Fact::Manifest(place, Stamp::decode(&take::<STAMP_LEN>(from)?)),
            _ => return None,
        })
    }
}

/// What the file system contains, remembered while facts are recorded, because many facts are about the same few paths.
#[derive(Debug, Default)]
pub struct Today {
    kinds: ByPath<Option<FileType>>,
    stamps: ByPath<Option<Stamp>>,
    manifests: ByPath<Option<Manifest>>,
}

impl Today {
    /// What is at a path, links followed; `None` if there is nothing.
    pub fn kind(&mut self, path: &[u8]) -> Option<FileType> {
        if let Some(kind) = self.kinds.get(path) {
            return *kind;
        }
        let kind = Look::at(path).map(|look| look.kind);
        self.kinds.insert(path.into(), kind);
        kind
    }

    /// What a manifest says; an empty one if there is none, `None` if it is damaged.
    pub fn manifest(&mut self, path: &[u8]) -> Option<Manifest> {
        if self.kind(path) != Some(FileType::RegularFile) {
            return Some(Manifest::default());
        }
        if let Some(manifest) = self.manifests.get(path) {
            return manifest.clone();
        }
        let read = Stamp::read(path);
        let manifest = read.as_ref().and_then(|(_, text)| Manifest::of(text));
        self.stamps.insert(path.into(), read.map(|(stamp, _)| stamp));
        self.manifests.insert(path.into(), manifest.clone());
        manifest
    }

    fn stamp(&mut self, path: &[u8]) -> Option<Stamp> {
        if let Some(stamp) = self.stamps.get(path) {
            return *stamp;
        }
        let stamp = Stamp::read(path).map(|(stamp, _)| stamp);
        self.stamps.insert(path.into(), stamp);
        stamp
    }
}

/// What this process has found out about a manifest.
#[derive(Debug, Clone, Copy)]
struct Known {
    look: Option<Look>,
    /// The last stamp that was compared by bytes, and the present stamp if the bytes were the same.
    compared: Option<(Stamp, Option<Stamp>)>,
}

/// Checks facts, and remembers what it has seen as long as Node.js does.
#[derive(Debug, Default)]
pub struct Facts {
    /// Manifests, for the life of the process: Node.js reads each one once.
    manifests: ByPath<Known>,
    /// Whether a folder is absent, until `settle`.
    absent: ByPath<bool>,
    path: Vec<u8>,
    /// The last facts about nothing but manifests that were true, and the folder that they are relative to. They stay
    /// true as long as the manifests are remembered, and most modules of a folder have the same ones.
    held: (Vec<u8>, Vec<u8>),
    /// Whether the facts checked last contain a manifest that has other times but the same bytes, so that the entry
    /// should get the present stamp.
    touched: bool,
}

impl Facts {
    /// Whether all encoded facts are true, relative to a folder. False if the bytes are damaged.
    pub fn hold(&mut self, bytes: &[u8], folder: &[u8]) -> bool {
        self.touched = false;
        if bytes.is_empty() || (bytes == self.held.0 && folder == self.held.1) {
            return true;
        }
        let mut lasting = true;
        let mut at = bytes;
        for _ in 0..MAX_FACTS {
            if at.is_empty() {
                if lasting && !self.touched {
                    let (held, above) = &mut self.held;
                    held.clear();
                    held.extend_from_slice(bytes);
                    above.clear();
                    above.extend_from_slice(folder);
                }
                return true;
            }
            match Fact::decode(&mut at) {
                Some(fact) if self.holds(fact, folder) == Some(true) => {
                    lasting &= matches!(fact, Fact::NoManifest(_) | Fact::Manifest(..));
                }
                _ => return false,
            }
        }
        false
    }

    /// The facts for which `hold` has just returned true, with the present stamps of their manifests. `None` if they
    /// have these already.
    pub fn restamped(&mut self, bytes: &[u8], folder: &[u8]) -> Option<Vec<u8>> {
        if !self.touched {
            return None;
        }
        let (mut at, mut out) = (bytes, Vec::with_capacity(bytes.len()));
        while !at.is_empty() {
            let mut fact = Fact::decode(&mut at)?;
            if let Fact::Manifest(place, stamp) = &mut fact {
                place.write(folder, &mut self.path)?;
                match self.manifest().compared {
                    Some((compared, Some(today))) if compared == *stamp && !today.is_racy() => *stamp = today,
                    _ => {}
                }
            }
            fact.encode(&mut out);
        }
        Some(out)
    }

    /// Forgets which folders are absent.
    pub fn settle(&mut self) {
        self.absent.clear();
    }

    fn holds(&mut self, fact: Fact<'_>, folder: &[u8]) -> Option<bool> {
        let (Fact::NoFolder(place)
        | Fact::NoFile(place)
        | Fact::NoManifest(place)
        | Fact::Manifest(place, _)) = fact;
        place.write(folder, &mut self.path)?;
        Some(match fact {
            Fact::NoFolder(_) => self.no_folder(),
            Fact::NoFile(_) => !Look::at(&self.path).is_some_and(|l| l.is_file()),
            Fact::NoManifest(_) => !self.manifest().look.is_some_and(|l| l.is_file()),
            Fact::Manifest(_, stamp) => self.manifest_is(stamp),
        })
    }

    fn no_folder(&mut self) -> bool {
        if let Some(absent) = self.absent.get(self.path.as_slice()) {
            return *absent;
        }
        let absent = Look::at(&self.path).is_none_or(|l| l.kind != FileType::Directory);
        if self.absent.len() < MAX_KNOWN_FOLDERS {
            self.absent.insert(self.path.as_slice().into(), absent);
        }
        absent
    }

    fn manifest(&mut self) -> Known {
        if let Some(known) = self.manifests.get(self.path.as_slice()) {
            return *known;
        }
        if self.manifests.len() >= MAX_KNOWN_FOLDERS {
            self.manifests.clear();
            self.held = Default::default();
        }
        let known = Known { look: Look::at(&self.path), compared: None };
        self.manifests.insert(self.path.as_slice().into(), known);
        known
    }

    fn manifest_is(&mut self, stamp: Stamp) -> bool {
        let known = self.manifest();
        let Some(look) = known.look else { return false };
        if stamp.is_untouched(&look) {
            return true;
        }
        let today = match known.compared {
            Some((compared, today)) if compared == stamp => today,
            _ => stamp.same_bytes(&self.path, &look),
        };
        if let Some(known) = self.manifests.get_mut(self.path.as_slice()) {
            known.compared = Some((stamp, today));
        }
        self.touched |= today.is_some_and(|today| !today.is_racy());
        today.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The encoded present facts about paths, relative to a folder.
    fn facts(folder: &str, facts: &[(u8, String)]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (kind, path) in facts {
            Fact::today(*kind, folder.as_bytes(), path.as_bytes(), &mut Today::default())
                .unwrap()
                .encode(&mut bytes);
        }
        bytes
    }

    #[test]
    fn what_holds_for_one_folder_is_checked_again_for_another() {
        let root = tempfile::tempdir().unwrap();
        let [one, other] = ["one", "other"].map(|name| format!("{}/{name}", root.path().display()));
        for folder in [&one, &other] {
            std::fs::create_dir(folder).unwrap();
        }
        std::fs::write(format!("{other}/package.json"), "{}").unwrap();
        let bytes = facts(&one, &[(b'm', format!("{one}/package.json"))]);
        let mut known = Facts::default();
        for _ in 0..2 {
            assert!(known.hold(&bytes, one.as_bytes()));
            assert!(!known.hold(&bytes, other.as_bytes()));
        }
    }

    #[test]
    fn only_manifests_are_remembered_for_good() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().display().to_string();
        let (file, manifest) = (format!("{folder}/absent.js"), format!("{folder}/package.json"));
        let bytes = facts(&folder, &[(b'm', manifest), (b'f', file.clone())]);
        let mut known = Facts::default();
        assert!(known.hold(&bytes, folder.as_bytes()));
        std::fs::write(file, "").unwrap();
        assert!(!known.hold(&bytes, folder.as_bytes()));
    }
}
