//! Key sets in the configuration.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use gate::keys::{KeySet, KeyUses, Provenance};
use gate::verify::Algorithm;
use serde_json::Value;

use super::editor::{Editor, NewEntry};
use super::new_value::NewValue;
use super::surroundings::Surroundings;
use crate::source_tree::Node;

/// A key set with one key whose private key nobody has: a point of Ed25519 that was made from the SHA-256 digest of
/// "bearer-gate: nobody has the private key 5".
const NOBODYS_KEYS: &str = r#"{"keys": [{"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": "nobody", "x": "x-6hdDzD5yeeW2SOH0ffuLCRy6S9c3BZciFqDTOLwlk"}]}"#;

/// Where a key set is in the configuration.
const SOURCES: [&str; 4] = [
    "inline_string",
    "inline_bytes",
    "filename",
    "watched_directory",
];

/// Converts the key set `keys`, which is at `path`, and collects the environment variables that it needs. Returns the
/// field `algorithms` if it has shared secrets.
pub(super) fn convert(
    editor: &mut Editor<'_>,
    keys: &Node,
    path: &str,
    surroundings: &Surroundings<'_>,
    variables: &mut Vec<String>,
) -> Option<NewEntry> {
    variables.extend(keys.text_of("environment_variable").map(str::to_owned));
    let (text, review) = if let Some(file) = keys.entry("filename") {
        let name = file.value.text().unwrap_or_default();
        let Some(content) = surroundings.read(name) else {
            missing_file(editor, keys, path, name);
            return None;
        };
        let review = format!(
            "this is the content of {name}: a wasm filter cannot open files, so convert again or edit it when the file \
             changes"
        );
        (content, Some(review))
    } else if let Some(bytes) = keys.text_of("inline_bytes") {
        let bytes = STANDARD.decode(bytes).unwrap_or_default();
        (String::from_utf8_lossy(&bytes).into_owned(), None)
    } else {
        (keys.text_of("inline_string")?.to_owned(), None)
    };
    let set: Value = serde_json::from_str(&text).unwrap_or_default();
    let other_uses = other_uses(&set);
    let mut uses = vec!["sig".to_owned()];
    uses.extend(other_uses.iter().cloned());
    let usable = KeySet::parse_from(
        text.as_bytes(),
        Provenance::Configuration,
        &KeyUses::new(uses.clone()),
    );
    let mut added = Vec::new();
    let mut deleted = Vec::new();
    if let Err(problem) = usable {
        let review = format!(
            "{problem}. This key, whose private key nobody has, stands in its place, so every token of this provider is \
             refused: write the keys of the issuer here"
        );
        added.push(inline(NOBODYS_KEYS, &review));
    } else if let Some(review) = review {
        let compact = if set.is_null() {
            text.clone()
        } else {
            set.to_string()
        };
        added.push(inline(&compact, &review));
    }
    if !added.is_empty() {
        deleted.extend(SOURCES.iter().filter_map(|name| keys.position(name)));
    }
    if !other_uses.is_empty() {
        let uses = uses.iter().map(|name| NewValue::text(name)).collect();
        added.push(NewEntry::new("key_uses", NewValue::List(uses)).review(
            "as in jwt_authn, keys are used whatever their `use` is: keep only the values that your issuer gives keys for \
             signatures",
        ));
    }
    editor.change_map(keys, path, &deleted, added);
    let mut list = list(&set);
    let is_secret = |key: &Value| key.get("kty").is_some_and(|kty| kty == "oct");
    list.any(is_secret).then(algorithms)
}

/// Writes a key set that admits nobody in place of a file that cannot be read.
fn missing_file(editor: &mut Editor<'_>, keys: &Node, path: &str, name: &str) {
    let review = format!(
        "a wasm filter cannot open files, and {name} cannot be read here to copy its keys into the configuration. This \
         key, whose private key nobody has, stands in its place, so every token of this provider is refused: run convert \
         where the file is, or write its content here"
    );
    let sources = SOURCES.iter();
    let deleted: Vec<usize> = sources.filter_map(|name| keys.position(name)).collect();
    editor.change_map(keys, path, &deleted, vec![inline(NOBODYS_KEYS, &review)]);
}

fn list(set: &Value) -> impl Iterator<Item = &Value> {
    set.get("keys")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

/// The values of `use` besides `sig`.
fn other_uses(set: &Value) -> Vec<String> {
    let mut uses = Vec::new();
    for value in list(set).filter_map(|key| key.get("use")?.as_str()) {
        if !value.is_empty() && value != "sig" && !uses.iter().any(|other| other == value) {
            uses.push(value.to_owned());
        }
    }
    uses
}

fn inline(keys: &str, review: &str) -> NewEntry {
    NewEntry::new("inline_string", NewValue::text(keys)).review(review)
}

/// All algorithms, HMAC included.
fn algorithms() -> NewEntry {
    let names = Algorithm::ALL.iter();
    let names = names.map(|(name, _)| NewValue::text(name));
    NewEntry::new("algorithms", NewValue::List(names.collect())).review(
        "`oct` keys work only if HMAC is named here, because who can verify with them can also sign: keep only the algorithms \
         that your issuer uses",
    )
}
