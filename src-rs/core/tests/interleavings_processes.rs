//! Two builds put at the same time, one of them was killed, and the other went on reading what no longer existed.
//!
//! Here simulated processes are interrupted or killed between any two of their calls: in all orders for short
//! scenarios, in many orders for longer ones.
#![expect(clippy::panic, clippy::unwrap_used, clippy::indexing_slicing, reason = "tests may panic")]

mod simulation;
use simulation::cut::Moment;
use simulation::disk::Door;
use simulation::history::Found;
use simulation::kept::Kept;
use simulation::platter::Image;
use simulation::schedule::{Order, Plan, Schedule};
use simulation::turn::Alone;
use simulation::workload::{Action, Actor, PATH, World, by_chance, find_all};
use simulation::{Budget, Random};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use warmshard_core::limits::{IDENTITY_CHECK_MS, RECENCY_EPOCH_MS};
use warmshard_core::{Job, Options, Shard};

/// What each process does, and what is done before.
#[derive(Debug, Clone)]
struct Scenario {
    before: Vec<Action>,
    processes: Vec<Vec<Action>>,
    /// Whether handles are opened before the first turn.
    open: bool,
    /// Whether the shard can be mapped: then single puts lock only the file.
    mapped: bool,
    /// Whether files are moved or deleted from outside, so that entries may be lost.
    meddled: bool,
    /// Whether processes keep answers of look-ups.
    keep: bool,
}

fn options() -> Options {
    Options { auto_compact: false, lock_timeout_ms: 2000, ..Options::default() }
}

/// The result of a run.
struct Ran {
    /// Number of calls of all processes, and of the first one.
    calls: u64,
    of_first: u64,
    /// Number of kept answers that were given again.
    given: u64,
}

/// Runs a scenario once.
fn run(scenario: &Scenario, plan: &Plan, cuts: u64) -> Ran {
    let complain = |wrong: &str| -> ! { panic!("{wrong}\nin {scenario:?}\nby {plan:?}") };
    let door = Door::new(Image::new(), 1, scenario.mapped);
    let world = if scenario.meddled { World::meddled() } else { World::new(&Found::new(), 0, true) };
    let mut setup = Actor::new(door.clone(), Arc::clone(&world), options());
    scenario.before.iter().for_each(|action| setup.act(*action));
    drop(setup);
    let schedule = Schedule::new(scenario.processes.len(), plan.clone());
    let mut actors = Vec::new();
    for _ in &scenario.processes {
        let mut actor = Actor::new(door.for_process(Arc::new(Alone)), Arc::clone(&world), options());
        if scenario.open {
            actor.open();
        }
        actor.kept = scenario.keep.then(|| Kept::counting(&world.given));
        actors.push(actor);
    }
    std::thread::scope(|scope| {
        for (number, (mut actor, actions)) in actors.into_iter().zip(&scenario.processes).enumerate() {
            let schedule = &schedule;
            scope.spawn(move || {
                let process = Arc::new(schedule.process(number));
                process.begin();
                actor.take_turns(Arc::clone(&process));
                for action in actions {
                    actor.act(*action);
                }
                drop(actor);
                process.end();
            });
        }
    });
    if schedule.went_in_circles() {
        complain("a process is in an endless loop");
    }
    if let Some(wrong) = world.complaints().first() {
        complain(wrong);
    }
    if let Err(wrong) = check(&door, &world, cuts) {
        complain(&wrong);
    }
    let (calls, each) = schedule.calls();
    Ran { calls, of_first: each[0], given: world.given.load(Ordering::SeqCst) }
}

/// Checks what is found afterwards, and after power cuts at `cuts` random moments.
fn check(door: &Door, world: &World, cuts: u64) -> Result<(), String> {
    let end = door.tick();
    let log = door.platter().log.clone();
    let open = |read_only: bool| {
        let options = Options { read_only, ..options() };
        Shard::open_on(Arc::new(door.clone()), Path::new(PATH), options).map_err(|e| e.to_string())
    };
    let found = find_all(&mut open(true)?)?;
    let mut shard = open(false)?;
    let again = find_all(&mut shard)?;
    if found != again {
        return Err(format!("a writer finds {again:?}, a reader {found:?}"));
    }
    let report = shard.verify(&Job::default()).map_err(|e| e.to_string())?;
    if !report.is_sound() {
        return Err(format!("{report:?}"));
    }
    if world.meddled {
        return Ok(());
    }
    let history = world.history.lock().unwrap();
    history.check_now(&found, end)?;
    let mut random = Random::new(end);
    for _ in 0..cuts {
        let at = random.next(log.changes.len() as u64 + 1) as usize;
        let mut moment = Moment::start(&log);
        log.changes[..at].iter().for_each(|(_, change)| moment.go_on(change));
        let time = log.changes.get(at).map_or(end, |(time, _)| *time);
        let variants = moment.variants(&mut random);
        let variant = &variants[random.next(variants.len() as u64) as usize];
        let left = Arc::new(Door::new(moment.image(variant), 2, false));
        let shard = Shard::open_on(left, Path::new(PATH), options());
        let found = find_all(&mut shard.map_err(|e| e.to_string())?)?;
        history.check_cut(&found, time).map_err(|wrong| format!("cut before {at}, {variant:?}: {wrong}"))?;
    }
    Ok(())
}

/// Time after which handles check their paths again, in milliseconds.
const LOOK_MS: u64 = IDENTITY_CHECK_MS + 50;

const FILLED: [Action; 5] = [Action::Put(0), Action::Merge, Action::Put(1), Action::Flush, Action::Put(0)];

fn pair(a: &[Action], b: &[Action]) -> Scenario {
    let processes = vec![a.to_vec(), b.to_vec()];
    Scenario { before: FILLED.to_vec(), processes, open: true, mapped: true, meddled: false, keep: false }
}

/// All pairs of actions that can interfere with each other.
fn pairs() -> Vec<Scenario> {
    use Action::*;
    let acts: [&[Action]; 8] = [
        &[Put(0), Get(0)],
        &[Get(0), GetBatch, Get(0)],
        &[Merge, Get(1)],
        &[Flush],
        &[Compact, Get(0)],
        &[Replace],
        &[RemoveFile, Put(2)],
        &[Delete(0), Get(0)],
    ];
    let mut out = Vec::new();
    for (n, a) in acts.iter().enumerate() {
        for b in acts.iter().skip(n) {
            out.push(pair(a, b));
            out.push(Scenario { open: false, mapped: false, before: Vec::new(), ..pair(a, b) });
        }
    }
    let acts: [&[Action]; 6] = [
        &[Put(0), Get(0), Get(0)],
        &[Merge, Get(1), Get(1)],
        &[Compact, Get(0), Get(0)],
        &[Replace, Get(0), Get(0)],
        &[RemoveFile, Put(0), Get(0), Get(0)],
        &[Delete(0), Get(0), Put(0)],
    ];
    for by in acts {
        out.push(Scenario { keep: true, ..pair(by, &[Get(0), Get(0), Get(1), Get(0), Get(1), Get(0)]) });
    }
    for lost in [LoseSidecar, LoseShard, MoveShard] {
        for a in [&[Put(0), Get(0)][..], &[Merge], &[Compact], &[Flush, Put(1)]] {
            out.push(Scenario { meddled: true, ..pair(a, &[lost, Put(2), Get(0)]) });
        }
    }
    out
}

/// Scenarios in which kept answers must be dropped although the generation may be the same: files deleted or
/// moved away by others, another epoch of the recency table, the end of lending, and a handle that cannot
/// catch up.
fn eras() -> Vec<Scenario> {
    use Action::*;
    const GETS: [Action; 5] = [Get(0); 5];
    let mut out = Vec::new();
    let kept = |keeper: &[Action], other: &[Action]| Scenario {
        keep: true,
        ..pair(&[&GETS, keeper, &GETS].concat(), other)
    };
    for lost in [LoseSidecar, LoseShard, MoveShard] {
        for other in [&[lost, Wait(LOOK_MS)][..], &[lost, Put(0), Wait(LOOK_MS)]] {
            out.push(Scenario { meddled: true, ..kept(&[], other) });
        }
    }
    out.push(kept(&[], &[Wait(RECENCY_EPOCH_MS)]));
    out.push(kept(&[Wait(RECENCY_EPOCH_MS)], &[Put(1)]));
    out.push(kept(&[StopLending], &[Put(1)]));
    for other in [Put(0), Delete(0), Replace, Compact] {
        out.push(kept(&[GetBlindly(0), GetBlindly(0), GetBlindly(0)], &[other]));
    }
    out
}

/// Runs a scenario in all orders with one switch between the processes, and with every `step`-th of those with two
/// switches or a death. For a large `step`, some of the former are left out, too.
fn all_runs(scenario: &Scenario, step: u64, from: u64, budget: &mut Budget) {
    let plan = |switches: Vec<(u64, usize)>, death| Plan { order: Order::Switches(switches), death };
    let total = run(scenario, &plan(Vec::new(), None), 1).calls;
    let mut number = from;
    let mut turn = |n: u64| {
        number += 1;
        number.is_multiple_of(n)
    };
    for first in 1..=total {
        if turn(step.div_ceil(4).max(1)) {
            run(scenario, &plan(vec![(first, 1)], None), 1);
            budget.count(1);
        }
        for who in 0..2 {
            if turn(step) {
                // One process dies at this call, before or after the first switch, and the other one goes on.
                run(scenario, &plan(vec![(first * 7 % total + 1, 1)], Some((who, first))), 1);
                budget.count(1);
            }
        }
        for second in first + 1..=total {
            if turn(step * 8) {
                run(scenario, &plan(vec![(first, 1), (second, 0)], None), 1);
                budget.count(1);
            }
        }
    }
}

#[test]
fn two_processes_in_every_order_lose_nothing_and_see_no_half_batch() {
    let mut budget = Budget::new("interleavings of two", "WARMSHARD_SIM_INTERLEAVINGS", 4_000);
    let scenarios = pairs();
    let step = (600_000 / budget.limit().max(1)).max(1);
    while let Some(seed) = budget.next_seed() {
        let scenario = &scenarios[(seed as usize - 1) % scenarios.len()];
        all_runs(scenario, step, seed, &mut budget);
    }
}

#[test]
fn a_kept_answer_is_what_the_handle_would_answer() {
    let mut budget = Budget::new("interleavings of kept answers", "WARMSHARD_SIM_INTERLEAVINGS", 1_000);
    let scenarios = eras();
    for scenario in &scenarios {
        let others_turn_at = |call| Plan { order: Order::Switches(vec![(call, 1)]), death: None };
        let ran = run(scenario, &others_turn_at(0), 0);
        let given: u64 = (1..=ran.of_first).map(|call| run(scenario, &others_turn_at(call), 0).given).sum();
        assert!(given > 0, "nothing was kept in {scenario:?}");
        budget.count(ran.of_first);
    }
    let step = (600_000 / budget.limit().max(1)).max(1);
    while let Some(seed) = budget.next_seed() {
        all_runs(&scenarios[(seed as usize - 1) % scenarios.len()], step, seed, &mut budget);
    }
}

#[test]
fn three_processes_in_many_orders_with_deaths_lose_nothing() {
    let mut budget = Budget::new("interleavings of three", "WARMSHARD_SIM_INTERLEAVINGS", 1_500);
    while let Some(seed) = budget.next_seed() {
        let mut random = Random::new(seed);
        let processes =
            (0..3).map(|_| (0..2 + random.next(5)).map(|_| by_chance(&mut random)).collect()).collect();
        let (open, mapped) = (random.one_in(2), !random.one_in(3));
        let before = if random.one_in(4) { Vec::new() } else { FILLED.to_vec() };
        let scenario = Scenario { before, processes, open, mapped, meddled: false, keep: random.one_in(3) };
        let death = random.one_in(2).then(|| (random.next(3) as usize, 1 + random.next(300)));
        let often = [2, 6, 20, 60][random.next(4) as usize];
        let plan = Plan { order: Order::Chance(random.clone(), often), death };
        run(&scenario, &plan, 4);
        budget.count(1);
    }
}
