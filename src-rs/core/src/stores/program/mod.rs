//! The program cache: what a program's modules compile to, and which files its requests lead to.
//!
//! One shard serves many programs and many versions of the runtime: every key starts with a profile, which keeps them
//! apart. An answer is given only if the file system is still as it was when the answer was recorded.

mod bytes;
mod facts;
mod hashing;
mod module;
mod place;
mod queue;
mod resolution;
mod search;
mod stamp;
mod text;
mod traits;
mod walk;

pub use bytes::Bytes;
pub use module::{ASIDE, PARTS, WIDE};
pub use resolution::Request;
pub use search::Search;
pub use text::{Text, WRAP, Wrap};
pub use traits::Traits;

use crate::error::Result;
use crate::limits::{MAX_PENDING_BYTES, MAX_PENDING_MODULES};
use crate::{Job, Lookup, PutMeta, Shard, Validator};
use facts::{Facts, Today};
use hashing::ByHash;
use module::Meta;
use queue::{Part, Queue, alone};
use stamp::{Look, Stamp};
use std::collections::HashMap;
use std::sync::Arc;
use text::ROOM_AHEAD;
use walk::Walk;
use xxhash_rust::xxh3::xxh3_64;

/// Kind of key: modules compiled as scripts, most of them with a wrapper in their text.
const SCRIPTS: u8 = b'm';
/// Kind of key: modules compiled to functions, whose parameters are passed to V8 separately from the text.
const FUNCTIONS: u8 = b'f';

/// What a look-up of a module found.
#[derive(Debug)]
pub enum Loaded {
    /// A usable entry.
    Hit {
        /// The entry's flags.
        flags: u8,
        /// `text`, `code` and `map`.
        parts: [Bytes; 3],
    },
    /// No entry.
    Absent,
    /// The source has changed, or a manifest that had a say.
    Changed,
}

/// A source that was read and may be recorded later.
#[derive(Debug)]
struct Pending {
    stamp: Stamp,
    text: Option<Text>,
}

/// See the module's head.
#[derive(Debug)]
pub struct Programs {
    profile: String,
    /// `SCRIPTS` or `FUNCTIONS`: the byte after the profile in the keys of modules.
    modules: u8,
    /// Folder that paths are stored relative to, with a slash at its end; empty for none.
    root: Vec<u8>,
    facts: Facts,
    /// Used to record facts, until they are published.
    today: Today,
    walk: Walk,
    /// The file that the last resolution led to, and its state: the next `load` is most likely of this file.
    last: Option<(Vec<u8>, Look)>,
    /// Digests of the sources that were loaded or recorded, by a hash of their paths.
    loaded: ByHash<u128>,
    pending: HashMap<Vec<u8>, Pending>,
    pending_bytes: usize,
    queue: Queue,
}

impl Programs {
    /// A cache for programs of one profile. The profile must contain everything that makes the same source compile to
    /// other bytes, or the same request lead to another file. Paths below `root` are stored relative to it.
    #[must_use]
    pub fn new(profile: &[u8], root: &[u8]) -> Self {
        let mut root = root.to_vec();
        if !root.is_empty() && !root.ends_with(b"/") {
            root.push(b'/');
        }
        Programs {
            profile: format!("{:016x}", xxh3_64(profile)),
            modules: SCRIPTS,
            root,
            facts: Facts::default(),
            today: Today::default(),
            walk: Walk::default(),
            last: None,
            loaded: ByHash::default(),
            pending: HashMap::new(),
            pending_bytes: 0,
            queue: Queue::default(),
        }
    }

    /// The same, for a host that compiles modules to functions instead of scripts. Bytecode of one cannot be used for the
    /// other, so both have their own keys. Resolutions are shared.
    #[must_use]
    pub fn of_functions(mut self) -> Self {
        self.modules = FUNCTIONS;
        self
    }

    /// Whether modules are compiled to functions.
    #[must_use]
    pub fn are_functions(&self) -> bool {
        self.modules == FUNCTIONS
    }

    fn key(&self, kind: u8, path: &[u8], rest: &[u8]) -> Vec<u8> {
        let mut key = Vec::with_capacity(path.len().saturating_add(rest.len()).saturating_add(24));
        key.extend_from_slice(self.profile.as_bytes());
        key.push(kind);
        match path.strip_prefix(self.root.as_slice()) {
            Some(below) if !self.root.is_empty() => {
                key.push(b'@');
                key.extend_from_slice(below);
            }
            // The root itself, which `folder` arguments give without the slash.
            None if path.len().checked_add(1) == Some(self.root.len()) && self.root.starts_with(path) => {
                key.push(b'@')
            }
            _ => key.extend_from_slice(path),
        }
        if !rest.is_empty() {
            // A separator that no path contains.
            key.push(0);
            key.extend_from_slice(rest);
        }
        key
    }

    /// Whether something is waiting to be written.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        !self.queue.entries.is_empty()
    }

    /// Forgets what must not be remembered longer than Node.js remembers it.
    pub fn settle(&mut self) {
        self.facts.settle();
        self.walk.settle();
        self.last = None;
    }

    /// The canonical path that a request leads to, if that is recorded and still true.
    ///
    /// # Errors
    /// `InvalidKey` if folder and request together are too long.
    pub fn resolve(&mut self, shard: &mut Shard, request: &Request<'_>) -> Result<Option<Vec<u8>>> {
        let key = self.key(b'r', request.folder, request.request);
        let Lookup::Hit(hit) = shard.get(&key, &Validator::None)? else {
            return Ok(None);
        };
        let Some((offset, len)) = shard.parts(&hit).first().copied() else {
            return Ok(None);
        };
        let Some(entry) = Bytes::at(shard, offset, len) else {
            return Ok(None);
        };
        let (facts, walk) = (&mut self.facts, &mut self.walk);
        let Some(found) = resolution::replay(entry.as_slice(), request, facts, walk) else {
            return Ok(None);
        };
        if let Some(entry) = found.restamped
            && !shard.options().read_only
        {
            self.queue.push(key, alone(entry));
        }
        self.last = found.look.map(|look| (found.real.clone(), look));
        Ok(Some(found.real))
    }

    /// The entry of a module, if its source and the manifests that had a say are unchanged.
    ///
    /// # Errors
    /// `InvalidKey` for a path that is too long.
    pub fn load(&mut self, shard: &mut Shard, source: &[u8]) -> Result<Loaded> {
        let Lookup::Hit(hit) = shard.get(&self.key(self.modules, source, b""), &Validator::None)? else {
            return Ok(Loaded::Absent);
        };
        let [meta, rest @ ..] = shard.parts(&hit).try_into().unwrap_or([(0, 0); PARTS]);
        let (Some(head), [Some(text), Some(code), Some(map)]) =
            (Bytes::at(shard, meta.0, meta.1), rest.map(|(offset, len)| Bytes::at(shard, offset, len)))
        else {
            return Ok(Loaded::Absent);
        };
        let Some(meta) = Meta::decode(head.as_slice()) else {
            return Ok(Loaded::Absent);
        };
        let look = match self.last.take() {
            Some((path, look)) if path == source => Some(look),
            _ => Look::at(source),
        };
        let Some(look) = look else { return Ok(Loaded::Changed) };
        let untouched = meta.stamp.is_untouched(&look);
        let today = if untouched { None } else { meta.stamp.same_bytes(source, &look) };
        if !(untouched || today.is_some()) || !meta.facts_hold(source, &mut self.facts) {
            return Ok(Loaded::Changed);
        }
        // A stamp that is still racy does not help: the bytes would be compared again next time.
        let today = today.filter(|today| !today.is_racy());
        if !shard.options().read_only
            && let Some(meta) = meta.restamped(source, today.as_ref(), &mut self.facts)
        {
            let [text, code, map] = [&text, &code, &map].map(|part| part.as_slice().to_vec());
            self.queue.push(self.key(self.modules, source, b""), [meta, text, code, map].map(Arc::new));
        }
        if self.loaded.len() < MAX_PENDING_MODULES {
            self.loaded.insert(xxh3_64(source), meta.stamp.digest());
        }
        Ok(Loaded::Hit { flags: meta.flags, parts: [text, code, map] })
    }

    /// The wrapper to use. Functions need none, because their parameters are passed separately.
    fn around(&self, wrap: Wrap) -> Wrap {
        match wrap {
            Wrap::Lines if self.are_functions() => Wrap::Bare,
            Wrap::Fitting if self.are_functions() => Wrap::Apart,
            _ => wrap,
        }
    }

    /// Reads a source and remembers its state, so that it can be recorded. The text is wrapped as `wrap` says, if
    /// modules are compiled as scripts. `None` if there is no regular file, or if it changes while it is read.
    pub fn read(&mut self, source: &[u8], wrap: Wrap) -> Option<Text> {
        let (stamp, buffer) = Stamp::read_behind(source, ROOM_AHEAD)?;
        let text = Text::within(buffer, self.around(wrap));
        self.remember(source, stamp, text.clone());
        Some(text)
    }

    fn remember(&mut self, source: &[u8], stamp: Stamp, text: Text) {
        // Removed even if the new text does not fit: an older text must not be recorded for this source.
        if let Some(Pending { text: Some(before), .. }) = self.pending.remove(source) {
            self.pending_bytes = self.pending_bytes.saturating_sub(before.bytes.len());
        }
        let len = text.bytes.len();
        let fits = self.pending.len() < MAX_PENDING_MODULES
            && self.pending_bytes.saturating_add(len) <= MAX_PENDING_BYTES;
        if fits {
            self.pending_bytes = self.pending_bytes.saturating_add(len);
            self.pending.insert(source.to_vec(), Pending { stamp, text: Some(text) });
        }
    }

    /// Replaces the text of a source that was read by what a transpiler has made of it.
    pub fn replace_text(&mut self, source: &[u8], text: &[u8], wrap: Wrap) -> Text {
        let text = Text::of(text, self.around(wrap));
        if let Some(stamp) = self.pending.get(source).map(|pending| pending.stamp) {
            self.remember(source, stamp, text.clone());
        }
        text
    }

    /// Records what a source that was read compiles to; without `code`, that the file is left to Node.js. `facts` are
    /// those that decided how it is compiled, each a kind and a path. Returns whether it will be written.
    pub fn record(
        &mut self,
        source: &[u8],
        flags: u8,
        code: Option<Vec<u8>>,
        map: &[u8],
        facts: &[(u8, &[u8])],
    ) -> bool {
        let Some(pending) = self.pending.remove(source) else { return false };
        let (flags, text) = match (&code, pending.text) {
            (Some(_), Some(text)) => (flags | if text.wide { WIDE } else { 0 }, text.bytes),
            _ => (flags | ASIDE, Part::default()),
        };
        self.pending_bytes = self.pending_bytes.saturating_sub(text.len());
        let Some(meta) = Meta::encode(source, flags, &pending.stamp, facts, &mut self.today) else {
            return false;
        };
        if self.loaded.len() < MAX_PENDING_MODULES {
            self.loaded.insert(xxh3_64(source), pending.stamp.digest());
        }
        let [meta, code, map] = [meta, code.unwrap_or_default(), map.to_vec()].map(Arc::new);
        self.queue.push(self.key(self.modules, source, b""), [meta, text, code, map])
    }

    /// Records new code for a module that was loaded or recorded, if it covers more functions, or `always`. Does nothing
    /// if another process has recorded another state of the source in the meantime.
    ///
    /// # Errors
    /// As `load`.
    pub fn improve(&mut self, shard: &mut Shard, source: &[u8], code: Vec<u8>, always: bool) -> Result<bool> {
        let key = self.key(self.modules, source, b"");
        let Lookup::Hit(hit) = shard.peek(&key, &Validator::None)? else {
            return Ok(false);
        };
        let [Some(meta), Some(text), Some(old), Some(map)] =
            [0, 1, 2, 3].map(|part| shard.read_part(&hit, part))
        else {
            return Ok(false);
        };
        let digest = Meta::decode(&meta).map(|meta| meta.stamp.digest());
        if digest.is_none() || self.loaded.get(&xxh3_64(source)).copied() != digest {
            return Ok(false);
        }
        // V8 may have discarded bytecode of functions that the old code covers, so a little more is no gain.
        if !always && code.len() <= old.len().saturating_add(old.len() / 64) {
            return Ok(false);
        }
        Ok(self.queue.push(key, [meta, text, code, map].map(Arc::new)))
    }

    /// Records where a request led; `facts` as for `record`. Returns whether it will be written.
    pub fn record_resolution(
        &mut self,
        request: &Request<'_>,
        found: &[u8],
        real: &[u8],
        facts: &[(u8, &[u8])],
    ) -> bool {
        match self.walk.file(found) {
            Some((today, _)) if today == real => {}
            _ => return false,
        }
        let Some(entry) = resolution::encode(request, found, real, facts, &mut self.today) else {
            return false;
        };
        let key = self.key(b'r', request.folder, request.request);
        self.queue.push(key, alone(entry))
    }

    /// Records where a request led, with the facts that decided it and `more`. `None` if these facts cannot be found
    /// out, also later; otherwise whether it will be written.
    pub fn record_search(
        &mut self,
        request: &Request<'_>,
        search: &Search<'_>,
        more: &[(u8, &[u8])],
    ) -> Option<bool> {
        let answer = search::why(search, &mut self.today, &mut self.walk)?;
        let told = answer.facts.iter().map(|(kind, path)| (*kind, path.as_slice()));
        let facts: Vec<_> = told.chain(more.iter().copied()).collect();
        Some(self.record_resolution(request, &answer.found, search.real, &facts))
    }

    /// A short text that was stored under a name.
    ///
    /// # Errors
    /// `InvalidKey` for a name that is too long.
    pub fn noted(&mut self, shard: &mut Shard, name: &[u8]) -> Result<Option<Vec<u8>>> {
        Ok(match shard.get(&self.key(b'n', b"", name), &Validator::None)? {
            Lookup::Hit(hit) => shard.read_part(&hit, 0),
            _ => None,
        })
    }

    /// Stores a short text under a name. Returns whether it will be written.
    pub fn note(&mut self, name: &[u8], text: &[u8]) -> bool {
        let key = self.key(b'n', b"", name);
        self.queue.push(key, alone(text.to_vec()))
    }

    /// Writes everything that was recorded, as one batch. Returns the number of entries.
    ///
    /// # Errors
    /// `ReadOnly`, `LockTimeout`, `Io`, `NoSpace`. What was recorded is dropped in this case, too.
    pub fn publish(&mut self, shard: &mut Shard) -> Result<u64> {
        let queue = std::mem::take(&mut self.queue);
        self.today = Today::default();
        self.pending.clear();
        self.pending_bytes = 0;
        if queue.entries.is_empty() {
            return Ok(0);
        }
        shard.merge_in(&Job::default(), |batch| {
            for (key, parts) in &queue.entries {
                batch.put(key, &parts.each_ref().map(|part| part.as_slice()), PutMeta::default())?;
            }
            Ok(())
        })
    }
}
