//! Requirements of `jwt_authn`.

use super::editor::{Editor, NewEntry};
use super::new_value::NewValue;
use crate::source_tree::{Entry, Node};

/// What the conversion has learned about requirements.
#[derive(Debug, Default)]
pub(super) struct RequirementFacts {
    /// Whether one of them lets requests pass without a token.
    pub(super) opens: bool,
    /// Whether one of them extracts claims without validation.
    pub(super) extracts: bool,
    /// Whether one of them lets requests with bad tokens pass.
    pub(super) admits_failed: bool,
    /// Pairs of providers that read tokens from the same place, of which the first takes them away.
    pub(super) takers: Vec<(String, String)>,
}

/// The converted form of the requirement `node`, to write it in another place.
pub(super) fn converted(node: &Node) -> NewValue {
    if is_open(node) {
        return open();
    }
    let members = node.entries().iter().map(|entry| {
        let value = match entry.value.entry("requirements") {
            Some(list) if entry.is_named("requires_any") || entry.is_named("requires_all") => {
                let items = list.value.items().iter().map(converted).collect();
                NewValue::Map(vec![(list.key.clone(), NewValue::List(items))])
            }
            _ => NewValue::from_json(&entry.value.to_json()),
        };
        (entry.key.clone(), value)
    });
    NewValue::Map(members.collect())
}

/// Whether it lets every request pass because it says nothing.
fn is_open(node: &Node) -> bool {
    let is_null = |entry: &Entry| entry.value.is_null();
    node.is_empty() || (node.is_map() && node.entries().iter().all(is_null))
}

/// Converts the requirement `node`, which is at `path`.
pub(super) fn convert(
    editor: &mut Editor<'_>,
    node: &Node,
    path: &str,
    facts: &mut RequirementFacts,
) {
    if is_open(node) {
        facts.opens = true;
        if !node.is_empty() {
            let text = "a null is no requirement: in jwt_authn it lets every request pass, and so it does here";
            editor.review(node.range.start, path, text);
        }
        editor.replace(node, path, &open());
        return;
    }
    for fallback in ["allow_missing", "allow_missing_or_failed"] {
        facts.opens |= node.entry(fallback).is_some();
    }
    if let Some(entry) = node.entry("extract_only_without_validation") {
        facts.opens = true;
        facts.extracts = true;
        editor.review(
            entry.key_range.start,
            &format!("{path}.{}", entry.key),
            "jwt_authn verifies here all the same and marks requests with bad tokens; the gate verifies nothing, \
             forwards the claims and marks every request that has a token",
        );
    }
    if let Some(entry) = node.entry("provider_and_audiences")
        && let Some(audiences) = entry.value.entry("audiences")
        && !audiences.value.is_empty()
    {
        let path = format!("{path}.{}.{}", entry.key, audiences.key);
        editor.review(audiences.key_range.start, &path, AUDIENCES);
    }
    facts.admits_failed |= node.entry("allow_missing_or_failed").is_some();
    for list in ["requires_any", "requires_all"] {
        let Some(entry) = node.entry(list) else {
            continue;
        };
        let Some(requirements) = entry.value.entry("requirements") else {
            continue;
        };
        if list == "requires_all" && takes_away(&requirements.value, facts) {
            editor.review(
                entry.key_range.start,
                &format!("{path}.{}", entry.key),
                "two providers read tokens from the same place: in jwt_authn the first takes its token away unless \
                 `forward` is true, and the other refuses the request; here one token may satisfy both",
            );
        }
        if list == "requires_any" && repeats_provider(&requirements.value) {
            editor.review(
                entry.key_range.start,
                &format!("{path}.{}", entry.key),
                "several alternatives name the same provider: in jwt_authn the first takes the token away from \
                 the next; here each sees it",
            );
        }
        for (index, item) in requirements.value.items().iter().enumerate() {
            let path = format!("{path}.{}.{}[{index}]", entry.key, requirements.key);
            convert(editor, item, &path, facts);
        }
    }
}

/// What an audience means here.
pub(super) const AUDIENCES: &str = "a token for another audience gets 401 `invalid_token`, not 403; and audiences are compared exactly, where \
     jwt_authn ignores http://, https:// and a slash at the end: write them as they are in the tokens";

/// The requirement that lets every request pass.
pub(super) fn open() -> NewValue {
    NewValue::map([("allow", NewValue::Map(Vec::new()))])
}

/// A requirement in `requirement_map` that lets every request pass, for routes that disable `jwt_authn`.
pub(super) fn open_entry() -> NewEntry {
    NewEntry::new(DISABLED, open())
}

/// The name of [`open_entry`].
pub(super) const DISABLED: &str = "jwt_authn_disabled";

/// Whether a provider in one of the requirements takes the token away from one in another.
fn takes_away(requirements: &Node, facts: &RequirementFacts) -> bool {
    let names: Vec<Vec<&str>> = requirements
        .items()
        .iter()
        .map(|requirement| {
            let mut names = Vec::new();
            collect(requirement, &mut names);
            names
        })
        .collect();
    let mut takers = facts.takers.iter();
    takers.any(|(first, other)| {
        let position = |name: &str| names.iter().position(|names| names.contains(&name));
        let last = names
            .iter()
            .rposition(|names| names.contains(&other.as_str()));
        position(first).is_some_and(|position| last > Some(position))
    })
}

/// Whether two of the alternatives name the same provider.
fn repeats_provider(alternatives: &Node) -> bool {
    let names: Vec<Vec<&str>> = alternatives
        .items()
        .iter()
        .map(|alternative| {
            let mut names = Vec::new();
            collect(alternative, &mut names);
            names
        })
        .collect();
    let mut seen: Vec<&str> = Vec::new();
    for alternative in names {
        if alternative.iter().any(|name| seen.contains(name)) {
            return true;
        }
        seen.extend(alternative);
    }
    false
}

/// Collects the names of the providers in a requirement.
fn collect<'n>(node: &'n Node, names: &mut Vec<&'n str>) {
    let with_audiences = node.get("provider_and_audiences").unwrap_or(node);
    names.extend(with_audiences.text_of("provider_name"));
    for list in ["requires_any", "requires_all"] {
        let requirements = node.get(list).and_then(|list| list.get("requirements"));
        for item in requirements.map(Node::items).unwrap_or_default() {
            collect(item, names);
        }
    }
}
