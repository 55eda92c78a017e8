//! Regular expressions: Envoy's `RegexMatcher`.

use gate::policy::Pattern;
use serde::Deserialize;

use super::error::ConfigError;
use super::scalar::{NonEmpty, Unsigned};

#[derive(Deserialize)]
#[cfg_attr(
    not(target_arch = "wasm32"),
    derive(schemars::JsonSchema),
    schemars(rename = "Regex", title = "Regular expression")
)]
#[serde(deny_unknown_fields)]
pub(crate) struct PatternWire {
    /// The regular expression, in the syntax that RE2 and regex-lite share.
    regex: NonEmpty,
    /// Accepted and ignored: older configurations name the engine here.
    #[serde(default, alias = "googleRe2", rename = "google_re2")]
    _google_re2: Option<GoogleRe2Wire>,
}

#[derive(Deserialize)]
#[cfg_attr(
    not(target_arch = "wasm32"),
    derive(schemars::JsonSchema),
    schemars(rename = "GoogleRe2", title = "RE2")
)]
#[serde(deny_unknown_fields)]
struct GoogleRe2Wire {
    /// Accepted and ignored, as in Envoy: it limited the size of RE2's program.
    #[serde(default, rename = "max_program_size", alias = "maxProgramSize")]
    _max_program_size: Option<Unsigned>,
}

impl PatternWire {
    pub(crate) fn build(self, path: &str) -> Result<Pattern, ConfigError> {
        Pattern::new(&self.regex.0).map_err(|error| {
            ConfigError::new(
                format!("{path}.regex"),
                format!("is not a regular expression: {error}"),
            )
        })
    }
}
