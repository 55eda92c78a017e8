//! Where in a request a provider's tokens may be.

use std::borrow::Cow;
use std::rc::Rc;

use serde::Deserialize;

use super::error::ConfigError;
use super::scalar::{NonEmpty, OwnHeaderName};

/// A place in a request where a token may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    /// A header.
    Header {
        /// Its name in lower case.
        name: Cow<'static, str>,
        /// What comes before the token; `Bearer` stands for the scheme, in any case.
        prefix: String,
    },
    /// A parameter of the query.
    Parameter(String),
    /// A cookie.
    Cookie(String),
}

impl Location {
    /// The name of the header that this is in.
    #[must_use]
    pub fn header(&self) -> Option<&str> {
        match self {
            Self::Header { name, .. } => Some(name),
            Self::Cookie(_) => Some("cookie"),
            Self::Parameter(_) => None,
        }
    }

    /// Whether it is [`Location::authorization`].
    pub(crate) fn is_authorization(&self) -> bool {
        matches!(self, Self::Header { name, prefix }
            if name == "authorization" && prefix.eq_ignore_ascii_case(BEARER))
    }

    /// `Authorization: Bearer` (RFC 6750, section 2.1).
    pub(crate) fn authorization() -> Self {
        Self::Header {
            name: "authorization".into(),
            prefix: BEARER.to_owned(),
        }
    }
}

/// The prefix that stands for the scheme.
pub(crate) const BEARER: &str = "Bearer";

#[derive(Deserialize)]
#[cfg_attr(
    not(target_arch = "wasm32"),
    derive(schemars::JsonSchema),
    schemars(rename = "FromHeader", title = "Token header")
)]
#[serde(deny_unknown_fields)]
pub(super) struct FromHeaderWire {
    /// The name of the header.
    name: OwnHeaderName,
    /// What comes before the token. `"Bearer"` is the scheme, in any case. Default nothing.
    #[serde(default, alias = "valuePrefix")]
    value_prefix: Option<String>,
}

/// The places that a provider's configuration lists; the default where it lists none.
pub(super) fn build(
    path: &str,
    headers: Option<Vec<FromHeaderWire>>,
    parameters: Option<Vec<NonEmpty>>,
    cookies: Option<Vec<NonEmpty>>,
) -> Result<Vec<Rc<Location>>, ConfigError> {
    let mut locations = Vec::new();
    for (index, wire) in headers.unwrap_or_default().into_iter().enumerate() {
        let prefix = wire.value_prefix.unwrap_or_default();
        if !prefix.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
            return Err(ConfigError::new(
                format!("{path}.from_headers[{index}].value_prefix"),
                "must be printable ASCII",
            ));
        }
        locations.push(Location::Header {
            name: wire.name.0.into(),
            // With and without the space that ends it, a prefix is the same.
            prefix: prefix.trim_end_matches(' ').to_owned(),
        });
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
