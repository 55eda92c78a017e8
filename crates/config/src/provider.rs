//! Providers: issuers of tokens.

use std::time::Duration;

use gate::policy::{CacheLimits, ClaimPath, Issuers, Provider, TokenProfile};
use gate::token::MAX_TOKEN_BYTES;

use super::claim_path::ClaimPathWire;
use super::environment::Environment;
use super::forwarding::{
    ClaimToFilterStateWire, ClaimToHeaderWire, ForwardingFields, NormalizeWire,
};
use super::header_policy;
use super::introspection::IntrospectionWire;
use super::issuers;
use super::jwks::{self, LocalJwksWire, RemoteJwksWire};
use super::location::{self, FromHeaderWire};
use super::object::object;
use super::place::Place;
use super::revocation::RevocationWire;
use super::scalar::{NonEmpty, OwnHeaderName, PositiveDuration, Unsigned};
use super::sender_constraint::SenderConstraintWire;
use super::string_matcher::StringMatcherWire;
use super::token_profile::{self, TokenProfileWire};

const DEFAULT_CLOCK_SKEW: Unsigned = Unsigned(60);
const DEFAULT_CACHED_TOKENS: usize = 4096;

/// The longest token that the operator can allow, in bytes. Envoy limits all headers of a request to
/// 60 KiB by default.
const LONGEST_TOKEN: usize = 64 * 1024;

object! {
    pub(crate) struct ProviderWire("Provider", "Provider") {
        /// The exact value of `iss`. Default: any issuer, or none.
        issuer: optional NonEmpty,
        /// The values of `iss`, in place of `issuer`: exact ones, or URLs in which `{claim}` as a segment of the path
        /// stands for that claim of the token. The claim must be a string of unreserved characters (RFC 3986).
        issuers: optional Vec<NonEmpty>,
        /// Audiences of which `aud` must contain one, exactly. Default: any audience, or none.
        audiences: optional Vec<NonEmpty>,
        /// Where the key set is fetched.
        remote_jwks: optional RemoteJwksWire,
        /// The key set itself.
        local_jwks: optional LocalJwksWire,
        /// The accepted values of `alg`. Default: all except HMAC, which needs `local_jwks`.
        algorithms: optional Vec<String>,
        /// The accepted values of `typ`, in any case and without application/. `""` accepts a token
        /// without `typ`. Default: `"at+jwt"`, `"jwt"` and `""`.
        types: optional Vec<String>,
        /// The profile that JWTs must have: `"rfc9068"`. Default: none.
        profile: optional TokenProfileWire,
        /// How many verified tokens are cached, and up to which size.
        jwt_cache_config: optional CacheWire,
        /// Whether the upstream receives the token. Default false.
        forward: optional bool,
        /// The tolerated difference between clocks, in seconds. Default 60; 0 means 0.
        clock_skew_seconds: optional Unsigned,
        /// Whether tokens without `exp` are refused. Default true.
        require_expiration: optional bool,
        /// The condition on `sub`. Default: any subject, or none.
        subjects: optional StringMatcherWire,
        /// The longest time from `iat` to `exp`; both claims are then required. Default: no limit.
        max_lifetime: optional PositiveDuration,
        /// Headers that may hold tokens. Without any `from_...` field tokens are in Authorization, after
        /// Bearer.
        from_headers: optional Vec<FromHeaderWire>,
        /// Query parameters that may hold tokens.
        from_params: optional Vec<NonEmpty>,
        /// Cookies that may hold tokens.
        from_cookies: optional Vec<NonEmpty>,
        /// The header in which the upstream receives the payload, in base64url as in the token. Default
        /// none.
        forward_payload_header: optional String,
        /// Whether that base64url is padded. Default false.
        pad_forward_payload_header: optional bool,
        /// The name of the payload in Envoy's dynamic metadata, in the namespace `envoy.filters.http.jwt_authn`. Default
        /// none. Needs `payload_metadata_header`.
        payload_in_metadata: optional String,
        /// The header that carries the payload to Envoy's filter `header_to_metadata`, which moves it into dynamic
        /// metadata.
        payload_metadata_header: optional OwnHeaderName,
        /// Claims that the upstream receives as headers.
        claim_to_headers: optional Vec<ClaimToHeaderWire>,
        /// Claims that the access log and other filters receive as filter state.
        claims_to_filter_state: optional Vec<ClaimToFilterStateWire>,
        /// Claims that become lists in filter state and dynamic metadata.
        normalize_payload_in_metadata: optional NormalizeWire,
        /// Whether Envoy selects the route again after claims have set headers or filter state. Default
        /// false.
        clear_route_cache: optional bool,
        /// The list of revoked tokens. Default none.
        revocation: optional RevocationWire,
        /// The introspection endpoint for opaque tokens (RFC 7662). Default none.
        introspection: optional IntrospectionWire,
        /// Which tokens must be bound to their sender (`cnf`), and to what: `"when_present"` (default),
        /// `"required"`, `"certificate"`, `"dpop"` or `"ignore"`.
        sender_constraint: optional SenderConstraintWire,
        /// The claims that contain scopes. Default `"scope"` and `"scp"`.
        scope_claims: optional Vec<ClaimPathWire>,
    }
    unsupported {
        /// Not supported: a wasm filter cannot write dynamic metadata. Use `claims_to_filter_state`.
        header_in_metadata: NO_METADATA,
        /// Not supported: the counters `bearer_gate.denied.*` show why requests are refused.
        failed_status_in_metadata:
            "a wasm filter cannot write dynamic metadata: the counters bearer_gate.denied.* \
             tell why requests are refused",
    }
}

const NO_METADATA: &str = "a wasm filter cannot write dynamic metadata: use claims_to_filter_state";

impl ProviderWire {
    /// Builds the provider of this name, whose position among the `providers` at this place is `index`.
    pub(crate) fn build(
        self,
        index: usize,
        name: String,
        providers: &Place<'_>,
        environment: Environment<'_>,
    ) -> Option<Provider> {
        if name.is_empty() || name.chars().any(char::is_control) {
            return providers.refuse("a provider's name must be printable and not empty");
        }
        let at = &providers.field(&name);
        let issuers = issuers::build(at, self.issuer, self.issuers);
        let local = self.local_jwks.is_some();
        let given = token_profile::Given {
            issuers: issuers.as_ref().is_none_or(|issuers| !issuers.are_any()),
            audiences: self.audiences.as_ref().is_some_and(|list| !list.is_empty()),
            types: self.types.is_some(),
        };
        let profile = token_profile::build(at, self.profile, &given);
        let types = match profile {
            Some(_) => Some(TokenProfile::TYPES.map(str::to_owned).to_vec()),
            None => self.types,
        };
        let header_policy = header_policy::build(at, self.algorithms, types, local);
        let keys = jwks::build(
            at,
            issuers.as_ref(),
            self.remote_jwks,
            self.local_jwks,
            self.introspection.is_some(),
            environment,
        );
        let revocation = self
            .revocation
            .and_then(|wire| wire.build(&at.field("revocation"), environment));
        let issuer = issuers.as_ref().and_then(Issuers::only_issuer);
        let introspection = self
            .introspection
            .and_then(|wire| wire.build(&at.field("introspection"), issuer, environment));
        let subjects = self
            .subjects
            .and_then(|wire| wire.build(&at.field("subjects")));
        let locations = location::build(at, self.from_headers, self.from_params, self.from_cookies);
        let forwarding = ForwardingFields {
            forward_payload_header: self.forward_payload_header,
            pad_forward_payload_header: self.pad_forward_payload_header,
            payload_in_metadata: self.payload_in_metadata,
            payload_metadata_header: self.payload_metadata_header,
            claim_to_headers: self.claim_to_headers,
            claims_to_filter_state: self.claims_to_filter_state,
            normalize_payload_in_metadata: self.normalize_payload_in_metadata,
            clear_route_cache: self.clear_route_cache,
        };
        let forwarding = forwarding.build(at);
        let cache = cache_limits(&at.field("jwt_cache_config"), self.jwt_cache_config);
        let scope_claims = scope_claims(at, self.scope_claims);
        let skew = self.clock_skew_seconds.unwrap_or(DEFAULT_CLOCK_SKEW).0;
        let audiences = self.audiences.unwrap_or_default().into_iter();
        let (keys, key_uses) = keys?;
        Some(Provider {
            index,
            issuers: issuers?,
            audiences: audiences.map(|audience| audience.0).collect(),
            subjects,
            keys,
            key_uses,
            revocation,
            introspection,
            locations,
            profile,
            header_policy,
            cache,
            sender_constraint: self.sender_constraint.map(Into::into).unwrap_or_default(),
            forward: self.forward.unwrap_or(false),
            clock_skew: Duration::from_secs(skew.into()),
            require_expiration: self.require_expiration.unwrap_or(true),
            max_lifetime: self.max_lifetime.map(|lifetime| lifetime.0),
            scope_claims,
            forwarding,
            name,
        })
    }
}

/// Builds the claims that contain scopes from the field `scope_claims` of the provider at this place.
fn scope_claims(at: &Place<'_>, wires: Option<Vec<ClaimPathWire>>) -> Vec<ClaimPath> {
    match wires {
        None => ["scope", "scp"].map(ClaimPath::top_level).to_vec(),
        given => at.build_list("scope_claims", given, ClaimPathWire::build),
    }
}

object! {
    struct CacheWire("JwtCacheConfig", "Token cache") {
        /// How many verified tokens each worker caches; 0 turns the cache off. Default 4096.
        jwt_cache_size: optional Unsigned,
        /// The longest token that is cached, in bytes. Default 16384, at most 65536.
        jwt_max_token_size: optional Unsigned,
    }
}

/// Builds the limits of the token cache, whose configuration is at this place.
fn cache_limits(at: &Place<'_>, wire: Option<CacheWire>) -> CacheLimits {
    let (tokens, longest) = match wire {
        None => (None, None),
        Some(wire) => (wire.jwt_cache_size, wire.jwt_max_token_size),
    };
    let mut limits = CacheLimits {
        tokens: DEFAULT_CACHED_TOKENS,
        token_bytes: MAX_TOKEN_BYTES,
    };
    if let Some(Unsigned(tokens)) = tokens {
        match usize::try_from(tokens) {
            Ok(tokens) => limits.tokens = tokens,
            Err(_) => at.field("jwt_cache_size").report("is too large"),
        }
    }
    if let Some(Unsigned(bytes)) = longest {
        match usize::try_from(bytes) {
            Ok(bytes @ 1..=LONGEST_TOKEN) => limits.token_bytes = bytes,
            _ => at
                .field("jwt_max_token_size")
                .report("must be from 1 to 65536"),
        }
    }
    limits
}
