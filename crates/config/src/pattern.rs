//! Regular expressions: Envoy's `RegexMatcher`.

use gate::policy::Pattern;

use super::object::object;
use super::place::Place;
use super::scalar::{NonEmpty, Unsigned};

object! {
    pub(crate) struct PatternWire("Regex", "Regular expression") {
        /// The regular expression, in the syntax that RE2 and regex-lite share.
        regex: required NonEmpty,
    }
    ignored {
        /// Accepted and ignored: older configurations name the engine here.
        google_re2: optional GoogleRe2Wire,
    }
}

object! {
    struct GoogleRe2Wire("GoogleRe2", "RE2") {
    }
    ignored {
        /// Accepted and ignored, as in Envoy: it limited the size of RE2's program.
        max_program_size: optional Unsigned,
    }
}

impl PatternWire {
    /// Builds the regular expression at this place.
    pub(crate) fn build(self, at: &Place<'_>) -> Option<Pattern> {
        match Pattern::new(&self.regex.0) {
            Ok(pattern) => Some(pattern),
            Err(error) => {
                let problem = format!("is not a regular expression: {error}");
                at.field("regex").refuse(&problem)
            }
        }
    }
}
