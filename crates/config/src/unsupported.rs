//! Fields of Envoy's message that this filter cannot support.

use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, Error};
use serde_json::Value;

/// An unsupported field: it must be absent, null, the empty string or the empty array.
pub(crate) struct Unsupported<A>(PhantomData<A>);

/// Why a field is not supported, and what to use instead.
pub(crate) trait Advice {
    /// The error text.
    const TEXT: &str;
}

impl<A> Default for Unsupported<A> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<'de, A: Advice> Deserialize<'de> for Unsupported<A> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::Null => Ok(Self::default()),
            Value::String(text) if text.is_empty() => Ok(Self::default()),
            Value::Array(values) if values.is_empty() => Ok(Self::default()),
            _ => Err(D::Error::custom(A::TEXT)),
        }
    }
}
