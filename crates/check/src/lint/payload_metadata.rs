//! Payloads on their way into dynamic metadata.

use super::gate_filter::contains_gate;
use super::warning::Warning;
use crate::source_tree::{self, Node};

/// Warns of each header for a payload that no filter behind the gate moves into metadata.
pub(super) fn check(filters: &[Node], warnings: &mut Vec<Warning>) {
    for (index, filter) in filters.iter().enumerate() {
        if !contains_gate(filter) {
            continue;
        }
        let mut headers = Vec::new();
        collect(filter, None, &mut headers);
        let behind = filters.iter().skip(index.saturating_add(1));
        let behind: Vec<&Node> = behind.collect();
        for (header, position) in headers {
            if !behind.iter().any(|filter| moves(filter, &header)) {
                warnings.push(Warning::new(
                    "payload-metadata",
                    position,
                    format!(
                        "no header_to_metadata behind the filter moves the header {header} into metadata, so the \
                         upstream gets the payload in it"
                    ),
                ));
            }
        }
    }
}

/// Collects the values of `payload_metadata_header`, each with its position. Those in a text are where the text is.
fn collect(node: &Node, place: Option<usize>, headers: &mut Vec<(String, usize)>) {
    const FIELD: &str = "payload_metadata_header";
    for entry in node.entries() {
        if let Some(header) = entry.value.text().filter(|_| entry.is_named(FIELD)) {
            let position = place.unwrap_or(entry.key_range.start);
            headers.push((header.to_owned(), position));
        }
        collect(&entry.value, place, headers);
    }
    for item in node.items() {
        collect(item, place, headers);
    }
    let text = node.text().filter(|text| text.contains("providers"));
    for inner in text
        .and_then(|text| source_tree::parse(text).ok())
        .iter()
        .flatten()
    {
        if inner.is_map() {
            collect(inner, Some(place.unwrap_or(node.range.start)), headers);
        }
    }
}

/// Whether a filter moves this header into metadata.
fn moves(filter: &Node, header: &str) -> bool {
    let config = filter.get("typed_config");
    let kind = config.and_then(Node::type_url).unwrap_or_default();
    let rules = config.and_then(|config| config.get("request_rules"));
    let mut rules = rules.map(Node::items).unwrap_or_default().iter();
    kind.contains("header_to_metadata")
        && rules.any(|rule| {
            let named = rule.text_of("header");
            named.is_some_and(|named| named.eq_ignore_ascii_case(header))
                && rule.get("on_header_present").is_some()
        })
}
