//! The credentials of a request, or why they cannot be read.
//!
//! A request that carries two where one is asked for is refused, whichever of them is good: what
//! the gate checks and what the API behind it reads must not be able to differ (RFC 6750, section
//! 2: clients must not use more than one method).

use std::borrow::Cow;
use std::hint::black_box;
use std::rc::Rc;

use crate::policy::{BEARER, Location};
use crate::denial::Reason;
use crate::request::Request;

/// A token that a request carries, not yet parsed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credential<'r> {
    /// Where it is.
    pub location: Rc<Location>,
    /// Its text, a `b64token` of RFC 6750, section 2.1.
    pub text: Cow<'r, str>,
}

impl<'r> Credential<'r> {
    fn new(location: &Rc<Location>, text: Cow<'r, str>) -> Self {
        Self {
            location: Rc::clone(location),
            text,
        }
    }
}

/// Finds the tokens of `request` at `locations`: at most one at each, and none is no error.
///
/// # Errors
///
/// [`Reason::SeveralTokens`] for a header, parameter or cookie that is repeated, and for an
/// `access_token` query parameter (RFC 6750, section 2.3) beside an `Authorization` header;
/// [`Reason::MalformedCredential`] for one that is not a token, or not `Bearer 1*SP b64token`.
pub fn locate<'r>(
    request: &'r Request,
    locations: &[Rc<Location>],
) -> Result<Vec<Credential<'r>>, Reason> {
    let mut found = Vec::new();
    for (number, location) in locations.iter().enumerate() {
        let credential = match &**location {
            // All locations in one header are looked at together.
            Location::Header { name, .. }
                if locations
                    .iter()
                    .take(number)
                    .any(|before| is_in(before, name)) =>
            {
                None
            }
            Location::Header { name, .. } => in_header(request, name, locations)?,
            Location::Parameter(name) => {
                let text = in_query(request, name)?;
                text.map(|text| Credential::new(location, text))
            }
            Location::Cookie(name) => {
                let text = in_cookies(request, name)?;
                text.map(|text| Credential::new(location, Cow::Borrowed(text)))
            }
        };
        found.extend(credential);
    }
    let listed =
        |location: &Rc<Location>| **location == Location::Parameter(ACCESS_TOKEN.to_owned());
    if !request.authorization.is_empty()
        && locations
            .iter()
            .any(|location| is_in(location, "authorization"))
        && !locations.iter().any(listed)
        && carries_parameter(request)
    {
        return Err(Reason::SeveralTokens);
    }
    Ok(found)
}

/// What follows `Bearer` and a space in the only `Authorization` header of a request: how most requests
/// carry their token. It may be none, and there may be another in the query.
pub(crate) fn sole_bearer<'r>(request: &'r Request) -> Option<&'r [u8]> {
    let [header] = request.authorization.as_slice() else {
        return None;
    };
    header.strip_prefix(b"Bearer ")
}

/// The token that [`locate`] would find at `location` alone, which is `Authorization: Bearer`, where
/// the request carries it as most do; what it does not find, [`locate`] may.
pub(crate) fn locate_sole<'r>(
    request: &'r Request,
    location: &Rc<Location>,
) -> Option<Credential<'r>> {
    // A token has no comma that could join several.
    let text = b64token(sole_bearer(request)?).ok()?;
    let credential = Credential::new(location, Cow::Borrowed(text));
    (!carries_parameter(request)).then_some(credential)
}

/// Whether there is a token, or what ought to be one, in the query parameter of RFC 6750.
pub(crate) fn carries_parameter(request: &Request) -> bool {
    parameter_values(request, ACCESS_TOKEN).next().is_some()
}

/// Whether a location is in the header `name`, and not in one of its cookies.
fn is_in(location: &Location, name: &str) -> bool {
    matches!(location, Location::Header { name: known, .. } if known == name)
}

/// The query parameter of RFC 6750, section 2.3.
const ACCESS_TOKEN: &str = "access_token";

/// The token in the header `name`. Of several prefixes that its value begins with the longest is
/// meant.
fn in_header<'r>(
    request: &'r Request,
    name: &str,
    locations: &[Rc<Location>],
) -> Result<Option<Credential<'r>>, Reason> {
    let Some(value) = only(request.header(name))? else {
        return Ok(None);
    };
    let mut meant: Option<(&str, Credential<'r>)> = None;
    let mut malformed = false;
    for location in locations {
        let Location::Header {
            name: known,
            prefix,
        } = &**location
        else {
            continue;
        };
        if known != name
            || meant
                .as_ref()
                .is_some_and(|(longest, _)| longest.len() >= prefix.len())
        {
            continue;
        }
        let text = if prefix.eq_ignore_ascii_case(BEARER) {
            bearer_token(value)
        } else {
            prefixed_token(value, prefix)
        };
        match text {
            Ok(text) => meant = Some((prefix, Credential::new(location, Cow::Borrowed(text)))),
            Err(Reason::Missing) => {}
            Err(_) => malformed = true,
        }
    }
    // What follows the prefix of a token has no such mark.
    let cannot_join = meant
        .as_ref()
        .is_some_and(|(prefix, _)| !prefix.contains([',', '"']));
    if name == "authorization" && !cannot_join && joins_several(value) {
        return Err(Reason::SeveralTokens);
    }
    match meant {
        Some((_, credential)) => Ok(Some(credential)),
        None if malformed => Err(Reason::MalformedCredential),
        None => Ok(None),
    }
}

/// The token in the query parameter `name`.
fn in_query<'r>(request: &'r Request, name: &str) -> Result<Option<Cow<'r, str>>, Reason> {
    let Some(value) = only(parameter_values(request, name))? else {
        return Ok(None);
    };
    if !value.contains(&b'%') {
        return b64token(value).map(|text| Some(Cow::Borrowed(text)));
    }
    let decoded: Vec<u8> = percent_decoded(value).collect();
    b64token(&decoded).map(|text| Some(Cow::Owned(text.to_owned())))
}

/// The token in the cookie `name`.
fn in_cookies<'r>(request: &'r Request, name: &str) -> Result<Option<&'r str>, Reason> {
    let values = request.header("cookie").flat_map(cookie_pairs);
    let values = values.filter(|pair| pair.name == name.as_bytes());
    match only(values)? {
        None => Ok(None),
        Some(pair) => {
            let value = pair.value;
            let quoted = value.strip_prefix(b"\"");
            let quoted = quoted.and_then(|value| value.strip_suffix(b"\""));
            b64token(quoted.unwrap_or(value)).map(Some)
        }
    }
}

/// The only one of `values`, where there is one.
fn only<T>(mut values: impl Iterator<Item = T>) -> Result<Option<T>, Reason> {
    match (values.next(), values.next()) {
        (only, None) => Ok(only),
        _ => Err(Reason::SeveralTokens),
    }
}

/// One cookie of a `cookie` header.
pub(crate) struct CookiePair<'r> {
    /// Its name.
    pub(crate) name: &'r [u8],
    /// Its value, with quotes.
    pub(crate) value: &'r [u8],
    /// Both, as they were sent.
    pub(crate) whole: &'r [u8],
}

/// The cookies of a `cookie` header (RFC 6265, section 4.2.1).
pub(crate) fn cookie_pairs(header: &[u8]) -> impl Iterator<Item = CookiePair<'_>> {
    header.split(|byte| *byte == b';').map(|whole| {
        let mut parts = whole.splitn(2, |byte| *byte == b'=');
        let name = parts.next().unwrap_or_default().trim_ascii();
        let value = parts.next().unwrap_or_default().trim_ascii();
        CookiePair { name, value, whole }
    })
}

/// Whether the name of a query parameter is `name`, however it is percent-encoded.
pub(crate) fn is_parameter(parameter: &[u8], name: &str) -> bool {
    let mut parts = parameter.split(|byte| *byte == b'=');
    percent_decoded(parts.next().unwrap_or_default()).eq(name.bytes())
}

/// The values of the query parameter `name`, as they were sent.
fn parameter_values<'r>(request: &'r Request, name: &str) -> impl Iterator<Item = &'r [u8]> {
    let parameters = request.query().split(|byte| *byte == b'&');
    parameters
        .filter(move |parameter| is_parameter(parameter, name))
        .map(|parameter| {
            let mut parts = parameter.splitn(2, |byte| *byte == b'=');
            parts.next();
            parts.next().unwrap_or_default()
        })
}

/// The token that follows `prefix` in the value of a header; spaces between them do not count.
fn prefixed_token<'r>(value: &'r [u8], prefix: &str) -> Result<&'r str, Reason> {
    let rest = value.strip_prefix(prefix.as_bytes());
    b64token(rest.ok_or(Reason::Missing)?.trim_ascii_start())
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
        let is_word = word > 0 && rest.first().is_some_and(|byte| is_blank(*byte));
        is_word && rest.trim_ascii_start().first() != Some(&b'=')
    });
    several || quoted
}

/// A space or a tab: a careless upstream may take either for the end of a word.
const fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
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
    b64token(rest.get(spaces..).unwrap_or_default())
}

/// `1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="`, RFC 6750, section 2.1.
fn b64token(bytes: &[u8]) -> Result<&str, Reason> {
    let padding = bytes.iter().rev().take_while(|byte| **byte == b'=').count();
    let body = bytes.len().saturating_sub(padding);
    let body = bytes.get(..body).unwrap_or_default();
    // V8 makes a constant vector anew wherever it is used, which was most of the work; what it cannot
    // know to be constant it keeps in a register.
    let [lower, a, to_z, hyphen, to_nine, low_line, tilde, plus] =
        black_box([0x20, b'a', b'z' - b'a', b'-', b'9' - b'-', b'_', b'~', b'+']);
    let fit = |byte: &u8| {
        let letter = (*byte | lower).wrapping_sub(a) <= to_z;
        // What is between are the digits, and `.` and `/` before them.
        let from_hyphen_to_nine = byte.wrapping_sub(hyphen) <= to_nine;
        let is = |sign: u8| u8::from(*byte == sign);
        u8::from(letter | from_hyphen_to_nine) | is(low_line) | is(tilde) | is(plus)
    };
    // Sixteen are looked at in one go, which takes no branches; the last sixteen again, so that none
    // is left over but of a shorter text.
    let (chunks, rest) = body.as_chunks::<16>();
    let last = body.last_chunk::<16>();
    let mut fits = [1; 16];
    let mut look_at = |chunk: &[u8; 16]| {
        for (fits, byte) in fits.iter_mut().zip(chunk) {
            *fits &= fit(byte);
        }
    };
    for chunk in chunks {
        look_at(chunk);
    }
    if let Some(last) = last {
        look_at(last);
    }
    let fits = fits == [1; 16] && (last.is_some() || rest.iter().all(|byte| fit(byte) == 1));
    if body.is_empty() || !fits {
        return Err(Reason::MalformedCredential);
    }
    str::from_utf8(bytes).map_err(|_| Reason::MalformedCredential)
}

/// A character of a token, which an authentication scheme is (RFC 9110, section 5.6.2).
pub(crate) fn is_tchar(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
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
