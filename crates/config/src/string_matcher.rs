//! Conditions on strings: Envoy's `StringMatcher`.

use gate::policy::{Comparison, StringMatcher};
use serde::Deserialize;

use super::error::ConfigError;
use super::pattern::PatternWire;
use super::scalar::NonEmpty;
use super::unsupported::{Advice, Unsupported};

#[derive(Deserialize)]
#[cfg_attr(
    not(target_arch = "wasm32"),
    derive(schemars::JsonSchema),
    schemars(rename = "StringMatch", title = "String match")
)]
#[serde(deny_unknown_fields)]
pub(crate) struct StringMatcherWire {
    /// The string equals this text.
    #[serde(default)]
    exact: Option<String>,
    /// The string begins with this text.
    #[serde(default)]
    prefix: Option<NonEmpty>,
    /// The string ends with this text.
    #[serde(default)]
    suffix: Option<NonEmpty>,
    /// The string contains this text.
    #[serde(default)]
    contains: Option<NonEmpty>,
    /// The whole string matches this regular expression.
    #[serde(default, alias = "safeRegex")]
    safe_regex: Option<PatternWire>,
    /// Whether the case of ASCII letters is ignored; no effect on `safe_regex`. Default false.
    #[serde(default, alias = "ignoreCase")]
    ignore_case: Option<bool>,
    /// Not supported: a wasm filter has no access to extensions of Envoy. Use `safe_regex`.
    #[serde(default, rename = "custom")]
    _custom: Unsupported<NoExtension>,
}

struct NoExtension;

impl Advice for NoExtension {
    const TEXT: &str = "a wasm filter has no access to extensions of Envoy: use safe_regex";
}

impl StringMatcherWire {
    pub(crate) fn build(self, path: &str) -> Result<StringMatcher, ConfigError> {
        let pattern = match self.safe_regex {
            Some(wire) => Some(wire.build(&format!("{path}.safe_regex"))?),
            None => None,
        };
        let comparisons = [
            self.exact.map(Comparison::Exact),
            self.prefix.map(|text| Comparison::Prefix(text.0)),
            self.suffix.map(|text| Comparison::Suffix(text.0)),
            self.contains.map(|text| Comparison::Contains(text.0)),
            pattern.map(Comparison::Pattern),
        ];
        let mut given = comparisons.into_iter().flatten();
        match (given.next(), given.next()) {
            (Some(comparison), None) => {
                let ignore_case = self.ignore_case.unwrap_or(false);
                Ok(StringMatcher::new(comparison, ignore_case))
            }
            _ => Err(ConfigError::new(
                path,
                "needs one of exact, prefix, suffix, contains and safe_regex",
            )),
        }
    }
}
