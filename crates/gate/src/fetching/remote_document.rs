//! A document that is fetched by HTTP.

use super::authorization::Authorization;
use super::backoff::Backoff;
use super::document_source::DocumentSource;
use super::refresh_policy::RefreshPolicy;
use super::request_header::RequestHeader;

/// A document that is fetched by HTTP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteDocument {
    /// The Envoy cluster that requests go to.
    pub cluster: String,
    /// Where the document is.
    pub source: DocumentSource,
    /// The credentials for the server, if it needs any.
    pub authorization: Option<Authorization>,
    /// Further headers of requests.
    pub headers: Vec<RequestHeader>,
    /// When the document is fetched and how long it is used.
    pub policy: RefreshPolicy,
    /// How often a fetch repeats its requests.
    pub retries: Retries,
}

/// How often, and after which delay, a fetch repeats requests that failed temporarily: without a
/// response, or with a status of 500 and above.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retries {
    /// The largest number of repetitions.
    pub number: u32,
    /// The delay before each.
    pub backoff: Backoff,
}
