//! What the configuration of Envoy's `jwt_authn` can say: supported, or refused with a reason.

use gate::policy::RequirementKind;
use serde_json::{Value, json};

use super::support::{changed, error, provider_with, read, requirement};
use crate::parse_json;

#[test]
fn an_unsupported_field_is_refused_with_advice() {
    let metadata = "a wasm filter cannot write dynamic metadata: use claims_to_filter_state";
    for (field, problem) in [
        ("headerInMetadata", metadata),
        (
            "failed_status_in_metadata",
            "a wasm filter cannot write dynamic metadata: the counters bearer_gate.denied.* tell \
             why requests are refused",
        ),
    ] {
        let refused = error(&provider_with(field, &json!("x")));
        assert_eq!(refused, format!("providers.p.{field}: {problem}"));
        for empty in [json!(""), json!(null)] {
            assert_eq!(error(&provider_with(field, &empty)), "none", "{field}");
        }
    }
    let mut config = requirement(&json!({"allow": {}}));
    config["filter_state_rules"] = json!({"name": "x", "requires": {}});
    assert_eq!(
        error(&config),
        "filter_state_rules: a wasm filter cannot read filter state safely: name the requirement \
         in the route's metadata and set per_route_requirements"
    );
    assert_eq!(
        error(&provider_with(
            "normalize_payload_in_metadata",
            &json!({"space_delimited_claims": ["scope"]})
        )),
        "providers.p.normalize_payload_in_metadata: works only with claims_to_filter_state or \
         payload_in_metadata"
    );
}

/// A configuration of providers with these fields.
fn providers(fields: &[(&str, Value)]) -> Value {
    let mut providers = json!({});
    for (name, fields) in fields {
        let mut provider = fields.clone();
        provider["local_jwks"] = json!({"inline_string": gate_fixtures::key_set()});
        providers[name] = provider;
    }
    json!({ "providers": providers })
}

#[test]
fn the_payload_is_written_to_metadata_by_way_of_a_header() {
    let pair = json!({"payload_in_metadata": "payload", "payload_metadata_header": "X-Payload"});
    let policy = read(&providers(&[("p", pair.clone()), ("q", pair.clone())])).unwrap();
    let metadata = policy.providers[0].forwarding.metadata.clone().unwrap();
    assert_eq!(
        (metadata.header.as_str(), metadata.key.as_str()),
        ("x-payload", "payload")
    );
    assert!(policy.must_remove(b"x_payload"));
    let with = |fields: Value| {
        let mut provider = pair.clone();
        provider
            .as_object_mut()
            .unwrap()
            .extend(fields.as_object().unwrap().clone());
        provider
    };
    for (config, expected) in [
        (
            providers(&[("p", json!({"payload_in_metadata": "payload"}))]),
            "payload_in_metadata: a wasm filter cannot write dynamic metadata: name a header in \
             payload_metadata_header, which Envoy's filter header_to_metadata moves there",
        ),
        (
            providers(&[("p", json!({"payload_metadata_header": "x-payload"}))]),
            "payload_metadata_header: needs payload_in_metadata, the name of the payload in dynamic metadata",
        ),
        (
            providers(&[("p", with(json!({"payload_metadata_header": "cookie"})))]),
            "payload_metadata_header: must not be cookie, which holds the cookies of all parties: \
             from_cookies reads tokens from it",
        ),
        (
            providers(&[("p", with(json!({"forward_payload_header": "x-payload"})))]),
            "payload_metadata_header: must be a header that nothing else sets",
        ),
        (
            providers(&[
                ("p", pair.clone()),
                (
                    "q",
                    json!({"claim_to_headers": [{"header_name": "x-payload", "claim_name": "sub"}]}),
                ),
            ]),
            "payload_metadata_header: must be a header that nothing else sets",
        ),
    ] {
        assert_eq!(error(&config), format!("providers.p.{expected}"));
    }
    let others = providers(&[
        ("p", pair.clone()),
        ("q", with(json!({"payload_in_metadata": "other"}))),
    ]);
    let problem = "payload_metadata_header: must differ from the header of a provider with another \
                   payload_in_metadata";
    let both = format!("providers.p.{problem}\nproviders.q.{problem}");
    assert_eq!(error(&others), both);
    let normalized =
        with(json!({"normalize_payload_in_metadata": {"space_delimited_claims": ["scope"]}}));
    assert_eq!(error(&providers(&[("p", normalized)])), "none");
}

#[test]
fn a_demand_for_an_authentication_that_cannot_be_met_is_refused() {
    let r = "requirement_map.r";
    for (wire, expected) in [
        (
            json!({"provider_name": "p", "acr_values": ["a"], "max_authentication_age": "300s"}),
            "none".to_owned(),
        ),
        (
            json!({"provider_name": "p", "acr_values": ["a", "b c"]}),
            format!("{r}.acr_values[1]: must be visible ASCII characters without space, \" and \\"),
        ),
        (
            json!({"provider_name": "p", "acr_values": []}),
            format!("{r}.acr_values: must not be empty"),
        ),
        (
            json!({"provider_name": "p", "max_authentication_age": "0s"}),
            format!("{r}.max_authentication_age: must be above zero"),
        ),
        (
            json!({"provider_name": "p", "max_authentication_age": "1.5s"}),
            format!("{r}.max_authentication_age: must be whole seconds"),
        ),
        (
            json!({"max_authentication_age": "300s"}),
            format!("{r}: conditions on a token need provider_name or another requirement"),
        ),
        (
            json!({"allow": {}, "acr_values": ["a"]}),
            format!("{r}.allow: lets every request pass, so the other conditions have no effect"),
        ),
        (
            json!({"extract_only_without_validation": {}, "max_authentication_age": "5s"}),
            format!(
                "{r}.extract_only_without_validation: conditions on an unverified \
                 token prove nothing"
            ),
        ),
    ] {
        assert_eq!(error(&requirement(&wire)), expected, "{wire}");
    }
}

#[test]
fn a_contradictory_requirement_is_refused() {
    let r = "requirement_map.r";
    for (wire, expected) in [
        (json!({"allow": {}}), "none".to_owned()),
        (
            json!({"allow": {}, "scopes": ["a"]}),
            format!("{r}.allow: lets every request pass, so the other conditions have no effect"),
        ),
        (
            json!({"provider_name": "x"}),
            format!("{r}.provider_name: is not one of the providers \"p\""),
        ),
        (
            json!({"provider_and_audiences": {"provider_name": "x"}}),
            format!("{r}.provider_and_audiences.provider_name: is not one of the providers \"p\""),
        ),
        (
            json!({"requires_any": {"requirements": []}}),
            format!("{r}.requires_any.requirements: must not be empty"),
        ),
        (
            json!({"requires_all": {"requirements": [{"allow": {}}, {"provider_name": "x"}]}}),
            format!(
                "{r}.requires_all.requirements[1].provider_name: is not one of the providers \"p\""
            ),
        ),
        (
            json!({"scopes": ["a"]}),
            format!("{r}: conditions on a token need provider_name or another requirement"),
        ),
        (
            json!({"extract_only_without_validation": {}, "scopes": ["a"]}),
            format!(
                "{r}.extract_only_without_validation: conditions on an unverified \
                 token prove nothing"
            ),
        ),
        (
            json!({"provider_name": "p", "scopes": ["a\"b"]}),
            format!(
                "{r}.scopes[0]: is not a scope: visible ASCII characters without space, \" and \\"
            ),
        ),
        (
            json!({"provider_name": "p", "any_scope": [""]}),
            format!(
                "{r}.any_scope[0]: is not a scope: visible ASCII characters without space, \" and \\"
            ),
        ),
        (
            json!({"provider_name": "p", "claims": [{"claim_name": "a"}]}),
            format!("{r}.claims[0]: needs one of exact, any_of, contains and present"),
        ),
        (
            json!({"provider_name": "p", "claims": [{"exact": 1}]}),
            format!("{r}.claims[0]: needs one of claim_name and claim_path"),
        ),
        (
            json!({"provider_name": "p", "claims": [{"claim_name": "a..b", "exact": 1}]}),
            format!("{r}.claims[0].claim_name: has an empty part"),
        ),
        (
            json!({"provider_name": "p", "claims": [{"claim_name": "a", "any_of": []}]}),
            format!("{r}.claims[0].any_of: must not be empty"),
        ),
        (
            json!({"extract_only_without_validation": {"verification_status_header": ":path"}}),
            format!(
                "{r}.extract_only_without_validation.verification_status_header: must not be a \
                 pseudo-header: it would change which request this is"
            ),
        ),
    ] {
        assert_eq!(error(&requirement(&wire)), expected, "{wire}");
    }
    let both = json!({"provider_name": "p", "allow_missing": {}});
    let refused = error(&requirement(&both));
    assert!(
        refused.starts_with("requirement_map.r: has more than one of"),
        "{refused}"
    );
}

#[test]
fn an_empty_requirement_is_refused_wherever_it_is() {
    const EMPTY: &str =
        "is empty: name what is required, or write {\"allow\": {}} to let every request pass";
    for empty in [
        json!({}),
        json!({"provider_name": null}),
        json!({"requires_any": null, "scopes": [], "claims": null}),
    ] {
        let inside = |name: &str| {
            let list = json!({"requirements": [{"provider_name": "p"}, empty]});
            error(&requirement(&json!({ name: list })))
        };
        let map = "requirement_map.r";
        assert_eq!(error(&requirement(&empty)), format!("{map}: {EMPTY}"));
        for name in ["requires_any", "requires_all"] {
            let path = format!("{map}.{name}.requirements[1]");
            assert_eq!(inside(name), format!("{path}: {EMPTY}"));
        }
        let rules = json!([{"match": {"prefix": "/"}, "requires": empty}]);
        assert_eq!(
            error(&changed("/rules", Some(rules))),
            format!("rules[0].requires: {EMPTY}")
        );
    }
    let null = json!(null);
    assert_eq!(
        error(&requirement(&null)),
        "requirement_map.r: must be an object, not null"
    );
    assert_eq!(
        error(&requirement(
            &json!({"requires_any": {"requirements": [null]}})
        )),
        "requirement_map.r.requires_any.requirements[0]: must be an object, not null"
    );
    for (name, problem) in [
        ("requires", EMPTY),
        ("requirement_name", "must be a string, not null"),
        ("requirementName", "must be a string, not null"),
    ] {
        let rules = json!([{"match": {"prefix": "/"}, name: null}]);
        assert_eq!(
            error(&changed("/rules", Some(rules))),
            format!("rules[0].{name}: {problem}")
        );
    }
}

#[test]
fn a_rule_without_a_requirement_is_open_and_so_is_allow() {
    let rules = json!([
        {"match": {"prefix": "/a"}},
        {"match": {"prefix": "/b"}, "requires": {"allow": {}}},
        {"match": {"prefix": "/c"}, "requirement_name": "open"},
    ]);
    let mut config = changed("/rules", Some(rules));
    config["requirement_map"] = json!({"open": {"allow": {}}});
    let policy = read(&config).unwrap();
    assert_eq!(policy.rules.listed().len(), 3);
    for rule in policy.rules.listed() {
        let kind = &rule.requirement.root.kind;
        assert!(matches!(kind, RequirementKind::Nothing), "{kind:?}");
    }
}

#[test]
fn a_requirement_that_nothing_can_name_is_refused() {
    let problem = "requirement_map.other: nothing can name this requirement: name it in the \
                   requirement_name of a rule, or set per_route_requirements and name it in the \
                   metadata of routes, which takes the place of PerRouteConfig";
    let mut config = requirement(&json!({"provider_name": "p"}));
    config["requirement_map"]["other"] = json!({"allow_missing": {}});
    assert_eq!(error(&config), problem);
    config["per_route_requirements"] = json!(false);
    assert_eq!(error(&config), problem);
    config["per_route_requirements"] = json!(true);
    assert_eq!(error(&config), "none");
    config["per_route_requirements"] = json!(null);
    // Native's routes name it, and there are no rules.
    for rules in [json!(null), json!([])] {
        config["rules"] = rules;
        config["requirement_map"] = json!({"other": {"provider_name": "p"}});
        assert_eq!(error(&config), problem);
    }
    config["rules"] = json!([{"match": {"prefix": "/"}, "requirement_name": "other"}]);
    assert_eq!(error(&config), "none");
}

#[test]
fn a_rule_can_only_name_a_known_requirement() {
    let mut config = requirement(&json!({"provider_name": "p"}));
    for (rule, expected) in [
        (json!({"requirement_name": "r"}), "none"),
        (
            json!({"requirement_name": "s"}),
            "rules[0].requirement_name: is not in requirement_map, which has \"r\"",
        ),
        (
            json!({"requirement_name": "r", "requires": {"allow": {}}}),
            "rules[0]: has both requires and requirement_name",
        ),
    ] {
        let mut rule = rule;
        rule["match"] = json!({"prefix": "/"});
        config["rules"] = json!([rule]);
        assert_eq!(error(&config), expected);
    }
}

#[test]
fn requirements_are_nested_at_most_eight_deep() {
    let nested = |levels: usize| {
        let inner = json!({"provider_name": "p"});
        (1..levels).fold(
            inner,
            |inner, _| json!({"requires_all": {"requirements": [inner]}}),
        )
    };
    assert_eq!(error(&requirement(&nested(8))), "none");
    let refused = error(&requirement(&nested(9)));
    assert!(
        refused.ends_with(": requirements are nested more than 8 deep"),
        "{refused}"
    );
    assert!(
        refused.starts_with("requirement_map.r.requires_all.requirements[0]."),
        "{refused}"
    );
    for levels in [42, 200, 10_000] {
        let text = format!(
            r#"{{"providers": {{}}, "requirement_map": {{"r": {}{}}}}}"#,
            r#"{"requires_all": {"requirements": ["#.repeat(levels),
            "]}}".repeat(levels),
        );
        assert!(parse_json(text.as_bytes()).is_err());
    }
}

#[test]
fn reserved_headers_and_headers_with_tokens_cannot_be_set() {
    for (field, value, expected) in [
        (
            "forward_payload_header",
            json!("Authorization"),
            "providers: tokens are read from the header \"authorization\", so it cannot be set",
        ),
        (
            "forward_payload_header",
            json!("host"),
            "providers.p.forward_payload_header: must not be host, which selects the route and the \
             upstream's virtual host",
        ),
        (
            "forward_payload_header",
            json!("Content_Type"),
            "providers.p.forward_payload_header: must not be content-length or content-type, which \
             describe the body: without the client's copy the upstream could not read it",
        ),
        (
            "from_headers",
            json!([{"name": "transfer_encoding"}]),
            "providers.p.from_headers[0].name: must not be connection, te, transfer-encoding or upgrade, \
             which belong to a single connection: Envoy manages them",
        ),
        (
            "forward_payload_header",
            json!("a b"),
            "providers.p.forward_payload_header: is not the name of a header",
        ),
        (
            "claim_to_headers",
            json!([{"header_name": ":path", "claim_name": "a"}]),
            "providers.p.claim_to_headers[0].header_name: must not be a pseudo-header: it would \
             change which request this is",
        ),
        (
            "claim_to_headers",
            json!([{"header_name": "x"}]),
            "providers.p.claim_to_headers[0]: needs one of claim_name and claim_path",
        ),
        (
            "from_headers",
            json!([{"name": "cookie"}]),
            "providers.p.from_headers[0].name: must not be cookie, which holds the cookies of all \
             parties: from_cookies reads tokens from it",
        ),
        (
            "from_headers",
            json!([{"name": "x", "value_prefix": "a\n"}]),
            "providers.p.from_headers[0].value_prefix: must be printable ASCII",
        ),
        (
            "claims_to_filter_state",
            json!([{"claim_name": "a", "key": "a b"}]),
            "providers.p.claims_to_filter_state[0].key: must be letters, digits, _, - and . only",
        ),
        (
            "subjects",
            json!({}),
            "providers.p.subjects: needs one of exact, prefix, suffix, contains and safe_regex",
        ),
        (
            "max_lifetime",
            json!("0s"),
            "providers.p.max_lifetime: must be above zero",
        ),
        (
            "scope_claims",
            json!([[]]),
            "providers.p.scope_claims[0]: has an empty part",
        ),
    ] {
        assert_eq!(error(&provider_with(field, &value)), expected, "{field}");
    }
    let mut config = requirement(&json!({"allow": {}}));
    config["stat_prefix"] = json!("a b");
    assert_eq!(
        error(&config),
        "stat_prefix: must be visible ASCII characters"
    );
}

proptest::proptest! {
    #[test]
    fn no_scalar_in_any_place_panics(text: String, number: i64) {
        for field in [
            "subjects", "max_lifetime", "from_headers", "from_params", "forward_payload_header",
            "claim_to_headers", "claims_to_filter_state", "scope_claims", "payload_in_metadata",
        ] {
            for value in [json!(text), json!(number), json!([text]), json!({ "exact": text })] {
                let _ = error(&provider_with(field, &value));
            }
        }
        for value in [json!([text]), json!([{"claim_name": text, "exact": number}])] {
            let _ = error(&requirement(&json!({"provider_name": "p", "scopes": value})));
            let _ = error(&requirement(&json!({"provider_name": "p", "claims": value})));
        }
    }
}
