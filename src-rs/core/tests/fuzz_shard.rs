//! A file of unknown origin said that its first entry was eighteen quintillion bytes long.
#![expect(clippy::unwrap_used, reason = "tests may panic")]

mod fuzzing;
mod simulation;
use fuzzing::{Counting, corpus, mutate, peak_of, places, seal, vouch};
use simulation::disk::Door;
use simulation::platter::Image;
use simulation::workload::{Action, Actor, PATH, World, find_all};
use simulation::{Budget, Random};
use std::path::Path;
use std::sync::Arc;
use warmshard_core::sidecar::path_for;
use warmshard_core::{Job, Options, PutMeta, Shard, Validator};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Memory that a handle may use: so many bytes, plus so many for each byte of the file.
const BASE: usize = 4 << 20;
const TIMES: usize = 24;
/// Bytes that all the work below may read: so many, plus so many for each byte of the file.
const READ_BASE: u64 = 64 << 20;
const READ_TIMES: u64 = 4096;

fn options() -> Options {
    Options { auto_compact: false, lock_timeout_ms: 1000, ..Options::default() }
}

/// Shards that were written in the usual way.
fn specimens() -> Vec<Image> {
    let world = World::new(&Default::default(), 0, true);
    let mut out = Vec::new();
    let long: Vec<Action> = (0..70).map(|i| Action::Put(i % 6)).collect();
    let some = [Action::Put(0), Action::Merge, Action::Delete(0), Action::Put(1)];
    let works: [&[Action]; 6] = [
        &some,
        &[&some[..], &[Action::Flush, Action::Put(2)]].concat(),
        &[&some[..], &[Action::Compact, Action::Merge]].concat(),
        &[&long[..], &[Action::Reopen, Action::Flush]].concat(),
        &[Action::MergeMany, Action::Flush, Action::Put(3), Action::PutLong(4)],
        &[Action::Replace, Action::Compact, Action::Put(0), Action::Flush, Action::Merge],
    ];
    for work in works {
        let door = Door::new(Image::new(), 1, false);
        let mut actor = Actor::new(door.clone(), Arc::clone(&world), options());
        work.iter().for_each(|action| actor.act(*action));
        drop(actor);
        out.push(door.image());
    }
    let image = |bytes| Image::from([(PATH.into(), bytes)]);
    out.extend(corpus("shard").into_iter().map(image));
    assert_eq!(world.complaints(), Vec::<String>::new());
    out
}

/// Runs all kinds of calls on a file with arbitrary bytes. A wrong value is an error, unless the checksums were
/// recomputed (`sealed`): then it cannot be detected.
fn live_with(door: &Door, sealed: bool) -> Result<(), String> {
    let path = Path::new(PATH);
    for read_only in [true, false] {
        let options = Options { read_only, mapped: read_only, ..options() };
        let mut shard = Shard::open_on(Arc::new(door.clone()), path, options).map_err(|e| e.to_string())?;
        let found = find_all(&mut shard);
        if !sealed {
            found?;
        }
        let _ = shard.list();
        shard.stats();
        shard.verify(&Job::default()).map_err(|e| e.to_string())?;
        if read_only {
            continue;
        }
        shard.put(b"here", &[b"works"], PutMeta::default()).map_err(|e| e.to_string())?;
        shard.merge_in(&Job::default(), |b| b.put(b"there", &[b"works"], PutMeta::default())).unwrap();
        shard.flush().map_err(|e| e.to_string())?;
        shard.compact(&Job::default()).map_err(|e| e.to_string())?;
        for key in [&b"here"[..], b"there"] {
            match shard.get(key, &Validator::None) {
                Ok(warmshard_core::Lookup::Hit(hit))
                    if shard.read_part(&hit, 0).as_deref() == Some(b"works") => {}
                other => return Err(format!("{key:?} is {other:?}")),
            }
        }
    }
    Ok(())
}

#[test]
fn arbitrary_bytes_cost_little_and_give_no_wrong_values() {
    let mut budget = Budget::new("files of any bytes", "WARMSHARD_FUZZ_INPUTS", 6_000);
    let specimens = specimens();
    let (path, page) = (Path::new(PATH), path_for(Path::new(PATH)));
    while let Some(seed) = budget.next_seed() {
        let mut random = Random::new(seed);
        let choose = |random: &mut Random| &specimens[random.next(specimens.len() as u64) as usize];
        let (mut image, other) = (choose(&mut random).clone(), choose(&mut random).clone());
        let sealed = random.one_in(2);
        let same_boot = random.one_in(3);
        if let Some(bytes) = image.get_mut(&page).filter(|_| random.one_in(3)) {
            mutate(bytes, &[], &mut random);
        }
        let bytes = image.get_mut(path).unwrap();
        let frames = places(bytes);
        if !random.one_in(6) {
            mutate(bytes, &other[path], &mut random);
        }
        if sealed {
            if random.one_in(2) {
                vouch(bytes, &frames);
            }
            seal(bytes, &frames);
        }
        let len = bytes.len();
        if !same_boot {
            image.remove(&page);
        }
        let door = Door::new(image, if same_boot { 1 } else { 2 }, false);
        door.forget();
        let (peak, lived) = peak_of(|| live_with(&door, sealed));
        let read = door.platter().read;
        let what = format!("seed {seed}, {len} bytes, sealed {sealed}, same boot {same_boot}");
        // Puts into a forged file may fail.
        if let Err(wrong) = lived
            && !sealed
        {
            panic!("{what}: {wrong}");
        }
        assert!(peak <= BASE + TIMES * len, "{what}: {peak} bytes of memory");
        assert!(read <= READ_BASE + READ_TIMES * len as u64, "{what}: {read} bytes read");
        budget.count(1);
    }
}

/// Writes small specimens to the corpus: `cargo test --test fuzz_shard -- --ignored`.
#[test]
#[ignore = "writes into the repository"]
fn make_corpus() {
    for (n, image) in specimens().iter().take(4).enumerate() {
        let to = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/corpus/usual-{n}.shard"));
        std::fs::write(to, image.get(Path::new(PATH)).unwrap()).unwrap();
    }
}
