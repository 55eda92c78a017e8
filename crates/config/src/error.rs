//! What is wrong with a configuration, and where.

use std::fmt;

/// A problem of a configuration and the JSON path of the place where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    path: String,
    problem: String,
}

impl ConfigError {
    /// A problem at `path`, such as `providers.cloud.issuer`; empty for the whole document.
    #[cold]
    #[inline(never)]
    pub(super) fn new(path: impl Into<String>, problem: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            problem: problem.into(),
        }
    }

    /// A problem at a place.
    pub(super) fn at(place: Place, problem: impl Into<String>) -> Self {
        let path = place.0.strip_prefix('.').map(str::to_owned);
        Self::new(path.unwrap_or(place.0), problem)
    }
}

/// The way from a JSON value to something in it; empty for the value itself. It is put together from
/// its end, as whoever has found something comes back up.
#[derive(Debug, Default)]
pub(super) struct Place(String);

impl Place {
    /// The field `name` of the value.
    pub(super) fn of(name: &str) -> Self {
        Self(format!(".{name}"))
    }

    /// Makes it the same place, seen from the object that has the value by this name.
    pub(super) fn enter(&mut self, name: &str) {
        self.0 = format!(".{name}{}", self.0);
    }

    /// Makes it the same place, seen from the array that has the value at this index.
    pub(super) fn enter_element(&mut self, index: usize) {
        self.0 = format!("[{index}]{}", self.0);
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.problem)
    }
}

impl std::error::Error for ConfigError {}
