//! A reader on another processor saw a generation before the bytes that it published.
//!
//! The code that stores and loads the words of the sidecar's page runs here on loom's model of memory: in
//! every order of steps, and with every value that the model allows for each load. To show that the memory
//! orders are necessary, they are also taken away. `npm run prove:memory-model` allows more switches between
//! threads.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on fails")]

mod memory;

use loom::thread;
use memory::{BOOT, Weak, World, durable, file};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use warmshard_core::sidecar::page::{Durable, Page, Published};

/// Words whose orders are taken away one by one.
const EPOCH: usize = 8;
const GENERATION: usize = 16;

/// Runs a scenario in every way that is possible with a few switches between threads.
fn every_way(scenario: impl Fn(Weak) + Sync + Send + 'static) {
    try_every_way(Weak::default(), scenario);
}

fn try_every_way(weak: Weak, scenario: impl Fn(Weak) + Sync + Send + 'static) {
    let turns = std::env::var("WARMSHARD_MODEL_TURNS").ok().and_then(|turns| turns.parse().ok());
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(turns.unwrap_or(2));
    model.max_branches = 100_000;
    let ways = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&ways);
    model.check(move || {
        count.fetch_add(1, Ordering::Relaxed);
        scenario(weak);
    });
    println!("{} ways", ways.load(Ordering::Relaxed));
}

/// Checks that the model finds a failure if these orders are missing.
fn must_fail(weak: Weak, scenario: impl Fn(Weak) + Sync + Send + 'static) {
    let run = std::panic::AssertUnwindSafe(|| try_every_way(weak, scenario));
    assert!(std::panic::catch_unwind(run).is_err(), "no failure was found without the orders of {weak:?}");
}

const LOADS: Weak = Weak { loads: true, stores: false, fences: false, only: None };
const STORES: Weak = Weak { loads: false, stores: true, fences: false, only: None };
const FENCES: Weak = Weak { loads: false, stores: false, fences: true, only: None };

/// Reads the page twice, as two look-ups do.
fn reads(world: &World, page: &Page<memory::Door>) {
    let mut before = (0, 0);
    for _ in 0..2 {
        let generation = page.generation();
        if let Some(it) = page.published() {
            world.judge(&it);
            assert!(it.generation >= generation, "older than the generation that was seen: {it:?}");
            assert!((it.generation, it.epoch) >= before, "a step back from {before:?}: {it:?}");
            before = (it.generation, it.epoch);
        }
    }
}

/// Reads while another thread writes. Returns what is published in the end.
fn read_beside(weak: Weak, writes: impl FnOnce(&World, &Page<memory::Door>) + 'static) -> Published {
    let world = World::settled(weak);
    let writer = {
        let (world, page) = (Arc::clone(&world), world.page());
        thread::spawn(move || writes(&world, &page))
    };
    reads(&world, &world.page());
    writer.join().unwrap();
    world.page().published().unwrap()
}

fn appended(weak: Weak) {
    let end = read_beside(weak, |world, page| {
        for bytes in 2..=3 {
            world.write(1, bytes);
            page.publish(&file(1, bytes), 1);
        }
    });
    assert_eq!(end.committed, 3);
}

#[test]
fn a_generation_brings_what_it_published() {
    every_way(appended);
}

#[test]
fn without_the_orders_a_generation_does_not_bring_what_it_published() {
    must_fail(LOADS, appended);
    must_fail(STORES, appended);
    must_fail(Weak { only: Some(GENERATION), ..LOADS }, appended);
    must_fail(Weak { only: Some(GENERATION), ..STORES }, appended);
}

fn replaced(weak: Weak) {
    let end = read_beside(weak, |world, page| {
        world.write(2, 1);
        page.publish_file(&file(2, 1), &durable(1));
        world.write(2, 2);
        page.publish(&file(2, 2), 1);
    });
    assert_eq!(end.generation, 12);
}

#[test]
fn words_of_two_files_are_never_read_as_those_of_one() {
    every_way(replaced);
}

#[test]
fn without_the_orders_words_of_two_files_are_read_as_those_of_one() {
    must_fail(LOADS, replaced);
    must_fail(STORES, replaced);
    must_fail(Weak { only: Some(EPOCH), ..LOADS }, replaced);
    must_fail(Weak { only: Some(EPOCH), ..STORES }, replaced);
}

#[test]
fn a_lock_that_changes_hands_loses_no_change() {
    every_way(|weak| {
        let world = World::settled(weak);
        let put = |world: &Arc<World>| {
            let (world, page) = (Arc::clone(world), world.page());
            move || {
                let _locked = world.lock.lock().unwrap();
                let known = page.published().unwrap();
                world.judge(&known);
                world.write(1, known.committed + 1);
                page.publish(&file(1, known.committed + 1), 1);
            }
        };
        let others = [thread::spawn(put(&world)), thread::spawn(put(&world))];
        reads(&world, &world.page());
        for other in others {
            other.join().unwrap();
        }
        let page = world.page();
        assert_eq!((page.generation(), page.durable().appended), (3, 2));
    });
}

/// A writer appends with only the lock of a file, while that file, which was moved away, is replaced by a
/// process that holds the page's lock.
fn replaced_meanwhile(weak: Weak) {
    let world = World::settled(weak);
    let epoch = world.page().epoch();
    let writer = {
        let (world, page) = (Arc::clone(&world), world.page());
        thread::spawn(move || {
            if page.generation() != 1 || !page.is_settled() || page.epoch() != epoch {
                return;
            }
            world.write(1, 2);
            page.publish(&file(1, 2), 1);
            if !page.is_still(epoch) {
                let _locked = world.lock.lock().unwrap();
                page.doubt();
            }
        })
    };
    {
        let page = world.page();
        let _locked = world.lock.lock().unwrap();
        world.write(2, 1);
        page.publish_file(&file(2, 1), &durable(1));
    }
    writer.join().unwrap();
    if let Some(it) = world.page().published() {
        world.judge(&it);
    }
}

#[test]
fn a_writer_that_publishes_into_a_replaced_file_notices_it() {
    every_way(replaced_meanwhile);
}

#[test]
fn without_fences_a_writer_does_not_notice_that_its_file_was_replaced() {
    must_fail(FENCES, replaced_meanwhile);
}

#[test]
fn the_durable_words_are_read_as_those_of_one_file() {
    every_way(|weak| {
        let world = World::settled(weak);
        let epoch = world.page().epoch();
        let writer = {
            let (world, page) = (Arc::clone(&world), world.page());
            thread::spawn(move || {
                page.publish_file(&file(2, 3), &durable(3));
                page.store_durable(&Durable { dir_pending: false, ..durable(3) });
                drop(world);
            })
        };
        let page = world.page();
        if let Some(it) = page.durable_in(epoch) {
            assert_eq!((it.bytes, it.dir_pending), (1, true));
        }
        if let Some(it) = page.durable_in(epoch + 2) {
            assert_eq!(it.bytes, 3);
        }
        writer.join().unwrap();
    });
}

/// A flush holds no lock while it syncs, so that others can record their flushes in the meantime.
#[test]
fn a_failed_sync_is_never_forgotten() {
    for recovers in [false, true] {
        every_way(move |weak| {
            let world = World::settled(weak);
            let writer = {
                let page = world.page();
                thread::spawn(move || {
                    if recovers {
                        let before = page.durable();
                        page.publish_file(&file(1, 2), &before);
                    }
                    let mut it = page.durable();
                    it.bytes = 1;
                    it.dir_pending = false;
                    page.store_durable(&it);
                })
            };
            world.page().note_failed_sync();
            writer.join().unwrap();
            assert!(world.page().durable().sync_failed);
        });
    }
}

/// The old page is of another version or damaged, and its epoch is one that the new page reaches as well.
#[test]
fn a_page_that_is_laid_out_again_never_shows_former_words() {
    every_way(|weak| {
        let world = World::new(&[(2, BOOT), (8, 2), (9, 9), (10, 9), (16, 5), (17, 3), (18, 3)], weak);
        let writer = {
            let (world, page) = (Arc::clone(&world), world.page());
            thread::spawn(move || {
                page.lay_out(12, 0);
                world.write(2, 1);
                page.publish_file(&file(2, 1), &durable(1));
            })
        };
        reads(&world, &world.page());
        writer.join().unwrap();
    });
}

/// A writer dies at each store of a replacement, and the next one replaces the file again.
#[test]
fn a_page_that_a_dead_writer_left_is_not_trusted() {
    for left in 0..16 {
        every_way(move |weak| {
            let world = World::settled(weak);
            let writers = {
                let (world, dying) = (Arc::clone(&world), world.page_until(left));
                thread::spawn(move || {
                    world.write(2, 1);
                    dying.publish_file(&file(2, 1), &durable(1));
                    world.write(2, 2);
                    let next = world.page();
                    next.publish_file(&file(2, 2), &durable(2));
                })
            };
            if let Some(it) = world.page().published() {
                world.judge(&it);
            }
            writers.join().unwrap();
            assert_eq!(world.page().published().unwrap().generation, 12);
        });
    }
}
