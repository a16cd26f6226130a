//! `verify`: checks every frame and the index, and changes nothing.

use super::{Job, Shard};
use crate::error::Result;
use crate::frame::{COMMIT, HEAD_LEN, Head, RECORD, TOMBSTONE};
use crate::key;
use crate::limits::{HEADER_LEN, MAX_REPORTED};
use crate::state::scan::Scan;
use crate::state::view::View;
use std::collections::HashSet;

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Where in the file.
    pub offset: u64,
    /// The key of the record, if it can be read.
    pub key: Option<String>,
    /// What is wrong.
    pub reason: String,
}

/// The result of `verify`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct VerifyReport {
    /// Frames walked.
    pub frames: u64,
    /// Records among them.
    pub records: u64,
    /// Live entries whose digest agrees.
    pub live: u64,
    /// Frames whose digest fails.
    pub corrupt: u64,
    /// Bytes that belong to no frame.
    pub damaged_bytes: u64,
    /// Live entries that the index does not find.
    pub unindexed: u64,
    /// What is wrong, at most the first 1000 faults.
    pub faults: Vec<Fault>,
}

impl VerifyReport {
    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.corrupt == 0 && self.damaged_bytes == 0 && self.unindexed == 0
    }

    /// Notes bytes that belong to no frame.
    fn pass(&mut self, offset: u64, len: u64) {
        if len > 0 {
            self.damaged_bytes = self.damaged_bytes.saturating_add(len);
            self.fault(offset, None, &format!("{len} bytes that belong to no frame"));
        }
    }

    fn fault(&mut self, offset: u64, key: Option<String>, reason: &str) {
        if self.faults.len() < MAX_REPORTED {
            self.faults.push(Fault { offset, key, reason: reason.into() });
        }
    }
}

impl Shard {
    /// Reads and verifies every frame, then compares the index with them. Changes nothing.
    ///
    /// # Errors
    /// `Aborted`; `Io` if a system call fails, because bytes that cannot be read are not damaged.
    pub fn verify(&mut self, job: &Job) -> Result<VerifyReport> {
        self.must_catch_up()?;
        let mut report = VerifyReport::default();
        if let Some(why) = &self.rejected {
            report.damaged_bytes = self.seen.map_or(0, |s| s.len);
            report.fault(0, None, &why.to_string());
        }
        let Some(state) = self.state.as_deref() else {
            return Ok(report);
        };
        state.view.ask_again();
        // Steps are counted in units of 64 KiB, however long the frames are.
        job.expect(state.end >> 16);
        let live = state.live_by_scan(&mut self.scratch);
        let live_places: HashSet<u64> = live.iter().map(|e| e.place.offset()).collect();
        let mut scratch = Vec::new();
        let mut stepped = 0;
        // Where the frame before ended, and how many bytes had been passed over until then.
        let (mut at, mut passed) = (HEADER_LEN, 0);
        let mut scan = Scan::new(&state.view, &state.sealer, HEADER_LEN, state.end);
        while let Some(step) = scan.next_any() {
            while stepped < step.offset >> 16 {
                stepped = u64::saturating_add(stepped, 1);
                job.step()?;
            }
            report.pass(at, scan.damaged().saturating_sub(passed));
            at = step.end();
            passed = scan.damaged();
            report.frames = report.frames.saturating_add(1);
            report.records = report.records.saturating_add(u64::from(step.head.kind == RECORD));
            let frame = usize::try_from(step.head.length.get())
                .ok()
                .and_then(|len| state.view.get(step.offset, len, &mut scratch));
            let sound = frame.is_some_and(|f| state.sealer.verify(f, step.offset));
            if sound {
                report.live = report.live.saturating_add(u64::from(live_places.contains(&step.offset)));
            } else {
                report.corrupt = report.corrupt.saturating_add(1);
                let key = shown_key(&state.view, step.offset, &step.head, self.options.root.as_ref());
                let what = match step.head.kind {
                    RECORD => "record",
                    TOMBSTONE => "tombstone",
                    COMMIT => "commit frame",
                    _ => "index snapshot",
                };
                report.fault(step.offset, key, &format!("the {what}'s digest fails"));
            }
        }
        report.pass(at, scan.damaged().saturating_sub(passed));
        let indexed: Option<HashSet<u64>> =
            state.live_index(&mut self.scratch).map(|l| l.iter().map(|e| e.place.offset()).collect());
        match indexed {
            Some(indexed) => {
                for place in live_places.difference(&indexed) {
                    report.unindexed = report.unindexed.saturating_add(1);
                    report.fault(*place, None, "the index does not lead to this record");
                }
            }
            None => report.fault(state.snapshot(), None, "the index snapshot cannot be read"),
        }
        state.view.could_read()?;
        Ok(report)
    }
}

fn shown_key(view: &View, offset: u64, head: &Head, root: Option<&key::Root>) -> Option<String> {
    let mut scratch = Vec::new();
    let bytes = view.get(offset, head.layout().key_end, &mut scratch)?;
    (head.kind == RECORD).then(|| key::shown(bytes.get(HEAD_LEN..)?, root)).flatten()
}
