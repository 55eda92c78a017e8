//! A provider: an issuer of tokens, what its tokens must say, and where its keys are.

use std::rc::Rc;
use std::time::Duration;

use super::Environment;
use super::accepted::Accepted;
use super::claim::ClaimPath;
use super::error::ConfigError;
use super::forwarding::{Forwarding, ForwardingWire};
use super::introspection::{self, Introspection};
use super::jwks::{self, KeySource};
use super::location::{self, Location};
use super::revocation::{self, Revocation};
use super::scalar::Unsigned;
use super::text::TextMatcher;
use super::wire::{CacheWire, ProviderWire};
use crate::token::MAX_TOKEN_BYTES;

/// An issuer whose tokens are known.
#[derive(Clone, Debug)]
pub struct Provider {
    /// Its position among the providers of the configuration.
    pub index: usize,
    /// The name that rules and metrics call it by.
    pub name: String,
    /// What `iss` must be; anything where there is none.
    pub issuer: Option<String>,
    /// What `aud` must contain one of, compared exactly; anything where this is empty.
    pub audiences: Vec<String>,
    /// What `sub` must be; anything, or nothing, where there is none.
    pub subjects: Option<TextMatcher>,
    /// Where the keys come from.
    pub keys: KeySource,
    /// The list of its tokens that have been revoked.
    pub revocation: Option<Revocation>,
    /// Who is asked about its tokens.
    pub introspection: Option<Introspection>,
    /// Where its tokens may be in a request; at least one place.
    pub locations: Vec<Rc<Location>>,
    /// What the header of a token may say.
    pub accepted: Accepted,
    /// Which tokens are remembered once they are verified.
    pub cache: CacheLimits,
    /// Whether the upstream gets to see the token.
    pub forward: bool,
    /// How far this clock and the issuer's may differ.
    pub clock_skew: Duration,
    /// Whether tokens without `exp` are refused.
    pub require_expiration: bool,
    /// The longest time from `iat` to `exp`, both of which must then be there.
    pub max_lifetime: Option<Duration>,
    /// The claims that hold a token's scopes.
    pub scope_claims: Vec<ClaimPath>,
    /// What is passed on of its tokens.
    pub forwarding: Rc<Forwarding>,
}

/// Which verified tokens of a provider are remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CacheLimits {
    /// How many at most; none where this is 0.
    pub tokens: usize,
    /// The longest that is remembered, in bytes.
    pub token_bytes: usize,
}

const DEFAULT_CLOCK_SKEW: Unsigned = Unsigned(60);
const DEFAULT_CACHED_TOKENS: Unsigned = Unsigned(4096);

/// The longest token that an operator can ask for, in bytes: more than a header of Envoy may have by
/// default.
const LONGEST_TOKEN: usize = 64 * 1024;

pub(super) fn build(
    index: usize,
    name: String,
    wire: ProviderWire,
    environment: Environment<'_>,
) -> Result<Provider, ConfigError> {
    let path = format!("providers.{name}");
    if name.is_empty() || name.chars().any(char::is_control) {
        return Err(ConfigError::new(
            "providers",
            "a provider's name must be printable and not empty",
        ));
    }
    let issuer = wire.issuer.map(|issuer| issuer.0);
    let keys = jwks::build(
        &path,
        issuer.as_deref(),
        wire.remote_jwks,
        wire.local_jwks,
        wire.introspection.is_some(),
        environment,
    )?;
    let revocation = wire
        .revocation
        .map(|wire| revocation::build(&path, wire, environment))
        .transpose()?;
    let introspection = wire
        .introspection
        .map(|wire| introspection::build(&path, wire, environment))
        .transpose()?;
    let subjects = wire
        .subjects
        .map(|wire| wire.build(&format!("{path}.subjects")));
    let locations = location::build(
        &path,
        wire.from_headers,
        wire.from_params,
        wire.from_cookies,
    )?;
    let scope_claims = match wire.scope_claims {
        None => ["scope", "scp"].map(ClaimPath::of).to_vec(),
        Some(wires) => {
            let paths = wires
                .into_iter()
                .enumerate()
                .map(|(index, wire)| wire.build(&format!("{path}.scope_claims[{index}]")));
            paths.collect::<Result<_, _>>()?
        }
    };
    let forwarding = ForwardingWire {
        payload_header: wire.forward_payload_header,
        pad_payload: wire.pad_forward_payload_header,
        claim_headers: wire.claim_to_headers,
        filter_state: wire.claims_to_filter_state,
        normalize: wire.normalize_payload_in_metadata,
        clear_route_cache: wire.clear_route_cache,
    };
    let local = matches!(keys, KeySource::Local(_));
    let accepted = Accepted::build(&path, wire.algorithms, wire.types, local)?;
    let cache = build_cache(&path, wire.jwt_cache_config.unwrap_or_default())?;
    let skew = wire.clock_skew_seconds.unwrap_or(DEFAULT_CLOCK_SKEW).0;
    Ok(Provider {
        index,
        name,
        issuer,
        audiences: wire
            .audiences
            .unwrap_or_default()
            .into_iter()
            .map(|audience| audience.0)
            .collect(),
        subjects: subjects.transpose()?,
        keys,
        revocation,
        introspection,
        locations,
        accepted,
        cache,
        forward: wire.forward.unwrap_or(false),
        clock_skew: Duration::from_secs(skew.into()),
        require_expiration: wire.require_expiration.unwrap_or(true),
        max_lifetime: wire.max_lifetime.map(|lifetime| lifetime.0),
        scope_claims,
        forwarding: forwarding.build(&path)?,
    })
}

fn build_cache(path: &str, wire: CacheWire) -> Result<CacheLimits, ConfigError> {
    let tokens = wire.jwt_cache_size.unwrap_or(DEFAULT_CACHED_TOKENS).0;
    let token_bytes = match wire.jwt_max_token_size {
        None => Some(MAX_TOKEN_BYTES),
        Some(bytes) => usize::try_from(bytes.0).ok(),
    };
    let path = format!("{path}.jwt_cache_config");
    match (usize::try_from(tokens).ok(), token_bytes) {
        (Some(tokens), Some(token_bytes @ 1..=LONGEST_TOKEN)) => Ok(CacheLimits {
            tokens,
            token_bytes,
        }),
        (None, _) => Err(ConfigError::new(
            format!("{path}.jwt_cache_size"),
            "is too large",
        )),
        _ => Err(ConfigError::new(
            format!("{path}.jwt_max_token_size"),
            "must be from 1 to 65536",
        )),
    }
}
