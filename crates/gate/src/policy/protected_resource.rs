//! A protected resource and its metadata (RFC 9728).

use std::fmt;
use std::time::Duration;

use super::path::is_ambiguous;
use super::web_url::{NotAWebUrl, WebUrl};

/// Where the metadata of all resources are (RFC 9728, section 3).
pub(crate) const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

/// The longest URL of metadata, in characters. It is part of every challenge.
pub const MAX_METADATA_URL: usize = 1024;

/// A protected resource: a part of what this gate protects that has an identifier.
#[derive(Clone, Debug)]
pub struct ProtectedResource {
    /// Its identifier.
    pub identifier: ResourceIdentifier,
    /// The URL of its metadata, which challenges name.
    pub metadata_url: WebUrl,
    /// The metadata; `None` if another server serves them.
    pub metadata: Option<Metadata>,
    /// Whether a token must name the resource in `aud`.
    pub require_audience: bool,
}

/// The metadata of a resource that the gate serves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metadata {
    /// The document, in JSON.
    pub document: String,
    /// How long clients may use it.
    pub max_age: Duration,
    /// Whether it is also the answer at the well-known path without a resource's path.
    pub at_root: bool,
}

/// The identifier of a protected resource (RFC 9728, section 1.2), of which the gate can tell which
/// requests it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceIdentifier(WebUrl);

/// Why a text is not the identifier of a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotAResourceIdentifier {
    /// It is not a URL.
    Url(NotAWebUrl),
    /// The scheme is `http`, and the host is not this machine.
    Insecure,
    /// It has a query or a fragment.
    Query,
    /// The host has upper-case letters.
    Host,
    /// Servers may read its path in different ways.
    Path,
    /// Its path begins with `/.well-known/`.
    WellKnown,
}

impl ResourceIdentifier {
    /// Parses an identifier.
    ///
    /// # Errors
    ///
    /// Why `text` is not one.
    pub fn parse(text: &str) -> Result<Self, NotAResourceIdentifier> {
        let url = WebUrl::parse(text).map_err(NotAResourceIdentifier::Url)?;
        if !url.is_secure() {
            return Err(NotAResourceIdentifier::Insecure);
        }
        if url.has_query() || url.has_fragment() {
            return Err(NotAResourceIdentifier::Query);
        }
        if url
            .authority()
            .contains(|letter: char| letter.is_ascii_uppercase())
        {
            return Err(NotAResourceIdentifier::Host);
        }
        if is_ambiguous(url.path().as_bytes()) {
            return Err(NotAResourceIdentifier::Path);
        }
        if url.path().starts_with("/.well-known/") {
            return Err(NotAResourceIdentifier::WellKnown);
        }
        Ok(Self(url))
    }

    /// The identifier as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The path of the resource without a slash at the end; empty if it is the whole host.
    #[must_use]
    pub fn path(&self) -> &str {
        let path = self.0.path();
        path.strip_suffix('/').unwrap_or(path)
    }

    /// The URL of the metadata (RFC 9728, section 3.1). It is built from the identifier and never from a
    /// request, which a proxy in front may have changed.
    ///
    /// # Errors
    ///
    /// Its length in characters, if it is longer than [`MAX_METADATA_URL`].
    pub fn metadata_url(&self) -> Result<WebUrl, usize> {
        let path = match self.0.path() {
            "/" => "",
            path => path,
        };
        let url = [&self.0.origin(), WELL_KNOWN, path].concat();
        match WebUrl::parse(&url) {
            Ok(parsed) if url.len() <= MAX_METADATA_URL => Ok(parsed),
            _ => Err(url.len()),
        }
    }

    /// Whether both identify the same requests, whatever their schemes.
    #[must_use]
    pub fn is_equivalent(&self, other: &Self) -> bool {
        self.path() == other.path() && self.shares_authority(other)
    }

    /// Whether both are on the same host and port, apart from default ports.
    #[must_use]
    pub fn shares_authority(&self, other: &Self) -> bool {
        self.has_authority(other.canonical_authority())
    }

    /// Whether `authority` is that of the resource: the host without case, and apart from the default port.
    #[must_use]
    pub fn has_authority(&self, authority: &[u8]) -> bool {
        let authority = self.0.without_default_port(authority);
        authority.eq_ignore_ascii_case(self.canonical_authority())
    }

    fn canonical_authority(&self) -> &[u8] {
        self.0.without_default_port(self.0.authority().as_bytes())
    }

    /// Whether a request for `path` is about the resource, if its authority is.
    #[must_use]
    pub fn contains(&self, path: &[u8]) -> bool {
        let prefix = self.path().as_bytes();
        let Some(rest) = path.strip_prefix(prefix) else {
            return false;
        };
        (rest.is_empty() || rest.starts_with(b"/")) && (prefix.is_empty() || !is_ambiguous(path))
    }

    /// Whether `audience` is the resource. Some clients ask for a token for `https://host/` where the
    /// identifier is `https://host`.
    #[must_use]
    pub fn is_audience(&self, audience: &str) -> bool {
        audience == self.as_str()
            || (self.path().is_empty()
                && audience.strip_suffix('/').unwrap_or(audience) == self.0.origin())
    }
}

impl ProtectedResource {
    /// Whether a token for these audiences is meant for the resource, if it must be.
    pub(super) fn accepts(&self, audiences: &[String]) -> bool {
        let mut audiences = audiences.iter();
        !self.require_audience || audiences.any(|one| self.identifier.is_audience(one))
    }
}

impl fmt::Display for NotAResourceIdentifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Url(problem) => return problem.fmt(f),
            Self::Insecure => "must begin with https://, except for localhost, 127.0.0.1 and [::1]",
            Self::Query => "must not have a query or a fragment",
            Self::Host => "must have its host in lower case, as clients compare it",
            Self::Path => {
                "must have a path that all servers read alike: no empty segment, no . or .. segment, no \
                 ; and \\, and no percent-encoding that can be avoided"
            }
            Self::WellKnown => "must not have a path that begins with /.well-known/",
        })
    }
}

impl std::error::Error for NotAResourceIdentifier {}

#[cfg(test)]
mod tests;
