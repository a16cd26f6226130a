//! Keys: which are valid, how they are stored, and how they are hashed.
//!
//! A key is stored as the caller's UTF-8, unchanged, with two exceptions, which are marked by two
//! bytes. A key below the shard's `root` is stored without the root, behind `\0r`, so that the shard
//! can be used at another path. A key that itself begins with a zero byte is stored behind `\0l`, so
//! that it is never taken for a relative one.

use crate::error::{Error, Result};
use crate::limits::MAX_KEY_BYTES;
use std::borrow::Cow;
use xxhash_rust::xxh3::xxh3_64_with_seed;

const RELATIVE: &[u8] = b"\0r";
const LITERAL: &[u8] = b"\0l";

/// The folder that keys are stored relative to.
#[derive(Debug, Clone)]
pub struct Root(String);

impl Root {
    /// Takes a folder's absolute path, with or without a slash at its end.
    ///
    /// # Errors
    /// [`Error::InvalidArg`] for a relative path.
    pub fn new(path: &str) -> Result<Self> {
        if !path.starts_with('/') {
            return Err(Error::InvalidArg(format!("root must be an absolute path, not {path:?}")));
        }
        Ok(Root(format!("{}/", path.trim_end_matches('/'))))
    }
}

/// Whether [`stored`] without a root would accept the key and return it unchanged, as it does for nearly all keys.
#[inline(always)]
#[must_use]
pub fn is_plain(key: &[u8]) -> bool {
    key.len() <= MAX_KEY_BYTES.saturating_sub(2) && key.first().is_some_and(|first| *first != 0)
}

/// The first and the last `N` bytes of a text of `N` to `2 * N` bytes. They cover the whole text, and overlap if it is
/// shorter than `2 * N`.
#[inline(always)]
#[must_use]
pub fn ends<const N: usize>(text: &[u8]) -> Option<[&[u8; N]; 2]> {
    let ends = [text.first_chunk()?, text.last_chunk()?];
    (text.len() <= N.wrapping_mul(2)).then_some(ends)
}

#[inline(always)]
fn same_ends<const N: usize>(a: &[u8], b: &[u8]) -> Option<bool> {
    let ([a_first, a_last], [b_first, b_last]) = (ends::<N>(a)?, ends::<N>(b)?);
    // No branch between the two: a look-up waits for one of the keys to come from memory.
    Some((a_first == b_first) & (a_last == b_last))
}

/// Whether two stored keys are equal. Makes no function call for the lengths that most keys have.
#[inline(always)]
#[must_use]
pub fn same(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    // `or_else` could compile to a function call.
    match (same_ends::<32>(a, b), same_ends::<16>(a, b), same_ends::<64>(a, b)) {
        (Some(same), ..) | (_, Some(same), _) | (.., Some(same)) => same,
        _ => a == b,
    }
}

/// Like `<[u8]>::is_ascii`, without a loop for the lengths that most keys have.
#[inline(always)]
#[must_use]
pub fn is_ascii(text: &[u8]) -> bool {
    match (ends_are_ascii::<32>(text), ends_are_ascii::<16>(text), ends_are_ascii::<64>(text)) {
        (Some(ascii), ..) | (_, Some(ascii), _) | (.., Some(ascii)) => ascii,
        _ => text.is_ascii(),
    }
}

#[inline(always)]
fn ends_are_ascii<const N: usize>(text: &[u8]) -> Option<bool> {
    const HIGH: u64 = u64::from_ne_bytes([0x80; 8]);
    let [first, last] = ends::<N>(text)?;
    let words = first.as_chunks::<8>().0.iter().zip(last.as_chunks::<8>().0);
    let sum = words.fold(0, |sum, (a, b)| sum | u64::from_ne_bytes(*a) | u64::from_ne_bytes(*b));
    Some(sum & HIGH == 0)
}

/// Checks a key and returns its stored form.
///
/// # Errors
/// [`Error::InvalidKey`] if the key is empty, or longer than [`MAX_KEY_BYTES`] less the two bytes of a mark.
#[inline(always)]
pub fn stored<'a>(key: &'a [u8], root: Option<&Root>) -> Result<Cow<'a, [u8]>> {
    if key.is_empty() {
        return Err(Error::InvalidKey("is empty; give every artifact a name".into()));
    }
    // The stored form may be two bytes longer, for the mark.
    if key.len() > MAX_KEY_BYTES.saturating_sub(2) {
        return Err(Error::InvalidKey(format!(
            "is {} bytes long, more than the {} allowed; use a digest of it instead",
            // The binding does not read such a key to its end, so its length is not known.
            if key.len() > MAX_KEY_BYTES { format!("over {MAX_KEY_BYTES}") } else { key.len().to_string() },
            MAX_KEY_BYTES.saturating_sub(2)
        )));
    }
    if let Some(Root(root)) = root
        && let Some(rest) = key.strip_prefix(root.as_bytes())
    {
        return Ok(Cow::Owned([RELATIVE, rest].concat()));
    }
    if key.first() == Some(&0) {
        return Ok(Cow::Owned([LITERAL, key].concat()));
    }
    Ok(Cow::Borrowed(key))
}

/// The caller's key for a stored key. `None` if it is relative and this handle has no root, or if it
/// is not valid UTF-8.
#[must_use]
pub fn shown(stored: &[u8], root: Option<&Root>) -> Option<String> {
    if let Some(rest) = stored.strip_prefix(RELATIVE) {
        let rest = std::str::from_utf8(rest).ok()?;
        return root.map(|Root(root)| format!("{root}{rest}"));
    }
    let key = stored.strip_prefix(LITERAL).unwrap_or(stored);
    std::str::from_utf8(key).ok().map(str::to_owned)
}

/// The seeded hash under which index snapshots and the tail keep a key.
#[inline(always)]
#[must_use]
pub fn hash(stored: &[u8], seed: u64) -> u64 {
    xxh3_64_with_seed(stored, seed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stored_key_is_shown_as_it_was_given() {
        let root = Root::new("/app/").unwrap();
        for key in ["a", "/app/x", "/app/\0x", "/apple/x", "\0", "\0rx", "\0lx", "/app/"] {
            for root in [None, Some(&root)] {
                let bytes = stored(key.as_bytes(), root).unwrap();
                assert_eq!(shown(&bytes, root).as_deref(), Some(key), "{key:?} {root:?}");
            }
        }
    }

    #[test]
    fn a_plain_key_is_stored_as_it_is() {
        let long = "k".repeat(MAX_KEY_BYTES);
        for key in ["a", "/app/x", "", "\0", "\0rx", &long[..MAX_KEY_BYTES - 2], &long[..MAX_KEY_BYTES - 1]] {
            let as_it_is = stored(key.as_bytes(), None).is_ok_and(|stored| *stored == *key.as_bytes());
            assert_eq!(is_plain(key.as_bytes()), as_it_is, "{}", key.len());
        }
    }

    #[test]
    fn keys_that_differ_in_one_byte_are_not_the_same() {
        for len in 0..150usize {
            let key: Vec<u8> = (0..len).map(|i| i as u8).collect();
            assert!(same(&key, &key.clone()));
            assert!(!same(&key, &[key.as_slice(), b"x"].concat()));
            for at in 0..len {
                let mut other = key.clone();
                other[at] ^= 0x80;
                assert!(!same(&key, &other), "{at} of {len}");
            }
        }
    }

    #[test]
    fn a_key_with_one_other_byte_is_not_ascii() {
        for len in 0..150usize {
            let mut key = vec![0x7F; len];
            assert!(is_ascii(&key));
            for at in 0..len {
                key[at] = 0x80;
                assert!(!is_ascii(&key), "{at} of {len}");
                key[at] = b'k';
            }
        }
    }

    #[test]
    fn a_relative_key_follows_its_root() {
        let build = Root::new("/build").unwrap();
        let bytes = stored(b"/build/src/a.js", Some(&build)).unwrap().into_owned();
        assert_eq!(shown(&bytes, Some(&Root::new("/app").unwrap())).as_deref(), Some("/app/src/a.js"));
        assert_eq!(shown(&bytes, None), None);
    }
}
