//! Names of payload files: made from keys, and parsed.
//!
//! An output is `{stem}_{index}`, a pack `{stem}.pack`. The stem is the key itself if it is plain enough to be
//! part of a file name, otherwise `~` and a digest of it: a key is never used as a path. Each file contains
//! its key.

use crate::error::{Error, Result};
use crate::key;

/// Longest key that is used in a file name as it is, in bytes.
const MAX_PLAIN: usize = 180;
const PACK: &str = ".pack";

/// One payload file of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// One output.
    Output(u32),
    /// All outputs.
    Pack,
}

/// Checks a key.
///
/// # Errors
/// `InvalidKey` if it is empty or too long.
pub fn check(key: &str) -> Result<()> {
    key::stored(key.as_bytes(), None).map(drop)
}

/// The part of the file names that stands for the key.
#[must_use]
pub fn stem(key: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
    // The index sweeps files with this prefix.
    let taken = key.starts_with('.') || key.starts_with("index.shard.tmp.");
    if key.len() <= MAX_PLAIN && !taken && !key.is_empty() && key.bytes().all(plain) {
        return key.into();
    }
    format!("~{}", blake3::hash(key.as_bytes()).to_hex())
}

/// The name of a file.
#[must_use]
pub fn file(stem: &str, part: Part) -> String {
    match part {
        Part::Output(index) => format!("{stem}_{index}"),
        Part::Pack => format!("{stem}{PACK}"),
    }
}

/// Stem and part of a file's name; `None` if the name is not that of a payload.
#[must_use]
pub fn parse(name: &str) -> Option<(&str, Part)> {
    if name.starts_with('.') {
        return None;
    }
    let (stem, part) = match name.strip_suffix(PACK) {
        Some(stem) => (stem, Part::Pack),
        None => {
            let (stem, digits) = name.rsplit_once('_')?;
            let index: u32 = digits.parse().ok()?;
            // `07` and `+7` parse as 7, too, but are other names.
            (stem, Part::Output(index).same_digits(digits)?)
        }
    };
    (!stem.is_empty()).then_some((stem, part))
}

impl Part {
    fn same_digits(self, digits: &str) -> Option<Self> {
        matches!(self, Part::Output(index) if index.to_string() == digits).then_some(self)
    }
}

/// Checks the name of a namespace: a folder below the store's.
///
/// # Errors
/// `InvalidArg` for anything but 1 to 64 of `a-z`, `0-9` and `-`.
pub fn check_namespace(name: &str) -> Result<()> {
    let good = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if name.is_empty() || name.len() > 64 || !name.bytes().all(good) {
        return Err(Error::InvalidArg(format!("namespace must be 1 to 64 of a-z, 0-9 and -, not {name:?}")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_never_a_path() {
        for key in [
            "../../etc/passwd",
            "/abs",
            "a/b",
            "..",
            ".",
            ".hidden",
            "nul\0",
            "ä",
            "a b",
            "~x",
            "index.shard.tmp.1.2.abcdef01",
            &"x".repeat(181),
        ] {
            let stem = stem(key);
            assert!(stem.starts_with('~') && stem.len() == 65, "{key:?} {stem}");
            assert_eq!(parse(&file(&stem, Part::Pack)), Some((stem.as_str(), Part::Pack)));
        }
        assert_eq!(stem("abc_0.o-1"), "abc_0.o-1");
    }

    #[test]
    fn two_keys_never_share_a_file() {
        let keys = ["a", "a_0", "a_0_0", "a.pack", "a_1", "a.pack_0", "a_", "index.shard"];
        let mut seen = std::collections::HashMap::new();
        for key in keys {
            for part in [Part::Output(0), Part::Output(1), Part::Output(10), Part::Pack] {
                let name = file(&stem(key), part);
                assert_eq!(parse(&name), Some((key, part)), "{name}");
                assert!(seen.insert(name.clone(), key).is_none(), "{name}");
            }
        }
    }

    #[test]
    fn other_files_are_left_alone() {
        for name in [
            "index.shard",
            "index.shard.lock",
            "tmp",
            "a_07",
            "a_+7",
            "_0",
            ".pack",
            ".x.pack",
            "a_99999999999",
        ] {
            assert_eq!(parse(name), None, "{name}");
        }
        assert!(check_namespace("release-2").is_ok());
        for name in ["", "A", "a/b", "..", "a_b", &"x".repeat(65)] {
            assert!(check_namespace(name).is_err(), "{name}");
        }
    }
}
