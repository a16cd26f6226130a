//! The entry of a module: the state of its source, the text that was compiled, and the bytecode.
//!
//! An entry has the parts `meta`, `text`, `code` and `map`. The text is Latin-1 or UTF-16, as V8 stores strings, so that
//! V8 can read it in place.

use super::facts::{Fact, Facts, Today};
use super::place::parent;
use super::stamp::{STAMP_LEN, Stamp, take};
use crate::limits::MAX_FACTS;

/// First byte of `meta`, raised when the layout changes.
const VERSION: u8 = 2;

/// Number of parts of an entry.
pub const PARTS: usize = 4;

/// Flag: the text is UTF-16.
pub const WIDE: u8 = 1;
/// Flag: the file is left to Node.js; the entry has neither text nor code.
pub const ASIDE: u8 = 2;

/// The contents of `meta`.
#[derive(Debug, Clone, Copy)]
pub struct Meta<'a> {
    /// `WIDE`, `ASIDE`, and the caller's own flags in the upper bits.
    pub flags: u8,
    /// The state of the source.
    pub stamp: Stamp,
    facts: &'a [u8],
}

impl<'a> Meta<'a> {
    /// Encodes `meta`. `None` if a fact is no longer true, or if there are too many.
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

    /// Decodes `meta`. `None` if it has another layout.
    #[must_use]
    pub fn decode(mut bytes: &'a [u8]) -> Option<Self> {
        let [version, flags] = take(&mut bytes)?;
        let stamp = Stamp::decode(&take::<STAMP_LEN>(&mut bytes)?);
        (version == VERSION).then_some(Meta { flags, stamp, facts: bytes })
    }

    /// The encoded `meta` with the present stamps, after `facts_hold` has returned true. `None` if it has these already.
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

    /// Whether the facts are true for a source.
    pub fn facts_hold(&self, source: &[u8], facts: &mut Facts) -> bool {
        facts.hold(self.facts, parent(source))
    }
}
