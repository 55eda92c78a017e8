//! Objects whose names the operator chooses.

use serde_json::Value;

use super::from_json::{self, FromJson};
use super::place::Place;

/// The entries of an object, in the order of their names.
pub(crate) struct Entries<T>(pub(crate) Vec<(String, T)>);

impl<T: FromJson> FromJson for Entries<T> {
    fn from_json(json: &Value, at: &Place<'_>) -> Option<Self> {
        let fields = from_json::object(json, at)?.iter();
        let entries = fields.filter_map(|(name, value)| {
            let value = T::from_json(value, &at.field(name))?;
            Some((name.clone(), value))
        });
        Some(Self(entries.collect()))
    }
}
