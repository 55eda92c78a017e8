//! What is around a configuration that is converted.

use std::path::Path;

use crate::source_tree::{Node, Shape};

/// The file that a configuration is in, and the files that it refers to.
pub(super) struct Surroundings<'s> {
    /// The documents of the file.
    pub(super) documents: &'s [Node],
    /// The directory of the file.
    pub(super) directory: &'s Path,
}

/// The namespace of dynamic metadata into which `jwt_authn` writes.
const NAMESPACE: &str = "envoy.filters.http.jwt_authn";

impl Surroundings<'_> {
    /// Reads a file that the configuration names, relative to the working directory as Envoy does, or else
    /// to the directory of the configuration.
    pub(super) fn read(&self, name: &str) -> Option<String> {
        if name.is_empty() {
            return None;
        }
        std::fs::read_to_string(name)
            .or_else(|_| std::fs::read_to_string(self.directory.join(name)))
            .ok()
    }

    /// Whether a filter in the file passes on all that `jwt_authn` writes into dynamic metadata, such as `ext_authz` with
    /// `metadata_context_namespaces`.
    pub(super) fn passes_metadata_on(&self) -> bool {
        self.documents.iter().any(lists_namespace)
    }

    /// Whether something in the file reads the value `key` that `jwt_authn` writes into dynamic metadata.
    pub(super) fn reads_metadata(&self, key: &str) -> bool {
        self.documents.iter().any(|node| reads(node, key))
    }
}

/// Whether something in `node` names the namespace in a list.
fn lists_namespace(node: &Node) -> bool {
    let mut items = node.items().iter();
    items.any(|item| item.text() == Some(NAMESPACE) || lists_namespace(item))
        || node
            .entries()
            .iter()
            .any(|entry| lists_namespace(&entry.value))
}

/// Whether something in `node` reads the value `key`.
fn reads(node: &Node, key: &str) -> bool {
    match &node.shape {
        Shape::Scalar { text, .. } => text.contains(NAMESPACE) && text.contains(key),
        Shape::List { items, .. } => items.iter().any(|item| reads(item, key)),
        Shape::Map { entries, .. } => {
            // A metadata matcher: `{filter: NAMESPACE, path: [{key: KEY}], ...}`.
            let names = ["filter", "namespace", "metadata_namespace", "key"];
            let is_reader = names
                .iter()
                .any(|name| node.text_of(name).is_some_and(|text| text == NAMESPACE));
            let path = node.get("path").or_else(|| node.get("key")).unwrap_or(node);
            let names_key = path
                .items()
                .iter()
                .any(|segment| segment.text_of("key") == Some(key));
            (is_reader && (names_key || path.text() == Some(key)))
                || entries.iter().any(|entry| reads(&entry.value, key))
        }
    }
}
