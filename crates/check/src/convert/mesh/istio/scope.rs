//! What a policy of Istio applies to.

use serde_json::Value;

use super::super::notes::Members;
use super::super::resource::{Resource, value_of};
use crate::source_tree::Node;

/// The fields of a `spec` that say what a policy applies to.
const FIELDS: [(&str, &str); 3] = [
    ("selector", "selector"),
    ("target_ref", "targetRef"),
    ("target_refs", "targetRefs"),
];

/// The workloads that a policy applies to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Scope {
    pub(super) namespace: Option<String>,
    /// The values of [`FIELDS`].
    fields: Vec<Value>,
}

impl Scope {
    pub(super) fn for_policy(resource: &Resource<'_>) -> Self {
        let fields = FIELDS.iter().map(|(name, _)| {
            let value = resource.spec(name).filter(|value| !value.is_empty());
            let value = value.map(Node::to_json).unwrap_or_default();
            match value.get("matchLabels") {
                Some(labels) if labels.as_object().is_some_and(serde_json::Map::is_empty) => {
                    Value::Null
                }
                _ => value,
            }
        });
        Self {
            namespace: resource.namespace.map(str::to_owned),
            fields: fields.collect(),
        }
    }

    /// Whether it is all workloads of the namespace, or of the mesh.
    pub(super) fn is_everything(&self) -> bool {
        self.fields.iter().all(Value::is_null)
    }

    /// Whether one workload may be in both. Labels of selectors are not known here, so they may be.
    pub(super) fn may_overlap(&self, other: &Self) -> bool {
        self.namespace == other.namespace || self.is_root() || other.is_root()
    }

    /// Whether it seems to be gateways: it names resources, or a label has `gateway` in it.
    pub(super) fn is_gateway(&self) -> bool {
        let selector = self.fields.first().map(Value::to_string);
        let selector = selector.unwrap_or_default().to_ascii_lowercase();
        self.names_targets() || selector.contains("gateway")
    }

    /// Whether it names resources, so that it may be a waypoint.
    pub(super) fn names_targets(&self) -> bool {
        let mut targets = self.fields.iter().skip(1);
        targets.any(|target| !target.is_null())
    }

    /// Whether it is all workloads of the namespace of `other`, and more than those of `other`.
    pub(super) fn is_around(&self, other: &Self) -> bool {
        let is_same = self.namespace == other.namespace;
        self.is_everything() && self != other && (is_same || self.is_root())
    }

    fn is_root(&self) -> bool {
        self.namespace.as_deref() == Some("istio-system")
    }
}

/// Writes what the policy applies to into the `spec` of a plugin.
pub(super) fn write(members: &mut Members, resource: &Resource<'_>) {
    for (snake, camel) in FIELDS {
        if let Some(value) = resource.spec(snake).filter(|value| !value.is_empty()) {
            members.push((camel.to_owned(), value_of(value)));
        }
    }
}
