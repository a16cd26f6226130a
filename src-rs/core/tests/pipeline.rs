//! A bit on the disk had flipped, a build was linked from the damaged object, and nothing had noticed.

mod common;
use common::faulty::Faulty;
use common::*;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use warmshard_core::Code;
use warmshard_core::limits::{
    DEFAULT_PIPELINE_BYTES, MAP_BLOB_BYTES, MAX_ARTIFACT_BYTES, MAX_PARALLEL_SYNCS,
};
use warmshard_core::storage::memory::Memory;
use warmshard_core::stores::pipeline::artifact::{Artifact, fingerprint, footer, hex, unseal};
use warmshard_core::stores::pipeline::{FOOTER_LEN, Fingerprint, Pipeline, PipelineMetrics, PipelineOptions};

fn fp(name: &str) -> Fingerprint {
    fingerprint([name.as_bytes()])
}

fn path_of(root: &Path, name: &str) -> PathBuf {
    root.join(format!("{}.bin", hex(&fp(name))))
}

fn open_quiet(root: &Path) -> Pipeline {
    Pipeline::open(root, PipelineOptions::default())
}

/// Reads in every way, and checks that all find the same.
fn look_all_ways(cache: &Pipeline, of: &Fingerprint) -> Option<Vec<u8>> {
    let read = cache.get(of);
    let lent = cache.get_with(of, |artifact| {
        if artifact.is_empty() {
            return artifact.is_sound().then(Vec::new);
        }
        artifact.window().map(|mut w| w.peek(<[u8]>::to_vec))
    });
    assert_eq!(cache.has(of), read.is_some());
    assert!(lent == read, "the mapping has other contents");
    read
}

#[test]
fn the_limits_are_as_in_the_guide() {
    let guide = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/pipeline.md");
    let guide = std::fs::read_to_string(guide).unwrap();
    const { assert!(MAX_ARTIFACT_BYTES == 67_108_864 && FOOTER_LEN == 32) };
    const { assert!(MAX_PARALLEL_SYNCS == 16 && MAP_BLOB_BYTES == 256 << 10 && DEFAULT_PIPELINE_BYTES == 1 << 30) };
    for said in
        ["0 to 67,108,864", "n to n + 31", "sixteen files at a time", "from 256 KiB on", "`maxBytes` (1 GiB)"]
    {
        assert!(guide.contains(said), "{said}");
    }
}

#[test]
fn the_file_is_payload_and_keyed_footer() {
    let root = tempfile::tempdir().unwrap();
    let cache = open_quiet(root.path());
    cache.put(&fp("a"), b"payload").unwrap();
    let bytes = std::fs::read(path_of(root.path(), "a")).unwrap();
    let mut expected = b"payload".to_vec();
    expected.extend(blake3::keyed_hash(&fp("a"), b"payload").as_bytes());
    assert_eq!(bytes, expected);
    assert_eq!(unseal(&fp("a"), &bytes), Some(b"payload".as_slice()));
    assert_eq!(unseal(&fp("b"), &bytes), None);
    assert_eq!(look_all_ways(&cache, &fp("a")).unwrap(), b"payload");
    let plain = *blake3::hash(&[&7u64.to_le_bytes()[..], b"payload"].concat()).as_bytes();
    assert_eq!(fingerprint([b"payload".as_slice()]), plain);
}

#[test]
fn parts_that_are_split_otherwise_make_another_fingerprint() {
    let all: Vec<Fingerprint> =
        [vec!["ab", "c"], vec!["a", "bc"], vec!["abc"], vec!["abc", ""], vec!["", "abc"], vec![""]]
            .into_iter()
            .map(|parts| fingerprint(parts.into_iter().map(str::as_bytes)))
            .collect();
    for (i, one) in all.iter().enumerate() {
        assert!(!all.iter().skip(i + 1).any(|other| other == one), "{i}");
    }
}

#[test]
fn every_wrong_bit_and_every_wrong_length_is_a_miss() {
    for len in [0, 1, 40] {
        let root = tempfile::tempdir().unwrap();
        let cache = open_quiet(root.path());
        let payload = telling("a", 1, len);
        cache.put(&fp("a"), &payload).unwrap();
        let path = path_of(root.path(), "a");
        let whole = std::fs::read(&path).unwrap();
        for bit in 0..whole.len() * 8 {
            let mut bytes = whole.clone();
            *bytes.get_mut(bit / 8).unwrap() ^= 1 << (bit % 8);
            std::fs::write(&path, bytes).unwrap();
            assert!(look_all_ways(&cache, &fp("a")).is_none(), "bit {bit}");
        }
        for cut in 0..whole.len() {
            std::fs::write(&path, whole.get(..cut).unwrap()).unwrap();
            assert!(look_all_ways(&cache, &fp("a")).is_none(), "cut to {cut}");
        }
        for more in 1..70 {
            std::fs::write(&path, [whole.as_slice(), &vec![0; more]].concat()).unwrap();
            assert!(look_all_ways(&cache, &fp("a")).is_none(), "{more} more");
        }
        cache.put(&fp("a"), &payload).unwrap();
        assert_eq!(look_all_ways(&cache, &fp("a")).unwrap(), payload);
    }
}

#[test]
fn a_file_under_another_name_and_a_sparse_giant_are_misses() {
    let root = tempfile::tempdir().unwrap();
    let cache = open_quiet(root.path());
    cache.put(&fp("a"), b"payload").unwrap();
    std::fs::copy(path_of(root.path(), "a"), path_of(root.path(), "b")).unwrap();
    assert!(look_all_ways(&cache, &fp("b")).is_none());
    let giant = std::fs::File::options().write(true).open(path_of(root.path(), "b")).unwrap();
    for len in [MAX_ARTIFACT_BYTES + FOOTER_LEN as u64 + 1, 1 << 40] {
        giant.set_len(len).unwrap();
        // If it takes longer, the file was read.
        at_best(Duration::from_secs(1), || {
            let started = Instant::now();
            assert!(look_all_ways(&cache, &fp("b")).is_none());
            Some(started.elapsed())
        });
    }
}

#[test]
fn a_payload_of_the_greatest_length_is_kept_and_one_more_byte_refused() {
    let root = tempfile::tempdir().unwrap();
    let cache = open_quiet(root.path());
    let mut payload = vec![7; usize::try_from(MAX_ARTIFACT_BYTES).unwrap()];
    cache.put(&fp("a"), &payload).unwrap();
    assert!(cache.has(&fp("a")));
    payload.push(7);
    assert_eq!(cache.put(&fp("a"), &payload).unwrap_err().code(), Code::TooLarge);
    // The same payload, written with a footer by another program.
    payload.extend(footer(&fp("b"), &payload));
    std::fs::write(path_of(root.path(), "b"), &payload).unwrap();
    assert!(!cache.has(&fp("b")) && unseal(&fp("b"), &payload).is_none());
    assert_eq!(cache.metrics().rejected_puts, 1);
}

#[test]
fn a_flush_that_fails_is_counted_and_leaves_everything_pending() {
    let root = tempfile::tempdir().unwrap();
    let broken = Arc::new(AtomicBool::new(false));
    let switch = Arc::clone(&broken);
    let storage = Faulty::new(warmshard_core::storage::disk::Disk::default(), move |what, path| {
        if switch.load(Ordering::SeqCst) {
            return Err(warmshard_core::Error::io(what, path, std::io::ErrorKind::StorageFull.into()));
        }
        Ok(())
    });
    let cache = Pipeline::open_on(storage, root.path(), PipelineOptions::default());
    for name in ["a", "b", "c"] {
        cache.put(&fp(name), b"12345678").unwrap();
    }
    assert_eq!((cache.pending().files, cache.pending().bytes), (3, 120));
    broken.store(true, Ordering::SeqCst);
    assert_eq!(cache.flush().unwrap_err().code(), Code::NoSpace);
    assert_eq!(cache.put(&fp("d"), b"x").unwrap_err().code(), Code::NoSpace);
    assert_eq!((cache.pending().files, cache.pending().bytes), (3, 120));
    assert_eq!(cache.get(&fp("a")).unwrap(), b"12345678");
    broken.store(false, Ordering::SeqCst);
    cache.flush().unwrap();
    assert_eq!((cache.pending().files, cache.pending().bytes), (0, 0));
    let expected = PipelineMetrics {
        lookups: 1,
        hits: 1,
        puts: 3,
        rejected_puts: 1,
        flushes: 2,
        flush_errors: 1,
        entries: 3,
        cached_bytes: 120,
        ..PipelineMetrics::default()
    };
    assert_eq!(cache.metrics(), expected);
}

#[test]
fn the_oldest_files_are_evicted_first() {
    let memory = Memory::new();
    let root = Path::new("/cache");
    let options = PipelineOptions { max_bytes: 1000, ..PipelineOptions::default() };
    let cache = Pipeline::open_on(Arc::new(memory.clone()), root, options);
    // Neither is the file of an artifact: both stay and are not counted.
    for other in ["README", "0123.bin"] {
        let file = memory.clone();
        warmshard_core::storage::Storage::open(
            &file,
            &root.join(other),
            warmshard_core::storage::Open::Create,
        )
        .unwrap();
        memory.set_bytes(&root.join(other), vec![0; 5000]);
    }
    for n in 0..20 {
        cache.put(&fp(&n.to_string()), &[1; 68]).unwrap();
        assert!(cache.metrics().cached_bytes <= 1100, "over the bound by at most an eighth");
    }
    cache.flush().unwrap();
    let kept: Vec<u32> = (0..20).filter(|n| cache.has(&fp(&n.to_string()))).collect();
    assert_eq!(kept, (10..20).collect::<Vec<_>>());
    let metrics = cache.metrics();
    assert_eq!((metrics.entries, metrics.cached_bytes), (10, 1000));
    assert_eq!((metrics.evictions, metrics.evicted_bytes), (10, 1000));
    assert_eq!(cache.put(&fp("large"), &[1; 969]).unwrap_err().code(), Code::TooLarge);
    cache.put(&fp("large"), &[1; 968]).unwrap();
    cache.flush().unwrap();
    assert_eq!(cache.metrics().entries, 1);
    assert_eq!(cache.clear().unwrap(), 1);
    assert_eq!((cache.metrics().entries, cache.metrics().evictions), (0, 20));
    assert_eq!(cache.pending().files, 0);
}

#[test]
fn a_read_only_cache_changes_nothing() {
    let root = tempfile::tempdir().unwrap();
    open_quiet(root.path()).put(&fp("a"), b"1").unwrap();
    let left = root.path().join(".x.tmp.1.1.01234567");
    std::fs::write(&left, "half").unwrap();
    let cache =
        Pipeline::open(root.path(), PipelineOptions { read_only: true, ..PipelineOptions::default() });
    assert_eq!(cache.get(&fp("a")).unwrap(), b"1");
    assert_eq!(cache.put(&fp("a"), b"2").unwrap_err().code(), Code::ReadOnly);
    assert_eq!(cache.remove(&fp("a")).unwrap_err().code(), Code::ReadOnly);
    assert_eq!(cache.clear().unwrap_err().code(), Code::ReadOnly);
    cache.flush().unwrap();
    assert_eq!((cache.metrics().entries, cache.metrics().flushes), (1, 0));
    assert!(left.exists());
    assert_eq!(open_quiet(root.path()).metrics().entries, 1);
    assert!(!left.exists());
}

#[test]
fn a_window_outlives_its_file() {
    let root = tempfile::tempdir().unwrap();
    let cache = open_quiet(root.path());
    let payload = telling("a", 1, 1 << 20);
    cache.put(&fp("a"), &payload).unwrap();
    let mut window = cache.get_with(&fp("a"), Artifact::window).unwrap();
    cache.put(&fp("a"), b"other").unwrap();
    cache.clear().unwrap();
    assert!(window.peek(|b| b == payload));
}
