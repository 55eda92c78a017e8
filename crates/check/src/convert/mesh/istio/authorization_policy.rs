//! `AuthorizationPolicy`: what it says about tokens, and what is left of it behind the gate.

use super::super::notes::{Members, Notes};
use super::super::resource::{Resource, value_of};
use super::branch::{Branch, PRINCIPALS, branches};
use super::condition::{ProviderFacts, Subject};
use super::scope::Scope;
use crate::convert::new_value::NewValue;
use crate::source_tree::{Entry, Node};

/// What a policy does with requests that match it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    Allow,
    Deny,
    /// Asks another service.
    Custom,
    /// Only logs.
    Audit,
}

/// An `AuthorizationPolicy`.
#[derive(Clone, Debug)]
pub(super) struct AuthorizationPolicy<'n> {
    pub(super) resource: Resource<'n>,
    pub(super) scope: Scope,
    pub(super) action: Action,
    pub(super) rules: Vec<PolicyRule<'n>>,
    /// Whether it decides nothing.
    pub(super) is_dry_run: bool,
}

/// A rule of an `AuthorizationPolicy`.
#[derive(Clone, Debug)]
pub(super) struct PolicyRule<'n> {
    node: &'n Node,
    pub(super) branches: Vec<Branch<'n>>,
}

impl PolicyRule<'_> {
    /// Whether it looks at tokens.
    pub(super) fn has_tokens(&self) -> bool {
        self.branches.iter().any(|branch| !branch.tokens.is_empty())
    }

    /// Whether everything that it says about tokens can be a requirement of requests that it does not match.
    pub(super) fn can_be_required(&self, providers: &[ProviderFacts]) -> bool {
        let mut branches = self.branches.iter();
        branches.all(|branch| {
            let mut tokens = branch.tokens.iter();
            tokens.any(|token| token.failing(providers, &mut Vec::new()).is_some())
        })
    }
}

impl<'n> AuthorizationPolicy<'n> {
    /// Reads the policy `resource`. What cannot be read is refused.
    pub(super) fn parse(resource: Resource<'n>, notes: &mut Notes) -> Self {
        let action = match resource.spec("action").and_then(Node::text) {
            Some("DENY") => Action::Deny,
            Some("CUSTOM") => Action::Custom,
            Some("AUDIT") => Action::Audit,
            _ => Action::Allow,
        };
        let rules = resource.spec("rules").map(Node::items).unwrap_or_default();
        let mut read = Vec::new();
        for node in rules {
            match branches(node) {
                Ok(branches) => read.push(PolicyRule { node, branches }),
                Err((position, text)) => notes.refuse(position, &resource.path(), &text),
            }
        }
        let annotations = resource
            .node
            .get("metadata")
            .and_then(|metadata| metadata.get("annotations"));
        let dry_run = annotations.and_then(|all| all.text_of("istio.io/dry-run"));
        Self {
            scope: Scope::for_policy(&resource),
            resource,
            action,
            rules: read,
            is_dry_run: dry_run == Some("true"),
        }
    }

    /// Whether it looks at tokens, which it cannot see behind the gate.
    pub(super) fn has_tokens(&self) -> bool {
        self.rules.iter().any(PolicyRule::has_tokens)
    }

    /// The claims that it looks at.
    pub(super) fn claims(&self) -> impl Iterator<Item = &str> {
        let branches = self.rules.iter().flat_map(|rule| &rule.branches);
        let tokens = branches.flat_map(|branch| &branch.tokens);
        tokens.filter_map(|token| match &token.subject {
            Subject::Claim(path) => match path.as_slice() {
                [name] => Some(name.as_str()),
                _ => None,
            },
            Subject::Principal => None,
        })
    }

    /// The rules that are left: those that `is_kept`, without what they say about tokens.
    pub(super) fn remaining_rules(
        &self,
        is_kept: impl Fn(&PolicyRule<'n>) -> bool,
    ) -> Vec<NewValue> {
        let kept = self.rules.iter().filter(|rule| is_kept(rule));
        kept.map(|rule| without_tokens(rule.node)).collect()
    }

    /// All rules as they are.
    pub(super) fn all_rules(&self) -> Vec<NewValue> {
        self.rules.iter().map(|rule| value_of(rule.node)).collect()
    }

    /// The policy with these rules.
    pub(super) fn with_rules(&self, rules: &NewValue, notes: &Members) -> NewValue {
        let NewValue::Map(members) = value_of(self.resource.node) else {
            return value_of(self.resource.node);
        };
        let members = members.into_iter().map(|(name, value)| match value {
            NewValue::Map(spec) if name == "spec" => {
                let mut changed = Members::new();
                for (name, value) in spec {
                    if name == "rules" {
                        changed.extend(notes.iter().cloned());
                        changed.push((name, rules.clone()));
                    } else {
                        changed.push((name, value));
                    }
                }
                (name, NewValue::Map(changed))
            }
            value => (name, value),
        });
        NewValue::Map(members.collect())
    }

    /// Where its rules are in the text.
    pub(super) fn rules_entry(&self) -> Option<&'n Entry> {
        self.resource.node.get("spec")?.entry("rules")
    }
}

/// A rule without its conditions on tokens, so that it matches more requests.
fn without_tokens(rule: &Node) -> NewValue {
    let mut members = Members::new();
    for entry in rule.entries() {
        let items = entry.value.items();
        let kept: Vec<NewValue> = if entry.is_named("from") {
            let sources: Vec<Option<NewValue>> = items.iter().map(without_principals).collect();
            // One source that every request has makes the others superfluous.
            sources
                .into_iter()
                .collect::<Option<Vec<_>>>()
                .unwrap_or_default()
        } else if entry.is_named("when") {
            let is_other =
                |item: &&Node| Subject::from_key(item.text_of("key").unwrap_or_default()).is_none();
            items.iter().filter(is_other).map(value_of).collect()
        } else {
            items.iter().map(value_of).collect()
        };
        if !kept.is_empty() {
            members.push((entry.key.clone(), NewValue::List(kept)));
        }
    }
    NewValue::Map(members)
}

/// An element of `from` without principals of tokens; `None` if nothing is left.
fn without_principals(item: &Node) -> Option<NewValue> {
    let source = item.get("source")?.entries().iter();
    let kept = source.filter(|entry| {
        let is_principal = PRINCIPALS.iter().any(|(name, _)| entry.is_named(name));
        !is_principal && !entry.value.is_empty()
    });
    let kept: Members = kept
        .map(|entry| (entry.key.clone(), value_of(&entry.value)))
        .collect();
    (!kept.is_empty()).then(|| NewValue::map([("source", NewValue::Map(kept))]))
}
