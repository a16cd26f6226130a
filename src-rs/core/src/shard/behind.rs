//! Writing on another thread: while the file system takes in one piece of a large batch, the next one is made.
//!
//! Invariant: when `finish` has returned, or the value was dropped, nothing is written any more. Who takes a
//! batch back may cut the file then.

use crate::error::{Error, Result};
use crate::limits::{MAX_PIECES, WRITE_CHUNK};
use crate::storage::File;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

/// A thread that writes pieces of a batch, in their order.
pub(super) struct Behind {
    to: Option<Sender<(Vec<u8>, u64)>>,
    back: Receiver<(Vec<u8>, Result<()>)>,
    thread: Option<JoinHandle<()>>,
    under_way: usize,
}

impl Behind {
    /// `None` where there can be no thread.
    pub fn start(file: Arc<dyn File>) -> Option<Self> {
        let (to, pieces) = channel::<(Vec<u8>, u64)>();
        let (done, back) = channel();
        let work = move || {
            for (piece, at) in pieces {
                let written = file.write_at(&piece, at);
                let failed = written.is_err();
                if done.send((piece, written)).is_err() || failed {
                    return;
                }
            }
        };
        let thread = std::thread::Builder::new().name("warmshard-write".into()).spawn(work).ok()?;
        Some(Behind { to: Some(to), back, thread: Some(thread), under_way: 0 })
    }

    /// Has a piece written at an offset, and leaves an empty buffer in its place.
    ///
    /// # Errors
    /// `Io` and `NoSpace` for an earlier piece that the system refused; the later ones are not written then.
    pub fn write(&mut self, piece: &mut Vec<u8>, at: u64) -> Result<()> {
        let empty = if self.under_way < MAX_PIECES {
            // A frame may reach beyond the end of a piece.
            Vec::with_capacity(WRITE_CHUNK.saturating_add(WRITE_CHUNK / 8))
        } else {
            self.wait()?
        };
        let full = std::mem::replace(piece, empty);
        let sent = self.to.as_ref().is_some_and(|to| to.send((full, at)).is_ok());
        if !sent {
            return self.finish().and(Err(gone()));
        }
        self.under_way = self.under_way.saturating_add(1);
        Ok(())
    }

    /// Waits for the oldest piece, and gives its buffer.
    fn wait(&mut self) -> Result<Vec<u8>> {
        let (mut buffer, written) = self.back.recv().map_err(|_| gone())?;
        self.under_way = self.under_way.saturating_sub(1);
        written?;
        buffer.clear();
        Ok(buffer)
    }

    /// Waits until all is written.
    ///
    /// # Errors
    /// As `write`.
    pub fn finish(&mut self) -> Result<()> {
        while self.under_way > 0 {
            self.wait()?;
        }
        Ok(())
    }
}

impl Drop for Behind {
    fn drop(&mut self) {
        self.to = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// The thread has ended before its work was done: it failed, and what it failed with was told already.
fn gone() -> Error {
    Error::io("pwrite", Path::new("a batch"), std::io::ErrorKind::BrokenPipe.into())
}
