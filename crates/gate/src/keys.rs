//! The keys of issuers: one key, and a set of them.

mod jwk;
mod ring;

pub use jwk::{Key, KeyProblem, Provenance};
pub use ring::{KeySet, KeySetProblem, MAX_SET_BYTES, NoFormat};
