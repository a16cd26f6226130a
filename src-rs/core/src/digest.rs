//! Digests that bind a record's key, header fields and parts together.
//!
//! With a digest over the value alone, one key's bytes could be served for another key. A record's
//! digest covers its frame from the producer field to the end, without the digest itself: an XXH3 is
//! stored in the frame head, a BLAKE3 in the frame's last 32 bytes.

use crate::error::{Error, Result};
use std::ops::RangeInclusive;
use twox_hash::XxHash3_64;
use xxhash_rust::const_xxh3::const_custom_default_secret;
use xxhash_rust::xxh3::{xxh3_64_with_secret, xxh3_64_with_seed};

/// Bytes of a BLAKE3 digest at the end of a record's frame.
pub const TRAILER_LEN: usize = 32;

/// The seed of a file's digests, with the secret that XXH3 derives from it for inputs of more than 240 bytes. Deriving
/// the secret takes as long as hashing a kilobyte, so it is kept.
#[derive(Clone)]
pub struct Seed {
    number: u64,
    secret: [u8; SECRET_LEN],
    /// Inputs of at least this many bytes are hashed with the widest instructions that the processor has.
    wide_from: usize,
}

/// Bytes of XXH3's secret.
const SECRET_LEN: usize = 192;
/// Up to this many bytes, XXH3 uses the seed itself and not the secret derived from it.
const LONGEST_SEEDED: usize = 240;
/// For inputs of these lengths, XXH3 returns the same for a seed as for the secret derived from it.
const SEED_IN_SECRET: RangeInclusive<usize> = 17..=128;
/// Default of `wide_from`. Detecting the processor's instructions takes 30 us in a virtual machine, once per process. A
/// first small look-up should not pay that, since wide instructions save only 14 ns per kilobyte.
const WIDE_FROM: usize = 4096;

impl Seed {
    /// Prepares a seed.
    #[must_use]
    pub fn new(number: u64) -> Self {
        Seed { number, secret: const_custom_default_secret(number), wide_from: WIDE_FROM }
    }

    /// The same seed for a caller that computes very many digests: wide instructions are used at every length.
    #[must_use]
    pub fn of_many(&self) -> Self {
        Seed { wide_from: 0, ..self.clone() }
    }

    /// The seed itself.
    #[inline(always)]
    #[must_use]
    pub fn number(&self) -> u64 {
        self.number
    }

    /// The same result as [`checksum`] with this seed. Makes no function call for the lengths that most keys have.
    #[inline(always)]
    #[must_use]
    pub fn hash(&self, bytes: &[u8]) -> u64 {
        // At these lengths XXH3 adds the seed to words of the default secret, which gives the words of the derived one.
        if SEED_IN_SECRET.contains(&bytes.len()) {
            return xxh3_64_with_secret(bytes, &self.secret);
        }
        self.hash_of_other_length(bytes)
    }

    #[inline(never)]
    fn hash_of_other_length(&self, bytes: &[u8]) -> u64 {
        self.checksum(bytes)
    }

    /// The same result as [`checksum`] with this seed, but faster for long inputs.
    #[inline]
    #[must_use]
    pub fn checksum(&self, bytes: &[u8]) -> u64 {
        if bytes.len() <= LONGEST_SEEDED {
            return checksum(self.number, bytes);
        }
        if bytes.len() < self.wide_from {
            return xxh3_64_with_secret(bytes, &self.secret);
        }
        XxHash3_64::oneshot_with_seed_and_secret(self.number, &self.secret, bytes)
            .unwrap_or_else(|_| checksum(self.number, bytes))
    }
}

impl std::fmt::Debug for Seed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.number.fmt(f)
    }
}

/// Which digest a shard's records carry.
#[derive(Clone)]
pub enum Digest {
    /// XXH3-64: finds torn writes and rot.
    Xxh3,
    /// BLAKE3-256: finds them with certainty, for all practical purposes.
    Blake3,
    /// Keyed BLAKE3-256: also finds forgery by anyone who does not have the key.
    Keyed(Box<[u8; 32]>),
}

impl std::fmt::Debug for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Digest::Xxh3 => "xxh3",
            Digest::Blake3 => "blake3",
            Digest::Keyed(_) => "keyed blake3",
        })
    }
}

impl Digest {
    /// A keyed digest.
    ///
    /// # Errors
    /// [`Error::InvalidArg`] unless the key has 32 bytes.
    pub fn keyed(key: &[u8]) -> Result<Self> {
        let key: [u8; 32] = key
            .try_into()
            .map_err(|_| Error::InvalidArg(format!("digest.key must be 32 bytes, not {}", key.len())))?;
        Ok(Digest::Keyed(Box::new(key)))
    }

    /// Its number in a file header.
    #[must_use]
    pub fn kind(&self) -> u8 {
        match self {
            Digest::Xxh3 => 0,
            Digest::Blake3 => 1,
            Digest::Keyed(_) => 2,
        }
    }

    /// Bytes that the digest takes at the end of each record's frame.
    #[must_use]
    pub fn trailer_len(&self) -> usize {
        match self {
            Digest::Xxh3 => 0,
            _ => TRAILER_LEN,
        }
    }

    /// The digest of `bytes`: the number for the frame head, which is 0 with BLAKE3, and the bytes for the frame's end.
    #[must_use]
    pub fn compute(&self, seed: &Seed, bytes: &[u8]) -> (u64, Option<[u8; TRAILER_LEN]>) {
        let mut wide = match self {
            Digest::Xxh3 => return (seed.checksum(bytes), None),
            Digest::Blake3 => blake3::Hasher::new(),
            Digest::Keyed(key) => blake3::Hasher::new_keyed(key),
        };
        // The seed binds the digest to this file: a record copied from another shard with the same digest key fails.
        let wide = wide.update(&seed.number.to_le_bytes()).update(bytes).finalize();
        (0, Some(*wide.as_bytes()))
    }

    /// Whether the digest in the frame head, or at the frame's end, is that of `bytes`. BLAKE3
    /// digests are compared in constant time.
    #[must_use]
    pub fn agrees(&self, seed: &Seed, bytes: &[u8], head: u64, trailer: &[u8]) -> bool {
        match self.compute(seed, bytes) {
            (narrow, None) => narrow == head,
            (_, Some(wide)) => {
                let Ok(trailer) = <[u8; TRAILER_LEN]>::try_from(trailer) else {
                    return false;
                };
                blake3::Hash::from_bytes(wide) == blake3::Hash::from_bytes(trailer)
            }
        }
    }

    /// What a header stores so that a reader can tell whether it has the right digest key; zeros if there is no key.
    #[must_use]
    pub fn key_check(&self, shard_id: &[u8; 16]) -> [u8; 32] {
        match self {
            Digest::Keyed(key) => *blake3::keyed_hash(key, shard_id).as_bytes(),
            _ => [0; 32],
        }
    }
}

/// The checksum of headers, root slots, frame heads and index snapshots.
#[inline]
#[must_use]
pub fn checksum(seed: u64, bytes: &[u8]) -> u64 {
    xxh3_64_with_seed(bytes, seed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prepared_seed_gives_the_same_sum_at_every_length() {
        let bytes: Vec<u8> = (0..5000u32).map(|i| (i.wrapping_mul(i) >> 3) as u8).collect();
        for number in [0, 1, 0x0123_4567_89AB_CDEF, u64::MAX] {
            let seed = Seed::new(number);
            for len in (0..600).chain([1023, 1024, 1025, 4095, 4096, 4097, 4999]) {
                assert_eq!(seed.checksum(&bytes[..len]), checksum(number, &bytes[..len]), "{len}");
                assert_eq!(seed.hash(&bytes[..len]), checksum(number, &bytes[..len]), "{len}");
                assert_eq!(seed.of_many().checksum(&bytes[..len]), checksum(number, &bytes[..len]), "{len}");
            }
        }
    }
}
