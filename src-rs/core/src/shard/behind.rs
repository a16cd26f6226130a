//! Sealing and writing on another thread: while the file system takes in one piece of a large batch, the next one is made.
//!
//! Invariant: when `finish` has returned, or the value was dropped, nothing is written any more. Who takes a
//! batch back may cut the file then.

use crate::error::{Error, Result};
use crate::frame::Sealer;
use crate::limits::{MAX_PIECES, WRITE_CHUNK};
use crate::storage::File;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

/// A piece of a batch, and where it goes.
struct Piece {
    bytes: Vec<u8>,
    at: u64,
    /// The whole frames in it that are yet to be sealed.
    unsealed: Range<usize>,
}

impl Piece {
    fn seal(&mut self, sealer: &Sealer) {
        let offset = self.at.saturating_add(self.unsealed.start as u64);
        sealer.seal_all(self.bytes.get_mut(self.unsealed.clone()).unwrap_or_default(), offset);
        self.unsealed = 0..0;
    }
}

/// A thread that writes pieces of a batch, in their order.
pub(super) struct Behind {
    sealer: Sealer,
    to: Option<Sender<Piece>>,
    back: Receiver<(Vec<u8>, Result<()>)>,
    thread: Option<JoinHandle<()>>,
    under_way: usize,
}

impl Behind {
    /// `None` where there can be no thread.
    pub fn start(file: Arc<dyn File>, sealer: Sealer) -> Option<Self> {
        let (to, pieces) = channel::<Piece>();
        let (done, back) = channel();
        let seals = sealer.clone();
        let work = move || {
            let mut reserves = true;
            for mut piece in pieces {
                piece.seal(&seals);
                reserves = reserves && file.reserve(piece.at, piece.bytes.len() as u64);
                let written = file.write_at(&piece.bytes, piece.at);
                let failed = written.is_err();
                if done.send((piece.bytes, written)).is_err() || failed {
                    return;
                }
            }
        };
        let thread = std::thread::Builder::new().name("warmshard-write".into()).spawn(work).ok()?;
        Some(Behind { sealer, to: Some(to), back, thread: Some(thread), under_way: 0 })
    }

    /// Has the first `len` bytes of a buffer written at an offset, and leaves a buffer with the rest in its place. The
    /// frames in `unsealed` are sealed before, by whoever of the two threads is ahead of the other.
    ///
    /// # Errors
    /// `Io` and `NoSpace` for an earlier piece that the system refused; the later ones are not written then.
    pub fn write(&mut self, buffer: &mut Vec<u8>, len: usize, at: u64, unsealed: Range<usize>) -> Result<()> {
        let mut piece = Piece { bytes: std::mem::take(buffer), at, unsealed };
        let next = match self.spare()? {
            Some(next) => next,
            None => {
                piece.seal(&self.sealer);
                self.wait()?
            }
        };
        *buffer = next;
        buffer.extend_from_slice(piece.bytes.get(len..).unwrap_or_default());
        piece.bytes.truncate(len);
        let sent = self.to.as_ref().is_some_and(|to| to.send(piece).is_ok());
        if !sent {
            return self.finish().and(Err(gone()));
        }
        self.under_way = self.under_way.saturating_add(1);
        Ok(())
    }

    /// An empty buffer, if there is one without waiting.
    fn spare(&mut self) -> Result<Option<Vec<u8>>> {
        if self.under_way < MAX_PIECES {
            // A frame may reach beyond the end of a piece.
            return Ok(Some(Vec::with_capacity(WRITE_CHUNK.saturating_add(WRITE_CHUNK / 8))));
        }
        match self.back.try_recv() {
            Ok(back) => self.take_back(back).map(Some),
            Err(_) => Ok(None),
        }
    }

    /// Waits for the oldest piece, and gives its buffer.
    fn wait(&mut self) -> Result<Vec<u8>> {
        let back = self.back.recv().map_err(|_| gone())?;
        self.take_back(back)
    }

    fn take_back(&mut self, (mut buffer, written): (Vec<u8>, Result<()>)) -> Result<Vec<u8>> {
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
