//! Regular expressions of rules and conditions.

use std::fmt;

use regex_lite::Regex;

/// A regular expression that must match the whole text. Its syntax is what RE2 and `regex-lite`
/// share; matching takes linear time.
#[derive(Clone, Debug)]
pub struct Pattern(Regex);

/// The longest text that a pattern is matched against, in bytes. Matching takes up to 40 ns per byte in
/// the module, for each pattern, and a request may have 60 KiB of headers.
pub const MAX_TEXT_BYTES: usize = 4096;

/// What stands before and after a regular expression so that it matches the whole text.
const START: &str = r"\A(?:";
const END: &str = r")\z";

/// Why a text is not a regular expression.
#[derive(Debug)]
pub struct PatternError(regex_lite::Error);

/// A text is longer than [`MAX_TEXT_BYTES`], so whether it matches is not known. It must not count as
/// either: a rule that is skipped or applied by mistake may let the request pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TextTooLong {
    /// The length of the text in bytes.
    pub bytes: usize,
}

impl Pattern {
    /// Compiles a regular expression.
    ///
    /// # Errors
    ///
    /// What is wrong with `source`.
    pub fn new(source: &str) -> Result<Self, PatternError> {
        // Compiled alone first: inside the group below, `a)(b` would be valid.
        Regex::new(source).map_err(PatternError)?;
        let anchored = Regex::new(&format!("{START}{source}{END}"));
        anchored.map(Self).map_err(PatternError)
    }

    /// The regular expression, as the operator wrote it.
    #[must_use]
    pub fn source(&self) -> &str {
        let anchored = self.0.as_str();
        let source = anchored.strip_prefix(START);
        let source = source.and_then(|rest| rest.strip_suffix(END));
        source.unwrap_or(anchored)
    }

    /// Whether the whole `text` matches. Invalid UTF-8 is replaced by U+FFFD, so it cannot keep `.`
    /// from matching.
    ///
    /// # Errors
    ///
    /// If `text` is longer than [`MAX_TEXT_BYTES`].
    pub fn matches(&self, text: &[u8]) -> Result<bool, TextTooLong> {
        if text.len() > MAX_TEXT_BYTES {
            return Err(TextTooLong { bytes: text.len() });
        }
        Ok(self.0.is_match(&String::from_utf8_lossy(text)))
    }
}

impl fmt::Display for PatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for PatternError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invalid_utf_8_does_not_keep_a_pattern_from_matching() {
        let pattern = Pattern::new("/admin/.*").unwrap();
        assert_eq!(pattern.matches(b"/admin/\xff"), Ok(true));
    }

    #[test]
    fn a_text_that_is_too_long_is_not_matched() {
        let pattern = Pattern::new("a*").unwrap();
        let text = vec![b'a'; MAX_TEXT_BYTES + 1];
        assert_eq!(pattern.matches(&text[1..]), Ok(true));
        let bytes = MAX_TEXT_BYTES + 1;
        assert_eq!(pattern.matches(&text), Err(TextTooLong { bytes }));
    }

    #[test]
    fn a_pattern_knows_how_it_was_written() {
        for source in ["a|b", "", "(?i)a"] {
            assert_eq!(Pattern::new(source).unwrap().source(), source);
        }
    }

    #[test]
    fn a_pattern_must_be_valid_before_it_is_anchored() {
        assert!(Pattern::new("a)(b").is_err());
    }

    #[test]
    fn an_invalid_pattern_is_refused_with_a_reason() {
        let reason = |source: &str| Pattern::new(source).unwrap_err().to_string();
        assert!(reason("a(b").contains("group"), "{}", reason("a(b"));
        assert_ne!(reason("a(b"), reason("[b"));
    }

    proptest::proptest! {
        #[test]
        fn no_pattern_and_no_text_panics(source: String, text: Vec<u8>) {
            if let Ok(pattern) = Pattern::new(&source) {
                let _ = pattern.matches(&text);
            }
        }
    }
}
