//! Proofs of possession (DPoP, RFC 9449): the proof a client signs for each request, the nonces that
//! keep proofs fresh, and what is remembered so that no proof is used twice.
//!
//! Nothing here knows a request or a policy. The hash functions are those of `hmac-sha256`.

mod accepted_proof;
mod digest;
mod nonce;
mod proof;
mod proof_key;
mod proof_keys;
mod replay;
mod target_uri;

pub use accepted_proof::AcceptedProof;
pub use digest::sha256;
pub use nonce::{NonceKeys, Nonces};
pub use proof::{MAX_PROOF_BYTES, PROOF_HEADER, Proof, ProofClaims, ProofError};
pub use proof_key::{KeyFlaw, ProofKey};
pub use proof_keys::ProofKeys;
pub use replay::{MAX_LIVE, Spending, UsedProof, is_bucket, spend};
pub use target_uri::TargetUri;
