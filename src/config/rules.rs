//! Rules: which requests need which token.

use std::rc::Rc;

use serde::Deserialize;

use super::error::ConfigError;
use super::matcher::{MatchWire, Matcher};
use super::provider::Provider;
use super::requirement::{self, Requirement, RequirementWire};
use super::scalar::NonEmpty;

/// What a configuration asks of requests.
#[derive(Debug)]
pub enum Rules {
    /// There are no rules: every request needs a token of any one provider.
    AnyProvider(Requirement),
    /// The first rule that matches decides.
    Listed {
        /// The rules, in the order of the configuration.
        rules: Vec<Rule>,
        /// Whether requests that no rule matches pass.
        allow_unmatched: bool,
    },
}

/// What requests that match need.
#[derive(Debug)]
pub struct Rule {
    /// Which requests.
    pub matcher: Matcher,
    /// What they need.
    pub requirement: Requirement,
}

#[derive(Deserialize)]
#[cfg_attr(
    not(target_arch = "wasm32"),
    derive(schemars::JsonSchema),
    schemars(rename = "Rule", title = "Rule")
)]
#[serde(deny_unknown_fields)]
pub(super) struct RuleWire {
    /// Which requests the rule is for.
    #[serde(rename = "match")]
    matcher: MatchWire,
    /// What they need; nothing where neither this nor `requirement_name` is given.
    #[serde(default)]
    requires: Option<RequirementWire>,
    /// What they need: a name in `requirement_map`.
    #[serde(default, alias = "requirementName")]
    requirement_name: Option<NonEmpty>,
}

pub(super) fn build(
    path: &str,
    wire: RuleWire,
    providers: &[Rc<Provider>],
    named: &[(String, Requirement)],
) -> Result<Rule, ConfigError> {
    let matcher = wire.matcher.build(&format!("{path}.match"))?;
    let requirement = match (wire.requires, wire.requirement_name) {
        (None, None) => Requirement::nothing(),
        (Some(wire), None) => requirement::build(&format!("{path}.requires"), wire, providers)?,
        (None, Some(NonEmpty(name))) => {
            let known = named.iter().find(|(known, _)| *known == name);
            let (_, requirement) = known.ok_or_else(|| {
                let problem = format!("there is no {name:?} in requirement_map");
                ConfigError::new(format!("{path}.requirement_name"), problem)
            })?;
            requirement.clone()
        }
        (Some(_), Some(_)) => {
            return Err(ConfigError::new(
                path,
                "has both requires and requirement_name",
            ));
        }
    };
    Ok(Rule {
        matcher,
        requirement,
    })
}
