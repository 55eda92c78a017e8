//! The keys of issuers: one key, a set of them, and when a set is fetched.

mod backoff;
mod jwk;
mod refresh;
mod ring;

pub use backoff::Backoff;
pub use jwk::{Key, KeyProblem, Origin};
pub use refresh::Progress;
pub use ring::{KeySet, KeySetProblem, MAX_SET_BYTES};
