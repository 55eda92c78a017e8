//! Rules and requirements.

use super::warning::Warning;
use crate::source_tree::Node;

/// Warns of the rules in a configuration.
pub(super) fn check(config: &Node, warnings: &mut Vec<Warning>) {
    let rules = config.get("rules").map(Node::items).unwrap_or_default();
    let mut covering: Vec<(usize, &Node)> = Vec::new();
    for (index, rule) in rules.iter().enumerate() {
        let number = index.saturating_add(1);
        let Some(matcher) = rule.get("match") else {
            continue;
        };
        let at = matcher.range.start;
        if let Some((earlier, _)) = covering.iter().find(|(_, other)| covers(other, matcher)) {
            let text = format!(
                "rule {number} never applies: rule {earlier} matches all its requests first"
            );
            warnings.push(Warning::new("shadowed-rule", at, text));
        }
        let opens = is_open(rule, config);
        let prefix = matcher.text_of("prefix");
        if opens && is_unconditional(matcher) && matches!(prefix, Some("" | "/")) {
            let text = format!("rule {number} lets every request pass without a token");
            warnings.push(Warning::new("open-rule", at, text));
        } else if opens
            && let Some(prefix) = prefix
            && !prefix.ends_with('/')
        {
            let text = format!(
                "rule {number} also opens paths such as {prefix}x: write path_separated_prefix, or end the prefix with /"
            );
            warnings.push(Warning::new("prefix", at, text));
        }
        // A rule that opens paths does not match ambiguous ones, which later rules still see.
        if !opens && is_unconditional(matcher) {
            covering.push((number, matcher));
        }
    }
    if let Some(unmatched) = config.get("unmatched_requests")
        && unmatched.text() == Some("allow")
    {
        warnings.push(Warning::new(
            "open-rule",
            unmatched.range.start,
            "requests that no rule matches pass without a token",
        ));
    }
}

/// Whether the match depends on the path alone.
fn is_unconditional(matcher: &Node) -> bool {
    ["headers", "query_parameters", "grpc", "dynamic_metadata"]
        .iter()
        .all(|name| {
            matcher
                .get(name)
                .is_none_or(|value| value.is_list() && value.is_empty())
        })
        && matcher.text_of("case_sensitive") != Some("false")
}

/// Whether every request that `later` matches is matched by `earlier`, which depends on the path alone.
fn covers(earlier: &Node, later: &Node) -> bool {
    if later.text_of("case_sensitive") == Some("false") {
        return matches!(earlier.text_of("prefix"), Some("" | "/"));
    }
    let starts: Vec<&str> = ["prefix", "path", "path_separated_prefix"]
        .iter()
        .filter_map(|name| later.text_of(name))
        .collect();
    if let Some(prefix) = earlier.text_of("prefix") {
        return matches!(prefix, "" | "/") || starts.iter().any(|start| start.starts_with(prefix));
    }
    if let Some(path) = earlier.text_of("path") {
        return later.text_of("path") == Some(path);
    }
    if let Some(prefix) = earlier.text_of("path_separated_prefix") {
        let is_within = |start: &str| {
            start
                .strip_prefix(prefix)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let separated = ["path", "path_separated_prefix"];
        let mut given = separated.iter().filter_map(|name| later.text_of(name));
        return given.any(is_within)
            || later
                .text_of("prefix")
                .is_some_and(|start| start != prefix && is_within(start));
    }
    false
}

/// Whether a rule lets requests pass without a token.
fn is_open(rule: &Node, config: &Node) -> bool {
    let named = rule.text_of("requirement_name").and_then(|name| {
        let map = config.get("requirement_map")?;
        let mut entries = map.entries().iter();
        entries
            .find(|entry| entry.key == name)
            .map(|entry| &entry.value)
    });
    match rule.get("requires").or(named) {
        Some(requirement) => requirement.entry("allow").is_some(),
        None => rule.get("requirement_name").is_none(),
    }
}
