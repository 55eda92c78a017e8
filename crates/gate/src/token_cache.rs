//! Tokens that have been verified already, so that neither parsing nor a signature is paid for twice.
//!
//! An entry says: this token, compared in full, bears a good signature of this very key. Whether
//! the key still counts, and whether the claims do, is asked anew for every request, unless a
//! [`Grant`] says that nothing has changed since that was asked last. So the cache never changes a
//! verdict; what it forgets is merely verified again.
//!
//! Only tokens whose signature is good come in: a flood of bad ones displaces nothing.

mod grant;

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::rc::Rc;

use lru::LruCache;
use serde_json::{Map, Value};

pub use self::grant::Grant;
use crate::time::Timestamp;
use crate::token::Token;

/// What all entries of a cache of `capacity` tokens may take up together, in bytes: 2 KiB for each,
/// which an ordinary token does not fill, but at least 8 MiB, so that few may be long, and at most
/// 256 MiB, since a module has only so much memory.
#[must_use]
pub fn max_bytes(capacity: usize) -> usize {
    const MIB: usize = 1024 * 1024;
    let ordinary = capacity.saturating_mul(2 * 1024);
    ordinary.clamp(8 * MIB, 256 * MIB)
}

/// What an entry takes up beside its text and what its token holds, in bytes. The larger part is
/// its node of the list and the `Rc` with the token; the rest is its place in the table of the
/// map, of which up to half are empty after it has grown, and what the allocator adds to the four
/// allocations of an entry. `tests/memory.rs` holds this against what is allocated.
const ENTRY_BYTES: usize = 432;

/// A bounded number of verified tokens, those used last.
pub struct TokenCache {
    /// The entries by the hashes of their tokens.
    entries: LruCache<u64, Entry>,
    /// The seed of these hashes.
    state: RandomState,
    capacity: usize,
    /// What the entries may take up together.
    max_bytes: usize,
    /// What they do.
    bytes: usize,
}

struct Entry {
    text: Box<str>,
    verified: Verified,
    grant: Option<Grant>,
    /// When the token is of no use any more.
    dies_at: Timestamp,
    bytes: usize,
}

/// A token whose signature was found good.
#[derive(Clone, Debug)]
pub struct Verified {
    /// What the token says.
    pub token: Rc<Token>,
    /// The material of the key whose signature it bears.
    pub key: Rc<[u8]>,
}

/// A token that has been found to be good for something.
#[derive(Clone, Copy, Debug)]
pub struct Familiar<'c> {
    /// Its text.
    pub text: &'c str,
    /// Its payload, as far as it is remembered.
    pub payload: &'c Map<String, Value>,
    /// For what, and by what.
    pub grant: &'c Grant,
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

    /// What is known of the token `text`.
    pub fn find(&mut self, text: &str, now: Timestamp) -> Option<Verified> {
        let hash = self.hash(text.as_bytes());
        let entry = self.entries.get(&hash)?;
        if !is_same(entry.text.as_bytes(), text.as_bytes()) {
            return None;
        }
        if now < entry.dies_at {
            return Some(entry.verified.clone());
        }
        let entry = self.entries.pop(&hash)?;
        self.bytes = self.bytes.saturating_sub(entry.bytes);
        None
    }

    /// What the token `text` has been found to be good for.
    pub fn familiar(&mut self, text: &[u8]) -> Option<Familiar<'_>> {
        let entry = self.entries.get(&self.hash(text))?;
        let grant = entry.grant.as_ref()?;
        is_same(entry.text.as_bytes(), text).then_some(Familiar {
            text: &entry.text,
            payload: &entry.verified.token.payload,
            grant,
        })
    }

    /// Takes note of what a token is good for, in place of what was noted before, if it is the very
    /// one that was found or remembered last.
    pub fn grant(&mut self, token: &Rc<Token>, grant: Grant) {
        if let Some((_, latest)) = self.entries.iter_mut().next()
            && Rc::ptr_eq(&latest.verified.token, token)
        {
            latest.grant = Some(grant);
        }
    }

    /// A hash of the end of a token, which is its signature: nobody can choose that. Where two
    /// tokens hash alike, only one is remembered.
    // A new token is hashed several times, by one piece of code.
    #[inline(never)]
    fn hash(&self, text: &[u8]) -> u64 {
        /// How much of the end is hashed, in bytes: 96 bits of a signature, more than a hash has.
        const TAIL: usize = 16;
        match text.last_chunk::<TAIL>() {
            Some(tail) => self.state.hash_one(u128::from_ne_bytes(*tail)),
            None => self.state.hash_one(text),
        }
    }

    /// Remembers the token `text` until `dies_at`.
    pub fn insert(&mut self, text: &str, verified: Verified, dies_at: Timestamp, now: Timestamp) {
        if self.capacity == 0 || dies_at <= now {
            return;
        }
        let bytes = ENTRY_BYTES
            .saturating_add(text.len())
            .saturating_add(verified.token.heap_bytes());
        let entry = Entry {
            text: text.into(),
            verified,
            grant: None,
            dies_at,
            bytes,
        };
        if let Some(replaced) = self.entries.put(self.hash(text.as_bytes()), entry) {
            self.bytes = self.bytes.saturating_sub(replaced.bytes);
        }
        self.bytes = self.bytes.saturating_add(bytes);
        while self.is_over(now) {
            let Some((_, oldest)) = self.entries.pop_lru() else {
                return;
            };
            self.bytes = self.bytes.saturating_sub(oldest.bytes);
        }
    }

    /// Whether the entry that was used least recently has to go.
    fn is_over(&self, now: Timestamp) -> bool {
        let oldest_is_dead = || {
            self.entries
                .peek_lru()
                .is_some_and(|(_, oldest)| oldest.dies_at <= now)
        };
        self.entries.len() > self.capacity || self.bytes > self.max_bytes || oldest_is_dead()
    }

    /// How many tokens are remembered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether none is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

impl fmt::Debug for TokenCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenCache")
            .field("len", &self.len())
            .field("bytes", &self.bytes)
            .finish_non_exhaustive()
    }
}

/// Whether two texts are the same. What the module has for that otherwise compares byte by byte.
fn is_same(one: &[u8], other: &[u8]) -> bool {
    if one.len() != other.len() {
        return false;
    }
    let (chunks, rest) = one.as_chunks::<64>();
    let (other_chunks, other_rest) = other.as_chunks::<64>();
    let mut differences = [0; 64];
    for (chunk, other) in chunks.iter().zip(other_chunks) {
        let pairs = chunk.iter().zip(other);
        for (difference, (one, other)) in differences.iter_mut().zip(pairs) {
            *difference |= one ^ other;
        }
    }
    differences == [0; 64] && rest == other_rest
}

#[cfg(test)]
mod tests;
