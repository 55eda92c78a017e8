//! A provider: an issuer of tokens, what its tokens must say, and where its keys are.

use std::rc::Rc;
use std::time::Duration;

use super::Environment;
use super::claim::ClaimPath;
use super::error::ConfigError;
use super::forwarding::{Forwarding, ForwardingWire};
use super::jwks::{self, KeySource};
use super::location::{self, Location};
use super::scalar::Unsigned;
use super::text::TextMatcher;
use super::wire::ProviderWire;

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
    /// Where its tokens may be in a request; at least one place.
    pub locations: Vec<Rc<Location>>,
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

const DEFAULT_CLOCK_SKEW: Unsigned = Unsigned(60);
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
        environment,
    )?;
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
        locations,
        forward: wire.forward.unwrap_or(false),
        clock_skew: Duration::from_secs(skew.into()),
        require_expiration: wire.require_expiration.unwrap_or(true),
        max_lifetime: wire.max_lifetime.map(|lifetime| lifetime.0),
        scope_claims,
        forwarding: forwarding.build(&path)?,
    })
}
