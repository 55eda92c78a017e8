//! Where a document is published.

use super::resource::Resource;

/// Where a document is published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DocumentSource {
    /// At this URI.
    Uri(Resource),
    /// At the URI that an issuer's metadata contains (OpenID Connect Discovery 1.0, RFC 8414).
    Metadata {
        /// The issuer, which the metadata must name.
        issuer: String,
        /// Where the metadata may be, in the order to try.
        places: [Resource; 2],
    },
}
