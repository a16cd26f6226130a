//! From the name of a source to its canonical path, with one system call if the name is known.
//!
//! A name's canonical path is remembered together with device, inode and ctime of the file. While a
//! stat of the name gives the same three, it leads to the same file under the same names, because a rename
//! or a new link of the file changes its ctime. Not remembered is
//! - a file touched within the clock's granularity: its inode may belong to another file before the clock
//!   ticks;
//! - a file with several names that was reached through a symbolic link: the link may be switched to
//!   another name of the file (in releases that share files, for example), which leaves no trace in the inode.
//!
//! One case remains undetected: a folder is renamed, and a symbolic link to it is changed accordingly. Then
//! the file, which is still the same, keeps its first canonical path for the life of the process.

use super::source::FileState;
use crate::clock::now_ns;
use crate::key;
use crate::limits::{MAX_KEY_BYTES, MAX_KNOWN_SOURCES};
use crate::state::source_digest_of;
use crate::validator::SOURCE_DIGEST_LEN;
use std::collections::HashMap;
use std::ffi::{CStr, CString, OsStr};
use std::hash::{BuildHasherDefault, Hasher};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;

/// XXH3-128 of a source's content.
pub(super) type SourceDigest = [u8; SOURCE_DIGEST_LEN];

/// A map whose keys are hashes already.
pub(super) type HashedMap<V> = HashMap<u64, V, BuildHasherDefault<Identity>>;

/// A hasher that uses a `u64` as its own hash.
#[derive(Default)]
pub(super) struct Identity(u64);

impl Hasher for Identity {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0 << 8 | u64::from(*byte);
        }
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

/// A source that was found.
#[derive(Debug, Clone, Copy)]
pub(super) struct Found<'a> {
    pub canonical: &'a [u8],
    pub state: FileState,
    /// Digest of its content, if entries are validated by content.
    pub digest: Option<SourceDigest>,
}

#[derive(Debug)]
struct Known {
    name: Box<[u8]>,
    /// `None` if it is the name itself.
    canonical: Option<Box<[u8]>>,
    state: FileState,
    digest: Option<SourceDigest>,
}

/// The names that are known.
#[derive(Debug)]
pub(super) struct Paths {
    digests: bool,
    known: HashedMap<Known>,
    /// The source found last, if it must not be remembered.
    passing: Option<Known>,
    /// Buffers for the absolute form of a relative name, and for the working folder.
    absolute: Vec<u8>,
    folder: Vec<u8>,
}

impl Paths {
    /// With `digests`, sources are read and digested when they are first seen, and when they change.
    pub fn new(digests: bool) -> Self {
        Paths {
            digests,
            known: HashedMap::default(),
            passing: None,
            absolute: Vec::new(),
            folder: Vec::new(),
        }
    }

    /// Finds a source. `None` if it is not a regular file, or if its path cannot be a key.
    #[inline(always)]
    pub fn find(&mut self, source: &CStr) -> Option<Found<'_>> {
        let state = FileState::of(source)?;
        let name = if source.to_bytes().first() == Some(&b'/') {
            source.to_bytes()
        } else {
            join(&mut self.absolute, &mut self.folder, source.to_bytes())?
        };
        let hash = key::hash(name, 0);
        let is_known =
            self.known.get(&hash).is_some_and(|k| k.state.same_untouched(&state) && *k.name == *name);
        let remembered = is_known || {
            let learnt = learn(name, &state, self.digests)?;
            let remembered = learnt.1;
            if remembered {
                if self.known.len() >= MAX_KNOWN_SOURCES {
                    self.known.clear();
                }
                self.known.insert(hash, learnt.0);
            } else {
                self.known.remove(&hash);
                self.passing = Some(learnt.0);
            }
            remembered
        };
        let it = if remembered { self.known.get(&hash) } else { self.passing.as_ref() }?;
        // For a known file, the state just seen; else the state that was read with the canonical path.
        let state = if is_known { state } else { it.state };
        Some(Found { canonical: it.canonical.as_deref().unwrap_or(&it.name), state, digest: it.digest })
    }
}

/// The absolute form of a relative name, whose meaning depends on the working folder.
fn join<'a>(absolute: &'a mut Vec<u8>, folder: &mut Vec<u8>, name: &[u8]) -> Option<&'a [u8]> {
    let cwd = rustix::process::getcwd(std::mem::take(folder)).ok()?;
    absolute.clear();
    absolute.extend_from_slice(cwd.as_bytes());
    absolute.push(b'/');
    absolute.extend_from_slice(name);
    *folder = cwd.into_bytes();
    Some(absolute)
}

/// Determines a name's canonical path, and whether it may be remembered.
#[cold]
fn learn(name: &[u8], seen: &FileState, digests: bool) -> Option<(Known, bool)> {
    let (canonical, state, now) = canonicalize(name)?;
    let path = canonical.as_deref().unwrap_or(name);
    std::str::from_utf8(path).ok().filter(|path| path.len() <= MAX_KEY_BYTES.saturating_sub(2))?;
    let digest = if digests { Some(source_digest_of(Path::new(OsStr::from_bytes(path)))?) } else { None };
    let remembered =
        state.same_untouched(seen) && state.is_settled(now) && (canonical.is_none() || state.has_one_name());
    let known = Known { name: name.into(), canonical: canonical.map(Vec::into_boxed_slice), state, digest };
    Some((known, remembered))
}

/// The canonical path of an absolute name, unless it is the name itself; the state of the file at that
/// path; and a time shortly before that state was read.
fn canonicalize(name: &[u8]) -> Option<(Option<Vec<u8>>, FileState, u64)> {
    let now = now_ns();
    // Most names are canonical already, and checking this costs half as much.
    if is_normal(name)
        && let Some(state) = FileState::of_linkless(&CString::new(name).ok()?)
    {
        return Some((None, state, now));
    }
    let path = std::fs::canonicalize(Path::new(OsStr::from_bytes(name))).ok()?;
    let canonical = CString::new(path.into_os_string().into_vec()).ok()?;
    let now = now_ns();
    let state = FileState::of(&canonical)?;
    let canonical = canonical.into_bytes();
    Some(((*canonical != *name).then_some(canonical), state, now))
}

/// Whether an absolute name has no empty, `.` or `..` component. It may still contain links.
fn is_normal(name: &[u8]) -> bool {
    let parts = name.split(|byte| *byte == b'/');
    name.first() == Some(&b'/') && parts.skip(1).all(|part| !matches!(part, b"" | b"." | b".."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_without_empty_and_dot_components_are_normal() {
        for name in ["/a", "/a/b.js", "/a/..b/...", "/.a/b."] {
            assert!(is_normal(name.as_bytes()), "{name}");
        }
        for name in ["", "a", "./a", "/", "/a/", "//a", "/a//b", "/a/./b", "/a/../b", "/a/.", "/a/.."] {
            assert!(!is_normal(name.as_bytes()), "{name}");
        }
    }
}
