//! Environment variables, which secrets and key sets may come from.

use super::place::Place;

/// Returns the value of an environment variable; `None` if it is not set.
pub type Environment<'e> = &'e dyn Fn(&str) -> Option<String>;

/// The value of the variable `name`, which the field at this place names.
pub(crate) fn variable(at: &Place<'_>, name: &str, environment: Environment<'_>) -> Option<String> {
    let value = environment(name);
    if value.is_none() {
        at.report(
            "there is no such variable: the filter sees those that \
             vm_config.environment_variables names",
        );
    }
    value
}

/// The value of the variable `name`, which must not be empty. The field at this place names it.
pub(crate) fn secret(at: &Place<'_>, name: &str, environment: Environment<'_>) -> Option<String> {
    variable(at, name, &|name| {
        environment(name).filter(|secret| !secret.is_empty())
    })
}
