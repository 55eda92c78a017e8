//! Conditions on dynamic metadata: Envoy's `MetadataMatcher`.

use super::pattern::TextTooLong;
use super::string_matcher::StringMatcher;
use crate::request::{MetadataName, Request};

/// A condition on a value of dynamic metadata.
#[derive(Debug)]
pub struct MetadataMatcher {
    /// The value.
    pub name: MetadataName,
    /// The condition. It does not hold for a value that is absent.
    pub condition: MetadataCondition,
    /// Whether the opposite must hold.
    pub invert: bool,
}

/// A condition on a value of dynamic metadata.
#[derive(Debug)]
pub enum MetadataCondition {
    /// It is a string that matches.
    Text(StringMatcher),
    /// It is this boolean.
    Bool(bool),
    /// It is present.
    Present,
}

impl MetadataMatcher {
    /// Whether the condition holds for `request`.
    ///
    /// # Errors
    ///
    /// If that depends on a pattern and a value that is too long for it.
    pub fn matches(&self, request: &Request) -> Result<bool, TextTooLong> {
        let holds = match request.dynamic_metadata.value(&self.name) {
            Some(value) => self.condition.holds(&value)?,
            None => false,
        };
        Ok(holds != self.invert)
    }
}

impl MetadataCondition {
    fn holds(&self, value: &[u8]) -> Result<bool, TextTooLong> {
        match self {
            Self::Text(matcher) => matcher.matches(value),
            Self::Bool(wanted) => Ok(value == [u8::from(*wanted)]),
            Self::Present => Ok(true),
        }
    }
}
