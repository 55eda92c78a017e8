//! A value, or a list of such values.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

/// An object, or a list of objects of the same kind.
pub(crate) enum OneOrMore<T> {
    One(T),
    List(Vec<T>),
}

impl<T> OneOrMore<T> {
    /// The objects with their JSON paths, if this is at `path`.
    pub(crate) fn with_paths(self, path: &str) -> Vec<(String, T)> {
        match self {
            Self::One(only) => vec![(path.to_owned(), only)],
            Self::List(list) => {
                let list = list.into_iter().enumerate();
                list.map(|(index, one)| (format!("{path}[{index}]"), one))
                    .collect()
            }
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for OneOrMore<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OneOrMoreVisitor(PhantomData))
    }
}

struct OneOrMoreVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for OneOrMoreVisitor<T> {
    type Value = OneOrMore<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object or an array")
    }

    fn visit_map<A: MapAccess<'de>>(self, access: A) -> Result<OneOrMore<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(access)).map(OneOrMore::One)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<OneOrMore<T>, A::Error> {
        let mut list = Vec::new();
        while let Some(one) = access.next_element()? {
            list.push(one);
        }
        Ok(OneOrMore::List(list))
    }
}
