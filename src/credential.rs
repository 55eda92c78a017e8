//! The one credential of a request, or why there is none.
//!
//! A request that carries two is refused, whichever of them is good: what the gate checks and what
//! the API behind it reads must not be able to differ (RFC 6750, section 2: clients must not use
//! more than one method).

use crate::denial::Reason;
use crate::request::Request;

/// Finds the bearer token of `request`.
///
/// # Errors
///
/// [`Reason::SeveralTokens`] for several `Authorization` headers, whatever their schemes, or an
/// `access_token` query parameter (RFC 6750, section 2.3) beside one;
/// [`Reason::MalformedCredential`] for a header that is not `Bearer 1*SP b64token`;
/// [`Reason::Missing`] where there is none or it has another scheme.
pub fn locate(request: &Request) -> Result<&str, Reason> {
    let header = match request.authorization.as_slice() {
        [] => return Err(Reason::Missing),
        [header] => header,
        _ => return Err(Reason::SeveralTokens),
    };
    if joins_several(header) || has_access_token_parameter(request.query()) {
        return Err(Reason::SeveralTokens);
    }
    bearer_token(header)
}

/// Whether a header holds several credentials: Envoy joins repeated `Authorization` headers with a
/// comma. One credential may have commas of its own, between parameters such as `realm="a, b"`; what
/// follows a comma is another credential where a second word follows its first one (RFC 9110,
/// section 11.4). A quotation without an end could hide one.
fn joins_several(header: &[u8]) -> bool {
    let (mut quoted, mut escaped) = (false, false);
    let parts = header.split(|byte| {
        let divides = *byte == b',' && !quoted;
        if *byte == b'"' && !escaped {
            quoted = !quoted;
        }
        escaped = quoted && *byte == b'\\' && !escaped;
        divides
    });
    let several = parts.skip(1).any(|part| {
        let part = part.trim_ascii();
        let word = part.iter().take_while(|byte| is_tchar(**byte)).count();
        let rest = part.get(word..).unwrap_or_default();
        word > 0 && rest.first() == Some(&b' ') && rest.trim_ascii_start().first() != Some(&b'=')
    });
    several || quoted
}

/// The token of an `Authorization` header (RFC 9110, section 11.4; RFC 6750, section 2.1).
fn bearer_token(header: &[u8]) -> Result<&str, Reason> {
    let scheme_end = header.iter().position(|byte| *byte == b' ');
    let (scheme, rest) = header
        .split_at_checked(scheme_end.unwrap_or(header.len()))
        .unwrap_or_default();
    if scheme.is_empty() || !scheme.iter().all(|byte| is_tchar(*byte)) {
        return Err(Reason::MalformedCredential);
    }
    if !scheme.eq_ignore_ascii_case(b"bearer") {
        return Err(Reason::Missing);
    }
    let spaces = rest.iter().take_while(|byte| **byte == b' ').count();
    let token = rest.get(spaces..).unwrap_or_default();
    if !is_b64token(token) {
        return Err(Reason::MalformedCredential);
    }
    str::from_utf8(token).map_err(|_| Reason::MalformedCredential)
}

/// `1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="`, RFC 6750, section 2.1.
fn is_b64token(bytes: &[u8]) -> bool {
    let padding = bytes.iter().rev().take_while(|byte| **byte == b'=').count();
    let body = bytes.len().saturating_sub(padding);
    body > 0
        && bytes.iter().take(body).all(|byte| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'+' | b'/')
        })
}

/// A character of a token, which an authentication scheme is (RFC 9110, section 5.6.2).
fn is_tchar(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// Whether a query has a parameter whose name is `access_token`, however it is percent-encoded.
fn has_access_token_parameter(query: &[u8]) -> bool {
    query.split(|byte| *byte == b'&').any(|parameter| {
        let name = parameter
            .split(|byte| *byte == b'=')
            .next()
            .unwrap_or_default();
        percent_decoded(name).eq(*b"access_token")
    })
}

/// The bytes of `text` with every `%XX` decoded; a `%` without two digits stands for itself.
fn percent_decoded(text: &[u8]) -> impl Iterator<Item = u8> {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn located(target: &str, headers: &[&[u8]]) -> Result<String, Reason> {
        let request = Request {
            target: target.into(),
            authorization: headers.iter().map(|header| header.to_vec()).collect(),
            ..Request::default()
        };
        locate(&request).map(str::to_owned)
    }

    #[test]
    fn one_header_is_read_by_the_grammar() {
        let malformed = Err(Reason::MalformedCredential);
        let missing = Err(Reason::Missing);
        for (header, expected) in [
            (&b"Bearer abc"[..], Ok("abc".to_owned())),
            (b"bearer abc", Ok("abc".to_owned())),
            (b"BEARER    abc", Ok("abc".to_owned())),
            (b"Bearer a-._~+/Z9==", Ok("a-._~+/Z9==".to_owned())),
            (b"", malformed.clone()),
            (b" ", malformed.clone()),
            (b" Bearer abc", malformed.clone()),
            (b"Bearer", malformed.clone()),
            (b"Bearer ", malformed.clone()),
            (b"Bearer =", malformed.clone()),
            (b"Bearer a=b", malformed.clone()),
            (b"Bearer abc def", malformed.clone()),
            (b"Bearer abc ", malformed.clone()),
            (b"Bearer abc,", malformed.clone()),
            (b"Bearer abc,def", malformed.clone()),
            (b"Bearer \"abc\"", malformed.clone()),
            (b"Bearer\tabc", malformed.clone()),
            (b"Bearer \tabc", malformed.clone()),
            (b"Bearer abc\x00", malformed.clone()),
            (b"Bearer a\xc3\xa9", malformed.clone()),
            (b"\xff\xfe", malformed.clone()),
            (b"Bearer: abc", malformed.clone()),
            (b"Basic YTpi", missing.clone()),
            (b"Bearerx abc", missing.clone()),
            (b"DPoP abc", missing.clone()),
            (b"abc", missing.clone()),
        ] {
            assert_eq!(
                located("/", &[header]),
                expected,
                "{}",
                header.escape_ascii()
            );
        }
    }

    #[test]
    fn two_headers_are_two_tokens_whatever_they_are() {
        for other in [
            &b"Bearer abc"[..],
            b"Bearer def",
            b"Basic YTpi",
            b"",
            b"\xff",
        ] {
            assert_eq!(
                located("/", &[b"Bearer abc", other]),
                Err(Reason::SeveralTokens)
            );
            assert_eq!(
                located("/", &[other, b"Bearer abc"]),
                Err(Reason::SeveralTokens)
            );
        }
    }

    #[test]
    fn headers_that_the_host_has_joined_are_several_tokens() {
        for (header, several) in [
            (&b"Bearer abc,Bearer abc"[..], true),
            (b"Bearer abc, Basic YTpi", true),
            (b"Basic YTpi,Bearer abc", true),
            (b"Digest realm=\"a\", nonce=\"b\",bearer abc", true),
            (b"Digest realm=\"a,Bearer abc", true),
            (b"Digest realm=\"a\\\",Bearer abc", true),
            (b"Digest realm=\"a\", nonce=\"b\", qop = auth", false),
            (b"Digest realm=\"a, Bearer b\", nonce=\"b\"", false),
            (b"Digest realm=\"a\\\", Bearer b\"", false),
            (b"Basic YTpi,", false),
        ] {
            let expected = if several {
                Reason::SeveralTokens
            } else {
                Reason::Missing
            };
            assert_eq!(
                located("/", &[header]),
                Err(expected),
                "{}",
                header.escape_ascii()
            );
        }
    }

    #[test]
    fn an_access_token_parameter_beside_the_header_is_a_second_token() {
        for (target, several) in [
            ("/?access_token=abc", true),
            ("/?a=b&access_token=abc", true),
            ("/?access_token", true),
            ("/?acc%65ss_token=abc", true),
            ("/?%61%63%63%65%73%73%5F%74%6f%6B%65%6e=abc", true),
            ("/?access_token#x", true),
            ("/?access_tokens=abc", false),
            ("/?Access_Token=abc", false),
            ("/?x=access_token", false),
            ("/?acc%6ss_token=abc", false),
            ("/?%", false),
            ("/access_token=abc", false),
            ("/#?access_token=abc", false),
        ] {
            let expected = if several {
                Err(Reason::SeveralTokens)
            } else {
                Ok("abc".to_owned())
            };
            assert_eq!(located(target, &[b"Bearer abc"]), expected, "{target}");
        }
        assert_eq!(located("/?access_token=abc", &[]), Err(Reason::Missing));
    }

    proptest::proptest! {
        #[test]
        fn every_b64token_is_found(token in "[A-Za-z0-9._~+/-]{1,40}={0,3}", spaces in " {1,5}") {
            let header = format!("Bearer{spaces}{token}");
            proptest::prop_assert_eq!(located("/", &[header.as_bytes()]), Ok(token));
        }

        #[test]
        fn no_bytes_panic(target: String, header: Vec<u8>) {
            let _ = located(&target, &[&header]);
        }
    }
}
