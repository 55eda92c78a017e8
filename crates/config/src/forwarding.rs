//! What the upstream and the access log get to see of a token.

use std::rc::Rc;

use serde::Deserialize;

use super::claim::{ClaimPath, PathSegment, claim_path};
use super::error::ConfigError;
use super::scalar::{NonEmpty, OwnHeaderName};

/// What is passed on of a token that is good.
#[derive(Debug, Default)]
pub struct Forwarding {
    /// The header that the payload goes to, as it is in the token.
    pub payload_header: Option<String>,
    /// Whether the payload's base64url is padded there.
    pub pad_payload: bool,
    /// Claims that become headers.
    pub claim_headers: Vec<ClaimTarget>,
    /// Claims that become filter state.
    pub filter_state: Vec<ClaimTarget>,
    /// Claims that become lists in filter state where they are texts with spaces between.
    pub space_delimited: Vec<String>,
    /// Whether the route is chosen anew once headers or filter state are set.
    pub clear_route_cache: bool,
}

impl Forwarding {
    /// The claims that are passed on one by one.
    pub(super) fn claims(&self) -> impl Iterator<Item = &ClaimPath> {
        let targets = self.claim_headers.iter().chain(&self.filter_state);
        targets.map(|target| &target.claim)
    }

    /// The headers that may be set.
    pub(super) fn headers(&self) -> impl Iterator<Item = &String> {
        let claims = self.claim_headers.iter().map(|claim| &claim.target);
        self.payload_header.iter().chain(claims)
    }
}

/// A claim, and the name of the header or filter state that it goes to.
#[derive(Debug)]
pub struct ClaimTarget {
    /// Which claim.
    pub claim: ClaimPath,
    /// Where it goes to.
    pub target: String,
}

/// The fields of a provider that are about this.
#[derive(Default)]
pub(super) struct ForwardingWire {
    pub(super) payload_header: Option<String>,
    pub(super) pad_payload: Option<bool>,
    pub(super) claim_headers: Option<Vec<ClaimToHeaderWire>>,
    pub(super) filter_state: Option<Vec<ClaimToFilterStateWire>>,
    pub(super) normalize: Option<NormalizeWire>,
    pub(super) clear_route_cache: Option<bool>,
}

#[derive(Deserialize)]
#[cfg_attr(
    not(target_arch = "wasm32"),
    derive(schemars::JsonSchema),
    schemars(rename = "ClaimToHeader", title = "Claim to header")
)]
#[serde(deny_unknown_fields)]
pub(super) struct ClaimToHeaderWire {
    /// The header.
    #[serde(alias = "headerName")]
    header_name: OwnHeaderName,
    /// Which claim: a name, with dots between it and the objects that it is in.
    #[serde(default, alias = "claimName")]
    claim_name: Option<NonEmpty>,
    /// Which claim: the names one by one, for those with dots.
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
pub(super) struct ClaimToFilterStateWire {
    /// The key: `%FILTER_STATE(wasm.KEY:PLAIN)%` in the access log.
    key: NonEmpty,
    /// Which claim: a name, with dots between it and the objects that it is in.
    #[serde(default, alias = "claimName")]
    claim_name: Option<NonEmpty>,
    /// Which claim: the names one by one, for those with dots.
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
pub(super) struct NormalizeWire {
    /// Claims that are lists where they are texts with spaces between.
    #[serde(default, alias = "spaceDelimitedClaims")]
    space_delimited_claims: Option<Vec<NonEmpty>>,
}

impl ForwardingWire {
    /// Builds what the provider at `path` passes on.
    pub(super) fn build(self, path: &str) -> Result<Rc<Forwarding>, ConfigError> {
        let payload_header = self.payload_header.filter(|name| !name.is_empty());
        let payload_header = payload_header.map(|name| {
            OwnHeaderName::parse(&name)
                .map(|name| name.0)
                .map_err(|problem| {
                    ConfigError::new(format!("{path}.forward_payload_header"), problem)
                })
        });
        let mut forwarding = Forwarding {
            payload_header: payload_header.transpose()?,
            pad_payload: self.pad_payload.unwrap_or(false),
            clear_route_cache: self.clear_route_cache.unwrap_or(false),
            ..Forwarding::default()
        };
        for (index, wire) in self
            .claim_headers
            .unwrap_or_default()
            .into_iter()
            .enumerate()
        {
            let path = format!("{path}.claim_to_headers[{index}]");
            forwarding.claim_headers.push(ClaimTarget {
                claim: claim_path(&path, wire.claim_name, wire.claim_path)?,
                target: wire.header_name.0,
            });
        }
        for (index, wire) in self
            .filter_state
            .unwrap_or_default()
            .into_iter()
            .enumerate()
        {
            let path = format!("{path}.claims_to_filter_state[{index}]");
            let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
            if !wire.key.0.bytes().all(fits) {
                return Err(ConfigError::new(
                    format!("{path}.key"),
                    "must be letters, digits, _, - and . only",
                ));
            }
            forwarding.filter_state.push(ClaimTarget {
                claim: claim_path(&path, wire.claim_name, wire.claim_path)?,
                target: wire.key.0,
            });
        }
        if let Some(wire) = self.normalize {
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
