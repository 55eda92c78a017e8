//! What the upstream and the access log receive of a token.

use std::rc::Rc;

use gate::admission::OWN_STATE_PREFIX;
use gate::policy::{ClaimTarget, Forwarding};

use super::claim_path::{self, PathSegment};
use super::object::object;
use super::place::Place;
use super::scalar::{NonEmpty, OwnHeaderName};

/// The fields of a provider that concern forwarding.
pub(crate) struct ForwardingFields {
    pub(crate) forward_payload_header: Option<String>,
    pub(crate) pad_forward_payload_header: Option<bool>,
    pub(crate) claim_to_headers: Option<Vec<ClaimToHeaderWire>>,
    pub(crate) claims_to_filter_state: Option<Vec<ClaimToFilterStateWire>>,
    pub(crate) normalize_payload_in_metadata: Option<NormalizeWire>,
    pub(crate) clear_route_cache: Option<bool>,
}

object! {
    pub(crate) struct ClaimToHeaderWire("ClaimToHeader", "Claim to header") {
        /// The header.
        header_name: required OwnHeaderName,
        /// The claim: a name, with dots between it and the objects that contain it.
        claim_name: optional NonEmpty,
        /// The claim: its names one by one, for names with dots.
        claim_path: optional Vec<PathSegment>,
    }
}

object! {
    pub(crate) struct ClaimToFilterStateWire("ClaimToFilterState", "Claim to filter state") {
        /// The key: `%FILTER_STATE(wasm.KEY:PLAIN)%` in the access log.
        key: required NonEmpty,
        /// The claim: a name, with dots between it and the objects that contain it.
        claim_name: optional NonEmpty,
        /// The claim: its names one by one, for names with dots.
        claim_path: optional Vec<PathSegment>,
    }
}

object! {
    pub(crate) struct NormalizeWire("Normalize", "Normalization") {
        /// Claims that become lists if they are strings, which are split at spaces.
        space_delimited_claims: optional Vec<NonEmpty>,
    }
}

impl ForwardingFields {
    /// Builds what the provider at this place forwards.
    pub(crate) fn build(self, at: &Place<'_>) -> Rc<Forwarding> {
        let payload_header = payload_header(at, self.forward_payload_header);
        let headers = self.claim_to_headers;
        let claim_headers = at.build_list("claim_to_headers", headers, ClaimToHeaderWire::build);
        let filter_state = self.claims_to_filter_state.unwrap_or_default();
        let mut space_delimited = Vec::new();
        if let Some(wire) = self.normalize_payload_in_metadata {
            if filter_state.is_empty() {
                let at = at.field("normalize_payload_in_metadata");
                at.report(
                    "a wasm filter cannot write dynamic metadata: this works with \
                     claims_to_filter_state only",
                );
            }
            let claims = wire.space_delimited_claims.unwrap_or_default();
            space_delimited = claims.into_iter().map(|name| name.0).collect();
        }
        let filter_state = at.build_list(
            "claims_to_filter_state",
            Some(filter_state),
            ClaimToFilterStateWire::build,
        );
        Rc::new(Forwarding {
            payload_header,
            pad_payload: self.pad_forward_payload_header.unwrap_or(false),
            claim_headers,
            filter_state,
            space_delimited,
            clear_route_cache: self.clear_route_cache.unwrap_or(false),
        })
    }
}

/// Builds the field `forward_payload_header` of the provider at this place. An empty name counts as none,
/// as in Envoy.
fn payload_header(at: &Place<'_>, name: Option<String>) -> Option<String> {
    let name = name.filter(|name| !name.is_empty())?;
    let name = OwnHeaderName::parse(&name, &at.field("forward_payload_header"))?;
    Some(name.0)
}

impl ClaimToHeaderWire {
    fn build(self, at: &Place<'_>) -> Option<ClaimTarget> {
        Some(ClaimTarget {
            claim: claim_path::build(at, self.claim_name, self.claim_path)?,
            target: self.header_name.0,
        })
    }
}

impl ClaimToFilterStateWire {
    fn build(self, at: &Place<'_>) -> Option<ClaimTarget> {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
        if !self.key.0.bytes().all(fits) {
            let at = at.field("key");
            at.report("must be letters, digits, _, - and . only");
        }
        if self.key.0.starts_with(OWN_STATE_PREFIX) {
            let at = at.field("key");
            at.report("must not begin with \"bearer_gate.\": the filter says there why it refuses requests");
        }
        Some(ClaimTarget {
            claim: claim_path::build(at, self.claim_name, self.claim_path)?,
            target: self.key.0,
        })
    }
}
