//! A module: its source in one state, the text that was compiled, and the bytecode.
//!
//! An entry has the parts `meta`, `text`, `code` and `map`. Text is Latin-1 or UTF-16, as V8 keeps it, so that it can
//! be handed over without a copy.

use super::facts::{Fact, Facts, Today};
use super::place::parent;
use super::stamp::{STAMP_LEN, Stamp, take};
use crate::limits::MAX_FACTS;

/// First byte of `meta`; another one is another layout.
const VERSION: u8 = 2;

/// Parts of an entry.
pub const PARTS: usize = 4;

/// Flag: the text is UTF-16.
pub const WIDE: u8 = 1;
/// Flag: nothing is kept but the knowledge that this file is none of ours.
pub const ASIDE: u8 = 2;

/// What stands in `meta`.
#[derive(Debug, Clone, Copy)]
pub struct Meta<'a> {
    /// `WIDE`, `ASIDE`, and the caller's own in the upper bits.
    pub flags: u8,
    /// The source.
    pub stamp: Stamp,
    facts: &'a [u8],
}

impl<'a> Meta<'a> {
    /// The bytes of `meta`. `None` where a fact is not true any more.
    #[must_use]
    pub fn encode(
        source: &[u8],
        flags: u8,
        stamp: &Stamp,
        facts: &[(u8, &[u8])],
        today: &mut Today,
    ) -> Option<Vec<u8>> {
        if facts.len() >= MAX_FACTS {
            return None;
        }
        let mut out = vec![VERSION, flags];
        out.extend_from_slice(&stamp.encode());
        for (kind, path) in facts {
            Fact::today(*kind, parent(source), path, today)?.encode(&mut out);
        }
        Some(out)
    }

    /// What stands in some bytes.
    #[must_use]
    pub fn decode(mut bytes: &'a [u8]) -> Option<Self> {
        let [version, flags] = take(&mut bytes)?;
        let stamp = Stamp::decode(&take::<STAMP_LEN>(&mut bytes)?);
        (version == VERSION).then_some(Meta { flags, stamp, facts: bytes })
    }

    /// The same, with the stamps of today; `None` where they are those that it has. The facts have just been found to hold.
    pub fn restamped(&self, source: &[u8], stamp: Option<&Stamp>, facts: &mut Facts) -> Option<Vec<u8>> {
        let told = facts.restamped(self.facts, parent(source));
        if stamp.is_none() && told.is_none() {
            return None;
        }
        let mut out = vec![VERSION, self.flags];
        out.extend_from_slice(&stamp.unwrap_or(&self.stamp).encode());
        out.extend_from_slice(told.as_deref().unwrap_or(self.facts));
        Some(out)
    }

    /// Whether the facts hold for a source.
    pub fn facts_hold(&self, source: &[u8], facts: &mut Facts) -> bool {
        facts.hold(self.facts, parent(source))
    }
}
