//! Conditions on strings: Envoy's `StringMatcher`.

use super::index::Stem;
use super::pattern::Pattern;

/// A condition on a string. The string is bytes, since clients may send any.
#[derive(Clone, Debug)]
pub struct StringMatcher {
    comparison: Comparison,
    /// Whether ASCII letters are compared without case. Patterns have flags of their own.
    ignore_case: bool,
}

/// How a string is compared.
#[derive(Clone, Debug)]
pub enum Comparison {
    /// It equals this one.
    Exact(String),
    /// It begins with this one.
    Prefix(String),
    /// It ends with this one.
    Suffix(String),
    /// It contains this one.
    Contains(String),
    /// It matches as a whole.
    Pattern(Pattern),
}

impl StringMatcher {
    /// Compares as `comparison` says, and without case if `ignore_case`, which patterns disregard.
    #[must_use]
    pub const fn new(comparison: Comparison, ignore_case: bool) -> Self {
        Self {
            comparison,
            ignore_case,
        }
    }

    /// The text that all matching strings begin with.
    pub(super) fn stem(&self) -> Stem<'_> {
        let (text, whole) = match &self.comparison {
            Comparison::Exact(text) => (text.as_str(), true),
            Comparison::Prefix(text) => (text.as_str(), false),
            Comparison::Suffix(_) | Comparison::Contains(_) | Comparison::Pattern(_) => ("", false),
        };
        Stem { text, whole }
    }

    /// Whether `text` fulfils the condition.
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
