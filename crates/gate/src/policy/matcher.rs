//! Which requests a rule applies to: what Envoy's `RouteMatch` says of path, headers, query and
//! dynamic metadata.

use std::ops::Range;

use super::index::Stem;
use super::metadata_matcher::MetadataMatcher;
use super::pattern::TextTooLong;
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
    /// Conditions on dynamic metadata; all must hold. They are examined last.
    pub metadata: Vec<MetadataMatcher>,
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
    /// Whether the rule applies to `request`. It does not if any condition does not hold.
    ///
    /// # Errors
    ///
    /// If that depends on a pattern and a text that is too long for it.
    pub fn matches(&self, request: &Request) -> Result<bool, TextTooLong> {
        if self.grpc && !request.grpc {
            return Ok(false);
        }
        let path = std::iter::once_with(|| self.path.matches(request.path()));
        let headers = self.headers.iter().map(|header| header.matches(request));
        let query = self.query.iter().map(|one| one.matches(request));
        let metadata = self.metadata.iter().map(|one| one.matches(request));
        decide(path.chain(headers).chain(query).chain(metadata), false)
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
    /// Whether the condition holds for this path.
    ///
    /// # Errors
    ///
    /// As [`Matcher::matches`].
    pub fn matches(&self, path: &[u8]) -> Result<bool, TextTooLong> {
        match self {
            Self::Text(matcher) => matcher.matches(path),
            Self::Separated { prefix, length } => {
                let ends = path.get(*length).is_none_or(|next| *next == b'/');
                Ok(prefix.matches(path)? && ends)
            }
        }
    }
}

impl HeaderMatcher {
    /// One matching value of a repeated header is enough, and none may match if the condition is
    /// inverted. An absent header fulfils only a condition on its absence, as in Envoy, unless it
    /// counts as an empty one.
    ///
    /// # Errors
    ///
    /// As [`Matcher::matches`].
    pub fn matches(&self, request: &Request) -> Result<bool, TextTooLong> {
        let mut values = request.header(&self.name).peekable();
        let empty = self.missing_as_empty && values.peek().is_none();
        let there = empty || values.peek().is_some();
        match &self.condition {
            Condition::Present(present) => Ok((there == *present) != self.invert),
            condition => {
                let values = values.chain(empty.then_some(&b""[..]));
                let any = decide(values.map(|value| condition.holds(value)), true)?;
                Ok(there && any != self.invert)
            }
        }
    }
}

impl Condition {
    /// Whether the condition holds for something that is present and has this value.
    fn holds(&self, value: &[u8]) -> Result<bool, TextTooLong> {
        match self {
            Self::Text(matcher) => matcher.matches(value),
            Self::Range(range) => Ok(integer(value).is_some_and(|number| range.contains(&number))),
            Self::Present(present) => Ok(*present),
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
    ///
    /// # Errors
    ///
    /// As [`Matcher::matches`].
    pub fn matches(&self, request: &Request) -> Result<bool, TextTooLong> {
        let mut parameters = request.query().split(|byte| *byte == b'&');
        let value = parameters.find_map(|parameter| {
            let mut parts = parameter.splitn(2, |byte| *byte == b'=');
            let name = parts.next().unwrap_or_default();
            (name == self.name.as_bytes()).then(|| parts.next().unwrap_or_default())
        });
        match (&self.condition, value) {
            (Condition::Present(present), value) => Ok(value.is_some() == *present),
            (condition, value) => value.map_or(Ok(false), |value| condition.holds(value)),
        }
    }
}

/// `decisive` if any of `results` is that, whatever the others are; else the first error; else the
/// opposite.
fn decide(
    results: impl Iterator<Item = Result<bool, TextTooLong>>,
    decisive: bool,
) -> Result<bool, TextTooLong> {
    let mut unknown = None;
    for result in results {
        match result {
            Ok(found) if found == decisive => return Ok(decisive),
            Ok(_) => {}
            Err(too_long) => {
                unknown.get_or_insert(too_long);
            }
        }
    }
    unknown.map_or(Ok(!decisive), Err)
}
