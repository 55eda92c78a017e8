//! What is fetched from where, how often and for how long.

use super::fetch::{Origin, Retries};
use super::refresh::Policy;

/// A document that is fetched by HTTP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remote {
    /// The Envoy cluster that requests go to.
    pub cluster: String,
    /// Where the document is, or the metadata that says so.
    pub origin: Origin,
    /// When it is fetched and how long it is used.
    pub policy: Policy,
    /// How often one fetch tries again.
    pub retries: Retries,
}
