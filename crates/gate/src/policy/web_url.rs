//! Absolute `http` and `https` URLs.

use std::fmt;

use http::uri::Authority;

/// An absolute `http` or `https` URL without a user, in the characters of RFC 3986.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebUrl {
    text: String,
    https: bool,
    /// Host and port as written.
    authority: String,
    /// The path; may be empty.
    path: String,
    has_query: bool,
    has_fragment: bool,
}

/// Why a text is not a [`WebUrl`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotAWebUrl {
    /// It does not begin with `https://` or `http://` in lower case.
    Scheme,
    /// There is no host, there is a user, or the port is not a number in its shortest form.
    Authority,
    /// A character, or a `%` without two hex digits, that RFC 3986 does not allow.
    Character,
}

impl WebUrl {
    /// Parses a URL.
    ///
    /// # Errors
    ///
    /// Why `text` is not one.
    pub fn parse(text: &str) -> Result<Self, NotAWebUrl> {
        let (https, rest) = match (text.strip_prefix("https://"), text.strip_prefix("http://")) {
            (Some(rest), _) => (true, rest),
            (None, Some(rest)) => (false, rest),
            (None, None) => return Err(NotAWebUrl::Scheme),
        };
        let end_of = |text: &str, ends: &[char]| text.find(ends).unwrap_or(text.len());
        let (authority, rest) = split(rest, end_of(rest, &['/', '?', '#']));
        let (path, rest) = split(rest, end_of(rest, &['?', '#']));
        if !is_authority(authority) {
            return Err(NotAWebUrl::Authority);
        }
        let after_path = rest.bytes().filter(|byte| !matches!(byte, b'?' | b'#'));
        let fragments = rest.bytes().filter(|byte| *byte == b'#').count();
        let allowed = |byte: u8| is_pchar(byte) || byte == b'/';
        if fragments > 1 || !path.bytes().chain(after_path).all(allowed) || !has_whole_escapes(text)
        {
            return Err(NotAWebUrl::Character);
        }
        Ok(Self {
            text: text.to_owned(),
            https,
            authority: authority.to_owned(),
            path: path.to_owned(),
            has_query: rest.starts_with('?'),
            has_fragment: fragments > 0,
        })
    }

    /// The URL as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Host and port as written.
    #[must_use]
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// The host, with brackets around an IPv6 address.
    #[must_use]
    pub fn host(&self) -> &str {
        let port = self.authority.rfind(':');
        match port.and_then(|port| self.authority.split_at_checked(port)) {
            Some((host, _)) if !self.authority.ends_with(']') => host,
            _ => &self.authority,
        }
    }

    /// The path; may be empty.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Scheme, host and port: everything before the path.
    #[must_use]
    pub fn origin(&self) -> String {
        let scheme = if self.https { "https://" } else { "http://" };
        [scheme, &self.authority].concat()
    }

    /// Whether no one between client and server can read or change what is sent: the scheme is `https`,
    /// or the host is this machine.
    #[must_use]
    pub fn is_secure(&self) -> bool {
        self.https || matches!(self.host(), "localhost" | "127.0.0.1" | "[::1]")
    }

    /// Whether there is a query.
    #[must_use]
    pub const fn has_query(&self) -> bool {
        self.has_query
    }

    /// Whether there is a fragment.
    #[must_use]
    pub const fn has_fragment(&self) -> bool {
        self.has_fragment
    }

    /// `authority` without the default port of this URL's scheme.
    pub(super) fn without_default_port<'a>(&self, authority: &'a [u8]) -> &'a [u8] {
        let port: &[u8] = if self.https { b":443" } else { b":80" };
        authority.strip_suffix(port).unwrap_or(authority)
    }
}

fn split(text: &str, at: usize) -> (&str, &str) {
    text.split_at_checked(at).unwrap_or((text, ""))
}

fn is_authority(text: &str) -> bool {
    let Ok(authority) = text.parse::<Authority>() else {
        return false;
    };
    let port = text.strip_prefix(authority.host()).unwrap_or_default();
    let port_is_short = match port.strip_prefix(':') {
        Some(digits) => digits
            .parse::<u16>()
            .is_ok_and(|number| number.to_string() == digits),
        None => port.is_empty(),
    };
    let host = authority.host().trim_start_matches('[');
    let host = host.trim_end_matches(']');
    !host.is_empty() && !text.contains('@') && host.bytes().all(is_pchar) && port_is_short
}

/// Whether `byte` may be in a segment of a path (RFC 3986, section 3.3).
fn is_pchar(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~%!$&'()*+,;=:@".contains(&byte)
}

/// Whether two hex digits follow every `%`.
fn has_whole_escapes(text: &str) -> bool {
    let mut after = text.split('%').skip(1);
    after.all(|rest| {
        let digits = rest.bytes().take(2);
        digits.filter(u8::is_ascii_hexdigit).count() == 2
    })
}

impl fmt::Display for NotAWebUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Scheme => "must begin with https:// or http://",
            Self::Authority => "must have a host, no user, and a port only in its shortest form",
            Self::Character => "has a character that a URL cannot have",
        })
    }
}

impl std::error::Error for NotAWebUrl {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_is_no_url_has_a_reason() {
        for (text, problem) in [
            ("ftp://a", "https:// or http://"),
            ("https://", "must have a host"),
            ("https://a/ b", "a character"),
        ] {
            let message = WebUrl::parse(text).unwrap_err().to_string();
            assert!(message.contains(problem), "{text}: {message}");
        }
    }

    #[test]
    fn urls_are_split() {
        for (text, origin, host, path, secure) in [
            ("https://a", "https://a", "a", "", true),
            ("https://a/", "https://a", "a", "/", true),
            (
                "https://a:8443/b/c?d=/e?f",
                "https://a:8443",
                "a",
                "/b/c",
                true,
            ),
            ("https://a?b", "https://a", "a", "", true),
            ("https://[::1]:8/b", "https://[::1]:8", "[::1]", "/b", true),
            ("http://[::1]", "http://[::1]", "[::1]", "", true),
            (
                "http://localhost:3000",
                "http://localhost:3000",
                "localhost",
                "",
                true,
            ),
            (
                "http://127.0.0.1/a%20b",
                "http://127.0.0.1",
                "127.0.0.1",
                "/a%20b",
                true,
            ),
            ("http://a/#b", "http://a", "a", "/", false),
            (
                "http://localhost.example",
                "http://localhost.example",
                "localhost.example",
                "",
                false,
            ),
        ] {
            let url = WebUrl::parse(text).unwrap();
            let parts = (url.origin(), url.host(), url.path(), url.is_secure());
            assert_eq!(parts, (origin.to_owned(), host, path, secure), "{text}");
            assert_eq!(url.has_query(), text.contains('?'), "{text}");
            assert_eq!(url.has_fragment(), text.contains('#'), "{text}");
        }
    }

    #[test]
    fn other_texts_are_refused() {
        use NotAWebUrl::{Authority, Character, Scheme};
        for (text, problem) in [
            ("", Scheme),
            ("a", Scheme),
            ("/a", Scheme),
            ("HTTPS://a", Scheme),
            ("ftp://a", Scheme),
            ("urn:a", Scheme),
            ("https://", Authority),
            ("https:///a", Authority),
            ("https://u@a", Authority),
            ("https://u:p@a", Authority),
            ("https://a:", Authority),
            ("https://a:0443", Authority),
            ("https://a:99999", Authority),
            ("https://[::1", Authority),
            ("https://[]", Authority),
            ("https://a b", Authority),
            ("https://a\"", Authority),
            ("https://\u{e9}", Authority),
            ("https://a/b c", Character),
            ("https://a/\"", Character),
            ("https://a/\\", Character),
            ("https://a/[b]", Character),
            ("https://a/\u{e9}", Character),
            ("https://a/\r\nx: y", Character),
            ("https://a/%", Character),
            ("https://a/%4", Character),
            ("https://a/%4g", Character),
            ("https://a/?b#c#d", Character),
            ("https://a/{b}", Character),
        ] {
            assert_eq!(WebUrl::parse(text), Err(problem), "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn a_url_needs_no_quoting(text in "https?://[ -~]{0,20}|.*") {
            if let Ok(url) = WebUrl::parse(&text) {
                let quoted = |byte: u8| b"\"\\<>^`{|}".contains(&byte);
                let plain = |byte: u8| byte.is_ascii_graphic() && !quoted(byte);
                proptest::prop_assert!(url.as_str().bytes().all(plain));
            }
        }
    }
}
