//! A bounded cache with an end for each entry.

use std::fmt;
use std::hash::RandomState;

use gate::time::Instant;
use lru::LruCache;

/// Memory of an entry without its token and the heap of its value, in bytes.
const ENTRY_BYTES: usize = 256;

/// Maps tokens to values. The least recently used entry is evicted first.
pub(super) struct ExpiringCache<T> {
    entries: LruCache<Box<str>, Entry<T>, RandomState>,
    max_entries: usize,
    max_bytes: usize,
    bytes: usize,
}

struct Entry<T> {
    value: T,
    end: Instant,
    bytes: usize,
}

impl<T> Entry<T> {
    /// Whether the entry may be used.
    fn is_current(&self, now: Instant) -> bool {
        now < self.end
    }
}

impl<T: Clone> ExpiringCache<T> {
    pub(super) fn new(max_entries: usize, max_bytes: usize, state: RandomState) -> Self {
        Self {
            entries: LruCache::unbounded_with_hasher(state),
            max_entries,
            max_bytes,
            bytes: 0,
        }
    }

    /// The value of `token`, if it is current. Otherwise the entry is removed.
    pub(super) fn find(&mut self, token: &str, now: Instant) -> Option<T> {
        let entry = self.entries.get(token)?;
        if entry.is_current(now) {
            return Some(entry.value.clone());
        }
        let entry = self.entries.pop(token)?;
        self.bytes = self.bytes.saturating_sub(entry.bytes);
        None
    }

    /// Stores a value, with a heap size of `bytes`, until `end`.
    pub(super) fn insert(
        &mut self,
        token: &str,
        value: T,
        bytes: usize,
        end: Instant,
        now: Instant,
    ) {
        if end <= now {
            return;
        }
        let bytes = ENTRY_BYTES
            .saturating_add(token.len())
            .saturating_add(bytes);
        let entry = Entry { value, end, bytes };
        if let Some(replaced) = self.entries.put(token.into(), entry) {
            self.bytes = self.bytes.saturating_sub(replaced.bytes);
        }
        self.bytes = self.bytes.saturating_add(bytes);
        // The new entry always stays: it is the most recently used one.
        while self.entries.len() > 1 && self.must_evict(now) {
            let Some((_, oldest)) = self.entries.pop_lru() else {
                return;
            };
            self.bytes = self.bytes.saturating_sub(oldest.bytes);
        }
    }

    /// Whether the least recently used entry must be evicted.
    fn must_evict(&self, now: Instant) -> bool {
        let oldest = self.entries.peek_lru();
        self.entries.len() > self.max_entries
            || self.bytes > self.max_bytes
            || oldest.is_some_and(|(_, oldest)| !oldest.is_current(now))
    }
}

impl<T> fmt::Debug for ExpiringCache<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExpiringCache")
            .field("len", &self.entries.len())
            .field("bytes", &self.bytes)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: u64) -> Instant {
        Instant::from_secs(secs)
    }

    #[test]
    fn the_cache_is_bounded_by_number_size_and_time() {
        let mut cache = ExpiringCache::new(2, 1000, RandomState::new());
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
        // Tokens are compared in full.
        assert_eq!(cache.find("smal", at(1)), None);
    }
}
