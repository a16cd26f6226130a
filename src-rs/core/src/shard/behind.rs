//! Writing a large batch on another thread: while that thread writes one piece, the caller fills the next one.
//!
//! To *lay* a piece is to insert lent values into its frames and to seal the frames. Usually the other thread does this as
//! well.
//!
//! Invariant: once `finish` has returned, or the value was dropped, nothing is written any more and no lent value is read.
//! Only then may a failed batch be cut off the file.

use crate::error::{Error, Result};
use crate::frame::Sealer;
use crate::limits::{MAX_PIECES, WRITE_CHUNK};
use crate::mapping::prefetch;
use crate::storage::File;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

/// A lent value is prefetched while the fourth one before it is copied.
const AHEAD: usize = 4;

/// Lent values, and where in the bytes of a piece each must be inserted.
pub(super) type Lent = Vec<(usize, &'static [u8])>;

/// Whole frames of a batch. Values of some of them are lent and not in the bytes yet.
#[derive(Default)]
pub(super) struct Piece {
    /// Offset of the first frame in the file.
    at: u64,
    /// The frames, without lent values.
    bytes: Vec<u8>,
    lent: Lent,
    /// Set if the frames are laid already. So many bytes in front of them are free, for the bytes of the piece before that
    /// were not written with it.
    room: Option<usize>,
}

impl Piece {
    pub fn new(at: u64, bytes: Vec<u8>, lent: Lent) -> Self {
        Piece { at, bytes, lent, room: None }
    }

    /// A piece of frames that are laid already. It may begin with the end of a frame, which must not be sealed as if it were
    /// a whole one.
    pub fn laid(at: u64, bytes: Vec<u8>) -> Self {
        Piece { at, bytes, lent: Lent::new(), room: Some(0) }
    }

    pub fn into_parts(self) -> (Vec<u8>, Lent) {
        (self.bytes, self.lent)
    }

    /// Lays the frames and appends them to `out`.
    fn lay(&self, out: &mut Vec<u8>, sealer: &Sealer) {
        let (mut from, mut sealed, mut offset) = (0, out.len(), self.at);
        let mut seal = |out: &mut Vec<u8>| {
            let len = sealer.seal_all(out.get_mut(sealed..).unwrap_or_default(), offset);
            sealed = sealed.saturating_add(len);
            offset = offset.saturating_add(len as u64);
        };
        let mut coming = self.lent.iter().skip(AHEAD);
        for (to, value) in &self.lent {
            if let Some((_, next)) = coming.next() {
                prefetch(next);
            }
            out.extend_from_slice(self.bytes.get(from..*to).unwrap_or_default());
            out.extend_from_slice(value);
            from = *to;
            // Seal the frame before this one now, while it is in the nearest cache.
            seal(out);
        }
        out.extend_from_slice(self.bytes.get(from..).unwrap_or_default());
        seal(out);
    }

    fn cleared(mut self) -> Self {
        self.bytes.clear();
        self.lent.clear();
        self.room = None;
        self
    }
}

/// The state of the writing thread. It writes up to multiples of `WRITE_CHUNK` in the file, where large pages of the page
/// cache end; the bytes behind the last multiple wait for the next piece.
struct Writer {
    file: Arc<dyn File>,
    sealer: Sealer,
    /// Laid frames that are not written yet.
    out: Vec<u8>,
    /// Where in the file `out` begins.
    at: u64,
    /// Whether the file system gains from `File::reserve`.
    reserves: bool,
}

impl Writer {
    fn take(&mut self, piece: &mut Piece) -> Result<()> {
        match piece.room.map(|room| (room == self.out.len(), piece.bytes.get_mut(..room))) {
            Some((true, Some(room))) => {
                room.copy_from_slice(&self.out);
                std::mem::swap(&mut self.out, &mut piece.bytes);
            }
            Some((_, room)) => {
                let room = room.map_or(0, |room| room.len());
                self.out.extend_from_slice(piece.bytes.get(room..).unwrap_or_default());
            }
            None => piece.lay(&mut self.out, &self.sealer),
        }
        let over = self.at.saturating_add(self.out.len() as u64) % WRITE_CHUNK as u64;
        self.write(self.out.len().saturating_sub(usize::try_from(over).unwrap_or(0)))
    }

    /// Writes the first `len` bytes.
    fn write(&mut self, len: usize) -> Result<()> {
        if len == 0 {
            return Ok(());
        }
        self.reserves = self.reserves && self.file.reserve(self.at, len as u64);
        self.file.write_at(self.out.get(..len).unwrap_or_default(), self.at)?;
        self.out.drain(..len);
        self.at = self.at.saturating_add(len as u64);
        Ok(())
    }
}

/// A thread that writes pieces of a batch, in their order.
pub(super) struct Behind {
    file: Arc<dyn File>,
    sealer: Sealer,
    to: Option<Sender<Piece>>,
    back: Receiver<(Piece, Result<()>)>,
    thread: Option<JoinHandle<()>>,
    under_way: usize,
    spare: Vec<Piece>,
}

impl Behind {
    /// Starts the thread; `None` if that fails. The first piece will be written at `at`, a multiple of `WRITE_CHUNK`.
    pub fn start(file: Arc<dyn File>, sealer: Sealer, at: u64) -> Option<Self> {
        let (to, pieces) = channel::<Piece>();
        let (done, back) = channel();
        let mut writer =
            Writer { file: Arc::clone(&file), sealer: sealer.clone(), out: Vec::new(), at, reserves: true };
        let work = move || {
            for mut piece in pieces {
                let written = writer.take(&mut piece);
                let failed = written.is_err();
                if done.send((piece.cleared(), written)).is_err() || failed {
                    return;
                }
            }
            let _ = done.send((Piece::default(), writer.write(writer.out.len())));
        };
        let thread = std::thread::Builder::new().name("warmshard-write".into()).spawn(work).ok()?;
        Some(Behind {
            file,
            sealer,
            to: Some(to),
            back,
            thread: Some(thread),
            under_way: 0,
            spare: Vec::new(),
        })
    }

    /// Hands a piece to the thread and returns an empty one. If the thread is behind, the piece is laid here and now.
    ///
    /// # Errors
    /// `Io` and `NoSpace` if an earlier piece could not be written; then the later ones are not written either.
    pub fn write(&mut self, piece: Piece) -> Result<Piece> {
        while let Ok(back) = self.back.try_recv() {
            self.take_back(back)?;
        }
        if self.under_way < MAX_PIECES || piece.room.is_some() {
            self.send(piece)?;
        } else {
            let mut laid = self.spare.pop().unwrap_or_default();
            let room = usize::try_from(piece.at % WRITE_CHUNK as u64).unwrap_or(0);
            laid.at = piece.at;
            laid.room = Some(room);
            laid.bytes.reserve(WRITE_CHUNK.saturating_add(WRITE_CHUNK / 8));
            laid.bytes.resize(room, 0);
            piece.lay(&mut laid.bytes, &self.sealer);
            self.spare.push(piece.cleared());
            self.send(laid)?;
            while self.under_way >= MAX_PIECES.saturating_mul(2) {
                self.wait()?;
            }
        }
        Ok(self.spare.pop().unwrap_or_default())
    }

    /// Hands the last piece to the thread, without waiting for it.
    ///
    /// # Errors
    /// As `write`.
    pub fn end(&mut self, piece: Piece) -> Result<()> {
        self.send(piece)?;
        self.to = None;
        // The thread sends one more message when all is written.
        self.under_way = self.under_way.saturating_add(1);
        Ok(())
    }

    /// Waits until everything is written.
    ///
    /// # Errors
    /// As `write`.
    pub fn finish(&mut self) -> Result<()> {
        while self.under_way > 0 {
            self.wait()?;
        }
        Ok(())
    }

    fn send(&mut self, piece: Piece) -> Result<()> {
        let sent = self.to.as_ref().is_some_and(|to| to.send(piece).is_ok());
        if !sent {
            return self.finish().and(Err(self.gone()));
        }
        self.under_way = self.under_way.saturating_add(1);
        Ok(())
    }

    /// Waits for the oldest piece.
    fn wait(&mut self) -> Result<()> {
        let back = self.back.recv().map_err(|_| self.gone())?;
        self.take_back(back)
    }

    /// The error if the thread has ended too early: a write failed, and its error was returned before.
    fn gone(&self) -> Error {
        Error::io("pwrite", self.file.path(), std::io::ErrorKind::BrokenPipe.into())
    }

    fn take_back(&mut self, (piece, written): (Piece, Result<()>)) -> Result<()> {
        self.under_way = self.under_way.saturating_sub(1);
        self.spare.push(piece);
        written
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Digest;
    use crate::storage::{Open, Storage, memory::Memory};
    use std::path::Path;

    #[test]
    fn the_error_of_a_thread_that_has_ended_names_the_file() {
        let path = Path::new("/a.shard");
        let file = Memory::default().open(path, Open::Create).unwrap().unwrap();
        let sealer = Sealer::new(7, Digest::Xxh3);
        let mut behind = Behind::start(file, sealer, 0).unwrap();
        behind.end(Piece::default()).unwrap();
        behind.finish().unwrap();
        let error = behind.write(Piece::default()).err().unwrap();
        assert_eq!(error.path(), Some(path));
    }
}
