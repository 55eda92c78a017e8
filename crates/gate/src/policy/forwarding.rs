//! What the upstream and the access log receive of a token.

use super::claim_path::ClaimPath;

/// What is forwarded of an admitted token.
#[derive(Debug, Default)]
pub struct Forwarding {
    /// The header that receives the payload, encoded as in the token; for an introspected token, the
    /// introspection answer in base64url.
    pub payload_header: Option<String>,
    /// Whether the payload's base64url is padded in that header.
    pub pad_payload: bool,
    /// Claims that become headers.
    pub claim_headers: Vec<ClaimTarget>,
    /// Claims that become filter state.
    pub filter_state: Vec<ClaimTarget>,
    /// Space-delimited claims that become lists in filter state.
    pub space_delimited: Vec<String>,
    /// Whether Envoy selects the route again after headers or filter state are set.
    pub clear_route_cache: bool,
}

impl Forwarding {
    /// The claims that are forwarded one by one.
    pub fn claims(&self) -> impl Iterator<Item = &ClaimPath> {
        let targets = self.claim_headers.iter().chain(&self.filter_state);
        targets.map(|target| &target.claim)
    }

    /// The headers that may be set.
    pub fn headers(&self) -> impl Iterator<Item = &String> {
        let claims = self.claim_headers.iter().map(|claim| &claim.target);
        self.payload_header.iter().chain(claims)
    }
}

/// A claim, and the name of the header or filter state that receives it.
#[derive(Debug)]
pub struct ClaimTarget {
    /// The claim.
    pub claim: ClaimPath,
    /// The header name or the filter state key.
    pub target: String,
}
