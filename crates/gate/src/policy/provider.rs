//! A provider: an issuer of tokens, what its tokens must say, and where its keys are.

use std::rc::Rc;
use std::time::Duration;

use super::claim_path::ClaimPath;
use super::forwarding::Forwarding;
use super::header_policy::HeaderPolicy;
use super::introspection_endpoint::IntrospectionEndpoint;
use super::issuers::Issuers;
use super::key_source::KeySource;
use super::location::Location;
use super::revocation_source::RevocationSource;
use super::sender_constraint::SenderConstraint;
use super::string_matcher::StringMatcher;
use super::token_profile::TokenProfile;
use crate::keys::KeyUses;

/// An issuer whose tokens the policy knows.
#[derive(Clone, Debug)]
pub struct Provider {
    /// The position among the providers of the policy.
    pub index: usize,
    /// The name that rules and metrics use.
    pub name: String,
    /// What `iss` may be.
    pub issuers: Issuers,
    /// The audiences of which `aud` must contain one, compared exactly; empty accepts any.
    pub audiences: Vec<String>,
    /// The condition on `sub`; `None` accepts any subject, and a token without one.
    pub subjects: Option<StringMatcher>,
    /// Where the keys come from.
    pub keys: KeySource,
    /// The values of `use` that the keys may have.
    pub key_uses: KeyUses,
    /// The list of revoked tokens.
    pub revocation: Option<RevocationSource>,
    /// The endpoint that is asked about tokens.
    pub introspection: Option<IntrospectionEndpoint>,
    /// The places in a request that may hold a token; at least one.
    pub locations: Vec<Rc<Location>>,
    /// Further requirements for JWTs.
    pub profile: Option<TokenProfile>,
    /// The accepted values of `alg` and `typ`.
    pub header_policy: HeaderPolicy,
    /// Which verified tokens the cache keeps.
    pub cache: CacheLimits,
    /// Which tokens must be bound to their sender.
    pub sender_constraint: SenderConstraint,
    /// Whether the token is forwarded to the upstream.
    pub forward: bool,
    /// The tolerated difference between this clock and the issuer's.
    pub clock_skew: Duration,
    /// Whether a token without `exp` is refused.
    pub require_expiration: bool,
    /// The longest time from `iat` to `exp`; both claims are then required.
    pub max_lifetime: Option<Duration>,
    /// The claims that hold a token's scopes.
    pub scope_claims: Vec<ClaimPath>,
    /// What the upstream and the access log receive of a token.
    pub forwarding: Rc<Forwarding>,
}

impl Provider {
    /// Whether a client can be invited to send a token of the provider as `Authorization: DPoP`.
    #[must_use]
    pub fn offers_dpop(&self) -> bool {
        let constraint = self.sender_constraint;
        !matches!(
            constraint,
            SenderConstraint::Ignore | SenderConstraint::Certificate
        ) && self.locations.iter().any(|one| one.is_authorization())
    }

    /// Whether no other scheme leads anywhere.
    #[must_use]
    pub fn needs_dpop(&self) -> bool {
        self.sender_constraint == SenderConstraint::Dpop
    }
}

/// Which verified tokens of a provider the cache keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CacheLimits {
    /// The largest number of tokens; 0 turns the cache off.
    pub tokens: usize,
    /// The longest token that is cached, in bytes.
    pub token_bytes: usize,
}
