//! The producer: the identity of the host build that made an entry.
//!
//! Two producers are the same if name, version, schema, part names and the binary's modification time *and*
//! size are equal. Comparing with "not newer than" would let a rolled-back binary use what another build made.

use crate::error::{Error, Result};
use crate::limits::{MAX_HOST_BYTES, MAX_PART_NAME_BYTES, MAX_PARTS};
use std::path::Path;
use xxhash_rust::xxh3::Xxh3;

/// The producer of a handle: it makes the entries that the handle stores, and uses those that it finds.
#[derive(Debug, Clone, Default)]
pub struct Producer {
    /// The host's name; empty for an anonymous host.
    pub name: String,
    /// The host's version.
    pub version: String,
    /// The host's number for the shape of what it stores, if it has one.
    pub schema: Option<u32>,
    /// Modification time in nanoseconds and size in bytes of the host's binary.
    pub binary: Option<(i128, u64)>,
    id: Option<u64>,
}

impl Producer {
    /// A producer of entries with the given parts.
    ///
    /// # Errors
    /// [`Error::InvalidArg`] if a name is too long or repeated, or if there are too many parts or none.
    pub fn new(name: &str, version: &str, binary: Option<&Path>, parts: &[String]) -> Result<Self> {
        for (what, text) in [("host.name", name), ("host.version", version)] {
            if text.len() > MAX_HOST_BYTES {
                return Err(Error::InvalidArg(format!(
                    "{what} may be {MAX_HOST_BYTES} bytes long at most, not {}",
                    text.len()
                )));
            }
        }
        check_parts(parts)?;
        let mut it =
            Producer { name: name.into(), version: version.into(), schema: None, binary: None, id: None };
        if let Some(path) = binary {
            // The binary cannot be identified, so nothing may be served: the producer has no id.
            let Some(identity) = binary_identity(path) else {
                return Ok(it);
            };
            it.binary = Some(identity);
        }
        it.id = Some(it.digest(parts));
        Ok(it)
    }

    /// The same producer with a schema number: entries made under another one are stale.
    #[must_use]
    pub fn with_schema(mut self, schema: Option<u32>, parts: &[String]) -> Self {
        self.schema = schema;
        self.id = self.id.map(|_| self.digest(parts));
        self
    }

    /// The number that identifies this producer in every record. `None` if the binary could not be
    /// identified; then nothing may be served or stored.
    #[must_use]
    pub fn id(&self) -> Option<u64> {
        self.id
    }

    fn digest(&self, parts: &[String]) -> u64 {
        let mut h = Xxh3::new();
        let mut field = |bytes: &[u8]| {
            h.update(&(bytes.len() as u64).to_le_bytes());
            h.update(bytes);
        };
        field(self.name.as_bytes());
        field(self.version.as_bytes());
        match self.binary {
            Some((mtime, size)) => {
                field(&mtime.to_le_bytes());
                field(&size.to_le_bytes());
            }
            None => field(b""),
        }
        // Without a schema nothing is hashed here, not even an empty field.
        if let Some(schema) = self.schema {
            field(b"schema");
            field(&schema.to_le_bytes());
        }
        for part in parts {
            field(part.as_bytes());
        }
        h.digest()
    }
}

fn check_parts(parts: &[String]) -> Result<()> {
    if parts.is_empty() || parts.len() > MAX_PARTS {
        return Err(Error::InvalidArg(format!(
            "parts must name 1 to {MAX_PARTS} parts, not {}",
            parts.len()
        )));
    }
    for (i, part) in parts.iter().enumerate() {
        if part.len() > MAX_PART_NAME_BYTES {
            return Err(Error::InvalidArg(format!(
                "the name of part {i} may be {MAX_PART_NAME_BYTES} bytes long at most, not {}",
                part.len()
            )));
        }
        if parts.iter().take(i).any(|p| p == part) {
            return Err(Error::InvalidArg(format!(
                "parts names {part:?} twice; give each part a name of its own"
            )));
        }
    }
    Ok(())
}

fn binary_identity(path: &Path) -> Option<(i128, u64)> {
    let stat = rustix::fs::stat(path).ok()?;
    let mtime = i128::from(stat.st_mtime) * 1_000_000_000 + i128::from(stat.st_mtime_nsec);
    Some((mtime, u64::try_from(stat.st_size).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(name: &str, version: &str, parts: &[&str]) -> Option<u64> {
        let parts: Vec<String> = parts.iter().map(|p| (*p).to_owned()).collect();
        Producer::new(name, version, None, &parts).unwrap().id()
    }

    #[test]
    fn every_difference_makes_another_producer() {
        let base = id("a", "1", &["p", "q"]);
        assert!(base.is_some());
        for other in [
            id("b", "1", &["p", "q"]),
            id("a", "2", &["p", "q"]),
            id("a", "1", &["q", "p"]),
            id("a1", "", &["p", "q"]),
        ] {
            assert_ne!(base, other);
        }
    }

    #[test]
    fn a_binary_that_cannot_be_identified_gives_no_producer() {
        let p = Producer::new("a", "1", Some(Path::new("/nonexistent/binary")), &[String::new()]).unwrap();
        assert_eq!(p.id(), None);
    }

    #[test]
    fn a_rewritten_binary_is_another_build() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let ask = || Producer::new("a", "1", Some(file.path()), &[String::new()]).unwrap().id();
        let before = ask();
        std::fs::write(file.path(), b"other").unwrap();
        assert_ne!(before, ask());
    }
}
