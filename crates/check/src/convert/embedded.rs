//! Files inside a file, such as the `envoy.yaml` of a Kubernetes `ConfigMap`.

use std::ops::Range;

use super::layout::{indentation, line_end, line_start};
use crate::source_tree::{Node, Shape};

/// Whether the value is a literal block that has a filter of `jwt_authn`.
pub(super) fn has_native(node: &Node) -> bool {
    match &node.shape {
        Shape::Scalar { text, literal, .. } => {
            *literal
                && (text.contains("jwt_authn.v3.JwtAuthentication")
                    || text.contains("jwt_authn.v3.PerRouteConfig"))
        }
        Shape::List { .. } | Shape::Map { .. } => false,
    }
}

/// The text of a literal block.
pub(super) fn content(node: &Node) -> &str {
    match &node.shape {
        Shape::Scalar { text, .. } => text,
        Shape::List { .. } | Shape::Map { .. } => "",
    }
}

/// Where the lines of the literal block `node` are in `text`, and what to write there for the content
/// `converted`.
pub(super) fn replacement(text: &str, node: &Node, converted: &str) -> (Range<usize>, String) {
    // The span begins at the indicator or at the content.
    let source = text.get(node.range.clone()).unwrap_or_default();
    let start = if source.starts_with('|') {
        line_end(text, node.range.start).saturating_add(1)
    } else {
        line_start(text, node.range.start)
    };
    let content = text.get(start..node.range.end).unwrap_or_default();
    let first = content.len().saturating_sub(content.trim_start().len());
    let indent = indentation(text, start.saturating_add(first));
    let before = " ".repeat(indent);
    let lines = converted.trim_end().split('\n').map(|line| match line {
        "" => String::new(),
        line => format!("{before}{line}"),
    });
    let lines = lines.collect::<Vec<_>>().join("\n");
    (start..node.range.end, lines)
}
