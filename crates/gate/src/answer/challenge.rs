//! The challenges of a refusal: how to get in (RFC 9110, section 11.6.1; RFC 6750, section 3).

use crate::policy::{Policy, Requirement, WebUrl};
use crate::reason::Reason;
use crate::request::Request;

/// What challenges say besides the reason.
#[derive(Clone, Copy, Debug, Default)]
pub struct ChallengeParameters<'p> {
    /// The realm; any bytes.
    pub realm: &'p [u8],
    /// The scopes with which to ask for a token, separated by spaces; empty if none are needed.
    pub scope: &'p str,
    /// The URL of the metadata of the resource that the request is about (RFC 9728, section 5.1).
    pub resource_metadata: Option<&'p WebUrl>,
}

impl<'p> ChallengeParameters<'p> {
    /// The parameters for `request`, which `requirement` refuses; `None` if no requirement applied.
    #[must_use]
    pub fn new(
        policy: &'p Policy,
        request: &'p Request<'_>,
        requirement: Option<&'p Requirement>,
    ) -> Self {
        let realm = policy.options.realm.as_ref().map(String::as_bytes);
        Self {
            realm: realm.unwrap_or(&request.authority),
            scope: requirement.map_or("", |requirement| &requirement.challenge_scope),
            resource_metadata: policy
                .resources
                .for_request(request)
                .map(|one| &one.metadata_url),
        }
    }
}

/// The challenges for `reason`, each for one header; none if credentials would not help.
pub(super) fn challenges(reason: &Reason, parameters: &ChallengeParameters<'_>) -> Vec<String> {
    match reason.retry_after() {
        Some(_) => Vec::new(),
        None => vec![bearer(reason, parameters)],
    }
}

fn bearer(reason: &Reason, parameters: &ChallengeParameters<'_>) -> String {
    let kind = reason.kind();
    let realm = quotable(parameters.realm, MAX_REALM);
    let mut challenge = ["Bearer realm=\"", &realm, "\""].concat();
    let mut add = |name: &str, value: &str| {
        if !value.is_empty() {
            challenge.extend([", ", name, "=\"", value, "\""]);
        }
    };
    if let Some(error) = kind.challenge_error() {
        add("error", error);
        add("error_description", kind.description());
    }
    let scope = match reason {
        Reason::Scope { required } => required,
        _ if kind.status() == 401 => parameters.scope,
        _ => "",
    };
    add("scope", &quotable(scope.as_bytes(), usize::MAX));
    // A URL needs no quoting.
    let metadata = parameters.resource_metadata.map(WebUrl::as_str);
    add("resource_metadata", metadata.unwrap_or_default());
    challenge
}

/// The longest realm, in characters. It may come from the client.
const MAX_REALM: usize = 256;

/// The part of `text` that all parsers read alike in a quoted string (RFC 9110, section 5.6.4):
/// visible ASCII and spaces, `"` and `\` escaped, at most `limit` characters.
pub(super) fn quotable(text: &[u8], limit: usize) -> String {
    let visible = text.iter().filter(|byte| matches!(byte, b' '..=b'~'));
    let mut quotable = String::new();
    for byte in visible.take(limit) {
        if matches!(byte, b'"' | b'\\') {
            quotable.push('\\');
        }
        quotable.push(char::from(*byte));
    }
    quotable
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_realm_cannot_break_out_of_its_quotes() {
        for (realm, quoted) in [
            (&b"a\"b"[..], r#"a\"b"#),
            (b"a\\", r"a\\"),
            (b"a\r\nSet-Cookie: x", "aSet-Cookie: x"),
            (b"\xff\x00\x7f", ""),
        ] {
            assert_eq!(quotable(realm, MAX_REALM), quoted);
        }
        assert_eq!(quotable(&[b'a'; 10_000], MAX_REALM).len(), 256);
    }
}
