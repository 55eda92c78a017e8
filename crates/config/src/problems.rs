//! The problems that have been found so far.

use std::cell::Cell;

use super::error::ConfigError;
use super::problem::Problem;

/// Collects the problems of a configuration while it is read.
#[derive(Default)]
pub(crate) struct Problems(Cell<Vec<Problem>>);

impl Problems {
    /// Adds a problem.
    pub(crate) fn add(&self, problem: Problem) {
        let mut problems = self.0.take();
        problems.push(problem);
        self.0.set(problems);
    }

    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        let problems = self.0.take();
        let is_empty = problems.is_empty();
        self.0.set(problems);
        is_empty
    }

    /// The result: `value`, unless there are problems. A reader that returns `None` has reported one.
    pub(crate) fn result<T>(&self, value: Option<T>) -> Result<T, ConfigError> {
        let problems = self.0.take();
        match value {
            Some(value) if problems.is_empty() => Ok(value),
            _ => Err(ConfigError::new(problems)),
        }
    }
}
