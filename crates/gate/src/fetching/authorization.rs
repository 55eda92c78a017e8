//! Credentials for requests to servers.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use form_urlencoded::byte_serialize;

/// Credentials for HTTP Basic authentication (RFC 7617).
#[derive(Clone, PartialEq, Eq)]
pub struct Authorization {
    user: String,
    header: String,
}

impl Authorization {
    /// Creates the credentials of a user. The name must not contain a colon.
    #[must_use]
    pub fn basic(user: &str, password: &str) -> Self {
        Self {
            user: user.to_owned(),
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

    /// The name of the user.
    #[must_use]
    pub fn user(&self) -> &str {
        &self.user
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
            .field("user", &self.user)
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
    }
}
