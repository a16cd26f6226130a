//! A simulated disk, processes and a clock, with which the tests produce any crash and any order of steps.
#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests may panic; each uses a part of this module"
)]

pub mod cut;
pub mod disk;
pub mod history;
pub mod kept;
pub mod platter;
pub mod schedule;
pub mod turn;
pub mod workload;

use std::time::{Duration, Instant};

/// A sequence of random numbers that depends only on the seed.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        let mut it = Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0xD1B5_4A32_D192_ED03);
        it.next(2);
        it
    }

    pub fn next(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let mixed = (self.0 ^ (self.0 >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        (mixed >> 32) % below.max(1)
    }

    pub fn one_in(&mut self, n: u64) -> bool {
        self.next(n) == 0
    }
}

/// How much to try: by default little, or as much as an environment variable says.
pub struct Budget {
    what: &'static str,
    limit: u64,
    pub done: u64,
    long: bool,
    start: Instant,
    told: Instant,
    /// The current seed. `WARMSHARD_SEED` sets where the seeds start, so that each long run can try something new.
    pub seed: u64,
}

impl Budget {
    pub fn new(what: &'static str, variable: &str, short: u64) -> Self {
        let number = |name: &str| std::env::var(name).ok().and_then(|v| v.parse::<u64>().ok());
        let long = number(variable);
        let start = Instant::now();
        let seed = number("WARMSHARD_SEED").unwrap_or(0);
        Budget { what, limit: long.unwrap_or(short), done: 0, long: long.is_some(), start, told: start, seed }
    }

    pub fn limit(&self) -> u64 {
        self.limit
    }

    /// The next seed, until enough has been tried. By default also ends after 15 seconds.
    pub fn next_seed(&mut self) -> Option<u64> {
        let late = !self.long && self.start.elapsed() > Duration::from_secs(15);
        if self.done >= self.limit || late {
            return None;
        }
        self.seed += 1;
        Some(self.seed)
    }

    pub fn count(&mut self, n: u64) {
        self.done += n;
        if self.long && self.told.elapsed() > Duration::from_secs(5) {
            self.told = Instant::now();
            eprintln!("{} of {} {}, seed {}", self.done, self.limit, self.what, self.seed);
        }
    }
}

impl Drop for Budget {
    fn drop(&mut self) {
        let seconds = self.start.elapsed().as_secs_f64();
        println!("{} {} in {seconds:.1} s, last seed {}", self.done, self.what, self.seed);
    }
}
