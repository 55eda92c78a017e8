//! Conditions on strings: Envoy's `StringMatcher`.

use super::index::Stem;
use super::pattern::{Pattern, TextTooLong};

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

    /// How a string is compared.
    #[must_use]
    pub const fn comparison(&self) -> &Comparison {
        &self.comparison
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
    ///
    /// # Errors
    ///
    /// If the condition is a pattern and `text` too long for it.
    pub fn matches(&self, text: &[u8]) -> Result<bool, TextTooLong> {
        let same = |part: Option<&[u8]>, wanted: &str| {
            part.is_some_and(|part| {
                if self.ignore_case {
                    part.eq_ignore_ascii_case(wanted.as_bytes())
                } else {
                    part == wanted.as_bytes()
                }
            })
        };
        Ok(match &self.comparison {
            Comparison::Exact(wanted) => same(Some(text), wanted),
            Comparison::Prefix(wanted) => same(text.get(..wanted.len()), wanted),
            Comparison::Suffix(wanted) => {
                let start = text.len().checked_sub(wanted.len());
                same(start.and_then(|start| text.get(start..)), wanted)
            }
            Comparison::Contains(wanted) => text
                .windows(wanted.len().max(1))
                .any(|part| same(Some(part), wanted)),
            Comparison::Pattern(pattern) => pattern.matches(text)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(source: &str) -> Comparison {
        Comparison::Pattern(Pattern::new(source).unwrap())
    }

    #[test]
    fn strings_are_compared_as_in_envoy() {
        use Comparison::{Contains, Exact, Prefix, Suffix};
        for (comparison, ignore_case, text, expected) in [
            (Exact("ab".to_owned()), false, "ab", true),
            (Exact("ab".to_owned()), false, "aB", false),
            (Exact("ab".to_owned()), false, "abc", false),
            (Exact(String::new()), false, "", true),
            (Exact(String::new()), false, "a", false),
            (Exact("ab".to_owned()), true, "aB", true),
            (Prefix("ab".to_owned()), false, "abc", true),
            (Prefix("ab".to_owned()), false, "a", false),
            (Prefix("ab".to_owned()), true, "ABc", true),
            (Suffix("bc".to_owned()), false, "abc", true),
            (Suffix("bc".to_owned()), false, "c", false),
            (Suffix("bc".to_owned()), true, "aBC", true),
            (Contains("b".to_owned()), false, "abc", true),
            (Contains("bd".to_owned()), false, "abc", false),
            (Contains("bd".to_owned()), false, "", false),
            (Contains("B".to_owned()), true, "abc", true),
            (pattern("a.c"), false, "abc", true),
            (pattern("a.c"), false, "xabc", false),
            (pattern("a.c"), false, "abcx", false),
            (pattern("a|ab"), false, "ab", true),
            (pattern("ab|a"), false, "xa", false),
            (pattern("(?m)^a$"), false, "a\nb", false),
            (pattern("a"), false, "a", true),
            (pattern("a"), true, "A", false),
        ] {
            let matcher = StringMatcher::new(comparison, ignore_case);
            let found = matcher.matches(text.as_bytes());
            assert_eq!(found, Ok(expected), "{matcher:?} {text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn all_comparisons_agree_with_the_standard_library(
            text in "[abAB]{0,6}",
            part in "[abAB]{1,3}",
        ) {
            for (comparison, expected) in [
                (Comparison::Exact(part.clone()), text == part),
                (Comparison::Prefix(part.clone()), text.starts_with(&part)),
                (Comparison::Suffix(part.clone()), text.ends_with(&part)),
                (Comparison::Contains(part.clone()), text.contains(&part)),
            ] {
                let matcher = StringMatcher::new(comparison, false);
                proptest::prop_assert_eq!(matcher.matches(text.as_bytes()), Ok(expected));
            }
        }
    }
}
