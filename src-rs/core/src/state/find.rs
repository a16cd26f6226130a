//! Finding the newest frame of a key and producer.

use super::{Scratch, State};
use crate::frame::{HEAD_LEN, Head};
use crate::index::group::Group;
use crate::index::{Entry, Place};

/// What is known about a key and producer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// There is a record, at this offset.
    Record(u64),
    /// The entry was deleted.
    Gone,
    /// Only other producers have entries of this key.
    OtherProducer,
    /// There is no entry of this key.
    Absent,
    /// The newest frame with this key's hash is damaged, so an older one may be out of date.
    Damaged,
}

/// What the frame at a place turned out to be.
enum Verdict {
    Same,
    OtherProducer,
    OtherKey,
    Damaged,
}

/// What a look-up searches for.
#[derive(Clone, Copy)]
struct Sought<'a> {
    key: &'a [u8],
    hash: u64,
    producer: u64,
}

impl State {
    /// Finds the newest frame of `key` (in its stored form) and `producer`.
    #[inline(always)]
    #[must_use]
    pub fn find(&self, key: &[u8], hash: u64, producer: u64, scratch: &mut Scratch) -> Found {
        let mut other = false;
        // Offset of the newest damaged frame that may belong to this key; zero for none.
        let mut damaged = 0;
        let sought = Sought { key, hash, producer };
        if !self.tail.is_empty() {
            for place in self.tail.candidates(hash) {
                match self.judge(place, &sought, &mut scratch.frame) {
                    Verdict::Same => return found(place, damaged),
                    Verdict::Damaged => damaged = damaged.max(place.offset()),
                    Verdict::OtherProducer => other |= !place.is_tombstone(),
                    Verdict::OtherKey => {}
                }
            }
        }
        for table in &self.tables {
            let probe = table.probe(hash);
            let Scratch { slots, frame, .. } = scratch;
            let Some(slots) = self.view.get(probe.from, probe.len, slots) else {
                continue;
            };
            for group in Group::all(slots) {
                for place in group.candidates(hash) {
                    match self.judge(place, &sought, frame) {
                        Verdict::Same => return found(place, damaged),
                        Verdict::Damaged => damaged = damaged.max(place.offset()),
                        Verdict::OtherProducer => other |= !place.is_tombstone(),
                        Verdict::OtherKey => {}
                    }
                }
                if !group.is_full() {
                    break;
                }
            }
        }
        if damaged != 0 {
            Found::Damaged
        } else if other {
            Found::OtherProducer
        } else {
            Found::Absent
        }
    }

    #[inline(always)]
    fn judge(&self, place: Place, sought: &Sought<'_>, scratch: &mut Vec<u8>) -> Verdict {
        let len = HEAD_LEN.saturating_add(sought.key.len());
        let Some(bytes) = self.view.get(place.offset(), len, scratch) else {
            return Verdict::OtherKey;
        };
        let Ok((head, stored)) = zerocopy::FromBytes::ref_from_prefix(bytes) else {
            return Verdict::OtherKey;
        };
        let head: &Head = head;
        if usize::from(head.key_len.get()) != sought.key.len() || stored != sought.key {
            if head.key_hash.get() == sought.hash {
                return self.judge_namesake(place, scratch);
            }
            Verdict::OtherKey
        } else if head.producer.get() == sought.producer {
            Verdict::Same
        } else {
            Verdict::OtherProducer
        }
    }

    /// Two keys with the same hash are very rare. More likely, the bytes of this key or their length are damaged.
    #[cold]
    fn judge_namesake(&self, place: Place, scratch: &mut Vec<u8>) -> Verdict {
        let head = self.view.get(place.offset(), HEAD_LEN, scratch).and_then(Head::read);
        let len = head.and_then(|h| usize::try_from(h.length.get()).ok());
        let frame = len.and_then(|len| self.view.get(place.offset(), len, scratch));
        if frame.is_some_and(|f| self.sealer.verify(f, place.offset())) {
            Verdict::OtherKey
        } else {
            Verdict::Damaged
        }
    }

    /// Whether the frames at two places have the same key and producer.
    #[must_use]
    pub fn same(&self, a: Place, b: Place, scratch: &mut Scratch) -> bool {
        let Scratch { frame, other, .. } = scratch;
        let Some((a_producer, a_key)) = self.identity_at(a, frame) else {
            return false;
        };
        let Some((b_producer, b_key)) = self.identity_at(b, other) else {
            return false;
        };
        a_producer == b_producer && a_key == b_key
    }

    /// Producer and stored key of a frame.
    pub fn identity_at<'a>(&'a self, place: Place, scratch: &'a mut Vec<u8>) -> Option<(u64, &'a [u8])> {
        let head = *Head::read(self.view.get(place.offset(), HEAD_LEN, scratch)?)?;
        let bytes = self.view.get(place.offset(), head.layout().key_end, scratch)?;
        Some((head.producer.get(), bytes.get(HEAD_LEN..)?))
    }

    /// The head of the frame at an offset, if it is whole.
    #[must_use]
    pub fn head_at(&self, offset: u64, scratch: &mut Scratch) -> Option<Head> {
        let head = *Head::read(self.view.get(offset, HEAD_LEN, &mut scratch.frame)?)?;
        head.is_whole(self.sealer.seed(), offset).then_some(head)
    }

    /// Puts a frame that was just read or written into the tail.
    pub fn remember(&mut self, entry: Entry, scratch: &mut Scratch) {
        // The tail is taken out so that the closure can borrow `self` to read frames.
        let mut tail = std::mem::take(&mut self.tail);
        tail.upsert(entry, |place| self.same(entry.place, place, scratch));
        self.tail = tail;
    }
}

fn found(place: Place, damaged: u64) -> Found {
    if damaged > place.offset() {
        Found::Damaged
    } else if place.is_tombstone() {
        Found::Gone
    } else {
        Found::Record(place.offset())
    }
}
