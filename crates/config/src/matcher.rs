//! Which requests a rule is for: what Envoy's `RouteMatch` says of path, headers and query.

use serde::Deserialize;

use super::error::ConfigError;
use super::index::Stem;
use super::pattern::PatternWire;
use super::scalar::{HeaderName, NonEmpty};
use super::text::{Empty, TextMatcher, TextMatcherWire};
use crate::request::Request;

/// Which requests a rule is for.
#[derive(Debug)]
pub struct Matcher {
    path: PathMatcher,
    headers: Vec<HeaderMatcher>,
    query: Vec<QueryMatcher>,
    /// Whether it is for gRPC requests only.
    grpc: bool,
}

/// Which paths, without query and fragment.
#[derive(Debug)]
enum PathMatcher {
    Text(TextMatcher),
    /// This path and what is below it.
    Separated(TextMatcher, usize),
}

#[derive(Debug)]
struct HeaderMatcher {
    name: String,
    condition: Condition,
    invert: bool,
}

#[derive(Debug)]
struct QueryMatcher {
    name: String,
    condition: Condition,
}

#[derive(Debug)]
enum Condition {
    Text(TextMatcher),
    Present(bool),
}

impl Matcher {
    /// Whether the rule is for `request`.
    #[must_use]
    pub fn matches(&self, request: &Request) -> bool {
        self.path.matches(request.path())
            && (!self.grpc || request.grpc)
            && self.headers.iter().all(|header| header.matches(request))
            && self.query.iter().all(|one| one.matches(request))
    }

    /// What all paths begin with that this is for.
    pub(super) fn stem(&self) -> Stem<'_> {
        match &self.path {
            PathMatcher::Text(matcher) => matcher.stem(),
            PathMatcher::Separated(prefix, _) => prefix.stem(),
        }
    }

    /// The headers that are looked at.
    pub(super) fn headers(&self) -> impl Iterator<Item = &String> {
        self.headers.iter().map(|header| &header.name)
    }
}

impl PathMatcher {
    fn matches(&self, path: &[u8]) -> bool {
        match self {
            Self::Text(matcher) => matcher.matches(path),
            Self::Separated(prefix, length) => {
                prefix.matches(path) && path.get(*length).is_none_or(|next| *next == b'/')
            }
        }
    }
}

impl HeaderMatcher {
    /// Of a header that is repeated any value will do, or none may where the condition is inverted.
    /// One that is not there fulfils only the condition of being absent: as in Envoy.
    fn matches(&self, request: &Request) -> bool {
        let mut values = request.header(&self.name).peekable();
        let there = values.peek().is_some();
        match &self.condition {
            Condition::Present(present) => (there == *present) != self.invert,
            Condition::Text(matcher) => {
                there && values.any(|value| matcher.matches(value)) != self.invert
            }
        }
    }
}

impl QueryMatcher {
    /// Of a parameter that is repeated the first counts, and nothing is decoded: as in Envoy.
    fn matches(&self, request: &Request) -> bool {
        let mut parameters = request.query().split(|byte| *byte == b'&');
        let value = parameters.find_map(|parameter| {
            let mut parts = parameter.splitn(2, |byte| *byte == b'=');
            let name = parts.next().unwrap_or_default();
            (name == self.name.as_bytes()).then(|| parts.next().unwrap_or_default())
        });
        match &self.condition {
            Condition::Present(present) => value.is_some() == *present,
            Condition::Text(matcher) => value.is_some_and(|value| matcher.matches(value)),
        }
    }
}

#[derive(Deserialize)]
#[cfg_attr(
    not(target_arch = "wasm32"),
    derive(schemars::JsonSchema),
    schemars(rename = "Match", title = "Match")
)]
#[serde(deny_unknown_fields)]
pub(super) struct MatchWire {
    /// Paths that begin so.
    #[serde(default)]
    prefix: Option<String>,
    /// This path and no other.
    #[serde(default)]
    path: Option<String>,
    /// This path and what is below it.
    #[serde(default, alias = "pathSeparatedPrefix")]
    path_separated_prefix: Option<NonEmpty>,
    /// Paths that match as a whole.
    #[serde(default, alias = "safeRegex")]
    safe_regex: Option<PatternWire>,
    /// Whether prefix, path and `path_separated_prefix` are compared with case. Default true.
    #[serde(default, alias = "caseSensitive")]
    case_sensitive: Option<bool>,
    /// Conditions on headers that must all hold.
    #[serde(default)]
    headers: Option<Vec<HeaderMatcherWire>>,
    /// Conditions on query parameters that must all hold.
    #[serde(default, alias = "queryParameters")]
    query_parameters: Option<Vec<QueryMatcherWire>>,
    /// Only gRPC requests.
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
    /// What its value must be like.
    #[serde(default, alias = "stringMatch")]
    string_match: Option<TextMatcherWire>,
    /// Whether it must be there. Default, without `string_match`: true.
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
    /// What its value must be like; nothing is decoded.
    #[serde(default, alias = "stringMatch")]
    string_match: Option<TextMatcherWire>,
    /// Whether it must be there. Default, without `string_match`: true.
    #[serde(default, alias = "presentMatch")]
    present_match: Option<bool>,
}

impl MatchWire {
    pub(super) fn build(self, path: &str) -> Result<Matcher, ConfigError> {
        let ignore_case = !self.case_sensitive.unwrap_or(true);
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
            separated => separated.map(|NonEmpty(prefix)| {
                let length = prefix.len();
                PathMatcher::Separated(TextMatcher::prefix(prefix, ignore_case), length)
            }),
        };
        let text = [
            self.prefix
                .map(|prefix| TextMatcher::prefix(prefix, ignore_case)),
            self.path
                .map(|exact| TextMatcher::exact(exact, ignore_case)),
            pattern.map(TextMatcher::pattern),
        ];
        let texts = text.into_iter().flatten().map(PathMatcher::Text);
        let mut given = texts.chain(separated);
        let (Some(path_matcher), None) = (given.next(), given.next()) else {
            return Err(ConfigError::new(
                path,
                "needs one of prefix, path, path_separated_prefix and safe_regex",
            ));
        };
        let headers = self.headers.unwrap_or_default().into_iter().enumerate();
        let query = self.query_parameters.unwrap_or_default();
        let query = query.into_iter().enumerate();
        Ok(Matcher {
            path: path_matcher,
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

/// The condition of a header or parameter; that it is there, where nothing else is said.
fn condition(
    path: &str,
    text: Option<TextMatcherWire>,
    present: Option<bool>,
) -> Result<Condition, ConfigError> {
    match (text, present) {
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

#[cfg(test)]
mod tests;
