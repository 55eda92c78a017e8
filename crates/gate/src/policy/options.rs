//! Settings that concern all requests.

use super::{
    ClientCertificate, DpopPolicy, Enforcement, PublicUrls, ResponseBody, Share, StreamEnd,
};

/// Settings that concern all requests.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Whether a route's metadata may name a requirement.
    pub per_route_requirements: bool,
    /// Whether CORS preflights pass without a token.
    pub bypass_cors_preflight: bool,
    /// Whether refusals carry neither body nor challenge.
    pub strip_failure_response: bool,
    /// The part of metric names after `bearer_gate.`; may be empty.
    pub stat_prefix: String,
    /// The realm of challenges; the request's authority if there is none.
    pub realm: Option<String>,
    /// Which proofs of possession are accepted; `None` if DPoP is off.
    pub dpop: Option<DpopPolicy>,
    /// The URLs under which clients know this Envoy.
    pub public_urls: PublicUrls,
    /// Where the certificate of the client is learned from.
    pub client_certificate: ClientCertificate,
    /// What the workers of a process have in common.
    pub share: Share,
    /// The form of the body of refusals.
    pub response_body: ResponseBody,
    /// What follows from refusals, whatever the rule.
    pub enforcement: Enforcement,
    /// How long admitted streams may last.
    pub stream_end: StreamEnd,
}
