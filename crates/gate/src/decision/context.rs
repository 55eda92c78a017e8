//! What a decision uses besides the policy and the request.

use std::cell::{Cell, RefCell};

use crate::dpop::ProofKeys;
use crate::fetching::Availability;
use crate::introspection::TokenStatus;
use crate::keys::KeySet;
use crate::policy::Provider;
use crate::revocation::RevocationList;
use crate::token_cache::TokenCache;
use crate::verify::Engine;

/// What a decision uses besides the policy and the request.
#[derive(Clone, Copy)]
pub struct Context<'c> {
    /// What has been fetched.
    pub resources: &'c dyn Resources,
    /// The engine that verifies signatures.
    pub engine: &'c Engine,
    /// Verified tokens. The cache saves work and changes no decision.
    pub tokens: &'c RefCell<TokenCache>,
    /// The keys of recent proofs. Remembering them saves work and changes no decision.
    pub proof_keys: &'c RefCell<ProofKeys>,
}

/// What has been fetched. Lookups request nothing: the result of a decision says what is needed.
pub trait Resources {
    /// The key set of a provider.
    fn keys(&self, provider: &Provider) -> Availability<KeySet>;

    /// The revocation list of a provider.
    fn revocations(&self, provider: &Provider) -> Availability<RevocationList>;

    /// What the introspection endpoint of a provider says about a token.
    fn introspection(&self, provider: &Provider, token: &str) -> TokenStatus;
}

/// What a decision did, for metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Tokens that the cache knew.
    pub cache_hits: u32,
    /// Tokens that it did not know.
    pub cache_misses: u32,
    /// Signatures that the host found good.
    pub verified_by_host: u32,
    /// Signatures that the module found good.
    pub verified_by_software: u32,
    /// Proofs whose key was known.
    pub proof_key_hits: u32,
    /// Proofs whose key was not known.
    pub proof_key_misses: u32,
    /// Proofs whose signature the host found good.
    pub proofs_by_host: u32,
    /// Proofs whose signature the module found good.
    pub proofs_by_software: u32,
}

impl Counts {
    /// Adds one to the count that `select` selects.
    pub(super) fn add(all: &Cell<Self>, select: impl FnOnce(&mut Self) -> &mut u32) {
        let mut counts = all.get();
        let one = select(&mut counts);
        *one = one.saturating_add(1);
        all.set(counts);
    }
}
