//! One thing that is wrong with a configuration.

use std::fmt;

/// What is wrong with a field of a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The JSON path of the field, such as `providers.cloud.issuer`. That of the whole document is empty.
    pub path: String,
    /// What is wrong there. It contains no value of the configuration, which may be a secret.
    pub text: String,
    /// The fields that are known there, if this one is not; otherwise none.
    pub known_fields: Vec<String>,
}

impl fmt::Display for Problem {
    /// `path: text`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            f.write_str(&self.path)?;
            f.write_str(": ")?;
        }
        f.write_str(&self.text)
    }
}
