//! A row of the index: what is known about one artifact, and how that is encoded.
//!
//! Fields have a tag and a length, so that later versions can add fields: an unknown field is skipped, and
//! a field that an old row lacks has its default. `docs/artifacts.md` lists the tags.

use crate::error::{Error, Result};
use crate::limits::{DEFAULT_MAX_ENTRY_BYTES, MAX_OUTPUTS};

/// Text or bytes, whichever the host gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stream {
    /// UTF-8.
    Text(String),
    /// Any bytes.
    Bytes(Vec<u8>),
}

impl Default for Stream {
    fn default() -> Self {
        Stream::Text(String::new())
    }
}

impl Stream {
    fn len(&self) -> usize {
        match self {
            Stream::Text(text) => text.len(),
            Stream::Bytes(bytes) => bytes.len(),
        }
    }
}

/// The metadata that the host gives for an artifact.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Meta {
    /// A name for each output.
    pub output_names: Vec<String>,
    /// Size of each output in bytes; as many as there are names.
    pub output_sizes: Vec<u64>,
    /// What the compiler printed to standard output.
    pub stdout: Stream,
    /// What the compiler printed to standard error.
    pub stderr: Stream,
    /// The compiler's exit code.
    pub exit_code: i32,
    /// Bytes that the artifact counts for in the size of the store.
    pub total_size: u64,
    /// When it was stored, in nanoseconds since the epoch.
    pub stored_ns: u64,
}

/// Which payload files belong to a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PayloadInfo {
    /// The digest over all outputs, which identifies the put.
    pub set: [u8; 16],
    /// Whether one file holds all outputs.
    pub packed: bool,
    /// How many outputs there are.
    pub count: u32,
    /// Bytes of all outputs.
    pub bytes: u64,
}

impl PayloadInfo {
    /// Whether both mean the same files with the same outputs.
    #[must_use]
    pub fn same_files(&self, other: &PayloadInfo) -> bool {
        (self.set, self.packed, self.count) == (other.set, other.packed, other.count)
    }

    /// Whether the other put has files that the files of this one do not replace.
    #[must_use]
    pub fn leaves_files_of(&self, other: &PayloadInfo) -> bool {
        self.packed != other.packed || (!self.packed && self.count < other.count)
    }
}

/// A row. A row without `meta` belongs to outputs whose metadata has not been inserted, perhaps because the
/// process died. It is not listed, but it counts towards the size and is evicted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Row {
    /// The metadata.
    pub meta: Option<Meta>,
    /// The payload files, if there are any.
    pub payload: Option<PayloadInfo>,
}

/// Tags of the fields.
mod tag {
    pub const OUTPUT: u8 = 1;
    pub const STDOUT_TEXT: u8 = 2;
    pub const STDOUT_BYTES: u8 = 3;
    pub const STDERR_TEXT: u8 = 4;
    pub const STDERR_BYTES: u8 = 5;
    pub const EXIT_CODE: u8 = 6;
    pub const TOTAL_SIZE: u8 = 7;
    pub const STORED_NS: u8 = 8;
    pub const PAYLOAD: u8 = 9;
}

impl Meta {
    /// Checks that the index can hold the metadata.
    ///
    /// # Errors
    /// `InvalidArg` if the numbers of names and sizes differ, `TooLarge` for too many outputs or too much text.
    pub fn check(&self) -> Result<()> {
        if self.output_names.len() != self.output_sizes.len() {
            return Err(Error::InvalidArg(format!(
                "outputNames and outputSizes must be equally long, not {} and {}",
                self.output_names.len(),
                self.output_sizes.len()
            )));
        }
        check_outputs(self.output_names.len())?;
        let names = self.output_names.iter().map(String::len);
        let size = names
            .chain([self.stdout.len(), self.stderr.len()])
            .fold(0u64, |sum, len| sum.saturating_add(len as u64).saturating_add(64));
        if size > DEFAULT_MAX_ENTRY_BYTES {
            return Err(Error::TooLarge {
                what: "the artifact's metadata",
                size,
                limit: DEFAULT_MAX_ENTRY_BYTES,
                remedy: "store long output as an output of its own",
            });
        }
        Ok(())
    }

    /// The encoded fields.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for (name, size) in self.output_names.iter().zip(&self.output_sizes) {
            field(&mut out, tag::OUTPUT, &[&size.to_le_bytes(), name.as_bytes()]);
        }
        stream(&mut out, &self.stdout, tag::STDOUT_TEXT, tag::STDOUT_BYTES);
        stream(&mut out, &self.stderr, tag::STDERR_TEXT, tag::STDERR_BYTES);
        field(&mut out, tag::EXIT_CODE, &[&self.exit_code.to_le_bytes()]);
        field(&mut out, tag::TOTAL_SIZE, &[&self.total_size.to_le_bytes()]);
        field(&mut out, tag::STORED_NS, &[&self.stored_ns.to_le_bytes()]);
        out
    }
}

/// Checks a number of outputs.
pub(super) fn check_outputs(count: usize) -> Result<()> {
    if count > MAX_OUTPUTS {
        return Err(Error::TooMany {
            what: "outputs",
            count,
            limit: MAX_OUTPUTS,
            remedy: "pack some of them into one",
        });
    }
    Ok(())
}

impl Row {
    /// The encoded row.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = self.meta.as_ref().map(Meta::encode).unwrap_or_default();
        if let Some(p) = &self.payload {
            let packed = [u8::from(p.packed)];
            let (count, bytes) = (p.count.to_le_bytes(), p.bytes.to_le_bytes());
            field(&mut out, tag::PAYLOAD, &[&p.set, &packed, &count, &bytes]);
        }
        out
    }

    /// Decodes a row; `None` if the bytes are not a row.
    #[must_use]
    pub fn decode(mut bytes: &[u8]) -> Option<Self> {
        let mut row = Row::default();
        let mut meta = Meta::default();
        let mut described = false;
        while let Some((tag, rest)) = bytes.split_first() {
            let (len, rest) = rest.split_first_chunk::<4>()?;
            let (value, rest) = rest.split_at_checked(usize::try_from(u32::from_le_bytes(*len)).ok()?)?;
            bytes = rest;
            described |= *tag != tag::PAYLOAD;
            match *tag {
                tag::OUTPUT => {
                    let (size, name) = value.split_first_chunk::<8>()?;
                    if meta.output_names.len() >= MAX_OUTPUTS {
                        return None;
                    }
                    meta.output_sizes.push(u64::from_le_bytes(*size));
                    meta.output_names.push(std::str::from_utf8(name).ok()?.to_owned());
                }
                tag::STDOUT_TEXT => meta.stdout = text(value)?,
                tag::STDOUT_BYTES => meta.stdout = Stream::Bytes(value.to_vec()),
                tag::STDERR_TEXT => meta.stderr = text(value)?,
                tag::STDERR_BYTES => meta.stderr = Stream::Bytes(value.to_vec()),
                tag::EXIT_CODE => meta.exit_code = i32::from_le_bytes(value.try_into().ok()?),
                tag::TOTAL_SIZE => meta.total_size = u64::from_le_bytes(value.try_into().ok()?),
                tag::STORED_NS => meta.stored_ns = u64::from_le_bytes(value.try_into().ok()?),
                tag::PAYLOAD => row.payload = Some(payload(value)?),
                _ => {}
            }
        }
        if described {
            row.meta = Some(meta);
        }
        (row.meta.is_some() || row.payload.is_some()).then_some(row)
    }

    /// Bytes that the row counts for in the size of the store.
    #[must_use]
    pub fn size(&self) -> u64 {
        match (&self.meta, &self.payload) {
            (Some(meta), _) => meta.total_size,
            (None, Some(payload)) => payload.bytes,
            (None, None) => 0,
        }
    }
}

fn field(out: &mut Vec<u8>, tag: u8, chunks: &[&[u8]]) {
    let len = chunks.iter().fold(0usize, |sum, c| sum.saturating_add(c.len()));
    out.push(tag);
    // `Meta::check` keeps every field far below 4 GiB.
    out.extend_from_slice(&u32::try_from(len).unwrap_or(u32::MAX).to_le_bytes());
    for chunk in chunks {
        out.extend_from_slice(chunk);
    }
}

fn stream(out: &mut Vec<u8>, stream: &Stream, text: u8, bytes: u8) {
    match stream {
        Stream::Text(value) => field(out, text, &[value.as_bytes()]),
        Stream::Bytes(value) => field(out, bytes, &[value]),
    }
}

fn text(value: &[u8]) -> Option<Stream> {
    Some(Stream::Text(std::str::from_utf8(value).ok()?.to_owned()))
}

fn payload(value: &[u8]) -> Option<PayloadInfo> {
    let (set, rest) = value.split_first_chunk::<16>()?;
    let (packed, rest) = rest.split_first()?;
    let (count, rest) = rest.split_first_chunk::<4>()?;
    let bytes = rest.first_chunk::<8>()?;
    Some(PayloadInfo {
        set: *set,
        packed: *packed != 0,
        count: u32::from_le_bytes(*count),
        bytes: u64::from_le_bytes(*bytes),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row() -> Row {
        Row {
            meta: Some(Meta {
                output_names: vec!["a.o".into(), "dep/ä.d".into()],
                output_sizes: vec![7, u64::MAX],
                stdout: Stream::Text("done\n".into()),
                stderr: Stream::Bytes(vec![0xff, 0]),
                exit_code: -3,
                total_size: 12,
                stored_ns: 1_700_000_000_000_000_001,
            }),
            payload: Some(PayloadInfo { set: [9; 16], packed: true, count: 2, bytes: 99 }),
        }
    }

    #[test]
    fn what_is_encoded_comes_back() {
        let bare = Row { meta: None, ..row() };
        let meta_only = Row { payload: None, ..row() };
        for row in [row(), bare, meta_only] {
            assert_eq!(Row::decode(&row.encode()), Some(row));
        }
    }

    #[test]
    fn a_row_of_an_older_or_a_newer_version_is_read() {
        // What an early version wrote: no streams, no size, no payload.
        let mut old = Vec::new();
        field(&mut old, tag::OUTPUT, &[&3u64.to_le_bytes(), b"x"]);
        field(&mut old, tag::EXIT_CODE, &[&1i32.to_le_bytes()]);
        let read = Row::decode(&old).unwrap().meta.unwrap();
        assert_eq!(
            (read.output_names, read.exit_code, read.stderr),
            (vec!["x".into()], 1, Stream::default())
        );
        // What a later version may write: an unknown field, and a longer payload field.
        let mut new = Vec::new();
        field(&mut new, 200, &[b"from the future"]);
        new.extend(row().meta.unwrap().encode());
        field(&mut new, tag::PAYLOAD, &[&[9; 16], &[1], &2u32.to_le_bytes(), &99u64.to_le_bytes(), b"more"]);
        assert_eq!(Row::decode(&new), Some(row()));
    }

    #[test]
    fn truncated_or_changed_bytes_cause_no_panic() {
        let bytes = row().encode();
        for len in 0..bytes.len() {
            let _ = Row::decode(&bytes[..len]);
        }
        for i in 0..bytes.len() {
            for bit in 0..8 {
                let mut bad = bytes.clone();
                bad[i] ^= 1 << bit;
                let _ = Row::decode(&bad);
            }
        }
        assert_eq!(Row::decode(&[]), None);
        assert_eq!(Row::decode(&[tag::EXIT_CODE, 255, 255, 255, 255]), None);
    }
}
