//! The keys of issuers: single keys and key sets.

mod jwk;
mod ring;

pub use jwk::{Key, KeyProblem, Provenance};
pub use ring::{KeySet, KeySetProblem, MAX_SET_BYTES};
