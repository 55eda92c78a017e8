//! The names on a revocation list, compact enough for a million of them.

use std::fmt;
use std::hash::{BuildHasher, Hash, RandomState};
use std::iter;

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
    /// The entries in ascending order, divided by their first bits, and at the end of each part the key of the
    /// hash. The workers share these bytes.
    parts: Vec<Vec<u8>>,
}

/// The number of parts of a table.
///
/// The memory of a WebAssembly module is never given back, so a table must fit where an old one was. Small parts
/// do: a table as one block would need new memory whenever it is a little longer than the old one, or whenever
/// something else took a little of the space.
pub(super) const PARTS: usize = 1 << PART_BITS;
const PART_BITS: u32 = 4;

const ENTRY_BYTES: usize = 16;

/// A number in little-endian order: the first bits of the hash of a name, and then the time in [`TIME_BITS`].
type Entry = [u8; ENTRY_BYTES];

/// The bits of a time in milliseconds. Later times than it can count, which are after the year 10000, are the end of time.
const TIME_BITS: u32 = 48;
const END_OF_TIME: u64 = (1 << TIME_BITS) - 1;

/// The largest number of names on a list. Names may be short, so the size of a document alone would allow
/// tables of half a gigabyte.
pub(super) const MAX_NAMES: usize = 2_000_000;

/// Entries that a part has room for beyond its names: for the key, and for what is appended when workers
/// share it.
const SPARE_ENTRIES: usize = 128;

/// Collects names in any order.
pub(super) struct NamesBuilder {
    key: HashKey,
    parts: Vec<Vec<Entry>>,
    /// The number of names.
    count: usize,
    /// Whether there were more names than [`MAX_NAMES`].
    too_many: bool,
}

impl NamesBuilder {
    /// A builder for at most `expected` names. No part has to grow, unless names are repeated.
    pub(super) fn new(key: HashKey, expected: usize) -> Self {
        let mean = expected.min(MAX_NAMES).div_ceil(PARTS);
        // A hash spreads names at random, so that a part has the mean number of names and rarely four standard
        // deviations more.
        let deviations = mean.isqrt().saturating_mul(4);
        let capacity = mean
            .saturating_add(deviations)
            .saturating_add(SPARE_ENTRIES);
        Self {
            key,
            parts: iter::repeat_with(|| Vec::with_capacity(capacity))
                .take(PARTS)
                .collect(),
            count: 0,
            too_many: false,
        }
    }

    pub(super) fn add(&mut self, kind: Kind, name: &str, revoked_before: Timestamp) {
        if self.count >= MAX_NAMES {
            self.too_many = true;
            return;
        }
        let time = revoked_before.unix_millis().min(END_OF_TIME);
        let entry = first_entry(self.key, kind, name) | u128::from(time);
        if let Some(part) = self.parts.get_mut(part_of(entry)) {
            part.push(entry.to_le_bytes());
            self.count = self.count.saturating_add(1);
        }
    }

    /// Adds the name of a token, which is revoked whenever it was issued.
    pub(super) fn add_token(&mut self, name: &str) {
        self.add(Kind::Token, name, Timestamp::END);
    }

    /// The names; `None` if there are more than [`MAX_NAMES`].
    pub(super) fn build(self) -> Option<Names> {
        if self.too_many {
            return None;
        }
        let finish = |mut part: Vec<Entry>| {
            radsort::sort_by_key(&mut part, number);
            part.push(self.key.0);
            part.into_flattened()
        };
        Some(Names {
            parts: self.parts.into_iter().map(finish).collect(),
        })
    }
}

impl Names {
    /// The names in `parts`, which [`into_parts`](Self::into_parts) returned; `None` if they are anything else.
    pub(super) fn from_parts(parts: Vec<Vec<u8>>) -> Option<Self> {
        let names = Self { parts };
        let key = names.key().0;
        let is_part = |(index, part): (usize, &Vec<u8>)| {
            let entries = entries(part);
            let mut ends = [entries.first(), entries.last()].into_iter().flatten();
            part.len().is_multiple_of(ENTRY_BYTES)
                && entries_and_key(part).last() == Some(&key)
                && entries.is_sorted_by_key(number)
                && ends.all(|entry| part_of(number(entry)) == index)
        };
        let is_table = names.parts.len() == PARTS
            && names.len() <= MAX_NAMES
            && names.parts.iter().enumerate().all(is_part);
        is_table.then_some(names)
    }

    /// The names as bytes.
    pub(super) fn into_parts(self) -> Vec<Vec<u8>> {
        self.parts
    }

    /// The names as bytes.
    pub(super) fn parts(&self) -> &[Vec<u8>] {
        &self.parts
    }

    /// The key of the hash.
    pub(super) fn key(&self) -> HashKey {
        let first = self.parts.first().map_or(&[][..], Vec::as_slice);
        HashKey(entries_and_key(first).last().copied().unwrap_or_default())
    }

    /// The number of entries. A name that occurs several times counts several times.
    pub(super) fn len(&self) -> usize {
        let entries = self.parts.iter().map(|part| entries(part).len());
        entries.fold(0, usize::saturating_add)
    }

    /// The time before which everything with this name is revoked; the latest, if the name occurs
    /// several times. `None` if the name is not listed.
    pub(super) fn revoked_before(&self, kind: Kind, name: &str) -> Option<Timestamp> {
        let first = first_entry(self.key(), kind, name);
        let entries = entries(self.parts.get(part_of(first))?);
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
}

/// The entries of a part.
fn entries(part: &[u8]) -> &[Entry] {
    entries_and_key(part)
        .split_last()
        .map_or(&[], |(_, entries)| entries)
}

fn entries_and_key(part: &[u8]) -> &[[u8; ENTRY_BYTES]] {
    part.as_chunks().0
}

/// The index of the part with this entry.
fn part_of(entry: u128) -> usize {
    usize::try_from(entry >> (u128::BITS - PART_BITS)).unwrap_or_default()
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
        let count = 1000;
        let mut builder = NamesBuilder::new(HashKey::new(&RandomState::new()), count);
        for number in 0..count {
            builder.add_token(&number.to_string());
        }
        let parts = builder.build().unwrap().into_parts();
        assert_eq!(parts.len(), PARTS);
        assert_eq!(parts.concat().len(), 16 * (count + PARTS));
        let names = Names::from_parts(parts.clone()).unwrap();
        assert_eq!(names.len(), count);
        assert_eq!(names.parts(), parts);
        assert_eq!(names.revoked_before(Kind::Token, "7"), Some(Timestamp::END));
        assert_eq!(names.revoked_before(Kind::Token, "a"), None);
        let first = &parts[0];
        let no_key = &first[..first.len() - 16];
        let unsorted = [&first[16..32], &first[..16], &first[32..]].concat();
        let with_key = |entries: &[u8]| [entries, &first[first.len() - 16..]].concat();
        let too_long = with_key(&vec![0; 16 * (MAX_NAMES + 1)]);
        for other in [
            &[][..],
            b"{\"tokens\":[]}",
            &first[1..],
            no_key,
            &[no_key, &[1; 16]].concat(),
            &unsorted,
            &too_long,
            // Names that belong to the second part.
            &with_key(&[0x10; 16]),
        ] {
            let mut parts = parts.clone();
            parts[0] = other.to_vec();
            assert!(Names::from_parts(parts).is_none());
        }
        assert!(Names::from_parts(parts[1..].to_vec()).is_none());
        assert!(Names::from_parts(Vec::new()).is_none());
    }
}
