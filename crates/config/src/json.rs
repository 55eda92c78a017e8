//! JSON in which no object has a name twice.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::error::ConfigError;
use super::place::Place;

/// Parses a JSON text.
///
/// The configuration's types are read from the value and not from the text, since the host may also
/// hand over a Struct. So the module contains their deserialization once.
pub(crate) fn parse(text: &[u8]) -> Result<Value, ConfigError> {
    let mut duplicate = None;
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let json = UniqueSeed(&mut duplicate).deserialize(&mut deserializer);
    let json = json.and_then(|json| deserializer.end().map(|()| json));
    json.map_err(|error| match duplicate {
        Some(place) => ConfigError::at(place, "given twice"),
        None => ConfigError::new("", format!("not JSON: {error}")),
    })
}

/// A JSON value that refuses duplicate names when it is deserialized.
#[cfg(not(target_arch = "wasm32"))]
#[derive(Clone, Debug, PartialEq)]
pub struct UniqueValue(pub Value);

#[cfg(not(target_arch = "wasm32"))]
impl<'de> serde::Deserialize<'de> for UniqueValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        UniqueSeed(&mut None).deserialize(deserializer).map(Self)
    }
}

/// Deserializes a value and refuses duplicate names. The place of the first one is stored here.
struct UniqueSeed<'p>(&'p mut Option<Place>);

impl<'de> DeserializeSeed<'de> for UniqueSeed<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for UniqueSeed<'_> {
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
            match access.next_element_seed(UniqueSeed(self.0)) {
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
                *self.0 = Some(Place::field(&name));
                return Err(A::Error::custom(format!("duplicate field `{name}`")));
            }
            match access.next_value_seed(UniqueSeed(self.0)) {
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
