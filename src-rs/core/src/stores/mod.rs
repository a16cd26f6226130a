//! What whole programs keep in shards and in folders of files: one module per store.
//!
//! Each adds a policy to the engine (which key, which validator, what happens on failure) and no
//! machinery of its own; what two of them need stands here once.

pub mod artifact;
pub mod blob;
pub mod pipeline;
pub mod program;
pub mod script;
