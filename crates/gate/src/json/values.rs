//! Reading a value: as far as there is use for it, or for nothing but to know that it is one.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::names::{Name, Names};

/// A value that is read as strictly as one that is kept, which `IgnoredAny` is not: it takes texts
/// that are not Unicode and numbers that are out of range.
#[derive(Clone, Copy)]
pub(super) struct PassOver;

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
        let mut names = Names::new();
        while let Some(Name(name)) = access.next_key()? {
            access.next_value_seed(self)?;
            names.add(name)?;
        }
        Ok(())
    }
}

/// A value that is kept, in no object of which a name occurs twice, which [`Value`] itself takes.
#[derive(Clone, Copy)]
pub(super) struct Whole;

impl<'de> DeserializeSeed<'de> for Whole {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Whole {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, truth: bool) -> Result<Value, E> {
        Ok(Value::Bool(truth))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(Value::Number(number.into()))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(Value::Number(number.into()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(Number::from_f64(number).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::String(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = access.next_element_seed(self)? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(Name(name)) = access.next_key()? {
            let value = access.next_value_seed(self)?;
            if object.insert(name.into_owned(), value).is_some() {
                return Err(A::Error::custom("a name occurs twice"));
            }
        }
        Ok(Value::Object(object))
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
