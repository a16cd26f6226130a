//! Listing what is in a shard.

use super::Shard;
use crate::error::Result;
use crate::frame::{HEAD_LEN, Head, RECORD, host, parts};
use crate::key::{self, Root};
use crate::state::{Scratch, State};
use crate::validator::{RACY, decode};

/// A description of an entry, without its parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryInfo {
    /// The key as the caller knows it.
    pub key: String,
    /// Length of each part, in bytes.
    pub part_lens: Vec<u32>,
    /// The host that made it.
    pub host_name: String,
    /// The host's version.
    pub host_version: String,
    /// Whether it was made by this handle's producer.
    pub own: bool,
    /// When it was stored, in nanoseconds since the epoch.
    pub cached_ns: u64,
    /// When it expires, in milliseconds since the epoch; zero for never.
    pub expires_ms: u64,
    /// Approximately when it was last used, in milliseconds since the epoch; never before it was stored.
    pub last_used_ms: u64,
    /// The generation that published it.
    pub generation: u64,
    /// Kind of the stored validator, and its bytes.
    pub validator: (u8, Vec<u8>),
    /// Whether its validator is racy: the source is compared by content before the first use.
    pub racy: bool,
    /// Offset of its frame in the file.
    pub offset: u64,
}

/// Sums over the live entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Totals {
    /// Entries of this handle's producer.
    pub own: u64,
    /// Bytes of the parts of all entries, of all producers.
    pub part_bytes: u64,
}

/// A walk over the keys of a shard, as they were when the walk began.
#[derive(Debug)]
pub struct Cursor {
    state: CursorState,
    places: std::vec::IntoIter<u64>,
    root: Option<Root>,
    producer: Option<u64>,
}

#[derive(Debug)]
struct CursorState {
    view: Option<crate::state::view::View>,
    scratch: Vec<u8>,
}

impl Cursor {
    /// The next keys, at most `most`; none at the end.
    ///
    /// # Errors
    /// `Io` if a system call fails, because then keys may be missing.
    pub fn next_keys(&mut self, most: usize) -> Result<Vec<String>> {
        let mut keys = Vec::new();
        let Some(view) = &self.state.view else { return Ok(keys) };
        for offset in self.places.by_ref() {
            let scratch = &mut self.state.scratch;
            let Some(head) = view.get(offset, HEAD_LEN, scratch).and_then(Head::read).copied() else {
                continue;
            };
            if Some(head.producer.get()) != self.producer {
                continue;
            }
            let Some(bytes) = view.get(offset, head.layout().key_end, scratch) else {
                continue;
            };
            // Damage, or a root that is longer than the writer's, can make a key that look-ups do not accept.
            let root = self.root.as_ref();
            keys.extend(
                bytes
                    .get(HEAD_LEN..)
                    .and_then(|k| key::shown(k, root))
                    .filter(|k| key::stored(k.as_bytes(), root).is_ok()),
            );
            if keys.len() >= most {
                break;
            }
        }
        view.could_read()?;
        Ok(keys)
    }
}

impl Shard {
    /// A description of this producer's entry of a key.
    ///
    /// # Errors
    /// `InvalidKey`.
    pub fn info(&mut self, key: &[u8]) -> Result<Option<EntryInfo>> {
        Ok(self.place_of(key)?.and_then(|offset| self.describe(offset)))
    }

    /// All entries of all producers, newest first.
    ///
    /// # Errors
    /// `Io` if a system call fails, because then entries would be missing.
    pub fn list(&mut self) -> Result<Vec<EntryInfo>> {
        let mut infos: Vec<EntryInfo> =
            self.live_offsets()?.into_iter().filter_map(|o| self.describe(o)).collect();
        self.could_read()?;
        infos.sort_by_key(|i| std::cmp::Reverse((i.cached_ns, i.offset)));
        Ok(infos)
    }

    /// A walk over the keys of this producer's entries, oldest first.
    ///
    /// # Errors
    /// `Io` if a system call fails.
    pub fn cursor(&mut self) -> Result<Cursor> {
        let places = self.live_offsets()?;
        Ok(Cursor {
            state: CursorState {
                view: self.state.as_ref().map(|s| s.view.again()).transpose()?,
                scratch: Vec::new(),
            },
            places: places.into_iter(),
            root: self.options.root.clone(),
            producer: self.options.producer.id(),
        })
    }

    /// Fails if anything could not be read since this was last asked.
    pub(super) fn could_read(&self) -> Result<()> {
        self.state.as_ref().map_or(Ok(()), |s| s.view.could_read())
    }

    /// Offsets of all live records, in the order of the file.
    pub(super) fn live_offsets(&mut self) -> Result<Vec<u64>> {
        self.must_catch_up()?;
        let Some(state) = self.state.as_deref() else {
            return Ok(Vec::new());
        };
        state.view.ask_again();
        let mut offsets: Vec<u64> =
            state.live(&mut self.scratch).into_iter().map(|e| e.place.offset()).collect();
        state.view.could_read()?;
        offsets.sort_unstable();
        Ok(offsets)
    }

    /// Sums over the live entries, by a walk over their heads. The result is kept until something is
    /// published.
    ///
    /// # Errors
    /// `Io` if a system call fails.
    pub fn totals(&mut self) -> Result<Totals> {
        let generation = self.generation();
        let of = (generation, self.state.as_ref().map(|s| s.header.shard_id));
        if let Some((known, totals)) = self.totals
            && known == of
        {
            return Ok(totals);
        }
        let mut totals = Totals::default();
        for offset in self.live_offsets()? {
            let Some(state) = self.state.as_deref() else { break };
            let Some(head) = state.head_at(offset, &mut self.scratch) else { continue };
            let layout = head.layout();
            let bytes = state.view.get(offset, layout.lens_end, &mut self.scratch.frame);
            let lens = bytes.and_then(|b| b.get(layout.validator_end..)).unwrap_or_default();
            let sum =
                parts(&head, lens, offset).fold(0, |sum, (_, len)| u64::saturating_add(sum, len.into()));
            totals.part_bytes = totals.part_bytes.saturating_add(sum);
            totals.own =
                totals.own.saturating_add(u64::from(Some(head.producer.get()) == self.options.producer.id()));
        }
        self.could_read()?;
        self.totals = Some((of, totals));
        Ok(totals)
    }

    /// A description of the record at an offset. `None` if it is damaged.
    pub(super) fn describe(&mut self, offset: u64) -> Option<EntryInfo> {
        let state = self.state.as_deref()?;
        let (head, frame) = whole_record(state, offset, &mut self.scratch)?;
        let layout = head.layout();
        let (host_name, host_version) = host(&head, frame)?;
        let lens = frame.get(layout.validator_end..layout.lens_end)?;
        let cached_ns = head.cached_ns.get();
        let used = self.sidecar.as_ref().map_or(0, |s| s.last_used_ms(head.key_hash.get()));
        let validator = frame.get(layout.key_end..layout.validator_end)?;
        // An unknown kind is from a later version, or damaged.
        decode(head.validator_kind, validator)?;
        Some(EntryInfo {
            key: key::shown(frame.get(HEAD_LEN..layout.key_end)?, self.options.root.as_ref())?,
            part_lens: parts(&head, lens, 0).map(|(_, len)| len).collect(),
            host_name: host_name.into(),
            host_version: host_version.into(),
            own: Some(head.producer.get()) == self.options.producer.id(),
            cached_ns,
            expires_ms: head.expires_ms.get(),
            last_used_ms: used.max(cached_ns / 1_000_000),
            generation: head.generation.get(),
            validator: (
                head.validator_kind & !RACY,
                crate::validator::plain(head.validator_kind, validator).to_vec(),
            ),
            racy: head.validator_kind & RACY != 0,
            offset,
        })
    }
}

/// Head and bytes of the whole record at an offset. `None` if there is no record. Its digest is not verified.
pub(super) fn whole_record<'a>(
    state: &'a State,
    offset: u64,
    scratch: &'a mut Scratch,
) -> Option<(Head, &'a [u8])> {
    let head = state.head_at(offset, scratch).filter(|h| h.kind == RECORD)?;
    let len = usize::try_from(head.length.get()).ok()?;
    Some((head, state.view.get(offset, len, &mut scratch.frame)?))
}
