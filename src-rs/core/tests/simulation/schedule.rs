//! Processes that take turns: one runs at a time, and between any two of its calls another one may continue, or
//! it may die.
//!
//! Taking a lock, checking a path, and reading or writing a word of the sidecar's page are such calls. The
//! order is that of a plan, so that each run can be repeated.

use super::Random;
use super::turn::{Call, Turn};
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};

/// After so many calls there are no more switches: a process is in an endless loop.
const MOST_CALLS: u64 = 50_000;

/// When another process continues.
#[derive(Debug, Clone)]
pub enum Order {
    /// At random, after one in so many calls.
    Chance(Random, u64),
    /// At these calls, counted over all processes, the process with this number continues.
    Switches(Vec<(u64, usize)>),
}

/// An order, and which process dies at which of its own calls.
#[derive(Debug, Clone)]
pub struct Plan {
    pub order: Order,
    pub death: Option<(usize, u64)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Status {
    Ready,
    /// Waits for the lock of a file.
    Waits(u64),
    Dead,
    Over,
}

#[derive(Debug)]
struct State {
    plan: Plan,
    status: Vec<Status>,
    calls: Vec<u64>,
    total: u64,
    current: usize,
}

/// All processes of one run.
#[derive(Debug)]
pub struct Schedule {
    state: Mutex<State>,
    changed: Condvar,
}

/// One process of a run.
pub struct Process {
    schedule: Arc<Schedule>,
    number: usize,
}

impl Schedule {
    pub fn new(processes: usize, plan: Plan) -> Arc<Self> {
        let state = State {
            plan,
            status: vec![Status::Ready; processes],
            calls: vec![0; processes],
            total: 0,
            current: 0,
        };
        Arc::new(Schedule { state: Mutex::new(state), changed: Condvar::new() })
    }

    pub fn process(self: &Arc<Self>, number: usize) -> Process {
        Process { schedule: Arc::clone(self), number }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// The number of calls of all processes, and of each one.
    pub fn calls(&self) -> (u64, Vec<u64>) {
        let state = self.lock();
        (state.total, state.calls.clone())
    }

    pub fn went_in_circles(&self) -> bool {
        self.lock().total >= MOST_CALLS
    }

    fn wait<'a>(&self, mut state: MutexGuard<'a, State>, number: usize) -> MutexGuard<'a, State> {
        while state.current != number {
            state = self.changed.wait(state).unwrap();
        }
        state
    }
}

impl State {
    /// Which process continues after a call of the current one.
    fn next(&mut self) -> usize {
        let (me, total) = (self.current, self.total);
        let able = |of: &State, n: usize| of.status.get(n) == Some(&Status::Ready);
        let wanted = match &mut self.plan.order {
            _ if total >= MOST_CALLS => None,
            Order::Chance(random, n) => {
                random.one_in(*n).then(|| random.next(self.status.len() as u64) as usize)
            }
            Order::Switches(at) => at.iter().find(|(call, _)| *call == total).map(|(_, to)| *to),
        };
        if let Some(to) = wanted.filter(|to| able(self, *to)) {
            return to;
        }
        if able(self, me) {
            return me;
        }
        let count = self.status.len();
        let others = || (1..=count).map(|n| (me + n) % count);
        let waits = |n: &usize| matches!(self.status[*n], Status::Waits(_));
        others().find(|n| able(self, *n)).or_else(|| others().find(waits)).unwrap_or(me)
    }
}

impl Process {
    /// Waits for the first turn.
    pub fn begin(&self) {
        drop(self.schedule.wait(self.schedule.lock(), self.number));
    }

    /// Ends this process; the others continue.
    pub fn end(&self) {
        let mut state = self.schedule.lock();
        state.status[self.number] = Status::Over;
        state.current = state.next();
        self.schedule.changed.notify_all();
    }

    pub fn is_dead(&self) -> bool {
        self.schedule.lock().status[self.number] == Status::Dead
    }
}

impl Turn for Process {
    fn take(&self, call: Call) -> Result<(), io::ErrorKind> {
        let me = self.number;
        let mut state = self.schedule.lock();
        if state.status[me] == Status::Dead {
            return Err(io::ErrorKind::BrokenPipe);
        }
        state.calls[me] += 1;
        state.total += 1;
        if state.plan.death == Some((me, state.calls[me])) {
            state.status[me] = Status::Dead;
            return Err(io::ErrorKind::BrokenPipe);
        }
        state.status[me] = match call {
            Call::Lock(inode, false) => Status::Waits(inode),
            _ => Status::Ready,
        };
        let next = state.next();
        if next != me {
            state.current = next;
            self.schedule.changed.notify_all();
            state = self.schedule.wait(state, me);
        }
        state.status[me] = Status::Ready;
        Ok(())
    }

    fn freed(&self, inode: u64) {
        for status in &mut self.schedule.lock().status {
            if *status == Status::Waits(inode) {
                *status = Status::Ready;
            }
        }
    }
}
