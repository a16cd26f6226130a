//! The napi layer: one file per concern.

mod errors;
mod exchange;
mod handle;
mod hot;
mod lending;
mod options;
mod raw;
mod reports;
mod shard;
mod work;
