//! Verified tokens, so that a token is parsed and its signature verified only once.
//!
//! An entry says that this token, compared in full, has a good signature of this key. Whether the key
//! and the claims are still valid is checked for every request, so the cache never changes a
//! decision: a forgotten token is verified again.
//!
//! Only tokens with a good signature are inserted. A flood of bad ones displaces nothing.

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::rc::Rc;

use lru::LruCache;

use crate::confirmation::Digest;
use crate::time::Timestamp;
use crate::token::Token;

/// The limit on the size of a cache of `capacity` tokens, in bytes: 2 KiB for each token, but at least
/// 8 MiB, so that few tokens may be long, and at most 256 MiB, since a module's memory is bounded.
#[must_use]
pub fn max_bytes(capacity: usize) -> usize {
    const MIB: usize = 1024 * 1024;
    let ordinary = capacity.saturating_mul(2 * 1024);
    ordinary.clamp(8 * MIB, 256 * MIB)
}

/// The overhead of an entry besides its text and the heap size of its token, in bytes: mostly the node
/// of the list and the `Rc` of the token; then its share of the hash table, which may be half empty,
/// and of the allocator. `tests/memory.rs` compares it with what is allocated.
const ENTRY_BYTES: usize = 544;

/// The most recently used verified tokens.
pub struct TokenCache {
    /// The entries by the hash of the token.
    entries: LruCache<u64, Entry>,
    /// The seed of the hash.
    state: RandomState,
    capacity: usize,
    max_bytes: usize,
    bytes: usize,
}

struct Entry {
    text: Box<str>,
    verified: Verified,
    expires: Timestamp,
    bytes: usize,
}

/// A token with a good signature.
#[derive(Clone, Debug)]
pub struct Verified {
    /// The token.
    pub token: Rc<Token>,
    /// The material of the key that verified it.
    pub key: Rc<[u8]>,
    /// SHA-256 of its text if it is bound to a key: every proof must contain it, and computing it takes about
    /// as long as everything else that a known token costs.
    pub hash: Option<Digest>,
}

impl TokenCache {
    /// A cache of at most `capacity` tokens, whose hash is seeded by `state`.
    #[must_use]
    pub fn new(capacity: usize, state: RandomState) -> Self {
        Self {
            entries: LruCache::unbounded(),
            state,
            capacity,
            max_bytes: max_bytes(capacity),
            bytes: 0,
        }
    }

    /// Looks up the token `text`.
    pub fn find(&mut self, text: &str, now: Timestamp) -> Option<Verified> {
        let hash = self.hash(text);
        let entry = self.entries.get(&hash)?;
        if !is_same(&entry.text, text) {
            return None;
        }
        if now < entry.expires {
            return Some(entry.verified.clone());
        }
        let entry = self.entries.pop(&hash)?;
        self.bytes = self.bytes.saturating_sub(entry.bytes);
        None
    }

    /// Inserts the token `text` until `expires`.
    pub fn insert(&mut self, text: &str, verified: Verified, expires: Timestamp, now: Timestamp) {
        if self.capacity == 0 || expires <= now {
            return;
        }
        let bytes = ENTRY_BYTES
            .saturating_add(text.len())
            .saturating_add(verified.token.heap_bytes());
        let entry = Entry {
            text: text.into(),
            verified,
            expires,
            bytes,
        };
        if let Some(replaced) = self.entries.put(self.hash(text), entry) {
            self.bytes = self.bytes.saturating_sub(replaced.bytes);
        }
        self.bytes = self.bytes.saturating_add(bytes);
        while self.must_evict(now) {
            let Some((_, oldest)) = self.entries.pop_lru() else {
                return;
            };
            self.bytes = self.bytes.saturating_sub(oldest.bytes);
        }
    }

    /// A hash of the last 16 bytes of a token: part of the signature, which nobody can choose. Of two
    /// tokens with the same hash only one is cached.
    fn hash(&self, text: &str) -> u64 {
        match text.as_bytes().last_chunk::<16>() {
            Some(tail) => self.state.hash_one(tail),
            None => self.state.hash_one(text),
        }
    }

    /// Whether the least recently used entry must go.
    fn must_evict(&self, now: Timestamp) -> bool {
        let oldest = self.entries.peek_lru();
        self.entries.len() > self.capacity
            || self.bytes > self.max_bytes
            || oldest.is_some_and(|(_, oldest)| oldest.expires <= now)
    }

    /// The number of cached tokens.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether the cache is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

/// Whether two texts are the same. Without an early exit, the compiler compares 16 bytes at a time; `==`
/// compares byte by byte on wasm32.
fn is_same(one: &str, other: &str) -> bool {
    let differences = one.bytes().zip(other.bytes());
    one.len() == other.len() && differences.fold(0, |sum, (a, b)| sum | (a ^ b)) == 0
}

impl fmt::Debug for TokenCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenCache")
            .field("len", &self.len())
            .field("bytes", &self.bytes)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
