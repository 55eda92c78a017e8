//! Reading JSON values.

use serde_json::{Map, Value};

use super::place::Place;

/// A type that is read from JSON.
///
/// A reader that finds a problem reports it to the place and goes on, so that all problems are found.
/// Then the configuration as a whole is refused, and what has been read and built of it is dropped.
pub(crate) trait FromJson: Sized {
    /// Reads the value `json`, which is at this place. Returns `None` only after reporting a problem.
    fn from_json(json: &Value, at: &Place<'_>) -> Option<Self>;
}

/// Envoy accepts the only element of an array in its place.
impl<T: FromJson> FromJson for Vec<T> {
    fn from_json(json: &Value, at: &Place<'_>) -> Option<Self> {
        match json {
            Value::Array(elements) => {
                let mut all = Vec::new();
                for (index, element) in elements.iter().enumerate() {
                    if let Some(element) = T::from_json(element, &at.element(index)) {
                        all.push(element);
                    }
                }
                Some(all)
            }
            Value::Null => wrong_kind(json, at, "an array"),
            only => Some(vec![T::from_json(only, at)?]),
        }
    }
}

impl FromJson for bool {
    /// Reads protobuf's JSON form, or that of a `google.protobuf.BoolValue` as Envoy reads it.
    fn from_json(json: &Value, at: &Place<'_>) -> Option<Self> {
        let boolean = match json {
            Value::Bool(boolean) => Some(*boolean),
            Value::String(text) => text.parse().ok(),
            Value::Object(fields) if fields.len() == 1 => {
                fields.get("value").and_then(Value::as_bool)
            }
            _ => None,
        };
        boolean.or_else(|| wrong_kind(json, at, "a boolean"))
    }
}

impl FromJson for String {
    fn from_json(json: &Value, at: &Place<'_>) -> Option<Self> {
        text(json, at).map(str::to_owned)
    }
}

impl FromJson for Value {
    fn from_json(json: &Value, _: &Place<'_>) -> Option<Self> {
        Some(json.clone())
    }
}

impl FromJson for Map<String, Value> {
    fn from_json(json: &Value, at: &Place<'_>) -> Option<Self> {
        object(json, at).cloned()
    }
}

/// The text of the string `json`.
pub(crate) fn text<'j>(json: &'j Value, at: &Place<'_>) -> Option<&'j str> {
    match json {
        Value::String(text) => Some(text),
        other => wrong_kind(other, at, "a string"),
    }
}

/// The fields of the object `json`.
pub(crate) fn object<'j>(json: &'j Value, at: &Place<'_>) -> Option<&'j Map<String, Value>> {
    match json {
        Value::Object(fields) => Some(fields),
        other => wrong_kind(other, at, "an object"),
    }
}

/// Reports that `found` has the wrong type. The problem names its type and not the value, which may be
/// a secret.
fn wrong_kind<T>(found: &Value, at: &Place<'_>, expected: &str) -> Option<T> {
    let found = match found {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    };
    at.refuse(&format!("must be {expected}, not {found}"))
}

#[cfg(test)]
mod tests {
    use std::fmt::Debug;

    use serde_json::json;

    use super::*;
    use crate::problems::Problems;

    fn read<T: FromJson>(json: &Value) -> Result<T, String> {
        let problems = Problems::default();
        let read = T::from_json(json, &Place::document(&problems));
        problems.result(read).map_err(|error| error.to_string())
    }

    fn check<T: FromJson + Debug + PartialEq>(json: &Value, expected: Result<T, &str>) {
        let read = read::<T>(json);
        assert_eq!(read, expected.map_err(str::to_owned), "{json}");
    }

    #[test]
    fn the_only_element_of_an_array_may_stand_in_its_place() {
        check(&json!(true), Ok(vec![true]));
        check(&json!([true, "false"]), Ok(vec![true, false]));
        check(
            &json!(null),
            Err::<Vec<bool>, _>("must be an array, not null"),
        );
        check(
            &json!(5),
            Err::<Vec<bool>, _>("must be a boolean, not a number"),
        );
    }

    #[test]
    fn every_wrong_element_is_reported() {
        check(
            &json!(["a", true, 5]),
            Err::<Vec<bool>, _>(
                "[0]: must be a boolean, not a string\n[2]: must be a boolean, not a number",
            ),
        );
    }

    #[test]
    fn a_boolean_may_be_text_or_wrapped() {
        for (json, expected) in [
            (json!(true), Some(true)),
            (json!("true"), Some(true)),
            (json!("false"), Some(false)),
            (json!({"value": true}), Some(true)),
            (json!({"value": "true"}), None),
            (json!({"value": true, "other": 1}), None),
            (json!({}), None),
            (json!("yes"), None),
            (json!(1), None),
        ] {
            assert_eq!(read::<bool>(&json).ok(), expected, "{json}");
        }
    }

    #[test]
    fn any_json_is_read_unchanged() {
        let json = json!({"a": [null, true, 1, -1, 1.5, "x", u64::MAX, {}], "b": {"c": []}});
        assert_eq!(read::<Value>(&json).as_ref(), Ok(&json));
    }

    #[test]
    fn a_problem_names_the_type_of_the_value_and_not_the_value() {
        for (json, found) in [
            (json!(null), "null"),
            (json!("secret"), "a string"),
            (json!(-9), "a number"),
            (json!(["secret"]), "an array"),
            (json!({"secret": "secret"}), "an object"),
        ] {
            let expected = format!("must be a boolean, not {found}");
            check(&json, Err::<bool, _>(&expected));
        }
        let boolean = json!(true);
        check(
            &boolean,
            Err::<String, _>("must be a string, not a boolean"),
        );
    }
}
