//! The configuration's types, read from a JSON value.
//!
//! `serde_json` could read them from a value, and other crates follow where that is; but they do so at
//! every step and for every type, which made a fifth of the module. Here nobody keeps a path: an error
//! takes the names of the places that it comes by on its way out. And what is read in several places
//! is not inlined into each: a configuration is read once.

use std::fmt;
use std::iter::Enumerate;
use std::slice;

use serde::de::value::{BorrowedStrDeserializer, StrDeserializer};
use serde::de::{
    self, Deserialize, DeserializeSeed, Deserializer, Expected, MapAccess, SeqAccess, Unexpected,
    Visitor,
};
use serde::forward_to_deserialize_any;
use serde_json::{Value, map};

use super::error::ConfigError;
use super::place::Place;

/// Deserializes a `T` from `json`.
pub(crate) fn from_value<'de, T: Deserialize<'de>>(json: &'de Value) -> Result<T, ConfigError> {
    T::deserialize(Located(json)).map_err(|Misfit(misfit)| ConfigError::at(misfit.0, misfit.1))
}

/// Where something does not fit, seen from the value that is being read, and what is wrong. In a box,
/// since all that is read is moved about together with room for it.
#[derive(Debug)]
struct Misfit(Box<(Place, String)>);

impl Misfit {
    fn new(place: Place, problem: String) -> Self {
        Self(Box::new((place, problem)))
    }

    #[cold]
    fn of_type(value: &Value, expected: &dyn Expected) -> Self {
        let found = match value {
            Value::Null => Unexpected::Other("null"),
            Value::Bool(truth) => Unexpected::Bool(*truth),
            Value::Number(number) => {
                let unsigned = number.as_u64().map(Unexpected::Unsigned);
                let integer = unsigned.or_else(|| number.as_i64().map(Unexpected::Signed));
                let float = || number.as_f64().map(Unexpected::Float);
                integer
                    .or_else(float)
                    .unwrap_or(Unexpected::Other("number"))
            }
            Value::String(text) => Unexpected::Str(text),
            Value::Array(_) => Unexpected::Seq,
            Value::Object(_) => Unexpected::Map,
        };
        <Self as de::Error>::invalid_type(found, expected)
    }

    #[cold]
    fn within(mut self, name: &str) -> Self {
        self.0.0.enter(name);
        self
    }

    #[cold]
    fn within_element(mut self, index: usize) -> Self {
        self.0.0.enter_element(index);
        self
    }
}

impl de::Error for Misfit {
    #[cold]
    fn custom<T: fmt::Display>(problem: T) -> Self {
        Self::new(Place::default(), problem.to_string())
    }

    #[cold]
    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        let known = match expected {
            [] => "there are no fields".to_owned(),
            [one] => format!("expected {one}"),
            [one, other] => format!("expected {one} or {other}"),
            all => format!("expected one of {}", all.join(", ")),
        };
        Self::new(Place::field(field), format!("unknown field, {known}"))
    }

    #[cold]
    fn missing_field(field: &'static str) -> Self {
        Self::new(Place::field(field), "missing field".to_owned())
    }

    #[cold]
    fn duplicate_field(field: &'static str) -> Self {
        Self::new(Place::field(field), "given twice".to_owned())
    }
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.1)
    }
}

impl std::error::Error for Misfit {}

/// A value that a type is read from.
struct Located<'de>(&'de Value);

impl<'de> Deserializer<'de> for Located<'de> {
    type Error = Misfit;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self.0 {
            Value::Null => visitor.visit_unit(),
            Value::Bool(truth) => visitor.visit_bool(*truth),
            Value::Number(number) => {
                if let Some(number) = number.as_u64() {
                    visitor.visit_u64(number)
                } else if let Some(number) = number.as_i64() {
                    visitor.visit_i64(number)
                } else if let Some(number) = number.as_f64() {
                    visitor.visit_f64(number)
                } else {
                    Err(Misfit::of_type(self.0, &visitor))
                }
            }
            Value::String(text) => visitor.visit_borrowed_str(text),
            Value::Array(_) => self.deserialize_seq(visitor),
            Value::Object(_) => self.deserialize_map(visitor),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self.0 {
            Value::Bool(truth) => visitor.visit_bool(*truth),
            other => Err(Misfit::of_type(other, &visitor)),
        }
    }

    #[inline(never)]
    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self.0 {
            Value::String(text) => visitor.visit_borrowed_str(text),
            other => Err(Misfit::of_type(other, &visitor)),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self.0 {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        visitor.visit_newtype_struct(self)
    }

    #[inline(never)]
    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self.0 {
            Value::Array(values) => visitor.visit_seq(Elements(values.iter().enumerate())),
            other => Err(Misfit::of_type(other, &visitor)),
        }
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self.0 {
            Value::Object(fields) => visitor.visit_map(Fields {
                rest: fields.iter(),
                current: None,
            }),
            other => Err(Misfit::of_type(other, &visitor)),
        }
    }

    #[inline(never)]
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        match self.0 {
            Value::Object(_) => self.deserialize_map(visitor),
            other => Err(Misfit::of_type(other, &"an object")),
        }
    }

    /// Of an enum whose variants are names.
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        match self.0 {
            Value::String(text) => visitor.visit_enum(StrDeserializer::new(text)),
            other => Err(Misfit::of_type(other, &"a string")),
        }
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char bytes byte_buf unit unit_struct tuple
        tuple_struct identifier ignored_any
    }
}

/// The elements of an array that are still to be read.
struct Elements<'de>(Enumerate<slice::Iter<'de, Value>>);

impl<'de> SeqAccess<'de> for Elements<'de> {
    type Error = Misfit;

    #[inline(never)]
    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Misfit> {
        let Some((index, value)) = self.0.next() else {
            return Ok(None);
        };
        match seed.deserialize(Located(value)) {
            Ok(value) => Ok(Some(value)),
            Err(misfit) => Err(misfit.within_element(index)),
        }
    }
}

/// The fields of an object that are still to be read.
struct Fields<'de> {
    rest: map::Iter<'de>,
    current: Option<(&'de str, &'de Value)>,
}

impl<'de> MapAccess<'de> for Fields<'de> {
    type Error = Misfit;

    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Misfit> {
        let Some((name, value)) = self.rest.next() else {
            return Ok(None);
        };
        self.current = Some((name, value));
        seed.deserialize(BorrowedStrDeserializer::new(name))
            .map(Some)
    }

    #[inline(never)]
    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Misfit> {
        match self.current.take() {
            Some((name, value)) => {
                let read = seed.deserialize(Located(value));
                read.map_err(|misfit| misfit.within(name))
            }
            None => Err(de::Error::custom("a value is read before its name")),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Wire {
        #[serde(default, alias = "longName")]
        long_name: Option<Vec<Inner>>,
        kind: Option<Kind>,
    }

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        only: Wrapped,
    }

    #[derive(Debug, serde::Deserialize)]
    struct Wrapped(bool);

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Nothing {}

    #[derive(Debug, serde::Deserialize, PartialEq, Eq)]
    #[serde(rename_all = "lowercase")]
    enum Kind {
        One,
        Other,
    }

    #[test]
    fn what_fits_is_read() {
        let json = json!({"long_name": [{"only": true}, {"only": false}], "kind": "other"});
        let read: Wire = from_value(&json).unwrap();
        let only: Vec<bool> = read.long_name.unwrap().iter().map(|i| i.only.0).collect();
        assert_eq!(only, [true, false]);
        assert_eq!(read.kind, Some(Kind::Other));
    }

    #[test]
    fn a_value_is_read_as_it_is() {
        let json = json!({"a": [null, true, 1, -1, 1.5, "x", u64::MAX, {}], "b": {"c": []}});
        assert_eq!(from_value::<Value>(&json).unwrap(), json);
    }

    #[test]
    fn what_does_not_fit_is_said_with_its_place() {
        for (json, expected) in [
            (json!(null), "invalid type: null, expected an object"),
            (json!([]), "invalid type: sequence, expected an object"),
            (
                json!({"kind": "third"}),
                "kind: unknown variant `third`, expected `one` or `other`",
            ),
            (
                json!({"kind": 2.5}),
                "kind: invalid type: floating point `2.5`, expected a string",
            ),
            (
                json!({"kind": {"one": null}}),
                "kind: invalid type: map, expected a string",
            ),
            (
                json!({"longName": {}}),
                "longName: invalid type: map, expected a sequence",
            ),
            (
                json!({"longName": [], "long_name": []}),
                "long_name: given twice",
            ),
            (
                json!({"long_name": [{"only": true}, {}]}),
                "long_name[1].only: missing field",
            ),
            (
                json!({"long_name": [{"only": "yes"}]}),
                "long_name[0].only: invalid type: string \"yes\", expected a boolean",
            ),
            (
                json!({"long_name": [{"other": 1}]}),
                "long_name[0].other: unknown field, expected only",
            ),
            (
                json!({"": 1}),
                "unknown field, expected one of longName, long_name, kind",
            ),
        ] {
            assert_eq!(from_value::<Wire>(&json).unwrap_err().to_string(), expected);
        }
        let nothing = from_value::<Nothing>(&json!({"x": 1})).unwrap_err();
        assert_eq!(nothing.to_string(), "x: unknown field, there are no fields");
    }
}
