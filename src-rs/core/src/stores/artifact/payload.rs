//! A payload file: outputs of an artifact, and what is needed to rebuild its row of the index.
//!
//! `docs/artifacts.md` describes it byte by byte. Everything up to the end of the outputs is written before
//! the file is renamed into place, and never changed. Row blocks are appended later, because the metadata may
//! be known only after the outputs. A torn block is ignored, and the one before it counts.

use crate::error::Result;
use crate::limits::{ALIGN, MAX_ENTRY_BYTES, MAX_KEY_BYTES, MAX_OUTPUTS, MAX_ROW_BLOCKS_BYTES};
use crate::storage::File;
use std::sync::Arc;
use zerocopy::little_endian::{U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use super::names::Part;

const MAGIC: [u8; 8] = *b"WARMPAYL";
const VERSION: u32 = 1;
/// The part number of a pack.
const PACK: u32 = u32::MAX;
const BLOCK_MAGIC: [u8; 4] = *b"ROWB";
const BLOCK_HEAD: usize = 8;
const DIGEST_LEN: usize = 32;
/// Bytes of the first read of a file, enough for head, key and table of nearly all files.
const FIRST_READ: usize = 4096;
/// Bytes verified at a time; they stay in the processor's cache between reading and hashing.
const VERIFY_CHUNK: usize = 128 << 10;

#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned, Clone)]
#[repr(C)]
struct RawHead {
    magic: [u8; 8],
    version: U32,
    part: U32,
    count: U32,
    key_len: U32,
    producer: U64,
    set: [u8; 16],
    body_end: U64,
    reserved: [u8; 8],
}

#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned, Clone)]
#[repr(C)]
struct RawEntry {
    offset: U64,
    len: U64,
    digest: [u8; DIGEST_LEN],
}

const HEAD_LEN: usize = size_of::<RawHead>();
const ENTRY_LEN: usize = size_of::<RawEntry>();
const _: () = assert!(HEAD_LEN == 64 && ENTRY_LEN == 48);

/// The outputs of one put, with their digests.
pub struct Outputs<'a> {
    outputs: &'a [&'a [u8]],
    digests: Vec<[u8; DIGEST_LEN]>,
    /// The digest over all outputs, which identifies the put.
    pub set: [u8; 16],
}

impl<'a> Outputs<'a> {
    /// Computes the digests.
    #[must_use]
    pub fn new(outputs: &'a [&'a [u8]]) -> Self {
        let digests: Vec<_> = outputs.iter().map(|o| *blake3::hash(o).as_bytes()).collect();
        let mut all = blake3::Hasher::new();
        for (output, digest) in outputs.iter().zip(&digests) {
            all.update(&(output.len() as u64).to_le_bytes());
            all.update(digest);
        }
        let set = all.finalize().as_bytes().first_chunk::<16>().copied().unwrap_or_default();
        Outputs { outputs, digests, set }
    }

    /// Bytes of all outputs.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.outputs.iter().fold(0, |sum, o| sum.saturating_add(o.len() as u64))
    }

    /// The contents of the file of one part.
    pub fn file(&self, key: &str, producer: u64, part: Part) -> FileDraft<'a> {
        let (number, chosen) = match part {
            Part::Pack => (PACK, 0..self.outputs.len()),
            Part::Output(index) => (index, index as usize..(index as usize).saturating_add(1)),
        };
        let outputs = self.outputs.get(chosen.clone()).unwrap_or_default();
        let digests = self.digests.get(chosen).unwrap_or_default();
        let mut at = align(front_len(key.len(), outputs.len()));
        let mut table = Vec::new();
        for (output, digest) in outputs.iter().zip(digests) {
            let raw = RawEntry { offset: at.into(), len: (output.len() as u64).into(), digest: *digest };
            table.extend_from_slice(raw.as_bytes());
            at = align(at.saturating_add(output.len() as u64));
        }
        let head = RawHead {
            magic: MAGIC,
            version: VERSION.into(),
            part: number.into(),
            count: (self.outputs.len() as u32).into(),
            key_len: (key.len() as u32).into(),
            producer: producer.into(),
            set: self.set,
            body_end: at.into(),
            reserved: [0; 8],
        };
        let mut front = [head.as_bytes(), key.as_bytes(), &table].concat();
        let digest = blake3::hash(&front);
        front.extend_from_slice(digest.as_bytes());
        FileDraft { front, outputs: outputs.to_vec() }
    }
}

/// A payload file about to be written.
pub struct FileDraft<'a> {
    front: Vec<u8>,
    outputs: Vec<&'a [u8]>,
}

impl FileDraft<'_> {
    /// The bytes to write, in order, with the row block `block` last.
    pub fn chunks<'b>(&'b self, block: &'b [u8]) -> Vec<&'b [u8]> {
        let mut chunks: Vec<&[u8]> = vec![&self.front, padding(self.front.len())];
        for output in &self.outputs {
            chunks.push(output);
            chunks.push(padding(output.len()));
        }
        chunks.push(block);
        chunks
    }
}

/// A row block: the metadata, bound to its key.
#[must_use]
pub fn row_block(key: &str, meta: &[u8]) -> Vec<u8> {
    let len = u32::try_from(meta.len()).unwrap_or(u32::MAX).to_le_bytes();
    [&BLOCK_MAGIC[..], &len, meta, &block_digest(key, meta)].concat()
}

fn block_digest(key: &str, meta: &[u8]) -> [u8; DIGEST_LEN] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&(key.len() as u64).to_le_bytes());
    hasher.update(key.as_bytes());
    hasher.update(meta);
    *hasher.finalize().as_bytes()
}

/// An opened payload file whose front matches its digest.
#[derive(Debug)]
pub struct Payload {
    file: Arc<dyn File>,
    /// The key of the artifact.
    pub key: String,
    /// The number of the producer.
    pub producer: u64,
    /// Which part of the payload this file is.
    pub part: Part,
    /// Number of outputs of the artifact, in this file and in others.
    pub count: u32,
    /// See `PayloadInfo::set`.
    pub set: [u8; 16],
    entries: Vec<Output>,
    body_end: u64,
    file_len: u64,
}

/// Where one output lies in its file.
#[derive(Debug, Clone, Copy)]
pub struct Output {
    /// Offset in the file.
    pub offset: u64,
    /// Length in bytes.
    pub len: u64,
    digest: [u8; DIGEST_LEN],
}

impl Output {
    /// Whether `bytes` are the bytes of the output.
    #[must_use]
    pub fn is(&self, bytes: &[u8]) -> bool {
        bytes.len() as u64 == self.len && *blake3::hash(bytes).as_bytes() == self.digest
    }

    /// Whether the file contains the output's bytes. Reads them in chunks.
    ///
    /// # Errors
    /// `Io`.
    pub fn is_in(&self, file: &dyn File) -> Result<bool> {
        let mut hasher = blake3::Hasher::new();
        let mut buffer = vec![0; VERIFY_CHUNK];
        let mut done = 0;
        while done < self.len {
            let left = self.len.saturating_sub(done);
            let len = usize::try_from(left).map_or(VERIFY_CHUNK, |left| left.min(VERIFY_CHUNK));
            let chunk = buffer.get_mut(..len).unwrap_or_default();
            if file.read_at(chunk, self.offset.saturating_add(done))? != len {
                return Ok(false);
            }
            hasher.update(chunk);
            done = done.saturating_add(len as u64);
        }
        Ok(*hasher.finalize().as_bytes() == self.digest)
    }
}

impl Payload {
    /// Reads the front of a file. `None` if it is not a valid payload.
    ///
    /// # Errors
    /// `Io`.
    pub fn open(file: Arc<dyn File>) -> Result<Option<Self>> {
        let file_len = file.identity()?.len;
        let mut bytes = vec![0; FIRST_READ.min(usize::try_from(file_len).unwrap_or(FIRST_READ))];
        let read = file.read_at(&mut bytes, 0)?;
        bytes.truncate(read);
        let Some(wanted) = RawHead::ref_from_prefix(&bytes).ok().and_then(|(head, _)| wanted_len(head))
        else {
            return Ok(None);
        };
        if bytes.len() < wanted && wanted as u64 <= file_len {
            let had = bytes.len();
            bytes.resize(wanted, 0);
            let more = file.read_at(bytes.get_mut(had..).unwrap_or_default(), had as u64)?;
            bytes.truncate(had.saturating_add(more));
        }
        Ok(Self::parse(file, &bytes, wanted, file_len))
    }

    fn parse(file: Arc<dyn File>, bytes: &[u8], wanted: usize, file_len: u64) -> Option<Self> {
        let (head, _) = RawHead::ref_from_prefix(bytes).ok()?;
        let (front, digest) = bytes.get(..wanted)?.split_at_checked(wanted.checked_sub(DIGEST_LEN)?)?;
        if blake3::hash(front).as_bytes().as_slice() != digest {
            return None;
        }
        let (key, table) = front.get(HEAD_LEN..)?.split_at_checked(head.key_len.get() as usize)?;
        let body_end = head.body_end.get();
        let part = match head.part.get() {
            PACK => Part::Pack,
            index => Part::Output(index),
        };
        let entries = table.chunks_exact(ENTRY_LEN).map(|raw| {
            let (raw, _) = RawEntry::ref_from_prefix(raw).ok()?;
            let (offset, len) = (raw.offset.get(), raw.len.get());
            (offset.checked_add(len)? <= body_end).then_some(Output { offset, len, digest: raw.digest })
        });
        let entries = entries.collect::<Option<Vec<_>>>()?;
        Some(Payload {
            key: std::str::from_utf8(key).ok()?.to_owned(),
            producer: head.producer.get(),
            part,
            count: head.count.get(),
            set: head.set,
            entries,
            body_end: (body_end <= file_len).then_some(body_end)?,
            file_len,
            file,
        })
    }

    /// Whether a file starts like a payload of this version, or like one after a power cut: truncated, or
    /// with zeros.
    ///
    /// # Errors
    /// `Io`.
    pub fn looks_like_one(file: &dyn File) -> Result<bool> {
        let mut bytes = [0; MAGIC.len() + size_of::<u32>()];
        let read = file.read_at(&mut bytes, 0)?;
        let begin = [&MAGIC[..], &VERSION.to_le_bytes()].concat();
        let bytes = bytes.get(..read).unwrap_or_default();
        Ok(begin.starts_with(bytes) || bytes.iter().all(|b| *b == 0))
    }

    /// Where an output of the artifact lies in this file, if it is in this file.
    #[must_use]
    pub fn output(&self, index: u32) -> Option<Output> {
        let at = match self.part {
            Part::Pack => index as usize,
            Part::Output(own) => (own == index).then_some(0)?,
        };
        self.entries.get(at).copied()
    }

    /// The file itself.
    #[must_use]
    pub fn file(&self) -> &Arc<dyn File> {
        &self.file
    }

    /// Bytes of the outputs in this file.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.entries.iter().fold(0, |sum, e| sum.saturating_add(e.len))
    }

    /// Whether all outputs in this file match their digests.
    ///
    /// # Errors
    /// `Io`.
    pub fn is_sound(&self) -> Result<bool> {
        for output in &self.entries {
            if !output.is_in(self.file.as_ref())? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Writes a row block at `end`, where the last complete block ends, and removes the rest of a torn one.
    /// Returns the length of the block.
    ///
    /// # Errors
    /// `Io`, `NoSpace`.
    pub fn append_row(&self, end: u64, meta: &[u8]) -> Result<u64> {
        if end < self.file_len {
            self.file.set_len(end)?;
        }
        let block = row_block(&self.key, meta);
        self.file.write_at(&block, end)?;
        Ok(block.len() as u64)
    }

    /// The metadata in the last complete row block, and where that block ends.
    ///
    /// # Errors
    /// `Io`.
    pub fn last_row(&self) -> Result<(Option<Vec<u8>>, u64)> {
        let len = self.file_len.saturating_sub(self.body_end);
        if len > MAX_ROW_BLOCKS_BYTES {
            return Ok((None, self.body_end));
        }
        let mut tail = vec![0; usize::try_from(len).unwrap_or(0)];
        let read = self.file.read_at(&mut tail, self.body_end)?;
        tail.truncate(read);
        let (mut rest, mut last) = (tail.as_slice(), None);
        while let Some((meta, behind)) = self.block(rest) {
            last = Some(meta);
            rest = behind;
        }
        let end = self.file_len.saturating_sub(rest.len() as u64);
        Ok((last.map(<[u8]>::to_vec), end))
    }

    fn block<'a>(&self, bytes: &'a [u8]) -> Option<(&'a [u8], &'a [u8])> {
        let (head, rest) = bytes.split_at_checked(BLOCK_HEAD)?;
        let (magic, len) = head.split_first_chunk::<4>()?;
        let len = usize::try_from(u32::from_le_bytes(len.try_into().ok()?)).ok()?;
        let (meta, rest) = rest.split_at_checked(len)?;
        let (digest, rest) = rest.split_first_chunk::<DIGEST_LEN>()?;
        (*magic == BLOCK_MAGIC && *digest == block_digest(&self.key, meta)).then_some((meta, rest))
    }
}

/// Length of head, key, table and digest; `None` if the head is not valid.
fn wanted_len(head: &RawHead) -> Option<usize> {
    let (key_len, count) = (head.key_len.get() as usize, head.count.get() as usize);
    let entries = match head.part.get() {
        PACK => count,
        index => (index < head.count.get()).then_some(1)?,
    };
    let good = head.magic == MAGIC
        && head.version.get() == VERSION
        && key_len <= MAX_KEY_BYTES
        && count <= MAX_OUTPUTS
        && head.body_end.get() <= MAX_ENTRY_BYTES.saturating_mul(MAX_OUTPUTS as u64);
    good.then(|| usize::try_from(front_len(key_len, entries)).ok())?
}

fn front_len(key_len: usize, entries: usize) -> u64 {
    let table = (entries as u64).saturating_mul(ENTRY_LEN as u64);
    (HEAD_LEN as u64).saturating_add(key_len as u64).saturating_add(table).saturating_add(DIGEST_LEN as u64)
}

fn align(at: u64) -> u64 {
    at.checked_next_multiple_of(ALIGN).unwrap_or(u64::MAX)
}

/// The zeros that follow `len` bytes up to the next aligned offset.
fn padding(len: usize) -> &'static [u8] {
    const ZEROS: [u8; ALIGN as usize] = [0; ALIGN as usize];
    let behind = len % ALIGN as usize;
    let missing = if behind == 0 { 0 } else { (ALIGN as usize).saturating_sub(behind) };
    ZEROS.get(..missing).unwrap_or_default()
}
