//! A resolution: which file a request from a folder led to, and the facts that decided it.

use super::facts::{Fact, Facts, Today};
use super::place::{Place, lookup_levels};
use super::stamp::{Look, take};
use super::walk::Walk;
use crate::limits::MAX_FACTS;

/// First byte of an entry, raised when the layout changes.
const VERSION: u8 = 1;

/// Stands for a request that is a path: no `node_modules` folders are searched.
const LOCAL: i32 = i32::MIN;

/// A request, and in how many folders Node.js looks for it.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The folder of the requesting file.
    pub folder: &'a [u8],
    /// The argument of `require`.
    pub request: &'a [u8],
    /// The number of folders that Node.js would search for it.
    pub paths: u32,
}

impl Request<'_> {
    /// How many more folders are searched than the `node_modules` above the requesting file: those of `NODE_PATH`, and
    /// those that the program has added.
    fn extra(&self) -> i32 {
        if self.request.starts_with(b".") || self.request.starts_with(b"/") {
            return LOCAL;
        }
        let levels = i32::try_from(lookup_levels(self.folder)).unwrap_or(i32::MAX);
        i32::try_from(self.paths).unwrap_or(i32::MAX).saturating_sub(levels)
    }
}

/// Encodes an entry. `found` is the path that was found, `real` its canonical path. `None` if a fact is no longer true
/// or cannot be stored.
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
    /// The state of the file, if it was read just now.
    pub look: Option<Look>,
    /// The entry with the present stamps, if it had others.
    pub restamped: Option<Vec<u8>>,
}

/// Where a request leads according to an entry, if all its facts are still true.
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
