//! Maps by path that are asked many times for each module: hashed with XXH3, not with what guards against keys that
//! somebody has chosen. The paths are those of the program that is being run.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// What is known of paths.
pub type ByPath<T> = HashMap<Box<[u8]>, T, BuildHasherDefault<PathHasher>>;

/// What is known by the hash of a path.
pub type ByHash<T> = HashMap<u64, T, BuildHasherDefault<PathHasher>>;

/// Hashes a path as a whole.
#[derive(Debug, Default)]
pub struct PathHasher(u64);

impl Hasher for PathHasher {
    fn write(&mut self, bytes: &[u8]) {
        self.0 = xxh3_64_with_seed(bytes, self.0);
    }

    /// Of a slice this is its length, which the hash of its bytes depends on anyway.
    fn write_usize(&mut self, number: usize) {
        self.0 ^= number as u64;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
