//! A proof that has been found good.

use super::replay::UsedProof;

/// A proof that has been found good, unless it has been used before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AcceptedProof {
    /// What to remember, so that it is not used again; `None` if proofs may be.
    pub used: Option<UsedProof>,
    /// The nonce that the client should use from now on; `None` if it need not change.
    pub next_nonce: Option<String>,
}
