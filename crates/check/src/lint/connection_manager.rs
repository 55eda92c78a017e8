//! The connection manager around the filter: which path upstreams see, and the order of filters.

use super::gate_filter::contains_gate;
use super::warning::Warning;
use crate::source_tree::Node;

/// Warns of a connection manager with these filters, one of which is the gate.
pub(super) fn check(manager: &Node, filters: &Node, warnings: &mut Vec<Warning>) {
    let at = manager.range.start;
    for (field, text) in [
        (
            "normalize_path",
            "without normalize_path rules and upstreams may read a path with `/../` differently",
        ),
        (
            "merge_slashes",
            "without merge_slashes rules and upstreams may read a path with `//` differently",
        ),
    ] {
        if !manager.get(field).is_some_and(Node::is_true) {
            warnings.push(Warning::new("path-normalization", at, text));
        }
    }
    let action = manager.text_of("path_with_escaped_slashes_action");
    if matches!(
        action,
        None | Some("KEEP_UNCHANGED" | "IMPLEMENTATION_SPECIFIC_DEFAULT")
    ) {
        warnings.push(Warning::new(
            "path-normalization",
            at,
            "without path_with_escaped_slashes_action upstreams get paths with `%2F`, which some read as `/`",
        ));
    }
    let options = manager.get("common_http_protocol_options");
    let action = options.and_then(|options| options.text_of("headers_with_underscores_action"));
    if matches!(action, None | Some("ALLOW")) {
        warnings.push(Warning::new(
            "underscores",
            at,
            "without headers_with_underscores_action clients can send x_user where upstreams expect x-user",
        ));
    }
    let mut before: Vec<&Node> = Vec::new();
    for filter in filters.items() {
        if contains_gate(filter) {
            order(&before, filter, warnings);
        }
        before.push(filter);
    }
}

/// Warns of filters before the gate.
fn order(before: &[&Node], gate: &Node, warnings: &mut Vec<Warning>) {
    let at = gate.range.start;
    if before
        .iter()
        .any(|filter| kind(filter).contains("http.router"))
    {
        warnings.push(Warning::new(
            "filter-order",
            at,
            "the filter is behind the router, so no request gets to it",
        ));
    }
    if let Some(filter) = before.iter().find(|filter| may_change_path(filter)) {
        let kind = kind(filter);
        let name = kind.rsplit('/').next().unwrap_or_default();
        warnings.push(Warning::new(
            "filter-order",
            at,
            format!("{name} before the filter may change the path that rules match"),
        ));
    }
}

/// The type of a filter, or else its name.
fn kind(filter: &Node) -> &str {
    let config = filter.get("typed_config");
    let kind = config
        .and_then(Node::type_url)
        .or_else(|| filter.text_of("name"));
    kind.unwrap_or_default()
}

/// Whether a filter may change the path of a request.
fn may_change_path(filter: &Node) -> bool {
    let kind = kind(filter);
    let is = |name: &str| kind.contains(&format!("http.{name}"));
    is("grpc_json_transcoder") || is("lua") || (is("header_mutation") && mentions_path(filter))
}

/// Whether the path of a request is named anywhere in `node`.
fn mentions_path(node: &Node) -> bool {
    node.text() == Some(":path")
        || node
            .entries()
            .iter()
            .any(|entry| mentions_path(&entry.value))
        || node.items().iter().any(mentions_path)
}
