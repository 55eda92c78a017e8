//! Which tokens must be bound to their sender.

/// Which tokens must be bound to their sender, and to what (`cnf`, RFC 7800).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SenderConstraint {
    /// Whatever a token is bound to must be proven; a token that is bound to nothing is accepted.
    #[default]
    WhenPresent,
    /// Every token must be bound, and whatever it is bound to must be proven.
    Required,
    /// As [`SenderConstraint::Required`], and a token must be bound to a certificate (RFC 8705).
    Certificate,
    /// As [`SenderConstraint::Required`], and a token must be bound to a key (RFC 9449).
    Dpop,
    /// The gate does not check what a token is bound to: the upstream does.
    Ignore,
}
