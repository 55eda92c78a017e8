//! The places in a request that may hold a token.

/// A place in a request that may hold a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    /// A header.
    Header {
        /// Its name in lower case.
        name: String,
        /// The text before the token; `Bearer` is the authentication scheme, in any case.
        prefix: String,
    },
    /// A query parameter.
    Parameter(String),
    /// A cookie.
    Cookie(String),
}

/// The prefix that stands for the authentication scheme.
pub(crate) const BEARER: &str = "Bearer";

impl Location {
    /// `Authorization: Bearer` (RFC 6750, section 2.1).
    #[must_use]
    pub fn authorization() -> Self {
        Self::Header {
            name: "authorization".to_owned(),
            prefix: BEARER.to_owned(),
        }
    }

    /// Whether it is the `Authorization` header with an authentication scheme.
    #[must_use]
    pub fn is_authorization(&self) -> bool {
        matches!(self, Self::Header { name, prefix }
            if name == "authorization" && prefix.eq_ignore_ascii_case(BEARER))
    }

    /// The name of the header that contains this place.
    #[must_use]
    pub fn header(&self) -> Option<&str> {
        match self {
            Self::Header { name, .. } => Some(name),
            Self::Cookie(_) => Some("cookie"),
            Self::Parameter(_) => None,
        }
    }
}
