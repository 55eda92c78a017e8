//! Facts about the syntax of HTTP messages.

/// Whether `byte` may occur in a token (RFC 9110, section 5.6.2), such as a header name or an
/// authentication scheme.
#[must_use]
pub fn is_tchar(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// The bytes of `text` with every `%XX` decoded; a `%` without two hex digits stands for itself.
pub fn percent_decoded(text: &[u8]) -> impl Iterator<Item = u8> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let (byte, after) = match rest {
            [b'%', high, low, after @ ..] => match (hex_digit(*high), hex_digit(*low)) {
                (Some(high), Some(low)) => (high << 4 | low, after),
                _ => (b'%', rest.get(1..)?),
            },
            [byte, after @ ..] => (*byte, after),
            [] => return None,
        };
        rest = after;
        Some(byte)
    })
}

fn hex_digit(byte: u8) -> Option<u8> {
    char::from(byte)
        .to_digit(16)
        .and_then(|digit| u8::try_from(digit).ok())
}

/// A cookie of a `cookie` header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cookie<'r> {
    /// Its name.
    pub name: &'r [u8],
    /// Its value, with quotes if it has any.
    pub value: &'r [u8],
    /// Name and value as they were sent.
    pub pair: &'r [u8],
}

/// The cookies of a `cookie` header (RFC 6265, section 4.2.1).
pub fn cookies(header: &[u8]) -> impl Iterator<Item = Cookie<'_>> {
    header.split(|byte| *byte == b';').map(|pair| {
        let mut parts = pair.splitn(2, |byte| *byte == b'=');
        let name = parts.next().unwrap_or_default().trim_ascii();
        let value = parts.next().unwrap_or_default().trim_ascii();
        Cookie { name, value, pair }
    })
}

/// Whether the query parameter `parameter` is called `name`, however the name is percent-encoded.
#[must_use]
pub fn is_named(parameter: &[u8], name: &str) -> bool {
    let mut parts = parameter.split(|byte| *byte == b'=');
    percent_decoded(parts.next().unwrap_or_default()).eq(name.bytes())
}
