//! Routes that choose requirements.

use super::warning::Warning;
use crate::source_tree::Node;

/// Warns of the requirements that routes in `file` name, and of those that nothing names.
pub(super) fn check(config: &Node, file: &Node, warnings: &mut Vec<Warning>) {
    if !config
        .get("per_route_requirements")
        .is_some_and(Node::is_true)
    {
        return;
    }
    let map = config
        .get("requirement_map")
        .map(Node::entries)
        .unwrap_or_default();
    let mut chosen = Vec::new();
    collect(file, &mut chosen);
    for node in &chosen {
        let name = node.text().unwrap_or_default();
        if !map.iter().any(|entry| entry.key == name) {
            let text = format!(
                "no requirement is named {name:?}: requests by this route are refused with 403"
            );
            warnings.push(Warning::new("unknown-requirement", node.range.start, text));
        }
    }
    if chosen.is_empty() {
        // The routes are elsewhere.
        return;
    }
    let rules = config.get("rules").map(Node::items).unwrap_or_default();
    for entry in map {
        let by_rule = rules
            .iter()
            .any(|rule| rule.text_of("requirement_name") == Some(&entry.key));
        let by_route = chosen.iter().any(|node| node.text() == Some(&entry.key));
        if !by_rule && !by_route {
            let text = format!(
                "neither a rule nor a route in this file names {:?}",
                entry.key
            );
            warnings.push(Warning::new(
                "unnamed-requirement",
                entry.key_range.start,
                text,
            ));
        }
    }
}

/// Collects the names of requirements in the metadata of routes.
fn collect<'n>(node: &'n Node, names: &mut Vec<&'n Node>) {
    let filters = node
        .get("metadata")
        .and_then(|metadata| metadata.get("filter_metadata"));
    let chosen = filters.and_then(|filters| filters.get("bearer_gate")?.get("requirement_name"));
    names.extend(chosen);
    for entry in node.entries() {
        collect(&entry.value, names);
    }
    for item in node.items() {
        collect(item, names);
    }
}

/// Warns of a `PerRouteConfig` of `jwt_authn`, which the gate does not see.
pub(super) fn check_leftover(node: &Node, warnings: &mut Vec<Warning>) {
    let configs = node
        .get("typed_per_filter_config")
        .map(Node::entries)
        .unwrap_or_default();
    for entry in configs {
        let kind = entry.value.type_url().unwrap_or_default();
        if kind.ends_with("jwt_authn.v3.PerRouteConfig") {
            warnings.push(Warning::new(
                "per-route-config",
                entry.key_range.start,
                "the gate does not see PerRouteConfig: name the requirement in the metadata of the route",
            ));
        }
    }
}
