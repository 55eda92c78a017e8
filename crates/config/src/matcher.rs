//! Which requests a rule applies to: Envoy's `RouteMatch`.

use gate::policy::{
    Comparison, Condition, HeaderMatcher, Matcher, PathMatcher, QueryMatcher, StringMatcher,
};

use super::empty::Empty;
use super::metadata_matcher::MetadataMatcherWire;
use super::object::object;
use super::pattern::PatternWire;
use super::place::Place;
use super::scalar::{HeaderName, NonEmpty, Signed};
use super::string_matcher::StringMatcherWire;

object! {
    pub(crate) struct MatcherWire("Match", "Match") {
        /// The path begins with this text.
        prefix: optional String,
        /// The path equals this text.
        path: optional String,
        /// The path equals this text, or continues after it with /.
        path_separated_prefix: optional NonEmpty,
        /// The whole path matches this regular expression.
        safe_regex: optional PatternWire,
        /// Whether case matters for prefix, path and `path_separated_prefix`. Default true.
        case_sensitive: optional bool,
        /// Conditions on headers; all must hold.
        headers: optional Vec<HeaderMatcherWire>,
        /// Conditions on query parameters; all must hold.
        query_parameters: optional Vec<QueryMatcherWire>,
        /// Only gRPC requests match.
        grpc: optional Empty,
        /// Conditions on dynamic metadata, which filters before this one write; all must hold.
        dynamic_metadata: optional Vec<MetadataMatcherWire>,
    }
    unsupported {
        /// Not supported: select CONNECT requests by the header `:method`.
        connect_matcher:
            "a rule does not select CONNECT requests by their kind: use prefix and a condition \
             on the header :method",
        /// Not supported: use `safe_regex`.
        path_match_policy: "a wasm filter has no access to extensions of Envoy: use safe_regex",
        /// Not supported: a wasm filter cannot read runtime values.
        runtime_fraction:
            "a wasm filter cannot read runtime values: a rule applies to all requests that it \
             matches",
        /// Not supported: match the header `cookie` with `safe_regex`.
        cookies:
            "conditions on single cookies are not supported: match the header cookie with \
             safe_regex",
        /// Not supported: use `per_route_requirements`.
        tls_context:
            "rules do not depend on the client certificate: name the requirement in the \
             metadata of a route that does and set per_route_requirements",
        /// Not supported: use `per_route_requirements`.
        filter_state:
            "a wasm filter cannot read filter state safely: name the requirement in the \
             metadata of a route that does and set per_route_requirements",
    }
}

object! {
    struct HeaderMatcherWire("HeaderMatch", "Header match") {
        /// The name of the header, or of a pseudo-header such as `":method"`.
        name: required HeaderName,
        /// The condition on its value.
        string_match: optional StringMatcherWire,
        /// Its value equals this text; `""` means that it is present. Older form of `string_match`.
        exact_match: optional String,
        /// Its value begins with this text. Older form of `string_match`.
        prefix_match: optional NonEmpty,
        /// Its value ends with this text. Older form of `string_match`.
        suffix_match: optional NonEmpty,
        /// Its value contains this text. Older form of `string_match`.
        contains_match: optional NonEmpty,
        /// Its whole value matches this regular expression. Older form of `string_match`.
        safe_regex_match: optional PatternWire,
        /// Its value is an integer in this range.
        range_match: optional RangeWire,
        /// Whether it must be present. This is the default, with true, without another condition.
        present_match: optional bool,
        /// Whether the opposite must hold. Default false.
        invert_match: optional bool,
        /// Whether an absent header counts as an empty one. Default false.
        treat_missing_header_as_empty: optional bool,
    }
}

object! {
    struct RangeWire("IntegerRange", "Integer range") {
        /// The smallest integer. Default 0.
        start: optional Signed,
        /// The first integer that is too large. Default 0.
        end: optional Signed,
    }
}

object! {
    struct QueryMatcherWire("QueryParameterMatch", "Query parameter match") {
        /// The name of the parameter.
        name: required NonEmpty,
        /// The condition on its value, which is not decoded.
        string_match: optional StringMatcherWire,
        /// Whether it must be present. Default, without `string_match`: true.
        present_match: optional bool,
    }
}

impl MatcherWire {
    /// Builds the matcher at this place.
    pub(crate) fn build(self, at: &Place<'_>) -> Option<Matcher> {
        let ignore_case = !self.case_sensitive.unwrap_or(true);
        let paths = PathFields {
            prefix: self.prefix,
            path: self.path,
            path_separated_prefix: self.path_separated_prefix,
            safe_regex: self.safe_regex,
        };
        let path = paths.build(at, ignore_case);
        let headers = at.build_list("headers", self.headers, HeaderMatcherWire::build);
        let query = self.query_parameters;
        let query = at.build_list("query_parameters", query, QueryMatcherWire::build);
        let metadata = self.dynamic_metadata;
        let metadata = at.build_list("dynamic_metadata", metadata, MetadataMatcherWire::build);
        Some(Matcher {
            path: path?,
            headers,
            query,
            grpc: self.grpc.is_some(),
            metadata,
        })
    }
}

/// The fields of [`MatcherWire`] that are conditions on the path.
struct PathFields {
    prefix: Option<String>,
    path: Option<String>,
    path_separated_prefix: Option<NonEmpty>,
    safe_regex: Option<PatternWire>,
}

impl PathFields {
    /// Builds the condition on the path of the matcher at this place.
    fn build(self, at: &Place<'_>, ignore_case: bool) -> Option<PathMatcher> {
        let text = |comparison| PathMatcher::Text(StringMatcher::new(comparison, ignore_case));
        match (
            self.prefix,
            self.path,
            self.path_separated_prefix,
            self.safe_regex,
        ) {
            (Some(prefix), None, None, None) => Some(text(Comparison::Prefix(prefix))),
            (None, Some(path), None, None) => Some(text(Comparison::Exact(path))),
            (None, None, Some(NonEmpty(prefix)), None) => {
                if prefix.ends_with('/') || prefix.contains(['?', '#']) {
                    let at = at.field("path_separated_prefix");
                    return at.refuse("must not end in / nor contain ? or #");
                }
                Some(PathMatcher::Separated {
                    length: prefix.len(),
                    prefix: StringMatcher::new(Comparison::Prefix(prefix), ignore_case),
                })
            }
            (None, None, None, Some(pattern)) => {
                let pattern = pattern.build(&at.field("safe_regex"))?;
                Some(text(Comparison::Pattern(pattern)))
            }
            _ => at.refuse("needs one of prefix, path, path_separated_prefix and safe_regex"),
        }
    }
}

impl HeaderMatcherWire {
    fn build(self, at: &Place<'_>) -> Option<HeaderMatcher> {
        let text = |comparison| Some(Condition::Text(StringMatcher::new(comparison, false)));
        let older = [
            self.exact_match.map(|exact| match exact.as_str() {
                // As in Envoy.
                "" => Some(Condition::Present(true)),
                _ => text(Comparison::Exact(exact)),
            }),
            self.prefix_match
                .map(|prefix| text(Comparison::Prefix(prefix.0))),
            self.suffix_match
                .map(|suffix| text(Comparison::Suffix(suffix.0))),
            self.contains_match
                .map(|part| text(Comparison::Contains(part.0))),
            self.safe_regex_match.map(|wire| {
                let pattern = wire.build(&at.field("safe_regex_match"))?;
                text(Comparison::Pattern(pattern))
            }),
            self.range_match.map(|range| {
                let bound = |given: Option<Signed>| given.map_or(0, |bound| bound.0);
                Some(Condition::Range(bound(range.start)..bound(range.end)))
            }),
        ];
        let mut older = older.into_iter().flatten();
        let is_alone = self.string_match.is_none() && self.present_match.is_none();
        let condition = match (older.next(), older.next()) {
            (None, _) => condition(at, self.string_match, self.present_match)?,
            (Some(condition), None) if is_alone => condition?,
            _ => {
                return at.refuse(
                    "has more than one of string_match, present_match, exact_match, prefix_match, \
                     suffix_match, contains_match, safe_regex_match and range_match",
                );
            }
        };
        Some(HeaderMatcher {
            condition,
            name: self.name.0,
            invert: self.invert_match.unwrap_or(false),
            missing_as_empty: self.treat_missing_header_as_empty.unwrap_or(false),
        })
    }
}

impl QueryMatcherWire {
    fn build(self, at: &Place<'_>) -> Option<QueryMatcher> {
        Some(QueryMatcher {
            condition: condition(at, self.string_match, self.present_match)?,
            name: self.name.0,
        })
    }
}

/// Builds the condition on the header or parameter at this place. By default it must be present.
fn condition(
    at: &Place<'_>,
    string_match: Option<StringMatcherWire>,
    present_match: Option<bool>,
) -> Option<Condition> {
    match (string_match, present_match) {
        (Some(wire), None) => wire.build(&at.field("string_match")).map(Condition::Text),
        (None, present) => Some(Condition::Present(present.unwrap_or(true))),
        (Some(_), Some(_)) => at.refuse("has both string_match and present_match"),
    }
}
