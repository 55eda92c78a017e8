//! Where a claim is in a payload.

use gate::policy::ClaimPath;
use serde::de::{Deserialize, Deserializer, Error};
use serde_json::Value;

use super::error::ConfigError;
use super::scalar::NonEmpty;

/// A claim's place: a name with dots between its parts, or a list of names.
#[cfg_attr(
    not(target_arch = "wasm32"),
    derive(schemars::JsonSchema),
    schemars(rename = "ClaimPath", untagged)
)]
pub(crate) enum ClaimPathWire {
    Dotted(String),
    Listed(Vec<PathSegment>),
}

/// One name of a path: a string, or Envoy's `PathSegment`.
#[cfg_attr(
    not(target_arch = "wasm32"),
    derive(schemars::JsonSchema),
    schemars(rename = "PathSegment", untagged)
)]
pub(crate) enum PathSegment {
    Plain(String),
    Keyed(Key),
}

#[cfg_attr(
    not(target_arch = "wasm32"),
    derive(schemars::JsonSchema),
    schemars(rename = "PathKey", title = "Path key", deny_unknown_fields)
)]
pub(crate) struct Key {
    /// The name.
    key: String,
}

// Not `#[serde(untagged)]`: its errors do not say what is wrong.
impl<'de> Deserialize<'de> for ClaimPathWire {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let path = match Value::deserialize(deserializer)? {
            Value::String(name) => Some(Self::Dotted(name)),
            Value::Array(names) => {
                let segments = names.into_iter().map(PathSegment::from_json);
                segments.collect::<Option<_>>().map(Self::Listed)
            }
            _ => None,
        };
        path.ok_or_else(|| D::Error::custom("is neither a claim's name nor a list of names"))
    }
}

impl<'de> Deserialize<'de> for PathSegment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::from_json(Value::deserialize(deserializer)?)
            .ok_or_else(|| D::Error::custom("is neither a name nor an object with a key"))
    }
}

impl PathSegment {
    /// The name.
    pub(crate) fn into_name(self) -> String {
        match self {
            Self::Plain(name) | Self::Keyed(Key { key: name }) => name,
        }
    }

    fn from_json(json: Value) -> Option<Self> {
        match json {
            Value::String(name) => Some(Self::Plain(name)),
            Value::Object(mut fields) if fields.len() == 1 => match fields.remove("key") {
                Some(Value::String(key)) => Some(Self::Keyed(Key { key })),
                _ => None,
            },
            _ => None,
        }
    }
}

impl ClaimPathWire {
    pub(crate) fn build(self, path: &str) -> Result<ClaimPath, ConfigError> {
        let names: Vec<String> = match self {
            Self::Dotted(name) => name.split('.').map(str::to_owned).collect(),
            Self::Listed(segments) => segments.into_iter().map(PathSegment::into_name).collect(),
        };
        ClaimPath::new(names).ok_or_else(|| ConfigError::new(path, "has an empty part"))
    }
}

/// Builds the path of a claim from the fields `claim_name` and `claim_path` of the object at `path`.
/// Exactly one of them must be given; an empty `claim_path` counts as absent.
pub(crate) fn build(
    path: &str,
    name: Option<NonEmpty>,
    segments: Option<Vec<PathSegment>>,
) -> Result<ClaimPath, ConfigError> {
    let segments = segments.filter(|segments| !segments.is_empty());
    match (name, segments) {
        (Some(name), None) => ClaimPathWire::Dotted(name.0).build(&format!("{path}.claim_name")),
        (None, Some(segments)) => {
            ClaimPathWire::Listed(segments).build(&format!("{path}.claim_path"))
        }
        _ => Err(ConfigError::new(
            path,
            "needs one of claim_name and claim_path",
        )),
    }
}
