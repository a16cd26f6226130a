//! The typed stores: one file each.

pub mod artifact;
mod pipeline;
mod program;
pub mod script;
