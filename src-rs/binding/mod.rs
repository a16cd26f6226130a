//! The napi layer: one file per concern.

mod callbacks;
mod code;
mod entries;
mod errors;
mod exchange;
mod external;
mod fast;
mod guard;
mod handle;
mod hot;
mod last_words;
mod lending;
mod loading;
mod options;
#[cfg(warmshard_sanitizer)]
mod overflow;
mod own_slab;
mod raw;
mod reports;
mod seldom;
mod shard;
mod slab;
mod stores;
mod work;
