//! The typed stores: one file each.
