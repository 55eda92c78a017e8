//! The scopes that a challenge asks for.

/// The scopes that a challenge asks for, in order and without repetition.
#[derive(Debug, Default)]
pub(super) struct ScopeList<'s>(Vec<&'s str>);

impl<'s> ScopeList<'s> {
    /// Adds a scope at the end, unless it is there.
    pub(super) fn add(&mut self, scope: &'s str) {
        if !scope.is_empty() && !self.0.contains(&scope) {
            self.0.push(scope);
        }
    }

    /// The scopes, separated by spaces (RFC 6749, section 3.3).
    pub(super) fn join(&self) -> String {
        self.0.join(" ")
    }
}
