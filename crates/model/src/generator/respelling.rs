//! Other spellings of the same configuration.

use fastrand::Rng;
use serde_json::{Map, Value, json};

use super::dice::chance;

/// The same configuration, in which some names are in lowerCamelCase, and some values in another form that means the
/// same.
pub(crate) fn respelled(rng: &mut Rng, configuration: &Value) -> Value {
    // Most operators use one spelling throughout.
    let percent = [0, 0, 100, 30][rng.usize(0..4)];
    object(rng, percent, configuration)
}

/// Members whose names are fields.
fn object(rng: &mut Rng, percent: u8, value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let respelled = members.iter().map(|(name, value)| {
                let value = match name.as_str() {
                    // The names of the members are the operator's.
                    "providers" | "requirement_map" => names(rng, percent, value),
                    // Values of claims are anything.
                    "exact" | "any_of" | "contains" => value.clone(),
                    _ => other_form(rng, percent, name, value),
                };
                let name = if chance(rng, percent) {
                    camel(name)
                } else {
                    name.clone()
                };
                (name, value)
            });
            let mut respelled: Map<String, Value> = respelled.collect();
            if percent > 0 && chance(rng, 3) && respelled.contains_key("providers") {
                respelled.insert("statPrefix".to_owned(), Value::Null);
            }
            Value::Object(respelled)
        }
        Value::Array(elements) => elements
            .iter()
            .map(|element| object(rng, percent, element))
            .collect(),
        other => other.clone(),
    }
}

fn names(rng: &mut Rng, percent: u8, value: &Value) -> Value {
    let members = value.as_object().into_iter().flatten();
    let respelled = members.map(|(name, value)| (name.clone(), object(rng, percent, value)));
    Value::Object(respelled.collect())
}

fn other_form(rng: &mut Rng, percent: u8, name: &str, value: &Value) -> Value {
    if percent == 0 || !chance(rng, 20) {
        return object(rng, percent, value);
    }
    match (name, value) {
        ("clock_skew_seconds" | "jwt_cache_size" | "jwt_max_token_size", Value::Number(number)) => {
            if rng.bool() {
                json!(number.to_string())
            } else {
                json!({"value": number})
            }
        }
        ("forward" | "clear_route_cache" | "require_expiration", Value::Bool(flag)) => {
            if rng.bool() {
                json!(flag.to_string())
            } else {
                json!({"value": flag})
            }
        }
        ("max_lifetime" | "max_authentication_age", Value::String(text)) if text == "3600s" => {
            json!({"seconds": 3600})
        }
        (
            "audiences" | "issuers" | "acr_values" | "from_params" | "from_cookies" | "scopes",
            Value::Array(list),
        ) if list.len() == 1 => list[0].clone(),
        _ => object(rng, percent, value),
    }
}

/// `name` in lowerCamelCase.
fn camel(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |camel, word| {
        let (initial, rest) = word.split_at_checked(1).unwrap_or_default();
        camel + &initial.to_uppercase() + rest
    })
}
