//! Providers of `jwt_authn`.

use super::editor::{Editor, NewEntry};
use super::local_keys;
use super::new_value::NewValue;
use super::requirement::AUDIENCES;
use super::surroundings::Surroundings;
use crate::source_tree::{Entry, Node};

/// The longest token that the gate can be told to examine.
const LONGEST_TOKEN: u64 = 65_536;

/// Headers that the gate does not set.
pub(crate) const RESERVED_HEADERS: [&str; 8] = [
    "connection",
    "content-length",
    "content-type",
    "cookie",
    "host",
    "te",
    "transfer-encoding",
    "upgrade",
];

/// A payload that `jwt_authn` writes into dynamic metadata.
#[derive(Clone, Debug)]
pub(super) struct Payload {
    /// The header that carries it from the gate to `header_to_metadata`.
    pub(super) header: String,
    /// The key in the namespace `envoy.filters.http.jwt_authn`.
    pub(super) key: String,
}

/// What the conversion has learned about providers.
#[derive(Debug, Default)]
pub(super) struct ProviderFacts {
    pub(super) payloads: Vec<Payload>,
    /// Environment variables that the filter reads.
    pub(super) variables: Vec<String>,
    pub(super) has_remote_keys: bool,
    pub(super) forwards_claims: bool,
}

/// Converts the provider `entry`, which is at `path`.
pub(super) fn convert(
    editor: &mut Editor<'_>,
    entry: &Entry,
    path: &str,
    surroundings: &Surroundings<'_>,
    facts: &mut ProviderFacts,
) {
    let node = &entry.value;
    let mut deleted = Vec::new();
    let mut added = Vec::new();
    locations(editor, node, path, &mut deleted, &mut added);
    if let Some(audiences) = node
        .entry("audiences")
        .filter(|entry| !entry.value.is_empty())
    {
        editor.review(
            audiences.key_range.start,
            &field(path, audiences),
            AUDIENCES,
        );
    }
    if node.get("require_expiration").is_none() {
        deleted.extend(node.position("require_expiration"));
        added.push(
            NewEntry::new("require_expiration", NewValue::literal("false")).review(
                "as in jwt_authn, tokens without `exp` pass, and never expire: delete the line if your issuer \
                 always sets `exp`",
            ),
        );
    }
    times(editor, node, path);
    cache(editor, node, path);
    claims(editor, node, path, facts, &mut deleted);
    if node.get("remote_jwks").is_some() {
        facts.has_remote_keys = true;
    }
    if let Some(keys) = node.get("local_jwks") {
        let (keys_path, variables) = (format!("{path}.local_jwks"), &mut facts.variables);
        let algorithms = local_keys::convert(editor, keys, &keys_path, surroundings, variables);
        added.extend(algorithms.filter(|_| node.get("algorithms").is_none()));
    }
    metadata(
        editor,
        node,
        path,
        surroundings,
        facts,
        &mut deleted,
        &mut added,
    );
    editor.change_map(node, path, &deleted, added);
}

fn field(path: &str, entry: &Entry) -> String {
    format!("{path}.{}", entry.key)
}

/// Where tokens are.
fn locations(
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
    for entry in given {
        let path = &field(path, entry);
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

/// Claims that become headers.
fn claims(
    editor: &mut Editor<'_>,
    node: &Node,
    path: &str,
    facts: &mut ProviderFacts,
    deleted: &mut Vec<usize>,
) {
    let Some(headers) = node
        .entry("claim_to_headers")
        .filter(|entry| !entry.value.is_empty())
    else {
        return;
    };
    facts.forwards_claims = true;
    let path = &field(path, headers);
    editor.review(
        headers.key_range.start,
        path,
        "numbers are written as `5` and `1.5`, not 5.000000; JSON is not escaped beyond need; claims with control \
         characters or surrounding white space become no header",
    );
    let (mut kept, mut reserved) = (Vec::new(), Vec::new());
    for item in headers.value.items() {
        let name = item.text_of("header_name").unwrap_or_default();
        if RESERVED_HEADERS.contains(&name.to_ascii_lowercase().as_str()) {
            reserved.push(name);
        } else {
            kept.push(NewValue::from_json(&item.to_json()));
        }
    }
    if reserved.is_empty() {
        return;
    }
    let text = format!(
        "the gate sets no header {}, which is for more than one party: the claim is left out. If the upstream trusts \
         this header, choose another one here and there, and remove what clients send",
        reserved.join(" and ")
    );
    editor.review(headers.key_range.start, path, &text);
    if kept.is_empty() {
        deleted.extend(node.position("claim_to_headers"));
    } else {
        editor.replace(&headers.value, path, &NewValue::List(kept));
    }
}

/// The clock skew and the longest lifetime.
fn times(editor: &mut Editor<'_>, node: &Node, path: &str) {
    if let Some(skew) = node.entry("clock_skew_seconds")
        && skew.value.text() == Some("0")
    {
        let text = "0 means the default of 60 in jwt_authn; here it would mean 0";
        editor.review(skew.key_range.start, &field(path, skew), text);
        editor.replace(&skew.value, path, &NewValue::literal("60"));
    }
    if let Some(lifetime) = node
        .entry("max_lifetime")
        .filter(|entry| !entry.value.is_null())
    {
        let text = "is the time from `iat` to `exp`, and `iat` must be there; in jwt_authn it is the time from now \
                    to `exp`";
        editor.review(lifetime.key_range.start, &field(path, lifetime), text);
    }
}

/// The cache of verified tokens.
fn cache(editor: &mut Editor<'_>, node: &Node, path: &str) {
    let Some(cache) = node.entry("jwt_cache_config") else {
        return;
    };
    let path = &field(path, cache);
    editor.review(
        cache.key_range.start,
        path,
        "verified tokens are forgotten when their key is withdrawn; in jwt_authn they are not",
    );
    if let Some(size) = cache.value.get("jwt_max_token_size")
        && size.text().and_then(|size| size.parse().ok()) > Some(LONGEST_TOKEN)
    {
        let path = format!("{path}.jwt_max_token_size");
        editor.review(size.range.start, &path, "at most 65536 bytes are possible");
        editor.replace(size, &path, &NewValue::literal("65536"));
    }
}

/// What `jwt_authn` writes into dynamic metadata.
fn metadata(
    editor: &mut Editor<'_>,
    node: &Node,
    path: &str,
    surroundings: &Surroundings<'_>,
    facts: &mut ProviderFacts,
    deleted: &mut Vec<usize>,
    added: &mut Vec<NewEntry>,
) {
    for name in ["header_in_metadata", "failed_status_in_metadata"] {
        let Some(index) = node.position(name) else {
            continue;
        };
        let Some(entry) = node.entry(name) else {
            continue;
        };
        let path = field(path, entry);
        let key = entry.value.text().unwrap_or_default();
        if key.is_empty() {
            deleted.push(index);
        } else if surroundings.reads_metadata(key) {
            let instead = if name == "header_in_metadata" {
                "the gate cannot write the header of a token into metadata, and something in this file reads it"
            } else {
                "the gate cannot write the status of a refusal into metadata, and something in this file reads it: \
                 use the counters bearer_gate.denied.*"
            };
            editor.refuse(entry.key_range.start, &path, instead);
        } else {
            let text = format!(
                "`{name}: {key}` is left out: the gate does not write it. Nothing in this file reads it; make sure \
                 that nothing else does"
            );
            editor.review(entry.key_range.start, &path, &text);
            deleted.push(index);
        }
    }
    let key = node.text_of("payload_in_metadata").unwrap_or_default();
    if key.is_empty() {
        for name in ["payload_in_metadata", "normalize_payload_in_metadata"] {
            deleted.extend(node.position(name));
        }
        return;
    }
    let header = match facts.payloads.len() {
        0 => "x-bearer-gate-payload".to_owned(),
        number => format!("x-bearer-gate-payload-{}", number.saturating_add(1)),
    };
    added.push(NewEntry::new("payload_metadata_header", NewValue::text(&header)).review(
        "the gate puts the payload into this header, and the filter header_to_metadata behind it moves it into the \
         metadata where jwt_authn wrote it. It may have 8 KiB there: a token with more is refused with 401",
    ));
    facts.payloads.push(Payload {
        header,
        key: key.to_owned(),
    });
}
