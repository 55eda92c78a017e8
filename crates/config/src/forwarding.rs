//! What the upstream and the access log receive of a token.

use std::rc::Rc;

use gate::admission::OWN_STATE_PREFIX;
use gate::policy::{ClaimTarget, Forwarding, HeaderClaim, PayloadMetadata, Policy, TextEncoding};

use super::choice::choice;
use super::claim_path::{self, PathSegment};
use super::object::object;
use super::place::Place;
use super::scalar::{NonEmpty, OwnHeaderName};

/// The fields of a provider that concern forwarding.
pub(crate) struct ForwardingFields {
    pub(crate) forward_payload_header: Option<String>,
    pub(crate) pad_forward_payload_header: Option<bool>,
    pub(crate) payload_in_metadata: Option<String>,
    pub(crate) payload_metadata_header: Option<OwnHeaderName>,
    pub(crate) claim_to_headers: Option<Vec<ClaimToHeaderWire>>,
    pub(crate) claims_to_filter_state: Option<Vec<ClaimToFilterStateWire>>,
    pub(crate) normalize_payload_in_metadata: Option<NormalizeWire>,
    pub(crate) clear_route_cache: Option<bool>,
}

object! {
    pub(crate) struct ClaimToHeaderWire("ClaimToHeader", "Claim to header") {
        /// The header.
        header_name: required OwnHeaderName,
        /// The claim: a name, with dots between the objects that lead to it.
        claim_name: optional NonEmpty,
        /// The claim, as a list of names, for names with dots.
        claim_path: optional Vec<PathSegment>,
        /// How a string is written into the header: `"utf8"` (default), as it is, or `"percent"`, percent-encoded.
        encoding: optional EncodingWire,
    }
}

choice! {
    /// How a string is written into a header.
    enum EncodingWire("TextEncoding") {
        /// As UTF-8.
        Utf8 = "utf8",
        /// Percent-encoded (RFC 8187, section 3.2.1).
        Percent = "percent",
    }
}

object! {
    pub(crate) struct ClaimToFilterStateWire("ClaimToFilterState", "Claim to filter state") {
        /// The key: `%FILTER_STATE(wasm.KEY:PLAIN)%` in the access log.
        key: required NonEmpty,
        /// The claim: a name, with dots between the objects that lead to it.
        claim_name: optional NonEmpty,
        /// The claim, as a list of names, for names with dots.
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
        let metadata = metadata(at, self.payload_in_metadata, self.payload_metadata_header);
        let headers = self.claim_to_headers;
        let claim_headers = at.build_list("claim_to_headers", headers, ClaimToHeaderWire::build);
        let filter_state = self.claims_to_filter_state.unwrap_or_default();
        let mut space_delimited = Vec::new();
        if let Some(wire) = self.normalize_payload_in_metadata {
            if filter_state.is_empty() && metadata.is_none() {
                let at = at.field("normalize_payload_in_metadata");
                at.report("works only with claims_to_filter_state or payload_in_metadata");
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
            metadata,
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

/// Builds the fields `payload_in_metadata` and `payload_metadata_header` of the provider at this place. The empty name
/// counts as none, as in Envoy.
fn metadata(
    at: &Place<'_>,
    key: Option<String>,
    header: Option<OwnHeaderName>,
) -> Option<PayloadMetadata> {
    match (key.filter(|key| !key.is_empty()), header) {
        (None, None) => None,
        (Some(key), Some(OwnHeaderName(header))) => Some(PayloadMetadata { header, key }),
        (Some(_), None) => at.field("payload_in_metadata").refuse(
            "a wasm filter cannot write dynamic metadata: name a header in payload_metadata_header, which \
             Envoy's filter header_to_metadata moves there",
        ),
        (None, Some(_)) => {
            let at = at.field("payload_metadata_header");
            at.refuse("needs payload_in_metadata, the name of the payload in dynamic metadata")
        }
    }
}

/// Checks that nothing else is in the headers with payloads for dynamic metadata: Envoy joins the values of one header,
/// and could decode none. The providers are at this place.
pub(crate) fn check_metadata_headers(providers: &Place<'_>, policy: &Policy) {
    for provider in &policy.providers {
        let Some(metadata) = &provider.forwarding.metadata else {
            continue;
        };
        let others = || policy.providers.iter().map(|other| &other.forwarding);
        let is_other = others().filter_map(|other| other.metadata.as_ref());
        let mut is_other = is_other.filter(|other| other.header == metadata.header);
        let set = others().flat_map(|other| {
            let claims = other.claim_headers.iter().map(|claim| &claim.header);
            other.payload_header.iter().chain(claims)
        });
        let mut set = set.chain(&policy.status_headers);
        let at = providers.field(&provider.name);
        let at = at.field("payload_metadata_header");
        if is_other.any(|other| other.key != metadata.key) {
            at.report("must differ from the header of a provider with another payload_in_metadata");
        }
        if set.any(|header| *header == metadata.header) {
            at.report("must be a header that nothing else sets");
        }
    }
}

impl ClaimToHeaderWire {
    fn build(self, at: &Place<'_>) -> Option<HeaderClaim> {
        Some(HeaderClaim {
            claim: claim_path::build(at, self.claim_name, self.claim_path)?,
            header: self.header_name.0,
            encoding: match self.encoding {
                None | Some(EncodingWire::Utf8) => TextEncoding::Utf8,
                Some(EncodingWire::Percent) => TextEncoding::Percent,
            },
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
