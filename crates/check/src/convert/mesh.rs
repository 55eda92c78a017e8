//! From policies of Istio and of Envoy Gateway to the gate.
//!
//! Their `jwt_authn` is written by a control plane, so that the gate takes the place of a resource: a `WasmPlugin` or an
//! `EnvoyExtensionPolicy`. What the gate cannot say stays in a resource of the old kind. Nothing is opened by that: where
//! a condition fits nowhere, more requests are refused, and the conversion lists it.

mod address;
mod assembly;
mod change;
mod gate_rule;
mod gateway;
mod general;
mod inline_keys;
mod istio;
mod jwt_provider;
mod module;
mod notes;
mod overlap;
mod path_pattern;
mod problem;
mod request_match;
mod resource;
mod text_pattern;
mod tokens;

use super::editor::{Refusal, Review};
use crate::source_tree::Node;
use module::Module;
use notes::Notes;
use resource::Resource;

/// A file whose policies have been converted.
#[derive(Debug)]
pub(super) struct ConvertedPolicies {
    pub(super) text: String,
    /// Where the meaning changes.
    pub(super) reviews: Vec<Review>,
    /// What could not be converted.
    pub(super) unconverted: Vec<Refusal>,
}

/// Whether there are policies to convert.
pub(super) fn has_policies(documents: &[Node]) -> bool {
    let resources = Resource::collect(documents);
    istio::has_policies(&resources) || resources.iter().any(gateway::is_converted)
}

/// Converts the policies in a text with these documents.
///
/// # Errors
///
/// Why nothing can be converted.
pub(super) fn convert(
    text: &str,
    documents: &[Node],
    module: &str,
    is_json: bool,
) -> Result<ConvertedPolicies, Vec<Refusal>> {
    let resources = Resource::collect(documents);
    let module = Module::new(module);
    let mut notes = Notes::new(!is_json);
    let mut changes = istio::convert(&resources, &module, &mut notes);
    changes.extend(gateway::convert(&resources, &module, &mut notes));
    if !notes.refusals.is_empty() {
        return Err(notes.refusals);
    }
    let text = if is_json {
        Ok(assembly::json(documents, &resources, &changes))
    } else {
        assembly::yaml(text, documents, &resources, &changes, &notes)
    };
    let text = text.map_err(|error| {
        vec![Refusal {
            position: 0,
            path: String::new(),
            text: error,
        }]
    })?;
    Ok(ConvertedPolicies {
        text,
        reviews: notes.reviews,
        unconverted: notes.unconverted,
    })
}
