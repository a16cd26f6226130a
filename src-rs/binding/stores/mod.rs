//! The typed stores: one file each.

pub mod artifact;
pub mod pipeline;
pub mod program;
pub mod script;
