//! A deserializer of JSON values whose errors know their place.
//!
//! `serde_path_to_error` over `serde_json` would do nearly the same. But `serde_json` accepts an array
//! in place of an object, so that a mistake such as `"allow_missing": []` would let requests pass. And
//! it tracks the path for every type and at every step: the module would be 57 KiB larger and take 9 %
//! longer to compile, both packages built for size. Here only an error collects the path, while it
//! returns from the value to the whole document.
//!
//! No error contains a value of the configuration, which may be a secret in the wrong place. Errors name
//! the kind of the value instead.

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
use super::list::quoted;
use super::place::Place;

/// Deserializes a `T` from `json`.
pub(crate) fn from_value<'de, T: Deserialize<'de>>(json: &'de Value) -> Result<T, ConfigError> {
    T::deserialize(Located(json)).map_err(|error| ConfigError::at(error.place, error.problem))
}

/// A problem, and its place as seen from the value that is being deserialized.
#[derive(Debug)]
struct Error {
    place: Place,
    problem: String,
}

impl Error {
    fn new(place: Place, problem: String) -> Self {
        Self { place, problem }
    }

    fn wrong_type(found: &Value, expected: &str) -> Self {
        let found = match found {
            Value::Null => "null",
            Value::Bool(_) => "a boolean",
            Value::Number(_) => "a number",
            Value::String(_) => "a string",
            Value::Array(_) => "an array",
            Value::Object(_) => "an object",
        };
        Self::not(found, &expected)
    }

    fn not(found: &str, expected: &dyn fmt::Display) -> Self {
        let problem = format!("must be {expected}, not {found}");
        Self::new(Place::default(), problem)
    }

    fn in_field(mut self, name: &str) -> Self {
        self.place.enter(name);
        self
    }

    fn in_element(mut self, index: usize) -> Self {
        self.place.enter_element(index);
        self
    }
}

impl de::Error for Error {
    fn custom<T: fmt::Display>(problem: T) -> Self {
        Self::new(Place::default(), problem.to_string())
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::not(kind(&found), &expected)
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::not(&format!("another value, {}", kind(&found)), &expected)
    }

    fn unknown_variant(_: &str, expected: &'static [&'static str]) -> Self {
        let problem = format!("is not one of {}", quoted(expected.iter().copied()));
        Self::new(Place::default(), problem)
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        let known = match expected {
            [] => "there are no fields".to_owned(),
            [one] => format!("expected {one}"),
            [one, other] => format!("expected {one} or {other}"),
            all => format!("expected one of {}", all.join(", ")),
        };
        Self::new(Place::field(field), format!("unknown field, {known}"))
    }

    fn missing_field(field: &'static str) -> Self {
        Self::new(Place::field(field), "missing field".to_owned())
    }

    fn duplicate_field(field: &'static str) -> Self {
        Self::new(Place::field(field), "given twice".to_owned())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.problem)
    }
}

impl std::error::Error for Error {}

/// The kind of a value that a visitor does not accept, without the value.
const fn kind(found: &Unexpected<'_>) -> &'static str {
    match found {
        Unexpected::Unit | Unexpected::Option => "null",
        Unexpected::Bool(_) => "a boolean",
        Unexpected::Unsigned(_) | Unexpected::Signed(_) | Unexpected::Float(_) => "a number",
        Unexpected::Char(_) | Unexpected::Str(_) => "a string",
        Unexpected::Seq => "an array",
        Unexpected::Map => "an object",
        _ => "a value of another kind",
    }
}

/// A value to deserialize from.
struct Located<'de>(&'de Value);

impl<'de> Deserializer<'de> for Located<'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::Null => visitor.visit_unit(),
            Value::Bool(truth) => visitor.visit_bool(*truth),
            Value::Number(number) => match (number.as_u64(), number.as_i64()) {
                (Some(number), _) => visitor.visit_u64(number),
                (None, Some(number)) => visitor.visit_i64(number),
                (None, None) => visitor.visit_f64(number.as_f64().unwrap_or(f64::NAN)),
            },
            Value::String(_) => self.deserialize_str(visitor),
            Value::Array(_) => self.deserialize_seq(visitor),
            Value::Object(_) => self.deserialize_map(visitor),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match boolean(self.0) {
            Some(truth) => visitor.visit_bool(truth),
            None => Err(Error::wrong_type(self.0, "a boolean")),
        }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::String(text) => visitor.visit_borrowed_str(text),
            other => Err(Error::wrong_type(other, "a string")),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::Array(values) => visitor.visit_seq(Elements(values.iter().enumerate())),
            Value::Null => Err(Error::wrong_type(self.0, "an array")),
            only => visitor.visit_seq(Single(Some(only))),
        }
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::Object(fields) => visitor.visit_map(Fields {
                rest: fields.iter(),
                current: None,
            }),
            other => Err(Error::wrong_type(other, "an object")),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_map(visitor)
    }

    /// Deserializes an enum without data: the configuration has no others.
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self.0 {
            Value::String(text) => visitor.visit_enum(StrDeserializer::new(text)),
            other => Err(Error::wrong_type(other, "a string")),
        }
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char bytes byte_buf unit unit_struct tuple
        tuple_struct identifier ignored_any
    }
}

/// A boolean in protobuf's JSON form, or in that of a `google.protobuf.BoolValue` as Envoy reads it.
fn boolean(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(truth) => Some(*truth),
        Value::String(text) => text.parse().ok(),
        Value::Object(fields) if fields.len() == 1 => fields.get("value")?.as_bool(),
        _ => None,
    }
}

/// A value in place of an array that has only this element, which Envoy accepts.
struct Single<'de>(Option<&'de Value>);

impl<'de> SeqAccess<'de> for Single<'de> {
    type Error = Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Error> {
        let only = self.0.take();
        only.map(|only| seed.deserialize(Located(only))).transpose()
    }
}

/// The remaining elements of an array.
struct Elements<'de>(Enumerate<slice::Iter<'de, Value>>);

impl<'de> SeqAccess<'de> for Elements<'de> {
    type Error = Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Error> {
        let Some((index, value)) = self.0.next() else {
            return Ok(None);
        };
        let read = seed.deserialize(Located(value));
        read.map(Some).map_err(|error| error.in_element(index))
    }
}

/// The remaining fields of an object.
struct Fields<'de> {
    rest: map::Iter<'de>,
    /// The field whose name has been read and whose value has not.
    current: Option<(&'de str, &'de Value)>,
}

impl<'de> MapAccess<'de> for Fields<'de> {
    type Error = Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Error> {
        let Some((name, value)) = self.rest.next() else {
            return Ok(None);
        };
        self.current = Some((name, value));
        seed.deserialize(BorrowedStrDeserializer::new(name))
            .map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Error> {
        let Some((name, value)) = self.current.take() else {
            return Err(de::Error::custom("a value is read before its name"));
        };
        let read = seed.deserialize(Located(value));
        read.map_err(|error| error.in_field(name))
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
    fn a_value_of_the_right_shape_is_deserialized() {
        let json = json!({"long_name": [{"only": true}, {"only": false}], "kind": "other"});
        let read: Wire = from_value(&json).unwrap();
        let only: Vec<bool> = read.long_name.unwrap().iter().map(|i| i.only.0).collect();
        assert_eq!(only, [true, false]);
        assert_eq!(read.kind, Some(Kind::Other));
    }

    #[test]
    fn the_only_element_of_an_array_may_stand_in_its_place() {
        let json = json!({"long_name": {"only": true}});
        let read: Wire = from_value(&json).unwrap();
        assert!(read.long_name.unwrap()[0].only.0);
        assert_eq!(from_value::<Vec<bool>>(&json!(true)).unwrap(), [true]);
        let null = from_value::<Vec<bool>>(&json!(null)).unwrap_err();
        assert_eq!(null.to_string(), "must be an array, not null");
    }

    #[test]
    fn a_boolean_may_be_text_or_wrapped() {
        for (json, expected) in [
            (json!(true), Some(true)),
            (json!("true"), Some(true)),
            (json!("false"), Some(false)),
            (json!({"value": true}), Some(true)),
            (json!({"value": "true"}), None),
            (json!({"value": true, "other": 1}), None),
            (json!({}), None),
            (json!("yes"), None),
            (json!(1), None),
        ] {
            assert_eq!(from_value::<bool>(&json).ok(), expected, "{json}");
        }
    }

    #[test]
    fn any_json_is_deserialized_unchanged() {
        let json = json!({"a": [null, true, 1, -1, 1.5, "x", u64::MAX, {}], "b": {"c": []}});
        assert_eq!(from_value::<Value>(&json).unwrap(), json);
    }

    #[test]
    fn an_error_of_a_visitor_names_the_kind_of_the_value_and_not_the_value() {
        for (json, found) in [
            (json!(null), "null"),
            (json!(true), "a boolean"),
            (json!(-9), "another value, a number"),
            (json!(1.5), "a number"),
            (json!("secret"), "a string"),
            (json!(["secret"]), "an array"),
            (json!({"secret": "secret"}), "an object"),
        ] {
            let error = from_value::<u8>(&json).unwrap_err().to_string();
            assert_eq!(error, format!("must be u8, not {found}"));
        }
    }

    #[test]
    fn an_error_names_the_place_and_what_is_expected_there() {
        for (json, expected) in [
            (json!(null), "must be an object, not null"),
            (json!([]), "must be an object, not an array"),
            (
                json!({"kind": "third"}),
                "kind: is not one of \"one\", \"other\"",
            ),
            (json!({"kind": 2.5}), "kind: must be a string, not a number"),
            (
                json!({"kind": {"one": null}}),
                "kind: must be a string, not an object",
            ),
            (json!({"longName": {}}), "longName.only: missing field"),
            (
                json!({"longName": 5}),
                "longName: must be an object, not a number",
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
                "long_name[0].only: must be a boolean, not a string",
            ),
            (
                json!({"long_name": [[true]]}),
                "long_name[0]: must be an object, not an array",
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
