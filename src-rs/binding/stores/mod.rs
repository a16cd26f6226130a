//! The typed stores: one file each.

pub mod artifact;
mod pipeline;
pub mod script;
