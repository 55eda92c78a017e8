//! A value as far as a registered claim has use for it.

use serde_json::{Number, Value};

/// A text, a number, or an array of texts.
#[derive(Clone, Debug, PartialEq)]
pub enum Plain<'v> {
    /// A text.
    Text(&'v str),
    /// A number.
    Number(Number),
    /// An array that contains only texts.
    Texts(Vec<String>),
    /// Anything else.
    Other,
}

impl<'v> From<&'v Value> for Plain<'v> {
    fn from(value: &'v Value) -> Self {
        match value {
            Value::String(text) => Self::Text(text),
            Value::Number(number) => Self::Number(number.clone()),
            Value::Array(values) => {
                let texts = values.iter().map(|value| value.as_str().map(str::to_owned));
                let texts: Option<_> = texts.collect();
                texts.map_or(Self::Other, Self::Texts)
            }
            Value::Null | Value::Bool(_) | Value::Object(_) => Self::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_classified_by_their_type() {
        for (value, plain) in [
            (json!("a"), Plain::Text("a")),
            (json!(1), Plain::Number(1.into())),
            (json!(-1), Plain::Number((-1).into())),
            (json!([]), Plain::Texts(Vec::new())),
            (
                json!(["a", "b"]),
                Plain::Texts(vec!["a".to_owned(), "b".to_owned()]),
            ),
            (json!(["a", 1, "b"]), Plain::Other),
            (json!([["a"]]), Plain::Other),
            (json!({"a": "b"}), Plain::Other),
            (json!(null), Plain::Other),
            (json!(true), Plain::Other),
        ] {
            assert_eq!(Plain::from(&value), plain, "{value}");
        }
    }
}
