//! Files with arbitrary contents.

use super::*;
use std::os::unix::fs::PermissionsExt;

pub fn write(path: &Path, bytes: &[u8]) {
    std::fs::write(path, bytes).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

/// Checks that a shard can be opened at this path and works, whatever file is there.
pub fn works(path: &Path, what: &str) {
    for options in [read_only(), unmapped(), quiet()] {
        let writes = !options.read_only;
        let mut shard = Shard::open(path, options).unwrap_or_else(|e| panic!("{what}: {e}"));
        get(&mut shard, "k");
        let _ = shard.list();
        shard.stats();
        shard.verify(&Job::default()).unwrap();
        if writes {
            put(&mut shard, "k", b"works");
            merge(&mut shard, &[("l", b"works"), ("m", b"works")]);
            for shard in [&mut shard, &mut open(path)] {
                assert_eq!(get(shard, "k").as_deref(), Some(&b"works"[..]), "{what}");
                assert_eq!(get(shard, "m").as_deref(), Some(&b"works"[..]), "{what}");
            }
            shard.flush().unwrap();
            shard.compact(&Job::default()).unwrap();
            assert_eq!(get(&mut shard, "k").unwrap(), b"works", "{what}");
        }
    }
}
