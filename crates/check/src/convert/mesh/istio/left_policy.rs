//! What is left of an `AuthorizationPolicy` behind the gate.

use super::super::change::{Change, Edit};
use super::super::notes::{Members, Notes};
use super::super::problem::Problem;
use super::authorization_policy::{Action, AuthorizationPolicy, PolicyRule};
use super::condition::ProviderFacts;
use crate::convert::new_value::NewValue;

/// A policy whose conditions on tokens are in rules of the gate.
pub(super) struct LeftPolicy<'p, 'n> {
    /// The index of the resource.
    pub(super) index: usize,
    pub(super) policy: &'p AuthorizationPolicy<'n>,
    /// What the rules of the gate do not say of it.
    pub(super) problems: Vec<Problem>,
    /// The name of the plugin with the gate.
    pub(super) plugin: &'p str,
}

impl LeftPolicy<'_, '_> {
    /// What becomes of the policy, and the problems that have no place in it.
    pub(super) fn convert(
        self,
        providers: &[ProviderFacts],
        notes: &mut Notes,
    ) -> (Change, Vec<Problem>) {
        let policy = self.policy;
        let path = policy.resource.path();
        let mut members = Members::new();
        let is_required =
            |rule: &PolicyRule<'_>| rule.has_tokens() && rule.can_be_required(providers);
        let rules = match policy.action {
            _ if policy.is_dry_run => {
                let text = "a dry run sees no tokens behind the gate: use report_only of a rule of the gate";
                notes.unconverted(&mut members, self.position(), &path, text);
                policy.all_rules()
            }
            Action::Audit => {
                let text = "this policy, which only logs, sees no tokens behind the gate: its log lacks requests that it \
                            chose by them";
                notes.unconverted(&mut members, self.position(), &path, text);
                policy.all_rules()
            }
            Action::Custom => {
                let text = "behind the gate the policy sees no tokens, so requests are sent to the service whatever their \
                            token is";
                notes.unconverted(&mut members, self.position(), &path, text);
                policy.remaining_rules(|_| true)
            }
            Action::Allow => {
                let text = format!(
                    "what these rules say about tokens is in the rules of the WasmPlugin {}. Both must let a request pass",
                    self.plugin
                );
                notes.review(&mut members, &path, &text);
                policy.remaining_rules(|_| true)
            }
            Action::Deny => {
                let left = |rule: &PolicyRule<'_>| !is_required(rule);
                let rules = policy.remaining_rules(left);
                if rules.is_empty() {
                    let farewell =
                        format!("{path} is in the rules of the WasmPlugin {}", self.plugin);
                    return (deleted(self.index, farewell), self.problems);
                }
                if policy
                    .rules
                    .iter()
                    .any(|rule| left(rule) && rule.has_tokens())
                {
                    notes.unconverted(&mut members, self.position(), &path, NO_NEGATION);
                }
                if policy.rules.iter().any(is_required) {
                    let text = format!(
                        "rules that ask for a token are in the rules of the WasmPlugin {}",
                        self.plugin
                    );
                    notes.review(&mut members, &path, &text);
                }
                rules
            }
        };
        for problem in &self.problems {
            notes.unconverted(&mut members, problem.position, &path, &problem.text);
        }
        (changed(self.index, policy, rules, &members), Vec::new())
    }

    fn position(&self) -> usize {
        self.policy.resource.node.range.start
    }
}

/// Why a rule that denies is wider than it was.
const NO_NEGATION: &str = "a requirement of the gate cannot say what a token must not have. So that nothing is opened, rules \
     that deny requests because of a claim now deny them whatever the token is: write what a token must have into the rules \
     of the gate, or match here on a header of claim_to_headers";

/// What becomes of a policy for other workloads than any gate.
pub(super) fn foreign(index: usize, policy: &AuthorizationPolicy<'_>, notes: &mut Notes) -> Change {
    let path = policy.resource.path();
    let position = policy.resource.node.range.start;
    let mut members = Members::new();
    let text = "no RequestAuthentication here has the same namespace and selector, so its conditions on tokens are in no \
                rule of a gate, and behind a gate they never see a token. So that nothing is opened, ";
    let (consequence, rules) = match policy.action {
        Action::Deny | Action::Custom => (
            "its rules now apply whatever the token is",
            policy.remaining_rules(|_| true),
        ),
        Action::Allow | Action::Audit => (
            "it is left as it is, and behind a gate allows only what needs no token",
            policy.all_rules(),
        ),
    };
    let text = format!("{text}{consequence}. Give both the same selector and convert again");
    notes.unconverted(&mut members, position, &path, &text);
    changed(index, policy, rules, &members)
}

fn deleted(resource: usize, farewell: String) -> Change {
    Change {
        resource,
        before: Vec::new(),
        documents: Vec::new(),
        edit: None,
        farewell,
    }
}

fn changed(
    resource: usize,
    policy: &AuthorizationPolicy<'_>,
    rules: Vec<NewValue>,
    notes: &Members,
) -> Change {
    let rules = NewValue::List(rules);
    let edit = policy.rules_entry().map(|entry| Edit {
        name: entry.key_range.clone(),
        value: entry.value.range.clone(),
        is_flow: entry.value.is_flow() || policy.resource.is_flow(),
        new: rules.clone(),
        notes: notes.clone(),
    });
    Change {
        resource,
        before: Vec::new(),
        documents: vec![policy.with_rules(&rules, notes)],
        edit,
        farewell: String::new(),
    }
}
