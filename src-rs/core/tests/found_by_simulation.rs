//! Bugs that the simulations found, each as a test of its own. For one: the flush had returned, and the entry
//! was gone.
#![expect(clippy::unwrap_used, reason = "tests may panic")]

mod simulation;
use simulation::Random;
use simulation::cut::{Mode, Moment, Variant};
use simulation::disk::Door;
use simulation::platter::Image;
use simulation::schedule::{Order, Plan, Schedule};
use std::path::Path;
use std::sync::Arc;
use warmshard_core::frame::{RecordFields, Sealer};
use warmshard_core::header::Header;
use warmshard_core::sidecar::path_for;
use warmshard_core::storage::{Open, Storage};
use warmshard_core::{Digest, Job, Lookup, Options, PutMeta, Shard, Validator, key};

const PATH: &str = "/a.shard";

fn open_with(door: &Door, options: Options) -> Shard {
    let options = Options { auto_compact: false, ..options };
    Shard::open_on(Arc::new(door.clone()), Path::new(PATH), options).unwrap()
}

fn open(door: &Door) -> Shard {
    open_with(door, Options::default())
}

fn put(shard: &mut Shard, key: &str, value: &[u8]) {
    shard.put(key.as_bytes(), &[value], PutMeta::default()).unwrap();
}

fn get(shard: &mut Shard, key: &str) -> Option<Vec<u8>> {
    match shard.get(key.as_bytes(), &Validator::None).unwrap() {
        Lookup::Hit(hit) => shard.read_part(&hit, 0),
        _ => None,
    }
}

/// Writes a word of the page.
fn set_word(door: &Door, word: u64, value: u64) {
    let page = door.open(&path_for(Path::new(PATH)), Open::Write).unwrap().unwrap();
    page.write_at(&value.to_le_bytes(), word * 8).unwrap();
}

/// The disk after a power cut that destroyed everything that was not synced.
fn cut(door: &Door, boot: u64) -> Door {
    let log = door.platter().log.clone();
    let mut moment = Moment::start(&log);
    log.changes.iter().for_each(|(_, change)| moment.go_on(change));
    let count = moment.variants(&mut Random::new(1)).last().unwrap().names.len();
    Door::new(moment.image(&Variant { names: vec![false; count], mode: Mode::Nothing }), boot, false)
}

#[test]
fn a_reader_does_not_take_its_generation_from_a_damaged_page() {
    let door = Door::new(Image::new(), 1, false);
    put(&mut open(&door), "k", b"1");
    set_word(&door, 16, u64::MAX - 7);
    let options = Options { read_only: true, ..Options::default() };
    let generation = open_with(&door, options).generation();
    assert!(generation < 100, "{generation}");
    assert!(open(&door).generation() >= generation);
}

#[test]
fn after_a_page_with_the_highest_generation_puts_are_still_possible() {
    let door = Door::new(Image::new(), 1, false);
    put(&mut open(&door), "k", b"1");
    set_word(&door, 16, warmshard_core::limits::MAX_GENERATION);
    let mut shard = open(&door);
    shard.compact(&Job::default()).unwrap();
    put(&mut shard, "l", b"2");
    assert_eq!(get(&mut open(&door), "l").unwrap(), b"2");
}

#[test]
fn the_generation_rises_although_the_file_was_removed_before_a_power_cut() {
    let door = Door::new(Image::new(), 1, false);
    let mut shard = open(&door);
    (0..5).for_each(|n| put(&mut shard, "k", &[n]));
    shard.flush().unwrap();
    let before = shard.generation();
    shard.remove_file().unwrap();
    assert!(open(&cut(&door, 2)).generation() > before);
}

#[test]
fn a_flush_makes_the_name_of_a_file_durable_whose_writer_died() {
    for death in 1..120 {
        let door = Door::new(Image::new(), 1, false);
        put(&mut open(&door), "k", b"old");
        open(&door).flush().unwrap();
        let plan = Plan { order: Order::Switches(Vec::new()), death: Some((0, death)) };
        let process = Schedule::new(1, plan).process(0);
        let dying = door.for_process(Arc::new(process));
        let dies = Shard::open_on(Arc::new(dying), Path::new(PATH), Options::default());
        drop(dies.map(|mut shard| {
            drop(shard.replace_all(&Job::default(), |b| b.put(b"k", &[b"new"], PutMeta::default())));
        }));
        let mut next = open(&door);
        put(&mut next, "l", b"flushed");
        next.flush().unwrap();
        let mut after = open(&cut(&door, 2));
        assert_eq!(get(&mut after, "l").as_deref(), Some(&b"flushed"[..]), "died at call {death}");
    }
}

#[test]
fn a_look_up_while_the_file_is_replaced_finds_what_was_published_before() {
    let door = Door::new(Image::new(), 1, false);
    let (mut a, mut b) = (open(&door), open(&door));
    put(&mut a, "k", b"1");
    assert_eq!(get(&mut b, "k").unwrap(), b"1");
    put(&mut a, "k", b"2");
    // Another process begins to replace the file and is interrupted.
    set_word(&door, 8, 1_001);
    assert_eq!(get(&mut b, "k").unwrap(), b"2");
}

#[test]
fn a_flush_does_not_trust_a_page_that_is_being_changed() {
    let door = Door::new(Image::new(), 1, false);
    let mut shard = open(&door);
    put(&mut shard, "k", b"1");
    // Some words of the page are already those of the next file.
    set_word(&door, 12, 1 << 30);
    set_word(&door, 15, 0);
    set_word(&door, 8, 1_001);
    shard.flush().unwrap();
    assert_eq!(get(&mut open(&cut(&door, 2)), "k").unwrap(), b"1");
}

#[test]
fn a_flush_brings_file_and_settled_page_together() {
    for generation in [None, Some(0)] {
        let door = Door::new(Image::new(), 1, false);
        let mut shard = open(&door);
        put(&mut shard, "k", b"1");
        if let Some(generation) = generation {
            set_word(&door, 16, generation);
            assert_eq!(get(&mut shard, "k").unwrap(), b"1");
        }
        // The page is settled and has the generation that the handle knows, but belongs to another file.
        set_word(&door, 9, 7);
        set_word(&door, 8, 1_000);
        shard.flush().unwrap();
        assert_eq!(get(&mut open(&cut(&door, 2)), "k").unwrap(), b"1", "{generation:?}");
    }
}

#[test]
fn frames_of_two_changes_are_not_one_batch() {
    let fields = |key: &'static [u8], seed: u64| RecordFields {
        key,
        key_hash: key::hash(key, seed),
        producer: Options::default().producer.id().unwrap(),
        name: "",
        version: "",
        validator_kind: 0,
        validator: &[],
        parts: &[b"value"],
        expires_ms: 0,
        cached_ns: 0,
    };
    for (first, second, whole) in [(5, 6, false), (6, 5, false), (5, 5, false), (6, 6, true)] {
        let header = Header::new(Digest::Xxh3, 0).unwrap();
        let sealer = Sealer::new(header.check_seed(), Digest::Xxh3);
        let mut bytes = header.encode("", "");
        for (key, generation) in [(&b"a"[..], first), (b"b", second)] {
            let at = bytes.len() as u64;
            sealer.record(&mut bytes, at, generation, 1, &fields(key, header.seed));
        }
        let at = bytes.len() as u64;
        sealer.commit(&mut bytes, at, 6, 4096, 2);
        let mut shard = open(&Door::new(Image::from([(PATH.into(), bytes)]), 1, false));
        let found = (get(&mut shard, "a").is_some(), get(&mut shard, "b").is_some());
        assert_eq!(found, (whole, whole), "{first}, {second}");
    }
}
