//! Providers of `jwt_authn`.

use super::editor::{Editor, NewEntry};
use super::local_keys;
use super::location;
use super::new_value::NewValue;
use super::regex;
use super::remote_keys;
use super::requirement::AUDIENCES;
use super::surroundings::Surroundings;
use crate::source_tree::{Entry, Node};

/// The largest possible `jwt_max_token_size`.
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
    /// The headers that providers read tokens from.
    pub(super) token_headers: Vec<String>,
}

impl ProviderFacts {
    /// What is known of `providers` before the first one is converted.
    pub(super) fn new(providers: &[Entry]) -> Self {
        let mut token_headers = Vec::new();
        for provider in providers {
            let lists = ["from_headers", "from_params", "from_cookies"];
            let mut lists = lists.iter().filter_map(|name| provider.value.get(name));
            if lists.all(Node::is_empty) {
                token_headers.push("authorization".to_owned());
            }
            let headers = provider.value.get("from_headers").map(Node::items);
            let names = headers.unwrap_or_default().iter();
            let names = names.filter_map(|header| header.text_of("name"));
            token_headers.extend(names.map(str::to_owned));
        }
        Self {
            token_headers,
            ..Self::default()
        }
    }
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
    location::convert(editor, node, path, &mut deleted, &mut added);
    if node.text_of("issuer") == Some("") {
        // Tokens of every issuer, in both.
        deleted.extend(node.position("issuer"));
    }
    if let Some(subjects) = node.get("subjects") {
        regex::convert(editor, subjects, &format!("{path}.subjects"));
    }
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
    payload_header(editor, node, path, facts, &mut deleted);
    if let Some(keys) = node.get("remote_jwks") {
        facts.has_remote_keys = true;
        remote_keys::convert(editor, keys, &format!("{path}.remote_jwks"));
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

/// Whether the gate refuses to set this header.
fn is_reserved(name: &str, facts: &ProviderFacts) -> bool {
    let is_name = |other: &str| name.eq_ignore_ascii_case(other);
    RESERVED_HEADERS.iter().any(|other| is_name(other))
        || facts.token_headers.iter().any(|other| is_name(other))
}

/// The header of the payload.
fn payload_header(
    editor: &mut Editor<'_>,
    node: &Node,
    path: &str,
    facts: &ProviderFacts,
    deleted: &mut Vec<usize>,
) {
    if let Some(header) = node.entry("forward_payload_header")
        && let Some(name) = header.value.text()
        && is_reserved(name, facts)
    {
        let text = format!("{}: no payload is forwarded", not_set(name));
        editor.review(node.range.start, &field(path, header), &text);
        deleted.extend(node.position("forward_payload_header"));
    }
}

/// Why the gate sets no such header.
fn not_set(names: &str) -> String {
    format!(
        "the gate sets no header {names}, which is for more than one party or holds tokens. If the upstream trusts it, \
         choose another one here and there, and remove what clients send. jwt_authn accepts no token from a header that \
         it sets; the gate does"
    )
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
    let (mut kept, mut reserved) = (Vec::new(), Vec::new());
    for item in headers.value.items() {
        let name = item.text_of("header_name").unwrap_or_default();
        if is_reserved(name, facts) {
            reserved.push(name);
        } else {
            kept.push(NewValue::from_json(&item.to_json()));
        }
    }
    // Not at the member itself if its lines are deleted.
    let at = if kept.is_empty() {
        node.range.start
    } else {
        headers.key_range.start
    };
    editor.review(
        at,
        path,
        "numbers are written as `5` and `1.5`, not 5.000000; JSON is not escaped beyond need; claims with control \
         characters or surrounding white space become no header",
    );
    if reserved.is_empty() {
        return;
    }
    let text = format!(
        "{}: the claim is left out",
        not_set(&reserved.join(" and "))
    );
    editor.review(at, path, &text);
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
    let Some(size) = cache.value.get("jwt_max_token_size") else {
        return;
    };
    let bytes: Option<u64> = size.text().and_then(|size| size.parse().ok());
    let path = format!("{path}.jwt_max_token_size");
    if bytes == Some(0) {
        let review = "0 means the default of 4096 in jwt_authn; here it would be refused";
        editor.review(size.range.start, &path, review);
        editor.replace(size, &path, &NewValue::literal("4096"));
    } else if bytes > Some(LONGEST_TOKEN) {
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
            let readers = if surroundings.passes_metadata_on() {
                "A filter in this file passes all metadata of jwt_authn on to a server; make sure that the server does \
                 not need it"
            } else {
                "Nothing in this file reads it; make sure that nothing else does"
            };
            let text =
                format!("`{name}: {key}` is left out: the gate does not write it. {readers}");
            // Not at the member itself, whose lines are deleted.
            editor.review(node.range.start, &path, &text);
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
