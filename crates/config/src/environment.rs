//! Environment variables, which secrets and key sets may come from.

use super::error::ConfigError;

/// Returns the value of an environment variable; `None` if it is not set.
pub type Environment<'e> = &'e dyn Fn(&str) -> Option<String>;

/// The value of the variable `name`. The field at `path` names it.
pub(crate) fn variable(
    path: &str,
    name: &str,
    environment: Environment<'_>,
) -> Result<String, ConfigError> {
    environment(name).ok_or_else(|| no_variable(path))
}

/// The value of the variable `name`, which must not be empty. The field at `path` names it.
pub(crate) fn secret(
    path: &str,
    name: &str,
    environment: Environment<'_>,
) -> Result<String, ConfigError> {
    let secret = environment(name).filter(|secret| !secret.is_empty());
    secret.ok_or_else(|| no_variable(path))
}

fn no_variable(path: &str) -> ConfigError {
    let problem = "there is no such variable: the filter sees those that \
                   vm_config.environment_variables names";
    ConfigError::new(path, problem)
}
