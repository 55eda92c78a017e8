//! What providers of Istio and of Envoy Gateway have in common.

use std::time::Duration;

use super::inline_keys::InlineKeys;
use super::notes::{Members, Notes};
use crate::convert::local_keys;
use crate::convert::new_value::NewValue;
use crate::convert::provider::RESERVED_HEADERS;
use crate::convert::requirement::AUDIENCES;
use crate::source_tree::Node;

/// Where tokens are: the names of headers with what comes before the token, of query parameters and of cookies.
#[derive(Clone, Debug, Default)]
pub(super) struct Locations<'n> {
    pub(super) headers: Vec<(&'n str, &'n str)>,
    pub(super) parameters: Vec<&'n str>,
    pub(super) cookies: Vec<&'n str>,
}

impl Locations<'_> {
    /// Writes the fields of the gate.
    pub(super) fn write(&self, members: &mut Members, notes: &mut Notes, path: &str) {
        let header = |name: &str, prefix: &str| {
            let mut header = vec![("name".to_owned(), NewValue::text(name))];
            if !prefix.is_empty() {
                header.push(("value_prefix".to_owned(), NewValue::text(prefix)));
            }
            NewValue::Map(header)
        };
        let list = |names: &[&str]| {
            let names = names.iter().map(|name| NewValue::text(name));
            NewValue::List(names.collect())
        };
        if self.headers.is_empty() && self.parameters.is_empty() && self.cookies.is_empty() {
            let header = header("Authorization", "Bearer ");
            members.push(("from_headers".to_owned(), NewValue::List(vec![header])));
            notes.review(
                members,
                path,
                "as before, the query parameter access_token is read, too: tokens in URLs end up in logs, so delete both \
                 fields if no client uses it",
            );
            members.push(("from_params".to_owned(), list(&["access_token"])));
            return;
        }
        if !self.headers.is_empty() {
            let is_other =
                |(_, prefix): &&(&str, &str)| !prefix.is_empty() && prefix.trim_end() != "Bearer";
            if self.headers.iter().any(|header| is_other(&header)) {
                let text = "the value must begin with `value_prefix`; jwt_authn finds it anywhere in the value";
                notes.review(members, path, text);
            }
            let headers = self.headers.iter();
            let headers = headers.map(|(name, prefix)| header(name, prefix)).collect();
            members.push(("from_headers".to_owned(), NewValue::List(headers)));
        }
        if !self.parameters.is_empty() {
            members.push(("from_params".to_owned(), list(&self.parameters)));
        }
        if !self.cookies.is_empty() {
            members.push(("from_cookies".to_owned(), list(&self.cookies)));
        }
    }
}

/// Writes the audiences, and that tokens without `exp` pass as before.
pub(super) fn write_checks(
    members: &mut Members,
    notes: &mut Notes,
    path: &str,
    issuer: Option<&str>,
    audiences: &[&str],
) {
    if let Some(issuer) = issuer {
        members.push(("issuer".to_owned(), NewValue::text(issuer)));
    }
    if !audiences.is_empty() {
        notes.review(members, path, AUDIENCES);
        let audiences = audiences.iter().map(|audience| NewValue::text(audience));
        members.push(("audiences".to_owned(), NewValue::List(audiences.collect())));
    }
    notes.review(
        members,
        path,
        "as before, tokens without `exp` pass, and never expire: delete the line if your issuer always sets `exp`",
    );
    members.push(("require_expiration".to_owned(), NewValue::literal("false")));
}

/// Writes a key set that is in the policy.
pub(super) fn write_local_keys(members: &mut Members, notes: &mut Notes, path: &str, text: &str) {
    let InlineKeys {
        keys,
        problem,
        key_uses,
        algorithms,
    } = InlineKeys::from_text(text);
    let mut inner = Members::new();
    if let Some(problem) = problem {
        notes.review(&mut inner, path, &problem);
    }
    inner.push(("inline_string".to_owned(), NewValue::Text(keys)));
    if let Some(uses) = key_uses {
        notes.review(&mut inner, path, local_keys::OTHER_USES);
        inner.push(("key_uses".to_owned(), uses));
    }
    members.push(("local_jwks".to_owned(), NewValue::Map(inner)));
    if let Some(algorithms) = algorithms {
        notes.review(members, path, local_keys::SHARED_SECRETS);
        members.push(("algorithms".to_owned(), algorithms));
    }
}

/// Writes claims that become headers: pairs of a header and a claim.
pub(super) fn write_claim_headers(
    members: &mut Members,
    notes: &mut Notes,
    path: &str,
    headers: &[(&str, &str)],
    position: usize,
) {
    let is_reserved = |name: &str| RESERVED_HEADERS.contains(&name.to_ascii_lowercase().as_str());
    let (reserved, kept): (Vec<_>, Vec<_>) =
        headers.iter().partition(|(header, _)| is_reserved(header));
    for (header, _) in reserved {
        let text = format!(
            "the gate sets no header {header}, which is for more than one party: the claim is left out"
        );
        notes.unconverted(members, position, path, &text);
    }
    if kept.is_empty() {
        return;
    }
    notes.review(
        members,
        path,
        "numbers are written as `5` and `1.5`, not 5.000000; claims with control characters or surrounding white space \
         become no header",
    );
    let kept = kept.into_iter().map(|(header, claim)| {
        NewValue::map([
            ("header_name", NewValue::text(header)),
            ("claim_name", NewValue::text(claim)),
        ])
    });
    members.push((
        "claim_to_headers".to_owned(),
        NewValue::List(kept.collect()),
    ));
}

/// A duration as Kubernetes writes it (`1m30s`), as the gate reads it.
pub(super) fn seconds(node: Option<&Node>) -> Option<String> {
    let duration: Duration = humantime::parse_duration(node?.text()?).ok()?;
    let seconds = format!("{}.{:09}", duration.as_secs(), duration.subsec_nanos());
    let seconds = seconds.trim_end_matches('0').trim_end_matches('.');
    (!duration.is_zero()).then(|| format!("{seconds}s"))
}
