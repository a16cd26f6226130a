//! A resolution: which file a request from a folder led to, and the facts that decided it.

use super::facts::{Fact, Facts, Today};
use super::place::{Place, lookup_levels};
use super::stamp::{Look, take};
use super::walk::Walk;
use crate::limits::MAX_FACTS;

/// First byte of an entry; another one is another layout.
const VERSION: u8 = 1;

/// A request that is looked for in its folder only.
const LOCAL: i32 = i32::MIN;

/// What a program asked for, and in how many folders it looks.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The folder of the file that asks.
    pub folder: &'a [u8],
    /// What it asks for.
    pub request: &'a [u8],
    /// How many folders Node.js would look in.
    pub paths: u32,
}

impl Request<'_> {
    /// Folders beyond those that the place of the file implies: those of the environment, or that the program added.
    fn extra(&self) -> i32 {
        if self.request.starts_with(b".") || self.request.starts_with(b"/") {
            return LOCAL;
        }
        let levels = i32::try_from(lookup_levels(self.folder)).unwrap_or(i32::MAX);
        i32::try_from(self.paths).unwrap_or(i32::MAX).saturating_sub(levels)
    }
}

/// The bytes of an entry. `found` is the path that was found, `real` its canonical one. `None` where a fact is not
/// true any more, or cannot be told.
#[must_use]
pub fn encode(
    request: &Request<'_>,
    found: &[u8],
    real: &[u8],
    facts: &[(u8, &[u8])],
    today: &mut Today,
) -> Option<Vec<u8>> {
    if facts.len() >= MAX_FACTS {
        return None;
    }
    let mut out = vec![VERSION];
    out.extend_from_slice(&request.extra().to_le_bytes());
    Place::of(request.folder, found)?.encode(&mut out);
    Place::of(request.folder, real)?.encode(&mut out);
    for (kind, path) in facts {
        Fact::today(*kind, request.folder, path, today)?.encode(&mut out);
    }
    Some(out)
}

/// Where a request leads.
#[derive(Debug)]
pub struct Found {
    /// The canonical path.
    pub real: Vec<u8>,
    /// What lies there, if that was looked at.
    pub look: Option<Look>,
    /// The entry with the stamps of today, where it has others.
    pub restamped: Option<Vec<u8>>,
}

/// Where a request leads, if everything is as it was.
pub fn replay(entry: &[u8], request: &Request<'_>, facts: &mut Facts, walk: &mut Walk) -> Option<Found> {
    let mut at = entry;
    if take(&mut at)? != [VERSION] || i32::from_le_bytes(take(&mut at)?) != request.extra() {
        return None;
    }
    let (found, real) = (Place::decode(&mut at)?, Place::decode(&mut at)?);
    let mut path = Vec::new();
    found.write(request.folder, &mut path)?;
    let (today, look) = walk.known_file(&path)?;
    real.write(request.folder, &mut path)?;
    if today != path || !facts.hold(at, request.folder) {
        return None;
    }
    let restamped = facts.restamped(at, request.folder).and_then(|told| {
        let head = entry.len().checked_sub(at.len())?;
        Some([entry.get(..head)?, told.as_slice()].concat())
    });
    Some(Found { real: today, look, restamped })
}
