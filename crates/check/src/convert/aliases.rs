//! Aliases (`*name`) in what is converted.
//!
//! An alias stands for a value that is written elsewhere. Its converted form may differ from the original, which may also
//! be used by something that is not converted, so the value is written out before the conversion.

use super::edits::Edits;
use super::new_value::NewValue;
use crate::source_tree::Node;

/// The text with the aliases written out that are in configurations of `jwt_authn`, or contain one. `None` if there are
/// none. `is_converted` selects the nodes that are converted.
pub(super) fn written_out(
    text: &str,
    documents: &[Node],
    is_converted: &dyn Fn(&Node) -> bool,
) -> Option<String> {
    let mut edits = Edits::default();
    let mut found = false;
    for document in documents {
        collect(document, false, is_converted, &mut edits, &mut found);
    }
    if !found {
        return None;
    }
    edits.take(text, 0..text.len()).ok()
}

fn collect(
    node: &Node,
    inside: bool,
    is_converted: &dyn Fn(&Node) -> bool,
    edits: &mut Edits,
    found: &mut bool,
) {
    let inside = inside || is_converted(node);
    if node.is_alias {
        let is_collection = node.is_map() || node.is_list();
        if is_collection && (inside || contains(node, is_converted)) {
            *found = true;
            let value = NewValue::from_json(&node.to_json());
            edits.replace(node.range.clone(), value.flow());
        }
        return;
    }
    for entry in node.entries() {
        collect(&entry.value, inside, is_converted, edits, found);
    }
    for item in node.items() {
        collect(item, inside, is_converted, edits, found);
    }
}

/// Whether the node contains one that is converted.
fn contains(node: &Node, is_converted: &dyn Fn(&Node) -> bool) -> bool {
    is_converted(node)
        || node
            .entries()
            .iter()
            .any(|entry| contains(&entry.value, is_converted))
        || node.items().iter().any(|item| contains(item, is_converted))
}
