//! A package was linked to another folder, or a file was created where none had been, and the program still got
//! the former file.
#![expect(clippy::unwrap_used, reason = "tests may panic")]

mod common;
use common::*;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use warmshard_core::kind::Kind;
use warmshard_core::stores::program::{PARTS, Programs, Request};
use warmshard_core::{Options, Shard};

struct World {
    _guard: tempfile::TempDir,
    dir: PathBuf,
}

impl World {
    fn new() -> Self {
        let guard = tempfile::tempdir().unwrap();
        let dir = guard.path().canonicalize().unwrap();
        World { _guard: guard, dir }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    fn write(&self, name: &str) {
        fs::create_dir_all(self.at(name).parent().unwrap()).unwrap();
        fs::write(self.at(name), name).unwrap();
    }

    /// Opens the shard as a new process does.
    fn open(&self, root: &str) -> (Programs, Shard) {
        let options = Options { kind: Kind::Program, part_count: PARTS, ..quiet() };
        (Programs::new(b"p", root.as_bytes()), Shard::open(&self.at("x.shard"), options).unwrap())
    }

    fn record(
        &self,
        folder: &str,
        request: &str,
        paths: u32,
        found: &str,
        real: &str,
        facts: &[(u8, &str)],
    ) -> bool {
        let (mut programs, mut shard) = self.open("");
        let (folder, found, real) = (self.at(folder), self.at(found), self.at(real));
        let places: Vec<(u8, PathBuf)> = facts.iter().map(|(kind, name)| (*kind, self.at(name))).collect();
        let facts: Vec<(u8, &[u8])> = places.iter().map(|(kind, path)| (*kind, bytes(path))).collect();
        let request = Request { folder: bytes(&folder), request: request.as_bytes(), paths };
        let kept = programs.record_resolution(&request, bytes(&found), bytes(&real), &facts);
        programs.publish(&mut shard).unwrap();
        kept
    }

    fn resolve(&self, folder: &str, request: &str, paths: u32) -> Option<PathBuf> {
        let (mut programs, mut shard) = self.open("");
        let folder = self.at(folder);
        let request = Request { folder: bytes(&folder), request: request.as_bytes(), paths };
        let real = programs.resolve(&mut shard, &request).unwrap()?;
        Some(PathBuf::from(String::from_utf8(real).unwrap()))
    }
}

fn bytes(path: &Path) -> &[u8] {
    path.as_os_str().as_encoded_bytes()
}

#[test]
fn an_answer_is_valid_until_a_file_appears_that_would_be_found_first() {
    let world = World::new();
    world.write("sub/a.json");
    let facts = [(b'f', "sub/a"), (b'f', "sub/a.js")];
    assert!(world.record("sub", "./a", 1, "sub/a.json", "sub/a.json", &facts));
    let known = || world.resolve("sub", "./a", 1).is_some();
    assert!(known());
    for name in ["sub/a.js", "sub/a"] {
        world.write(name);
        assert!(!known(), "{name}");
        fs::remove_file(world.at(name)).unwrap();
        assert!(known());
    }
    fs::create_dir(world.at("sub/a")).unwrap();
    assert!(known(), "a folder is not a file");
    fs::remove_file(world.at("sub/a.json")).unwrap();
    assert!(!known());
    fs::create_dir(world.at("sub/a.json")).unwrap();
    assert!(!known());
}

#[test]
fn absent_folders_are_remembered_until_settle() {
    let world = World::new();
    world.write("node_modules/pkg.js");
    fs::create_dir(world.at("sub")).unwrap();
    let facts = [(b'd', "sub/node_modules")];
    assert!(world.record("sub", "pkg", 5, "node_modules/pkg.js", "node_modules/pkg.js", &facts));
    let (mut programs, mut shard) = world.open("");
    let sub = world.at("sub");
    let request = Request { folder: bytes(&sub), request: b"pkg", paths: 5 };
    assert!(programs.resolve(&mut shard, &request).unwrap().is_some());
    fs::create_dir(world.at("sub/node_modules")).unwrap();
    programs.settle();
    assert!(programs.resolve(&mut shard, &request).unwrap().is_none());
}

#[test]
fn a_changed_link_invalidates_an_answer() {
    let world = World::new();
    for name in ["one/index.js", "two/index.js"] {
        world.write(name);
    }
    fs::create_dir(world.at("node_modules")).unwrap();
    let link = |to: &str| {
        let _ = fs::remove_file(world.at("node_modules/pkg"));
        symlink(to, world.at("node_modules/pkg")).unwrap();
    };
    link("../one");
    let found = "node_modules/pkg/index.js";
    assert!(!world.record("", "pkg", 3, found, found, &[]), "not canonical");
    assert!(world.record("", "pkg", 3, found, "one/index.js", &[]));
    assert_eq!(world.resolve("", "pkg", 3), Some(world.at("one/index.js")));
    link("../two");
    assert_eq!(world.resolve("", "pkg", 3), None);
    link("pkg");
    assert_eq!(world.resolve("", "pkg", 3), None, "a link to itself");
    link("../one");
    assert_eq!(world.resolve("", "pkg", 3), Some(world.at("one/index.js")));
    // The file itself becomes a link.
    fs::rename(world.at("one/index.js"), world.at("one/real.js")).unwrap();
    symlink("real.js", world.at("one/index.js")).unwrap();
    assert_eq!(world.resolve("", "pkg", 3), None);
}

#[test]
fn answers_depend_on_the_number_of_folders_and_on_folder_and_request_separately() {
    let world = World::new();
    world.write("node_modules/pkg.js");
    let found = "node_modules/pkg.js";
    assert!(world.record("", "pkg", 5, found, found, &[]));
    assert!(world.resolve("", "pkg", 5).is_some());
    assert!(world.resolve("", "pkg", 6).is_none(), "one more folder, as with NODE_PATH");
    assert!(world.resolve("", "pk", 5).is_none());
    fs::create_dir(world.at("a\nb")).unwrap();
    world.write("a\nb/c.js");
    assert!(world.record("a\nb", "./c", 1, "a\nb/c.js", "a\nb/c.js", &[]));
    assert!(world.resolve("a", "b\n./c", 1).is_none());
    assert!(world.resolve("a\nb", "./c", 1).is_some());
}

#[test]
fn an_answer_stays_valid_when_its_project_is_moved() {
    let world = World::new();
    for name in ["here/sub/.keep", "here/node_modules/pkg.js"] {
        world.write(name);
    }
    let (mut programs, mut shard) = world.open(world.at("here").to_str().unwrap());
    let (folder, real) = (world.at("here/sub"), world.at("here/node_modules/pkg.js"));
    let absent = world.at("here/sub/node_modules");
    let request = Request { folder: bytes(&folder), request: b"pkg", paths: 9 };
    assert!(programs.record_resolution(&request, bytes(&real), bytes(&real), &[(b'd', bytes(&absent))]));
    programs.publish(&mut shard).unwrap();
    drop((programs, shard));
    fs::rename(world.at("here"), world.at("there")).unwrap();
    let (mut programs, mut shard) = world.open(world.at("there").to_str().unwrap());
    let folder = world.at("there/sub");
    let request = Request { folder: bytes(&folder), request: b"pkg", paths: 9 };
    let found = programs.resolve(&mut shard, &request).unwrap().unwrap();
    assert_eq!(found, bytes(&world.at("there/node_modules/pkg.js")));
}
