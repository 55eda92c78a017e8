//! Which proofs of possession are accepted (RFC 9449).

use std::time::Duration;

use crate::dpop::{NonceKeys, Nonces};
use crate::verify::Algorithm;

/// Which proofs of possession are accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DpopPolicy {
    /// The accepted algorithms, in the order in which challenges name them.
    pub algorithms: Vec<Algorithm>,
    /// How old a proof may be by its `iat`.
    pub max_age: Duration,
    /// The tolerated difference between this clock and the client's.
    pub clock_skew: Duration,
    /// When a proof needs a nonce.
    pub nonce: NonceUse,
    /// How long a nonce is good.
    pub nonce_lifetime: Duration,
    /// The keys of nonces. `None` in the configuration means a random key of the process, which the worker
    /// puts here; while there is none, no nonce is good.
    pub nonce_keys: Option<NonceKeys>,
    /// How many proofs are remembered in a process; 0 allows a proof to be used again.
    pub replay_entries: u32,
    /// What the upstream gets of a token that is forwarded.
    pub upstream: UpstreamToken,
}

/// When a proof needs a nonce.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NonceUse {
    /// Never. A nonce in a proof is ignored: it may be one of the authorization server.
    Off,
    /// If its `iat` is not acceptable.
    Fallback,
    /// Always.
    Required,
}

/// What the upstream gets of a DPoP-bound token that is forwarded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UpstreamToken {
    /// The headers `authorization` and `dpop` as they were sent.
    AsSent,
    /// `Authorization: Bearer` and no proof, for an upstream that does not know DPoP.
    Bearer,
}

impl DpopPolicy {
    /// The algorithms that are accepted by default: all with asymmetric keys.
    pub fn default_algorithms() -> impl Iterator<Item = Algorithm> {
        const NAMES: [&str; 10] = [
            "ES256", "ES384", "ES512", "PS256", "PS384", "PS512", "RS256", "RS384", "RS512",
            "EdDSA",
        ];
        NAMES.into_iter().filter_map(Algorithm::from_name)
    }

    /// The rules of nonces; `None` if none are used.
    #[must_use]
    pub fn nonces(&self) -> Option<Nonces<'_>> {
        let keys = self.nonce_keys.as_ref()?;
        (self.nonce != NonceUse::Off).then_some(Nonces {
            keys,
            lifetime: self.nonce_lifetime,
            clock_skew: self.clock_skew,
        })
    }

    /// The accepted algorithms as `algs` of a challenge names them (RFC 9449, section 7.1). `EdDSA` has a
    /// second name, which newer clients look for.
    #[must_use]
    pub fn algorithm_names(&self) -> String {
        let names = self.algorithms.iter().map(|algorithm| match algorithm {
            Algorithm::EdDsa => "EdDSA Ed25519",
            other => other.name(),
        });
        names.collect::<Vec<_>>().join(" ")
    }
}

impl Default for DpopPolicy {
    /// The policy of `"dpop": {}`.
    fn default() -> Self {
        Self {
            algorithms: Self::default_algorithms().collect(),
            max_age: Duration::from_mins(1),
            clock_skew: Duration::from_mins(1),
            nonce: NonceUse::Off,
            nonce_lifetime: Duration::from_mins(5),
            nonce_keys: None,
            replay_entries: 131_072,
            upstream: UpstreamToken::AsSent,
        }
    }
}
