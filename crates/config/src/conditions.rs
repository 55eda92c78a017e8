//! Conditions on the scopes and claims of a token, and on how its user was authenticated.

use gate::policy::{ClaimCondition, ClaimTest, TokenConditions, UserAuthentication};
use serde_json::Value;

use super::claim_path::{self, PathSegment};
use super::object::object;
use super::place::Place;
use super::scalar::{NonEmpty, ScopeToken};

object! {
    pub(crate) struct ClaimConditionWire("ClaimCondition", "Claim condition") {
        /// The claim: a name, with dots between the objects that lead to it.
        claim_name: optional NonEmpty,
        /// The claim, as a list of names, for names with dots.
        claim_path: optional Vec<PathSegment>,
        /// It equals this value.
        exact: optional Value,
        /// It equals one of these values.
        any_of: optional Vec<Value>,
        /// It is an array with an element that equals this value or, if this is an object, that has all its
        /// members: of arrays in it all elements, of objects in it all members. Or it is a single string that
        /// equals this value.
        contains: optional Value,
        /// Whether it is present.
        present: optional bool,
    }
}

impl ClaimConditionWire {
    fn build(self, at: &Place<'_>) -> Option<ClaimCondition> {
        if self.any_of.as_ref().is_some_and(Vec::is_empty) {
            at.field("any_of").report("must not be empty");
        }
        let path = claim_path::build(at, self.claim_name, self.claim_path);
        let tests = [
            self.exact.map(ClaimTest::Exact),
            self.any_of.map(ClaimTest::AnyOf),
            self.contains.map(ClaimTest::Contains),
            self.present.map(ClaimTest::Present),
        ];
        let mut given = tests.into_iter().flatten();
        match (given.next(), given.next()) {
            (Some(test), None) => Some(ClaimCondition { path: path?, test }),
            _ => at.refuse("needs one of exact, any_of, contains and present"),
        }
    }
}

/// Builds the conditions of the requirement at this place from its fields `scopes`, `any_scope` and
/// `claims`, and from its `authentication`.
pub(crate) fn build(
    at: &Place<'_>,
    authentication: UserAuthentication,
    scopes: Option<Vec<ScopeToken>>,
    any_scope: Option<Vec<ScopeToken>>,
    claims: Option<Vec<ClaimConditionWire>>,
) -> TokenConditions {
    let texts = |scopes: Option<Vec<ScopeToken>>| {
        let scopes = scopes.unwrap_or_default();
        scopes.into_iter().map(|scope| scope.0).collect()
    };
    TokenConditions {
        authentication,
        scopes: texts(scopes),
        any_scope: texts(any_scope),
        claims: at.build_list("claims", claims, ClaimConditionWire::build),
    }
}
