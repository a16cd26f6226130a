//! The typed stores: one file each.

mod pipeline;
