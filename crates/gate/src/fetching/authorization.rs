//! Credentials for requests to servers.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use form_urlencoded::byte_serialize;

/// The value of the `authorization` header of requests to a server.
#[derive(Clone, PartialEq, Eq)]
pub struct Authorization {
    name: String,
    header: String,
}

impl Authorization {
    /// Creates the credentials of a user for HTTP Basic authentication (RFC 7617). The name must not
    /// contain a colon.
    #[must_use]
    pub fn basic(user: &str, password: &str) -> Self {
        Self {
            name: user.to_owned(),
            header: format!("Basic {}", STANDARD.encode(format!("{user}:{password}"))),
        }
    }

    /// Creates the credentials of a client at an authorization server. Identifier and secret may be
    /// any text, because they are form-encoded (RFC 6749, section 2.3.1).
    #[must_use]
    pub fn of_client(id: &str, secret: &str) -> Self {
        let encoded = |text: &str| -> String { byte_serialize(text.as_bytes()).collect() };
        Self::basic(&encoded(id), &encoded(secret))
    }

    /// Creates the credentials that consist of a bearer token (RFC 6750). `name` distinguishes them from others.
    #[must_use]
    pub fn bearer(name: &str, token: &str) -> Self {
        Self {
            name: name.to_owned(),
            header: format!("Bearer {token}"),
        }
    }

    /// What distinguishes these credentials from others without revealing them: the name of the user, or of
    /// the token.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The value of the `authorization` header. It is a secret.
    #[must_use]
    pub fn header(&self) -> &str {
        &self.header
    }
}

impl fmt::Debug for Authorization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authorization")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_is_the_example_of_the_rfc_and_debug_output_hides_it() {
        let authorization = Authorization::basic("Aladdin", "open sesame");
        // RFC 7617, section 2.
        assert_eq!(authorization.header(), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
        let shown = format!("{authorization:?}");
        assert!(
            !shown.contains("sesame") && !shown.contains("QWxh"),
            "{shown}"
        );
        let authorization = Authorization::bearer("TOKEN", "mF_9.B5f-4.1JqM");
        // RFC 6750, section 2.1.
        assert_eq!(authorization.header(), "Bearer mF_9.B5f-4.1JqM");
        let shown = format!("{authorization:?}");
        assert!(
            shown.contains("TOKEN") && !shown.contains("1JqM"),
            "{shown}"
        );
    }
}
