//! Scalars in protobuf's JSON form. What Envoy accepts and refuses in its own configuration is
//! accepted and refused here.

use std::time::Duration;

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use gate::fetching::Resource;
use gate::http::is_tchar;
use serde_json::Value;

use super::from_json::{FromJson, text};
use super::place::Place;

pub(crate) const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A duration above zero: `"5s"`, `"0.5s"`, or `{"seconds": 5, "nanos": 0}`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PositiveDuration(pub(crate) Duration);

impl PositiveDuration {
    /// The given duration, or the default.
    pub(crate) fn or(given: Option<Self>, default: Duration) -> Duration {
        given.map_or(default, |given| given.0)
    }
}

impl FromJson for PositiveDuration {
    fn from_json(json: &Value, at: &Place<'_>) -> Option<Self> {
        match UnsignedDuration::from_json(json, at)? {
            UnsignedDuration(Duration::ZERO) => at.refuse("must be above zero"),
            UnsignedDuration(duration) => Some(Self(duration)),
        }
    }
}

/// A duration, which may be zero: `"0s"`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct UnsignedDuration(pub(crate) Duration);

impl FromJson for UnsignedDuration {
    fn from_json(json: &Value, at: &Place<'_>) -> Option<Self> {
        let duration = match json {
            Value::String(text) => parse_duration(text),
            Value::Object(fields) => {
                let part = |name| match fields.get(name) {
                    None => Some(0),
                    Some(value) => integer(value),
                };
                let known = fields
                    .keys()
                    .all(|name| matches!(name.as_str(), "seconds" | "nanos"));
                let nanos = part("nanos").and_then(|nanos| u32::try_from(nanos).ok());
                match (known, part("seconds"), nanos) {
                    (true, Some(seconds), Some(nanos @ 0..=999_999_999)) => {
                        Some(Duration::new(seconds, nanos))
                    }
                    _ => None,
                }
            }
            _ => None,
        };
        match duration {
            Some(duration) if duration > LONGEST => at.refuse("is too long"),
            Some(duration) => Some(Self(duration)),
            None => at.refuse("is not a duration such as \"5s\" or \"0.5s\""),
        }
    }
}

/// Protobuf's longest duration: 315,576,000,000 seconds, ten thousand years.
const LONGEST: Duration = Duration::from_hours(87_660_000);

/// Parses digits, an optional point with up to nine digits after it, and `s`.
fn parse_duration(text: &str) -> Option<Duration> {
    let number = text.strip_suffix('s')?;
    let (seconds, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(seconds) || !digits(fraction) || fraction.len() > 9 {
        return None;
    }
    let nanos = format!("{fraction:0<9}").parse().ok()?;
    Some(Duration::new(seconds.parse().ok()?, nanos))
}

/// An unsigned integer of 32 bits: a number without fraction, a string with such a number, or a
/// `google.protobuf.UInt32Value` as Envoy reads it, `{"value": 2}`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Unsigned(pub(crate) u32);

impl FromJson for Unsigned {
    fn from_json(json: &Value, at: &Place<'_>) -> Option<Self> {
        let wrapped = json.as_object().filter(|fields| fields.len() == 1);
        let number = wrapped
            .and_then(|fields| fields.get("value"))
            .unwrap_or(json);
        match integer(number).and_then(|number| u32::try_from(number).ok()) {
            Some(number) => Some(Self(number)),
            None => at.refuse("is not an integer from 0 to 4294967295"),
        }
    }
}

/// A signed integer of 64 bits: a number without fraction, or a string with such a number.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Signed(pub(crate) i64);

impl FromJson for Signed {
    fn from_json(json: &Value, at: &Place<'_>) -> Option<Self> {
        let number = match json {
            Value::Number(number) => {
                let text = number.to_string();
                text.strip_suffix(".0").unwrap_or(&text).parse().ok()
            }
            Value::String(text) => text.parse().ok(),
            _ => None,
        };
        match number {
            Some(number) => Some(Self(number)),
            None => at.refuse("is not an integer of 64 bits"),
        }
    }
}

fn integer(value: &Value) -> Option<u64> {
    match value {
        // A Struct holds all numbers as floats.
        Value::Number(number) => number.as_u64().or_else(|| {
            let text = number.to_string();
            text.strip_suffix(".0")?.parse().ok()
        }),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

/// A string that is not empty.
#[derive(Clone, Debug)]
pub(crate) struct NonEmpty(pub(crate) String);

impl FromJson for NonEmpty {
    fn from_json(json: &Value, at: &Place<'_>) -> Option<Self> {
        match text(json, at)? {
            "" => at.refuse("must not be empty"),
            text => Some(Self(text.to_owned())),
        }
    }
}

/// An absolute `http` or `https` URI.
#[derive(Clone, Debug)]
pub(crate) struct HttpUri(pub(crate) Resource);

impl FromJson for HttpUri {
    fn from_json(json: &Value, at: &Place<'_>) -> Option<Self> {
        match Resource::parse(text(json, at)?) {
            Ok(resource) => Some(Self(resource)),
            Err(problem) => at.refuse(&problem.to_string()),
        }
    }
}

/// Bytes: base64 in either alphabet, with padding or without, as in protobuf's JSON form.
#[derive(Clone, Debug)]
pub(crate) struct Bytes(pub(crate) Vec<u8>);

impl FromJson for Bytes {
    fn from_json(json: &Value, at: &Place<'_>) -> Option<Self> {
        let standard = text(json, at)?.replace('-', "+").replace('_', "/");
        match BASE64.decode(standard) {
            Ok(bytes) => Some(Self(bytes)),
            Err(_) => at.refuse("is not base64"),
        }
    }
}

/// The name of a header (RFC 9110, section 5.1) or pseudo-header, in lower case.
#[derive(Clone, Debug)]
pub(crate) struct HeaderName(pub(crate) String);

impl HeaderName {
    /// Parses the text at this place.
    fn parse(text: &str, at: &Place<'_>) -> Option<Self> {
        let plain = text.strip_prefix(':').unwrap_or(text);
        if plain.is_empty() || !plain.bytes().all(is_tchar) {
            return at.refuse("is not the name of a header");
        }
        Some(Self(text.to_ascii_lowercase()))
    }
}

impl FromJson for HeaderName {
    fn from_json(json: &Value, at: &Place<'_>) -> Option<Self> {
        Self::parse(text(json, at)?, at)
    }
}

/// Headers that the filter neither sets nor reads tokens from, and why. It would remove every client's
/// copy of a header that it sets.
pub(crate) const RESERVED_HEADERS: [(&str, &str); 8] = [
    ("connection", OF_CONNECTION),
    ("content-length", OF_BODY),
    ("content-type", OF_BODY),
    (
        "cookie",
        "must not be cookie, which holds the cookies of all parties: from_cookies reads tokens from it",
    ),
    (
        "host",
        "must not be host, which selects the route and the upstream's virtual host",
    ),
    ("te", OF_CONNECTION),
    ("transfer-encoding", OF_CONNECTION),
    ("upgrade", OF_CONNECTION),
];

const OF_CONNECTION: &str = "must not be connection, te, transfer-encoding or upgrade, which belong to \
                             a single connection: Envoy manages them";
const OF_BODY: &str = "must not be content-length or content-type, which describe the body: without the \
                       client's copy the upstream could not read it";

/// The name of a header that the filter may set or read tokens from: neither a pseudo-header nor one
/// of [`RESERVED_HEADERS`], also not with `_` for `-`, because the filter removes other spellings of
/// the name from requests.
#[derive(Clone, Debug)]
pub(crate) struct OwnHeaderName(pub(crate) String);

impl OwnHeaderName {
    /// Parses the text at this place.
    pub(crate) fn parse(text: &str, at: &Place<'_>) -> Option<Self> {
        let HeaderName(name) = HeaderName::parse(text, at)?;
        if name.starts_with(':') {
            return at.refuse("must not be a pseudo-header: it would change which request this is");
        }
        let dashed = name.replace('_', "-");
        let mut reserved = RESERVED_HEADERS.iter();
        match reserved.find(|(reserved, _)| *reserved == dashed) {
            Some((_, problem)) => at.refuse(problem),
            None => Some(Self(name)),
        }
    }
}

impl FromJson for OwnHeaderName {
    fn from_json(json: &Value, at: &Place<'_>) -> Option<Self> {
        Self::parse(text(json, at)?, at)
    }
}

/// A scope: a `scope-token` (RFC 6749, section 3.3), which a challenge can quote.
#[derive(Clone, Debug)]
pub(crate) struct ScopeToken(pub(crate) String);

impl FromJson for ScopeToken {
    fn from_json(json: &Value, at: &Place<'_>) -> Option<Self> {
        let text = text(json, at)?;
        if !is_quotable(text) {
            return at.refuse("is not a scope: visible ASCII characters without space, \" and \\");
        }
        Some(Self(text.to_owned()))
    }
}

/// An authentication context class, of characters that a list in a challenge can quote.
#[derive(Clone, Debug)]
pub(crate) struct AcrValue(pub(crate) String);

impl FromJson for AcrValue {
    fn from_json(json: &Value, at: &Place<'_>) -> Option<Self> {
        let text = text(json, at)?;
        if !is_quotable(text) {
            return at.refuse("must be visible ASCII characters without space, \" and \\");
        }
        Some(Self(text.to_owned()))
    }
}

/// Whether a challenge can quote the text, in a list separated by spaces: a `scope-token` (RFC 6749, section 3.3).
fn is_quotable(text: &str) -> bool {
    let fits = |byte| matches!(byte, b'!' | b'#'..=b'[' | b']'..=b'~');
    !text.is_empty() && text.bytes().all(fits)
}
