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
    /// The header that receives the payload for Envoy's filter `header_to_metadata`, which moves it into dynamic
    /// metadata.
    pub metadata: Option<PayloadMetadata>,
    /// Claims that become headers.
    pub claim_headers: Vec<HeaderClaim>,
    /// Claims that become filter state.
    pub filter_state: Vec<ClaimTarget>,
    /// Space-delimited claims that become lists in filter state and metadata.
    pub space_delimited: Vec<String>,
    /// Whether Envoy selects the route again after headers or filter state are set.
    pub clear_route_cache: bool,
}

impl Forwarding {
    /// The claims that are forwarded one by one.
    pub fn claims(&self) -> impl Iterator<Item = &ClaimPath> {
        let headers = self.claim_headers.iter().map(|header| &header.claim);
        headers.chain(self.filter_state.iter().map(|target| &target.claim))
    }

    /// The headers that may be set.
    pub fn headers(&self) -> impl Iterator<Item = &String> {
        let claims = self.claim_headers.iter().map(|claim| &claim.header);
        let metadata = self.metadata.iter().map(|metadata| &metadata.header);
        self.payload_header.iter().chain(metadata).chain(claims)
    }
}

/// Which header receives the payload for dynamic metadata, and what it is called there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PayloadMetadata {
    /// The header.
    pub header: String,
    /// The key in the namespace `envoy.filters.http.jwt_authn`.
    pub key: String,
}

/// A claim that becomes a header.
#[derive(Debug)]
pub struct HeaderClaim {
    /// The claim.
    pub claim: ClaimPath,
    /// The name of the header.
    pub header: String,
    /// How the header contains text.
    pub encoding: TextEncoding,
}

/// How a header contains the text of a claim.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TextEncoding {
    /// As UTF-8, without change.
    #[default]
    Utf8,
    /// As `value-chars` of RFC 8187, section 3.2.1: in UTF-8, with `%` and two hexadecimal digits for each byte
    /// that is not an `attr-char`.
    Percent,
}

/// A claim that becomes filter state.
#[derive(Debug)]
pub struct ClaimTarget {
    /// The claim.
    pub claim: ClaimPath,
    /// The key of the filter state.
    pub target: String,
}
