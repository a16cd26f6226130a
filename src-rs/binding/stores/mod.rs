//! The typed stores, one file each, except that `loaded.rs` belongs to `program.rs`.

pub mod artifact;
mod loaded;
pub mod pipeline;
pub mod program;
pub mod script;
