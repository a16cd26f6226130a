//! The options of `open`, as the facade passes them. It has checked their types; ranges are checked by the core.

use napi::bindgen_prelude::Uint8Array;
use napi_derive::napi;
use std::path::Path;
use std::sync::Arc;
use warmshard_core::key::Root;
use warmshard_core::kind::Kind;
use warmshard_core::storage::trust::Trust;
use warmshard_core::{Digest, Error, Options, Producer};

/// See `ShardOptions` of the facade.
#[napi(object)]
#[derive(Default)]
pub struct OpenOptions {
    /// The core's `Kind`, by name; a plain shard if there is none.
    pub kind: Option<String>,
    pub host_name: String,
    pub host_version: String,
    pub host_schema: Option<u32>,
    pub host_binary: Option<String>,
    pub parts: Vec<String>,
    pub read_only: bool,
    pub sync_each: bool,
    pub digest: Option<String>,
    pub digest_key: Option<Uint8Array>,
    pub verify_always: bool,
    pub mapped: bool,
    pub max_bytes: Option<f64>,
    pub max_entry_bytes: Option<f64>,
    pub lock_timeout: Option<f64>,
    pub root: Option<String>,
    pub trust: Option<String>,
    pub auto_compact: bool,
}

impl OpenOptions {
    /// What the facade would pass for no options at all.
    pub fn none() -> Self {
        OpenOptions { parts: vec![String::new()], mapped: true, auto_compact: true, ..Self::default() }
    }

    /// The core's options.
    pub fn parse(&self) -> Result<Options, Error> {
        let default = Options::default();
        let whole = |value: Option<f64>, default: u64| value.map_or(default, |v| v as u64);
        let binary = self.host_binary.as_deref().map(Path::new);
        let producer = Producer::new(&self.host_name, &self.host_version, binary, &self.parts)?;
        Ok(Options {
            kind: self.kind.as_deref().and_then(Kind::named).unwrap_or_default(),
            producer: Arc::new(producer.with_schema(self.host_schema, &self.parts)),
            part_count: self.parts.len(),
            read_only: self.read_only,
            sync_each: self.sync_each,
            digest: match (&self.digest_key, self.digest.as_deref()) {
                (Some(key), _) => Some(Digest::keyed(key)?),
                (None, Some("blake3")) => Some(Digest::Blake3),
                (None, Some(_)) => Some(Digest::Xxh3),
                (None, None) => None,
            },
            verify_always: self.verify_always,
            mapped: self.mapped,
            max_bytes: whole(self.max_bytes, default.max_bytes),
            max_entry_bytes: whole(self.max_entry_bytes, default.max_entry_bytes),
            lock_timeout_ms: whole(self.lock_timeout, default.lock_timeout_ms),
            root: self.root.as_deref().map(Root::new).transpose()?,
            trust: self.trust.as_deref().and_then(Trust::named).unwrap_or_default(),
            auto_compact: self.auto_compact,
        })
    }
}
