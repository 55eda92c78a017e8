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
    pub(super) fn new(path: impl Into<String>, problem: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            problem: problem.into(),
        }
    }

    /// Says in the terms of a path what serde says in a sentence.
    pub(super) fn from_serde(error: &serde_path_to_error::Error<serde_json::Error>) -> Self {
        let json = error.inner();
        if json.is_syntax() || json.is_eof() {
            return Self::new("", format!("not JSON: {json}"));
        }
        let path = error.path().to_string();
        // Of a document's own root serde_path_to_error says `.`, and `?` of a place it cannot name.
        let path = path.trim_end_matches('?').trim_end_matches('.');
        let text = json.to_string();
        // What follows is a line and a column, which a Struct does not have.
        let text = text
            .rsplit_once(" at line ")
            .map_or(text.as_str(), |(text, _)| text);
        let field_problem = [
            ("missing field `", "missing field"),
            ("unknown field `", "unknown field"),
            ("duplicate field `", "given twice"),
        ]
        .into_iter()
        .find_map(|(start, problem)| {
            let (field, rest) = text.strip_prefix(start)?.split_once('`')?;
            Some((field, format!("{problem}{}", rest.replace('`', ""))))
        });
        match field_problem {
            Some((field, problem)) => Self::new(join(path, field), problem),
            None => Self::new(path, text),
        }
    }
}

/// The path of `field` of the object at `path`. A path that ends in the field already stays as it
/// is: `serde_path_to_error` names some problems' fields itself.
fn join(path: &str, field: &str) -> String {
    if path.is_empty() {
        field.to_owned()
    } else if path == field || path.ends_with(&format!(".{field}")) {
        path.to_owned()
    } else {
        format!("{path}.{field}")
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
