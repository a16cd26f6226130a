//! The typed stores, one module each.
//!
//! Each is a policy over the engine (which key, which validator, what happens on failure), without
//! machinery of its own. What several stores need exists once.

pub mod artifact;
pub mod blob;
pub mod pipeline;
pub mod program;
pub mod script;
