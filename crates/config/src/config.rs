//! The shape of the configuration's JSON. Every object refuses fields that it does not know; a
//! `null` is a field that is not there, as in protobuf's JSON form.

use std::collections::BTreeSet;
use std::fmt;
use std::marker::PhantomData;
use std::rc::Rc;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};

use super::claim::{ClaimPath, ClaimPathWire};
use super::error::ConfigError;
use super::forwarding::{ClaimToFilterStateWire, ClaimToHeaderWire, NormalizeWire};
use super::introspection::IntrospectionWire;
use super::jwks::{LocalJwksWire, RemoteJwksWire};
use super::location::FromHeaderWire;
use super::provider::{self, Provider};
use super::requirement::{self, Requirement, RequirementWire};
use super::revocation::RevocationWire;
use super::rules::{self, RuleList, RuleWire, Rules};
use super::scalar::{NonEmpty, PositiveDuration, Refused, Unsigned, Why};
use super::text::TextMatcherWire;
use super::{Config, Environment, Totals};
use crate::revocation::NAMING_CLAIMS;

#[derive(Deserialize)]
#[cfg_attr(
    not(target_arch = "wasm32"),
    derive(schemars::JsonSchema),
    schemars(rename = "Config", title = "Configuration")
)]
#[serde(deny_unknown_fields)]
pub(super) struct ConfigWire {
    /// The issuers whose tokens are known, by their names; at least one.
    providers: Entries<ProviderWire>,
    /// What requests need: the first rule that matches decides. Without rules every request needs a
    /// token of any one provider.
    #[serde(default)]
    rules: Option<Vec<RuleWire>>,
    /// Requirements by their names, for rules and routes.
    #[serde(default, alias = "requirementMap")]
    requirement_map: Option<Entries<RequirementWire>>,
    /// What becomes of requests that no rule matches: `"deny"` (the default) or `"allow"`.
    #[serde(default, alias = "unmatchedRequests")]
    unmatched_requests: Option<UnmatchedWire>,
    /// Whether a route's metadata may name a requirement:
    /// `filter_metadata.bearer_gate.requirement_name`. Default false.
    #[serde(default, alias = "perRouteRequirements")]
    per_route_requirements: Option<bool>,
    /// Whether CORS preflights pass without a token. Default false.
    #[serde(default, alias = "bypassCorsPreflight")]
    bypass_cors_preflight: Option<bool>,
    /// Whether refusals carry neither body nor WWW-Authenticate. Default false.
    #[serde(default, alias = "stripFailureResponse")]
    strip_failure_response: Option<bool>,
    /// What metric names have after `"bearer_gate."`; visible ASCII. Default none.
    #[serde(default, alias = "statPrefix")]
    stat_prefix: Option<String>,
    /// The realm of challenges. Default: the authority of the request.
    #[serde(default)]
    realm: Option<NonEmpty>,
    /// Not supported: a wasm filter cannot read filter state safely. Use `per_route_requirements`.
    #[serde(default, alias = "filterStateRules", rename = "filter_state_rules")]
    _filter_state_rules: Refused<NoFilterState>,
}

struct NoFilterState;

impl Why for NoFilterState {
    const WHY: &str = "a wasm filter cannot read filter state safely: name the requirement in the \
                       route's metadata and set per_route_requirements";
}

impl ConfigWire {
    pub(super) fn build(self, environment: Environment<'_>) -> Result<Config, ConfigError> {
        if self.providers.0.is_empty() {
            return Err(ConfigError::new("providers", "must not be empty"));
        }
        let mut providers = Vec::new();
        for (index, (name, wire)) in self.providers.0.into_iter().enumerate() {
            providers.push(Rc::new(provider::build(index, name, wire, environment)?));
        }
        let mut requirements = Vec::new();
        for (name, wire) in self.requirement_map.map(|map| map.0).unwrap_or_default() {
            let path = format!("requirement_map.{name}");
            let requirement = requirement::build(&path, wire, &providers)?;
            requirements.push((name, requirement));
        }
        let rules = match self.rules {
            Some(rules) if !rules.is_empty() => Rules::Listed {
                rules: build_rules(rules, &providers, &requirements)?,
                allow_unmatched: matches!(self.unmatched_requests, Some(UnmatchedWire::Allow)),
            },
            _ => Rules::AnyProvider(Requirement::any_of(&providers)),
        };
        let own_headers = own_headers(&providers, &rules, &requirements);
        let read_headers = read_headers(&providers, &rules);
        let read_claims = read_claims(&providers, &rules, &requirements);
        let of_tokens = |name: &String| {
            let mut locations = providers.iter().flat_map(|provider| &provider.locations);
            locations.any(|location| location.header() == Some(name))
        };
        if let Some(name) = own_headers.iter().find(|name| of_tokens(name)) {
            let problem = format!("tokens are read from the header {name:?}, so it cannot be set");
            return Err(ConfigError::new("providers", problem));
        }
        let stat_prefix = self.stat_prefix.unwrap_or_default();
        let stat_prefix = stat_prefix.trim_end_matches('.');
        if !stat_prefix.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(ConfigError::new(
                "stat_prefix",
                "must be visible ASCII characters",
            ));
        }
        Ok(Config {
            totals: Totals::of(&providers),
            providers,
            rules,
            requirements,
            per_route_requirements: self.per_route_requirements.unwrap_or(false),
            bypass_cors_preflight: self.bypass_cors_preflight.unwrap_or(false),
            strip_failure_response: self.strip_failure_response.unwrap_or(false),
            stat_prefix: stat_prefix.to_owned(),
            realm: self.realm.map(|realm| realm.0),
            own_headers,
            read_headers,
            read_claims,
        })
    }
}

fn build_rules(
    wires: Vec<RuleWire>,
    providers: &[Rc<Provider>],
    named: &[(String, Requirement)],
) -> Result<RuleList, ConfigError> {
    let build = |(index, wire)| rules::build(&format!("rules[{index}]"), wire, providers, named);
    let rules: Result<_, _> = wires.into_iter().enumerate().map(build).collect();
    rules.map(RuleList::new)
}

/// The headers that tokens are read from or rules look at, each once.
fn read_headers(providers: &[Rc<Provider>], rules: &Rules) -> Vec<String> {
    let locations = providers.iter().flat_map(|provider| &provider.locations);
    let of_tokens = locations.filter_map(|location| location.header().map(str::to_owned));
    let of_rules = match rules {
        Rules::AnyProvider(_) => &[][..],
        Rules::Listed { rules, .. } => rules.all(),
    };
    let of_rules = of_rules.iter().flat_map(|rule| rule.matcher.headers());
    each_once(of_tokens.chain(of_rules.cloned()))
}

/// The members of a payload that anything looks at, each once.
fn read_claims(
    providers: &[Rc<Provider>],
    rules: &Rules,
    named: &[(String, Requirement)],
) -> Vec<String> {
    let (mut scopes, mut paths) = (false, Vec::new());
    for requirement in all_requirements(rules, named) {
        requirement.tree.collect_claims(&mut scopes, &mut paths);
    }
    for provider in providers {
        paths.extend(provider.forwarding.claims());
        if scopes {
            paths.extend(&provider.scope_claims);
        }
    }
    let revocable = providers
        .iter()
        .any(|provider| provider.revocation.is_some());
    let naming: &[&str] = if revocable { &NAMING_CLAIMS } else { &[] };
    let roots = paths.into_iter().filter_map(ClaimPath::root).cloned();
    each_once(roots.chain(naming.iter().map(|&claim| claim.to_owned())))
}

/// The requirements of the rules and those that have names.
fn all_requirements<'r>(
    rules: &'r Rules,
    named: &'r [(String, Requirement)],
) -> impl Iterator<Item = &'r Requirement> {
    let of_rules = match rules {
        Rules::AnyProvider(_) => &[][..],
        Rules::Listed { rules, .. } => rules.all(),
    };
    let named = named.iter().map(|(_, requirement)| requirement);
    named.chain(of_rules.iter().map(|rule| &rule.requirement))
}

/// The headers that may be set, each once.
fn own_headers(
    providers: &[Rc<Provider>],
    rules: &Rules,
    named: &[(String, Requirement)],
) -> Vec<String> {
    let forwardings = providers.iter().map(|provider| &provider.forwarding);
    let mut headers: Vec<String> = forwardings
        .flat_map(|forwarding| forwarding.headers().cloned())
        .collect();
    for requirement in all_requirements(rules, named) {
        requirement.tree.collect_status_headers(&mut headers);
    }
    each_once(headers.into_iter())
}

/// Names in order, each once. A set takes far less code than sorting.
fn each_once(names: impl Iterator<Item = String>) -> Vec<String> {
    let mut each = BTreeSet::new();
    for name in names {
        each.insert(name);
    }
    each.into_iter().collect()
}

#[derive(Deserialize)]
#[cfg_attr(
    not(target_arch = "wasm32"),
    derive(schemars::JsonSchema),
    schemars(rename = "UnmatchedRequests")
)]
#[serde(rename_all = "lowercase")]
enum UnmatchedWire {
    Deny,
    Allow,
}

#[derive(Deserialize)]
#[cfg_attr(
    not(target_arch = "wasm32"),
    derive(schemars::JsonSchema),
    schemars(rename = "Provider", title = "Provider")
)]
#[serde(deny_unknown_fields)]
pub(super) struct ProviderWire {
    /// What `iss` must be, exactly. Default: any issuer, or none.
    #[serde(default)]
    pub(super) issuer: Option<NonEmpty>,
    /// What `aud` must contain one of, exactly. Default: any audience, or none.
    #[serde(default)]
    pub(super) audiences: Option<Vec<NonEmpty>>,
    /// Where the keys are fetched.
    #[serde(default, alias = "remoteJwks")]
    pub(super) remote_jwks: Option<RemoteJwksWire>,
    /// The keys themselves.
    #[serde(default, alias = "localJwks")]
    pub(super) local_jwks: Option<LocalJwksWire>,
    /// The values of `alg` that are accepted. Default: all but those of HMAC, which need
    /// `local_jwks`.
    #[serde(default)]
    pub(super) algorithms: Option<Vec<String>>,
    /// The values of `typ` that are accepted, without case and without application/; `""` is a
    /// token that has none. Default: `"at+jwt"`, `"jwt"` and `""`.
    #[serde(default)]
    pub(super) types: Option<Vec<String>>,
    /// How many verified tokens are remembered, and of what size.
    #[serde(default, alias = "jwtCacheConfig")]
    pub(super) jwt_cache_config: Option<CacheWire>,
    /// Whether the upstream gets to see the token. Default false.
    #[serde(default)]
    pub(super) forward: Option<bool>,
    /// How many seconds the clocks may differ by. Default 60; 0 is 0.
    #[serde(default, alias = "clockSkewSeconds")]
    pub(super) clock_skew_seconds: Option<Unsigned>,
    /// Whether tokens without `exp` are refused. Default true.
    #[serde(default, alias = "requireExpiration")]
    pub(super) require_expiration: Option<bool>,
    /// What `sub` must be like. Default: any subject, or none.
    #[serde(default)]
    pub(super) subjects: Option<TextMatcherWire>,
    /// The longest time from `iat` to `exp`, both of which must then be there. Default: any.
    #[serde(default, alias = "maxLifetime")]
    pub(super) max_lifetime: Option<PositiveDuration>,
    /// Headers that tokens may be in. Default, where no place is listed: Authorization, after
    /// Bearer.
    #[serde(default, alias = "fromHeaders")]
    pub(super) from_headers: Option<Vec<FromHeaderWire>>,
    /// Query parameters that tokens may be in.
    #[serde(default, alias = "fromParams")]
    pub(super) from_params: Option<Vec<NonEmpty>>,
    /// Cookies that tokens may be in.
    #[serde(default, alias = "fromCookies")]
    pub(super) from_cookies: Option<Vec<NonEmpty>>,
    /// The header that the upstream gets the payload in, base64url as in the token. Default none.
    #[serde(default, alias = "forwardPayloadHeader")]
    pub(super) forward_payload_header: Option<String>,
    /// Whether that base64url is padded. Default false.
    #[serde(default, alias = "padForwardPayloadHeader")]
    pub(super) pad_forward_payload_header: Option<bool>,
    /// Claims that the upstream gets as headers.
    #[serde(default, alias = "claimToHeaders")]
    pub(super) claim_to_headers: Option<Vec<ClaimToHeaderWire>>,
    /// Claims that the access log and other filters get as filter state.
    #[serde(default, alias = "claimsToFilterState")]
    pub(super) claims_to_filter_state: Option<Vec<ClaimToFilterStateWire>>,
    /// Claims that become lists in filter state.
    #[serde(default, alias = "normalizePayloadInMetadata")]
    pub(super) normalize_payload_in_metadata: Option<NormalizeWire>,
    /// Whether the route is chosen anew once headers or filter state have been set from claims.
    /// Default false.
    #[serde(default, alias = "clearRouteCache")]
    pub(super) clear_route_cache: Option<bool>,
    /// The list of tokens that have been revoked. Default: none.
    #[serde(default)]
    pub(super) revocation: Option<RevocationWire>,
    /// Who is asked about opaque tokens (RFC 7662). Default: nobody.
    #[serde(default)]
    pub(super) introspection: Option<IntrospectionWire>,
    /// The claims that scopes are in. Default `"scope"` and `"scp"`.
    #[serde(default, alias = "scopeClaims")]
    pub(super) scope_claims: Option<Vec<ClaimPathWire>>,
    /// Not supported: a wasm filter cannot write dynamic metadata. Use `claims_to_filter_state`.
    #[serde(default, alias = "payloadInMetadata", rename = "payload_in_metadata")]
    _payload_in_metadata: Refused<NoMetadata>,
    /// Not supported: a wasm filter cannot write dynamic metadata. Use `claims_to_filter_state`.
    #[serde(default, alias = "headerInMetadata", rename = "header_in_metadata")]
    _header_in_metadata: Refused<NoMetadata>,
    /// Not supported: the counters `bearer_gate.denied.*` tell why requests are refused.
    #[serde(
        default,
        alias = "failedStatusInMetadata",
        rename = "failed_status_in_metadata"
    )]
    _failed_status_in_metadata: Refused<NoFailedStatus>,
}

struct NoMetadata;

impl Why for NoMetadata {
    const WHY: &str = "a wasm filter cannot write dynamic metadata: use claims_to_filter_state";
}

struct NoFailedStatus;

impl Why for NoFailedStatus {
    const WHY: &str = "a wasm filter cannot write dynamic metadata: the counters \
                       bearer_gate.denied.* tell why requests are refused";
}

#[derive(Clone, Copy, Default, Deserialize)]
#[cfg_attr(
    not(target_arch = "wasm32"),
    derive(schemars::JsonSchema),
    schemars(rename = "JwtCacheConfig", title = "Token cache")
)]
#[serde(deny_unknown_fields)]
pub(super) struct CacheWire {
    /// How many verified tokens each worker remembers; 0 is none. Default 4096.
    #[serde(default, alias = "jwtCacheSize")]
    pub(super) jwt_cache_size: Option<Unsigned>,
    /// The longest token that is remembered, in bytes. Default 8192, at most 65536.
    #[serde(default, alias = "jwtMaxTokenSize")]
    pub(super) jwt_max_token_size: Option<Unsigned>,
}

/// The entries of an object, in the order of their names.
pub(super) struct Entries<T>(pub(super) Vec<(String, T)>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Entries<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(EntriesVisitor(PhantomData))
    }
}

struct EntriesVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for EntriesVisitor<T> {
    type Value = Entries<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Entries<T>, A::Error> {
        let mut entries: Vec<(String, T)> = Vec::new();
        while let Some(name) = access.next_key::<String>()? {
            entries.push((name, access.next_value()?));
        }
        Ok(Entries(entries))
    }
}
