//! The challenges of a refusal: how to get in (RFC 9110, section 11.6.1; RFC 6750, section 3; RFC 9470,
//! section 3).

use crate::credential::Scheme;
use crate::policy::{DpopPolicy, Policy, Requirement, WebUrl};
use crate::reason::{Reason, ReasonKind};
use crate::request::Request;

/// What challenges contain besides the reason.
#[derive(Clone, Debug, Default)]
pub struct ChallengeParameters<'p> {
    /// The realm; any bytes.
    pub realm: &'p [u8],
    /// The scopes with which to ask for a token, separated by spaces; empty if none are needed.
    pub scope: &'p str,
    /// The URL of the metadata of the resource that the request is about (RFC 9728, section 5.1).
    pub resource_metadata: Option<&'p WebUrl>,
    /// Which proofs are accepted; `None` if DPoP is off.
    pub dpop: Option<&'p DpopPolicy>,
    /// The schemes that a request could use here.
    pub accepted: AcceptedSchemes,
    /// The scheme that the request used.
    pub used: Option<Scheme>,
    /// The nonce that the client should use from now on.
    pub nonce: Option<String>,
}

/// The authentication schemes that a request can use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AcceptedSchemes {
    /// Only `Bearer`.
    #[default]
    Bearer,
    /// Only `DPoP`.
    Dpop,
    /// Either of them.
    Both,
}

impl<'p> ChallengeParameters<'p> {
    /// The parameters for `request`, which `requirement` refuses; `None` if no requirement applied.
    #[must_use]
    pub fn new(
        policy: &'p Policy,
        request: &'p Request<'_>,
        requirement: Option<&'p Requirement>,
        nonce: Option<String>,
    ) -> Self {
        let realm = policy.options.realm.as_ref().map(String::as_bytes);
        let dpop = policy.options.dpop.as_ref();
        Self {
            realm: realm.unwrap_or(&request.authority),
            scope: requirement.map_or("", |requirement| &requirement.challenge_scope),
            resource_metadata: policy
                .resources
                .for_request(request)
                .map(|one| &one.metadata_url),
            dpop,
            accepted: AcceptedSchemes::new(policy, requirement),
            used: dpop.and_then(|_| Scheme::from_request(request)),
            nonce,
        }
    }
}

impl AcceptedSchemes {
    /// The schemes that `requirement` accepts; if no requirement applied, those of all providers.
    fn new(policy: &Policy, requirement: Option<&Requirement>) -> Self {
        let providers = requirement.map(|requirement| &requirement.providers);
        let providers = providers.unwrap_or(&policy.providers);
        let offers_dpop = policy.options.dpop.is_some();
        if !offers_dpop || !providers.iter().any(|one| one.offers_dpop()) {
            Self::Bearer
        } else if providers.iter().all(|one| one.needs_dpop()) {
            Self::Dpop
        } else {
            Self::Both
        }
    }

    const fn contains(self, scheme: Scheme) -> bool {
        match self {
            Self::Bearer => matches!(scheme, Scheme::Bearer),
            Self::Dpop => matches!(scheme, Scheme::Dpop),
            Self::Both => true,
        }
    }
}

/// A challenge of one scheme.
#[derive(Clone, Copy)]
struct Challenge {
    scheme: Scheme,
    /// Whether it says what was wrong.
    names_error: bool,
}

/// The challenges for `reason`, each for one header, and the nonce that goes with them; none if credentials
/// would not help.
///
/// `Bearer` comes first, and the second one never has an error that the first one has not: many clients read only
/// the first, or search all of them as one text. A nonce is asked for by a challenge of its own, because some
/// clients look for it only there.
pub(super) fn challenges(
    reason: &Reason,
    parameters: &ChallengeParameters<'_>,
) -> (Vec<String>, Option<String>) {
    let schemes = schemes(reason.kind(), parameters);
    let offers_dpop = schemes.iter().any(|one| one.scheme == Scheme::Dpop);
    let has_nonce = offers_dpop && reason.kind().status() == 401;
    let nonce = parameters.nonce.clone().filter(|_| has_nonce);
    let texts = schemes.into_iter();
    let texts = texts.map(|challenge| text(challenge, reason, parameters));
    (texts.collect(), nonce)
}

/// Which schemes are offered.
fn schemes(kind: ReasonKind, parameters: &ChallengeParameters<'_>) -> Vec<Challenge> {
    let offer = |scheme, names_error| Challenge {
        scheme,
        names_error,
    };
    let accepted = |names_error| {
        let mut both = vec![
            offer(Scheme::Bearer, names_error),
            offer(Scheme::Dpop, names_error),
        ];
        both.retain(|one| parameters.accepted.contains(one.scheme));
        both
    };
    if kind.is_unavailable() {
        return Vec::new();
    }
    let needs_dpop = matches!(kind, ReasonKind::Downgrade | ReasonKind::ProofNonce);
    let used_dpop = needs_dpop || parameters.used == Some(Scheme::Dpop);
    match kind.status() {
        401 if kind.challenge_error().is_none() => accepted(false),
        400 => accepted(true),
        _ if used_dpop && parameters.dpop.is_some() => vec![offer(Scheme::Dpop, true)],
        401 if parameters.accepted.contains(Scheme::Dpop) => {
            vec![offer(Scheme::Bearer, true), offer(Scheme::Dpop, false)]
        }
        _ => vec![offer(Scheme::Bearer, true)],
    }
}

fn text(challenge: Challenge, reason: &Reason, parameters: &ChallengeParameters<'_>) -> String {
    let kind = reason.kind();
    let realm = quotable(parameters.realm, MAX_REALM);
    let scheme = match challenge.scheme {
        Scheme::Bearer => "Bearer",
        Scheme::Dpop => "DPoP",
    };
    let mut text = [scheme, " realm=\"", &realm, "\""].concat();
    let mut add = |name: &str, value: &str| {
        if !value.is_empty() {
            text.extend([", ", name, "=\"", value, "\""]);
        }
    };
    if let (Some(error), true) = (kind.challenge_error(), challenge.names_error) {
        add("error", error);
        add("error_description", kind.description());
    }
    let scope = match reason {
        Reason::Scope { required } => required,
        Reason::ProofNonce => "",
        _ if kind.status() == 401 => parameters.scope,
        _ => "",
    };
    add("scope", &quotable(scope.as_bytes(), usize::MAX));
    if let (
        Reason::UserAuthentication {
            acr_values,
            max_age,
        },
        true,
    ) = (reason, challenge.names_error)
    {
        // The configuration has none that would need quoting.
        add("acr_values", &acr_values.join(" "));
        let max_age = max_age.map(|age| age.as_secs().to_string());
        add("max_age", &max_age.unwrap_or_default());
    }
    if let (Scheme::Dpop, Some(dpop)) = (challenge.scheme, parameters.dpop) {
        add("algs", &dpop.algorithm_names());
    }
    // A URL needs no quoting.
    let metadata = parameters.resource_metadata.map(WebUrl::as_str);
    add("resource_metadata", metadata.unwrap_or_default());
    text
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
