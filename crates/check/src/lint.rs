//! Warnings: what is valid but dangerous, or has no effect.
//!
//! Each kind of warning has a section of the same name in `docs/warnings.md`.

mod clusters;
mod connection_manager;
mod gate_filter;
mod payload_metadata;
mod plugin_settings;
mod provider;
mod route;
mod rules;
mod warning;

use crate::source_tree::{self, Node, Shape};
use gate_filter::{configuration_of, contains_gate, is_gate};
pub(crate) use warning::Warning;

/// The warnings about a file, in the order of the text.
pub(crate) fn find(text: &str) -> Vec<Warning> {
    let Ok(documents) = source_tree::parse(text) else {
        return Vec::new();
    };
    let mut warnings = Vec::new();
    for document in &documents {
        if is_configuration(document) {
            configuration(document, None, document, &mut warnings);
        } else {
            visit(document, document, &mut warnings);
        }
    }
    warnings.sort_by_key(|warning| warning.position);
    warnings.dedup();
    warnings
}

/// Whether a document is a configuration of the filter by itself.
fn is_configuration(document: &Node) -> bool {
    document.get("providers").is_some_and(Node::is_map)
        && [
            "@type",
            "kind",
            "static_resources",
            "filter_chains",
            "resources",
        ]
        .iter()
        .all(|name| document.entry(name).is_none())
}

/// Finds the filters in `node`, which is in `file`.
fn visit(node: &Node, file: &Node, warnings: &mut Vec<Warning>) {
    if node.entry("vm_config").is_some() && is_gate(node) {
        plugin_settings::check(node, warnings);
        if let Some(value) = configuration_of(node) {
            match &value.shape {
                Shape::Map { .. } => configuration(value, None, file, warnings),
                Shape::Scalar { text, .. } => {
                    // A text inside the file: all its warnings are where the text is.
                    for inner in source_tree::parse(text).iter().flatten() {
                        configuration(inner, Some(value.range.start), file, warnings);
                    }
                }
                Shape::List { .. } => {}
            }
        }
        return;
    }
    if let Some(filters) = node.get("http_filters")
        && filters.items().iter().any(contains_gate)
    {
        connection_manager::check(node, filters, warnings);
        payload_metadata::check(filters.items(), warnings);
    }
    route::check_leftover(node, warnings);
    for entry in node.entries() {
        visit(&entry.value, file, warnings);
    }
    for item in node.items() {
        visit(item, file, warnings);
    }
}

/// Warns of a configuration in `file`. All warnings are at the position `place` if there is one.
fn configuration(config: &Node, place: Option<usize>, file: &Node, warnings: &mut Vec<Warning>) {
    let mut found = Vec::new();
    if let Some(providers) = config.get("providers") {
        for entry in providers.entries() {
            provider::check(&entry.key, &entry.value, &mut found);
            clusters::check(&entry.value, file, &mut found);
        }
    }
    rules::check(config, &mut found);
    for warning in &mut found {
        if let Some(place) = place {
            warning.position = place;
        }
    }
    warnings.append(&mut found);
    // Routes are in the file itself.
    route::check(config, file, warnings);
}
