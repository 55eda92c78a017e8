//! What a requirement asks of the token itself: scopes and claims.

use gate::reason::Reason;
use serde_json::{Value, json};

use crate::support::{NOW, at, policy, with};

/// Checks `payload` against the conditions of a requirement and a provider with these fields.
fn check(provider: &Value, conditions: &Value, payload: &Value) -> Result<(), Reason> {
    let keys = json!({"local_jwks": {"inline_string": gate_fixtures::key_set()}});
    let policy = policy(&json!({
        "providers": {"p": with(&keys, provider)},
        "requirement_map": {"r": with(&json!({"provider_name": "p"}), conditions)},
        "per_route_requirements": true,
    }));
    let requirement = policy.requirement(b"r").unwrap();
    let provider = policy.provider("p").unwrap();
    let payload = payload.as_object().unwrap();
    let conditions = &requirement.root.conditions;
    conditions.check(provider, payload, at(NOW))
}

/// Whether `payload` meets the condition on a claim.
fn meets(condition: &Value, payload: &Value) -> bool {
    let conditions = json!({ "claims": [condition] });
    match check(&json!({}), &conditions, payload) {
        Ok(()) => true,
        Err(Reason::Claims { .. }) => false,
        Err(other) => panic!("{other:?}"),
    }
}

#[test]
fn scopes_are_strings_or_arrays_in_the_scope_claims() {
    let lacking = |required: &str| {
        Err(Reason::Scope {
            required: required.to_owned(),
        })
    };
    let both = json!({"scopes": ["a", "b"]});
    let any = json!({"anyScope": ["a", "b"]});
    let nothing = json!({});
    for (provider, conditions, payload, expected) in [
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
        (&nothing, &any, json!({"scope": "c"}), lacking("a")),
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
            lacking("a"),
        ),
        (
            &json!({"scopeClaims": [["https://a.example/scope"]]}),
            &any,
            json!({"https://a.example/scope": "a"}),
            Ok(()),
        ),
    ] {
        assert_eq!(check(provider, conditions, &payload), expected, "{payload}");
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
        "numbers": [1, {"a": 2}],
    });
    for (condition, expected) in [
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
            true,
        ),
        (json!({"claim_name": "keytype", "contains": "PROD"}), false),
        (json!({"claim_name": "number", "contains": 5}), false),
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
        (
            json!({"claim_name": "nested", "exact": {"none": null, "list": ["b"], "more": 1}}),
            false,
        ),
        (
            json!({"claim_name": "nested", "exact": {"none": null, "list": ["c"]}}),
            false,
        ),
        (
            json!({"claim_name": "nested", "exact": {"other": null, "list": ["b"]}}),
            false,
        ),
        (json!({"claim_name": "nested.list", "exact": ["c"]}), false),
        (json!({"claim_name": "nested.list", "exact": []}), false),
        // A Struct holds all numbers as floats.
        (
            json!({"claim_name": "numbers", "exact": [1.0, {"a": 2.0}]}),
            true,
        ),
        (
            json!({"claim_name": "numbers", "contains": {"a": 2.0}}),
            true,
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
        assert_eq!(meets(&condition, &payload), expected, "{condition}");
    }
}

#[test]
fn arrays_and_objects_in_an_object_are_compared_by_what_is_asked_for() {
    let payload = json!({"authorization_details": [
        {"type": "account_information", "actions": ["read"]},
        {
            "type": "payment",
            "actions": ["status", "initiate", "cancel"],
            "amount": {"currency": "EUR", "value": 10, "limits": [{"per": "day", "max": 5}, {"per": "week"}]},
            "matrix": [[1, 2], [3]],
            "single": "initiate",
            "none": null,
        },
    ]});
    for (wanted, expected) in [
        (json!({"type": "payment"}), true),
        (json!({}), true),
        (
            json!({"type": "payment", "actions": ["initiate", "status"]}),
            true,
        ),
        (
            json!({"type": "payment", "actions": ["initiate", "initiate"]}),
            true,
        ),
        (json!({"type": "payment", "actions": []}), true),
        (
            json!({"type": "payment", "actions": ["initiate", "read"]}),
            false,
        ),
        // Both must be in the same element.
        (
            json!({"type": "account_information", "actions": ["status"]}),
            false,
        ),
        (
            json!({"type": "account_information", "actions": ["read"]}),
            true,
        ),
        (json!({"type": "payment", "actions": "initiate"}), false),
        (json!({"single": ["initiate"]}), false),
        (json!({"actions": {"0": "initiate"}}), false),
        (json!({"amount": {"currency": "EUR"}}), true),
        (json!({"amount": {"currency": "EUR", "value": 10.0}}), true),
        (json!({"amount": {"currency": "USD"}}), false),
        (json!({"amount": {"currency": "EUR", "other": null}}), false),
        (
            json!({"amount": {"limits": [{"max": 5}, {"per": "week"}]}}),
            true,
        ),
        (
            json!({"amount": {"limits": [{"max": 5, "per": "day"}]}}),
            true,
        ),
        (
            json!({"amount": {"limits": [{"max": 5, "per": "week"}]}}),
            false,
        ),
        (json!({"amount": []}), false),
        (json!({"amount": {}}), true),
        (json!({"matrix": [[2]]}), true),
        (json!({"matrix": [[2, 3]]}), false),
        (json!({"matrix": [2]}), false),
        (json!({"none": null}), true),
        (json!({"none": {}}), false),
    ] {
        let condition = json!({"claim_name": "authorization_details", "contains": wanted});
        assert_eq!(meets(&condition, &payload), expected, "{wanted}");
    }
}

#[test]
fn an_array_to_be_contained_is_an_element_of_its_own() {
    let payload = json!({"list": [["a", "b"], "a"], "details": {"type": "payment"}});
    for (claim, wanted, expected) in [
        ("list", json!(["a", "b"]), true),
        ("list", json!(["a"]), false),
        ("list", json!(["b", "a"]), false),
        ("list", json!("a"), true),
        // Not a list of details.
        ("details", json!({"type": "payment"}), false),
    ] {
        let condition = json!({"claim_name": claim, "contains": wanted});
        assert_eq!(meets(&condition, &payload), expected, "{claim} {wanted}");
    }
}

#[test]
fn who_acts_is_a_condition_on_the_outermost_actor() {
    let agent = json!({"claim_name": "act.sub", "any_of": ["https://agent.example"]});
    let nobody = json!({"claim_name": "act", "present": false});
    for (payload, acts, alone) in [
        (json!({"sub": "user"}), false, true),
        (
            json!({"act": {"sub": "https://agent.example"}}),
            true,
            false,
        ),
        (
            json!({"act": {"sub": "https://other.example"}}),
            false,
            false,
        ),
        (
            json!({"act": {"sub": "https://other.example", "act": {"sub": "https://agent.example"}}}),
            false,
            false,
        ),
        (json!({"act": null}), false, false),
    ] {
        assert_eq!(meets(&agent, &payload), acts, "{payload}");
        assert_eq!(meets(&nobody, &payload), alone, "{payload}");
    }
}

proptest::proptest! {
    #[test]
    fn a_scope_is_found_among_others(before in "[a-z ]{0,9}", after in "[a-z ]{0,9}") {
        let text = format!("{before} orders:read {after}");
        let conditions = json!({"scopes": ["orders:read"]});
        let found = check(&json!({}), &conditions, &json!({ "scope": text }));
        proptest::prop_assert_eq!(found, Ok(()));
    }
}

#[test]
fn a_refusal_names_the_first_claim_that_fails() {
    let conditions = json!({"claims": [
        {"claim_name": "a", "present": true},
        {"claim_name": "b.c", "exact": 1},
        {"claim_path": ["d.e", "f"], "exact": 1},
    ]});
    for (payload, failed) in [
        (json!({}), Some("a")),
        (json!({"a": 1, "b": {"c": 2}}), Some("b.c")),
        (json!({"a": 1, "b": {"c": 1}}), Some("d.e.f")),
        (json!({"a": 1, "b": {"c": 1}, "d.e": {"f": 1}}), None),
    ] {
        let expected = failed.map_or(Ok(()), |claim| {
            Err(Reason::Claims {
                claim: claim.to_owned(),
            })
        });
        assert_eq!(
            check(&json!({}), &conditions, &payload),
            expected,
            "{payload}"
        );
    }
}
