//! The power failed at one bad moment in a thousand, after which half of a batch was there.
//!
//! Here the power is cut at every moment, and for each every state is tried in which the disk may be then.
#![expect(clippy::panic, reason = "tests may panic")]

mod simulation;
use simulation::cut::{Moment, Variant};
use simulation::disk::Door;
use simulation::history::Found;
use simulation::platter::Image;
use simulation::turn::{Alone, Failing, Turn};
use simulation::workload::{Actor, PATH, World, by_chance, find_all};
use simulation::{Budget, Random};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use warmshard_core::{Job, Options, PutMeta, Shard};

fn options() -> Options {
    Options { auto_compact: false, lock_timeout_ms: 1000, ..Options::default() }
}

fn open(image: &Image, boot: u64, read_only: bool) -> Shard {
    let door = Arc::new(Door::new(image.clone(), boot, false));
    Shard::open_on(door, Path::new(PATH), Options { read_only, ..options() })
        .unwrap_or_else(|error| panic!("it does not open: {error}"))
}

/// Checks a disk after a power cut, and that all handles find the same. Returns what they find, or what is wrong.
fn check(
    image: &Image,
    boot: u64,
    world: &World,
    cut: u64,
    thorough: bool,
) -> std::result::Result<Found, String> {
    let (found, generation) = {
        let mut reader = open(image, boot, true);
        (find_all(&mut reader)?, reader.generation())
    };
    let history = world.history.lock().unwrap_or_else(|e| e.into_inner());
    history.check_cut(&found, cut)?;
    let flushed = history.flushed_generation(cut);
    // When a file is removed, the generation is preserved by a sync, which may have failed if not `strict`.
    if generation < flushed && world.strict {
        return Err(format!("the generation went back from {flushed} to {generation}"));
    }
    drop(history);
    let door = Door::new(image.clone(), boot, false);
    let again = |what: &str| {
        let mut shard = Shard::open_on(Arc::new(door.clone()), Path::new(PATH), options())
            .map_err(|error| format!("{what}: {error}"))?;
        if shard.generation() < generation {
            return Err(format!(
                "{what}: the generation went back from {generation} to {}",
                shard.generation()
            ));
        }
        let now = find_all(&mut shard)?;
        if now == found { Ok(shard) } else { Err(format!("{what} finds {now:?}, a reader {found:?}")) }
    };
    let failed = |error: warmshard_core::Error| error.to_string();
    let mut shard = again("a writer")?;
    shard.put(b"anchor", &[b"1"], PutMeta::default()).map_err(failed)?;
    drop(shard);
    let mut shard = again("a handle opened after a put")?;
    if thorough {
        shard.compact(&Job::default()).map_err(failed)?;
        let report = again("a handle opened after a compaction")?.verify(&Job::default()).map_err(failed)?;
        if !report.is_sound() {
            return Err(format!("{report:?}"));
        }
    }
    Ok(found)
}

/// One boot of the machine: does some work, then checks all power cuts. Returns one of the states, and what is
/// found in it.
fn boot(seed: u64, number: u64, image: &Image, found: &Found, budget: &mut Budget) -> (Image, Found) {
    let mut random = Random::new(seed * 16 + number);
    let failing = random.one_in(3);
    let world = World::new(found, number * 1_000_000, !failing);
    let door = Door::new(image.clone(), number, false);
    let (left, calls) = (AtomicI64::new(random.next(60) as i64), 1 + random.next(4) as i64);
    let turn: Arc<dyn Turn> = if failing { Arc::new(Failing { left, calls }) } else { Arc::new(Alone) };
    let mapped = random.one_in(2);
    let options = Options { sync_each: random.one_in(8), mapped, ..options() };
    let mut actors: Vec<Actor> = (0..2)
        .map(|_| Actor::new(door.for_process(Arc::clone(&turn)), Arc::clone(&world), options.clone()))
        .collect();
    let steps = 4 + random.next(22) as usize;
    let mut done = Vec::new();
    for _ in 0..steps {
        let (who, action) = (random.next(2) as usize, by_chance(&mut random));
        done.push((who, action));
        if let Some(actor) = actors.get_mut(who) {
            actor.act(action);
        }
    }
    drop(actors);
    let complain = |wrong: String| -> ! { panic!("seed {seed}, boot {number}: {wrong}\nafter {done:?}") };
    if let Some(wrong) = world.complaints().into_iter().next() {
        complain(wrong);
    }
    let end = door.tick();
    let log = door.platter().log.clone();
    let mut moment = Moment::start(&log);
    let mut states: Vec<(Image, Found)> = Vec::new();
    let mut tried = 0u64;
    let mut cut_here = |moment: &Moment, time: u64, what: String, random: &mut Random| {
        for variant in moment.variants(random) {
            tried += 1;
            let left = moment.image(&variant);
            match check(&left, number + 1, &world, time, tried.is_multiple_of(16)) {
                Ok(found) if random.one_in(tried) => states = vec![(left, found)],
                Ok(_) => {}
                Err(wrong) => complain(format!("cut {what}, {}: {wrong}", told(&variant))),
            }
        }
    };
    for (n, (time, change)) in log.changes.iter().enumerate() {
        if moment.is_worth_a_cut(change) {
            cut_here(&moment, *time, format!("before change {n}"), &mut random);
        }
        moment.go_on(change);
    }
    cut_here(&moment, end, "at the end".into(), &mut random);
    budget.count(tried);
    states.pop().unwrap_or_default()
}

fn told(variant: &Variant) -> String {
    format!("{:?}, names {:?}", variant.mode, variant.names)
}

#[test]
fn after_any_power_cut_batches_are_whole_and_everything_flushed_is_there() {
    let mut budget = Budget::new("states after a power cut", "WARMSHARD_SIM_STATES", 20_000);
    while let Some(seed) = budget.next_seed() {
        let (mut image, mut found) = (Image::new(), Found::new());
        for number in 1..4 {
            (image, found) = boot(seed, number, &image, &found, &mut budget);
        }
    }
}
