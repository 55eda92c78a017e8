//! The resources of Kubernetes in a file.

use crate::convert::new_value::NewValue;
use crate::source_tree::{Node, Shape};

/// A resource of Kubernetes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Resource<'n> {
    pub(super) node: &'n Node,
    /// The index of its document.
    pub(super) document: usize,
    /// Whether it is an element of a `List`, which is the document.
    pub(super) in_list: bool,
    pub(super) kind: &'n str,
    pub(super) name: &'n str,
    pub(super) namespace: Option<&'n str>,
}

impl<'n> Resource<'n> {
    fn new(node: &'n Node, document: usize, in_list: bool) -> Option<Self> {
        let metadata = node.get("metadata");
        Some(Self {
            node,
            document,
            in_list,
            kind: node.text_of("kind")?,
            name: metadata
                .and_then(|metadata| metadata.text_of("name"))
                .unwrap_or_default(),
            namespace: metadata.and_then(|metadata| metadata.text_of("namespace")),
        })
    }

    /// Collects the resources of all documents. A `List` stands for its elements.
    pub(super) fn collect(documents: &'n [Node]) -> Vec<Self> {
        let mut found = Vec::new();
        for (index, document) in documents.iter().enumerate() {
            let kind = document.text_of("kind").unwrap_or_default();
            match document.get("items") {
                Some(items) if kind.ends_with("List") => {
                    let items = items.items().iter();
                    found.extend(items.filter_map(|item| Self::new(item, index, true)));
                }
                _ => found.extend(Self::new(document, index, false)),
            }
        }
        found
    }

    /// A member of its `spec`.
    pub(super) fn spec(&self, name: &str) -> Option<&'n Node> {
        self.node.get("spec")?.get(name)
    }

    /// Whether its `spec` is written in flow style.
    pub(super) fn is_flow(&self) -> bool {
        self.node.is_flow() || self.node.get("spec").is_some_and(Node::is_flow)
    }

    /// What reports call it.
    pub(super) fn path(&self) -> String {
        match self.namespace {
            Some(namespace) => format!("{} {namespace}/{}", self.kind, self.name),
            None => format!("{} {}", self.kind, self.name),
        }
    }

    /// The metadata of a resource that is written beside it, with this name.
    pub(super) fn metadata(&self, name: &str) -> NewValue {
        let mut members = vec![("name".to_owned(), NewValue::text(name))];
        if let Some(namespace) = self.namespace {
            members.push(("namespace".to_owned(), NewValue::text(namespace)));
        }
        NewValue::Map(members)
    }
}

/// The value of a node, in its order.
pub(super) fn value_of(node: &Node) -> NewValue {
    match &node.shape {
        Shape::Scalar { .. } => NewValue::from_json(&node.to_json()),
        Shape::List { items, .. } => NewValue::List(items.iter().map(value_of).collect()),
        Shape::Map { entries, .. } => {
            let members = entries.iter();
            let members = members.map(|entry| (entry.key.clone(), value_of(&entry.value)));
            NewValue::Map(members.collect())
        }
    }
}

/// The texts in a list, or a single one.
pub(super) fn texts(node: Option<&Node>) -> Vec<&str> {
    let Some(node) = node else {
        return Vec::new();
    };
    let single = node.text();
    let list = node.items().iter().filter_map(Node::text);
    single.into_iter().chain(list).collect()
}
