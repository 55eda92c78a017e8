//! Reading an object member by member: what nobody asks for is checked and not built.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Number, Value};

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
    /// [`Unreadable`] where it is not JSON.
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
    fn pass_over(&mut self) -> Result<(), Unreadable>;
}

impl<'de, A: MapAccess<'de>> Unread<'de> for A {
    fn plain(&mut self) -> Result<Plain<'de>, Unreadable> {
        self.next_value().map_err(|_| Unreadable)
    }

    fn whole(&mut self) -> Result<Value, Unreadable> {
        self.next_value().map_err(|_| Unreadable)
    }

    fn pass_over(&mut self) -> Result<(), Unreadable> {
        self.next_value_seed(PassOver).map_err(|_| Unreadable)
    }
}

/// An object none of whose own names occurs twice, and what takes its members.
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
            if !names.insert(name) {
                return Err(Error::custom("a name occurs twice"));
            }
        }
        Ok(())
    }
}

/// Names, each once. The first few are looked through, which is faster than to keep them sorted.
struct Names<'de> {
    /// A bit for each first letter and length that one of them has: what is without is a new one.
    seen: u64,
    few: Vec<Cow<'de, str>>,
    more: BTreeSet<Cow<'de, str>>,
}

impl<'de> Names<'de> {
    const FEW: usize = 16;

    fn new() -> Self {
        Self {
            seen: 0,
            few: Vec::with_capacity(Self::FEW),
            more: BTreeSet::new(),
        }
    }

    /// Adds a name; answers whether it is a new one.
    fn insert(&mut self, name: Cow<'de, str>) -> bool {
        let first = usize::from(name.as_bytes().first().copied().unwrap_or_default());
        let bit = 1 << (first.wrapping_add(name.len().wrapping_mul(8)) % 64);
        if self.seen & bit != 0 && self.few.contains(&name) {
            return false;
        }
        self.seen |= bit;
        if self.few.len() < Self::FEW {
            self.few.push(name);
            return true;
        }
        self.more.insert(name)
    }
}

/// A name, which is borrowed where it has no escapes.
struct Name<'de>(Cow<'de, str>);

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

/// A value that is read as strictly as one that is kept, which `IgnoredAny` is not: it takes texts
/// that are not Unicode and numbers that are out of range.
#[derive(Clone, Copy)]
struct PassOver;

impl<'de> DeserializeSeed<'de> for PassOver {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for PassOver {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<(), A::Error> {
        while access.next_element_seed(self)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<(), A::Error> {
        while access.next_entry_seed(self, self)?.is_some() {}
        Ok(())
    }
}

/// A value as far as a header or a registered claim has use for it.
#[derive(Clone, Debug, PartialEq)]
pub enum Plain<'de> {
    /// A text, which is borrowed where it has no escapes.
    Text(Cow<'de, str>),
    /// A number.
    Number(Number),
    /// An array of nothing but texts.
    Texts(Vec<String>),
    /// Anything else.
    Other,
}

impl<'v> From<&'v Value> for Plain<'v> {
    fn from(value: &'v Value) -> Self {
        match value {
            Value::String(text) => Self::Text(Cow::Borrowed(text)),
            Value::Number(number) => Self::Number(number.clone()),
            Value::Array(values) => {
                let texts = values.iter().map(|value| value.as_str().map(str::to_owned));
                texts
                    .collect::<Option<_>>()
                    .map_or(Self::Other, Self::Texts)
            }
            Value::Null | Value::Bool(_) | Value::Object(_) => Self::Other,
        }
    }
}

impl<'de> Deserialize<'de> for Plain<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PlainVisitor)
    }
}

struct PlainVisitor;

impl<'de> Visitor<'de> for PlainVisitor {
    type Value = Plain<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_unit<E>(self) -> Result<Plain<'de>, E> {
        Ok(Plain::Other)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Plain<'de>, E> {
        Ok(Plain::Other)
    }

    fn visit_u64<E>(self, number: u64) -> Result<Plain<'de>, E> {
        Ok(Plain::Number(number.into()))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Plain<'de>, E> {
        Ok(Plain::Number(number.into()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Plain<'de>, E> {
        Ok(Number::from_f64(number).map_or(Plain::Other, Plain::Number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Plain<'de>, E> {
        Ok(Plain::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Plain<'de>, E> {
        Ok(Plain::Text(Cow::Borrowed(text)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Plain<'de>, A::Error> {
        let mut texts = Some(Vec::new());
        while let Some(element) = access.next_element()? {
            match (element, &mut texts) {
                (Plain::Text(text), Some(texts)) => texts.push(text.into_owned()),
                _ => texts = None,
            }
        }
        Ok(texts.map_or(Plain::Other, Plain::Texts))
    }

    fn visit_map<A: MapAccess<'de>>(self, access: A) -> Result<Plain<'de>, A::Error> {
        PassOver.visit_map(access).map(|()| Plain::Other)
    }
}
