//! Conditions on the scopes and claims of a token.

use gate::policy::{ClaimCondition, ClaimTest, TokenConditions};
use serde::Deserialize;
use serde_json::Value;

use super::claim_path::{self, PathSegment};
use super::error::ConfigError;
use super::scalar::{NonEmpty, ScopeToken};

#[derive(Deserialize)]
#[cfg_attr(
    not(target_arch = "wasm32"),
    derive(schemars::JsonSchema),
    schemars(rename = "ClaimCondition", title = "Claim condition")
)]
#[serde(deny_unknown_fields)]
pub(crate) struct ClaimConditionWire {
    /// The claim: a name, with dots between it and the objects that contain it.
    #[serde(default, alias = "claimName")]
    claim_name: Option<NonEmpty>,
    /// The claim: its names one by one, for names with dots.
    #[serde(default, alias = "claimPath")]
    claim_path: Option<Vec<PathSegment>>,
    /// It equals this value.
    #[serde(default)]
    exact: Option<Value>,
    /// It equals one of these values.
    #[serde(default, alias = "anyOf")]
    any_of: Option<Vec<Value>>,
    /// It is an array with an element that equals this value or, if this is an object, that has all
    /// its members.
    #[serde(default)]
    contains: Option<Value>,
    /// Whether it is present.
    #[serde(default)]
    present: Option<bool>,
}

impl ClaimConditionWire {
    fn build(self, path: &str) -> Result<ClaimCondition, ConfigError> {
        if self.any_of.as_ref().is_some_and(Vec::is_empty) {
            return Err(ConfigError::new(
                format!("{path}.any_of"),
                "must not be empty",
            ));
        }
        let tests = [
            self.exact.map(ClaimTest::Exact),
            self.any_of.map(ClaimTest::AnyOf),
            self.contains.map(ClaimTest::Contains),
            self.present.map(ClaimTest::Present),
        ];
        let mut given = tests.into_iter().flatten();
        let (Some(test), None) = (given.next(), given.next()) else {
            return Err(ConfigError::new(
                path,
                "needs one of exact, any_of, contains and present",
            ));
        };
        Ok(ClaimCondition {
            path: claim_path::build(path, self.claim_name, self.claim_path)?,
            test,
        })
    }
}

/// Builds the conditions of the requirement at `path` from its fields `scopes`, `any_scope` and
/// `claims`.
pub(crate) fn build(
    path: &str,
    scopes: Option<Vec<ScopeToken>>,
    any_scope: Option<Vec<ScopeToken>>,
    claims: Option<Vec<ClaimConditionWire>>,
) -> Result<TokenConditions, ConfigError> {
    let texts = |scopes: Option<Vec<ScopeToken>>| {
        let scopes = scopes.unwrap_or_default();
        scopes.into_iter().map(|scope| scope.0).collect()
    };
    let claims = claims.unwrap_or_default().into_iter().enumerate();
    Ok(TokenConditions {
        scopes: texts(scopes),
        any_scope: texts(any_scope),
        claims: claims
            .map(|(index, wire)| wire.build(&format!("{path}.claims[{index}]")))
            .collect::<Result<_, _>>()?,
    })
}
