//! Where a requirement is in the configuration.

use std::fmt;

/// Where a requirement is in the configuration. Its text is a JSON path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequirementPlace<'p> {
    /// In the rule with this index.
    Rule(usize),
    /// In `requirement_map`, under this name.
    Named(&'p str),
}

impl fmt::Display for RequirementPlace<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rule(index) => write!(f, "rules[{index}]"),
            Self::Named(name) => write!(f, "requirement_map.{name}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_a_json_path() {
        assert_eq!(RequirementPlace::Rule(2).to_string(), "rules[2]");
        let named = RequirementPlace::Named("orders");
        assert_eq!(named.to_string(), "requirement_map.orders");
    }
}
