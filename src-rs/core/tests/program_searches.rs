//! The search must try the same paths as Node.js: if an absent path does not become a fact, it is not noticed
//! when a file appears there. (A first run used to repeat the search in JavaScript, and had not finished when
//! the program had.)
#![expect(clippy::unwrap_used, reason = "tests may panic")]

mod common;
use common::*;
use std::fs;
use std::path::{Path, PathBuf};
use warmshard_core::kind::Kind;
use warmshard_core::stores::program::{PARTS, Programs, Request, Search};
use warmshard_core::{Options, Shard};

struct Tree {
    _dir: tempfile::TempDir,
    root: PathBuf,
    shard: Shard,
}

impl Tree {
    fn of(files: &[(&str, &str)]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        for (name, text) in files {
            let file = root.join(name);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        }
        let options = Options { kind: Kind::Program, part_count: PARTS, ..quiet() };
        let shard = Shard::open(&root.join("p.shard"), options).unwrap();
        Tree { _dir: dir, root, shard }
    }

    fn at(&self, name: &str) -> Vec<u8> {
        bytes(&self.root.join(name)).to_vec()
    }

    /// Records where a request from a file in `src` led. See `record_search`.
    fn record(&mut self, request: &str, real: &str) -> Option<bool> {
        let (folder, real) = (self.at("src"), self.at(real));
        let places = [self.at("src/node_modules"), self.at("node_modules")];
        let places: Vec<_> = places.iter().map(Vec::as_slice).collect();
        let search = Search {
            request: request.as_bytes(),
            folder: &folder,
            places: &places,
            extensions: &[b".js", b".json", b".node"],
            real: &real,
        };
        let mut programs = Programs::new(b"profile", b"");
        let kept = programs.record_search(&asked(&folder, request), &search, &[]);
        programs.publish(&mut self.shard).unwrap();
        kept
    }

    /// Whether a new process resolves the request to this file.
    fn leads(&mut self, request: &str, real: &str) -> bool {
        let (folder, real) = (self.at("src"), self.at(real));
        let mut programs = Programs::new(b"profile", b"");
        programs.resolve(&mut self.shard, &asked(&folder, request)).unwrap() == Some(real)
    }
}

fn bytes(path: &Path) -> &[u8] {
    path.as_os_str().as_encoded_bytes()
}

fn asked<'a>(folder: &'a [u8], request: &'a str) -> Request<'a> {
    Request { folder, request: request.as_bytes(), paths: 9 }
}

/// Names of files, each with its contents.
type Files = &'static [(&'static str, &'static str)];

/// The files, a request, where it leads, and files each of which must invalidate the answer when it is written.
const CASES: &[(Files, &str, &str, Files)] = &[
    (&[("src/a.js", "")], "./a", "src/a.js", &[("src/a", "")]),
    (&[("src/a.json", "")], "./a", "src/a.json", &[("src/a.js", "")]),
    (&[("src/a/index.js", "")], "./a", "src/a/index.js", &[("src/a.js", ""), ("src/a.node", "")]),
    (&[("src/a/index.js", "")], "./a/", "src/a/index.js", &[("src/a/package.json", "{}")]),
    (&[("src/x/y", ""), ("index.json", "")], "..", "index.json", &[("index.js", ""), ("package.json", "{}")]),
    (
        &[("src/x", ""), ("node_modules/p/index.js", "")],
        "p",
        "node_modules/p/index.js",
        &[("node_modules/p.js", ""), ("src/node_modules/q", ""), ("node_modules/p/package.json", "{}")],
    ),
    (
        &[("src/x", ""), ("node_modules/p/package.json", r#"{"main":"m"}"#), ("node_modules/p/m.js", "")],
        "p",
        "node_modules/p/m.js",
        &[("node_modules/p/m", ""), ("node_modules/p/package.json", r#"{"main":"n"}"#)],
    ),
    (
        &[
            ("src/x", ""),
            ("node_modules/p/package.json", r#"{"main":"m"}"#),
            ("node_modules/p/m/index.js", ""),
        ],
        "p",
        "node_modules/p/m/index.js",
        &[("node_modules/p/m.js", "")],
    ),
    (
        &[
            ("src/x", ""),
            ("node_modules/@s/p/package.json", r#"{"exports":"./e.js"}"#),
            ("node_modules/@s/p/e.js", ""),
        ],
        "@s/p",
        "node_modules/@s/p/e.js",
        &[("node_modules/@s/p/package.json", r#"{"exports":"./f.js"}"#)],
    ),
    (
        &[("src/x", ""), ("src/node_modules/q/x", ""), ("node_modules/p/lib/f.js", "")],
        "p/lib/f",
        "node_modules/p/lib/f.js",
        &[("src/node_modules/p/package.json", "{}"), ("node_modules/p/lib/f", "")],
    ),
];

#[test]
fn a_change_of_anything_that_decided_an_answer_invalidates_it() {
    for (files, request, real, changes) in CASES {
        for (name, text) in *changes {
            let mut tree = Tree::of(files);
            assert_eq!(tree.record(request, real), Some(true), "{request}");
            assert!(tree.leads(request, real), "{request}");
            let file = tree.root.join(name);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(&file, text).unwrap();
            assert!(!tree.leads(request, real), "{request} beside {name}");
        }
    }
}

#[test]
fn an_answer_that_cannot_be_explained_is_not_recorded() {
    let files: Files = &[
        ("src/a.js", ""),
        ("node_modules/damaged/package.json", "{"),
        ("node_modules/damaged/index.js", ""),
        ("node_modules/gone/package.json", r#"{"main":"none"}"#),
        ("node_modules/gone/index.js", ""),
        ("node_modules/other/package.json", r#"{"exports":"./a.js"}"#),
    ];
    let mut tree = Tree::of(files);
    for (request, real) in [
        ("#a", "src/a.js"),
        ("damaged", "node_modules/damaged/index.js"),
        // Its `main` is missing: Node.js must warn each time.
        ("gone", "node_modules/gone/index.js"),
        // The file is not in its package.
        ("other", "src/a.js"),
        ("nowhere", "src/a.js"),
    ] {
        let kept = tree.record(request, real);
        assert!(kept.is_none() || request == "gone", "{request}");
        assert_ne!(kept, Some(true), "{request}");
        assert!(!tree.leads(request, real), "{request}");
    }
    // The search finds another file than the one that is to be recorded.
    assert_eq!(tree.record("./a", "node_modules/gone/index.js"), Some(false));
}
