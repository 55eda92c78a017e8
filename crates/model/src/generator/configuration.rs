//! Configurations.

use std::collections::BTreeMap;

use fastrand::Rng;
use serde_json::{Map, Value, json};

use super::certificate;
use super::dice::{chance, one_of};
use super::dpop;
use super::matcher;
use super::provider::{self, Provider};
use super::requirement;
use crate::case::Served;

/// A configuration, and what tokens and requests for it are made of.
pub(crate) struct Plan {
    pub(crate) configuration: Value,
    pub(crate) providers: Vec<Provider>,
    pub(crate) documents: BTreeMap<String, Served>,
    pub(crate) environment: BTreeMap<String, String>,
    /// The scheme by which requests arrive.
    pub(crate) scheme: &'static str,
    /// The requirements that routes may name; `None` if they may not.
    pub(crate) named: Option<Vec<String>>,
    /// Whether any requirement takes several tokens.
    pub(crate) takes_several: bool,
}

impl Plan {
    pub(crate) fn new(rng: &mut Rng, now: i64) -> Self {
        let count = one_of(rng, &[1, 1, 1, 2, 2, 3]);
        let names = ["cloud", "partner", "zoo"];
        let mut providers: Vec<Provider> = names
            .iter()
            .take(count)
            .map(|name| provider::draw(rng, name, now))
            .collect();
        let mut configuration = json!({});
        let per_route = chance(rng, 8);
        let requirements = rules(rng, &mut configuration, &providers, per_route);
        options(rng, &mut configuration);
        if per_route {
            configuration["per_route_requirements"] = json!(true);
        }
        if chance(rng, 15) {
            configuration["client_certificate"] = certificate::source(rng);
            for provider in &mut providers {
                provider.binds_to_certificates = true;
            }
        }
        let mut environment = BTreeMap::new();
        if chance(rng, 45) {
            dpop::add(rng, &mut configuration, &mut providers, &mut environment);
        }
        for one in &providers {
            configuration["providers"][&one.name] = one.fields.clone();
            environment.extend(one.environment.clone());
        }
        let documents = providers.iter().flat_map(|one| one.documents.clone());
        Self {
            takes_several: configuration.to_string().contains("requires_all"),
            configuration,
            documents: documents.collect(),
            environment,
            scheme: one_of(rng, &["https", "https", "http"]),
            named: per_route.then_some(requirements),
            providers,
        }
    }
}

impl Plan {
    pub(crate) fn checks_proofs(&self) -> bool {
        self.configuration.get("dpop").is_some()
    }
}

/// Adds rules. Returns the names of requirements.
fn rules(
    rng: &mut Rng,
    configuration: &mut Value,
    providers: &[Provider],
    per_route: bool,
) -> Vec<String> {
    let names: Vec<String> = providers.iter().map(|one| one.name.clone()).collect();
    let mut map = Map::new();
    let mut rules = Vec::new();
    let count = if chance(rng, 12) { 0 } else { rng.usize(1..=5) };
    for number in 0..count {
        let mut rule = json!({"match": matcher::draw(rng)});
        let requirement = requirement::draw(rng, &names, 2);
        match rng.u8(0..20) {
            0 | 1 => {}
            2..=5 => {
                let name = format!("r_{number}");
                rule["requirement_name"] = json!(name);
                map.insert(name, requirement);
            }
            _ => rule["requires"] = requirement,
        }
        if chance(rng, 6) {
            rule["report_only"] = json!(true);
        }
        rules.push(rule);
    }
    if chance(rng, 75) && !rules.is_empty() {
        let requirement = requirement::draw(rng, &names, 1);
        rules.push(json!({"match": {"prefix": "/"}, "requires": requirement}));
    }
    if per_route {
        for number in 0..2 {
            map.insert(format!("route_{number}"), requirement::draw(rng, &names, 2));
        }
    }
    let requirements = map.keys().cloned().collect();
    if !rules.is_empty() || chance(rng, 20) {
        configuration["rules"] = rules.into();
    }
    if !map.is_empty() {
        configuration["requirement_map"] = map.into();
    }
    requirements
}

fn options(rng: &mut Rng, configuration: &mut Value) {
    if chance(rng, 4) {
        configuration["report_only"] = json!(rng.bool());
    }
    if chance(rng, 8) {
        configuration["response_body"] = json!(one_of(rng, &["problem", "json"]));
    }
    if chance(rng, 40) {
        configuration["unmatched_requests"] = json!(one_of(rng, &["allow", "deny"]));
    }
    if chance(rng, 20) {
        configuration["bypass_cors_preflight"] = json!(rng.bool());
    }
    if chance(rng, 8) {
        configuration["strip_failure_response"] = json!(rng.bool());
    }
    if chance(rng, 15) {
        let long = "r".repeat(300);
        let realms = ["orders", "a \"b\" \\c", "caf\u{e9}\n", &long];
        configuration["realm"] = json!(one_of(rng, &realms));
    }
}
