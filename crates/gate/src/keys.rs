//! The keys of issuers: single keys and key sets.

mod certificate;
mod jwk;
mod key_uses;
mod ring;

pub use jwk::{Key, KeyProblem, Provenance};
pub use key_uses::KeyUses;
pub use ring::{KeySet, KeySetProblem, MAX_SET_BYTES};
