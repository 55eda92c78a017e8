//! The target of an HTTP request for a document.

use std::fmt;

use http::Uri;
use serde::{Deserialize, Serialize};

/// The `:authority` and the `:path` of a request. The cluster determines which server receives it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Resource {
    /// Host and port.
    pub authority: String,
    /// Path and query; at least `/`.
    pub path: String,
}

/// Why a text is not the URI of a resource.
#[derive(Debug)]
pub enum NotAResource {
    /// It is not a URI.
    Syntax(http::uri::InvalidUri),
    /// The scheme is not `http` or `https`, or there is none.
    Scheme,
    /// There is no host, or there is a user.
    Authority,
}

impl Resource {
    /// Parses an absolute `http` or `https` URI. The fragment is dropped (RFC 9110, section 7.1).
    ///
    /// # Errors
    ///
    /// Why the text is not such a URI.
    pub fn parse(text: &str) -> Result<Self, NotAResource> {
        let uri: Uri = text.parse().map_err(NotAResource::Syntax)?;
        if !matches!(uri.scheme_str(), Some("http" | "https")) {
            return Err(NotAResource::Scheme);
        }
        let authority = uri
            .authority()
            .map(http::uri::Authority::as_str)
            .unwrap_or_default();
        if authority.is_empty() || authority.contains('@') {
            return Err(NotAResource::Authority);
        }
        let path = uri
            .path_and_query()
            .map_or("/", http::uri::PathAndQuery::as_str);
        Ok(Self {
            authority: authority.to_owned(),
            path: path.to_owned(),
        })
    }

    /// The locations of an issuer's metadata, in the order to try them. OpenID Connect Discovery 1.0,
    /// section 4, appends the well-known path to the issuer's path; RFC 8414, section 3.1, inserts it
    /// before. `None` if the issuer is not a URI, or has a query or fragment, which both forbid.
    #[must_use]
    pub fn of_metadata(issuer: &str) -> Option<[Self; 2]> {
        if issuer.contains(['?', '#']) {
            return None;
        }
        let Self { authority, path } = Self::parse(issuer).ok()?;
        let path = path.strip_suffix('/').unwrap_or(&path);
        Some([
            Self {
                authority: authority.clone(),
                path: format!("{path}/.well-known/openid-configuration"),
            },
            Self {
                authority,
                path: format!("/.well-known/oauth-authorization-server{path}"),
            },
        ])
    }
}

impl fmt::Display for NotAResource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax(error) => write!(f, "is not a URI: {error}"),
            Self::Scheme => f.write_str("is not an http or https URI"),
            Self::Authority => f.write_str("must have a host and no user"),
        }
    }
}

impl std::error::Error for NotAResource {}

#[cfg(test)]
mod tests {
    use super::*;

    fn resource(authority: &str, path: &str) -> Resource {
        Resource {
            authority: authority.to_owned(),
            path: path.to_owned(),
        }
    }

    #[test]
    fn uris_are_parsed() {
        for (text, expected) in [
            ("http://a", Some(resource("a", "/"))),
            ("https://a:1/b?c=d#e", Some(resource("a:1", "/b?c=d"))),
            ("HTTPS://[::1]:8/b", Some(resource("[::1]:8", "/b"))),
            ("https://", None),
            ("https://user@a/", None),
            ("/b", None),
            ("a", None),
            ("ftp://a/b", None),
            ("https://a/b c", None),
            ("https://a/b\r\nx: y", None),
            ("", None),
        ] {
            assert_eq!(Resource::parse(text).ok(), expected, "{text}");
        }
    }

    #[test]
    fn the_locations_of_metadata_follow_two_standards() {
        for (issuer, openid, oauth) in [
            (
                "https://a",
                "/.well-known/openid-configuration",
                "/.well-known/oauth-authorization-server",
            ),
            (
                "https://a/",
                "/.well-known/openid-configuration",
                "/.well-known/oauth-authorization-server",
            ),
            (
                "https://a/realms/b",
                "/realms/b/.well-known/openid-configuration",
                "/.well-known/oauth-authorization-server/realms/b",
            ),
            (
                "https://a/b/",
                "/b/.well-known/openid-configuration",
                "/.well-known/oauth-authorization-server/b",
            ),
        ] {
            let expected = [resource("a", openid), resource("a", oauth)];
            assert_eq!(Resource::of_metadata(issuer), Some(expected), "{issuer}");
        }
        for issuer in ["a", "https://a?b", "https://a/#", "urn:a", ""] {
            assert_eq!(Resource::of_metadata(issuer), None, "{issuer}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text: String) {
            let _ = Resource::parse(&text);
            let _ = Resource::of_metadata(&text);
        }
    }
}
