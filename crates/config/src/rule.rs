//! Rules: which requests need which token.

use gate::policy::{Enforcement, Requirement, Rule};

use super::list::quoted;
use super::matcher::MatcherWire;
use super::object::object;
use super::place::Place;
use super::providers::Providers;
use super::requirement::Requires;
use super::scalar::NonEmpty;

object! {
    pub(crate) struct RuleWire("Rule", "Rule") {
        /// Which requests the rule applies to.
        matcher = "match": required MatcherWire,
        /// What they need; nothing if neither this nor `requirement_name` is given. Not null.
        requires: not_null Requires,
        /// What they need: a name in `requirement_map`. Not null.
        requirement_name: not_null NonEmpty,
        /// Whether the rule only reports: a request that it would refuse passes unchanged, is counted as
        /// `would_deny.<reason>` and has the filter state `bearer_gate.would_deny`. Default false.
        report_only: optional bool,
    }
}

impl RuleWire {
    /// The name in `requirement_map` that the rule refers to.
    pub(crate) fn requirement_name(&self) -> Option<&str> {
        self.requirement_name.as_ref().map(|name| name.0.as_str())
    }

    /// Builds the rule at this place. `named` are the requirements that it may refer to; one that cannot
    /// be built is `None`.
    pub(crate) fn build(
        self,
        at: &Place<'_>,
        providers: &Providers,
        named: &[(String, Option<Requirement>)],
    ) -> Option<Rule> {
        let matcher = self.matcher.build(&at.field("match"));
        let requirement = match (self.requires, self.requirement_name) {
            (None, None) => Some(Requirement::nothing()),
            (Some(Requires(wire)), None) => wire.build(&at.field("requires"), providers),
            (None, Some(NonEmpty(name))) => find(&name, &at.field("requirement_name"), named),
            (Some(_), Some(_)) => at.refuse("has both requires and requirement_name"),
        };
        Some(Rule {
            matcher: matcher?,
            requirement: requirement?,
            enforcement: enforcement(self.report_only),
        })
    }
}

/// What follows from refusals, given a field `report_only`.
pub(crate) fn enforcement(report_only: Option<bool>) -> Enforcement {
    if report_only == Some(true) {
        Enforcement::Report
    } else {
        Enforcement::Refuse
    }
}

/// The requirement that the field at this place names.
fn find(
    name: &str,
    at: &Place<'_>,
    named: &[(String, Option<Requirement>)],
) -> Option<Requirement> {
    let found = named.iter().find(|(known, _)| known == name);
    if found.is_none() {
        let known = named.iter().map(|(known, _)| known.as_str());
        at.report(&match named {
            [] => "there is no requirement_map".to_owned(),
            _ => format!("is not in requirement_map, which has {}", quoted(known)),
        });
    }
    found?.1.clone()
}
