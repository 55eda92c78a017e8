//! The names on a revocation list, compact enough for a million of them.

use std::fmt;
use std::hash::{BuildHasher, RandomState};

use crate::time::Timestamp;

/// What a name refers to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    /// A token, by its `jti` or its signature.
    Token,
    /// A client.
    Client,
    /// A subject.
    Subject,
}

/// Names, each with a time: what was issued before that time is revoked.
pub(super) struct Names {
    /// The key of the hash.
    state: RandomState,
    /// Sorted.
    entries: Vec<Entry>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    hash: [u64; 2],
    revoked_before: Timestamp,
}

/// The largest number of names on a list. Names may be short, so the size of a document alone would allow
/// tables of a gigabyte.
pub(super) const MAX_NAMES: usize = 2_000_000;

/// Collects names in any order.
pub(super) struct NamesBuilder {
    state: RandomState,
    entries: Vec<Entry>,
    /// Whether there were more names than [`MAX_NAMES`].
    too_many: bool,
}

impl NamesBuilder {
    /// A builder for at most `expected` names. The table is allocated once: a table that grows would take
    /// several times its size, and the memory of a WebAssembly module is never given back.
    pub(super) fn new(state: RandomState, expected: usize) -> Self {
        Self {
            state,
            entries: Vec::with_capacity(expected.min(MAX_NAMES)),
            too_many: false,
        }
    }

    pub(super) fn add(&mut self, kind: Kind, name: &str, revoked_before: Timestamp) {
        if self.entries.len() >= MAX_NAMES {
            self.too_many = true;
            return;
        }
        let hash = hash(&self.state, kind, name);
        self.entries.push(Entry {
            hash,
            revoked_before,
        });
    }

    /// Adds the name of a token, which is revoked whenever it was issued.
    pub(super) fn add_token(&mut self, name: &str) {
        self.add(Kind::Token, name, Timestamp::END);
    }

    /// The names; `None` if there are more than [`MAX_NAMES`].
    pub(super) fn build(self) -> Option<Names> {
        let Self {
            state,
            mut entries,
            too_many,
        } = self;
        if too_many {
            return None;
        }
        entries.sort_unstable();
        entries.shrink_to_fit();
        Some(Names { state, entries })
    }
}

impl Names {
    /// The number of entries. A name that occurs several times counts several times.
    pub(super) const fn len(&self) -> usize {
        self.entries.len()
    }

    /// The time before which everything with this name is revoked; the latest, if the name occurs
    /// several times. `None` if the name is not listed.
    pub(super) fn revoked_before(&self, kind: Kind, name: &str) -> Option<Timestamp> {
        let hash = hash(&self.state, kind, name);
        let end = self.entries.partition_point(|entry| entry.hash <= hash);
        let last = self.entries.get(end.checked_sub(1)?)?;
        (last.hash == hash).then_some(last.revoked_before)
    }
}

/// 128 bits: two hashes of 64 bits with different prefixes.
fn hash(state: &RandomState, kind: Kind, name: &str) -> [u64; 2] {
    [0_u8, 1].map(|half| state.hash_one((half, kind, name)))
}

impl fmt::Debug for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Names")
            .field("len", &self.entries.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_of_lists_of_any_length_is_found_and_no_other() {
        for count in [0_u64, 1, 2, 7, 8, 15, 16, 17, 31, 100, 1000, 4096, 10_000] {
            let mut builder = NamesBuilder::new(RandomState::new(), 0);
            for number in 0..count {
                let date = Timestamp::from_unix_secs(number);
                builder.add(Kind::Client, &number.to_string(), date);
                // The latest time counts.
                builder.add(Kind::Subject, "often", date);
            }
            let names = builder.build().unwrap();
            assert_eq!(names.len(), usize::try_from(2 * count).unwrap());
            for number in 0..count {
                let found = names.revoked_before(Kind::Client, &number.to_string());
                assert_eq!(found, Some(Timestamp::from_unix_secs(number)), "{count}");
                let other = names.revoked_before(Kind::Token, &number.to_string());
                assert_eq!(other, None, "{count}");
            }
            assert_eq!(names.revoked_before(Kind::Client, &count.to_string()), None);
            let latest = count.checked_sub(1).map(Timestamp::from_unix_secs);
            assert_eq!(names.revoked_before(Kind::Subject, "often"), latest);
        }
    }

    #[test]
    fn an_entry_takes_24_bytes() {
        assert_eq!(size_of::<Entry>(), 24);
    }
}
