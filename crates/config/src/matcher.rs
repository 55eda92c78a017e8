//! Which requests a rule applies to: Envoy's `RouteMatch`.

use gate::policy::{
    Comparison, Condition, HeaderMatcher, Matcher, PathMatcher, QueryMatcher, StringMatcher,
};
use serde::Deserialize;

use super::empty::Empty;
use super::error::ConfigError;
use super::pattern::PatternWire;
use super::scalar::{HeaderName, NonEmpty};
use super::string_matcher::StringMatcherWire;

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
    /// Whether it must be present. Default, without `string_match`: true.
    #[serde(default, alias = "presentMatch")]
    present_match: Option<bool>,
    /// Whether the opposite must hold. Default false.
    #[serde(default, alias = "invertMatch")]
    invert_match: Option<bool>,
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
        Ok(HeaderMatcher {
            condition: condition(path, self.string_match, self.present_match)?,
            name: self.name.0,
            invert: self.invert_match.unwrap_or(false),
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
