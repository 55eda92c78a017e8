//! Conditions on the claims and scopes of a token.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error};
use serde_json::{Map, Value};

use super::error::ConfigError;
use super::scalar::{NonEmpty, ScopeToken};

/// Where a claim is in a payload: the names of the objects that it is nested in, and its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimPath(Vec<String>);

impl ClaimPath {
    /// The claim of this very name.
    pub(super) fn of(name: &str) -> Self {
        Self(vec![name.to_owned()])
    }

    /// The name of the payload's member that the claim is or is in.
    pub(super) fn root(&self) -> Option<&String> {
        self.0.first()
    }

    /// The claim's value, where the payload has it.
    #[must_use]
    pub fn find<'p>(&self, payload: &'p Map<String, Value>) -> Option<&'p Value> {
        let (first, rest) = self.0.split_first()?;
        let mut value = payload.get(first)?;
        for name in rest {
            value = value.as_object()?.get(name)?;
        }
        Some(value)
    }
}

impl fmt::Display for ClaimPath {
    /// The names with dots between.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("."))
    }
}

/// What the token itself must say for a requirement, beyond being good.
#[derive(Clone, Debug, Default)]
pub struct Terms {
    /// Scopes that it must all have.
    pub scopes: Vec<String>,
    /// Scopes of which it must have one; no condition where this is empty.
    pub any_scope: Vec<String>,
    /// Conditions on claims that must all hold.
    pub claims: Vec<ClaimTerm>,
}

impl Terms {
    /// Whether nothing is asked.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.scopes.is_empty() && self.any_scope.is_empty() && self.claims.is_empty()
    }
}

/// A condition on one claim.
#[derive(Clone, Debug)]
pub struct ClaimTerm {
    /// Which claim.
    pub path: ClaimPath,
    /// What must hold for it.
    pub condition: ClaimCondition,
}

/// What must hold for a claim. One that is not there fulfils only [`ClaimCondition::Present`] of
/// `false`.
#[derive(Clone, Debug)]
pub enum ClaimCondition {
    /// It is this value.
    Exact(Value),
    /// It is one of these values.
    AnyOf(Vec<Value>),
    /// It is an array with an element that equals this value or, where this is an object, that has
    /// all its members.
    Contains(Value),
    /// Whether it is there at all.
    Present(bool),
}

/// A path as it is written: a name with dots between its parts, or a list of names.
#[cfg_attr(
    not(target_arch = "wasm32"),
    derive(schemars::JsonSchema),
    schemars(rename = "ClaimPath", untagged)
)]
pub(super) enum ClaimPathWire {
    Dotted(String),
    Listed(Vec<PathSegment>),
}

/// One name of a path, as it is or in the form of Envoy's `PathSegment`.
#[cfg_attr(
    not(target_arch = "wasm32"),
    derive(schemars::JsonSchema),
    schemars(rename = "PathSegment", untagged)
)]
pub(super) enum PathSegment {
    Plain(String),
    Keyed(Key),
}

#[cfg_attr(
    not(target_arch = "wasm32"),
    derive(schemars::JsonSchema),
    schemars(rename = "PathKey", title = "Path key", deny_unknown_fields)
)]
pub(super) struct Key {
    /// The name.
    key: String,
}

// serde's own reading of what may be one thing or another keeps a copy of it in a form of its own,
// with all the code for that.
impl<'de> Deserialize<'de> for ClaimPathWire {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let path = match Value::deserialize(deserializer)? {
            Value::String(name) => Some(Self::Dotted(name)),
            Value::Array(names) => {
                let segments = names.into_iter().map(PathSegment::of);
                segments.collect::<Option<_>>().map(Self::Listed)
            }
            _ => None,
        };
        path.ok_or_else(|| D::Error::custom("is neither a claim's name nor a list of names"))
    }
}

impl PathSegment {
    fn of(json: Value) -> Option<Self> {
        match json {
            Value::String(name) => Some(Self::Plain(name)),
            Value::Object(fields) => {
                let mut fields = fields.into_iter();
                match (fields.next(), fields.next()) {
                    (Some((name, Value::String(key))), None) if name == "key" => {
                        Some(Self::Keyed(Key { key }))
                    }
                    _ => None,
                }
            }
            _ => None,
        }
    }
}

impl<'de> Deserialize<'de> for PathSegment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::of(Value::deserialize(deserializer)?)
            .ok_or_else(|| D::Error::custom("is neither a name nor an object with a key"))
    }
}

impl ClaimPathWire {
    pub(super) fn build(self, path: &str) -> Result<ClaimPath, ConfigError> {
        let names: Vec<String> = match self {
            Self::Dotted(name) => name.split('.').map(str::to_owned).collect(),
            Self::Listed(segments) => segments
                .into_iter()
                .map(|segment| match segment {
                    PathSegment::Plain(name) | PathSegment::Keyed(Key { key: name }) => name,
                })
                .collect(),
        };
        if names.is_empty() || names.iter().any(String::is_empty) {
            return Err(ConfigError::new(path, "has an empty part"));
        }
        Ok(ClaimPath(names))
    }
}

/// The path of a claim that is given by `claim_name` or by `claim_path`.
pub(super) fn claim_path(
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

/// The fields of a requirement that are conditions on the token.
#[derive(Default)]
pub(super) struct TermsWire {
    pub(super) scopes: Option<Vec<ScopeToken>>,
    pub(super) any_scope: Option<Vec<ScopeToken>>,
    pub(super) claims: Option<Vec<ClaimTermWire>>,
}

impl TermsWire {
    pub(super) fn build(self, path: &str) -> Result<Terms, ConfigError> {
        let scopes = |scopes: Option<Vec<ScopeToken>>| {
            let scopes = scopes.unwrap_or_default();
            scopes.into_iter().map(|scope| scope.0).collect()
        };
        let claims = self.claims.unwrap_or_default().into_iter().enumerate();
        Ok(Terms {
            scopes: scopes(self.scopes),
            any_scope: scopes(self.any_scope),
            claims: claims
                .map(|(index, wire)| wire.build(&format!("{path}.claims[{index}]")))
                .collect::<Result<_, _>>()?,
        })
    }
}

#[derive(Deserialize)]
#[cfg_attr(
    not(target_arch = "wasm32"),
    derive(schemars::JsonSchema),
    schemars(rename = "ClaimCondition", title = "Claim condition")
)]
#[serde(deny_unknown_fields)]
pub(super) struct ClaimTermWire {
    /// Which claim: a name, with dots between it and the objects that it is in.
    #[serde(default, alias = "claimName")]
    claim_name: Option<NonEmpty>,
    /// Which claim: the names one by one, for those with dots.
    #[serde(default, alias = "claimPath")]
    claim_path: Option<Vec<PathSegment>>,
    /// It is this value.
    #[serde(default)]
    exact: Option<Value>,
    /// It is one of these values.
    #[serde(default, alias = "anyOf")]
    any_of: Option<Vec<Value>>,
    /// It is an array with an element that equals this value or, where this is an object, that has
    /// all its members.
    #[serde(default)]
    contains: Option<Value>,
    /// Whether it is there.
    #[serde(default)]
    present: Option<bool>,
}

impl ClaimTermWire {
    fn build(self, path: &str) -> Result<ClaimTerm, ConfigError> {
        if self.any_of.as_ref().is_some_and(Vec::is_empty) {
            return Err(ConfigError::new(
                format!("{path}.any_of"),
                "must not be empty",
            ));
        }
        let conditions = [
            self.exact.map(ClaimCondition::Exact),
            self.any_of.map(ClaimCondition::AnyOf),
            self.contains.map(ClaimCondition::Contains),
            self.present.map(ClaimCondition::Present),
        ];
        let mut given = conditions.into_iter().flatten();
        let (Some(condition), None) = (given.next(), given.next()) else {
            return Err(ConfigError::new(
                path,
                "needs one of exact, any_of, contains and present",
            ));
        };
        Ok(ClaimTerm {
            path: claim_path(path, self.claim_name, self.claim_path)?,
            condition,
        })
    }
}
