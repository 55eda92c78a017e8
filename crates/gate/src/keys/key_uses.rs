//! The values of `use` that are accepted in a key set (RFC 7517, section 4.2).

use std::fmt;
use std::rc::Rc;

use serde_json::json;

/// The accepted values of `use`, compared exactly; `sig` by default.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyUses(Rc<[String]>);

impl KeyUses {
    /// Accepts `uses`.
    #[must_use]
    pub fn new(uses: Vec<String>) -> Self {
        Self(uses.into())
    }

    /// Whether keys with this `use` may verify signatures. A key without `use` is for anything.
    #[must_use]
    pub fn accept(&self, value: Option<&str>) -> bool {
        value.is_none_or(|value| self.0.iter().any(|accepted| accepted == value))
    }
}

impl Default for KeyUses {
    fn default() -> Self {
        Self::new(vec!["sig".to_owned()])
    }
}

/// A JSON array. Different values are written differently.
impl fmt::Display for KeyUses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        json!(*self.0).fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn different_uses_are_written_differently() {
        let uses = |uses: &[&str]| {
            let uses = uses.iter().map(|value| (*value).to_owned());
            KeyUses::new(uses.collect()).to_string()
        };
        assert_eq!(KeyUses::default().to_string(), r#"["sig"]"#);
        assert_eq!(uses(&[]), "[]");
        assert_eq!(uses(&["a,b"]), r#"["a,b"]"#);
        assert_eq!(uses(&["a", "b"]), r#"["a","b"]"#);
        assert_eq!(uses(&["a\",\"b"]), r#"["a\",\"b"]"#);
    }
}
