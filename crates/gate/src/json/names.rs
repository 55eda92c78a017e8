//! The names of an object's members, none of which may occur twice.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

use arrayvec::ArrayVec;
use serde::de::{Deserialize, Deserializer, Error, Visitor};

/// Names, each once. The first few are looked through, which is faster than to keep them sorted, and
/// need no memory of their own.
pub(super) struct Names<'de> {
    /// A bit for each first letter and length that one of them has: what is without is a new one.
    seen: u64,
    few: ArrayVec<Cow<'de, str>, FEW>,
    more: BTreeSet<Cow<'de, str>>,
}

/// How many are looked through.
const FEW: usize = 16;

impl<'de> Names<'de> {
    pub(super) fn new() -> Self {
        Self {
            seen: 0,
            few: ArrayVec::new(),
            more: BTreeSet::new(),
        }
    }

    /// Adds a name.
    ///
    /// # Errors
    ///
    /// It is there already.
    pub(super) fn add<E: Error>(&mut self, name: Cow<'de, str>) -> Result<(), E> {
        let is_new = self.insert(name);
        is_new
            .then_some(())
            .ok_or_else(|| E::custom("a name occurs twice"))
    }

    /// Adds a name; answers whether it is a new one.
    fn insert(&mut self, name: Cow<'de, str>) -> bool {
        let first = usize::from(name.as_bytes().first().copied().unwrap_or_default());
        let bit = 1 << (first.wrapping_add(name.len().wrapping_mul(8)) % 64);
        if self.seen & bit != 0 && self.few.contains(&name) {
            return false;
        }
        self.seen |= bit;
        match self.few.try_push(name) {
            Ok(()) => true,
            Err(full) => self.more.insert(full.element()),
        }
    }
}

/// A name, which is borrowed where it has no escapes.
pub(super) struct Name<'de>(pub(super) Cow<'de, str>);

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(NameVisitor)
    }
}

struct NameVisitor;

impl<'de> Visitor<'de> for NameVisitor {
    type Value = Name<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_borrowed_str<E: Error>(self, name: &'de str) -> Result<Name<'de>, E> {
        Ok(Name(Cow::Borrowed(name)))
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Name<'de>, E> {
        Ok(Name(Cow::Owned(name.to_owned())))
    }
}
