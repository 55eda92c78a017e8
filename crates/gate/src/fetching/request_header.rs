//! Headers that the operator adds to requests for documents.

use std::fmt;

/// A header that the operator adds to requests for documents.
#[derive(Clone, PartialEq, Eq)]
pub struct RequestHeader {
    /// Its name, in lower case.
    pub name: String,
    /// Its value, which may be a secret.
    pub value: String,
    /// What distinguishes this value from others without revealing a secret.
    pub value_name: String,
}

impl fmt::Debug for RequestHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestHeader")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_output_hides_the_value() {
        let header = RequestHeader {
            name: "x-api-key".to_owned(),
            value: "secret".to_owned(),
            value_name: "KEY".to_owned(),
        };
        let shown = format!("{header:?}");
        assert!(
            shown.contains("x-api-key") && !shown.contains("secret"),
            "{shown}"
        );
    }
}
