//! What is left of a `SecurityPolicy` behind the gate.

use super::super::notes::Members;
use super::super::resource::{Resource, value_of};
use super::authorization::{Authorization, AuthorizationRule};
use crate::convert::new_value::NewValue;

/// The fields of a `spec` that say nothing by themselves.
const TARGETS: [&str; 4] = ["targetRef", "targetRefs", "targetSelectors", "mergeType"];

/// The policy without what is in rules of the gate; `None` if nothing is left.
pub(super) fn document(
    policy: &Resource<'_>,
    authorization: &Authorization<'_>,
) -> Option<NewValue> {
    let mut spec = Members::new();
    for entry in policy.node.get("spec")?.entries() {
        match entry.key.as_str() {
            "jwt" => {}
            "authorization" => {
                if let Some(left) = left_authorization(authorization) {
                    spec.push((entry.key.clone(), left));
                }
            }
            _ => spec.push((entry.key.clone(), value_of(&entry.value))),
        }
    }
    let says_something = |(name, _): &(String, NewValue)| !TARGETS.contains(&name.as_str());
    if !spec.iter().any(says_something) {
        return None;
    }
    let members = policy.node.entries().iter().map(|entry| {
        let value = if entry.key == "spec" {
            NewValue::Map(spec.clone())
        } else {
            value_of(&entry.value)
        };
        (entry.key.clone(), value)
    });
    Some(NewValue::Map(members.collect()))
}

/// The authorization without conditions on tokens; `None` if rules of the gate say all of it.
fn left_authorization(authorization: &Authorization<'_>) -> Option<NewValue> {
    if !authorization.is_kept() {
        return None;
    }
    let mut members = Members::new();
    for entry in authorization.node?.entries() {
        let value = if entry.key == "rules" {
            NewValue::List(authorization.rules.iter().map(left_rule).collect())
        } else {
            value_of(&entry.value)
        };
        members.push((entry.key.clone(), value));
    }
    Some(NewValue::Map(members))
}

/// A rule without its conditions on tokens.
fn left_rule(rule: &AuthorizationRule<'_>) -> NewValue {
    let mut members = Members::new();
    let mut has_condition = false;
    for entry in rule.node.entries() {
        if entry.key != "principal" {
            has_condition |= entry.key == "cel";
            members.push((entry.key.clone(), value_of(&entry.value)));
            continue;
        }
        let kept = entry
            .value
            .entries()
            .iter()
            .filter(|entry| entry.key != "jwt");
        let kept: Members = kept
            .map(|entry| (entry.key.clone(), value_of(&entry.value)))
            .collect();
        if !kept.is_empty() {
            has_condition = true;
            members.push((entry.key.clone(), NewValue::Map(kept)));
        }
    }
    if !has_condition {
        // A rule must have a principal: this is everybody.
        let everybody = ["0.0.0.0/0", "::/0"].into_iter().map(NewValue::text);
        let everybody = NewValue::map([("clientCIDRs", NewValue::List(everybody.collect()))]);
        members.push(("principal".to_owned(), everybody));
    }
    NewValue::Map(members)
}
