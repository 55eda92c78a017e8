//! The credentials of a request.
//!
//! A request with two credentials where one is expected is refused, even if one of them is good: the
//! gate must not check one token while the API reads another (RFC 6750, section 2: clients must not
//! use more than one method).

use std::borrow::Cow;
use std::rc::Rc;

use crate::http::{Cookie, cookies, is_named, is_tchar, percent_decoded};
use crate::policy::{BEARER, Location};
use crate::reason::Reason;
use crate::request::Request;

/// A token of a request, not yet parsed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credential<'r> {
    /// Where it is.
    pub location: Rc<Location>,
    /// The authentication scheme.
    pub scheme: Scheme,
    /// Its text, a `b64token` of RFC 6750, section 2.1.
    pub text: Cow<'r, str>,
}

/// An authentication scheme for access tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// A bearer token (RFC 6750). Tokens in places without a scheme count as such.
    Bearer,
    /// The sender proves possession of a key (RFC 9449, section 7.1).
    Dpop,
}

impl Scheme {
    /// The scheme of the `Authorization` header of `request`; `None` if there is none, or another one.
    #[must_use]
    pub fn from_request(request: &Request<'_>) -> Option<Self> {
        let header = request.authorization.first()?;
        let (scheme, _) = split_scheme(header);
        Self::from_name(scheme)
    }

    fn from_name(name: &[u8]) -> Option<Self> {
        if name.eq_ignore_ascii_case(b"bearer") {
            Some(Self::Bearer)
        } else if name.eq_ignore_ascii_case(b"dpop") {
            Some(Self::Dpop)
        } else {
            None
        }
    }
}

/// The query parameter of RFC 6750, section 2.3.
const ACCESS_TOKEN: &str = "access_token";

/// The header of RFC 9110, section 11.6.2.
const AUTHORIZATION: &str = "authorization";

/// Finds the tokens of `request` at `locations`, at most one at each. Where `takes_dpop` says so,
/// `Authorization: DPoP` is taken like `Authorization: Bearer`; otherwise it is another scheme.
///
/// # Errors
///
/// [`Reason::SeveralTokens`] for a repeated header, parameter or cookie, and for an `access_token`
/// query parameter (RFC 6750, section 2.3) in addition to an `Authorization` header.
/// [`Reason::MalformedCredential`] for a value that is not a token, or not a scheme with `1*SP b64token`.
pub fn locate<'r>(
    request: &'r Request,
    locations: &[Rc<Location>],
    takes_dpop: bool,
) -> Result<Vec<Credential<'r>>, Reason> {
    let mut found = Vec::new();
    for (index, location) in locations.iter().enumerate() {
        let credential = match &**location {
            // One header is searched once, for all its prefixes.
            Location::Header { name, .. } if reads_header(locations.iter().take(index), name) => {
                None
            }
            Location::Header { name, .. } => in_header(request, name, locations, takes_dpop)?,
            Location::Parameter(name) => in_query(request, name)?.map(|text| Credential {
                location: Rc::clone(location),
                scheme: Scheme::Bearer,
                text,
            }),
            Location::Cookie(name) => in_cookies(request, name)?.map(|text| Credential {
                location: Rc::clone(location),
                scheme: Scheme::Bearer,
                text: Cow::Borrowed(text),
            }),
        };
        found.extend(credential);
    }
    let reads_parameter = |location: &Rc<Location>| matches!(&**location, Location::Parameter(name) if name == ACCESS_TOKEN);
    if !request.authorization.is_empty()
        && reads_header(locations, AUTHORIZATION)
        && !locations.iter().any(reads_parameter)
        && parameter_values(request, ACCESS_TOKEN).next().is_some()
    {
        return Err(Reason::SeveralTokens);
    }
    Ok(found)
}

/// Whether tokens at `locations` are read from the header `name`.
fn reads_header<'l>(locations: impl IntoIterator<Item = &'l Rc<Location>>, name: &str) -> bool {
    let mut locations = locations.into_iter();
    locations.any(
        |location| matches!(&**location, Location::Header { name: known, .. } if known == name),
    )
}

/// The token in the header `name`. If several prefixes match its value, the longest counts.
fn in_header<'r>(
    request: &'r Request,
    name: &str,
    locations: &[Rc<Location>],
    takes_dpop: bool,
) -> Result<Option<Credential<'r>>, Reason> {
    let Some(value) = single(request.header(name))? else {
        return Ok(None);
    };
    let mut best: Option<(&str, Credential<'r>)> = None;
    let mut malformed = false;
    for location in locations {
        let Location::Header {
            name: header,
            prefix,
        } = &**location
        else {
            continue;
        };
        let shorter = |(longest, _): &(&str, _)| longest.len() >= prefix.len();
        if header != name || best.as_ref().is_some_and(shorter) {
            continue;
        }
        let found = if prefix.eq_ignore_ascii_case(BEARER) {
            token_with_scheme(value, takes_dpop && name == AUTHORIZATION)
        } else {
            prefixed_token(value, prefix).map(|text| Some((Scheme::Bearer, text?)))
        };
        match found {
            Ok(Some((scheme, text))) => {
                let credential = Credential {
                    location: Rc::clone(location),
                    scheme,
                    text: Cow::Borrowed(text),
                };
                best = Some((prefix, credential));
            }
            Ok(None) => {}
            Err(_) => malformed = true,
        }
    }
    // The text of a token contains neither a comma nor a quotation mark.
    let single = |(prefix, _): &(&str, _)| !prefix.contains([',', '"']);
    if name == AUTHORIZATION && !best.as_ref().is_some_and(single) && joins_several(value) {
        return Err(Reason::SeveralTokens);
    }
    match best {
        Some((_, credential)) => Ok(Some(credential)),
        None if malformed => Err(Reason::MalformedCredential),
        None => Ok(None),
    }
}

/// The token in the query parameter `name`.
fn in_query<'r>(request: &'r Request, name: &str) -> Result<Option<Cow<'r, str>>, Reason> {
    let Some(value) = single(parameter_values(request, name))? else {
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
    let values = request.header("cookie").flat_map(cookies);
    let named = values.filter(|cookie| cookie.name == name.as_bytes());
    let Some(Cookie { value, .. }) = single(named)? else {
        return Ok(None);
    };
    let quoted = value.strip_prefix(b"\"");
    let quoted = quoted.and_then(|value| value.strip_suffix(b"\""));
    b64token(quoted.unwrap_or(value)).map(Some)
}

/// The single one of `values`; `None` if there are none.
fn single<T>(mut values: impl Iterator<Item = T>) -> Result<Option<T>, Reason> {
    match (values.next(), values.next()) {
        (value, None) => Ok(value),
        _ => Err(Reason::SeveralTokens),
    }
}

/// The values of the query parameter `name`, as they were sent.
fn parameter_values<'r>(request: &'r Request, name: &str) -> impl Iterator<Item = &'r [u8]> {
    let parameters = request.query().split(|byte| *byte == b'&');
    parameters
        .filter(move |parameter| is_named(parameter, name))
        .map(|parameter| {
            let mut parts = parameter.splitn(2, |byte| *byte == b'=');
            parts.next();
            parts.next().unwrap_or_default()
        })
}

/// The token after `prefix` and any spaces; `None` if the value does not begin with the prefix.
fn prefixed_token<'r>(value: &'r [u8], prefix: &str) -> Result<Option<&'r str>, Reason> {
    match value.strip_prefix(prefix.as_bytes()) {
        Some(rest) => b64token(rest.trim_ascii_start()).map(Some),
        None => Ok(None),
    }
}

/// The scheme and token of an `Authorization` header (RFC 9110, section 11.4; RFC 6750, section 2.1; RFC 9449,
/// section 7.1); `None` if the scheme is another one.
fn token_with_scheme(header: &[u8], takes_dpop: bool) -> Result<Option<(Scheme, &str)>, Reason> {
    let (name, rest) = split_scheme(header);
    let scheme = match Scheme::from_name(name) {
        Some(Scheme::Dpop) if !takes_dpop => return Ok(None),
        Some(scheme) => scheme,
        None if !name.is_empty() && name.iter().all(|byte| is_tchar(*byte)) => return Ok(None),
        None => return Err(Reason::MalformedCredential),
    };
    let spaces = rest.iter().take_while(|byte| **byte == b' ').count();
    let text = b64token(rest.get(spaces..).unwrap_or_default())?;
    Ok(Some((scheme, text)))
}

/// Splits an `Authorization` header at its first space.
fn split_scheme(header: &[u8]) -> (&[u8], &[u8]) {
    let end = header.iter().position(|byte| *byte == b' ');
    let parts = header.split_at_checked(end.unwrap_or(header.len()));
    parts.unwrap_or_default()
}

/// Whether a header contains several credentials: Envoy joins repeated `Authorization` headers with a
/// comma. One credential may contain commas too, between parameters such as `realm="a, b"`. What
/// follows a comma is another credential if it consists of two words (RFC 9110, section 11.4). An
/// unterminated quotation could hide one.
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
        // After a word comes a space, or a tab, which a careless upstream may take for the same.
        let is_word = matches!(rest.first(), Some(b' ' | b'\t'));
        is_word && rest.trim_ascii_start().first() != Some(&b'=')
    });
    several || quoted
}

/// `1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="`, RFC 6750, section 2.1.
fn b64token(bytes: &[u8]) -> Result<&str, Reason> {
    let padding = bytes.iter().rev().take_while(|byte| **byte == b'=').count();
    let body = bytes.get(..bytes.len().saturating_sub(padding));
    let body = body.unwrap_or_default();
    // Without an early exit, the compiler checks 16 bytes at a time.
    let fits = body
        .iter()
        .fold(true, |fits, byte| fits & is_token_byte(*byte));
    if body.is_empty() || !fits {
        return Err(Reason::MalformedCredential);
    }
    str::from_utf8(bytes).map_err(|_| Reason::MalformedCredential)
}

fn is_token_byte(byte: u8) -> bool {
    let is_sign = |sign: &u8| byte == *sign;
    byte.is_ascii_alphanumeric()
        | b"-._~+/"
            .iter()
            .fold(false, |any, sign| any | is_sign(sign))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_of_a_token_is_checked() {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte);
        for length in 1..50 {
            for place in 0..length {
                for byte in 0..=u8::MAX {
                    let mut token = vec![b'a'; length];
                    token[place] = byte;
                    let padding = byte == b'=' && place > 0 && place == length - 1;
                    let found = b64token(&token).is_ok();
                    assert_eq!(found, allowed(byte) || padding, "{token:?}");
                }
            }
        }
    }
}
