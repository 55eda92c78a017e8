//! What a requirement asks of the token itself: authentication of the user, scopes and claims.

use serde_json::{Map, Number, Value};

use super::claim_path::ClaimPath;
use super::provider::Provider;
use super::scope_list::ScopeList;
use super::user_authentication::UserAuthentication;
use crate::reason::Reason;
use crate::time::Timestamp;

/// What a requirement needs of a token, besides being valid.
#[derive(Clone, Debug, Default)]
pub struct TokenConditions {
    /// How and when the user must have been authenticated.
    pub authentication: UserAuthentication,
    /// Scopes, all of which the token must have.
    pub scopes: Vec<String>,
    /// Scopes of which the token must have one; no condition if empty.
    pub any_scope: Vec<String>,
    /// Conditions on claims; all must hold.
    pub claims: Vec<ClaimCondition>,
}

/// A condition on one claim.
#[derive(Clone, Debug)]
pub struct ClaimCondition {
    /// The claim.
    pub path: ClaimPath,
    /// The test that it must pass.
    pub test: ClaimTest,
}

/// A test of a claim. An absent claim passes only [`ClaimTest::Present`] with `false`.
#[derive(Clone, Debug)]
pub enum ClaimTest {
    /// It equals this value.
    Exact(Value),
    /// It equals one of these values.
    AnyOf(Vec<Value>),
    /// It is an array with an element that equals this value or, if this is an object, that has all
    /// its members; or a single string that equals this value. Objects in this object are compared
    /// likewise, and of an array in it the element must have all elements, in any order.
    Contains(Value),
    /// Whether it is present.
    Present(bool),
}

impl TokenConditions {
    /// Whether there are no conditions.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.authentication.is_empty()
            && self.scopes.is_empty()
            && self.any_scope.is_empty()
            && self.claims.is_empty()
    }

    /// Whether scopes are among the conditions.
    pub(super) const fn has_scopes(&self) -> bool {
        !self.scopes.is_empty() || !self.any_scope.is_empty()
    }

    /// Collects the scopes that a client should ask for: all of `scopes`, and one of `any_scope`.
    pub(super) fn collect_scopes<'s>(&'s self, found: &mut ScopeList<'s>) {
        for scope in &self.scopes {
            found.add(scope);
        }
        if let Some(first) = self.any_scope.first()
            && !self.any_scope.iter().any(|one| self.scopes.contains(one))
        {
            found.add(first);
        }
    }

    /// Checks a token of `provider` with this payload at the time `now`.
    ///
    /// # Errors
    ///
    /// [`Reason::UserAuthentication`] or [`Reason::ClaimType`], [`Reason::Scope`] with the scopes that a
    /// challenge asks for, or [`Reason::Claims`].
    pub fn check(
        &self,
        provider: &Provider,
        payload: &Map<String, Value>,
        now: Timestamp,
    ) -> Result<(), Reason> {
        self.authentication
            .check(payload, provider.clock_skew, now)?;
        let scope_claims = &provider.scope_claims;
        let has = |wanted: &String| {
            let mut claims = scope_claims.iter().filter_map(|path| path.find(payload));
            claims.any(|claim| has_scope(claim, wanted))
        };
        let has_any = self.any_scope.is_empty() || self.any_scope.iter().any(has);
        if !self.scopes.iter().all(has) || !has_any {
            let mut required = ScopeList::default();
            self.collect_scopes(&mut required);
            let required = required.join();
            return Err(Reason::Scope { required });
        }
        let fails = |claim: &&ClaimCondition| !claim.test.holds(claim.path.find(payload));
        match self.claims.iter().find(fails) {
            None => Ok(()),
            Some(failed) => Err(Reason::Claims {
                claim: failed.path.to_string(),
            }),
        }
    }
}

/// Whether a claim lists a scope. The claim is a string of scopes separated by spaces (RFC 9068,
/// section 2.2.3) or an array of scopes.
fn has_scope(claim: &Value, wanted: &str) -> bool {
    match claim {
        Value::String(text) => text.split(' ').any(|scope| scope == wanted),
        Value::Array(scopes) => scopes.iter().any(|scope| scope.as_str() == Some(wanted)),
        _ => false,
    }
}

impl ClaimTest {
    /// Whether a claim passes; `None` is an absent claim.
    #[must_use]
    pub fn holds(&self, claim: Option<&Value>) -> bool {
        match (self, claim) {
            (Self::Present(present), claim) => claim.is_some() == *present,
            (_, None) => false,
            (Self::Exact(wanted), Some(claim)) => same(claim, wanted),
            (Self::AnyOf(wanted), Some(claim)) => wanted.iter().any(|one| same(claim, one)),
            (Self::Contains(wanted), Some(claim)) => match claim {
                Value::Array(elements) => elements.iter().any(|element| match wanted {
                    Value::Object(_) => covers(element, wanted),
                    _ => same(element, wanted),
                }),
                // Many issuers write a list of one string as that string, as RFC 7519 does for `aud`.
                Value::String(_) => claim == wanted,
                _ => false,
            },
        }
    }
}

/// Whether `value` has all that `wanted` has: of an object all members, of an array all elements, in any
/// order. The depth of a payload bounds the recursion.
fn covers(value: &Value, wanted: &Value) -> bool {
    match (value, wanted) {
        (Value::Object(value), Value::Object(wanted)) => wanted.iter().all(|(name, wanted)| {
            let member = value.get(name);
            member.is_some_and(|member| covers(member, wanted))
        }),
        (Value::Array(value), Value::Array(wanted)) => wanted
            .iter()
            .all(|wanted| value.iter().any(|element| covers(element, wanted))),
        _ => same(value, wanted),
    }
}

/// Whether two values are equal, however their numbers are written: a Struct holds all numbers as
/// floats. The depth of a payload bounds the recursion.
fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => same_number(one, other),
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            let in_other = |(name, one): (&String, &Value)| {
                let member = other.get(name);
                member.is_some_and(|member| same(one, member))
            };
            one.len() == other.len() && one.iter().all(in_other)
        }
        _ => one == other,
    }
}

fn same_number(one: &Number, other: &Number) -> bool {
    if one.is_f64() || other.is_f64() {
        one.as_f64() == other.as_f64()
    } else {
        one == other
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn conditions_of_any_kind_are_conditions() {
        let none = TokenConditions::default();
        assert!(none.is_empty());
        let scope = || vec!["a".to_owned()];
        let claim = ClaimCondition {
            path: ClaimPath::top_level("a"),
            test: ClaimTest::Present(true),
        };
        for conditions in [
            TokenConditions {
                authentication: UserAuthentication {
                    acr_values: scope(),
                    ..UserAuthentication::default()
                },
                ..none.clone()
            },
            TokenConditions {
                authentication: UserAuthentication {
                    max_age: Some(Duration::from_mins(5)),
                    ..UserAuthentication::default()
                },
                ..none.clone()
            },
            TokenConditions {
                scopes: scope(),
                ..none.clone()
            },
            TokenConditions {
                any_scope: scope(),
                ..none.clone()
            },
            TokenConditions {
                claims: vec![claim],
                ..none.clone()
            },
        ] {
            assert!(!conditions.is_empty(), "{conditions:?}");
        }
    }
}
