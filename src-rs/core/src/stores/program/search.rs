//! Why a request led to a file: repeats Node.js' search in the file system.
//!
//! Node.js returns only the file. To be recorded, the answer needs facts: each path that was tried and was absent, and
//! each manifest that had a say. An answer that this search does not arrive at is not recorded.

use super::facts::Today;
use super::walk::Walk;
use rustix::fs::FileType;
use serde_json::Value;
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
    exports: Option<Exports>,
    main: Option<Vec<u8>>,
}

/// What has to be known about `exports`, although Node.js has found the file.
#[derive(Debug, Default, Clone)]
struct Exports {
    /// Whether a target has an empty segment: Node.js warns about it at every request.
    has_empty_segment: bool,
    /// The names that contain a `*`.
    patterns: Vec<Vec<u8>>,
}

impl Exports {
    fn of(exports: &Value) -> Self {
        let mut all = Exports::default();
        all.add(exports);
        all
    }

    fn add(&mut self, part: &Value) {
        match part {
            Value::String(target) => {
                let path = target.strip_prefix("./").unwrap_or(target);
                self.has_empty_segment |= has_empty_segment(path.as_bytes());
            }
            Value::Array(parts) => parts.iter().for_each(|part| self.add(part)),
            Value::Object(parts) => {
                for (name, part) in parts {
                    if name.contains('*') {
                        self.patterns.push(name.as_bytes().to_vec());
                    }
                    self.add(part);
                }
            }
            _ => {}
        }
    }

    /// Whether Node.js may warn about a request (DEP0166). It does so at every search, so none may be saved.
    ///
    /// `asked`: the name that is looked up in `exports`.
    fn may_warn(&self, asked: &[u8]) -> bool {
        self.has_empty_segment
            || self.patterns.iter().any(|pattern| matched(asked, pattern).is_some_and(has_empty_segment))
    }
}

/// What the `*` of a pattern stands for in a name that it matches.
fn matched<'a>(name: &'a [u8], pattern: &[u8]) -> Option<&'a [u8]> {
    let star = pattern.iter().position(|byte| *byte == b'*')?;
    let (before, after) = pattern.split_at_checked(star)?;
    name.strip_prefix(before)?.strip_suffix(after.get(1..)?)
}

/// Whether a segment of a path is empty. Backslashes separate segments, too, as in Node.js.
fn has_empty_segment(path: &[u8]) -> bool {
    path.split(|byte| matches!(byte, b'/' | b'\\')).any(<[u8]>::is_empty)
}

impl Manifest {
    /// Parses a manifest; `None` if it is damaged.
    pub fn of(text: &[u8]) -> Option<Self> {
        let parsed: Value = serde_json::from_slice(text).ok()?;
        let main = parsed.get("main").and_then(|main| main.as_str()).filter(|main| !main.is_empty());
        Some(Manifest {
            exports: parsed.get("exports").filter(|exports| !exports.is_null()).map(Exports::of),
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
            if let Some(exports) = self.manifest(&package)?.exports {
                let rest = request.get(name.len()..)?;
                if exports.may_warn(&[b".", rest].concat()) {
                    return None;
                }
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
    fn requests_that_node_warns_about_are_recognised() {
        let exports = |text: &str| Exports::of(&serde_json::from_str(text).unwrap());
        for text in [
            r#""./lib//a.js""#,
            r#"{".":"./"}"#,
            r#"{".":{"import":"./a.mjs","require":["./lib\\\\a.js"]}}"#,
            r#"{"./a":"./lib/"}"#,
        ] {
            assert!(exports(text).may_warn(b"."), "{text}");
        }
        let usual = exports(
            r#"{".":"./a.js","./x/*":"./x/*.js","./y*":{"require":"./y*.js"},"./z/*.js":"./z/*.js"}"#,
        );
        for (asked, warns) in [
            (".", false),
            ("./x/a", false),
            ("./x/a/b", false),
            ("./x//a", true),
            ("./x/a//b", true),
            ("./x/a/", true),
            ("./x/", true),
            ("./ya", false),
            ("./y/a", true),
            ("./z/a.js", false),
            ("./z/a/.js", true),
            ("./other//a", false),
        ] {
            assert_eq!(usual.may_warn(asked.as_bytes()), warns, "{asked}");
        }
    }

    #[test]
    fn a_damaged_manifest_is_not_used() {
        let of = |text: &str| Manifest::of(text.as_bytes()).map(|it| (it.exports.is_some(), it.main));
        assert_eq!(of("{}"), Some((false, None)));
        assert_eq!(of(r#"{"main":"a","exports":{}}"#), Some((true, Some(b"a".to_vec()))));
        assert_eq!(of(r#"{"main":"","exports":null}"#), Some((false, None)));
        assert_eq!(of(r#"{"main":5,"exports":false}"#), Some((true, None)));
        for text in ["", "{", "\u{feff}{}", "{\"main\":}"] {
            assert_eq!(of(text), None, "{text}");
        }
    }
}
