//! What a decision depends on.

use super::reason::Reason;
use super::view::View;
use crate::case::World;

/// What a decision depends on.
pub(crate) struct Surroundings<'w> {
    pub(crate) world: &'w World,
    pub(crate) view: View<'w>,
    /// The digest of the certificate that the client has shown.
    pub(crate) certificate: &'w Result<String, Reason>,
    /// In milliseconds since the epoch.
    pub(crate) now: i128,
    /// Whether the filter remembers what the endpoint behind a cluster said about a token.
    pub(crate) asked: &'w dyn Fn(&str, &str) -> bool,
    /// The providers that do not know yet what they need.
    pub(crate) undecided: &'w [&'w str],
}
