//! A process of a simulation: has a handle on the shard, takes actions, and notes them in the history.

use super::Random;
use super::disk::Door;
use super::history::{Found, History, NONE};
use super::kept::Kept;
use super::schedule::Process;
use super::turn::Turn;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use warmshard_core::sidecar::path_for;
use warmshard_core::storage::Storage;
use warmshard_core::{Error, Job, Lookup, Options, PutMeta, Result, Shard, Validator};

pub const PATH: &str = "/a.shard";
pub const KEYS: u64 = 6;
pub const BATCH: u64 = 3;
/// Number of entries in a batch so large that it gets an index snapshot.
pub const MANY: u64 = 520;

/// What all processes have done to one disk.
#[derive(Default)]
pub struct World {
    pub history: Mutex<History>,
    pub round: AtomicU64,
    pub wrong: Mutex<Vec<String>>,
    /// Whether a call that fails is an error. Not if the disk is made to fail.
    pub strict: bool,
    /// Whether files are deleted and moved from outside, so that entries may be lost.
    pub meddled: bool,
    /// Number of kept answers that were given again.
    pub given: Arc<AtomicU64>,
}

/// One action of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    Get(u64),
    /// The same while the page cannot be read.
    GetBlindly(u64),
    GetBatch,
    Put(u64),
    PutLong(u64),
    Delete(u64),
    Merge,
    MergeMany,
    Flush,
    Compact,
    Replace,
    Clear,
    RemoveFile,
    Reopen,
    /// Interference from outside: deletes the sidecar, deletes the shard, or moves the shard away.
    LoseSidecar,
    LoseShard,
    MoveShard,
    /// From now on this handle copies values.
    StopLending,
    /// Puts the clock forward by so many milliseconds.
    Wait(u64),
}

/// A process.
pub struct Actor {
    pub door: Door,
    pub world: Arc<World>,
    pub options: Options,
    shard: Option<Shard>,
    generation: u64,
    process: Option<Arc<Process>>,
    /// The answers that it keeps; `None` if it always asks its handle.
    pub kept: Option<Kept>,
}

/// A value whose first bytes determine the rest, so that it can be checked by itself.
pub fn value(key: &str, round: u64, len: u64) -> Vec<u8> {
    let mut bytes = format!("{key}|{round}|{len}|").into_bytes();
    let mut random = Random::new(round);
    bytes.extend((0..len).map(|_| random.next(256) as u8));
    bytes
}

/// The round of a value. An error if it is not a value of this key.
pub fn round_of(key: &str, bytes: &[u8]) -> std::result::Result<u64, String> {
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(60)]);
    let numbers: Vec<u64> = text.split('|').skip(1).take(2).filter_map(|n| n.parse().ok()).collect();
    match numbers[..] {
        [round, len] if len == bytes.len() as u64 || value(key, round, len) == bytes => Ok(round),
        _ => Err(format!("wrong bytes under {key}: {text:?}")),
    }
}

/// Every key that is checked; of the large batch, three keys stand for all.
pub fn keys() -> Vec<String> {
    let single = (0..KEYS).map(|i| format!("k{i}"));
    let batch = (0..BATCH).map(|i| format!("b{i}"));
    single.chain(batch).chain([0, MANY / 2, MANY - 1].map(|i| format!("m{i}"))).collect()
}

/// What a handle finds for all keys.
pub fn find_all(shard: &mut Shard) -> std::result::Result<Found, String> {
    let mut found = Found::new();
    for key in keys() {
        found.insert(key.clone(), find(shard, &key)?);
    }
    Ok(found)
}

pub fn find(shard: &mut Shard, key: &str) -> std::result::Result<u64, String> {
    let looked = shard.get(key.as_bytes(), &Validator::None).map_err(|e| e.to_string())?;
    let Lookup::Hit(hit) = looked else { return Ok(NONE) };
    match shard.read_part(&hit, 0) {
        Some(bytes) => round_of(key, &bytes),
        None => Ok(NONE),
    }
}

impl World {
    pub fn new(found: &Found, first_round: u64, strict: bool) -> Arc<Self> {
        let history = Mutex::new(History::from(&keys(), found));
        Arc::new(World { history, round: AtomicU64::new(first_round), strict, ..World::default() })
    }

    /// A world in which files are deleted and moved from outside.
    pub fn meddled() -> Arc<Self> {
        let history = Mutex::new(History::from(&keys(), &Found::new()));
        Arc::new(World { history, strict: true, meddled: true, ..World::default() })
    }

    pub fn complain(&self, about: String) {
        self.wrong.lock().unwrap().push(about);
    }

    pub fn complaints(&self) -> Vec<String> {
        self.wrong.lock().unwrap().clone()
    }
}

impl Actor {
    pub fn new(door: Door, world: Arc<World>, options: Options) -> Self {
        Actor { door, world, options, shard: None, generation: 0, process: None, kept: None }
    }

    fn shard(&mut self) -> Result<&mut Shard> {
        if self.shard.is_none() {
            let door = Arc::new(self.door.clone());
            self.shard = Some(Shard::open_on(door, Path::new(PATH), self.options.clone())?);
        }
        match &mut self.shard {
            Some(shard) => Ok(shard),
            None => unreachable!(),
        }
    }

    /// From now on each call waits for its turn, also those of a handle that is open already.
    pub fn take_turns(&mut self, process: Arc<Process>) {
        self.door.turns(Arc::clone(&process) as Arc<dyn Turn>);
        self.process = Some(process);
    }

    /// Opens the handle.
    pub fn open(&mut self) {
        drop(self.shard());
    }

    /// Takes one action, notes it, and complains if something is wrong.
    pub fn act(&mut self, action: Action) {
        if self.is_dead() {
            return;
        }
        let done = self.try_to(action);
        if let Err(error) = done
            && self.world.strict
            && !self.is_dead()
        {
            self.world.complain(format!("{action:?} failed: {error}"));
        }
    }

    fn is_dead(&self) -> bool {
        self.process.as_ref().is_some_and(|process| process.is_dead())
    }

    fn try_to(&mut self, action: Action) -> Result<()> {
        let path = Path::new(PATH);
        match action {
            Action::LoseSidecar => return self.door.remove(&path_for(path)),
            Action::LoseShard => return self.door.remove(path),
            Action::MoveShard => {
                // There may be no file.
                drop(self.door.rename(path, Path::new("/elsewhere")));
                return Ok(());
            }
            Action::Wait(ms) => {
                self.door.platter().ahead_ms += ms;
                return Ok(());
            }
            _ => drop(self.shard()?),
        }
        match action {
            Action::Get(key) => self.get(&format!("k{key}"), false)?,
            Action::GetBlindly(key) => self.get(&format!("k{key}"), true)?,
            Action::StopLending => self.shard()?.never_lend(),
            Action::GetBatch => {
                for i in 0..BATCH {
                    self.get(&format!("b{i}"), false)?;
                }
            }
            Action::Reopen => {
                self.shard = None;
                self.kept = self.kept.take().map(Kept::anew);
                self.shard()?;
            }
            Action::Flush => {
                let start = self.door.tick();
                self.shard()?.flush()?;
                self.flushed(start);
            }
            Action::Compact => {
                let start = self.door.tick();
                if self.shard()?.compact(&Job::default())?.replaced {
                    self.flushed(start);
                }
            }
            _ => self.change(action)?,
        }
        // Reading the generation makes the handle catch up. A process that keeps answers must do that in its
        // look-ups only.
        let looked_up = matches!(action, Action::Get(_) | Action::GetBlindly(_) | Action::GetBatch);
        if self.kept.is_none() || !looked_up {
            self.watch_generation();
        }
        Ok(())
    }

    fn flushed(&mut self, start: u64) {
        let end = self.door.tick();
        if !self.is_dead() {
            self.world.history.lock().unwrap().flushed(start, end);
        }
    }

    fn watch_generation(&mut self) {
        let Some(generation) = self.shard.as_mut().map(Shard::generation) else { return };
        if generation < self.generation && !self.world.meddled && !self.is_dead() {
            self.world.complain(format!("the generation went back from {} to {generation}", self.generation));
        }
        self.generation = generation;
    }

    fn get(&mut self, key: &str, blindly: bool) -> Result<()> {
        let start = self.door.tick();
        let found = self.find(key, blindly)?;
        let end = self.door.tick();
        let judged = found.and_then(|round| match self.world.meddled || blindly {
            true => Ok(()),
            false => self.world.history.lock().unwrap().check_read(key, round, start, end),
        });
        if let Err(wrong) = judged
            && !self.is_dead()
        {
            self.world.complain(wrong);
        }
        Ok(())
    }

    fn find(&mut self, key: &str, blindly: bool) -> Result<std::result::Result<u64, String>> {
        let mut kept = self.kept.take();
        let door = self.door.clone();
        let shard = self.shard()?;
        let found = match &mut kept {
            Some(kept) => kept.find(shard, &door, key, blindly),
            None => find(shard, key),
        };
        self.kept = kept;
        Ok(found)
    }

    fn change(&mut self, action: Action) -> Result<()> {
        let round = self.world.round.fetch_add(1, Ordering::SeqCst) + 1;
        let one = |key: String, round: u64| Found::from([(key, round)]);
        let group = |letter: char, of: Vec<u64>| {
            of.into_iter().map(|i| (format!("{letter}{i}"), round)).collect::<Found>()
        };
        let nothing = || keys().into_iter().map(|key| (key, NONE)).collect::<Found>();
        let values = match action {
            Action::Put(key) | Action::PutLong(key) => one(format!("k{key}"), round),
            Action::Delete(key) => one(format!("k{key}"), NONE),
            Action::Merge => group('b', (0..BATCH).collect()),
            Action::MergeMany => group('m', vec![0, MANY / 2, MANY - 1]),
            Action::Replace => {
                let mut values = nothing();
                values.extend(group('k', vec![0, 1]));
                values.extend(group('b', (0..BATCH).collect()));
                values
            }
            _ => nothing(),
        };
        let before = self.shard()?.generation();
        let start = self.door.tick();
        let id = self.world.history.lock().unwrap().begin(start, &values);
        let done = self.make(action, &values, round);
        let durable = self.options.sync_each || matches!(action, Action::Replace | Action::Clear);
        let after = self.shard.as_mut().map_or(0, Shard::generation);
        let risen = if after > before { after } else { 0 };
        let end = self.door.tick();
        // A dead process does not learn whether it was done.
        let told = done.is_ok() && !self.is_dead();
        self.world.history.lock().unwrap().end(id, end, told, durable, risen);
        done
    }

    fn make(&mut self, action: Action, values: &Found, round: u64) -> Result<()> {
        let len = if matches!(action, Action::PutLong(_)) { 6000 + round % 3000 } else { round * 37 % 700 };
        let put = |batch: &mut warmshard_core::shard::Batch<'_, '_>, key: &str| {
            batch.put(key.as_bytes(), &[&value(key, round, len)], PutMeta::default())
        };
        let fill = |batch: &mut warmshard_core::shard::Batch<'_, '_>| {
            let mut there = values.iter().filter(|(_, value)| **value != NONE);
            there.try_for_each(|(key, _)| put(batch, key))
        };
        let (job, shard) = (Job::default(), self.shard()?);
        match action {
            Action::Put(_) | Action::PutLong(_) => values.keys().try_for_each(|key| {
                shard.put(key.as_bytes(), &[&value(key, round, len)], PutMeta::default())
            }),
            Action::Delete(_) => values.keys().try_for_each(|key| shard.delete(key.as_bytes()).map(drop)),
            Action::Merge => shard.merge_in(&job, fill).map(drop),
            Action::MergeMany => shard
                .merge_in(&job, |batch| {
                    (0..MANY).try_for_each(|i| {
                        let key = format!("m{i}");
                        batch.put(key.as_bytes(), &[&value(&key, round, 9)], PutMeta::default())
                    })
                })
                .map(drop),
            Action::Replace => shard.replace_all(&job, fill).map(drop),
            Action::Clear => shard.clear(),
            Action::RemoveFile => shard.remove_file(),
            other => Err(Error::InvalidArg(format!("{other:?} changes nothing"))),
        }
    }
}

/// A random action.
pub fn by_chance(random: &mut Random) -> Action {
    let key = random.next(KEYS);
    match random.next(40) {
        0..=11 => Action::Put(key),
        12 | 13 => Action::PutLong(key),
        14..=16 => Action::Delete(key),
        17..=20 => Action::Merge,
        21..=25 => Action::Flush,
        26..=28 => Action::Compact,
        29 => Action::Replace,
        30 => Action::Clear,
        31 => Action::RemoveFile,
        32..=34 => Action::Reopen,
        35 if random.one_in(3) => Action::MergeMany,
        36 => Action::GetBatch,
        _ => Action::Get(key),
    }
}
