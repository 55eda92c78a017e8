//! The names on a revocation list, compact enough for a million of them.

use std::fmt;
use std::hash::{BuildHasher, Hash, RandomState};

use siphasher::sip128::{Hasher128, SipHasher13};

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

/// The key of the hash of names.
#[derive(Clone, Copy)]
pub(super) struct HashKey([u8; ENTRY_BYTES]);

impl HashKey {
    /// A key that nobody can guess if `random` was made from random numbers.
    pub(super) fn new(random: &RandomState) -> Self {
        let half = |number: u64| u128::from(random.hash_one(number));
        Self(((half(0) << u64::BITS) | half(1)).to_le_bytes())
    }
}

/// Names, each with a time: what was issued before that time is revoked.
pub(super) struct Names {
    /// The entries in ascending order, and then the key of the hash. The workers share these bytes.
    bytes: Vec<u8>,
}

const ENTRY_BYTES: usize = 16;

/// A number in little-endian order: the first bits of the hash of a name, and then the time in [`TIME_BITS`].
type Entry = [u8; ENTRY_BYTES];

/// The bits of a time in milliseconds. Later times than it can count, which are after the year 10000, are the end of time.
const TIME_BITS: u32 = 48;
const END_OF_TIME: u64 = (1 << TIME_BITS) - 1;

/// The largest number of names on a list. Names may be short, so the size of a document alone would allow
/// tables of half a gigabyte.
pub(super) const MAX_NAMES: usize = 2_000_000;

/// Entries that a table has room for beyond its names: for the key, and for what is appended when workers
/// share the table. A table that is moved to grow would take twice its size for a moment, and the memory of
/// a WebAssembly module is never given back.
const SPARE_ENTRIES: usize = 128;

/// Collects names in any order.
pub(super) struct NamesBuilder {
    key: HashKey,
    entries: Vec<Entry>,
    /// Whether there were more names than [`MAX_NAMES`].
    too_many: bool,
}

impl NamesBuilder {
    /// A builder for at most `expected` names, whose table is allocated once.
    pub(super) fn new(key: HashKey, expected: usize) -> Self {
        let capacity = expected.min(MAX_NAMES).saturating_add(SPARE_ENTRIES);
        Self {
            key,
            entries: Vec::with_capacity(capacity),
            too_many: false,
        }
    }

    pub(super) fn add(&mut self, kind: Kind, name: &str, revoked_before: Timestamp) {
        if self.entries.len() >= MAX_NAMES {
            self.too_many = true;
            return;
        }
        let time = revoked_before.unix_millis().min(END_OF_TIME);
        let entry = first_entry(self.key, kind, name) | u128::from(time);
        self.entries.push(entry.to_le_bytes());
    }

    /// Adds the name of a token, which is revoked whenever it was issued.
    pub(super) fn add_token(&mut self, name: &str) {
        self.add(Kind::Token, name, Timestamp::END);
    }

    /// The names; `None` if there are more than [`MAX_NAMES`].
    pub(super) fn build(self) -> Option<Names> {
        let Self {
            key,
            mut entries,
            too_many,
        } = self;
        if too_many {
            return None;
        }
        entries.sort_unstable_by_key(number);
        entries.push(key.0);
        Some(Names {
            bytes: entries.into_flattened(),
        })
    }
}

impl Names {
    /// The names in `bytes`, which [`into_bytes`](Self::into_bytes) returned; `None` if they are anything else.
    pub(super) fn from_bytes(bytes: Vec<u8>) -> Option<Self> {
        let is_whole = bytes.len().is_multiple_of(ENTRY_BYTES) && !bytes.is_empty();
        let names = Self { bytes };
        let is_table = is_whole
            && names.entries().len() <= MAX_NAMES
            && names.entries().is_sorted_by_key(number);
        is_table.then_some(names)
    }

    /// The names as bytes.
    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// The names as bytes.
    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The key of the hash.
    pub(super) fn key(&self) -> HashKey {
        HashKey(self.entries_and_key().last().copied().unwrap_or_default())
    }

    /// The number of entries. A name that occurs several times counts several times.
    pub(super) fn len(&self) -> usize {
        self.entries().len()
    }

    /// The time before which everything with this name is revoked; the latest, if the name occurs
    /// several times. `None` if the name is not listed.
    pub(super) fn revoked_before(&self, kind: Kind, name: &str) -> Option<Timestamp> {
        let entries = self.entries();
        let first = first_entry(self.key(), kind, name);
        let last = first | u128::from(END_OF_TIME);
        let end = entries.partition_point(|entry| number(entry) <= last);
        let time = number(entries.get(end.checked_sub(1)?)?).checked_sub(first)?;
        let time = u64::try_from(time).ok()?;
        Some(if time == END_OF_TIME {
            Timestamp::END
        } else {
            Timestamp::from_unix_millis(time)
        })
    }

    fn entries(&self) -> &[Entry] {
        self.entries_and_key()
            .split_last()
            .map_or(&[], |(_, entries)| entries)
    }

    fn entries_and_key(&self) -> &[[u8; ENTRY_BYTES]] {
        self.bytes.as_chunks().0
    }
}

/// The least possible entry with this name.
fn first_entry(key: HashKey, kind: Kind, name: &str) -> u128 {
    let mut hasher = SipHasher13::new_with_key(&key.0);
    (kind, name).hash(&mut hasher);
    hasher.finish128().as_u128() & !u128::from(END_OF_TIME)
}

fn number(entry: &Entry) -> u128 {
    u128::from_le_bytes(*entry)
}

impl fmt::Debug for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Names")
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_of_lists_of_any_length_is_found_and_no_other() {
        for count in [0_u64, 1, 2, 7, 8, 15, 16, 17, 31, 100, 1000, 4096, 10_000] {
            let mut builder = NamesBuilder::new(HashKey::new(&RandomState::new()), 0);
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
    fn times_are_exact_and_a_time_that_is_too_late_is_the_end() {
        for (millis, expected) in [
            (0, Some(0)),
            (1_700_000_000_001, Some(1_700_000_000_001)),
            (END_OF_TIME - 1, Some(END_OF_TIME - 1)),
            (END_OF_TIME, None),
            (END_OF_TIME + 1, None),
            (u64::MAX, None),
        ] {
            let mut builder = NamesBuilder::new(HashKey::new(&RandomState::new()), 1);
            builder.add(Kind::Client, "a", Timestamp::from_unix_millis(millis));
            let found = builder.build().unwrap().revoked_before(Kind::Client, "a");
            let expected = expected.map_or(Timestamp::END, Timestamp::from_unix_millis);
            assert_eq!(found, Some(expected), "{millis}");
        }
    }

    #[test]
    fn the_bytes_of_a_table_are_16_for_each_name_and_anything_else_is_no_table() {
        let mut builder = NamesBuilder::new(HashKey::new(&RandomState::new()), 3);
        for name in ["a", "b", "c"] {
            builder.add_token(name);
        }
        let bytes = builder.build().unwrap().into_bytes();
        assert_eq!(bytes.len(), 4 * 16);
        let names = Names::from_bytes(bytes.clone()).unwrap();
        assert_eq!(names.len(), 3);
        assert_eq!(names.as_bytes(), bytes);
        assert_eq!(names.revoked_before(Kind::Token, "b"), Some(Timestamp::END));
        assert_eq!(names.revoked_before(Kind::Token, "d"), None);
        let unsorted = [&bytes[16..32], &bytes[..16], &bytes[32..]].concat();
        let too_long = vec![0; 16 * (MAX_NAMES + 2)];
        for other in [
            &[][..],
            b"{\"tokens\":[]}",
            &bytes[1..],
            &unsorted,
            &too_long,
        ] {
            assert!(Names::from_bytes(other.to_vec()).is_none());
        }
    }
}
