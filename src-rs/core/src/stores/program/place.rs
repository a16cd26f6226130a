//! Paths relative to a folder: how many levels up, and what to append. They stay valid when a project is moved as a
//! whole.

use super::stamp::take;

/// A path below some ancestor of a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place<'a> {
    /// Levels above the folder.
    up: u16,
    /// What to append, including a leading slash; empty for the ancestor itself.
    rest: &'a [u8],
}

impl<'a> Place<'a> {
    /// An absolute path, relative to an absolute folder. `None` if it is too long or too many levels up.
    #[must_use]
    pub fn of(folder: &[u8], path: &'a [u8]) -> Option<Self> {
        let mut ancestor = folder;
        let mut up = 0u16;
        loop {
            match path.strip_prefix(ancestor) {
                Some(rest) if rest.is_empty() || rest.starts_with(b"/") => {
                    return (rest.len() <= usize::from(u16::MAX)).then_some(Place { up, rest });
                }
                _ if ancestor.is_empty() => return None,
                _ => {
                    ancestor = parent(ancestor);
                    up = up.checked_add(1)?;
                }
            }
        }
    }

    /// Replaces the contents of `out` by the absolute path, for a folder. `None` if the folder has no such ancestor.
    pub fn write(&self, folder: &[u8], out: &mut Vec<u8>) -> Option<()> {
        let mut ancestor = folder;
        for _ in 0..self.up {
            if ancestor.is_empty() {
                return None;
            }
            ancestor = parent(ancestor);
        }
        out.clear();
        out.extend_from_slice(ancestor);
        out.extend_from_slice(self.rest);
        if out.is_empty() {
            out.push(b'/');
        }
        (!out.contains(&0)).then_some(())
    }

    /// Appends the encoded place.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.up.to_le_bytes());
        out.extend_from_slice(&u16::try_from(self.rest.len()).unwrap_or(0).to_le_bytes());
        out.extend_from_slice(self.rest);
    }

    /// Decodes a place at the front of `from`, and removes it there.
    pub fn decode(from: &mut &'a [u8]) -> Option<Self> {
        let up = u16::from_le_bytes(take(from)?);
        let len = usize::from(u16::from_le_bytes(take(from)?));
        let (rest, behind) = from.split_at_checked(len)?;
        *from = behind;
        Some(Place { up, rest })
    }
}

/// The folder of a path; empty for a path directly below the root.
#[must_use]
pub fn parent(path: &[u8]) -> &[u8] {
    let end = path.iter().rposition(|b| *b == b'/').unwrap_or(0);
    path.get(..end).unwrap_or_default()
}

/// The number of `node_modules` folders that Node.js looks for from a folder upwards: one for each level, the root
/// included, that is not named `node_modules` itself.
#[must_use]
pub fn lookup_levels(folder: &[u8]) -> usize {
    let levels =
        folder.split(|b| *b == b'/').filter(|name| !name.is_empty() && *name != b"node_modules").count();
    levels.saturating_add(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn there_and_back(folder: &str, path: &str, moved: &str) -> String {
        let mut bytes = Vec::new();
        Place::of(folder.as_bytes(), path.as_bytes()).unwrap().encode(&mut bytes);
        let mut out = Vec::new();
        Place::decode(&mut bytes.as_slice()).unwrap().write(moved.as_bytes(), &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_place_stays_valid_when_its_project_is_moved() {
        for (folder, path) in [
            ("/a/b", "/a/b/c.js"),
            ("/a/b", "/a/bc/d"),
            ("/a/b", "/x"),
            ("/a/b", "/a/b"),
            ("", "/x"),
            ("/a", "/"),
        ] {
            assert_eq!(there_and_back(folder, path, folder), path, "{path} from {folder}");
        }
        assert_eq!(there_and_back("/a/b/src", "/a/b/lib/x.js", "/other/place/src"), "/other/place/lib/x.js");
    }

    #[test]
    fn too_many_levels_up_lead_nowhere() {
        let mut bytes = Vec::new();
        Place::of(b"/a/b/c", b"/x").unwrap().encode(&mut bytes);
        let mut out = Vec::new();
        assert_eq!(Place::decode(&mut bytes.as_slice()).unwrap().write(b"/a", &mut out), None);
    }

    #[test]
    fn truncated_bytes_are_not_a_place() {
        let mut bytes = Vec::new();
        Place::of(b"/a/b/c", b"/a/b/x.js").unwrap().encode(&mut bytes);
        for end in 0..bytes.len() {
            assert_eq!(Place::decode(&mut bytes.get(..end).unwrap()), None);
        }
    }
}
