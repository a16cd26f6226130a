//! Why a request led to a file: repeats Node.js' search in the file system.
//!
//! Node.js returns only the file. To be recorded, the answer needs facts: each path that was tried and was absent, and
//! each manifest that had a say. An answer that this search does not arrive at is not recorded.

use super::facts::Today;
use super::walk::Walk;
use rustix::fs::FileType;
use std::borrow::Cow;

/// A request that Node.js has resolved.
#[derive(Debug, Clone, Copy)]
pub struct Search<'a> {
    /// The argument of `require`.
    pub request: &'a [u8],
    /// The folder of the requesting file.
    pub folder: &'a [u8],
    /// Folders of packages, in the order in which Node.js searches them.
    pub places: &'a [&'a [u8]],
    /// Extensions, in the order in which Node.js tries them.
    pub extensions: &'a [&'a [u8]],
    /// The canonical path that was found.
    pub real: &'a [u8],
}

/// The result of a search.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// The path that was found, before links are followed.
    pub found: Vec<u8>,
    /// The facts that led to it, each a kind and a path: see `Fact::today`.
    pub facts: Vec<(u8, Vec<u8>)>,
}

/// What a `package.json` says about the files of its package.
#[derive(Debug, Default, Clone)]
pub struct Manifest {
    /// Whether there are `exports`.
    exports: bool,
    main: Option<Vec<u8>>,
}

impl Manifest {
    /// Parses a manifest; `None` if it is damaged.
    pub fn of(text: &[u8]) -> Option<Self> {
        let parsed: serde_json::Value = serde_json::from_slice(text).ok()?;
        let main = parsed.get("main").and_then(|main| main.as_str()).filter(|main| !main.is_empty());
        Some(Manifest {
            exports: parsed.get("exports").is_some_and(|exports| !exports.is_null()),
            main: main.map(|main| main.as_bytes().to_vec()),
        })
    }
}

/// Repeats a search. `None` if no facts explain its answer.
pub fn why(search: &Search<'_>, today: &mut Today, walk: &mut Walk) -> Option<Answer> {
    let mut asking = Asking { search, today, facts: Vec::new() };
    let found = asking.found(walk)?;
    Some(Answer { found, facts: asking.facts })
}

struct Asking<'a> {
    search: &'a Search<'a>,
    today: &'a mut Today,
    facts: Vec<(u8, Vec<u8>)>,
}

impl Asking<'_> {
    fn found(&mut self, walk: &mut Walk) -> Option<Vec<u8>> {
        let Search { request, folder, places, real, .. } = *self.search;
        if is_path(request) {
            return self.file_at(&resolved(folder, request));
        }
        let name = package(request)?;
        for place in places {
            if self.today.kind(place) != Some(FileType::Directory) {
                self.facts.push((b'd', place.to_vec()));
                continue;
            }
            let package = [place, b"/".as_slice(), name].concat();
            if self.manifest(&package)?.exports {
                // `exports` are not interpreted: the path follows from where the canonical file is in the package.
                let below = real.strip_prefix(walk.folder(&package)?)?;
                return below.starts_with(b"/").then(|| [&package, below].concat());
            }
            if let Some(found) = self.file_at(&resolved(place, request)) {
                return Some(found);
            }
        }
        None
    }

    /// The first file that exists: at the path itself, with an extension, or in a folder of that name.
    fn file_at(&mut self, base: &[u8]) -> Option<Vec<u8>> {
        if !means_folder(self.search.request)
            && let Some(found) = self.first(base, true)
        {
            return Some(found);
        }
        if self.today.kind(base) != Some(FileType::Directory) {
            return None;
        }
        let index = |folder: &[u8]| [folder, b"/index".as_slice()].concat();
        let Some(main) = self.manifest(base)?.main else {
            return self.first(&index(base), false);
        };
        let target = resolved(base, &main);
        // Nothing else is tried: if `main` is missing, Node.js falls back to `index` and warns, which it must do each
        // time.
        self.first(&target, true).or_else(|| self.first(&index(&target), false))
    }

    /// The first file that exists: `base`, if `itself` is set, or `base` with an extension.
    fn first(&mut self, base: &[u8], itself: bool) -> Option<Vec<u8>> {
        let bare: &[&[u8]] = if itself { &[b""] } else { &[] };
        for extension in bare.iter().chain(self.search.extensions) {
            let path = [base, *extension].concat();
            if self.today.kind(&path) == Some(FileType::RegularFile) {
                return Some(path);
            }
            self.facts.push((b'f', path));
        }
        None
    }

    /// The manifest of a folder, which becomes a fact; `None` if it is damaged.
    fn manifest(&mut self, folder: &[u8]) -> Option<Manifest> {
        let path = [folder, b"/package.json".as_slice()].concat();
        let manifest = self.today.manifest(&path);
        if !self.facts.iter().any(|(kind, known)| *kind == b'm' && *known == path) {
            self.facts.push((b'm', path));
        }
        manifest
    }
}

/// Whether a request is a path, not the name of a package.
fn is_path(request: &[u8]) -> bool {
    let dots = request.iter().take_while(|byte| **byte == b'.').count();
    dots <= 2 && matches!(request.get(dots), Some(b'/')) || matches!(request, b"." | b"..")
}

/// Whether a request can only mean a folder, because it ends with a slash or dots.
fn means_folder(request: &[u8]) -> bool {
    matches!(request.rsplit(|byte| *byte == b'/').next(), Some(b"" | b"." | b".."))
}

/// The name of the package, with its scope, that a request starts with.
fn package(request: &[u8]) -> Option<&[u8]> {
    let slash = |from: usize| {
        let rest = request.get(from..).unwrap_or_default();
        rest.iter().position(|byte| *byte == b'/').map(|at| at.saturating_add(from))
    };
    let first = slash(0).unwrap_or(request.len());
    let end = match request.first()? {
        b'#' | b'/' => return None,
        b'@' if first > 1 => {
            let from = first.saturating_add(1);
            let end = slash(from).unwrap_or(request.len());
            if end > from { end } else { first }
        }
        _ => first,
    };
    request.get(..end)
}

/// The absolute path that `path` means in a folder, without `.`, `..` and superfluous slashes.
fn resolved(folder: &[u8], path: &[u8]) -> Vec<u8> {
    let whole = if path.starts_with(b"/") {
        Cow::Borrowed(path)
    } else {
        Cow::Owned([folder, b"/".as_slice(), path].concat())
    };
    let mut out = Vec::with_capacity(whole.len());
    for name in whole.split(|byte| *byte == b'/') {
        match name {
            b"" | b"." => {}
            b".." => out.truncate(out.iter().rposition(|byte| *byte == b'/').unwrap_or(0)),
            _ => {
                out.push(b'/');
                out.extend_from_slice(name);
            }
        }
    }
    if out.is_empty() {
        out.push(b'/');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_paths_or_packages() {
        for request in [".", "..", "./a", "../a", "/a", "./", "../"] {
            assert!(is_path(request.as_bytes()), "{request}");
        }
        for request in ["a", "a/b", ".a", "..a", "...", ".../a", "@a/b"] {
            assert!(!is_path(request.as_bytes()), "{request}");
        }
        for request in ["", ".", "..", "./", "a/", "a/.", "a/.."] {
            assert!(means_folder(request.as_bytes()), "{request}");
        }
        for request in ["a", "./a", "a/.b", "a.."] {
            assert!(!means_folder(request.as_bytes()), "{request}");
        }
        for (request, name) in [
            ("a", "a"),
            ("a/b/c", "a"),
            ("@a/b", "@a/b"),
            ("@a/b/c", "@a/b"),
            ("@a", "@a"),
            ("@a/", "@a"),
            ("@a//b", "@a"),
            ("@/a", "@"),
        ] {
            assert_eq!(package(request.as_bytes()), Some(name.as_bytes()), "{request}");
        }
        for request in ["", "#a", "/a"] {
            assert_eq!(package(request.as_bytes()), None, "{request}");
        }
    }

    #[test]
    fn paths_are_resolved_without_dots() {
        for (folder, path, whole) in [
            ("/a/b", "./c", "/a/b/c"),
            ("/a/b", "../c.js", "/a/c.js"),
            ("/a/b", "..", "/a"),
            ("/a/b", "../../..", "/"),
            ("/a/b", "/c//d/./e/", "/c/d/e"),
            ("/", "c", "/c"),
            ("/a", ".", "/a"),
            ("/a", "c/../d", "/a/d"),
        ] {
            assert_eq!(resolved(folder.as_bytes(), path.as_bytes()), whole.as_bytes(), "{folder} {path}");
        }
    }

    #[test]
    fn a_damaged_manifest_is_not_used() {
        let of = |text: &str| Manifest::of(text.as_bytes()).map(|it| (it.exports, it.main));
        assert_eq!(of("{}"), Some((false, None)));
        assert_eq!(of(r#"{"main":"a","exports":{}}"#), Some((true, Some(b"a".to_vec()))));
        assert_eq!(of(r#"{"main":"","exports":null}"#), Some((false, None)));
        assert_eq!(of(r#"{"main":5,"exports":false}"#), Some((true, None)));
        for text in ["", "{", "\u{feff}{}", "{\"main\":}"] {
            assert_eq!(of(text), None, "{text}");
        }
    }
}
