//! A flipped bit in the metadata of a module let outdated code be served.
#![expect(clippy::unwrap_used, reason = "tests may panic")]

mod common;
use common::*;
use std::fs;
use std::path::Path;
use warmshard_core::kind::Kind;
use warmshard_core::stores::program::{Loaded, PARTS, Programs, Request, Wrap};
use warmshard_core::{Job, Options, PutMeta, Shard, Validator};

fn open(path: &Path) -> Shard {
    Shard::open(path, Options { kind: Kind::Program, part_count: PARTS, ..quiet() }).unwrap()
}

fn bytes(path: &Path) -> &[u8] {
    path.as_os_str().as_encoded_bytes()
}

/// Every entry of a shard: its key and its parts.
fn entries(shard: &mut Shard) -> Vec<(Vec<u8>, Vec<Vec<u8>>)> {
    let keys: Vec<String> = shard.list().unwrap().into_iter().map(|info| info.key).collect();
    keys.into_iter()
        .map(|key| {
            let warmshard_core::Lookup::Hit(hit) = shard.get(key.as_bytes(), &Validator::None).unwrap()
            else {
                unreachable!("it is listed");
            };
            let parts = (0..PARTS).map(|part| shard.read_part(&hit, part).unwrap()).collect();
            (key.into_bytes(), parts)
        })
        .collect()
}

/// Writes an entry with these parts and a right digest.
fn replace(shard: &mut Shard, key: &[u8], parts: &[Vec<u8>]) {
    let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
    shard.merge_in(&Job::default(), |batch| batch.put(key, &parts, PutMeta::default())).unwrap();
}

struct Asked {
    programs: Programs,
    shard: Shard,
    source: std::path::PathBuf,
}

impl Asked {
    fn load(&mut self) -> Option<Vec<u8>> {
        match self.programs.load(&mut self.shard, bytes(&self.source)).unwrap() {
            Loaded::Hit { parts, .. } => Some(parts[1].as_slice().to_vec()),
            _ => None,
        }
    }

    fn resolve(&mut self, folder: &Path) -> Option<Vec<u8>> {
        let request = Request { folder: bytes(folder), request: b"pkg", paths: 9 };
        self.programs.resolve(&mut self.shard, &request).unwrap()
    }
}

#[test]
fn an_entry_with_any_contents_is_a_miss_or_agrees_with_the_file_system() {
    let guard = tempfile::tempdir().unwrap();
    let dir = guard.path().canonicalize().unwrap();
    let package = dir.join("node_modules/pkg");
    fs::create_dir_all(&package).unwrap();
    let (source, found) = (dir.join("a.js"), package.join("index.js"));
    for path in [&source, &found] {
        fs::write(path, "x").unwrap();
    }
    std::thread::sleep(std::time::Duration::from_millis(30));
    let path = dir.join("x.shard");
    let mut asked = Asked { programs: Programs::new(b"p", b""), shard: open(&path), source };
    let manifest = package.join("package.json");
    let facts: [(u8, &[u8]); 2] = [(b'm', bytes(&manifest)), (b'f', b"/gone")];
    asked.programs.read(bytes(&asked.source), Wrap::Lines).unwrap();
    assert!(asked.programs.record(bytes(&asked.source), 0, Some(b"code".to_vec()), b"", &facts));
    let request = Request { folder: bytes(&dir), request: b"pkg", paths: 9 };
    assert!(asked.programs.record_resolution(&request, bytes(&found), bytes(&found), &facts));
    asked.programs.publish(&mut asked.shard).unwrap();
    assert_eq!(asked.load().unwrap(), b"code");
    assert_eq!(asked.resolve(&dir).unwrap(), bytes(&found));

    for (key, parts) in entries(&mut asked.shard) {
        let whole = &parts[0];
        let damaged = (0..whole.len()).flat_map(|at| {
            let cut = whole[..at].to_vec();
            let flips = [0x01, 0x10, 0x80, 0xff].into_iter().map(move |bits| {
                let mut flipped = whole.clone();
                flipped[at] ^= bits;
                flipped
            });
            flips.chain([cut])
        });
        for head in damaged.chain([[whole.as_slice(), &[4]].concat(), vec![0xff; whole.len()]]) {
            let mut changed = parts.clone();
            changed[0] = head;
            replace(&mut asked.shard, &key, &changed);
            if let Some(code) = asked.load() {
                assert_eq!(code, b"code");
            }
            if let Some(real) = asked.resolve(&dir) {
                assert!(fs::metadata(std::str::from_utf8(&real).unwrap()).unwrap().is_file());
            }
        }
        replace(&mut asked.shard, &key, &parts);
    }
    assert!(asked.load().is_some() && asked.resolve(&dir).is_some(), "the original entries are hits again");
}
