
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
