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

/// The value of the variable `name`, which a header can carry. The field at this place names it. White space
/// around the value, such as a line feed at its end, is dropped.
pub(crate) fn header_value(
    at: &Place<'_>,
    name: &str,
    environment: Environment<'_>,
) -> Option<String> {
    let value = secret(at, name, environment)?;
    let value = value.trim();
    if !is_header_value(value) {
        return at.refuse("the variable is blank, or has characters that a header cannot carry");
    }
    Some(value.to_owned())
}

/// Whether every server reads `value` from a header as it is: visible ASCII characters, with white space only
/// between them (RFC 9110, section 5.5).
pub(crate) fn is_header_value(value: &str) -> bool {
    let fits = |byte: u8| matches!(byte, b'\t' | b' '..=b'~');
    !value.is_empty() && value.trim() == value && value.bytes().all(fits)
}

/// The value of the variable `name`, which must not be empty. The field at this place names it.
pub(crate) fn secret(at: &Place<'_>, name: &str, environment: Environment<'_>) -> Option<String> {
    variable(at, name, &|name| {
        environment(name).filter(|secret| !secret.is_empty())
    })
}
