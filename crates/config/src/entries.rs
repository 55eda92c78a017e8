//! Objects whose names the operator chooses.

use serde_json::Value;

use super::from_json::{self, FromJson};
use super::place::Place;

/// The entries of an object, in the order of their names.
pub(crate) struct Entries<T>(pub(crate) Vec<(String, T)>);

impl<T: FromJson> FromJson for Entries<T> {
    fn from_json(json: &Value, at: &Place<'_>) -> Option<Self> {
        let mut entries = Vec::new();
        for (name, value) in from_json::object(json, at)? {
            if let Some(value) = T::from_json(value, &at.field(name)) {
                entries.push((name.clone(), value));
            }
        }
        Some(Self(entries))
    }
}
