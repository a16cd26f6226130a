//! Paths told from a folder: how many levels up, and what to add. So they stay true when a project moves as a whole.

use super::stamp::take;

/// A path below some ancestor of a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place<'a> {
    /// Levels above the folder.
    up: u16,
    /// What follows, a leading slash included; empty for the ancestor itself.
    rest: &'a [u8],
}

impl<'a> Place<'a> {
    /// Tells an absolute path from an absolute folder. `None` for one that is too long.
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

    /// Appends the path, told from a folder, to a buffer that it empties first. `None` where the folder has no such
    /// ancestor.
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

    /// Appends its bytes.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.up.to_le_bytes());
        out.extend_from_slice(&u16::try_from(self.rest.len()).unwrap_or(0).to_le_bytes());
        out.extend_from_slice(self.rest);
    }

    /// Takes one off the front of some bytes.
    pub fn decode(from: &mut &'a [u8]) -> Option<Self> {
        let up = u16::from_le_bytes(take(from)?);
        let len = usize::from(u16::from_le_bytes(take(from)?));
        let (rest, behind) = from.split_at_checked(len)?;
        *from = behind;
        Some(Place { up, rest })
    }
}

/// The folder of a path; of one at the top: nothing.
#[must_use]
pub fn parent(path: &[u8]) -> &[u8] {
    let end = path.iter().rposition(|b| *b == b'/').unwrap_or(0);
    path.get(..end).unwrap_or_default()
}

/// How many folders named `node_modules` a program looks for above one, the root's included: one for each level that
/// is not such a folder itself.
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
    fn a_place_is_found_again_and_moves_with_its_project() {
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
    fn more_levels_up_than_there_are_lead_nowhere() {
        let mut bytes = Vec::new();
        Place::of(b"/a/b/c", b"/x").unwrap().encode(&mut bytes);
        let mut out = Vec::new();
        assert_eq!(Place::decode(&mut bytes.as_slice()).unwrap().write(b"/a", &mut out), None);
    }

    #[test]
    fn cut_bytes_are_no_place() {
        let mut bytes = Vec::new();
        Place::of(b"/a/b/c", b"/a/b/x.js").unwrap().encode(&mut bytes);
        for end in 0..bytes.len() {
            assert_eq!(Place::decode(&mut bytes.get(..end).unwrap()), None);
        }
    }
}
