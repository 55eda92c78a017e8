//! The configuration as a whole.

use std::collections::HashSet;
use std::rc::Rc;

use gate::policy::{Options, Policy, Provider, Requirement, RuleList, Rules};
use serde::Deserialize;

use super::entries::Entries;
use super::environment::Environment;
use super::error::ConfigError;
use super::provider::ProviderWire;
use super::requirement::RequirementWire;
use super::resource_metadata::{self, ResourceMetadataWire};
use super::rule::RuleWire;
use super::scalar::NonEmpty;
use super::unsupported::{Advice, Unsupported};
use super::warnings;

/// The configuration. Every object refuses unknown fields. A null counts as an absent field, as in
/// protobuf's JSON form.
#[derive(Deserialize)]
#[cfg_attr(
    not(target_arch = "wasm32"),
    derive(schemars::JsonSchema),
    schemars(rename = "Config", title = "Configuration")
)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConfigWire {
    /// The known issuers by name; at least one.
    providers: Entries<ProviderWire>,
    /// Which requests need which token: the first matching rule decides. Without rules every request
    /// needs a token of any provider.
    #[serde(default)]
    rules: Option<Vec<RuleWire>>,
    /// Requirements by name, for rules and routes.
    #[serde(default, alias = "requirementMap")]
    requirement_map: Option<Entries<RequirementWire>>,
    /// What happens to requests that no rule matches: `"deny"` (default) or `"allow"`.
    #[serde(default, alias = "unmatchedRequests")]
    unmatched_requests: Option<UnmatchedWire>,
    /// Whether a route's metadata may name a requirement:
    /// `filter_metadata.bearer_gate.requirement_name`. Default false.
    #[serde(default, alias = "perRouteRequirements")]
    per_route_requirements: Option<bool>,
    /// Whether CORS preflights pass without a token. Default false.
    #[serde(default, alias = "bypassCorsPreflight")]
    bypass_cors_preflight: Option<bool>,
    /// Whether refusals have neither body nor WWW-Authenticate. Default false.
    #[serde(default, alias = "stripFailureResponse")]
    strip_failure_response: Option<bool>,
    /// The part of metric names after `"bearer_gate."`; visible ASCII. Default none.
    #[serde(default, alias = "statPrefix")]
    stat_prefix: Option<String>,
    /// The realm of challenges. Default: the authority of the request.
    #[serde(default)]
    realm: Option<NonEmpty>,
    /// The protected resources, whose metadata the filter serves and names in challenges (RFC 9728): one,
    /// or a list of up to 64. Default none.
    #[serde(default, alias = "resourceMetadata")]
    resource_metadata: Option<Vec<ResourceMetadataWire>>,
    /// Not supported: a wasm filter cannot read filter state safely. Use `per_route_requirements`.
    #[serde(default, alias = "filterStateRules", rename = "filter_state_rules")]
    _filter_state_rules: Unsupported<NoFilterState>,
}

struct NoFilterState;

impl Advice for NoFilterState {
    const TEXT: &str = "a wasm filter cannot read filter state safely: name the requirement in the \
                        route's metadata and set per_route_requirements";
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

impl ConfigWire {
    pub(crate) fn build(self, environment: Environment<'_>) -> Result<Policy, ConfigError> {
        let providers = build_providers(self.providers, environment)?;
        let per_route_requirements = self.per_route_requirements.unwrap_or(false);
        let requirements = build_requirements(self.requirement_map, &providers)?;
        let rules = self.rules.unwrap_or_default();
        let names = rules.iter().filter_map(RuleWire::requirement_name);
        let names: HashSet<String> = names.map(str::to_owned).collect();
        let rules = if rules.is_empty() {
            Rules::AnyProvider(Requirement::any_of(&providers))
        } else {
            Rules::Listed {
                rules: build_rules(rules, &providers, &requirements)?,
                allow_unmatched: matches!(self.unmatched_requests, Some(UnmatchedWire::Allow)),
            }
        };
        if !per_route_requirements {
            check_names(&requirements, &names)?;
        }
        let (resources, resource_paths) =
            resource_metadata::build(self.resource_metadata, &providers)?;
        let options = Options {
            per_route_requirements,
            bypass_cors_preflight: self.bypass_cors_preflight.unwrap_or(false),
            strip_failure_response: self.strip_failure_response.unwrap_or(false),
            stat_prefix: stat_prefix(self.stat_prefix)?,
            realm: self.realm.map(|realm| realm.0),
            ..Options::default()
        };
        let mut policy = Policy::new(providers, rules, requirements, resources, options);
        check_own_headers(&policy)?;
        policy.warnings = warnings::find(&policy, &resource_paths);
        Ok(policy)
    }
}

fn build_providers(
    wires: Entries<ProviderWire>,
    environment: Environment<'_>,
) -> Result<Vec<Rc<Provider>>, ConfigError> {
    if wires.0.is_empty() {
        return Err(ConfigError::new("providers", "must not be empty"));
    }
    let wires = wires.0.into_iter().enumerate();
    wires
        .map(|(index, (name, wire))| wire.build(index, name, environment).map(Rc::new))
        .collect()
}

fn build_requirements(
    wires: Option<Entries<RequirementWire>>,
    providers: &[Rc<Provider>],
) -> Result<Vec<(String, Requirement)>, ConfigError> {
    let wires = wires.map(|map| map.0).unwrap_or_default().into_iter();
    wires
        .map(|(name, wire)| {
            let requirement = wire.build(&format!("requirement_map.{name}"), providers)?;
            Ok((name, requirement))
        })
        .collect()
}

/// Checks that rules name every requirement, where routes cannot. Envoy's routes choose requirements by
/// `PerRouteConfig`, so a requirement that nothing names protects routes that would be open here.
fn check_names(
    requirements: &[(String, Requirement)],
    named_by_rules: &HashSet<String>,
) -> Result<(), ConfigError> {
    let mut names = requirements.iter().map(|(name, _)| name);
    match names.find(|name| !named_by_rules.contains(*name)) {
        None => Ok(()),
        Some(name) => Err(ConfigError::new(
            format!("requirement_map.{name}"),
            "nothing can name this requirement: name it in the requirement_name of a rule, or set \
             per_route_requirements and name it in the metadata of routes, which takes the place of \
             PerRouteConfig",
        )),
    }
}

fn build_rules(
    wires: Vec<RuleWire>,
    providers: &[Rc<Provider>],
    named: &[(String, Requirement)],
) -> Result<RuleList, ConfigError> {
    let build =
        |(index, wire): (usize, RuleWire)| wire.build(&format!("rules[{index}]"), providers, named);
    let rules: Result<_, _> = wires.into_iter().enumerate().map(build).collect();
    rules.map(RuleList::new)
}

/// Dots at the end are dropped: operators write them, and the filter adds one itself.
fn stat_prefix(given: Option<String>) -> Result<String, ConfigError> {
    let given = given.unwrap_or_default();
    let prefix = given.trim_end_matches('.');
    if !prefix.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(ConfigError::new(
            "stat_prefix",
            "must be visible ASCII characters",
        ));
    }
    Ok(prefix.to_owned())
}

/// Checks that no header is both read and set, in any spelling. The filter removes a client's copy of
/// the headers that it sets, so a token in one of them would be lost.
fn check_own_headers(policy: &Policy) -> Result<(), ConfigError> {
    let locations = policy.providers.iter().flat_map(|one| &one.locations);
    let mut read = locations.filter_map(|location| location.header());
    match read.find(|name| policy.must_remove(name.as_bytes())) {
        None => Ok(()),
        Some(name) => {
            let problem = format!("tokens are read from the header {name:?}, so it cannot be set");
            Err(ConfigError::new("providers", problem))
        }
    }
}
