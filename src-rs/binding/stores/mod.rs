//! The typed stores: one file each.

pub mod artifact;
mod loaded;
pub mod pipeline;
pub mod program;
pub mod script;
