//! The rules of the gate for the policies of one scope.

use super::super::gate_rule::GateRule;
use super::super::problem::{Problem, cannot_check};
use super::super::request_match::RequestMatch;
use super::super::tokens::Tokens;
use super::authorization_policy::{Action, AuthorizationPolicy};
use super::branch::Branch;
use super::condition::ProviderFacts;

/// A way to be allowed.
struct Allowed<'n> {
    branch: &'n Branch<'n>,
    tokens: Tokens,
}

/// What tokens must be like, unless the request is denied.
struct Required<'n> {
    branch: &'n Branch<'n>,
    tokens: Tokens,
}

/// The rules of the gate, and what they do not say.
#[derive(Debug, Default)]
pub(super) struct Rules {
    pub(super) list: Vec<GateRule>,
    pub(super) problems: Vec<Problem>,
    /// Whether only requests that a policy allows match a rule.
    pub(super) is_complete: bool,
}

impl Rules {
    /// The rules for these policies, which apply to the same workloads. `None` if they overlap in too many ways.
    pub(super) fn for_policies(
        policies: &[&AuthorizationPolicy<'_>],
        providers: &[ProviderFacts],
    ) -> Option<Self> {
        let mut problems = Vec::new();
        let of_action = |action| {
            let active = policies.iter().filter(|policy| !policy.is_dry_run);
            active.filter(move |policy| policy.action == action)
        };
        let mut allowed = Vec::new();
        let is_complete = of_action(Action::Allow).any(|policy| policy.has_tokens());
        if is_complete {
            let rules = of_action(Action::Allow).flat_map(|policy| &policy.rules);
            for branch in rules.flat_map(|rule| &rule.branches) {
                let tokens = holding(branch, providers, &mut problems);
                allowed.push(Allowed { branch, tokens });
            }
        }
        let mut required = Vec::new();
        for rule in of_action(Action::Deny).flat_map(|policy| &policy.rules) {
            if rule.has_tokens() && rule.can_be_required(providers) {
                for branch in &rule.branches {
                    let tokens = failing(branch, providers, &mut problems);
                    required.push(Required { branch, tokens });
                }
            }
        }
        let denied = required.iter().map(|required| required.branch);
        for branch in denied.filter(|branch| !branch.others.is_empty()) {
            problems.push(Problem {
                position: branch.position,
                text: format!(
                    "the gate cannot check {}, so it asks for the token whatever that is",
                    branch.others
                ),
            });
        }
        let mut matches: Vec<RequestMatch> = Vec::new();
        matches.extend(allowed.iter().map(|allowed| allowed.branch.request.clone()));
        matches.extend(
            required
                .iter()
                .map(|required| required.branch.request.clone()),
        );
        if !is_complete {
            matches.push(RequestMatch::default());
        }
        let optional = Tokens::optional(providers.len());
        let rules = GateRule::all(matches, |cell| {
            let mut reviews = Vec::new();
            let mut tokens = if is_complete {
                one_of(&allowed, cell, &mut problems, &mut reviews)?
            } else {
                optional.clone()
            };
            for required in &required {
                if required.branch.request.covers(cell) {
                    tokens = tokens.and(&required.tokens);
                }
            }
            Some((tokens, reviews))
        })?;
        Some(Self {
            list: rules,
            problems: Problem::distinct(problems),
            is_complete,
        })
    }
}

/// The tokens with which requests of this branch are allowed.
fn holding(
    branch: &Branch<'_>,
    providers: &[ProviderFacts],
    problems: &mut Vec<Problem>,
) -> Tokens {
    let mut tokens = Tokens::optional(providers.len());
    for condition in &branch.tokens {
        let holding = condition.holding(providers, problems);
        tokens = tokens.and(&holding.unwrap_or_default());
    }
    tokens
}

/// The tokens with which requests of this branch are not denied.
fn failing(
    branch: &Branch<'_>,
    providers: &[ProviderFacts],
    problems: &mut Vec<Problem>,
) -> Tokens {
    let mut tokens = Tokens::none();
    for condition in &branch.tokens {
        let failing = condition.failing(providers, problems);
        if failing.is_none() {
            problems.push(Problem {
                position: condition.position,
                text: "a requirement of the gate cannot say what a token must not have, so what the other conditions \
                       of this rule deny is denied whatever this one says"
                    .to_owned(),
            });
        }
        tokens = tokens.or(failing.unwrap_or_default());
    }
    tokens
}

/// The tokens with which requests of `cell` pass; `None` if nothing is about these requests.
///
/// The remaining policy checks the conditions that the gate cannot check, but it does not know which rule the token
/// satisfied. So if the rules have different conditions of that kind, the token must satisfy a rule without them, or
/// all rules.
fn one_of(
    allowed: &[Allowed<'_>],
    cell: &RequestMatch,
    problems: &mut Vec<Problem>,
    reviews: &mut Vec<String>,
) -> Option<Tokens> {
    let all = allowed.iter();
    let covering: Vec<&Allowed<'_>> = all
        .filter(|allowed| allowed.branch.request.covers(cell))
        .collect();
    let first = covering.first()?;
    let same_tokens = covering.iter().all(|other| other.tokens == first.tokens);
    let same_others = covering
        .iter()
        .all(|other| other.branch.others == first.branch.others);
    let mut tokens = Tokens::none();
    let mut for_all = first.tokens.clone();
    for allowed in &covering {
        for_all = for_all.and(&allowed.tokens);
        if same_tokens || same_others || allowed.branch.others.is_empty() {
            tokens = tokens.or(allowed.tokens.clone());
            continue;
        }
        let text = cannot_check(&allowed.branch.others);
        if !reviews.contains(&text) {
            reviews.push(text.clone());
        }
        problems.push(Problem {
            position: allowed.branch.position,
            text,
        });
    }
    Some(tokens.or(for_all))
}
