//! What a file without a configuration of the gate has instead.

use crate::convert::has_policies;
use crate::source_tree::{self, Node};

/// What to do with a file in which there is no configuration of the gate.
pub(crate) fn explain(name: &str, text: &str) -> String {
    let documents = source_tree::parse(text).unwrap_or_default();
    if documents.iter().all(Node::is_null) {
        format!("{name}: is empty")
    } else if documents.iter().any(has_native) {
        format!(
            "{name}: has a jwt_authn filter and no bearer-gate: `bearer-gate-check convert {name}` puts the gate in its place"
        )
    } else if has_policies(&documents) {
        format!(
            "{name}: has policies of Istio or Envoy Gateway about tokens and no bearer-gate: `bearer-gate-check convert \
             {name}` makes the gate of them"
        )
    } else {
        format!("{name}: has no configuration of bearer-gate")
    }
}

/// Whether `node` contains a filter of `jwt_authn`, also of an old version, or a text with one.
fn has_native(node: &Node) -> bool {
    const PARTS: [&str; 2] = ["filters.http.jwt_authn.", "filter.http.jwt_authn."];
    let kinds = [node.type_url(), node.text_of("type_url")];
    let mut kinds = kinds.into_iter().flatten();
    kinds.any(|kind| PARTS.iter().any(|part| kind.contains(part)))
        || node.text_of("name") == Some("envoy.filters.http.jwt_authn")
        || node
            .text()
            .is_some_and(|text| text.contains("http.jwt_authn.v3."))
        || node.entries().iter().any(|entry| has_native(&entry.value))
        || node.items().iter().any(has_native)
}
