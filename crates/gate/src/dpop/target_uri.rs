//! The URI that a proof is for (`htu`), in normal form.

use crate::http::percent_decoded;

/// An absolute `http` or `https` URI without query and fragment, in normal form (RFC 3986, sections 6.2.2
/// and 6.2.3), as RFC 9449, section 4.3 wants `htu` to be compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetUri {
    /// Scheme, host and port.
    origin: String,
    /// The path, which begins with `/`.
    path: Vec<u8>,
}

impl TargetUri {
    /// Parses a URI. Query and fragment are ignored (RFC 9449, section 4.3). `None` if it is not an
    /// absolute `http` or `https` URI of visible ASCII.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Self> {
        let is_plain = |byte: &u8| byte.is_ascii_graphic() && *byte != b'\\';
        if !text.iter().all(is_plain) {
            return None;
        }
        let text = before(text, b'#');
        let text = before(text, b'?');
        let scheme_end = text.iter().position(|byte| *byte == b':')?;
        let (scheme, rest) = text.split_at_checked(scheme_end)?;
        let rest = rest.strip_prefix(b"://")?;
        let authority = before(rest, b'/');
        let path = rest.get(authority.len()..)?;
        let path = if path.is_empty() { b"/" } else { path };
        Self::from_parts(scheme, authority, path)
    }

    /// The URI of a request. `None` if the scheme is another one, the authority is no host with an
    /// optional port, or the path does not begin with `/`, as in `OPTIONS *`.
    #[must_use]
    pub fn from_parts(scheme: &[u8], authority: &[u8], path: &[u8]) -> Option<Self> {
        Some(Self {
            origin: normal_origin(scheme, authority)?,
            path: normal_path(path)?,
        })
    }

    /// This URI with another path behind its own, whose last `/` does not count. `None` if `path` does not
    /// begin with `/`.
    #[must_use]
    pub fn join(&self, path: &[u8]) -> Option<Self> {
        let base = self.path.strip_suffix(b"/").unwrap_or(&self.path);
        Some(Self {
            origin: self.origin.clone(),
            path: [base, &normal_path(path)?].concat(),
        })
    }

    /// Whether both have the same scheme, host and port.
    #[must_use]
    pub fn has_same_origin(&self, other: &Self) -> bool {
        self.origin == other.origin
    }

    /// Scheme, host and port.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The whole text.
    #[must_use]
    pub fn to_text(&self) -> String {
        let path = String::from_utf8_lossy(&self.path);
        [&self.origin, &*path].concat()
    }
}

/// What is before the first `end`, or everything.
fn before(text: &[u8], end: u8) -> &[u8] {
    text.split(|byte| *byte == end).next().unwrap_or_default()
}

/// Scheme, host and port in normal form.
fn normal_origin(scheme: &[u8], authority: &[u8]) -> Option<String> {
    let scheme = str::from_utf8(scheme).ok()?.to_ascii_lowercase();
    let default_port = match scheme.as_str() {
        "https" => 443,
        "http" => 80,
        _ => return None,
    };
    let authority = str::from_utf8(authority).ok()?.to_ascii_lowercase();
    let (host, port) = match authority.strip_prefix('[') {
        // An address of IPv6 contains colons.
        Some(rest) => {
            let (address, port) = rest.split_once(']')?;
            let host = authority.get(..address.len().checked_add(2)?)?;
            (host, port)
        }
        None => authority.split_at_checked(authority.find(':').unwrap_or(authority.len()))?,
    };
    let is_host_byte = |byte: u8| byte.is_ascii_graphic() && !b"/?#@\\".contains(&byte);
    if host.is_empty() || host == "[]" || !host.bytes().all(is_host_byte) {
        return None;
    }
    let port = match port.strip_prefix(':') {
        None if port.is_empty() => default_port,
        Some("") => default_port,
        Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            digits.parse::<u16>().ok()?
        }
        _ => return None,
    };
    let port = if port == default_port {
        String::new()
    } else {
        format!(":{port}")
    };
    Some([&scheme, "://", host, &port].concat())
}

/// A path in normal form; `None` if it does not begin with `/`.
fn normal_path(path: &[u8]) -> Option<Vec<u8>> {
    path.strip_prefix(b"/")?;
    Some(without_dot_segments(&with_normal_escapes(path)))
}

/// Decodes `%XX` of unreserved characters (RFC 3986, section 2.3), and writes other escapes with
/// upper-case digits. A `%` without two hex digits stays.
fn with_normal_escapes(path: &[u8]) -> Vec<u8> {
    let mut normal = Vec::with_capacity(path.len());
    let mut rest = path;
    loop {
        rest = match rest {
            [b'%', high, low, after @ ..]
                if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() =>
            {
                match unreserved(*high, *low) {
                    Some(byte) if !would_complete_an_escape(&normal, byte) => normal.push(byte),
                    _ => normal.extend([b'%', high.to_ascii_uppercase(), low.to_ascii_uppercase()]),
                }
                after
            }
            [byte, after @ ..] => {
                normal.push(*byte);
                after
            }
            [] => return normal,
        };
    }
}

/// The unreserved character that `%` with these two hex digits stands for.
fn unreserved(high: u8, low: u8) -> Option<u8> {
    let digits = [b'%', high, low];
    let byte = percent_decoded(&digits).next()?;
    (byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)).then_some(byte)
}

/// Whether a `%` that stayed, with `byte` behind it, would begin an escape that nobody sent: `%%37E` is
/// not `%7E`.
fn would_complete_an_escape(normal: &[u8], byte: u8) -> bool {
    let after_percent = match normal {
        [.., b'%'] => true,
        [.., b'%', digit] => digit.is_ascii_hexdigit(),
        _ => false,
    };
    after_percent && byte.is_ascii_hexdigit()
}

/// RFC 3986, section 5.2.4, for a path that begins with `/`.
fn without_dot_segments(path: &[u8]) -> Vec<u8> {
    let mut kept: Vec<&[u8]> = Vec::new();
    let mut segments = path.split(|byte| *byte == b'/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        let is_dots = matches!(segment, b"." | b"..");
        if segment == b".." {
            kept.pop();
        }
        if !is_dots {
            kept.push(segment);
        } else if segments.peek().is_none() {
            kept.push(b"");
        }
    }
    let mut normal = Vec::with_capacity(path.len());
    for segment in kept {
        normal.push(b'/');
        normal.extend_from_slice(segment);
    }
    normal
}

#[cfg(test)]
mod tests;
