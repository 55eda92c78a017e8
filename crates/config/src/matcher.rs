//! Which requests a rule applies to: Envoy's `RouteMatch`.

use gate::policy::{
    Comparison, Condition, HeaderMatcher, Matcher, PathMatcher, QueryMatcher, StringMatcher,
};
use serde::Deserialize;

use super::empty::Empty;
use super::error::ConfigError;
use super::metadata_matcher::MetadataMatcherWire;
use super::pattern::PatternWire;
use super::scalar::{HeaderName, NonEmpty, Signed};
use super::string_matcher::StringMatcherWire;
use super::unsupported::{Advice, Unsupported};

#[derive(Deserialize)]
#[cfg_attr(
    not(target_arch = "wasm32"),
    derive(schemars::JsonSchema),
    schemars(rename = "Match", title = "Match")
)]
#[serde(deny_unknown_fields)]
pub(crate) struct MatcherWire {
    /// The path begins with this text.
    #[serde(default)]
    prefix: Option<String>,
    /// The path equals this text.
    #[serde(default)]
    path: Option<String>,
    /// The path equals this text, or continues after it with /.
    #[serde(default, alias = "pathSeparatedPrefix")]
    path_separated_prefix: Option<NonEmpty>,
    /// The whole path matches this regular expression.
    #[serde(default, alias = "safeRegex")]
    safe_regex: Option<PatternWire>,
    /// Whether case matters for prefix, path and `path_separated_prefix`. Default true.
    #[serde(default, alias = "caseSensitive")]
    case_sensitive: Option<bool>,
    /// Conditions on headers; all must hold.
    #[serde(default)]
    headers: Option<Vec<HeaderMatcherWire>>,
    /// Conditions on query parameters; all must hold.
    #[serde(default, alias = "queryParameters")]
    query_parameters: Option<Vec<QueryMatcherWire>>,
    /// Only gRPC requests match.
    #[serde(default)]
    grpc: Option<Empty>,
    /// Conditions on dynamic metadata, which filters before this one write; all must hold.
    #[serde(default, alias = "dynamicMetadata")]
    dynamic_metadata: Option<Vec<MetadataMatcherWire>>,
    /// Not supported: select CONNECT requests by the header `:method`.
    #[serde(default, rename = "connect_matcher", alias = "connectMatcher")]
    _connect_matcher: Unsupported<NoConnectMatcher>,
    /// Not supported: use `safe_regex`.
    #[serde(default, rename = "path_match_policy", alias = "pathMatchPolicy")]
    _path_match_policy: Unsupported<NoPathTemplate>,
    /// Not supported: a wasm filter cannot read runtime values.
    #[serde(default, rename = "runtime_fraction", alias = "runtimeFraction")]
    _runtime_fraction: Unsupported<NoRuntime>,
    /// Not supported: match the header `cookie` with `safe_regex`.
    #[serde(default, rename = "cookies")]
    _cookies: Unsupported<NoCookies>,
    /// Not supported: use `per_route_requirements`.
    #[serde(default, rename = "tls_context", alias = "tlsContext")]
    _tls_context: Unsupported<NoTlsContext>,
    /// Not supported: use `per_route_requirements`.
    #[serde(default, rename = "filter_state", alias = "filterState")]
    _filter_state: Unsupported<NoFilterState>,
}

struct NoConnectMatcher;

impl Advice for NoConnectMatcher {
    const TEXT: &str = "a rule does not select CONNECT requests by their kind: use prefix and a condition \
                        on the header :method";
}

struct NoPathTemplate;

impl Advice for NoPathTemplate {
    const TEXT: &str = "a wasm filter has no access to extensions of Envoy: use safe_regex";
}

struct NoRuntime;

impl Advice for NoRuntime {
    const TEXT: &str = "a wasm filter cannot read runtime values: a rule applies to all requests that it \
                        matches";
}

struct NoCookies;

impl Advice for NoCookies {
    const TEXT: &str = "conditions on single cookies are not supported: match the header cookie with \
                        safe_regex";
}

struct NoTlsContext;

impl Advice for NoTlsContext {
    const TEXT: &str = "rules do not depend on the client certificate: name the requirement in the \
                        metadata of a route that does and set per_route_requirements";
}

struct NoFilterState;

impl Advice for NoFilterState {
    const TEXT: &str = "a wasm filter cannot read filter state safely: name the requirement in the \
                        metadata of a route that does and set per_route_requirements";
}

#[derive(Deserialize)]
#[cfg_attr(
    not(target_arch = "wasm32"),
    derive(schemars::JsonSchema),
    schemars(rename = "HeaderMatch", title = "Header match")
)]
#[serde(deny_unknown_fields)]
struct HeaderMatcherWire {
    /// The name of the header, or of a pseudo-header such as `":method"`.
    name: HeaderName,
    /// The condition on its value.
    #[serde(default, alias = "stringMatch")]
    string_match: Option<StringMatcherWire>,
    /// Its value equals this text; `""` means that it is present. Older form of `string_match`.
    #[serde(default, alias = "exactMatch")]
    exact_match: Option<String>,
    /// Its value begins with this text. Older form of `string_match`.
    #[serde(default, alias = "prefixMatch")]
    prefix_match: Option<NonEmpty>,
    /// Its value ends with this text. Older form of `string_match`.
    #[serde(default, alias = "suffixMatch")]
    suffix_match: Option<NonEmpty>,
    /// Its value contains this text. Older form of `string_match`.
    #[serde(default, alias = "containsMatch")]
    contains_match: Option<NonEmpty>,
    /// Its whole value matches this regular expression. Older form of `string_match`.
    #[serde(default, alias = "safeRegexMatch")]
    safe_regex_match: Option<PatternWire>,
    /// Its value is an integer in this range.
    #[serde(default, alias = "rangeMatch")]
    range_match: Option<RangeWire>,
    /// Whether it must be present. This is the default, with true, without another condition.
    #[serde(default, alias = "presentMatch")]
    present_match: Option<bool>,
    /// Whether the opposite must hold. Default false.
    #[serde(default, alias = "invertMatch")]
    invert_match: Option<bool>,
    /// Whether an absent header counts as an empty one. Default false.
    #[serde(default, alias = "treatMissingHeaderAsEmpty")]
    treat_missing_header_as_empty: Option<bool>,
}

#[derive(Deserialize)]
#[cfg_attr(
    not(target_arch = "wasm32"),
    derive(schemars::JsonSchema),
    schemars(rename = "IntegerRange", title = "Integer range")
)]
#[serde(deny_unknown_fields)]
struct RangeWire {
    /// The smallest integer. Default 0.
    #[serde(default)]
    start: Option<Signed>,
    /// The first integer that is too large. Default 0.
    #[serde(default)]
    end: Option<Signed>,
}

#[derive(Deserialize)]
#[cfg_attr(
    not(target_arch = "wasm32"),
    derive(schemars::JsonSchema),
    schemars(rename = "QueryParameterMatch", title = "Query parameter match")
)]
#[serde(deny_unknown_fields)]
struct QueryMatcherWire {
    /// The name of the parameter.
    name: NonEmpty,
    /// The condition on its value, which is not decoded.
    #[serde(default, alias = "stringMatch")]
    string_match: Option<StringMatcherWire>,
    /// Whether it must be present. Default, without `string_match`: true.
    #[serde(default, alias = "presentMatch")]
    present_match: Option<bool>,
}

impl MatcherWire {
    pub(crate) fn build(self, path: &str) -> Result<Matcher, ConfigError> {
        let ignore_case = !self.case_sensitive.unwrap_or(true);
        let headers = self.headers.unwrap_or_default().into_iter().enumerate();
        let query = self.query_parameters.unwrap_or_default();
        let query = query.into_iter().enumerate();
        let metadata = self.dynamic_metadata.unwrap_or_default();
        let metadata = metadata.into_iter().enumerate();
        let paths = PathFields {
            prefix: self.prefix,
            path: self.path,
            path_separated_prefix: self.path_separated_prefix,
            safe_regex: self.safe_regex,
        };
        Ok(Matcher {
            path: paths.build(path, ignore_case)?,
            headers: headers
                .map(|(index, wire)| wire.build(&format!("{path}.headers[{index}]")))
                .collect::<Result<_, _>>()?,
            query: query
                .map(|(index, wire)| wire.build(&format!("{path}.query_parameters[{index}]")))
                .collect::<Result<_, _>>()?,
            grpc: self.grpc.is_some(),
            metadata: metadata
                .map(|(index, wire)| wire.build(&format!("{path}.dynamic_metadata[{index}]")))
                .collect::<Result<_, _>>()?,
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
    fn build(self, path: &str, ignore_case: bool) -> Result<PathMatcher, ConfigError> {
        let pattern = match self.safe_regex {
            Some(wire) => Some(wire.build(&format!("{path}.safe_regex"))?),
            None => None,
        };
        let separated = match self.path_separated_prefix {
            Some(NonEmpty(prefix)) if prefix.ends_with('/') || prefix.contains(['?', '#']) => {
                return Err(ConfigError::new(
                    format!("{path}.path_separated_prefix"),
                    "must not end in / nor contain ? or #",
                ));
            }
            separated => separated.map(|NonEmpty(prefix)| PathMatcher::Separated {
                length: prefix.len(),
                prefix: StringMatcher::new(Comparison::Prefix(prefix), ignore_case),
            }),
        };
        let comparisons = [
            self.prefix.map(Comparison::Prefix),
            self.path.map(Comparison::Exact),
            pattern.map(Comparison::Pattern),
        ];
        let texts = comparisons.into_iter().flatten();
        let texts = texts.map(|one| PathMatcher::Text(StringMatcher::new(one, ignore_case)));
        let mut given = texts.chain(separated);
        match (given.next(), given.next()) {
            (Some(matcher), None) => Ok(matcher),
            _ => Err(ConfigError::new(
                path,
                "needs one of prefix, path, path_separated_prefix and safe_regex",
            )),
        }
    }
}

impl HeaderMatcherWire {
    fn build(self, path: &str) -> Result<HeaderMatcher, ConfigError> {
        let text = |comparison| Condition::Text(StringMatcher::new(comparison, false));
        let pattern = self.safe_regex_match;
        let pattern = pattern.map(|wire| wire.build(&format!("{path}.safe_regex_match")));
        let range = self.range_match.map(|range| {
            let bound = |given: Option<Signed>| given.map_or(0, |bound| bound.0);
            Condition::Range(bound(range.start)..bound(range.end))
        });
        let older = [
            self.exact_match.map(|exact| match exact.as_str() {
                // As in Envoy.
                "" => Condition::Present(true),
                _ => text(Comparison::Exact(exact)),
            }),
            self.prefix_match
                .map(|prefix| text(Comparison::Prefix(prefix.0))),
            self.suffix_match
                .map(|suffix| text(Comparison::Suffix(suffix.0))),
            self.contains_match
                .map(|part| text(Comparison::Contains(part.0))),
            pattern
                .transpose()?
                .map(|pattern| text(Comparison::Pattern(pattern))),
            range,
        ];
        let mut older = older.into_iter().flatten();
        let is_alone = self.string_match.is_none() && self.present_match.is_none();
        let condition = match (older.next(), older.next()) {
            (None, _) => condition(path, self.string_match, self.present_match)?,
            (Some(condition), None) if is_alone => condition,
            _ => {
                return Err(ConfigError::new(
                    path,
                    "has more than one of string_match, present_match, exact_match, prefix_match, \
                     suffix_match, contains_match, safe_regex_match and range_match",
                ));
            }
        };
        Ok(HeaderMatcher {
            condition,
            name: self.name.0,
            invert: self.invert_match.unwrap_or(false),
            missing_as_empty: self.treat_missing_header_as_empty.unwrap_or(false),
        })
    }
}

impl QueryMatcherWire {
    fn build(self, path: &str) -> Result<QueryMatcher, ConfigError> {
        Ok(QueryMatcher {
            condition: condition(path, self.string_match, self.present_match)?,
            name: self.name.0,
        })
    }
}

/// Builds the condition on the header or parameter at `path`. By default it must be present.
fn condition(
    path: &str,
    string_match: Option<StringMatcherWire>,
    present_match: Option<bool>,
) -> Result<Condition, ConfigError> {
    match (string_match, present_match) {
        (Some(wire), None) => wire
            .build(&format!("{path}.string_match"))
            .map(Condition::Text),
        (None, present) => Ok(Condition::Present(present.unwrap_or(true))),
        (Some(_), Some(_)) => Err(ConfigError::new(
            path,
            "has both string_match and present_match",
        )),
    }
}
