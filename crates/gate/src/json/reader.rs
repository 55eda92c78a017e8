//! Reads an object in one pass, checking all of it and building only the members that are kept.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// Whether a name may occur twice in an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DuplicateNames {
    Refused,
    LastOneCounts,
}

/// Reads an object whose own names are unique, and builds the members that `keep` selects.
pub(super) struct ObjectReader<'k> {
    pub(super) keep: &'k dyn Fn(&str) -> bool,
    pub(super) nested_duplicates: DuplicateNames,
    /// How deep arrays and objects may be nested, the object itself included.
    pub(super) max_depth: usize,
}

impl<'de> Visitor<'de> for ObjectReader<'_> {
    type Value = Map<String, Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, access: A) -> Result<Self::Value, A::Error> {
        let member = ValueReader {
            keep: true,
            nested_duplicates: self.nested_duplicates,
            depth_left: self.max_depth,
        };
        let member = member.one_level_deeper()?;
        read_members(access, DuplicateNames::Refused, self.keep, member)
    }
}

/// Reads any value. A value that is not kept is read as strictly as one that is, which serde's
/// `IgnoredAny` does not do: it accepts lone surrogates and numbers that are out of range.
#[derive(Clone, Copy)]
struct ValueReader {
    /// Whether to build the value. If not, the result is a placeholder.
    keep: bool,
    nested_duplicates: DuplicateNames,
    /// How many more levels of arrays and objects may be opened.
    depth_left: usize,
}

impl ValueReader {
    fn one_level_deeper<E: Error>(self) -> Result<Self, E> {
        let depth_left = self.depth_left.checked_sub(1);
        let depth_left = depth_left.ok_or_else(|| E::custom("nested too deep"))?;
        Ok(Self { depth_left, ..self })
    }
}

impl<'de> DeserializeSeed<'de> for ValueReader {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ValueReader {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(Number::from_f64(number).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(if self.keep { text.into() } else { Value::Null })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let element = self.one_level_deeper()?;
        let mut elements = Vec::new();
        while let Some(value) = access.next_element_seed(element)? {
            if self.keep {
                elements.push(value);
            }
        }
        Ok(Value::Array(elements))
    }

    fn visit_map<A: MapAccess<'de>>(self, access: A) -> Result<Value, A::Error> {
        let member = self.one_level_deeper()?;
        let object = read_members(access, self.nested_duplicates, &|_| self.keep, member)?;
        Ok(Value::Object(object))
    }
}

/// Few tokens have more claims.
const USUAL_MEMBERS: usize = 16;

/// Reads the members of an object with `member`, and returns those that `keep` selects.
fn read_members<'de, A: MapAccess<'de>>(
    mut access: A,
    duplicates: DuplicateNames,
    keep: &dyn Fn(&str) -> bool,
    member: ValueReader,
) -> Result<Map<String, Value>, A::Error> {
    let mut names = Vec::with_capacity(USUAL_MEMBERS);
    let mut object = Map::new();
    while let Some(Name(name)) = access.next_key()? {
        let keep = keep(&name);
        let value = access.next_value_seed(ValueReader { keep, ..member })?;
        if keep {
            object.insert((*name).to_owned(), value);
        }
        if duplicates == DuplicateNames::Refused {
            names.push(name);
        }
    }
    names.sort_unstable();
    if names
        .windows(2)
        .any(|pair| matches!(pair, [one, other] if one == other))
    {
        return Err(A::Error::custom("a name occurs twice"));
    }
    Ok(object)
}

/// The name of a member. It is copied only if it contains escapes.
#[derive(Deserialize)]
#[serde(transparent)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);
