//! Names with dates, a million of them in little memory.

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::ops::Range;

use crate::time::Timestamp;

/// What a name is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    /// A token, by its `jti` or its signature.
    Token,
    /// A client.
    Client,
    /// A subject.
    Subject,
}

/// The names of what has been revoked, each with the time before which it was.
pub(super) struct Names {
    state: RandomState,
    /// Which kinds there are names of: most lists have names of tokens only.
    kinds: Vec<Kind>,
    /// In ascending order.
    entries: Vec<Entry>,
    index: Index,
}

/// Where entries are, by the first bits of their names. Hashes are spread evenly, so that a few entries
/// are looked at and not one for each halving of a table that no cache holds.
struct Index {
    /// Where the entries of each place begin; one place more than there are.
    starts: Vec<usize>,
    bits: u32,
}

/// How many entries a place has at least, on average: less than twice as many.
const ENTRIES_OF_PLACE: usize = 8;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    name: [u64; 2],
    date: Timestamp,
}

/// Names that are still being gathered.
pub(super) struct Gathering(Names);

impl Gathering {
    pub(super) const fn new(state: RandomState) -> Self {
        Self(Names {
            state,
            kinds: Vec::new(),
            entries: Vec::new(),
            index: Index {
                starts: Vec::new(),
                bits: 0,
            },
        })
    }

    pub(super) fn add(&mut self, kind: Kind, name: &str, date: Timestamp) {
        let Self(names) = self;
        if !names.kinds.contains(&kind) {
            names.kinds.push(kind);
        }
        let name = names.hash(kind, name);
        names.entries.push(Entry { name, date });
    }

    /// A token is revoked whenever it was issued.
    pub(super) fn add_token(&mut self, name: &str) {
        self.add(Kind::Token, name, Timestamp::END);
    }

    pub(super) fn done(self) -> Names {
        let Self(mut names) = self;
        names.entries.sort_unstable();
        names.entries.shrink_to_fit();
        names.index = Index::of(&names.entries);
        names
    }
}

impl Names {
    /// How many there are.
    pub(super) const fn len(&self) -> usize {
        self.entries.len()
    }

    /// The date of a name, the latest if it has several.
    pub(super) fn date_of(&self, kind: Kind, name: &str) -> Option<Timestamp> {
        if !self.kinds.contains(&kind) {
            return None;
        }
        let name = self.hash(kind, name);
        let few = self.entries.get(self.index.range(name)?)?;
        let end = few.partition_point(|entry| entry.name <= name);
        let last = few.get(end.checked_sub(1)?)?;
        (last.name == name).then_some(last.date)
    }

    fn hash(&self, kind: Kind, name: &str) -> [u64; 2] {
        [0_u8, 1].map(|half| self.state.hash_one((half, kind, name)))
    }
}

impl Index {
    /// That of entries in ascending order.
    fn of(entries: &[Entry]) -> Self {
        let places = entries.len().div_euclid(ENTRIES_OF_PLACE).max(1);
        let bits = places.ilog2();
        let mut starts = Vec::with_capacity(places.saturating_add(1));
        for (position, entry) in entries.iter().enumerate() {
            // The place of this one, and of those before it that have none.
            while starts.len() <= place(entry.name, bits) {
                starts.push(position);
            }
        }
        let places = 1_usize.checked_shl(bits).unwrap_or(1);
        starts.resize(places.saturating_add(1), entries.len());
        Self { starts, bits }
    }

    /// Where entries of this name are, if there are any.
    fn range(&self, name: [u64; 2]) -> Option<Range<usize>> {
        let place = place(name, self.bits);
        let start = *self.starts.get(place)?;
        let end = *self.starts.get(place.checked_add(1)?)?;
        Some(start..end)
    }
}

/// The place of a name: its first `bits`.
fn place([first, _]: [u64; 2], bits: u32) -> usize {
    let rest = u64::BITS.saturating_sub(bits);
    let place = first.checked_shr(rest).unwrap_or(0);
    usize::try_from(place).unwrap_or(usize::MAX)
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
            let mut gathering = Gathering::new(RandomState::new());
            for number in 0..count {
                let date = Timestamp::from_unix_secs(number);
                gathering.add(Kind::Client, &number.to_string(), date);
                // A name that occurs several times has the latest of its dates.
                gathering.add(Kind::Subject, "often", date);
            }
            let names = gathering.done();
            assert_eq!(names.len(), usize::try_from(2 * count).unwrap());
            for number in 0..count {
                let found = names.date_of(Kind::Client, &number.to_string());
                assert_eq!(found, Some(Timestamp::from_unix_secs(number)), "{count}");
                let other = names.date_of(Kind::Token, &number.to_string());
                assert_eq!(other, None, "{count}");
            }
            assert_eq!(names.date_of(Kind::Client, &count.to_string()), None);
            let latest = count.checked_sub(1).map(Timestamp::from_unix_secs);
            assert_eq!(names.date_of(Kind::Subject, "often"), latest);
        }
    }
}
