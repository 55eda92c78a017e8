//! Why a request is refused.

/// Why a request is refused. The order is that of the steps of a decision: of several refusals the greatest is that
/// of the alternative that got furthest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Reason {
    Header,
    Requirement,
    Missing,
    NoRule,
    TooLong,
    MalformedCredential,
    SeveralTokens,
    TooLarge,
    MalformedToken,
    Algorithm,
    Type,
    Critical,
    ClaimType,
    Issuer,
    Audience,
    Subject,
    ClaimMissing,
    NoExpiration,
    Expired,
    NotYetValid,
    IssuedInFuture,
    Lifetime,
    UnknownKey,
    Signature,
    Revoked,
    Inactive,
    Contradiction,
    SenderConstraint,
    Unbound,
    Downgrade,
    CertificateMissing,
    CertificateMismatch,
    CertificateAmbiguous,
    ProofMissing,
    SeveralProofs,
    ProofMalformed,
    ProofAlgorithm,
    ProofKey,
    ProofMethod,
    ProofUri,
    ProofToken,
    ProofBinding,
    ProofNonce,
    ProofTime,
    ProofSignature,
    ProofReplay,
    UserAuthentication,
    Scope,
    Claims,
    KeysUnavailable,
    RevocationUnavailable,
    IntrospectionUnavailable,
    ReplayUnavailable,
}

impl Reason {
    /// Whether the filter may wait for a newer document before it refuses a request.
    pub(crate) const fn may_wait(self) -> bool {
        matches!(
            self,
            Self::UnknownKey
                | Self::KeysUnavailable
                | Self::RevocationUnavailable
                | Self::IntrospectionUnavailable
        )
    }

    /// The name, the status, and the error codes of challenge and body: the table of `docs/answers.md`.
    pub(crate) fn row(self) -> (&'static str, u16, Option<&'static str>, &'static str) {
        let no_token = |name| (name, 401, None, "missing_token");
        let request = |name| (name, 400, Some("invalid_request"), "invalid_request");
        let token = |name| (name, 401, Some("invalid_token"), "invalid_token");
        let proof = |name| (name, 401, Some("invalid_dpop_proof"), "invalid_dpop_proof");
        let access = |name| (name, 403, None, "access_denied");
        let unavailable = |name| (name, 503, None, "temporarily_unavailable");
        match self {
            Self::Missing => no_token("missing"),
            Self::NoRule => no_token("no_rule"),
            Self::Header => request("header"),
            Self::TooLong => request("too_long"),
            Self::MalformedCredential => request("malformed"),
            Self::SeveralTokens => request("several_tokens"),
            Self::TooLarge => token("too_large"),
            Self::MalformedToken => token("malformed"),
            Self::Algorithm => token("algorithm"),
            Self::Type => token("type"),
            Self::Critical => token("critical"),
            Self::ClaimType => token("claim_type"),
            Self::Issuer => token("issuer"),
            Self::Audience => token("audience"),
            Self::Subject => token("subject"),
            Self::ClaimMissing => token("claim_missing"),
            Self::NoExpiration => token("no_expiration"),
            Self::Expired => token("expired"),
            Self::NotYetValid => token("not_yet_valid"),
            Self::IssuedInFuture => token("issued_in_future"),
            Self::Lifetime => token("lifetime"),
            Self::UnknownKey => token("unknown_key"),
            Self::Signature => token("signature"),
            Self::Revoked => token("revoked"),
            Self::Inactive => token("inactive"),
            Self::Contradiction => token("contradiction"),
            Self::SenderConstraint => token("sender_constraint"),
            Self::Unbound => token("unbound"),
            Self::CertificateMissing => token("certificate_missing"),
            Self::CertificateMismatch => token("certificate_mismatch"),
            Self::CertificateAmbiguous => token("certificate_ambiguous"),
            Self::Downgrade => token("downgrade"),
            Self::ProofMissing => proof("proof_missing"),
            Self::SeveralProofs => proof("several_proofs"),
            Self::ProofMalformed => proof("proof_malformed"),
            Self::ProofAlgorithm => proof("proof_algorithm"),
            Self::ProofKey => proof("proof_key"),
            Self::ProofMethod => proof("proof_method"),
            Self::ProofUri => proof("proof_uri"),
            Self::ProofToken => proof("proof_token"),
            Self::ProofBinding => token("proof_binding"),
            Self::ProofNonce => ("proof_nonce", 401, Some("use_dpop_nonce"), "use_dpop_nonce"),
            Self::ProofTime => proof("proof_time"),
            Self::ProofSignature => proof("proof_signature"),
            Self::ProofReplay => proof("proof_replay"),
            Self::UserAuthentication => (
                "user_authentication",
                401,
                Some("insufficient_user_authentication"),
                "insufficient_user_authentication",
            ),
            Self::Scope => (
                "scope",
                403,
                Some("insufficient_scope"),
                "insufficient_scope",
            ),
            Self::Claims => access("claims"),
            Self::Requirement => access("requirement"),
            Self::KeysUnavailable => unavailable("keys_unavailable"),
            Self::RevocationUnavailable => unavailable("revocation_unavailable"),
            Self::IntrospectionUnavailable => unavailable("introspection_unavailable"),
            Self::ReplayUnavailable => unavailable("replay_unavailable"),
        }
    }
}
