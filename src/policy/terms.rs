//! Whether a token says what a requirement asks for: scopes and claims.

use serde_json::{Map, Number, Value};

use crate::config::{ClaimCondition, ClaimPath, Terms};
use crate::denial::{Denial, Reason};

/// Checks that a token with this payload, whose scopes are in `scope_claims`, fulfils `terms`.
///
/// # Errors
///
/// [`Reason::Scope`], with the scopes that are asked for, or [`Reason::Claims`].
pub(super) fn check(
    terms: &Terms,
    scope_claims: &[ClaimPath],
    payload: &Map<String, Value>,
) -> Result<(), Denial> {
    let has = |wanted: &String| {
        let mut claims = scope_claims.iter().filter_map(|path| path.find(payload));
        claims.any(|claim| has_scope(claim, wanted))
    };
    let lacking = |scopes: &[String]| Denial {
        scope: Some(scopes.join(" ")),
        ..Reason::Scope.into()
    };
    if !terms.scopes.iter().all(has) {
        return Err(lacking(&terms.scopes));
    }
    if !terms.any_scope.is_empty() && !terms.any_scope.iter().any(has) {
        return Err(lacking(&terms.any_scope));
    }
    let holds = |term: &crate::config::ClaimTerm| holds(&term.condition, term.path.find(payload));
    if terms.claims.iter().all(holds) {
        Ok(())
    } else {
        Err(Reason::Claims.into())
    }
}

/// Whether a claim lists a scope: a text with spaces between its scopes (RFC 9068, section 2.2.3)
/// or an array of them.
fn has_scope(claim: &Value, wanted: &str) -> bool {
    match claim {
        Value::String(text) => text.split(' ').any(|scope| scope == wanted),
        Value::Array(scopes) => scopes.iter().any(|scope| scope.as_str() == Some(wanted)),
        _ => false,
    }
}

/// Whether a condition holds for a claim, where there is one.
pub(crate) fn holds(condition: &ClaimCondition, claim: Option<&Value>) -> bool {
    match (condition, claim) {
        (ClaimCondition::Present(present), claim) => claim.is_some() == *present,
        (_, None) => false,
        (ClaimCondition::Exact(wanted), Some(claim)) => same(claim, wanted),
        (ClaimCondition::AnyOf(wanted), Some(claim)) => wanted.iter().any(|one| same(claim, one)),
        (ClaimCondition::Contains(wanted), Some(claim)) => claim
            .as_array()
            .is_some_and(|elements| elements.iter().any(|element| covers(element, wanted))),
    }
}

/// Whether `element` equals `wanted` or, where this is an object, has all its members.
fn covers(element: &Value, wanted: &Value) -> bool {
    match (element, wanted) {
        (Value::Object(element), Value::Object(wanted)) => wanted.iter().all(|(name, wanted)| {
            let member = element.get(name);
            member.is_some_and(|member| same(member, wanted))
        }),
        _ => same(element, wanted),
    }
}

/// Whether two values are the same, however their numbers are written: in a Struct all are floats.
/// The depth of a payload bounds the recursion.
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
    use serde_json::json;

    use super::*;
    use crate::config::Config;

    /// The terms of a requirement with `change`, and where its provider's scopes are.
    fn checked(provider: &Value, terms: &Value, payload: &Value) -> Result<(), Denial> {
        let mut known = json!({"local_jwks": {"inline_string": crate::fixtures::key_set()}});
        for (name, value) in provider.as_object().unwrap() {
            known[name] = value.clone();
        }
        let mut requirement = json!({"provider_name": "p"});
        for (name, value) in terms.as_object().unwrap() {
            requirement[name] = value.clone();
        }
        let config = json!({
            "providers": {"p": known},
            "requirement_map": {"r": requirement},
        });
        let config = Config::from_json(config.to_string().as_bytes()).unwrap();
        let requirement = config.requirement(b"r").unwrap();
        let provider = config.provider("p").unwrap();
        let payload = payload.as_object().unwrap();
        check(&requirement.tree.terms, &provider.scope_claims, payload)
    }

    fn claims(term: &Value, payload: &Value) -> bool {
        match checked(&json!({}), &json!({ "claims": [term] }), payload) {
            Ok(()) => true,
            Err(denial) => {
                assert_eq!(denial, Reason::Claims.into());
                false
            }
        }
    }

    #[test]
    fn scopes_are_texts_or_arrays_in_the_claims_that_hold_them() {
        let lacking = |scope: &str| {
            Err(Denial {
                scope: Some(scope.to_owned()),
                ..Reason::Scope.into()
            })
        };
        let both = json!({"scopes": ["a", "b"]});
        let any = json!({"anyScope": ["a", "b"]});
        let nothing = json!({});
        for (provider, terms, payload, expected) in [
            (&nothing, &both, json!({"scope": "b c a"}), Ok(())),
            (&nothing, &both, json!({"scp": ["a", "b"]}), Ok(())),
            (&nothing, &both, json!({"scope": "a", "scp": ["b"]}), Ok(())),
            (&nothing, &both, json!({"scope": "a"}), lacking("a b")),
            (&nothing, &both, json!({"scope": "ab"}), lacking("a b")),
            (&nothing, &both, json!({"scope": "A B"}), lacking("a b")),
            (&nothing, &both, json!({"scope": ["a b"]}), lacking("a b")),
            (
                &nothing,
                &both,
                json!({"scope": {"a": 1, "b": 1}}),
                lacking("a b"),
            ),
            (&nothing, &both, json!({"scopes": "a b"}), lacking("a b")),
            (&nothing, &both, json!({}), lacking("a b")),
            (&nothing, &any, json!({"scope": "c b"}), Ok(())),
            (&nothing, &any, json!({"scope": "c"}), lacking("a b")),
            (&nothing, &json!({"any_scope": []}), json!({}), Ok(())),
            (
                &json!({"scope_claims": ["roles.api"]}),
                &any,
                json!({"roles": {"api": ["a"]}}),
                Ok(()),
            ),
            (
                &json!({"scope_claims": ["roles.api"]}),
                &any,
                json!({"scope": "a"}),
                lacking("a b"),
            ),
            (
                &json!({"scopeClaims": [["https://a.example/scope"]]}),
                &any,
                json!({"https://a.example/scope": "a"}),
                Ok(()),
            ),
        ] {
            assert_eq!(checked(provider, terms, &payload), expected, "{payload}");
        }
    }

    #[test]
    fn claims_are_compared_by_value() {
        let payload = json!({
            "keytype": "PRODUCTION",
            "number": 5,
            "big": 9_223_372_036_854_775_807_u64,
            "list": [1, "a", {"name": "x", "version": "1.0.0", "tier": "Gold"}],
            "nested": {"list": ["b"], "none": null},
            "with.dot": {"a": true},
        });
        for (term, expected) in [
            (
                json!({"claim_name": "keytype", "exact": "PRODUCTION"}),
                true,
            ),
            (
                json!({"claimName": "keytype", "exact": "production"}),
                false,
            ),
            (
                json!({"claim_name": "keytype", "any_of": ["SANDBOX", "PRODUCTION"]}),
                true,
            ),
            (
                json!({"claim_name": "keytype", "anyOf": ["SANDBOX"]}),
                false,
            ),
            (
                json!({"claim_name": "keytype", "contains": "PRODUCTION"}),
                false,
            ),
            (json!({"claim_name": "number", "exact": 5}), true),
            (json!({"claim_name": "number", "exact": 5.0}), true),
            (json!({"claim_name": "number", "exact": "5"}), false),
            (
                json!({"claim_name": "big", "exact": 9_223_372_036_854_775_806_u64}),
                false,
            ),
            (json!({"claim_name": "list", "contains": "a"}), true),
            (json!({"claim_name": "list", "contains": 1.0}), true),
            (json!({"claim_name": "list", "contains": "b"}), false),
            (
                json!({"claim_name": "list", "contains": {"name": "x", "version": "1.0.0"}}),
                true,
            ),
            (
                json!({"claim_name": "list", "contains": {"name": "x", "version": "2.0.0"}}),
                false,
            ),
            (
                json!({"claim_name": "list", "contains": {"name": "x", "other": 1}}),
                false,
            ),
            (json!({"claim_name": "nested.list", "exact": ["b"]}), true),
            (
                json!({"claim_name": "nested.list", "exact": ["b", "c"]}),
                false,
            ),
            (json!({"claim_name": "nested.none", "present": true}), true),
            (
                json!({"claim_name": "nested.other", "present": true}),
                false,
            ),
            (
                json!({"claim_name": "nested.other", "present": false}),
                true,
            ),
            (
                json!({"claim_name": "nested", "exact": {"none": null, "list": ["b"]}}),
                true,
            ),
            (
                json!({"claim_name": "nested", "exact": {"list": ["b"]}}),
                false,
            ),
            (json!({"claim_name": "with.dot.a", "exact": true}), false),
            (
                json!({"claim_path": ["with.dot", "a"], "exact": true}),
                true,
            ),
            (
                json!({"claimPath": [{"key": "with.dot"}, {"key": "a"}], "exact": true}),
                true,
            ),
            (json!({"claim_name": "keytype.a", "present": true}), false),
        ] {
            assert_eq!(claims(&term, &payload), expected, "{term}");
        }
    }

    proptest::proptest! {
        #[test]
        fn a_scope_is_found_among_others(before in "[a-z ]{0,9}", after in "[a-z ]{0,9}") {
            let text = format!("{before} orders:read {after}");
            let terms = json!({"scopes": ["orders:read"]});
            let found = checked(&json!({}), &terms, &json!({ "scope": text }));
            proptest::prop_assert_eq!(found, Ok(()));
        }
    }
}
