//! What is wrong with a configuration, and where.

use std::fmt;

use super::place::Place;

/// A problem of a configuration, with the JSON path of the field that has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    path: String,
    problem: String,
}

impl ConfigError {
    /// A problem at `path`, such as `providers.cloud.issuer`. The path of the whole document is
    /// empty.
    pub(crate) fn new(path: impl Into<String>, problem: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            problem: problem.into(),
        }
    }

    /// A problem at `place`.
    pub(crate) fn at(place: Place, problem: impl Into<String>) -> Self {
        Self::new(place.into_path(), problem)
    }
}

impl fmt::Display for ConfigError {
    /// `path: problem`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.problem)
    }
}

impl std::error::Error for ConfigError {}
