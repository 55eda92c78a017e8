//! The places in a request that may hold a provider's tokens.

use std::rc::Rc;

use gate::policy::Location;
use serde::Deserialize;

use super::error::ConfigError;
use super::scalar::{NonEmpty, OwnHeaderName};

#[derive(Deserialize)]
#[cfg_attr(
    not(target_arch = "wasm32"),
    derive(schemars::JsonSchema),
    schemars(rename = "FromHeader", title = "Token header")
)]
#[serde(deny_unknown_fields)]
pub(crate) struct FromHeaderWire {
    /// The name of the header.
    name: OwnHeaderName,
    /// The text before the token. `"Bearer"` is the authentication scheme, in any case. Default
    /// none.
    #[serde(default, alias = "valuePrefix")]
    value_prefix: Option<String>,
}

impl FromHeaderWire {
    fn build(self, path: &str) -> Result<Location, ConfigError> {
        let prefix = self.value_prefix.unwrap_or_default();
        if !prefix.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
            return Err(ConfigError::new(
                format!("{path}.value_prefix"),
                "must be printable ASCII",
            ));
        }
        Ok(Location::Header {
            name: self.name.0,
            // `"Bearer "` means the same as `"Bearer"`.
            prefix: prefix.trim_end_matches(' ').to_owned(),
        })
    }
}

/// Builds the locations of the provider at `path` from its fields `from_headers`, `from_params` and
/// `from_cookies`. Without any of them tokens are in `Authorization: Bearer`.
pub(crate) fn build(
    path: &str,
    headers: Option<Vec<FromHeaderWire>>,
    parameters: Option<Vec<NonEmpty>>,
    cookies: Option<Vec<NonEmpty>>,
) -> Result<Vec<Rc<Location>>, ConfigError> {
    let mut locations = Vec::new();
    for (index, wire) in headers.unwrap_or_default().into_iter().enumerate() {
        locations.push(wire.build(&format!("{path}.from_headers[{index}]"))?);
    }
    let parameters = parameters.unwrap_or_default().into_iter();
    locations.extend(parameters.map(|name| Location::Parameter(name.0)));
    let cookies = cookies.unwrap_or_default().into_iter();
    locations.extend(cookies.map(|name| Location::Cookie(name.0)));
    if locations.is_empty() {
        locations.push(Location::authorization());
    }
    Ok(locations.into_iter().map(Rc::new).collect())
}
