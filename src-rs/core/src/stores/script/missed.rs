//! The sources whose look-up was a miss, in the state that they had then.

use super::paths::{HashedMap, SourceDigest};
use super::source::FileState;
use crate::key;
use crate::limits::MAX_MISSED_SOURCES;
use std::ffi::CStr;

/// The state of a source when its look-up missed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Miss {
    pub state: FileState,
    /// Whether the source could have changed after this without a change of `state`.
    pub racy: bool,
    /// Digest of its content, if that was read.
    pub digest: Option<SourceDigest>,
}

/// The misses, by the name that the caller used. A name that leads to another file by now shows in the
/// state.
#[derive(Debug, Default)]
pub(super) struct Missed {
    misses: HashedMap<(Box<[u8]>, Miss)>,
}

impl Missed {
    #[cold]
    pub fn remember(&mut self, source: &CStr, miss: Miss) {
        if self.misses.len() >= MAX_MISSED_SOURCES {
            self.misses.clear();
        }
        let name = source.to_bytes();
        self.misses.insert(key::hash(name, 0), (name.into(), miss));
    }

    pub fn get(&self, source: &CStr) -> Option<Miss> {
        let name = source.to_bytes();
        let (known, miss) = self.misses.get(&key::hash(name, 0))?;
        (**known == *name).then_some(*miss)
    }

    #[inline(always)]
    pub fn forget(&mut self, source: &CStr) {
        if !self.misses.is_empty() {
            self.misses.remove(&key::hash(source.to_bytes(), 0));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::CString;
    use std::os::unix::ffi::OsStrExt;

    #[test]
    fn misses_are_remembered_by_name_and_bounded() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let path = CString::new(file.path().as_os_str().as_bytes()).unwrap();
        let miss = Miss { state: FileState::of(&path).unwrap(), racy: false, digest: None };
        let name = |i: usize| CString::new(format!("/{i}")).unwrap();
        let mut missed = Missed::default();
        for i in 0..MAX_MISSED_SOURCES {
            missed.remember(&name(i), miss);
        }
        assert!(missed.get(&name(0)).is_some() && missed.get(&name(MAX_MISSED_SOURCES)).is_none());
        missed.forget(&name(0));
        assert!(missed.get(&name(0)).is_none() && missed.get(&name(1)).is_some());
        missed.remember(&name(0), miss);
        missed.remember(&name(MAX_MISSED_SOURCES), miss);
        assert_eq!(missed.misses.len(), 1);
        assert!(missed.get(&name(MAX_MISSED_SOURCES)).is_some());
    }
}
