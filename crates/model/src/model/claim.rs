//! Where claims are in a payload.

use serde_json::{Map, Value};

use super::fields::Fields;

/// The claim that `claim_name` or `claim_path` of an object selects.
pub(crate) fn find<'p>(selector: Fields<'_>, payload: &'p Map<String, Value>) -> Option<&'p Value> {
    match selector.text("claim_name") {
        Some(name) => find_dotted(name, payload),
        None => find_path(&selector.list("claim_path"), payload),
    }
}

/// The claim with this name, which has dots between it and the objects that it is in.
pub(crate) fn find_dotted<'p>(name: &str, payload: &'p Map<String, Value>) -> Option<&'p Value> {
    follow(name.split('.'), payload)
}

/// The claim with these names, each a text or `{"key": text}`.
pub(crate) fn find_path<'p>(path: &[&Value], payload: &'p Map<String, Value>) -> Option<&'p Value> {
    let names = path.iter();
    let names = names.map(|name| name.get("key").unwrap_or(name).as_str().unwrap_or_default());
    follow(names, payload)
}

fn follow(
    mut names: impl Iterator<Item: AsRef<str>>,
    payload: &Map<String, Value>,
) -> Option<&Value> {
    let mut value = payload.get(names.next()?.as_ref())?;
    for name in names {
        value = value.as_object()?.get(name.as_ref())?;
    }
    Some(value)
}
