//! The rules of an `AuthorizationPolicy`, taken apart.

use std::collections::BTreeMap;

use serde_json::Value;

use super::super::path_pattern::PathPattern;
use super::super::request_match::{HeaderCondition, RequestMatch, on_path};
use super::super::resource::texts;
use super::super::text_pattern::TextPattern;
use super::condition::{Subject, TokenCondition};
use crate::convert::matcher::template_to_regex;
use crate::source_tree::Node;

/// One way to match a rule: one of its sources and one of its operations, and all of its conditions.
#[derive(Clone, Debug)]
pub(super) struct Branch<'n> {
    pub(super) request: RequestMatch,
    pub(super) tokens: Vec<TokenCondition<'n>>,
    /// Conditions that a filter of HTTP requests cannot check, as text; empty if there are none.
    pub(super) others: String,
    /// Where the rule is in the text.
    pub(super) position: usize,
}

/// Members of a source that look at tokens, and whether they are negated.
pub(super) const PRINCIPALS: [(&str, bool); 2] = [
    ("request_principals", false),
    ("not_request_principals", true),
];

/// The branches of a rule.
///
/// # Errors
///
/// A pattern of a path that cannot be read.
pub(super) fn branches(rule: &Node) -> Result<Vec<Branch<'_>>, (usize, String)> {
    let sources = alternatives(rule, "from", "source");
    let operations = alternatives(rule, "to", "operation");
    let mut branches = Vec::new();
    for source in &sources {
        for operation in &operations {
            let mut tokens = Vec::new();
            let mut others = BTreeMap::new();
            let mut request = RequestMatch::default();
            if let Some(source) = source {
                read_source(source, &mut tokens, &mut others);
            }
            for condition in rule.get("when").map(Node::items).unwrap_or_default() {
                read_condition(condition, &mut tokens, &mut others, &mut request);
            }
            let paths = match operation {
                Some(operation) => read_operation(operation, &mut others, &mut request)?,
                None => Vec::new(),
            };
            let others = others.into_iter();
            let others: Vec<String> = others
                .map(|(name, value)| format!("{name} {value}"))
                .collect();
            let branch = Branch {
                request,
                tokens,
                others: others.join(", "),
                position: rule.range.start,
            };
            if paths.is_empty() {
                branches.push(branch);
                continue;
            }
            for path in paths {
                let mut branch = branch.clone();
                branch.request.paths.insert(path);
                branches.push(branch);
            }
        }
    }
    Ok(branches)
}

/// The elements of a list of a rule; a single `None` if there is no list.
fn alternatives<'n>(rule: &'n Node, list: &str, member: &str) -> Vec<Option<&'n Node>> {
    let items = rule.get(list).map(Node::items).unwrap_or_default();
    if items.is_empty() {
        return vec![None];
    }
    items.iter().map(|item| item.get(member)).collect()
}

fn read_source<'n>(
    source: &'n Node,
    tokens: &mut Vec<TokenCondition<'n>>,
    others: &mut BTreeMap<String, Value>,
) {
    for (name, negated) in PRINCIPALS {
        tokens.extend(TokenCondition::from_member(
            source,
            name,
            &Subject::Principal,
            negated,
        ));
    }
    for entry in source.entries() {
        let is_principal = PRINCIPALS.iter().any(|(name, _)| entry.is_named(name));
        if !is_principal && !entry.value.is_empty() {
            others.insert(entry.key.clone(), entry.value.to_json());
        }
    }
}

/// Reads an element of `when`.
fn read_condition<'n>(
    condition: &'n Node,
    tokens: &mut Vec<TokenCondition<'n>>,
    others: &mut BTreeMap<String, Value>,
    request: &mut RequestMatch,
) {
    let key = condition.text_of("key").unwrap_or_default();
    let lists = [("values", false), ("not_values", true)];
    if let Some(subject) = Subject::from_key(key) {
        for (name, negated) in lists {
            tokens.extend(TokenCondition::from_member(
                condition, name, &subject, negated,
            ));
        }
        return;
    }
    let header = key
        .strip_prefix("request.headers[")
        .and_then(|name| name.strip_suffix(']'));
    for (name, inverted) in lists {
        let values = texts(condition.get(name));
        if values.is_empty() {
            continue;
        }
        if let Some(header) = header {
            request.headers.insert(HeaderCondition {
                name: header.to_ascii_lowercase(),
                patterns: patterns(&values),
                inverted,
                ignore_case: false,
            });
        } else {
            let not = if inverted { "not " } else { "" };
            others.insert(format!("{not}{key}"), values.into());
        }
    }
}

fn patterns(values: &[&str]) -> Vec<TextPattern> {
    values
        .iter()
        .map(|value| TextPattern::from_istio(value))
        .collect()
}

/// Reads what an operation says about requests. Returns its paths, of which one must match.
fn read_operation(
    operation: &Node,
    others: &mut BTreeMap<String, Value>,
    request: &mut RequestMatch,
) -> Result<Vec<PathPattern>, (usize, String)> {
    let mut paths = Vec::new();
    for entry in operation.entries() {
        let values = texts(Some(&entry.value));
        if values.is_empty() {
            continue;
        }
        let is_negated = entry.key.starts_with("not");
        let has_any = values.contains(&"*");
        let path_patterns = || {
            let patterns = values.iter().map(|value| path_pattern(value));
            let patterns: Option<Vec<PathPattern>> = patterns.collect();
            patterns.ok_or_else(|| {
                let text =
                    "has a template that the gate cannot match: write safe_regex into the rule"
                        .to_owned();
                (entry.key_range.start, text)
            })
        };
        if entry.is_named("paths") {
            if !has_any {
                paths = path_patterns()?;
            }
        } else if entry.is_named("not_paths") {
            request.headers.insert(on_path(&path_patterns()?, true));
        } else if entry.is_named("methods") && patterns(&values).iter().all(is_exact) {
            let values = values.iter().map(|&value| value.to_owned());
            request.methods = Some(values.collect());
        } else if let Some((name, ignore_case)) = pseudo_header(&entry.key) {
            if !has_any || is_negated {
                request.headers.insert(HeaderCondition {
                    name: name.to_owned(),
                    patterns: patterns(&values),
                    inverted: is_negated,
                    ignore_case,
                });
            }
        } else {
            others.insert(entry.key.clone(), entry.value.to_json());
        }
    }
    Ok(paths)
}

const fn is_exact(pattern: &TextPattern) -> bool {
    matches!(pattern, TextPattern::Exact(_))
}

/// The pseudo-header that a member of an operation is about, and whether its case counts.
fn pseudo_header(member: &str) -> Option<(&'static str, bool)> {
    match member {
        "hosts" | "notHosts" | "not_hosts" => Some((":authority", true)),
        "methods" | "notMethods" | "not_methods" => Some((":method", false)),
        _ => None,
    }
}

/// The pattern that Istio writes as `text`.
fn path_pattern(text: &str) -> Option<PathPattern> {
    if text.contains("{*}") || text.contains("{**}") {
        let template = text.replace("{*}", "*").replace("{**}", "**");
        return template_to_regex(&template).map(PathPattern::Regex);
    }
    Some(match TextPattern::from_istio(text) {
        TextPattern::Any => PathPattern::Prefix(String::new()),
        TextPattern::Exact(path) | TextPattern::Regex(path) => PathPattern::Exact(path),
        TextPattern::Prefix(path) => PathPattern::Prefix(path),
        TextPattern::Suffix(path) => PathPattern::Suffix(path),
    })
}
