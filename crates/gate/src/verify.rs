//! Signatures: algorithms, keys, and the engines that verify. The cryptography is that of libraries
//! and of the host.
//!
//! `docs/design-verification.md` says which library verifies what, and why.

mod algorithm;
mod engine;
mod host;
mod key;
mod self_test;
mod software;
mod twin;
#[cfg(test)]
mod vectors;

pub use algorithm::{Algorithm, Hash};
pub use engine::{By, Engine, HostFunction};
#[cfg(test)]
pub(crate) use host::Answer;
pub use key::{Curve, PublicKey};
pub use twin::twin;
