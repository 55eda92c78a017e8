//! What the metadata say about tokens that are bound to their sender.

use std::rc::Rc;

use gate::policy::{DpopPolicy, Provider, SenderConstraint};
use serde_json::Value;

use super::Document;

/// The members of a document about bound tokens (RFC 9728, section 2), which follow from the rest of the
/// configuration.
#[derive(Default)]
pub(crate) struct BindingMembers(Vec<(&'static str, Value)>);

impl BindingMembers {
    /// The members for these providers. `reads_certificates` says whether the configuration says where the
    /// certificates of clients are learned from.
    pub(crate) fn new(
        providers: &[Rc<Provider>],
        reads_certificates: bool,
        dpop: Option<&DpopPolicy>,
    ) -> Self {
        let requires_certificate =
            |one: &Rc<Provider>| one.sender_constraint == SenderConstraint::Certificate;
        let mut members = Vec::new();
        if reads_certificates || providers.iter().any(requires_certificate) {
            members.push(("tls_client_certificate_bound_access_tokens", true.into()));
        }
        if let Some(dpop) = dpop {
            let names = dpop.algorithm_names();
            let names: Vec<&str> = names.split(' ').collect();
            members.push(("dpop_signing_alg_values_supported", names.into()));
            if providers.iter().all(|one| one.needs_dpop()) {
                members.push(("dpop_bound_access_tokens_required", true.into()));
            }
        }
        Self(members)
    }

    /// Adds the members to `document`, unless `is_given` says that the configuration gives one itself.
    pub(super) fn add_to(&self, document: &mut Document, is_given: impl Fn(&str) -> bool) {
        for (name, value) in &self.0 {
            if !is_given(name) {
                document.add(name, value.clone());
            }
        }
    }
}
