//! What `jwt_authn` says about a request.

/// The result of a verification, with the text that clients get.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NativeStatus {
    Ok,
    Missing,
    UnknownIssuer,
    AudienceNotAllowed,
    Expired,
    NotYetValid,
    Malformed,
    NoKey,
    BadSignature,
    SubjectOrLifetime,
    UnknownRequirement,
}

impl NativeStatus {
    /// The status of the answer; 200 if the request passes.
    pub(crate) const fn code(self) -> u16 {
        match self {
            Self::Ok => 200,
            Self::AudienceNotAllowed | Self::UnknownRequirement => 403,
            Self::Missing
            | Self::UnknownIssuer
            | Self::Expired
            | Self::NotYetValid
            | Self::Malformed
            | Self::NoKey
            | Self::BadSignature
            | Self::SubjectOrLifetime => 401,
        }
    }

    /// Whether a refusal has a challenge.
    pub(crate) const fn has_challenge(self) -> bool {
        !matches!(self, Self::Ok | Self::UnknownRequirement)
    }

    /// Why the request is refused.
    pub(crate) const fn text(self) -> &'static str {
        match self {
            Self::Ok => "passes",
            Self::Missing => "no token",
            Self::UnknownIssuer => "unknown issuer",
            Self::AudienceNotAllowed => "audience",
            Self::Expired => "expired",
            Self::NotYetValid => "not yet valid",
            Self::Malformed => "malformed",
            Self::NoKey => "no key for the token",
            Self::BadSignature => "signature",
            Self::SubjectOrLifetime => "subject or lifetime",
            Self::UnknownRequirement => "unknown requirement",
        }
    }
}
