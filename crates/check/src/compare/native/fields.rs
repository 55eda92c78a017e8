//! Members of protobuf messages in their JSON form, as Envoy reads them.

use std::time::Duration;

use gate_config::camel;
use serde_json::Value;

/// The member with this name in `snake_case`, in either spelling; `None` also if it is null.
pub(crate) fn get<'v>(message: &'v Value, name: &str) -> Option<&'v Value> {
    let value = message.get(name).or_else(|| message.get(camel(name)))?;
    (!value.is_null()).then_some(value)
}

/// The text of a member; empty if there is none.
pub(crate) fn text(message: &Value, name: &str) -> String {
    let value = get(message, name).and_then(Value::as_str);
    value.unwrap_or_default().to_owned()
}

/// The elements of a list. Its only element may also stand in its place.
pub(crate) fn list<'v>(message: &'v Value, name: &str) -> Vec<&'v Value> {
    match get(message, name) {
        Some(Value::Array(items)) => items.iter().collect(),
        Some(item) => vec![item],
        None => Vec::new(),
    }
}

/// The texts in a list.
pub(crate) fn texts(message: &Value, name: &str) -> Vec<String> {
    let items = list(message, name).into_iter();
    items
        .filter_map(|item| item.as_str().map(str::to_owned))
        .collect()
}

/// Whether a member is true.
pub(crate) fn flag(message: &Value, name: &str) -> bool {
    get(message, name).is_some_and(|value| match value {
        Value::String(text) => text == "true",
        value => *value == Value::Bool(true),
    })
}

/// A number that is not negative; 0 if there is none.
pub(crate) fn number(message: &Value, name: &str) -> u64 {
    let number = get(message, name).and_then(|value| match value {
        Value::String(text) => text.parse().ok(),
        value => value.as_u64(),
    });
    number.unwrap_or_default()
}

/// A duration such as `"1.5s"`.
pub(crate) fn duration(message: &Value, name: &str) -> Option<Duration> {
    let seconds = get(message, name)?.as_str()?.strip_suffix('s')?;
    Duration::try_from_secs_f64(seconds.parse().ok()?).ok()
}
