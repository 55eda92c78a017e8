//! The places in requests where a provider's tokens are.

use super::editor::{Editor, NewEntry};
use super::new_value::NewValue;
use crate::source_tree::{Entry, Node};

/// Converts the places of the provider `node`, which is at `path`.
pub(super) fn convert(
    editor: &mut Editor<'_>,
    node: &Node,
    path: &str,
    deleted: &mut Vec<usize>,
    added: &mut Vec<NewEntry>,
) {
    let fields = ["from_headers", "from_params", "from_cookies"];
    let given: Vec<&Entry> = fields.iter().filter_map(|name| node.entry(name)).collect();
    if given.iter().all(|entry| entry.value.is_empty()) {
        deleted.extend(fields.iter().filter_map(|name| node.position(name)));
        let header = NewValue::map([
            ("name", NewValue::text("Authorization")),
            ("value_prefix", NewValue::text("Bearer ")),
        ]);
        added.push(NewEntry::new("from_headers", NewValue::List(vec![header])));
        let parameters = NewValue::List(vec![NewValue::text("access_token")]);
        added.push(NewEntry::new("from_params", parameters).review(
            "as in jwt_authn, which also reads the query parameter access_token: tokens in URLs end up in logs, so \
             delete both fields if no client uses it. The rest of the query stays as it was sent",
        ));
        return;
    }
    let has_moved = cookies(editor, node, path, deleted, added);
    for entry in given {
        if has_moved && !entry.is_named("from_params") {
            continue;
        }
        let path = &format!("{path}.{}", entry.key);
        let at = entry.key_range.start;
        if entry.value.is_empty() {
        } else if entry.is_named("from_params") {
            let text = "the rest of the query stays as it was sent when the token is removed; jwt_authn decodes it";
            editor.review(at, path, text);
        } else if entry.is_named("from_cookies") {
            let text = "the token is removed from the cookie, unless `forward` is true; jwt_authn leaves it there";
            editor.review(at, path, text);
        } else {
            let prefixes = entry.value.items().iter();
            let mut prefixes = prefixes.filter_map(|item| item.text_of("value_prefix"));
            if prefixes.any(|prefix| !prefix.is_empty() && prefix.trim_end() != "Bearer") {
                let text = "the value must begin with `value_prefix`; jwt_authn finds it anywhere in the value";
                editor.review(at, path, text);
            }
        }
    }
}

/// Converts what is read from the header `Cookie`, where `jwt_authn` finds a prefix such as `session=`. Returns whether
/// there is such a place.
fn cookies(
    editor: &mut Editor<'_>,
    node: &Node,
    path: &str,
    deleted: &mut Vec<usize>,
    added: &mut Vec<NewEntry>,
) -> bool {
    let Some(headers) = node.entry("from_headers") else {
        return false;
    };
    let items = headers.value.items();
    let (moved, kept): (Vec<&Node>, Vec<&Node>) =
        items.iter().partition(|item| cookie_name(item).is_some());
    if moved.is_empty() {
        return false;
    }
    let path = format!("{path}.{}", headers.key);
    editor.review(
        node.range.start,
        &path,
        "the cookie is read, which is then removed from the header unless `forward` is true; jwt_authn looks for the \
         prefix anywhere in the header Cookie",
    );
    let written = |node: &Node| NewValue::from_json(&node.to_json());
    if kept.is_empty() {
        deleted.extend(node.position("from_headers"));
    } else {
        let kept = kept.into_iter().map(written).collect();
        editor.replace(&headers.value, &path, &NewValue::List(kept));
    }
    let names = moved.into_iter().filter_map(cookie_name);
    let given = node.get("from_cookies").map(Node::items);
    let given = given.unwrap_or_default().iter().map(written);
    let cookies = NewValue::List(given.chain(names.map(NewValue::text)).collect());
    deleted.extend(node.position("from_cookies"));
    added.push(NewEntry::new("from_cookies", cookies));
    true
}

/// The cookie that this place of `from_headers` means.
fn cookie_name(place: &Node) -> Option<&str> {
    let is_cookie = place.text_of("name")?.eq_ignore_ascii_case("cookie");
    let name = place.text_of("value_prefix")?.strip_suffix('=')?;
    let is_name = !name.is_empty() && !name.contains([';', '=', ' ']);
    (is_cookie && is_name).then_some(name)
}

/// Pairs of providers that read tokens from the same place, of which the first takes them away.
pub(super) fn takers(providers: &[Entry]) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    for first in providers {
        if first.value.get("forward").is_some_and(Node::is_true) {
            continue;
        }
        let own = places(&first.value);
        for other in providers {
            if places(&other.value).iter().any(|place| own.contains(place)) {
                pairs.push((first.key.clone(), other.key.clone()));
            }
        }
    }
    pairs
}

/// The places of a provider: the name of the list, and an element.
fn places(provider: &Node) -> Vec<(&'static str, String)> {
    let mut places = Vec::new();
    for list in ["from_headers", "from_params", "from_cookies"] {
        let items = provider.get(list).map(Node::items).unwrap_or_default();
        for item in items {
            let name = item.text_of("name").or_else(|| item.text());
            let name = name.unwrap_or_default();
            let is_header = list == "from_headers";
            let name = if is_header {
                name.to_ascii_lowercase()
            } else {
                name.to_owned()
            };
            places.push((list, name));
        }
    }
    if places.is_empty() {
        places.push(("from_headers", "authorization".to_owned()));
        places.push(("from_params", "access_token".to_owned()));
    }
    places
}
