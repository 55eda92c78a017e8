//! The fields of an object of the configuration.

use serde_json::Value;

/// The fields of an object of the configuration: names in `snake_case` or lowerCamelCase, `null` as good as absent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fields<'c>(pub(crate) &'c Value);

impl<'c> Fields<'c> {
    pub(crate) fn get(self, name: &str) -> Option<&'c Value> {
        let value = self.0.get(name).or_else(|| self.0.get(camel(name)))?;
        (!value.is_null()).then_some(value)
    }

    pub(crate) fn has(self, name: &str) -> bool {
        self.get(name).is_some()
    }

    pub(crate) fn text(self, name: &str) -> Option<&'c str> {
        self.get(name)?.as_str()
    }

    /// An object.
    pub(crate) fn object(self, name: &str) -> Option<Self> {
        self.get(name).map(Fields)
    }

    /// The members of a map.
    pub(crate) fn entries(self, name: &str) -> Vec<(&'c str, Self)> {
        let map = self.get(name).and_then(Value::as_object);
        let members = map.into_iter().flatten();
        members
            .map(|(name, value)| (name.as_str(), Fields(value)))
            .collect()
    }

    /// The elements of a list. A single one may stand in its place.
    pub(crate) fn list(self, name: &str) -> Vec<&'c Value> {
        match self.get(name) {
            None => Vec::new(),
            Some(Value::Array(elements)) => elements.iter().collect(),
            Some(single) => vec![single],
        }
    }

    /// The elements of a list of texts.
    pub(crate) fn texts(self, name: &str) -> Vec<&'c str> {
        self.list(name)
            .into_iter()
            .filter_map(Value::as_str)
            .collect()
    }

    /// A boolean that is false unless it is given.
    pub(crate) fn flag(self, name: &str) -> bool {
        self.flag_or(name, false)
    }

    pub(crate) fn flag_or(self, name: &str, default: bool) -> bool {
        let Some(value) = self.get(name) else {
            return default;
        };
        match value.get("value").unwrap_or(value) {
            Value::String(text) => text == "true",
            other => *other == true,
        }
    }

    pub(crate) fn integer(self, name: &str) -> Option<i64> {
        let value = self.get(name)?;
        match value.get("value").unwrap_or(value) {
            Value::String(text) => text.parse().ok(),
            other => other.as_i64(),
        }
    }

    /// A duration in milliseconds.
    pub(crate) fn millis(self, name: &str) -> Option<i128> {
        let value = self.get(name)?;
        let seconds: f64 = match value {
            Value::String(text) => text.strip_suffix('s')?.parse().ok()?,
            object => {
                let part = |name| Fields(object).integer(name).unwrap_or(0) as f64;
                part("seconds") + part("nanos") / 1e9
            }
        };
        Some((seconds * 1000.0).round() as i128)
    }
}

/// `name` in lowerCamelCase.
pub(crate) fn camel(name: &str) -> String {
    let mut words = name.split('_');
    let mut camel = words.next().unwrap_or_default().to_owned();
    for word in words {
        let (first, rest) = word.split_at_checked(1).unwrap_or_default();
        camel += &first.to_uppercase();
        camel += rest;
    }
    camel
}
