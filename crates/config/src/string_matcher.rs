//! Conditions on strings: Envoy's `StringMatcher`.

use gate::policy::{Comparison, StringMatcher};

use super::object::object;
use super::pattern::PatternWire;
use super::place::Place;
use super::scalar::NonEmpty;

object! {
    pub(crate) struct StringMatcherWire("StringMatch", "String match") {
        /// The string equals this text.
        exact: optional String,
        /// The string begins with this text.
        prefix: optional NonEmpty,
        /// The string ends with this text.
        suffix: optional NonEmpty,
        /// The string contains this text.
        contains: optional NonEmpty,
        /// The whole string matches this regular expression.
        safe_regex: optional PatternWire,
        /// Whether the case of ASCII letters is ignored; no effect on `safe_regex`. Default false.
        ignore_case: optional bool,
    }
    unsupported {
        /// Not supported: a wasm filter has no access to extensions of Envoy. Use `safe_regex`.
        custom: "a wasm filter has no access to extensions of Envoy: use safe_regex",
    }
}

impl StringMatcherWire {
    /// Builds the matcher at this place.
    pub(crate) fn build(self, at: &Place<'_>) -> Option<StringMatcher> {
        let comparisons = [
            self.exact.map(|text| Some(Comparison::Exact(text))),
            self.prefix.map(|text| Some(Comparison::Prefix(text.0))),
            self.suffix.map(|text| Some(Comparison::Suffix(text.0))),
            self.contains.map(|text| Some(Comparison::Contains(text.0))),
            self.safe_regex.map(|wire| {
                let pattern = wire.build(&at.field("safe_regex"))?;
                Some(Comparison::Pattern(pattern))
            }),
        ];
        let mut given = comparisons.into_iter().flatten();
        match (given.next(), given.next()) {
            (Some(comparison), None) => {
                let ignore_case = self.ignore_case.unwrap_or(false);
                Some(StringMatcher::new(comparison?, ignore_case))
            }
            _ => at.refuse("needs one of exact, prefix, suffix, contains and safe_regex"),
        }
    }
}
