//! Rules: which requests need which token.

use std::rc::Rc;

use gate::policy::{Provider, Requirement, Rule};
use serde::Deserialize;

use super::error::ConfigError;
use super::list::quoted;
use super::matcher::MatcherWire;
use super::requirement::{self, RequirementWire};
use super::scalar::NonEmpty;

#[derive(Deserialize)]
#[cfg_attr(
    not(target_arch = "wasm32"),
    derive(schemars::JsonSchema),
    schemars(rename = "Rule", title = "Rule")
)]
#[serde(deny_unknown_fields)]
pub(crate) struct RuleWire {
    /// Which requests the rule applies to.
    #[serde(rename = "match")]
    matcher: MatcherWire,
    /// What they need; nothing if neither this nor `requirement_name` is given. Not null.
    #[serde(default, deserialize_with = "requirement::not_null")]
    #[cfg_attr(not(target_arch = "wasm32"), schemars(with = "RequirementWire"))]
    requires: Option<RequirementWire>,
    /// What they need: a name in `requirement_map`. Not null.
    #[serde(
        default,
        alias = "requirementName",
        deserialize_with = "NonEmpty::not_null"
    )]
    #[cfg_attr(not(target_arch = "wasm32"), schemars(with = "NonEmpty"))]
    requirement_name: Option<NonEmpty>,
}

impl RuleWire {
    /// The name in `requirement_map` that the rule refers to.
    pub(crate) fn requirement_name(&self) -> Option<&str> {
        self.requirement_name.as_ref().map(|name| name.0.as_str())
    }

    /// Builds the rule at `path`. `named` are the requirements that it may refer to.
    pub(crate) fn build(
        self,
        path: &str,
        providers: &[Rc<Provider>],
        named: &[(String, Requirement)],
    ) -> Result<Rule, ConfigError> {
        let matcher = self.matcher.build(&format!("{path}.match"))?;
        let requirement = match (self.requires, self.requirement_name) {
            (None, None) => Requirement::nothing(),
            (Some(wire), None) => wire.build(&format!("{path}.requires"), providers)?,
            (None, Some(NonEmpty(name))) => {
                let known = named.iter().find(|(known, _)| *known == name);
                let (_, requirement) = known.ok_or_else(|| {
                    let known = named.iter().map(|(known, _)| known.as_str());
                    let problem = match named {
                        [] => "there is no requirement_map".to_owned(),
                        _ => format!("is not in requirement_map, which has {}", quoted(known)),
                    };
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
}
