//! Reading an object member by member: what nobody asks for is checked and not built.

use std::fmt;

use serde::de::{Error, MapAccess, Visitor};
use serde_json::Value;

use super::names::{Name, Names};
use super::values::{PassOver, Plain, Whole};

/// Takes the members of an object as they are read.
///
/// One piece of code reads all objects, whoever takes their members: of what a new token costs, much
/// is to come upon code that has not run for a while.
pub trait Members<'de> {
    /// Takes a member. One whose value it does not read makes the object unreadable.
    ///
    /// # Errors
    ///
    /// That of its value.
    fn take(&mut self, member: Member<'_, 'de>) -> Result<(), Unreadable>;
}

/// What is not JSON, or not JSON that is accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unreadable;

/// A member of an object, whose value is still to be read.
pub struct Member<'m, 'de> {
    name: &'m str,
    value: &'m mut dyn Unread<'de>,
}

impl<'de> Member<'_, 'de> {
    /// Its name.
    #[must_use]
    pub const fn name(&self) -> &str {
        self.name
    }

    /// Its value as far as a header or a registered claim has use for it.
    ///
    /// # Errors
    ///
    /// [`Unreadable`] where it is not JSON, or has an object with a name that occurs twice.
    pub fn plain(self) -> Result<Plain<'de>, Unreadable> {
        self.value.plain()
    }

    /// Its whole value.
    ///
    /// # Errors
    ///
    /// As [`Member::plain`].
    pub fn whole(self) -> Result<Value, Unreadable> {
        self.value.whole()
    }

    /// Its whole value, where an object may have a name twice: the last one counts.
    ///
    /// # Errors
    ///
    /// As [`Member::plain`].
    pub fn lenient(self) -> Result<Value, Unreadable> {
        self.value.lenient()
    }

    /// Reads its value as strictly as one that is kept, and does not keep it.
    ///
    /// # Errors
    ///
    /// As [`Member::plain`].
    pub fn pass_over(self) -> Result<(), Unreadable> {
        self.value.pass_over()
    }
}

impl fmt::Debug for Member<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Member").field(&self.name).finish()
    }
}

/// A value that is still to be read.
trait Unread<'de> {
    fn plain(&mut self) -> Result<Plain<'de>, Unreadable>;
    fn whole(&mut self) -> Result<Value, Unreadable>;
    fn lenient(&mut self) -> Result<Value, Unreadable>;
    fn pass_over(&mut self) -> Result<(), Unreadable>;
}

impl<'de, A: MapAccess<'de>> Unread<'de> for A {
    fn plain(&mut self) -> Result<Plain<'de>, Unreadable> {
        self.next_value().map_err(|_| Unreadable)
    }

    fn whole(&mut self) -> Result<Value, Unreadable> {
        self.next_value_seed(Whole).map_err(|_| Unreadable)
    }

    fn lenient(&mut self) -> Result<Value, Unreadable> {
        self.next_value().map_err(|_| Unreadable)
    }

    fn pass_over(&mut self) -> Result<(), Unreadable> {
        self.next_value_seed(PassOver).map_err(|_| Unreadable)
    }
}

/// An object none of whose names occurs twice, and what takes its members.
pub(super) struct UniqueNames<'m, 'de>(pub(super) &'m mut dyn Members<'de>);

impl<'de> Visitor<'de> for UniqueNames<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<(), A::Error> {
        let mut names = Names::new();
        while let Some(Name(name)) = access.next_key()? {
            let member = Member {
                name: &name,
                value: &mut access,
            };
            let taken = self.0.take(member);
            taken.map_err(|Unreadable| Error::custom("a value cannot be read"))?;
            names.add(name)?;
        }
        Ok(())
    }
}
