//! How this filter is recognised.

use crate::source_tree::{Node, Shape};

/// Whether a plugin is this filter: by its name, its code or its configuration.
pub(super) fn is_gate(plugin: &Node) -> bool {
    fn mentions(node: &Node) -> bool {
        match &node.shape {
            Shape::Scalar { text, .. } => {
                let text = text.to_ascii_lowercase();
                text.contains("bearer-gate") || text.contains("bearer_gate")
            }
            Shape::List { items, .. } => items.iter().any(mentions),
            Shape::Map { entries, .. } => entries.iter().any(|entry| mentions(&entry.value)),
        }
    }
    let marks = [plugin.get("name"), plugin.get("vm_config")];
    marks.into_iter().flatten().any(mentions)
        || configuration_of(plugin).is_some_and(|value| value.get("providers").is_some())
}

/// Whether a filter is or contains this filter.
pub(super) fn contains_gate(node: &Node) -> bool {
    (node.entry("vm_config").is_some() && is_gate(node))
        || node
            .entries()
            .iter()
            .any(|entry| contains_gate(&entry.value))
}

/// The configuration of a plugin, without the message around it.
pub(super) fn configuration_of(plugin: &Node) -> Option<&Node> {
    let configuration = plugin.get("configuration")?;
    match configuration.type_url() {
        Some(_) => configuration.get("value"),
        None => Some(configuration),
    }
}
