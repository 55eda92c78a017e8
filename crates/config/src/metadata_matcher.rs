//! Conditions on dynamic metadata: Envoy's `MetadataMatcher`.

use gate::policy::{MetadataCondition, MetadataMatcher};
use gate::request::MetadataName;

use super::claim_path::PathSegment;
use super::object::object;
use super::place::Place;
use super::scalar::NonEmpty;
use super::string_matcher::StringMatcherWire;

/// The most keys of a path.
const MAX_KEYS: usize = 8;

object! {
    pub(crate) struct MetadataMatcherWire("MetadataMatch", "Metadata match") {
        /// The namespace: usually the name of the filter that writes the metadata.
        filter: required NonEmpty,
        /// The keys that lead to the value; 1 to 8.
        path: required Vec<PathSegment>,
        /// The condition on the value, which does not hold for a value that is absent.
        value: required ValueMatcherWire,
        /// Whether the opposite must hold. Default false.
        invert: optional bool,
    }
}

object! {
    struct ValueMatcherWire("ValueMatch", "Value match") {
        /// It is a string that matches.
        text = "string_match": optional StringMatcherWire,
        /// It is this boolean.
        boolean = "bool_match": optional bool,
        /// It is present: true. For the opposite there is `invert`.
        present = "present_match": optional bool,
    }
    unsupported {
        /// Not supported: use `present_match` and `invert`.
        null_match:
            "a wasm filter cannot tell null from an absent value: use present_match and invert",
        /// Not supported: a number has no text. Use `string_match` or `bool_match`.
        double_match: "conditions on numbers are not supported: use string_match or bool_match",
        /// Not supported: a list has no text. Use `string_match` or `bool_match`.
        list_match: "conditions on lists are not supported: use string_match or bool_match",
        /// Not supported: use several rules, or `safe_regex`.
        or_match: "alternatives are not supported: use several rules, or safe_regex",
    }
}

impl MetadataMatcherWire {
    /// Builds the matcher at this place.
    pub(crate) fn build(self, at: &Place<'_>) -> Option<MetadataMatcher> {
        let keys: Vec<String> = self.path.into_iter().map(PathSegment::into_name).collect();
        let fits = (1..=MAX_KEYS).contains(&keys.len()) && !keys.iter().any(String::is_empty);
        if !fits {
            let problem = format!("needs from 1 to {MAX_KEYS} keys that are not empty");
            at.field("path").report(&problem);
        }
        Some(MetadataMatcher {
            name: MetadataName {
                filter: self.filter.0,
                path: keys,
            },
            condition: self.value.build(&at.field("value"))?,
            invert: self.invert.unwrap_or(false),
        })
    }
}

impl ValueMatcherWire {
    fn build(self, at: &Place<'_>) -> Option<MetadataCondition> {
        match (self.text, self.boolean, self.present) {
            (Some(wire), None, None) => {
                let text = wire.build(&at.field("string_match"))?;
                Some(MetadataCondition::Text(text))
            }
            (None, Some(wanted), None) => Some(MetadataCondition::Bool(wanted)),
            (None, None, Some(true)) => Some(MetadataCondition::Present),
            // In Envoy it never holds, which nobody means.
            (None, None, Some(false)) => at
                .field("present_match")
                .refuse("must be true: for an absent value use invert"),
            _ => at.refuse("needs one of string_match, bool_match and present_match"),
        }
    }
}
