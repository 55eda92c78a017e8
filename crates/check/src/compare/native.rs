//! A model of Envoy's `jwt_authn`: what it answers, and what the upstream gets.
//!
//! It is written from Envoy's documentation and from docs/differences.md, which tests compare with a real Envoy; so does
//! `tests/envoy/comparison.rs` with this model.

mod claim_header;
pub(crate) mod envoy_matchers;
mod extraction;
pub(crate) mod fields;
pub(crate) mod provider;
mod query;
pub(crate) mod requirement;
pub(crate) mod rule_match;
pub(crate) mod status;
mod token;
mod verification;

use gate::time::Timestamp;
use serde_json::Value;

use super::header_list::HeaderList;
use super::provider_key::ProviderKeys;
use fields::{flag, get, list, text};
use provider::NativeProvider;
use requirement::NativeRequirement;
use rule_match::RuleMatch;
use status::NativeStatus;
use verification::Verification;

/// A configuration of `jwt_authn`.
pub(crate) struct NativeFilter {
    pub(crate) providers: Vec<NativeProvider>,
    pub(crate) rules: Vec<NativeRule>,
    requirements: Vec<(String, NativeRequirement)>,
    bypasses_preflights: bool,
    pub(crate) strips_failures: bool,
}

/// A rule.
pub(crate) struct NativeRule {
    pub(crate) matching: RuleMatch,
    requirement: RuleRequirement,
}

enum RuleRequirement {
    Own(NativeRequirement),
    /// The name of one in the requirement map.
    Named(String),
}

/// What a route chooses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum RouteChoice {
    /// Nothing: the rules decide.
    Rules,
    /// The filter does nothing.
    Off,
    /// The requirement of this name.
    Requirement(String),
}

impl NativeFilter {
    /// Reads a configuration.
    ///
    /// # Errors
    ///
    /// What the model does not support.
    pub(crate) fn parse(json: &Value, keys: &ProviderKeys) -> Result<Self, String> {
        let providers = get(json, "providers").and_then(Value::as_object);
        let providers = providers.into_iter().flatten();
        let providers = providers
            .map(|(name, provider)| NativeProvider::parse(name, provider, keys.get(name).cloned()));
        let rules = list(json, "rules").into_iter().map(|rule| {
            let name = text(rule, "requirement_name");
            let own =
                get(rule, "requires").map_or(NativeRequirement::Open, NativeRequirement::parse);
            Ok(NativeRule {
                matching: RuleMatch::parse(get(rule, "match").unwrap_or(&Value::Null))?,
                requirement: if name.is_empty() {
                    RuleRequirement::Own(own)
                } else {
                    RuleRequirement::Named(name)
                },
            })
        });
        let map = get(json, "requirement_map").and_then(Value::as_object);
        let map = map.into_iter().flatten();
        Ok(Self {
            providers: providers.collect::<Result<_, String>>()?,
            rules: rules.collect::<Result<_, String>>()?,
            requirements: map
                .map(|(name, requirement)| (name.clone(), NativeRequirement::parse(requirement)))
                .collect(),
            bypasses_preflights: flag(json, "bypass_cors_preflight"),
            strips_failures: flag(json, "strip_failure_response"),
        })
    }

    /// The requirement for a request; `None` if it needs nothing.
    pub(crate) fn requirement(
        &self,
        headers: &HeaderList,
        choice: &RouteChoice,
    ) -> Result<Option<&NativeRequirement>, NativeStatus> {
        match choice {
            RouteChoice::Off => Ok(None),
            RouteChoice::Requirement(name) => {
                let found = self.named(name);
                found.map(Some).ok_or(NativeStatus::UnknownRequirement)
            }
            RouteChoice::Rules => {
                let request = headers.request();
                let mut rules = self.rules.iter();
                let rule = rules.find(|rule| rule.matching.matches(&request));
                Ok(rule.and_then(|rule| match &rule.requirement {
                    RuleRequirement::Own(own) => Some(own),
                    RuleRequirement::Named(name) => self.named(name),
                }))
            }
        }
    }

    fn named(&self, name: &str) -> Option<&NativeRequirement> {
        let mut all = self.requirements.iter();
        let found = all.find(|(known, _)| known == name);
        found.map(|(_, requirement)| requirement)
    }

    /// Judges the request with these headers, which become those of the upstream request.
    pub(crate) fn decide(
        &self,
        headers: &mut HeaderList,
        choice: &RouteChoice,
        now: Timestamp,
    ) -> NativeStatus {
        let own = self.providers.iter().flat_map(NativeProvider::own_headers);
        for name in own {
            headers.remove(name);
        }
        if self.bypasses_preflights && headers.request().is_cors_preflight() {
            return NativeStatus::Ok;
        }
        let verification = Verification {
            providers: &self.providers,
            now,
        };
        match self.requirement(headers, choice) {
            Ok(Some(requirement)) => verification.run(requirement, headers),
            Ok(None) => NativeStatus::Ok,
            Err(status) => status,
        }
    }
}
