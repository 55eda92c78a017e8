//! A claim as the value of a header.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

/// The value of the claim at the dotted `path`; `None` if there is nothing to forward.
pub(super) fn value(claims: &Map<String, Value>, path: &str) -> Option<String> {
    let mut names = path.split('.');
    let mut value = claims.get(names.next()?)?;
    for name in names {
        value = value.get(name)?;
    }
    let text = match value {
        Value::Null => return None,
        Value::Bool(truth) => truth.to_string(),
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => match number.as_u64() {
            Some(whole) => whole.to_string(),
            None => format!("{:.6}", number.as_f64().unwrap_or_default()),
        },
        Value::Array(_) | Value::Object(_) => STANDARD.encode(escaped(&value.to_string())),
    };
    (!text.is_empty()).then_some(text)
}

/// JSON as protobuf writes it.
fn escaped(json: &str) -> String {
    json.replace('<', "\\u003c").replace('>', "\\u003e")
}
