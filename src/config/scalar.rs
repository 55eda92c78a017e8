//! Scalars in the JSON form of protobuf, as strict as Envoy is with its own configuration, and as
//! lenient.

use std::time::Duration;

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::de::{Deserialize, Deserializer, Error};
use serde_json::Value;

use crate::keys::Location;

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A duration above zero: `"5s"`, `"0.5s"`, or `{"seconds": 5, "nanos": 0}`.
#[derive(Clone, Copy, Debug)]
pub(super) struct PositiveDuration(pub(super) Duration);

impl<'de> Deserialize<'de> for PositiveDuration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let duration = match Value::deserialize(deserializer)? {
            Value::String(text) => parse_duration(&text),
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
            Some(Duration::ZERO) => Err(D::Error::custom("must be above zero")),
            Some(duration) if duration > LONGEST => Err(D::Error::custom("is too long")),
            Some(duration) => Ok(Self(duration)),
            None => Err(D::Error::custom(
                "is not a duration such as \"5s\" or \"0.5s\"",
            )),
        }
    }
}

/// The longest duration of protobuf's JSON form, some ten thousand years.
const LONGEST: Duration = Duration::from_secs(315_576_000_000);

/// Digits, perhaps a point and up to nine more, and an `s`.
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

/// An unsigned integer of 32 bits: a number without a fraction, or such a number in a string.
#[derive(Clone, Copy, Debug)]
pub(super) struct Unsigned(pub(super) u32);

impl<'de> Deserialize<'de> for Unsigned {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        integer(&Value::deserialize(deserializer)?)
            .and_then(|number| u32::try_from(number).ok())
            .map(Self)
            .ok_or_else(|| D::Error::custom("is not an integer from 0 to 4294967295"))
    }
}

fn integer(value: &Value) -> Option<u64> {
    match value {
        // A Struct holds all numbers as floats, and may write them so.
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
pub(super) struct NonEmpty(pub(super) String);

impl<'de> Deserialize<'de> for NonEmpty {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text.is_empty() {
            return Err(D::Error::custom("must not be empty"));
        }
        Ok(Self(text))
    }
}

/// An absolute `http` or `https` URI, taken apart.
#[derive(Clone, Debug)]
pub(super) struct HttpUri(pub(super) Location);

impl<'de> Deserialize<'de> for HttpUri {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Location::parse(&text).map(Self).map_err(D::Error::custom)
    }
}

/// Bytes: base64 in either alphabet, with padding or without, as in protobuf's JSON form.
#[derive(Clone, Debug)]
pub(super) struct Bytes(pub(super) Vec<u8>);

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let standard = text.replace('-', "+").replace('_', "/");
        BASE64
            .decode(standard)
            .map(Self)
            .map_err(|_| D::Error::custom("is not base64"))
    }
}
