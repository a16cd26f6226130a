//! Bytes that were lent to a running program changed when the cache was compacted.
#![expect(
    unsafe_code,
    clippy::unwrap_used,
    clippy::panic,
    reason = "tests may panic, and read lent memory as the binding does"
)]

mod common;
use common::*;
use warmshard_core::limits::{WINDOW_LEN, WINDOW_STRIDE};
use warmshard_core::mapping::Window;
use warmshard_core::shard::{Lent, Loan, OWN_WINDOW};
use warmshard_core::{Job, Lookup, Shard, Validator};

fn bytes(window: &Window, offset: u32, len: u32) -> Vec<u8> {
    assert!(offset as usize + len as usize <= window.len());
    // SAFETY: within the mapping, which lives as long as `window`.
    unsafe { std::slice::from_raw_parts(window.as_mut_ptr().add(offset as usize), len as usize) }.to_vec()
}

/// Borrows the bytes of a key, with a new window if necessary. `None` if they must be copied.
fn borrow(shard: &mut Shard, windows: &mut Vec<Lent>, key: &str) -> Option<(usize, u32, u32)> {
    let Lookup::Hit(hit) = shard.get(key.as_bytes(), &Validator::None).unwrap() else { panic!("{key}") };
    if shard.loan(hit.offset, hit.len) == Loan::NeedsWindow {
        let lent = shard.window_for(hit.offset, hit.len)?;
        windows.push(lent);
        let lent = windows.last().unwrap();
        if lent.id == OWN_WINDOW {
            return Some((windows.len() - 1, (hit.offset - lent.start) as u32, hit.len));
        }
    }
    match shard.loan(hit.offset, hit.len) {
        Loan::Window { id, offset } => {
            let at = windows.iter().rposition(|w| w.id == id).unwrap();
            Some((at, offset, hit.len))
        }
        _ => None,
    }
}

#[test]
fn lent_bytes_stay_valid_whatever_happens_to_the_shard() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.shard");
    let mut shard = open(&path);
    let mut windows = Vec::new();
    let mut lent = Vec::new();
    let mut copied = 0;
    for round in 0..6u64 {
        for i in 0..20u64 {
            let key = format!("k{i}");
            let value = telling(&key, round, 30_000 + i as usize);
            put(&mut shard, &key, &value);
            match borrow(&mut shard, &mut windows, &key) {
                Some(place) => lent.push((place, value)),
                None => {
                    copied += 1;
                    assert_eq!(get(&mut shard, &key).unwrap(), value);
                }
            }
        }
        match round {
            1 | 4 => drop(shard.compact(&Job::default()).unwrap()),
            2 => drop(
                shard.replace_all(&Job::default(), |b| b.put(b"k1", &[b"x"], Default::default())).unwrap(),
            ),
            3 => shard.clear().unwrap(),
            _ => drop(open(&path).compact(&Job::default()).unwrap()),
        }
    }
    shard.close();
    std::fs::remove_dir_all(dir.path()).unwrap();
    assert!(lent.len() >= 10 && copied > 0, "{} lent, {copied} copied", lent.len());
    for ((at, offset, len), value) in lent {
        assert_eq!(bytes(&windows[at].window, offset, len), value);
    }
}

#[test]
fn a_stray_write_to_lent_bytes_stays_in_the_process() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.shard");
    let mut shard = open(&path);
    put(&mut shard, "k", b"precious");
    let mut windows = Vec::new();
    let (at, offset, _) = borrow(&mut shard, &mut windows, "k").unwrap();
    // SAFETY: a private mapping that only this test writes to.
    unsafe { *windows[at].window.as_mut_ptr().add(offset as usize) = b'X' };
    assert_eq!(bytes(&windows[at].window, offset, 8), b"Xrecious");
    assert_eq!(get(&mut shard, "k").unwrap(), b"precious");
    assert_eq!(get(&mut open(&path), "k").unwrap(), b"precious");
}

#[test]
fn entries_across_strides_and_of_any_size_are_found() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.shard");
    let mut shard = open(&path);
    let sizes = [WINDOW_STRIDE - 5000, 10_000, WINDOW_STRIDE + 1, WINDOW_LEN + 1, 3, 0];
    for (n, size) in sizes.iter().enumerate() {
        put(&mut shard, &format!("k{n}"), &vec![n as u8 + 1; *size as usize]);
    }
    for shard in [&mut shard, &mut open(&path)] {
        let mut windows = Vec::new();
        for (n, size) in sizes.iter().enumerate() {
            match borrow(shard, &mut windows, &format!("k{n}")) {
                Some((at, offset, len)) => {
                    let bytes = bytes(&windows[at].window, offset, len);
                    assert!(bytes.len() as u64 == *size && bytes.iter().all(|b| *b == n as u8 + 1));
                }
                None => panic!("k{n}, {size} bytes, was not lent"),
            }
        }
    }
}

#[test]
fn nothing_is_lent_if_it_is_forbidden_or_not_mapped() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.shard");
    put(&mut open(&path), "k", b"1");
    let mut forbidden = open(&path);
    forbidden.never_lend();
    for shard in [&mut forbidden, &mut Shard::open(&path, unmapped()).unwrap()] {
        let Lookup::Hit(hit) = shard.get(b"k", &Validator::None).unwrap() else { panic!() };
        assert_eq!(shard.loan(hit.offset, hit.len), Loan::Copy);
        let mut one = [0];
        assert!(shard.copy(hit.offset, &mut one) && one == *b"1");
        assert!(!shard.copy(1 << 40, &mut one) && !shard.copy(u64::MAX, &mut one));
    }
    assert_eq!(forbidden.window(1 << 40).map(drop), None);
    assert_eq!(forbidden.window(u64::MAX).map(drop), None);
}
