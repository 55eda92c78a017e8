//! Rules: which requests need which token.

use std::rc::Rc;

use serde::Deserialize;

use super::error::ConfigError;
use super::index::Index;
use super::matcher::{MatchWire, Matcher};
use super::provider::Provider;
use super::requirement::{self, Requirement, RequirementWire};
use super::scalar::NonEmpty;
use crate::request::Request;

/// What a configuration asks of requests.
#[derive(Debug)]
pub enum Rules {
    /// There are no rules: every request needs a token of any one provider.
    AnyProvider(Requirement),
    /// The first rule that matches decides.
    Listed {
        /// The rules.
        rules: RuleList,
        /// Whether requests that no rule matches pass.
        allow_unmatched: bool,
    },
}

/// Rules in the order of the configuration, to be looked up by the path of a request.
#[derive(Debug)]
pub struct RuleList {
    rules: Vec<Rule>,
    index: Index,
}

impl RuleList {
    pub(super) fn new(rules: Vec<Rule>) -> Self {
        let index = Index::new(rules.iter().map(|rule| rule.matcher.stem()));
        Self { rules, index }
    }

    /// All of them.
    #[must_use]
    pub fn all(&self) -> &[Rule] {
        &self.rules
    }

    /// Those that are for `request`, in their order. What this costs depends on how many are for
    /// paths that begin as its path does, hardly on how many there are.
    pub fn matching<'l>(&'l self, request: &Request) -> impl Iterator<Item = &'l Rule> {
        let candidates = self.index.candidates(request.path());
        candidates
            .filter_map(|position| self.rules.get(position))
            .filter(|rule| rule.matcher.matches(request))
    }
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
