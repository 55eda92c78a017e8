//! Which requests a rule of a mesh is about.

use std::collections::BTreeSet;

use super::path_pattern::PathPattern;
use super::text_pattern::TextPattern;
use crate::convert::new_value::NewValue;

/// A condition on a header, or on a pseudo-header.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct HeaderCondition {
    pub(super) name: String,
    /// One of these matches.
    pub(super) patterns: Vec<TextPattern>,
    /// Whether none may match instead.
    pub(super) inverted: bool,
    pub(super) ignore_case: bool,
}

impl HeaderCondition {
    fn to_value(&self) -> NewValue {
        let mut members = vec![("name".to_owned(), NewValue::text(&self.name))];
        match self.patterns.as_slice() {
            patterns if patterns.contains(&TextPattern::Any) => {
                let present = (!self.inverted).to_string();
                members.push(("present_match".to_owned(), NewValue::literal(&present)));
                return NewValue::Map(members);
            }
            [only] => {
                let value = only.to_string_match(self.ignore_case);
                members.push(("string_match".to_owned(), value));
            }
            patterns => {
                let all: Vec<String> = patterns.iter().map(TextPattern::regex).collect();
                let case = if self.ignore_case { "(?i)" } else { "" };
                let regex = format!("{case}({})", all.join("|"));
                let value = TextPattern::Regex(regex).to_string_match(false);
                members.push(("string_match".to_owned(), value));
            }
        }
        if self.inverted {
            members.push(("invert_match".to_owned(), NewValue::literal("true")));
            // A header that is not there does not match, so the inverted condition holds.
            if !self.name.starts_with(':') {
                members.push((
                    "treat_missing_header_as_empty".to_owned(),
                    NewValue::literal("true"),
                ));
            }
        }
        NewValue::Map(members)
    }
}

/// A set of requests: those that fulfil all of these conditions.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct RequestMatch {
    pub(super) paths: BTreeSet<PathPattern>,
    /// One of these; any if there is no list.
    pub(super) methods: Option<BTreeSet<String>>,
    pub(super) headers: BTreeSet<HeaderCondition>,
}

impl RequestMatch {
    /// Whether every request of `other` is known to match.
    pub(super) fn covers(&self, other: &Self) -> bool {
        let paths = self.paths.iter().all(|wide| {
            let mut narrow = other.paths.iter();
            narrow.any(|narrow| wide.covers(narrow))
        });
        let methods = match (&self.methods, &other.methods) {
            (None, _) => true,
            (Some(wide), Some(narrow)) => narrow.is_subset(wide),
            (Some(_), None) => false,
        };
        paths && methods && self.headers.is_subset(&other.headers)
    }

    /// The requests that both match; `None` if there are none.
    pub(super) fn and(&self, other: &Self) -> Option<Self> {
        let exclude = |one: &PathPattern| other.paths.iter().any(|two| one.excludes(two));
        if self.paths.iter().any(exclude) || self.headers_exclude(other) {
            return None;
        }
        let all: BTreeSet<PathPattern> = self.paths.union(&other.paths).cloned().collect();
        // A pattern says nothing new if it covers another one.
        let is_needed = |one: &&PathPattern| !all.iter().any(|two| two != *one && one.covers(two));
        let paths = all.iter().filter(is_needed).cloned().collect();
        let methods = match (&self.methods, &other.methods) {
            (Some(one), Some(two)) => {
                let both: BTreeSet<String> = one.intersection(two).cloned().collect();
                if both.is_empty() {
                    return None;
                }
                Some(both)
            }
            (one, two) => one.clone().or_else(|| two.clone()),
        };
        Some(Self {
            paths,
            methods,
            headers: self.headers.union(&other.headers).cloned().collect(),
        })
    }

    /// Whether two conditions name different exact values of one pseudo-header.
    fn headers_exclude(&self, other: &Self) -> bool {
        let is_single =
            |condition: &&HeaderCondition| condition.name.starts_with(':') && !condition.inverted;
        let exact = |pattern: &TextPattern| match pattern {
            TextPattern::Exact(text) => Some(text.to_ascii_lowercase()),
            _ => None,
        };
        let values = |condition: &HeaderCondition| {
            let all = condition.patterns.iter().map(exact);
            all.collect::<Option<BTreeSet<String>>>()
        };
        self.headers.iter().filter(is_single).any(|one| {
            other
                .headers
                .iter()
                .filter(is_single)
                .filter(|two| two.name == one.name)
                .any(|two| match (values(one), values(two)) {
                    (Some(one), Some(two)) => one.is_disjoint(&two),
                    _ => false,
                })
        })
    }

    /// The match of a rule of the gate.
    pub(super) fn to_value(&self) -> NewValue {
        let mut paths = self.paths.iter();
        let (name, value) = paths
            .next()
            .map_or_else(|| ("prefix", NewValue::text("/")), PathPattern::to_field);
        let mut headers = Vec::new();
        if let Some(methods) = &self.methods {
            let patterns = methods.iter().cloned().map(TextPattern::Exact).collect();
            headers.push(HeaderCondition {
                name: ":method".to_owned(),
                patterns,
                inverted: false,
                ignore_case: false,
            });
        }
        headers.extend(paths.map(|path| on_path(std::slice::from_ref(path), false)));
        headers.extend(self.headers.iter().cloned());
        let mut members = vec![(name.to_owned(), value)];
        if !headers.is_empty() {
            let headers = headers.iter().map(HeaderCondition::to_value).collect();
            members.push(("headers".to_owned(), NewValue::List(headers)));
        }
        NewValue::Map(members)
    }
}

/// The condition that the path of a request, which has a query in `:path`, matches one of these, or none of these.
pub(super) fn on_path(paths: &[PathPattern], inverted: bool) -> HeaderCondition {
    let all: Vec<String> = paths.iter().map(path_regex).collect();
    let regex = format!("({})([?#].*)?", all.join("|"));
    HeaderCondition {
        name: ":path".to_owned(),
        patterns: vec![TextPattern::Regex(regex)],
        inverted,
        ignore_case: false,
    }
}

/// A regular expression for a pattern whose wild parts do not reach into the query.
fn path_regex(path: &PathPattern) -> String {
    match path {
        PathPattern::Suffix(suffix) => {
            let end = PathPattern::Exact(suffix.clone()).regex();
            format!("[^?#]*{end}")
        }
        other => other.regex(),
    }
}
