//! Which proofs have been used (RFC 9449, section 11.1).
//!
//! Used proofs are remembered in buckets: byte strings in the host's shared data. A bucket is a sequence of
//! entries of 20 bytes: 16 of a hash that names the proof, and 4 of the second, little-endian, from which on
//! the proof would not be accepted anyway.

use std::time::Duration;

use hmac_sha256::Hash;

use crate::confirmation::Digest;
use crate::time::Timestamp;

/// The largest number of proofs in a bucket that can still be accepted. Buckets are made for 64 on
/// average, so few ever hold four times as many.
pub const MAX_LIVE: usize = 256;

/// Bytes of a hash. Nobody finds two proofs with the same one.
const HASH_BYTES: usize = 16;

/// Bytes of an entry.
const ENTRY_BYTES: usize = HASH_BYTES + size_of::<u32>();

/// What the hash begins with.
const CONTEXT: &[u8] = b"bearer-gate dpop replay 1\0";

/// A proof that must not be used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UsedProof {
    hash: [u8; HASH_BYTES],
    /// The first second since the Unix epoch in which the proof would not be accepted any more.
    until: u32,
}

/// What became of an attempt to use a proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Spending {
    /// It has not been used before. This is the bucket that remembers it.
    Spent(Vec<u8>),
    /// It has been used before.
    Replayed,
    /// The bucket is full.
    Full,
}

impl UsedProof {
    /// The proof with this `jti` by the key with this thumbprint, which can be accepted up to and including
    /// `last`. The key counts too: otherwise one client could use up the proofs of another.
    #[must_use]
    pub fn new(thumbprint: &Digest, jti: &str, last: Timestamp) -> Self {
        let mut hash = Hash::new();
        hash.update(CONTEXT);
        hash.update(thumbprint);
        hash.update(jti);
        let hash = hash.finalize();
        let until = last.plus(Duration::from_secs(1));
        Self {
            hash: hash.first_chunk().copied().unwrap_or_default(),
            until: seconds(until),
        }
    }

    /// Which of `count` buckets remembers the proof.
    #[must_use]
    pub fn bucket(&self, count: u32) -> u32 {
        let start = self.hash.first_chunk().copied().unwrap_or_default();
        let start = u32::from_be_bytes(start);
        start.checked_rem(count).unwrap_or_default()
    }
}

/// Whether `bucket` is a sequence of whole entries.
#[must_use]
pub const fn is_bucket(bucket: &[u8]) -> bool {
    bucket.len().is_multiple_of(ENTRY_BYTES)
}

/// Uses `proof` at the time `now`, if `bucket` does not know it. Entries whose time is over are dropped. Bytes
/// that are no [bucket](is_bucket) count as an empty one.
#[must_use]
pub fn spend(bucket: &[u8], proof: &UsedProof, now: Timestamp) -> Spending {
    let now = seconds(now);
    let (entries, rest) = bucket.as_chunks::<ENTRY_BYTES>();
    let entries = if rest.is_empty() { entries } else { &[] };
    let mut next = Vec::with_capacity(bucket.len().saturating_add(ENTRY_BYTES));
    for entry in entries {
        let (hash, until) = entry.split_at_checked(HASH_BYTES).unwrap_or_default();
        let until = until.first_chunk().copied().unwrap_or_default();
        if u32::from_le_bytes(until) <= now {
            continue;
        }
        if hash == proof.hash {
            return Spending::Replayed;
        }
        next.extend_from_slice(entry);
    }
    if next.len() >= MAX_LIVE.saturating_mul(ENTRY_BYTES) {
        return Spending::Full;
    }
    next.extend(proof.hash);
    next.extend(proof.until.to_le_bytes());
    Spending::Spent(next)
}

/// Whole seconds since the Unix epoch; at most those that 4 bytes hold, which is in 2106.
fn seconds(time: Timestamp) -> u32 {
    let seconds = time.unix_millis().div_euclid(1000);
    seconds.try_into().unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
