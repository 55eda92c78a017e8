//! What is remembered of tokens: bounded, and each for a time of its own.

use std::fmt;
use std::hash::RandomState;

use lru::LruCache;

use crate::time::Timestamp;

/// What an entry takes up beside its token and its value, in bytes.
const ENTRY_BYTES: usize = 256;

/// Tokens, compared in full, and a value of each. What was used least recently goes first.
pub(super) struct Cache<T> {
    entries: LruCache<Box<str>, Entry<T>, RandomState>,
    most: usize,
    most_bytes: usize,
    bytes: usize,
}

struct Entry<T> {
    value: T,
    dies_at: Timestamp,
    bytes: usize,
}

impl<T: Clone> Cache<T> {
    pub(super) fn new(most: usize, most_bytes: usize, state: RandomState) -> Self {
        Self {
            entries: LruCache::unbounded_with_hasher(state),
            most,
            most_bytes,
            bytes: 0,
        }
    }

    /// The value of `token`.
    pub(super) fn find(&mut self, token: &str, now: Timestamp) -> Option<T> {
        let entry = self.entries.get(token)?;
        if now < entry.dies_at {
            return Some(entry.value.clone());
        }
        let entry = self.entries.pop(token)?;
        self.bytes = self.bytes.saturating_sub(entry.bytes);
        None
    }

    /// Remembers a value, which takes up `bytes` beside itself, until `dies_at`.
    pub(super) fn insert(
        &mut self,
        token: &str,
        value: T,
        bytes: usize,
        dies_at: Timestamp,
        now: Timestamp,
    ) {
        let bytes = ENTRY_BYTES
            .saturating_add(token.len())
            .saturating_add(bytes);
        let entry = Entry {
            value,
            dies_at,
            bytes,
        };
        if let Some(replaced) = self.entries.put(token.into(), entry) {
            self.bytes = self.bytes.saturating_sub(replaced.bytes);
        }
        self.bytes = self.bytes.saturating_add(bytes);
        // The newest stays: whoever has waited for it is about to ask.
        while self.entries.len() > 1 && self.is_over(now) {
            let Some((_, oldest)) = self.entries.pop_lru() else {
                return;
            };
            self.bytes = self.bytes.saturating_sub(oldest.bytes);
        }
    }

    /// Whether the entry that was used least recently has to go.
    fn is_over(&self, now: Timestamp) -> bool {
        let oldest = self.entries.peek_lru();
        self.entries.len() > self.most
            || self.bytes > self.most_bytes
            || oldest.is_some_and(|(_, oldest)| oldest.dies_at <= now)
    }
}

impl<T> fmt::Debug for Cache<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache")
            .field("len", &self.entries.len())
            .field("bytes", &self.bytes)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: u64) -> Timestamp {
        Timestamp::from_unix_secs(secs)
    }

    #[test]
    fn it_is_bounded_by_number_by_size_and_by_time() {
        let mut cache = Cache::new(2, 1000, RandomState::new());
        for name in ["a", "b"] {
            cache.insert(name, name, 0, at(10), at(0));
        }
        assert_eq!(cache.find("a", at(9)), Some("a"));
        assert_eq!(cache.find("a", at(10)), None);
        cache.insert("c", "c", 0, at(20), at(0));
        cache.insert("d", "d", 0, at(20), at(0));
        assert_eq!(
            (cache.find("b", at(1)), cache.find("c", at(1))),
            (None, Some("c"))
        );
        cache.insert("large", "large", 100_000, at(20), at(0));
        assert_eq!(cache.find("c", at(1)), None);
        assert_eq!(cache.find("large", at(1)), Some("large"));
        cache.insert("small", "small", 0, at(20), at(0));
        assert_eq!(cache.find("large", at(1)), None);
        assert_eq!((cache.entries.len(), cache.bytes), (1, ENTRY_BYTES + 5));
        // A token is compared in full.
        assert_eq!(cache.find("smal", at(1)), None);
    }
}
