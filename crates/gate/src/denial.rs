//! Why a request is refused, and what its client is told: the one closed list of reasons, and the
//! one place where a reason becomes a status, a challenge, a body and a metric.
//!
//! The error codes are those of RFC 6750, section 3.1. No answer repeats any part of a token.

use std::borrow::Cow;
use std::time::Duration;

/// Why a request is refused.
///
/// The order is that of the steps of the decision: of two reasons the greater one was found later,
/// so a token that several providers refuse is answered with what the one said that it suited best.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// The route names a requirement that the configuration does not have.
    Requirement,
    /// The request carries no bearer token.
    Missing,
    /// The request's credential is not `Bearer 1*SP b64token` (RFC 6750, section 2.1).
    MalformedCredential,
    /// The request carries more than one credential.
    SeveralTokens,
    /// The token is longer than the limit.
    TooLarge,
    /// The token is not a JWS in the compact serialization with a JSON payload (RFC 7515, RFC 7519).
    MalformedToken,
    /// The token's `alg` is unknown or not allowed.
    Algorithm,
    /// The token's `typ` is not that of an access token.
    Type,
    /// The token's header demands an extension (`crit`, `b64`, `zip`).
    Critical,
    /// A registered claim has a value of the wrong JSON type (RFC 7519, section 4.1).
    ClaimType,
    /// The token comes from another issuer.
    Issuer,
    /// The token is meant for another audience.
    Audience,
    /// The token is about a subject that its issuer may not speak of.
    Subject,
    /// The token has no `exp`.
    NoExpiration,
    /// The token's `exp` has come.
    Expired,
    /// The token's `nbf` has not come yet.
    NotYetValid,
    /// The token's `iat` has not come yet.
    IssuedInFuture,
    /// The token is valid for too long, or does not say for how long.
    Lifetime,
    /// No key of the issuer fits the token.
    UnknownKey,
    /// The signature is not that of the key.
    Signature,
    /// The token has been revoked.
    Revoked,
    /// The authorization server says that the token is not active.
    Inactive,
    /// The token is bound to its sender (`cnf`) in a way that is not supported.
    SenderConstraint,
    /// The token lacks a scope that the requirement asks for.
    Scope,
    /// A claim of the token is not as the requirement asks for.
    Claims,
    /// The issuer's keys cannot be had.
    KeysUnavailable,
    /// The list of revoked tokens cannot be had.
    RevocationUnavailable,
    /// The authorization server cannot be asked about the token.
    IntrospectionUnavailable,
}

impl Reason {
    /// Every reason, in the order of the enum.
    pub const ALL: [Self; 28] = [
        Self::Requirement,
        Self::Missing,
        Self::MalformedCredential,
        Self::SeveralTokens,
        Self::TooLarge,
        Self::MalformedToken,
        Self::Algorithm,
        Self::Type,
        Self::Critical,
        Self::ClaimType,
        Self::Issuer,
        Self::Audience,
        Self::Subject,
        Self::NoExpiration,
        Self::Expired,
        Self::NotYetValid,
        Self::IssuedInFuture,
        Self::Lifetime,
        Self::UnknownKey,
        Self::Signature,
        Self::Revoked,
        Self::Inactive,
        Self::SenderConstraint,
        Self::Scope,
        Self::Claims,
        Self::KeysUnavailable,
        Self::RevocationUnavailable,
        Self::IntrospectionUnavailable,
    ];

    /// The reason's name in metrics, `bearer_gate.denied.<name>`. A malformed credential and a
    /// malformed token share one.
    #[must_use]
    pub const fn metric(self) -> &'static str {
        match self {
            Self::Requirement => "requirement",
            Self::Missing => "missing",
            Self::MalformedCredential | Self::MalformedToken => "malformed",
            Self::SeveralTokens => "several_tokens",
            Self::TooLarge => "too_large",
            Self::Algorithm => "algorithm",
            Self::Type => "type",
            Self::Critical => "critical",
            Self::ClaimType => "claim_type",
            Self::Issuer => "issuer",
            Self::Audience => "audience",
            Self::Subject => "subject",
            Self::NoExpiration => "no_expiration",
            Self::Expired => "expired",
            Self::NotYetValid => "not_yet_valid",
            Self::IssuedInFuture => "issued_in_future",
            Self::Lifetime => "lifetime",
            Self::UnknownKey => "unknown_key",
            Self::Signature => "signature",
            Self::Revoked => "revoked",
            Self::Inactive => "inactive",
            Self::SenderConstraint => "sender_constraint",
            Self::Scope => "scope",
            Self::Claims => "claims",
            Self::KeysUnavailable => "keys_unavailable",
            Self::RevocationUnavailable => "revocation_unavailable",
            Self::IntrospectionUnavailable => "introspection_unavailable",
        }
    }

    /// The class of answers that the reason belongs to.
    const fn class(self) -> Class {
        match self {
            Self::Missing => Class::NoToken,
            Self::MalformedCredential | Self::SeveralTokens => Class::InvalidRequest,
            Self::Scope => Class::InsufficientScope,
            Self::Claims | Self::Requirement => Class::AccessDenied,
            Self::KeysUnavailable
            | Self::RevocationUnavailable
            | Self::IntrospectionUnavailable => Class::Unavailable,
            _ => Class::InvalidToken,
        }
    }

    /// What the client is told, in words that need no quoting in a header.
    const fn description(self) -> &'static str {
        match self {
            Self::Requirement => "The route asks for something that is not configured",
            Self::Missing => "The request carries no access token",
            Self::MalformedCredential => "The credential is not a well-formed bearer token",
            Self::SeveralTokens => "The request carries more than one credential",
            Self::TooLarge => "The access token is too large",
            Self::MalformedToken => "The access token is malformed",
            Self::Algorithm => "The access token is signed with an algorithm that is not accepted",
            Self::Type => "The token is not an access token",
            Self::Critical => "The access token demands an extension that is not supported",
            Self::ClaimType => "A claim of the access token has a value of the wrong type",
            Self::Issuer => "The access token comes from another issuer",
            Self::Audience => "The access token is meant for another audience",
            Self::Subject => "The access token is about a subject that is not accepted",
            Self::NoExpiration => "The access token has no expiration time",
            Self::Expired => "The access token expired",
            Self::NotYetValid => "The access token is not valid yet",
            Self::IssuedInFuture => "The access token was issued in the future",
            Self::Lifetime => "The access token is valid for longer than is accepted",
            Self::UnknownKey => "The access token is signed with an unknown key",
            Self::Signature => "The signature of the access token is not valid",
            Self::Revoked => "The access token has been revoked",
            Self::Inactive => "The access token is not active",
            Self::SenderConstraint => "The access token is bound to a sender that was not proven",
            Self::Scope => "The access token lacks a scope that is needed here",
            Self::Claims => "The access token does not give access to this resource",
            Self::KeysUnavailable => "The keys of the issuer cannot be had at the moment",
            Self::RevocationUnavailable => {
                "It cannot be told at the moment which access tokens are revoked"
            }
            Self::IntrospectionUnavailable => {
                "It cannot be told at the moment whether the access token is active"
            }
        }
    }
}

/// A class of answers: all that share status and error code.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    NoToken,
    InvalidRequest,
    InvalidToken,
    InsufficientScope,
    AccessDenied,
    Unavailable,
}

impl Class {
    /// The HTTP status. Envoy maps it to a gRPC status where the request is gRPC.
    const fn status(self) -> u16 {
        match self {
            Self::NoToken | Self::InvalidToken => 401,
            Self::InvalidRequest => 400,
            Self::InsufficientScope | Self::AccessDenied => 403,
            Self::Unavailable => 503,
        }
    }

    /// The error code of the body.
    const fn error(self) -> &'static str {
        match self {
            Self::NoToken => "missing_token",
            Self::InvalidRequest => "invalid_request",
            Self::InvalidToken => "invalid_token",
            Self::InsufficientScope => "insufficient_scope",
            Self::AccessDenied => "access_denied",
            Self::Unavailable => "temporarily_unavailable",
        }
    }
}

/// A refusal.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Denial {
    /// Why.
    pub reason: Reason,
    /// After how long it is worth trying again, where that is known.
    pub retry_after: Option<Duration>,
    /// The scopes that would do, with spaces between, where a scope is lacking.
    pub scope: Option<String>,
}

impl From<Reason> for Denial {
    fn from(reason: Reason) -> Self {
        Self {
            reason,
            retry_after: None,
            scope: None,
        }
    }
}

/// An HTTP answer to be sent in place of the upstream's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The headers, names in lower case, values in visible ASCII.
    pub headers: Vec<(&'static str, Cow<'static, str>)>,
    /// The body; for a gRPC request the status message.
    pub body: Cow<'static, str>,
}

impl Denial {
    /// What the client gets. `realm` is any text, `grpc` whether the request is gRPC: the host then
    /// turns the status into a gRPC status and the body into the status message.
    #[must_use]
    pub fn answer(&self, realm: &[u8], grpc: bool) -> Answer {
        let class = self.reason.class();
        let description = self.reason.description();
        let mut headers = Vec::with_capacity(3);
        headers.push(("cache-control", "no-store".into()));
        if class == Class::Unavailable {
            let wait = self.retry_after.unwrap_or_default();
            // Rounded up: whoever comes back on time must find the keys tried again.
            let secs = wait
                .as_secs()
                .saturating_add(u64::from(wait.subsec_nanos() > 0));
            headers.push(("retry-after", secs.max(1).to_string().into()));
        } else {
            let scope = self.scope.as_deref();
            let challenge = challenge(realm, class, description, scope);
            headers.push(("www-authenticate", challenge.into()));
        }
        let body = if grpc {
            description.into()
        } else {
            headers.push(("content-type", "application/json".into()));
            // Neither text has anything that JSON would have to escape.
            let parts = [
                r#"{"error":""#,
                class.error(),
                r#"","error_description":""#,
                description,
                r#""}"#,
            ];
            parts.concat().into()
        };
        Answer {
            status: class.status(),
            headers,
            body,
        }
    }
}

impl Answer {
    /// The answer without what tells of the reason: body and challenge.
    #[must_use]
    pub fn stripped(mut self) -> Self {
        let tells = |name: &str| matches!(name, "content-type" | "www-authenticate");
        self.headers.retain(|(name, _)| !tells(name));
        self.body = "".into();
        self
    }
}

/// The challenge of RFC 6750, section 3. A request without a token gets no error code, and neither
/// does one whose token no other error code of section 3.1 fits.
fn challenge(realm: &[u8], class: Class, description: &str, scope: Option<&str>) -> String {
    let mut challenge = String::with_capacity(160);
    challenge.push_str("Bearer realm=\"");
    push_quotable(&mut challenge, realm);
    challenge.push('"');
    if !matches!(class, Class::NoToken | Class::AccessDenied) {
        challenge.push_str(", error=\"");
        challenge.push_str(class.error());
        challenge.push_str("\", error_description=\"");
        challenge.push_str(description);
        challenge.push('"');
    }
    if let Some(scope) = scope {
        challenge.push_str(", scope=\"");
        push_quotable(&mut challenge, scope.as_bytes());
        challenge.push('"');
    }
    challenge
}

/// Appends the part of `text` that may stand in a quoted string (RFC 9110, section 5.6.4) and be read alike
/// by everyone: visible ASCII and spaces, `"` and `\` escaped, at most 256 characters.
fn push_quotable(challenge: &mut String, text: &[u8]) {
    for byte in text
        .iter()
        .filter(|byte| matches!(byte, b' '..=b'~'))
        .take(256)
    {
        if matches!(byte, b'"' | b'\\') {
            challenge.push('\\');
        }
        challenge.push(char::from(*byte));
    }
}

#[cfg(test)]
mod tests;
