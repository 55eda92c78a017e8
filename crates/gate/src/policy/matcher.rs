//! Which requests a rule applies to: what Envoy's `RouteMatch` says of path, headers and query.

use std::ops::Range;

use super::index::Stem;
use super::string_matcher::StringMatcher;
use crate::request::Request;

/// Which requests a rule applies to.
#[derive(Debug)]
pub struct Matcher {
    /// The condition on the path.
    pub path: PathMatcher,
    /// Conditions on headers; all must hold.
    pub headers: Vec<HeaderMatcher>,
    /// Conditions on query parameters; all must hold.
    pub query: Vec<QueryMatcher>,
    /// Whether only gRPC requests match.
    pub grpc: bool,
}

/// A condition on the path, without query and fragment.
#[derive(Debug)]
pub enum PathMatcher {
    /// The path as a string.
    Text(StringMatcher),
    /// This prefix, if it ends at the end of a segment.
    Separated {
        /// The prefix.
        prefix: StringMatcher,
        /// Its length in bytes.
        length: usize,
    },
}

/// A condition on a header.
#[derive(Debug)]
pub struct HeaderMatcher {
    /// The name in lower case.
    pub name: String,
    /// The condition.
    pub condition: Condition,
    /// Whether the opposite must hold.
    pub invert: bool,
    /// Whether an absent header counts as an empty one.
    pub missing_as_empty: bool,
}

/// A condition on a query parameter.
#[derive(Debug)]
pub struct QueryMatcher {
    /// The name.
    pub name: String,
    /// The condition.
    pub condition: Condition,
}

/// A condition on something that may be absent.
#[derive(Debug)]
pub enum Condition {
    /// It is present and its value matches.
    Text(StringMatcher),
    /// It is present and its value is an integer in this range.
    Range(Range<i64>),
    /// Whether it is present.
    Present(bool),
}

impl Matcher {
    /// Whether the rule applies to `request`.
    #[must_use]
    pub fn matches(&self, request: &Request) -> bool {
        self.path.matches(request.path())
            && (!self.grpc || request.grpc)
            && self.headers.iter().all(|header| header.matches(request))
            && self.query.iter().all(|one| one.matches(request))
    }

    /// The text that all matching paths begin with.
    pub(super) fn stem(&self) -> Stem<'_> {
        match &self.path {
            PathMatcher::Text(matcher) => matcher.stem(),
            PathMatcher::Separated { prefix, .. } => prefix.stem(),
        }
    }

    /// The names of the headers that the conditions read.
    pub fn header_names(&self) -> impl Iterator<Item = &String> {
        self.headers.iter().map(|header| &header.name)
    }
}

impl PathMatcher {
    fn matches(&self, path: &[u8]) -> bool {
        match self {
            Self::Text(matcher) => matcher.matches(path),
            Self::Separated { prefix, length } => {
                prefix.matches(path) && path.get(*length).is_none_or(|next| *next == b'/')
            }
        }
    }
}

impl HeaderMatcher {
    /// One matching value of a repeated header is enough, and none may match if the condition is
    /// inverted. An absent header fulfils only a condition on its absence, as in Envoy, unless it
    /// counts as an empty one.
    fn matches(&self, request: &Request) -> bool {
        let mut values = request.header(&self.name).peekable();
        let empty = self.missing_as_empty && values.peek().is_none();
        let there = empty || values.peek().is_some();
        match &self.condition {
            Condition::Present(present) => (there == *present) != self.invert,
            condition => {
                let matches =
                    (empty && condition.holds(b"")) || values.any(|value| condition.holds(value));
                there && matches != self.invert
            }
        }
    }
}

impl Condition {
    /// Whether the condition holds for something that is present and has this value.
    fn holds(&self, value: &[u8]) -> bool {
        match self {
            Self::Text(matcher) => matcher.matches(value),
            Self::Range(range) => integer(value).is_some_and(|number| range.contains(&number)),
            Self::Present(present) => *present,
        }
    }
}

/// The value of a header as an integer, as Envoy reads it: with a sign, leading zeros and white space
/// around it.
fn integer(value: &[u8]) -> Option<i64> {
    str::from_utf8(value.trim_ascii()).ok()?.parse().ok()
}

impl QueryMatcher {
    /// Of a repeated parameter the first value counts, and nothing is decoded, as in Envoy.
    fn matches(&self, request: &Request) -> bool {
        let mut parameters = request.query().split(|byte| *byte == b'&');
        let value = parameters.find_map(|parameter| {
            let mut parts = parameter.splitn(2, |byte| *byte == b'=');
            let name = parts.next().unwrap_or_default();
            (name == self.name.as_bytes()).then(|| parts.next().unwrap_or_default())
        });
        match (&self.condition, value) {
            (Condition::Present(present), value) => value.is_some() == *present,
            (condition, value) => value.is_some_and(|value| condition.holds(value)),
        }
    }
}
