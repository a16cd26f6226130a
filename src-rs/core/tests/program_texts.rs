//! A transpiler had made a text from a source, there was no room left to record it, and the source itself was served
//! instead.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use warmshard_core::kind::Kind;
use warmshard_core::limits::MAX_PENDING_BYTES;
use warmshard_core::stores::program::{Loaded, PARTS, Programs, Wrap};
use warmshard_core::{Options, Shard};

#[test]
fn the_last_of_many_texts_is_recorded() {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("a.ts");
    fs::write(&source, "source").unwrap();
    let path = source.as_os_str().as_bytes();
    let options = Options { kind: Kind::Program, part_count: PARTS, ..Options::default() };
    let mut shard = Shard::open(&folder.path().join("shard"), options).unwrap();
    let mut programs = Programs::new(b"profile", b"");
    assert!(programs.read(path, Wrap::Bare).is_some());
    let large = vec![b' '; 32 << 20];
    for _ in 0..=MAX_PENDING_BYTES / large.len() {
        programs.replace_text(path, &large, Wrap::Bare);
    }
    programs.replace_text(path, b"made of it", Wrap::Bare);
    assert!(programs.record(path, 4, Some(b"".to_vec()), b"map", &[]));
    programs.publish(&mut shard).unwrap();
    let Loaded::Hit { parts: [text, _, map], .. } = programs.load(&mut shard, path).unwrap() else {
        panic!("nothing is kept");
    };
    assert_eq!((text.as_slice(), map.as_slice()), (&b"made of it"[..], &b"map"[..]));
}

#[test]
fn a_source_whose_text_does_not_fit_is_not_recorded() {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("a.ts");
    fs::write(&source, "source").unwrap();
    let path = source.as_os_str().as_bytes();
    let mut programs = Programs::new(b"profile", b"");
    assert!(programs.read(path, Wrap::Bare).is_some());
    programs.replace_text(path, &vec![b' '; MAX_PENDING_BYTES + 1], Wrap::Bare);
    assert!(!programs.record(path, 4, Some(b"".to_vec()), b"", &[]));
}
