//! Conditions on dynamic metadata: Envoy's `MetadataMatcher`.

use gate::policy::{MetadataCondition, MetadataMatcher};
use gate::request::MetadataName;
use serde::Deserialize;

use super::claim_path::PathSegment;
use super::error::ConfigError;
use super::scalar::NonEmpty;
use super::string_matcher::StringMatcherWire;
use super::unsupported::{Advice, Unsupported};

/// The most keys of a path.
const MAX_KEYS: usize = 8;

#[derive(Deserialize)]
#[cfg_attr(
    not(target_arch = "wasm32"),
    derive(schemars::JsonSchema),
    schemars(rename = "MetadataMatch", title = "Metadata match")
)]
#[serde(deny_unknown_fields)]
pub(crate) struct MetadataMatcherWire {
    /// The namespace: usually the name of the filter that writes the metadata.
    filter: NonEmpty,
    /// The keys that lead to the value; 1 to 8.
    path: Vec<PathSegment>,
    /// The condition on the value, which does not hold for a value that is absent.
    value: ValueMatcherWire,
    /// Whether the opposite must hold. Default false.
    #[serde(default)]
    invert: Option<bool>,
}

#[derive(Deserialize)]
#[cfg_attr(
    not(target_arch = "wasm32"),
    derive(schemars::JsonSchema),
    schemars(rename = "ValueMatch", title = "Value match")
)]
#[serde(deny_unknown_fields)]
struct ValueMatcherWire {
    /// It is a string that matches.
    #[serde(default, rename = "string_match", alias = "stringMatch")]
    text: Option<StringMatcherWire>,
    /// It is this boolean.
    #[serde(default, rename = "bool_match", alias = "boolMatch")]
    boolean: Option<bool>,
    /// It is present: true. For the opposite there is `invert`.
    #[serde(default, rename = "present_match", alias = "presentMatch")]
    present: Option<bool>,
    /// Not supported: use `present_match` and `invert`.
    #[serde(default, rename = "null_match", alias = "nullMatch")]
    _null_match: Unsupported<NoNull>,
    /// Not supported: a number has no text. Use `string_match` or `bool_match`.
    #[serde(default, rename = "double_match", alias = "doubleMatch")]
    _double_match: Unsupported<NoNumber>,
    /// Not supported: a list has no text. Use `string_match` or `bool_match`.
    #[serde(default, rename = "list_match", alias = "listMatch")]
    _list_match: Unsupported<NoList>,
    /// Not supported: use several rules, or `safe_regex`.
    #[serde(default, rename = "or_match", alias = "orMatch")]
    _or_match: Unsupported<NoAlternatives>,
}

struct NoNull;

impl Advice for NoNull {
    const TEXT: &str =
        "a wasm filter cannot tell null from an absent value: use present_match and invert";
}

struct NoNumber;

impl Advice for NoNumber {
    const TEXT: &str = "conditions on numbers are not supported: use string_match or bool_match";
}

struct NoList;

impl Advice for NoList {
    const TEXT: &str = "conditions on lists are not supported: use string_match or bool_match";
}

struct NoAlternatives;

impl Advice for NoAlternatives {
    const TEXT: &str = "alternatives are not supported: use several rules, or safe_regex";
}

impl MetadataMatcherWire {
    pub(crate) fn build(self, path: &str) -> Result<MetadataMatcher, ConfigError> {
        let keys: Vec<String> = self.path.into_iter().map(PathSegment::into_name).collect();
        if !(1..=MAX_KEYS).contains(&keys.len()) || keys.iter().any(String::is_empty) {
            let problem = format!("needs from 1 to {MAX_KEYS} keys that are not empty");
            return Err(ConfigError::new(format!("{path}.path"), problem));
        }
        Ok(MetadataMatcher {
            name: MetadataName {
                filter: self.filter.0,
                path: keys,
            },
            condition: self.value.build(&format!("{path}.value"))?,
            invert: self.invert.unwrap_or(false),
        })
    }
}

impl ValueMatcherWire {
    fn build(self, path: &str) -> Result<MetadataCondition, ConfigError> {
        match (self.text, self.boolean, self.present) {
            (Some(wire), None, None) => wire
                .build(&format!("{path}.string_match"))
                .map(MetadataCondition::Text),
            (None, Some(wanted), None) => Ok(MetadataCondition::Bool(wanted)),
            (None, None, Some(true)) => Ok(MetadataCondition::Present),
            // In Envoy it never holds, which nobody means.
            (None, None, Some(false)) => Err(ConfigError::new(
                format!("{path}.present_match"),
                "must be true: for an absent value use invert beside value",
            )),
            _ => Err(ConfigError::new(
                path,
                "needs one of string_match, bool_match and present_match",
            )),
        }
    }
}
