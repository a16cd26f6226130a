//! Maps with paths as keys, used many times for each module. They are hashed with XXH3. Rust's default hasher also
//! protects against chosen keys, which is not needed here: the paths are those of the program that is running.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// A map by path.
pub type ByPath<T> = HashMap<Box<[u8]>, T, BuildHasherDefault<PathHasher>>;

/// A map by the hash of a path.
pub type ByHash<T> = HashMap<u64, T, BuildHasherDefault<PathHasher>>;

/// Hashes a path as a whole.
#[derive(Debug, Default)]
pub struct PathHasher(u64);

impl Hasher for PathHasher {
    fn write(&mut self, bytes: &[u8]) {
        self.0 = xxh3_64_with_seed(bytes, self.0);
    }

    /// Called with the length of a slice, which the hash of its bytes depends on anyway.
    fn write_usize(&mut self, number: usize) {
        self.0 ^= number as u64;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
