//! JSON in which no object has a name twice.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::error::{ConfigError, Place};

/// Parses a text.
///
/// What is read from it is read from the value, whatever form the configuration came in, so that
/// the module holds that code once.
pub(super) fn parse(text: &[u8]) -> Result<Value, ConfigError> {
    let mut twice = None;
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let json = Reading(&mut twice).deserialize(&mut deserializer);
    let json = json.and_then(|json| deserializer.end().map(|()| json));
    json.map_err(|error| match twice {
        Some(place) => ConfigError::at(place, "given twice"),
        None => ConfigError::new("", format!("not JSON: {error}")),
    })
}

/// A JSON value without a name that occurs twice in one object.
#[cfg(not(target_arch = "wasm32"))]
pub(crate) struct Unique(pub(crate) Value);

#[cfg(not(target_arch = "wasm32"))]
impl<'de> serde::Deserialize<'de> for Unique {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Reading(&mut None).deserialize(deserializer).map(Self)
    }
}

/// Reads one value. A name that occurs twice is an error, and its place is left here.
struct Reading<'p>(&'p mut Option<Place>);

impl<'de> DeserializeSeed<'de> for Reading<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Reading<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, truth: bool) -> Result<Value, E> {
        Ok(truth.into())
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Value, E> {
        Ok(Number::from_f64(number).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        loop {
            match access.next_element_seed(Reading(self.0)) {
                Ok(Some(value)) => values.push(value),
                Ok(None) => return Ok(values.into()),
                Err(error) => {
                    if let Some(place) = self.0 {
                        place.enter_element(values.len());
                    }
                    return Err(error);
                }
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(name) = access.next_key::<String>()? {
            if map.contains_key(&name) {
                *self.0 = Some(Place::of(&name));
                return Err(A::Error::custom(format!("duplicate field `{name}`")));
            }
            match access.next_value_seed(Reading(self.0)) {
                Ok(value) => map.insert(name, value),
                Err(error) => {
                    if let Some(place) = self.0 {
                        place.enter(&name);
                    }
                    return Err(error);
                }
            };
        }
        Ok(map.into())
    }
}
