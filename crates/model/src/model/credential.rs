//! The tokens of a request.

use std::sync::LazyLock;

use regex::Regex;

use super::fields::Fields;
use super::reason::Reason;
use super::view::{View, decoded};

/// Where a token may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Header { name: String, prefix: String },
    Parameter(String),
    Cookie(String),
}

/// How a token is presented.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scheme {
    /// As a bearer token.
    Bearer,
    /// With a proof of possession.
    Dpop,
}

impl Place {
    /// Whether it is the header that names a scheme.
    pub(crate) fn has_scheme(&self) -> bool {
        matches!(self, Self::Header { name, prefix }
            if name == "authorization" && prefix.eq_ignore_ascii_case("Bearer"))
    }
}

/// A token of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Credential {
    pub(crate) place: Place,
    pub(crate) scheme: Scheme,
    pub(crate) text: String,
}

/// Where a provider reads tokens.
pub(crate) fn places(provider: Fields<'_>) -> Vec<Place> {
    let mut places = Vec::new();
    for header in provider.list("from_headers") {
        let header = Fields(header);
        places.push(Place::Header {
            name: header.text("name").unwrap_or_default().to_ascii_lowercase(),
            prefix: header
                .text("value_prefix")
                .unwrap_or_default()
                .trim_end()
                .to_owned(),
        });
    }
    let parameters = provider.texts("from_params").into_iter();
    places.extend(parameters.map(|name| Place::Parameter(name.to_owned())));
    let cookies = provider.texts("from_cookies").into_iter();
    places.extend(cookies.map(|name| Place::Cookie(name.to_owned())));
    if places.is_empty() {
        places.push(Place::Header {
            name: "authorization".to_owned(),
            prefix: "Bearer".to_owned(),
        });
    }
    places
}

/// The scheme that the header `authorization` names.
pub(crate) fn scheme(view: View<'_>) -> Option<Scheme> {
    let name = view.first("authorization").split(' ').next()?;
    match name.to_ascii_lowercase().as_str() {
        "bearer" => Some(Scheme::Bearer),
        "dpop" => Some(Scheme::Dpop),
        _ => None,
    }
}

/// The tokens at these places, in their order.
pub(crate) fn find(
    places: &[Place],
    view: View<'_>,
    takes_dpop: bool,
) -> Result<Vec<Credential>, Reason> {
    let mut found = Vec::new();
    let mut headers = Vec::new();
    for place in places {
        let text = match place {
            Place::Header { name, .. } => {
                if !headers.contains(&name) {
                    headers.push(name);
                    found.extend(in_header(name, places, view, takes_dpop)?);
                }
                continue;
            }
            Place::Parameter(name) => {
                let parameters = view.parameters().into_iter();
                let named = parameters.filter(|(known, _, _)| decoded(known) == *name);
                single(named.map(|(_, value, _)| decoded(value)).collect())?
            }
            Place::Cookie(name) => {
                let cookies = view.cookies().into_iter();
                let named = cookies.filter(|(known, _, _)| known == name);
                single(named.map(|(_, value, _)| unquoted(value)).collect())?
            }
        };
        if let Some(text) = text {
            found.push(Credential {
                place: place.clone(),
                scheme: Scheme::Bearer,
                text: b64token(&text)?,
            });
        }
    }
    // RFC 6750, section 2.3: a client sends a token in one way.
    let in_query = |(name, _, _): &(&str, &str, &str)| decoded(name) == "access_token";
    if headers.iter().any(|name| *name == "authorization")
        && !view.values("authorization").is_empty()
        && !places.contains(&Place::Parameter("access_token".to_owned()))
        && view.parameters().iter().any(in_query)
    {
        return Err(Reason::SeveralTokens);
    }
    Ok(found)
}

/// The token in a header. Of several prefixes that fit, the longest counts.
fn in_header(
    name: &str,
    places: &[Place],
    view: View<'_>,
    takes_dpop: bool,
) -> Result<Option<Credential>, Reason> {
    let Some(value) = single(view.values(name))? else {
        return Ok(None);
    };
    let mut found: Vec<Credential> = Vec::new();
    let mut malformed = false;
    let mut longest = 0;
    for place in places {
        let Place::Header {
            name: known,
            prefix,
        } = place
        else {
            continue;
        };
        if known != name {
            continue;
        }
        let text = if prefix.eq_ignore_ascii_case("Bearer") {
            with_scheme(value, takes_dpop && place.has_scheme())
        } else {
            value
                .strip_prefix(prefix.as_str())
                .map(|rest| Ok((Scheme::Bearer, b64token(rest.trim_start())?)))
                .transpose()
        };
        match text {
            Ok(None) => {}
            Err(_) => malformed = true,
            Ok(Some((scheme, text))) => {
                if found.is_empty() || prefix.len() > longest {
                    longest = prefix.len();
                    let place = place.clone();
                    found = vec![Credential {
                        place,
                        scheme,
                        text,
                    }];
                }
            }
        }
    }
    match found.pop() {
        Some(credential) => Ok(Some(credential)),
        None if name == "authorization" && is_several(value) => Err(Reason::SeveralTokens),
        None if malformed => Err(Reason::MalformedCredential),
        None => Ok(None),
    }
}

/// The token of `Bearer 1*SP b64token` or, if that is taken, of `DPoP 1*SP b64token`; `None` if the scheme is another
/// one.
fn with_scheme(value: &str, takes_dpop: bool) -> Result<Option<(Scheme, String)>, Reason> {
    static SCHEME: LazyLock<Regex> =
        LazyLock::new(|| regex("^([!#$%&'*+.^_`|~0-9A-Za-z-]+)(?: +(.*))?$"));
    let parts = SCHEME.captures(value).ok_or(Reason::MalformedCredential)?;
    let scheme = match parts[1].to_ascii_lowercase().as_str() {
        "bearer" => Scheme::Bearer,
        "dpop" if takes_dpop => Scheme::Dpop,
        _ => return Ok(None),
    };
    let text = b64token(parts.get(2).map_or("", |rest| rest.as_str()))?;
    Ok(Some((scheme, text)))
}

/// `1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="` (RFC 6750, section 2.1).
fn b64token(text: &str) -> Result<String, Reason> {
    static TOKEN: LazyLock<Regex> = LazyLock::new(|| regex("^[-._~+/0-9A-Za-z]+=*$"));
    if !TOKEN.is_match(text) {
        return Err(Reason::MalformedCredential);
    }
    Ok(text.to_owned())
}

/// Whether the value of `Authorization` has been joined from several: after a comma outside quotes comes another
/// scheme with its credentials, and not a parameter. A quotation without an end may hide one.
fn is_several(value: &str) -> bool {
    static QUOTED: LazyLock<Regex> = LazyLock::new(|| regex(r#""(?:[^"\\]|\\.)*""#));
    static SCHEME: LazyLock<Regex> =
        LazyLock::new(|| regex(r"^\s*[!#$%&'*+.^_`|~0-9A-Za-z-]+[ \t]+(?:[^\s=]|$)"));
    let value = QUOTED.replace_all(value, "Q");
    value.contains('"') || value.split(',').skip(1).any(|part| SCHEME.is_match(part))
}

fn single<T>(values: Vec<T>) -> Result<Option<T>, Reason> {
    if values.len() > 1 {
        return Err(Reason::SeveralTokens);
    }
    Ok(values.into_iter().next())
}

fn unquoted(value: &str) -> String {
    let inner = value
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    inner.unwrap_or(value).to_owned()
}

fn regex(expression: &str) -> Regex {
    Regex::new(expression).expect("a regular expression")
}
