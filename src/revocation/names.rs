//! Names with dates, a million of them in little memory.

use std::fmt;
use std::hash::{BuildHasher, RandomState};

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
    /// In ascending order.
    entries: Vec<Entry>,
}

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
            entries: Vec::new(),
        })
    }

    pub(super) fn add(&mut self, kind: Kind, name: &str, date: Timestamp) {
        let name = self.0.hash(kind, name);
        self.0.entries.push(Entry { name, date });
    }

    /// A token is revoked whenever it was issued.
    pub(super) fn add_token(&mut self, name: &str) {
        self.add(Kind::Token, name, Timestamp::END);
    }

    pub(super) fn done(self) -> Names {
        let Self(mut names) = self;
        names.entries.sort_unstable();
        names.entries.shrink_to_fit();
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
        if self.entries.is_empty() {
            return None;
        }
        let name = self.hash(kind, name);
        let end = self.entries.partition_point(|entry| entry.name <= name);
        let last = self.entries.get(end.checked_sub(1)?)?;
        (last.name == name).then_some(last.date)
    }

    fn hash(&self, kind: Kind, name: &str) -> [u64; 2] {
        [0_u8, 1].map(|half| self.state.hash_one((half, kind, name)))
    }
}

impl fmt::Debug for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Names")
            .field("len", &self.entries.len())
            .finish_non_exhaustive()
    }
}
