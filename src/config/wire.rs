//! The shape of the configuration's JSON. Every object refuses fields that it does not know; a
//! `null` is a field that is not there, as in protobuf's JSON form.

use std::fmt;
use std::marker::PhantomData;
use std::rc::Rc;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::Value;

use super::claim::ClaimPathWire;
use super::error::ConfigError;
use super::forwarding::{ClaimToFilterStateWire, ClaimToHeaderWire, NormalizeWire};
use super::introspection::IntrospectionWire;
use super::location::FromHeaderWire;
use super::provider::{self, Provider};
use super::requirement::{self, Requirement, RequirementWire};
use super::revocation::RevocationWire;
use super::rules::{self, RuleWire, Rules};
use super::scalar::{Bytes, HttpUri, NonEmpty, PositiveDuration, Refused, Unsigned, Why};
use super::text::TextMatcherWire;
use super::unique::Unique;
use super::{Config, Environment};

/// Parses the JSON of a configuration. What refers to something else is checked by `build`.
pub(super) fn parse(json: &[u8]) -> Result<ConfigWire, ConfigError> {
    let mut deserializer = serde_json::Deserializer::from_slice(json);
    let json: Result<Unique, _> = serde_path_to_error::deserialize(&mut deserializer);
    let Unique(json) = json.map_err(|error| ConfigError::from_serde(&error))?;
    let end = deserializer.end();
    end.map_err(|error| ConfigError::new("", format!("not JSON: {error}")))?;
    read(json)
}

/// The same for JSON that has been parsed already.
pub(super) fn read(json: Value) -> Result<ConfigWire, ConfigError> {
    serde_path_to_error::deserialize(json).map_err(|error| ConfigError::from_serde(&error))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ConfigWire {
    providers: Entries<ProviderWire>,
    #[serde(default)]
    rules: Option<Vec<RuleWire>>,
    #[serde(default, alias = "requirementMap")]
    requirement_map: Option<Entries<RequirementWire>>,
    #[serde(default, alias = "unmatchedRequests")]
    unmatched_requests: Option<UnmatchedWire>,
    #[serde(default, alias = "perRouteRequirements")]
    per_route_requirements: Option<bool>,
    #[serde(default, alias = "bypassCorsPreflight")]
    bypass_cors_preflight: Option<bool>,
    #[serde(default, alias = "stripFailureResponse")]
    strip_failure_response: Option<bool>,
    #[serde(default, alias = "statPrefix")]
    stat_prefix: Option<String>,
    #[serde(default)]
    realm: Option<NonEmpty>,
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
        })
    }
}

fn build_rules(
    wires: Vec<RuleWire>,
    providers: &[Rc<Provider>],
    named: &[(String, Requirement)],
) -> Result<Vec<rules::Rule>, ConfigError> {
    let build = |(index, wire)| rules::build(&format!("rules[{index}]"), wire, providers, named);
    wires.into_iter().enumerate().map(build).collect()
}

/// The headers that tokens are read from or rules look at, each once.
fn read_headers(providers: &[Rc<Provider>], rules: &Rules) -> Vec<String> {
    let locations = providers.iter().flat_map(|provider| &provider.locations);
    let of_tokens = locations.filter_map(|location| location.header().map(str::to_owned));
    let of_rules = match rules {
        Rules::AnyProvider(_) => &[][..],
        Rules::Listed { rules, .. } => rules,
    };
    let of_rules = of_rules.iter().flat_map(|rule| rule.matcher.headers());
    let mut headers: Vec<String> = of_tokens.chain(of_rules.cloned()).collect();
    headers.sort_unstable();
    headers.dedup();
    headers
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
    let requirements = named.iter().map(|(_, requirement)| requirement);
    let of_rules = match rules {
        Rules::AnyProvider(_) => &[][..],
        Rules::Listed { rules, .. } => rules,
    };
    for requirement in requirements.chain(of_rules.iter().map(|rule| &rule.requirement)) {
        requirement.tree.collect_status_headers(&mut headers);
    }
    headers.sort_unstable();
    headers.dedup();
    headers
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum UnmatchedWire {
    Deny,
    Allow,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ProviderWire {
    #[serde(default)]
    pub(super) issuer: Option<NonEmpty>,
    #[serde(default)]
    pub(super) audiences: Option<Vec<NonEmpty>>,
    #[serde(default, alias = "remoteJwks")]
    pub(super) remote_jwks: Option<RemoteJwksWire>,
    #[serde(default, alias = "localJwks")]
    pub(super) local_jwks: Option<LocalJwksWire>,
    #[serde(default)]
    pub(super) algorithms: Option<Vec<String>>,
    #[serde(default)]
    pub(super) types: Option<Vec<String>>,
    #[serde(default, alias = "jwtCacheConfig")]
    pub(super) jwt_cache_config: Option<CacheWire>,
    #[serde(default)]
    pub(super) forward: Option<bool>,
    #[serde(default, alias = "clockSkewSeconds")]
    pub(super) clock_skew_seconds: Option<Unsigned>,
    #[serde(default, alias = "requireExpiration")]
    pub(super) require_expiration: Option<bool>,
    #[serde(default)]
    pub(super) subjects: Option<TextMatcherWire>,
    #[serde(default, alias = "maxLifetime")]
    pub(super) max_lifetime: Option<PositiveDuration>,
    #[serde(default, alias = "fromHeaders")]
    pub(super) from_headers: Option<Vec<FromHeaderWire>>,
    #[serde(default, alias = "fromParams")]
    pub(super) from_params: Option<Vec<NonEmpty>>,
    #[serde(default, alias = "fromCookies")]
    pub(super) from_cookies: Option<Vec<NonEmpty>>,
    #[serde(default, alias = "forwardPayloadHeader")]
    pub(super) forward_payload_header: Option<String>,
    #[serde(default, alias = "padForwardPayloadHeader")]
    pub(super) pad_forward_payload_header: Option<bool>,
    #[serde(default, alias = "claimToHeaders")]
    pub(super) claim_to_headers: Option<Vec<ClaimToHeaderWire>>,
    #[serde(default, alias = "claimsToFilterState")]
    pub(super) claims_to_filter_state: Option<Vec<ClaimToFilterStateWire>>,
    #[serde(default, alias = "normalizePayloadInMetadata")]
    pub(super) normalize_payload_in_metadata: Option<NormalizeWire>,
    #[serde(default, alias = "clearRouteCache")]
    pub(super) clear_route_cache: Option<bool>,
    #[serde(default)]
    pub(super) revocation: Option<RevocationWire>,
    #[serde(default)]
    pub(super) introspection: Option<IntrospectionWire>,
    #[serde(default, alias = "scopeClaims")]
    pub(super) scope_claims: Option<Vec<ClaimPathWire>>,
    #[serde(default, alias = "payloadInMetadata", rename = "payload_in_metadata")]
    _payload_in_metadata: Refused<NoMetadata>,
    #[serde(default, alias = "headerInMetadata", rename = "header_in_metadata")]
    _header_in_metadata: Refused<NoMetadata>,
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
#[serde(deny_unknown_fields)]
pub(super) struct CacheWire {
    #[serde(default, alias = "jwtCacheSize")]
    pub(super) jwt_cache_size: Option<Unsigned>,
    #[serde(default, alias = "jwtMaxTokenSize")]
    pub(super) jwt_max_token_size: Option<Unsigned>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RemoteJwksWire {
    #[serde(default, alias = "httpUri")]
    pub(super) http_uri: Option<HttpUriWire>,
    #[serde(default)]
    pub(super) discovery: Option<DiscoveryWire>,
    #[serde(default, alias = "cacheDuration")]
    pub(super) cache_duration: Option<PositiveDuration>,
    #[serde(default, alias = "maxStale")]
    pub(super) max_stale: Option<PositiveDuration>,
    #[serde(default, alias = "refetchCooldown")]
    pub(super) refetch_cooldown: Option<PositiveDuration>,
    #[serde(default, alias = "asyncFetch")]
    pub(super) async_fetch: Option<AsyncFetchWire>,
    #[serde(default, alias = "retryPolicy")]
    pub(super) retry_policy: Option<RetryPolicyWire>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HttpUriWire {
    pub(super) uri: HttpUri,
    pub(super) cluster: NonEmpty,
    #[serde(default)]
    pub(super) timeout: Option<PositiveDuration>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DiscoveryWire {
    pub(super) cluster: NonEmpty,
    #[serde(default)]
    pub(super) timeout: Option<PositiveDuration>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AsyncFetchWire {
    /// Whether the listener may serve before the first fetch has ended: here it always may.
    #[serde(default, rename = "fast_listener", alias = "fastListener")]
    _fast_listener: Option<bool>,
    #[serde(default, alias = "failedRefetchDuration")]
    pub(super) failed_refetch_duration: Option<PositiveDuration>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RetryPolicyWire {
    #[serde(default, alias = "numRetries")]
    pub(super) num_retries: Option<Unsigned>,
    #[serde(default, alias = "retryBackOff")]
    pub(super) retry_back_off: Option<RetryBackOffWire>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RetryBackOffWire {
    #[serde(alias = "baseInterval")]
    pub(super) base_interval: PositiveDuration,
    #[serde(default, alias = "maxInterval")]
    pub(super) max_interval: Option<PositiveDuration>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LocalJwksWire {
    #[serde(default, alias = "inlineString")]
    pub(super) inline_string: Option<String>,
    #[serde(default, alias = "inlineBytes")]
    pub(super) inline_bytes: Option<Bytes>,
    #[serde(default, alias = "environmentVariable")]
    pub(super) environment_variable: Option<NonEmpty>,
    #[serde(default, rename = "filename")]
    _filename: Refused<NoFile>,
}

struct NoFile;

impl Why for NoFile {
    const WHY: &str = "a wasm filter has no access to files: use inline_string, or \
                       environment_variable with vm_config.environment_variables";
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
