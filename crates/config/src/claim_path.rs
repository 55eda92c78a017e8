//! Where a claim is in a payload.

use gate::policy::ClaimPath;
use serde_json::Value;

use super::from_json::FromJson;
use super::place::Place;
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

impl FromJson for ClaimPathWire {
    fn from_json(json: &Value, at: &Place<'_>) -> Option<Self> {
        let path = match json {
            Value::String(name) => Some(Self::Dotted(name.clone())),
            Value::Array(names) => {
                let segments = names.iter().map(PathSegment::parse);
                segments.collect::<Option<_>>().map(Self::Listed)
            }
            _ => None,
        };
        path.or_else(|| at.refuse("is neither a claim's name nor a list of names"))
    }
}

impl FromJson for PathSegment {
    fn from_json(json: &Value, at: &Place<'_>) -> Option<Self> {
        Self::parse(json).or_else(|| at.refuse("is neither a name nor an object with a key"))
    }
}

impl PathSegment {
    /// The name.
    pub(crate) fn into_name(self) -> String {
        match self {
            Self::Plain(name) | Self::Keyed(Key { key: name }) => name,
        }
    }

    fn parse(json: &Value) -> Option<Self> {
        match json {
            Value::String(name) => Some(Self::Plain(name.clone())),
            Value::Object(fields) if fields.len() == 1 => match fields.get("key") {
                Some(Value::String(key)) => Some(Self::Keyed(Key { key: key.clone() })),
                _ => None,
            },
            _ => None,
        }
    }
}

impl ClaimPathWire {
    /// Builds the path of a claim at this place.
    pub(crate) fn build(self, at: &Place<'_>) -> Option<ClaimPath> {
        let names: Vec<String> = match self {
            Self::Dotted(name) => name.split('.').map(str::to_owned).collect(),
            Self::Listed(segments) => segments.into_iter().map(PathSegment::into_name).collect(),
        };
        ClaimPath::new(names).or_else(|| at.refuse("has an empty part"))
    }
}

/// Builds the path of a claim from the fields `claim_name` and `claim_path` of the object at this place.
/// Exactly one of them must be given; an empty `claim_path` counts as absent.
pub(crate) fn build(
    at: &Place<'_>,
    name: Option<NonEmpty>,
    segments: Option<Vec<PathSegment>>,
) -> Option<ClaimPath> {
    let segments = segments.filter(|segments| !segments.is_empty());
    match (name, segments) {
        (Some(name), None) => ClaimPathWire::Dotted(name.0).build(&at.field("claim_name")),
        (None, Some(segments)) => ClaimPathWire::Listed(segments).build(&at.field("claim_path")),
        _ => at.refuse("needs one of claim_name and claim_path"),
    }
}
