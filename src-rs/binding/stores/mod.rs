//! The typed stores: one file each.

pub mod artifact;
pub mod script;
