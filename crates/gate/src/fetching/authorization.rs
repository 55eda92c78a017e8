//! How a server learns who asks it.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use form_urlencoded::byte_serialize;

/// A name and a secret, as HTTP Basic authentication carries them (RFC 7617).
#[derive(Clone, PartialEq, Eq)]
pub struct Authorization {
    user: String,
    header: String,
}

impl Authorization {
    /// The authorization of a user, whose name has no colon.
    #[must_use]
    pub fn basic(user: &str, password: &str) -> Self {
        Self {
            user: user.to_owned(),
            header: format!("Basic {}", STANDARD.encode(format!("{user}:{password}"))),
        }
    }

    /// The authorization of a client at an authorization server, whose identifier and secret may be
    /// any text (RFC 6749, section 2.3.1).
    #[must_use]
    pub fn of_client(id: &str, secret: &str) -> Self {
        let encoded = |text: &str| -> String { byte_serialize(text.as_bytes()).collect() };
        Self::basic(&encoded(id), &encoded(secret))
    }

    /// Who asks.
    #[must_use]
    pub fn user(&self) -> &str {
        &self.user
    }

    /// The value of the header, which is a secret.
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
    fn the_header_is_that_of_the_rfc_and_is_never_shown() {
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
