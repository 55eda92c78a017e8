//! What is fetched from where, how often and for how long.

use super::authorization::Authorization;
use super::fetch::{Origin, Retries};
use super::refresh::Policy;

/// A document that is fetched by HTTP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remote {
    /// The Envoy cluster that requests go to.
    pub cluster: String,
    /// Where the document is, or the metadata that says so.
    pub origin: Origin,
    /// How the server learns who asks; nobody in particular where there is none.
    pub authorization: Option<Authorization>,
    /// When it is fetched and how long it is used.
    pub policy: Policy,
    /// How often one fetch tries again.
    pub retries: Retries,
}
