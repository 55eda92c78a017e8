//! Signatures: which algorithms there are, the keys that they take, and the engines that check
//! them. No cryptography is written here.
//!
//! `docs/design-verification.md` says which library checks what, and why.

mod algorithm;
mod engine;
mod host;
mod key;
mod self_test;
mod signature;
mod software;
mod twin;
#[cfg(test)]
mod vectors;

pub use algorithm::{Algorithm, Hash};
pub use engine::{By, Engine, HostFunction};
#[cfg(test)]
pub(crate) use host::{Answer, Arguments};
pub use key::{Curve, PublicKey};
pub use twin::twin;
