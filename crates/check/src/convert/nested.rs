//! Configurations of `jwt_authn` inside other filters, such as composite filters.

use std::ops::Range;

use super::filter::{self, new_name, payload_filter_name};
use super::new_value::NewValue;
use super::provider::Payload;
use crate::source_tree::{Node, Shape};

const EXECUTE: &str = ".composite.v3.ExecuteFilterAction";
const SKIP: &str =
    "type.googleapis.com/envoy.extensions.filters.common.matcher.action.v3.SkipFilter";

/// A filter of `jwt_authn` inside another filter.
#[derive(Debug)]
pub(super) struct Nested {
    /// Where the message with its name and configuration is.
    pub(super) message: Range<usize>,
    pub(super) name: String,
    /// What the gate in its place leaves for the filter behind it.
    pub(super) payloads: Vec<Payload>,
}

/// A filter that moves payloads into metadata under the conditions under which `outer` runs the gates `nested`: a copy of
/// `outer` in which that filter is in the place of the gates.
pub(super) fn payload_filter(outer: &Node, name: &str, nested: &[Nested]) -> NewValue {
    let members = outer.entries().iter().map(|entry| {
        let value = if entry.is_named("name") {
            NewValue::Text(payload_filter_name(&new_name(name)))
        } else {
            copy(&entry.value, nested)
        };
        (entry.key.clone(), value)
    });
    NewValue::Map(members.collect())
}

fn copy(node: &Node, nested: &[Nested]) -> NewValue {
    if let Some(gate) = nested.iter().find(|gate| gate.message == node.range) {
        return filter::payload_filter(&new_name(&gate.name), &gate.payloads, false);
    }
    let is_action = node.type_url().is_some_and(|kind| kind.ends_with(EXECUTE));
    if is_action && !nested.iter().any(|gate| moves_payload_of(node, gate)) {
        return NewValue::map([("@type", NewValue::text(SKIP))]);
    }
    match &node.shape {
        Shape::Map { entries, .. } => NewValue::Map(
            entries
                .iter()
                .map(|entry| (entry.key.clone(), copy(&entry.value, nested)))
                .collect(),
        ),
        Shape::List { items, .. } => {
            NewValue::List(items.iter().map(|item| copy(item, nested)).collect())
        }
        Shape::Scalar { .. } => NewValue::from_json(&node.to_json()),
    }
}

/// Whether the action runs the gate, and the gate has a payload.
fn moves_payload_of(action: &Node, gate: &Nested) -> bool {
    action.range.start <= gate.message.start
        && gate.message.end <= action.range.end
        && !gate.payloads.is_empty()
}
