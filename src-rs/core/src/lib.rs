//! The engine of warmshard: a persistent cache of compiled artifacts in one append-only,
//! memory-mapped file.
//!
//! The terms (shard, frame, record, entry, part, validator, producer, generation, sidecar, window)
//! are those of `ARCHITECTURE.md`; the file is described to the byte in `docs/format.md`.
//!
//! The crate does not depend on Node.js, so it can be tested, fuzzed and used from Rust:
//!
//! ```
//! use warmshard_core::{Lookup, Options, Shard, Validator};
//!
//! let dir = tempfile::tempdir().unwrap();
//! let mut shard = Shard::open(&dir.path().join("demo.shard"), Options::default()).unwrap();
//! shard.put(b"greeting", &[b"hello"], Default::default()).unwrap();
//! let Lookup::Hit(hit) = shard.get(b"greeting", &Validator::None).unwrap() else { panic!() };
//! assert_eq!(shard.read_part(&hit, 0).unwrap(), b"hello");
//! ```
#![deny(unsafe_code)]

pub mod clock;
pub mod digest;
pub mod error;
pub mod frame;
pub mod header;
pub mod index;
pub mod key;
pub mod kind;
pub mod limits;
pub mod mapping;
pub mod producer;
pub mod shard;
pub mod sidecar;
pub mod state;
pub mod storage;
pub mod stores;
pub mod validator;

pub use digest::Digest;
pub use error::{Code, Error, Result};
pub use producer::Producer;
pub use shard::{Job, Options, PutMeta, Shard};
pub use state::{Hit, Lookup, Quick};
pub use validator::Validator;
