//! The kinds of tokens.

/// A kind of token: what is wrong with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Good,
    Expired,
    NotYetValid,
    IssuedInFuture,
    NoExpiration,
    TooLongLived,
    WrongIssuer,
    WrongAudience,
    WrongSubject,
    WrongType,
    WrongSignature,
    UnknownKid,
    OtherAlgorithm,
    Unsigned,
    NoScope,
    Malformed,
}

impl Kind {
    /// Each kind with its name and the reason for which the gate refuses it.
    pub(crate) const ALL: [(Self, &'static str, &'static str); 16] = [
        (Self::Good, "good", ""),
        (Self::Expired, "expired", "expired"),
        (Self::NotYetValid, "not-yet-valid", "not_yet_valid"),
        (Self::IssuedInFuture, "issued-in-future", "issued_in_future"),
        (Self::NoExpiration, "no-expiration", "no_expiration"),
        (Self::TooLongLived, "too-long-lived", "lifetime"),
        (Self::WrongIssuer, "wrong-issuer", "issuer"),
        (Self::WrongAudience, "wrong-audience", "audience"),
        (Self::WrongSubject, "wrong-subject", "subject"),
        (Self::WrongType, "wrong-type", "type"),
        (Self::WrongSignature, "wrong-signature", "signature"),
        (Self::UnknownKid, "unknown-kid", "unknown_key"),
        (Self::OtherAlgorithm, "other-algorithm", "algorithm"),
        (Self::Unsigned, "unsigned", "algorithm"),
        (Self::NoScope, "no-scope", "scope"),
        (Self::Malformed, "malformed", "malformed"),
    ];

    /// The kind with this name.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        let mut all = Self::ALL.iter();
        let found = all.find(|(_, known, _)| *known == name);
        found.map(|(kind, _, _)| *kind)
    }
}
