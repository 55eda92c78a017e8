//! The places in a request that may hold a provider's tokens.

use std::rc::Rc;

use gate::policy::Location;

use super::object::object;
use super::place::Place;
use super::scalar::{NonEmpty, OwnHeaderName};

object! {
    pub(crate) struct FromHeaderWire("FromHeader", "Token header") {
        /// The name of the header.
        name: required OwnHeaderName,
        /// The text before the token. `"Bearer"` is the authentication scheme, in any case. Default
        /// none.
        value_prefix: optional String,
    }
}

impl FromHeaderWire {
    fn build(self, at: &Place<'_>) -> Option<Location> {
        let prefix = self.value_prefix.unwrap_or_default();
        if !prefix.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
            return at.field("value_prefix").refuse("must be printable ASCII");
        }
        Some(Location::Header {
            name: self.name.0,
            // `"Bearer "` means the same as `"Bearer"`.
            prefix: prefix.trim_end_matches(' ').to_owned(),
        })
    }
}

/// Builds the locations of the provider at this place from its fields `from_headers`, `from_params` and
/// `from_cookies`. Without any of them tokens are in `Authorization: Bearer`.
pub(crate) fn build(
    at: &Place<'_>,
    headers: Option<Vec<FromHeaderWire>>,
    parameters: Option<Vec<NonEmpty>>,
    cookies: Option<Vec<NonEmpty>>,
) -> Vec<Rc<Location>> {
    let mut locations = at.build_list("from_headers", headers, FromHeaderWire::build);
    let parameters = parameters.unwrap_or_default().into_iter();
    locations.extend(parameters.map(|name| Location::Parameter(name.0)));
    let cookies = cookies.unwrap_or_default().into_iter();
    locations.extend(cookies.map(|name| Location::Cookie(name.0)));
    if locations.is_empty() {
        locations.push(Location::authorization());
    }
    locations.into_iter().map(Rc::new).collect()
}
