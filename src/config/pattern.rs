//! A regular expression of the configuration.

use regex_lite::Regex;
use serde::Deserialize;

use super::error::ConfigError;
use super::scalar::NonEmpty;
use super::text::Empty;

/// A regular expression that a whole text has to match, in the syntax that RE2 and regex-lite
/// share, so in linear time.
#[derive(Clone, Debug)]
pub struct Pattern(Regex);

impl Pattern {
    pub(super) fn new(source: &str) -> Result<Self, regex_lite::Error> {
        // For itself first: with the brackets below, `a)(b` would be one.
        Regex::new(source)?;
        Regex::new(&format!(r"\A(?:{source})\z")).map(Self)
    }

    /// Bytes that are not UTF-8 count as the character for what is unknown: they cannot keep a
    /// pattern with `.` from matching.
    pub(super) fn matches(&self, text: &[u8]) -> bool {
        self.0.is_match(&String::from_utf8_lossy(text))
    }
}

#[derive(Deserialize)]
#[cfg_attr(
    not(target_arch = "wasm32"),
    derive(schemars::JsonSchema),
    schemars(rename = "Regex", title = "Regular expression")
)]
#[serde(deny_unknown_fields)]
pub(super) struct PatternWire {
    /// The regular expression, in the syntax that RE2 and regex-lite share.
    regex: NonEmpty,
    /// Accepted and without effect: older configurations name the engine so.
    #[serde(default, alias = "googleRe2", rename = "google_re2")]
    _google_re2: Option<Empty>,
}

impl PatternWire {
    pub(super) fn build(self, path: &str) -> Result<Pattern, ConfigError> {
        Pattern::new(&self.regex.0).map_err(|problem| {
            ConfigError::new(
                format!("{path}.regex"),
                format!("is not a regular expression: {problem}"),
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn no_pattern_and_no_text_panics(source: String, text: Vec<u8>) {
            if let Ok(pattern) = Pattern::new(&source) {
                let _ = pattern.matches(&text);
            }
        }
    }
}
