//! JSON in which no object has a name twice.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::error::ConfigError;
use super::place::Place;
use super::problems::Problems;

/// Parses a JSON text.
pub(crate) fn parse(text: &[u8]) -> Result<Value, ConfigError> {
    let problems = Problems::default();
    let document = Place::document(&problems);
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let json = UniqueSeed(&document).deserialize(&mut deserializer);
    let json = json.and_then(|json| deserializer.end().map(|()| json));
    let json = json.map_err(|error| {
        if problems.is_empty() {
            document.report(&format!("not JSON: {error}"));
        }
    });
    problems.result(json.ok())
}

/// A JSON value that refuses duplicate names when it is deserialized.
#[cfg(not(target_arch = "wasm32"))]
#[derive(Clone, Debug, PartialEq)]
pub struct UniqueValue(pub Value);

#[cfg(not(target_arch = "wasm32"))]
impl<'de> serde::Deserialize<'de> for UniqueValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let problems = Problems::default();
        let json = UniqueSeed(&Place::document(&problems)).deserialize(deserializer);
        json.map(Self)
    }
}

/// Deserializes the value at this place. Reports the first name that is given twice, and stops there.
struct UniqueSeed<'p>(&'p Place<'p>);

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
        while let Some(value) =
            access.next_element_seed(UniqueSeed(&self.0.element(values.len())))?
        {
            values.push(value);
        }
        Ok(values.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(name) = access.next_key::<String>()? {
            let field = self.0.field(&name);
            if map.contains_key(&name) {
                field.report("given twice");
                return Err(A::Error::custom(format!("duplicate field `{name}`")));
            }
            let value = access.next_value_seed(UniqueSeed(&field))?;
            map.insert(name, value);
        }
        Ok(map.into())
    }
}
