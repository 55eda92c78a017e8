//! The policy as a table: which requests need what.

use crate::source_tree::Node;

/// The lines of the table.
pub(crate) fn lines(config: &Node) -> Vec<String> {
    let mut rows = vec![["rule", "requests", "need"].map(str::to_owned)];
    let rules = config.get("rules").map(Node::items).unwrap_or_default();
    for (index, rule) in rules.iter().enumerate() {
        let requests = rule.get("match").map_or_else(String::new, requests);
        rows.push([index.saturating_add(1).to_string(), requests, need(rule)]);
    }
    let (requests, need) = if rules.is_empty() {
        ("all", "a token of any provider")
    } else if config.text_of("unmatched_requests") == Some("allow") {
        ("all others", "nothing")
    } else {
        ("all others", "are refused: 401")
    };
    rows.push(["-", requests, need].map(str::to_owned));
    if config
        .get("per_route_requirements")
        .is_some_and(Node::is_true)
    {
        let map = config
            .get("requirement_map")
            .map(Node::entries)
            .unwrap_or_default();
        for entry in map {
            let requests = format!("by routes that name {}", entry.key);
            rows.push(["route".to_owned(), requests, requirement(&entry.value)]);
        }
    }
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells
            .map(|cell| cell.chars().count())
            .max()
            .unwrap_or_default()
    };
    let (first, second) = (width(0), width(1));
    rows.iter()
        .map(|[rule, requests, need]| format!("{rule:first$}  {requests:second$}  {need}"))
        .collect()
}

/// The requests that a match selects.
fn requests(matcher: &Node) -> String {
    let mut parts = Vec::new();
    for (name, words) in [
        ("prefix", "below"),
        ("path", "exactly"),
        ("path_separated_prefix", "at or below"),
    ] {
        if let Some(path) = matcher.text_of(name) {
            parts.push(format!("{words} {path}"));
        }
    }
    if let Some(regex) = matcher
        .get("safe_regex")
        .and_then(|regex| regex.text_of("regex"))
    {
        parts.push(format!("like {regex}"));
    }
    for (name, word) in [("headers", "header"), ("query_parameters", "parameter")] {
        for condition in matcher.get(name).map(Node::items).unwrap_or_default() {
            let name = condition.text_of("name").unwrap_or_default();
            let inverted = condition.get("invert_match").is_some_and(Node::is_true);
            let not = if inverted { "without " } else { "" };
            parts.push(format!("{not}{word} {name}{}", test(condition)));
        }
    }
    if matcher.entry("grpc").is_some() {
        parts.push("gRPC".to_owned());
    }
    if matcher.get("dynamic_metadata").is_some() {
        parts.push("with dynamic metadata".to_owned());
    }
    parts.join(", ")
}

/// The test of a condition on a header or parameter.
fn test(condition: &Node) -> String {
    let text = condition.get("string_match");
    let exact = text
        .and_then(|text| text.text_of("exact"))
        .or_else(|| condition.text_of("exact_match"));
    match exact {
        Some(exact) => format!(" = {exact}"),
        None => String::new(),
    }
}

/// What a rule needs.
fn need(rule: &Node) -> String {
    match (rule.get("requires"), rule.text_of("requirement_name")) {
        (Some(node), _) => requirement(node),
        (None, Some(name)) => format!("requirement {name}"),
        (None, None) => "nothing".to_owned(),
    }
}

/// A requirement in words.
fn requirement(node: &Node) -> String {
    let list = |name: &str| {
        let list = node.get(name)?.get("requirements")?;
        let parts: Vec<String> = list.items().iter().map(requirement).collect();
        Some(parts)
    };
    let mut words = if let Some(name) = node.text_of("provider_name") {
        format!("a token of {name}")
    } else if let Some(provider) = node.get("provider_and_audiences") {
        let audiences = provider
            .get("audiences")
            .map(Node::items)
            .unwrap_or_default();
        let audiences: Vec<&str> = audiences.iter().filter_map(Node::text).collect();
        let name = provider.text_of("provider_name").unwrap_or_default();
        format!("a token of {name} for {}", audiences.join(" or "))
    } else if let Some(parts) = list("requires_any") {
        parts.join(" or ")
    } else if let Some(parts) = list("requires_all") {
        parts.join(" and ")
    } else if node.entry("allow").is_some() {
        "nothing".to_owned()
    } else if node.entry("allow_missing").is_some() {
        "no token, or a good one".to_owned()
    } else if node.entry("allow_missing_or_failed").is_some() {
        "nothing (a good token is forwarded)".to_owned()
    } else if node.entry("extract_only_without_validation").is_some() {
        "nothing (claims are forwarded unverified)".to_owned()
    } else {
        String::new()
    };
    let mut has_scopes = false;
    for (name, text) in [
        ("scopes", " with scopes "),
        ("any_scope", " with one of the scopes "),
    ] {
        let scopes = node.get(name).map(Node::items).unwrap_or_default();
        let scopes: Vec<&str> = scopes.iter().filter_map(Node::text).collect();
        if !scopes.is_empty() {
            has_scopes = true;
            words.push_str(text);
            words.push_str(&scopes.join(" "));
        }
    }
    let claims = node.get("claims").map(Node::items).unwrap_or_default();
    let claims: Vec<&str> = claims
        .iter()
        .filter_map(|claim| claim.text_of("claim_name"))
        .collect();
    if !claims.is_empty() {
        let with = if has_scopes { " and " } else { " with " };
        words.push_str(with);
        words.push_str("claims ");
        words.push_str(&claims.join(", "));
    }
    words
}
