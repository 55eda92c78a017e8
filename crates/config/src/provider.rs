//! Providers: issuers of tokens.

use std::time::Duration;

use gate::policy::{CacheLimits, ClaimPath, KeySource, Provider};
use gate::token::MAX_TOKEN_BYTES;
use serde::Deserialize;

use super::claim_path::ClaimPathWire;
use super::environment::Environment;
use super::error::ConfigError;
use super::forwarding::{
    ClaimToFilterStateWire, ClaimToHeaderWire, ForwardingFields, NormalizeWire,
};
use super::header_policy;
use super::introspection::IntrospectionWire;
use super::jwks::{self, LocalJwksWire, RemoteJwksWire};
use super::location::{self, FromHeaderWire};
use super::revocation::RevocationWire;
use super::scalar::{NonEmpty, PositiveDuration, Unsigned};
use super::sender_constraint::SenderConstraintWire;
use super::string_matcher::StringMatcherWire;
use super::unsupported::{Advice, Unsupported};

const DEFAULT_CLOCK_SKEW: Unsigned = Unsigned(60);
const DEFAULT_CACHED_TOKENS: Unsigned = Unsigned(4096);

/// The longest token that the operator can allow, in bytes. Envoy limits all headers of a request to
/// 60 KiB by default.
const LONGEST_TOKEN: usize = 64 * 1024;

#[derive(Deserialize)]
#[cfg_attr(
    not(target_arch = "wasm32"),
    derive(schemars::JsonSchema),
    schemars(rename = "Provider", title = "Provider")
)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProviderWire {
    /// The exact value of `iss`. Default: any issuer, or none.
    #[serde(default)]
    issuer: Option<NonEmpty>,
    /// Audiences of which `aud` must contain one, exactly. Default: any audience, or none.
    #[serde(default)]
    audiences: Option<Vec<NonEmpty>>,
    /// Where the key set is fetched.
    #[serde(default, alias = "remoteJwks")]
    remote_jwks: Option<RemoteJwksWire>,
    /// The key set itself.
    #[serde(default, alias = "localJwks")]
    local_jwks: Option<LocalJwksWire>,
    /// The accepted values of `alg`. Default: all except HMAC, which needs `local_jwks`.
    #[serde(default)]
    algorithms: Option<Vec<String>>,
    /// The accepted values of `typ`, in any case and without application/. `""` accepts a token
    /// without `typ`. Default: `"at+jwt"`, `"jwt"` and `""`.
    #[serde(default)]
    types: Option<Vec<String>>,
    /// How many verified tokens are cached, and up to which size.
    #[serde(default, alias = "jwtCacheConfig")]
    jwt_cache_config: Option<CacheWire>,
    /// Whether the upstream receives the token. Default false.
    #[serde(default)]
    forward: Option<bool>,
    /// The tolerated difference between clocks, in seconds. Default 60; 0 means 0.
    #[serde(default, alias = "clockSkewSeconds")]
    clock_skew_seconds: Option<Unsigned>,
    /// Whether tokens without `exp` are refused. Default true.
    #[serde(default, alias = "requireExpiration")]
    require_expiration: Option<bool>,
    /// The condition on `sub`. Default: any subject, or none.
    #[serde(default)]
    subjects: Option<StringMatcherWire>,
    /// The longest time from `iat` to `exp`; both claims are then required. Default: no limit.
    #[serde(default, alias = "maxLifetime")]
    max_lifetime: Option<PositiveDuration>,
    /// Headers that may hold tokens. Without any `from_...` field tokens are in Authorization, after
    /// Bearer.
    #[serde(default, alias = "fromHeaders")]
    from_headers: Option<Vec<FromHeaderWire>>,
    /// Query parameters that may hold tokens.
    #[serde(default, alias = "fromParams")]
    from_params: Option<Vec<NonEmpty>>,
    /// Cookies that may hold tokens.
    #[serde(default, alias = "fromCookies")]
    from_cookies: Option<Vec<NonEmpty>>,
    /// The header in which the upstream receives the payload, in base64url as in the token. Default
    /// none.
    #[serde(default, alias = "forwardPayloadHeader")]
    forward_payload_header: Option<String>,
    /// Whether that base64url is padded. Default false.
    #[serde(default, alias = "padForwardPayloadHeader")]
    pad_forward_payload_header: Option<bool>,
    /// Claims that the upstream receives as headers.
    #[serde(default, alias = "claimToHeaders")]
    claim_to_headers: Option<Vec<ClaimToHeaderWire>>,
    /// Claims that the access log and other filters receive as filter state.
    #[serde(default, alias = "claimsToFilterState")]
    claims_to_filter_state: Option<Vec<ClaimToFilterStateWire>>,
    /// Claims that become lists in filter state.
    #[serde(default, alias = "normalizePayloadInMetadata")]
    normalize_payload_in_metadata: Option<NormalizeWire>,
    /// Whether Envoy selects the route again after claims have set headers or filter state. Default
    /// false.
    #[serde(default, alias = "clearRouteCache")]
    clear_route_cache: Option<bool>,
    /// The list of revoked tokens. Default none.
    #[serde(default)]
    revocation: Option<RevocationWire>,
    /// The introspection endpoint for opaque tokens (RFC 7662). Default none.
    #[serde(default)]
    introspection: Option<IntrospectionWire>,
    /// Which tokens must be bound to their sender (`cnf`), and to what: `"when_present"` (default),
    /// `"required"`, `"certificate"`, `"dpop"` or `"ignore"`.
    #[serde(default, alias = "senderConstraint")]
    sender_constraint: Option<SenderConstraintWire>,
    /// The claims that contain scopes. Default `"scope"` and `"scp"`.
    #[serde(default, alias = "scopeClaims")]
    scope_claims: Option<Vec<ClaimPathWire>>,
    /// Not supported: a wasm filter cannot write dynamic metadata. Use `claims_to_filter_state`.
    #[serde(default, alias = "payloadInMetadata", rename = "payload_in_metadata")]
    _payload_in_metadata: Unsupported<NoMetadata>,
    /// Not supported: a wasm filter cannot write dynamic metadata. Use `claims_to_filter_state`.
    #[serde(default, alias = "headerInMetadata", rename = "header_in_metadata")]
    _header_in_metadata: Unsupported<NoMetadata>,
    /// Not supported: the counters `bearer_gate.denied.*` tell why requests are refused.
    #[serde(
        default,
        alias = "failedStatusInMetadata",
        rename = "failed_status_in_metadata"
    )]
    _failed_status_in_metadata: Unsupported<NoFailedStatus>,
}

struct NoMetadata;

impl Advice for NoMetadata {
    const TEXT: &str = "a wasm filter cannot write dynamic metadata: use claims_to_filter_state";
}

struct NoFailedStatus;

impl Advice for NoFailedStatus {
    const TEXT: &str = "a wasm filter cannot write dynamic metadata: the counters \
                        bearer_gate.denied.* tell why requests are refused";
}

impl ProviderWire {
    /// Builds the provider of this name, whose position among the providers is `index`.
    pub(crate) fn build(
        self,
        index: usize,
        name: String,
        environment: Environment<'_>,
    ) -> Result<Provider, ConfigError> {
        if name.is_empty() || name.chars().any(char::is_control) {
            return Err(ConfigError::new(
                "providers",
                "a provider's name must be printable and not empty",
            ));
        }
        let path = format!("providers.{name}");
        let issuer = self.issuer.map(|issuer| issuer.0);
        let (keys, key_uses) = jwks::build(
            &path,
            issuer.as_deref(),
            self.remote_jwks,
            self.local_jwks,
            self.introspection.is_some(),
            environment,
        )?;
        let revocation = self
            .revocation
            .map(|wire| wire.build(&format!("{path}.revocation"), environment));
        let introspection = self
            .introspection
            .map(|wire| wire.build(&format!("{path}.introspection"), environment));
        let subjects = self
            .subjects
            .map(|wire| wire.build(&format!("{path}.subjects")));
        let locations = location::build(
            &path,
            self.from_headers,
            self.from_params,
            self.from_cookies,
        )?;
        let forwarding = ForwardingFields {
            forward_payload_header: self.forward_payload_header,
            pad_forward_payload_header: self.pad_forward_payload_header,
            claim_to_headers: self.claim_to_headers,
            claims_to_filter_state: self.claims_to_filter_state,
            normalize_payload_in_metadata: self.normalize_payload_in_metadata,
            clear_route_cache: self.clear_route_cache,
        };
        let local = matches!(keys, KeySource::Local(_));
        let cache = self.jwt_cache_config.unwrap_or_default();
        let skew = self.clock_skew_seconds.unwrap_or(DEFAULT_CLOCK_SKEW).0;
        let audiences = self.audiences.unwrap_or_default().into_iter();
        Ok(Provider {
            index,
            name,
            issuer,
            audiences: audiences.map(|audience| audience.0).collect(),
            subjects: subjects.transpose()?,
            keys,
            key_uses,
            revocation: revocation.transpose()?,
            introspection: introspection.transpose()?,
            locations,
            header_policy: header_policy::build(&path, self.algorithms, self.types, local)?,
            cache: cache.build(&format!("{path}.jwt_cache_config"))?,
            sender_constraint: self.sender_constraint.map(Into::into).unwrap_or_default(),
            forward: self.forward.unwrap_or(false),
            clock_skew: Duration::from_secs(skew.into()),
            require_expiration: self.require_expiration.unwrap_or(true),
            max_lifetime: self.max_lifetime.map(|lifetime| lifetime.0),
            scope_claims: scope_claims(&path, self.scope_claims)?,
            forwarding: forwarding.build(&path)?,
        })
    }
}

/// Builds the claims that contain scopes from the field `scope_claims` of the provider at `path`.
fn scope_claims(
    path: &str,
    wires: Option<Vec<ClaimPathWire>>,
) -> Result<Vec<ClaimPath>, ConfigError> {
    let Some(wires) = wires else {
        return Ok(["scope", "scp"].map(ClaimPath::top_level).to_vec());
    };
    let wires = wires.into_iter().enumerate();
    wires
        .map(|(index, wire)| wire.build(&format!("{path}.scope_claims[{index}]")))
        .collect()
}

#[derive(Clone, Copy, Default, Deserialize)]
#[cfg_attr(
    not(target_arch = "wasm32"),
    derive(schemars::JsonSchema),
    schemars(rename = "JwtCacheConfig", title = "Token cache")
)]
#[serde(deny_unknown_fields)]
struct CacheWire {
    /// How many verified tokens each worker caches; 0 turns the cache off. Default 4096.
    #[serde(default, alias = "jwtCacheSize")]
    jwt_cache_size: Option<Unsigned>,
    /// The longest token that is cached, in bytes. Default 16384, at most 65536.
    #[serde(default, alias = "jwtMaxTokenSize")]
    jwt_max_token_size: Option<Unsigned>,
}

impl CacheWire {
    fn build(self, path: &str) -> Result<CacheLimits, ConfigError> {
        let tokens = self.jwt_cache_size.unwrap_or(DEFAULT_CACHED_TOKENS).0;
        let token_bytes = match self.jwt_max_token_size {
            None => Some(MAX_TOKEN_BYTES),
            Some(bytes) => usize::try_from(bytes.0).ok(),
        };
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
}
