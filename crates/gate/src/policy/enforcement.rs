//! What follows from a decision.

/// What follows from a refusal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Enforcement {
    /// The client gets an answer from the gate instead of the upstream's.
    #[default]
    Refuse,
    /// It is only reported, and the request passes as it was sent.
    Report,
}

/// How long an admitted stream may last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StreamEnd {
    /// As long as client and upstream like.
    #[default]
    Open,
    /// Until a token that it was admitted with loses its validity.
    WithToken,
}
