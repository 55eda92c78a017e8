//! What the upstream and the access log receive of a token.

use std::rc::Rc;

use gate::policy::{ClaimTarget, Forwarding};
use serde::Deserialize;

use super::claim_path::{self, PathSegment};
use super::error::ConfigError;
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

#[derive(Deserialize)]
#[cfg_attr(
    not(target_arch = "wasm32"),
    derive(schemars::JsonSchema),
    schemars(rename = "ClaimToHeader", title = "Claim to header")
)]
#[serde(deny_unknown_fields)]
pub(crate) struct ClaimToHeaderWire {
    /// The header.
    #[serde(alias = "headerName")]
    header_name: OwnHeaderName,
    /// The claim: a name, with dots between it and the objects that contain it.
    #[serde(default, alias = "claimName")]
    claim_name: Option<NonEmpty>,
    /// The claim: its names one by one, for names with dots.
    #[serde(default, alias = "claimPath")]
    claim_path: Option<Vec<PathSegment>>,
}

#[derive(Deserialize)]
#[cfg_attr(
    not(target_arch = "wasm32"),
    derive(schemars::JsonSchema),
    schemars(rename = "ClaimToFilterState", title = "Claim to filter state")
)]
#[serde(deny_unknown_fields)]
pub(crate) struct ClaimToFilterStateWire {
    /// The key: `%FILTER_STATE(wasm.KEY:PLAIN)%` in the access log.
    key: NonEmpty,
    /// The claim: a name, with dots between it and the objects that contain it.
    #[serde(default, alias = "claimName")]
    claim_name: Option<NonEmpty>,
    /// The claim: its names one by one, for names with dots.
    #[serde(default, alias = "claimPath")]
    claim_path: Option<Vec<PathSegment>>,
}

#[derive(Deserialize)]
#[cfg_attr(
    not(target_arch = "wasm32"),
    derive(schemars::JsonSchema),
    schemars(rename = "Normalize", title = "Normalization")
)]
#[serde(deny_unknown_fields)]
pub(crate) struct NormalizeWire {
    /// Claims that become lists if they are strings, which are split at spaces.
    #[serde(default, alias = "spaceDelimitedClaims")]
    space_delimited_claims: Option<Vec<NonEmpty>>,
}

impl ForwardingFields {
    /// Builds what the provider at `path` forwards.
    pub(crate) fn build(self, path: &str) -> Result<Rc<Forwarding>, ConfigError> {
        let headers = self.claim_to_headers.unwrap_or_default().into_iter();
        let claim_headers = headers.enumerate().map(|(index, wire)| {
            let path = format!("{path}.claim_to_headers[{index}]");
            wire.build(&path)
        });
        let filter_state = self.claims_to_filter_state.unwrap_or_default().into_iter();
        let filter_state = filter_state.enumerate().map(|(index, wire)| {
            let path = format!("{path}.claims_to_filter_state[{index}]");
            wire.build(&path)
        });
        let mut forwarding = Forwarding {
            payload_header: payload_header(path, self.forward_payload_header)?,
            pad_payload: self.pad_forward_payload_header.unwrap_or(false),
            claim_headers: claim_headers.collect::<Result<_, _>>()?,
            filter_state: filter_state.collect::<Result<_, _>>()?,
            space_delimited: Vec::new(),
            clear_route_cache: self.clear_route_cache.unwrap_or(false),
        };
        if let Some(wire) = self.normalize_payload_in_metadata {
            if forwarding.filter_state.is_empty() {
                return Err(ConfigError::new(
                    format!("{path}.normalize_payload_in_metadata"),
                    "a wasm filter cannot write dynamic metadata: this works with \
                     claims_to_filter_state only",
                ));
            }
            let claims = wire.space_delimited_claims.unwrap_or_default();
            forwarding.space_delimited = claims.into_iter().map(|name| name.0).collect();
        }
        Ok(Rc::new(forwarding))
    }
}

/// An empty name counts as none, as in Envoy.
fn payload_header(path: &str, name: Option<String>) -> Result<Option<String>, ConfigError> {
    match name {
        Some(name) if !name.is_empty() => OwnHeaderName::parse(&name)
            .map(|name| Some(name.0))
            .map_err(|problem| ConfigError::new(format!("{path}.forward_payload_header"), problem)),
        _ => Ok(None),
    }
}

impl ClaimToHeaderWire {
    fn build(self, path: &str) -> Result<ClaimTarget, ConfigError> {
        Ok(ClaimTarget {
            claim: claim_path::build(path, self.claim_name, self.claim_path)?,
            target: self.header_name.0,
        })
    }
}

impl ClaimToFilterStateWire {
    fn build(self, path: &str) -> Result<ClaimTarget, ConfigError> {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
        if !self.key.0.bytes().all(fits) {
            return Err(ConfigError::new(
                format!("{path}.key"),
                "must be letters, digits, _, - and . only",
            ));
        }
        Ok(ClaimTarget {
            claim: claim_path::build(path, self.claim_name, self.claim_path)?,
            target: self.key.0,
        })
    }
}
