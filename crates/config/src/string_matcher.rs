//! How a text is compared: Envoy's `StringMatcher`.

use serde::Deserialize;

use super::error::ConfigError;
use super::index::Stem;
use super::pattern::{Pattern, PatternWire};
use super::scalar::NonEmpty;

/// A condition on a text, which is bytes since clients may send any.
#[derive(Clone, Debug)]
pub struct TextMatcher {
    comparison: Comparison,
    /// Whether letters of ASCII are compared without case; a pattern says so itself.
    ignore_case: bool,
}

#[derive(Clone, Debug)]
enum Comparison {
    Exact(String),
    Prefix(String),
    Suffix(String),
    Contains(String),
    Pattern(Pattern),
}

impl TextMatcher {
    /// The condition that a text is this very one.
    pub(super) const fn exact(text: String, ignore_case: bool) -> Self {
        Self {
            comparison: Comparison::Exact(text),
            ignore_case,
        }
    }

    /// The condition that a text begins so.
    pub(super) const fn prefix(text: String, ignore_case: bool) -> Self {
        Self {
            comparison: Comparison::Prefix(text),
            ignore_case,
        }
    }

    /// The condition that all of a text has a pattern.
    pub(super) const fn pattern(pattern: Pattern) -> Self {
        Self {
            comparison: Comparison::Pattern(pattern),
            ignore_case: false,
        }
    }

    /// What all texts begin with that the condition holds for.
    pub(super) fn stem(&self) -> Stem<'_> {
        let (text, whole) = match &self.comparison {
            Comparison::Exact(text) => (text.as_str(), true),
            Comparison::Prefix(text) => (text.as_str(), false),
            Comparison::Pattern(pattern) => (pattern.stem.as_str(), false),
            Comparison::Suffix(_) | Comparison::Contains(_) => ("", false),
        };
        Stem { text, whole }
    }

    /// Whether the condition holds for `text`.
    #[must_use]
    pub fn matches(&self, text: &[u8]) -> bool {
        let same = |part: Option<&[u8]>, wanted: &str| {
            part.is_some_and(|part| {
                if self.ignore_case {
                    part.eq_ignore_ascii_case(wanted.as_bytes())
                } else {
                    part == wanted.as_bytes()
                }
            })
        };
        match &self.comparison {
            Comparison::Exact(wanted) => same(Some(text), wanted),
            Comparison::Prefix(wanted) => same(text.get(..wanted.len()), wanted),
            Comparison::Suffix(wanted) => {
                let start = text.len().checked_sub(wanted.len());
                same(start.and_then(|start| text.get(start..)), wanted)
            }
            Comparison::Contains(wanted) => text
                .windows(wanted.len().max(1))
                .any(|part| same(Some(part), wanted)),
            Comparison::Pattern(pattern) => pattern.matches(text),
        }
    }
}

#[derive(Deserialize)]
#[cfg_attr(
    not(target_arch = "wasm32"),
    derive(schemars::JsonSchema),
    schemars(rename = "StringMatch", title = "String match")
)]
#[serde(deny_unknown_fields)]
pub(super) struct TextMatcherWire {
    /// This text.
    #[serde(default)]
    exact: Option<String>,
    /// Texts that begin so.
    #[serde(default)]
    prefix: Option<NonEmpty>,
    /// Texts that end so.
    #[serde(default)]
    suffix: Option<NonEmpty>,
    /// Texts that have this in them.
    #[serde(default)]
    contains: Option<NonEmpty>,
    /// Texts that match as a whole.
    #[serde(default, alias = "safeRegex")]
    safe_regex: Option<PatternWire>,
    /// Whether letters of ASCII are compared without case; not for `safe_regex`. Default false.
    #[serde(default, alias = "ignoreCase")]
    ignore_case: Option<bool>,
}

impl TextMatcherWire {
    pub(super) fn build(self, path: &str) -> Result<TextMatcher, ConfigError> {
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
            (Some(comparison), None) => Ok(TextMatcher {
                comparison,
                ignore_case: self.ignore_case.unwrap_or(false),
            }),
            _ => Err(ConfigError::new(
                path,
                "needs one of exact, prefix, suffix, contains and safe_regex",
            )),
        }
    }
}

/// An object without fields.
#[derive(Deserialize)]
#[cfg_attr(
    not(target_arch = "wasm32"),
    derive(schemars::JsonSchema),
    schemars(rename = "Empty", title = "Empty")
)]
#[serde(deny_unknown_fields)]
pub(super) struct Empty {}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn built(wire: Value) -> Result<TextMatcher, String> {
        let wire: TextMatcherWire = serde_json::from_value(wire).map_err(|e| e.to_string())?;
        wire.build("m").map_err(|error| error.to_string())
    }

    #[test]
    fn texts_are_compared_as_envoy_compares_them() {
        for (wire, text, expected) in [
            (json!({"exact": "ab"}), "ab", true),
            (json!({"exact": "ab"}), "aB", false),
            (json!({"exact": "ab"}), "abc", false),
            (json!({"exact": ""}), "", true),
            (json!({"exact": ""}), "a", false),
            (json!({"exact": "ab", "ignore_case": true}), "aB", true),
            (json!({"prefix": "ab"}), "abc", true),
            (json!({"prefix": "ab"}), "a", false),
            (json!({"prefix": "ab", "ignoreCase": true}), "ABc", true),
            (json!({"suffix": "bc"}), "abc", true),
            (json!({"suffix": "bc"}), "c", false),
            (json!({"suffix": "bc", "ignore_case": true}), "aBC", true),
            (json!({"contains": "b"}), "abc", true),
            (json!({"contains": "bd"}), "abc", false),
            (json!({"contains": "bd"}), "", false),
            (json!({"contains": "B", "ignore_case": true}), "abc", true),
            (json!({"safe_regex": {"regex": "a.c"}}), "abc", true),
            (json!({"safe_regex": {"regex": "a.c"}}), "xabc", false),
            (json!({"safe_regex": {"regex": "a.c"}}), "abcx", false),
            (json!({"safeRegex": {"regex": "a|ab"}}), "ab", true),
            (json!({"safe_regex": {"regex": "ab|a"}}), "xa", false),
            (json!({"safe_regex": {"regex": "(?m)^a$"}}), "a\nb", false),
            (
                json!({"safe_regex": {"google_re2": {}, "regex": "a"}}),
                "a",
                true,
            ),
            (
                json!({"safe_regex": {"regex": "a"}, "ignore_case": true}),
                "A",
                false,
            ),
        ] {
            let matcher = built(wire.clone()).unwrap();
            assert_eq!(matcher.matches(text.as_bytes()), expected, "{wire} {text}");
        }
    }

    #[test]
    fn a_pattern_sees_bytes_that_are_not_utf_8() {
        let matcher = built(json!({"safe_regex": {"regex": "/admin/.*"}})).unwrap();
        assert!(matcher.matches(b"/admin/\xff"));
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        for (wire, start) in [
            (json!({}), "m: needs one of"),
            (json!({"ignore_case": true}), "m: needs one of"),
            (json!({"exact": "a", "prefix": "b"}), "m: needs one of"),
            (json!({"prefix": ""}), "must not be empty"),
            (json!({"custom": {}}), "unknown field `custom`"),
            (json!({"safe_regex": {}}), "missing field `regex`"),
            (
                json!({"safe_regex": {"regex": "a)(b"}}),
                "m.safe_regex.regex: is not a regular expression",
            ),
            (
                json!({"safe_regex": {"regex": r"\p{Greek}"}}),
                "m.safe_regex.regex: is not a regular expression",
            ),
        ] {
            let error = built(wire.clone()).unwrap_err();
            assert!(error.starts_with(start), "{wire}: {error}");
        }
    }

    proptest::proptest! {
        #[test]
        fn all_comparisons_agree_with_the_standard_library(text in "[abAB]{0,6}", part in "[abAB]{1,3}") {
            for (name, expected) in [
                ("exact", text == part),
                ("prefix", text.starts_with(&part)),
                ("suffix", text.ends_with(&part)),
                ("contains", text.contains(&part)),
            ] {
                let matcher = built(json!({ name: part })).unwrap();
                proptest::prop_assert_eq!(matcher.matches(text.as_bytes()), expected);
            }
        }
    }
}
