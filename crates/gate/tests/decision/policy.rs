//! What a policy knows about its providers, requirements and rules.

use gate::policy::Policy;
use gate::reason::Reason;
use gate::request::Request;
use serde_json::{Value, json};

use crate::support::{policy_with_secrets, request, with};

/// A provider with its keys in the configuration, and these fields.
fn provider(fields: &Value) -> Value {
    let keys = json!({"local_jwks": {"inline_string": gate_fixtures::key_set()}});
    with(&keys, fields)
}

/// The policy of a provider with these fields, and these changes of the configuration.
fn policy(fields: &Value, changes: &Value) -> Policy {
    let config = json!({"providers": {"p": provider(fields)}});
    policy_with_secrets(&with(&config, changes))
}

fn requires(requirement: Value) -> Value {
    json!({"rules": [{"match": {"prefix": "/"}, "requires": requirement}]})
}

fn remote() -> Value {
    json!({"http_uri": {"uri": "https://issuer.example/x", "cluster": "issuer"}})
}

fn introspection(tokens: &str) -> Value {
    with(
        &remote(),
        &json!({
            "client_id": "gate",
            "client_secret_environment_variable": "SECRET",
            "for": tokens,
        }),
    )
}

#[test]
fn decisions_read_the_headers_of_tokens_and_rules_and_those_that_the_filter_sets() {
    let fields = json!({
        "from_headers": [{"name": "X-Token"}],
        "from_cookies": ["jwt"],
        "forward_payload_header": "x-payload",
        "claim_to_headers": [{"header_name": "x-claim", "claim_name": "a"}],
    });
    let policy = policy(
        &fields,
        &json!({"rules": [{"match": {"prefix": "/", "headers": [{"name": "x-rule"}]}}]}),
    );
    for (name, read, removed) in [
        ("x-token", true, false),
        ("cookie", true, false),
        ("x-rule", true, false),
        ("x-payload", true, true),
        ("x-claim", true, true),
        ("X_Claim", true, true),
        // An upstream may take it for `x-token`, but nobody has checked what is in it.
        ("x_token", true, true),
        ("x_rule", false, false),
        ("x-other", false, false),
        ("xyzzy", false, false),
        ("", false, false),
    ] {
        assert_eq!(policy.reads(name.as_bytes()), read, "{name}");
        assert_eq!(policy.must_remove(name.as_bytes()), removed, "{name}");
    }
    assert_eq!(policy.own_headers, ["x-claim", "x-payload"]);
}

#[test]
fn decisions_read_the_headers_of_proofs_and_of_certificates() {
    let certificate =
        json!({"client_certificate": {"from": "xfcc", "trusted_peers": ["spiffe://edge"]}});
    for (fields, dpop, xfcc) in [
        (json!({}), false, false),
        (json!({"dpop": {}}), true, false),
        (certificate, false, true),
    ] {
        let policy = policy(&json!({}), &fields);
        assert_eq!(policy.reads(b"dpop"), dpop, "{fields}");
        let reads = policy.reads(b"x-forwarded-client-cert");
        assert_eq!(reads, xfcc, "{fields}");
    }
}

#[test]
fn the_headers_that_the_filter_sets_are_removed_from_a_request() {
    let fields = json!({"forward_payload_header": "x-payload"});
    let request = || {
        request(
            "/",
            &[
                ("x-payload", "a"),
                ("y", "b"),
                ("x_payload", "c"),
                ("x-payload", "d"),
            ],
        )
    };
    let headers = |request: &Request| request.headers.len();
    let by_rules = policy(&fields, &json!({}));
    let mut changed = request();
    let removed = by_rules.remove_client_headers(&mut changed);
    let names = ["x-payload", "x_payload"].map(str::to_owned);
    assert_eq!(removed, Ok(names.to_vec()));
    // Only `y` is left.
    assert_eq!(headers(&changed), 1);
    assert_eq!(by_rules.remove_client_headers(&mut changed), Ok(Vec::new()));

    // Without the header, Envoy would have selected another route.
    let by_routes = policy(&fields, &json!({"per_route_requirements": true}));
    let name = "x-payload".to_owned();
    let refused = by_routes.remove_client_headers(&mut request());
    assert_eq!(refused, Err(Reason::Header { name }));
    assert_eq!(
        by_routes.remove_client_headers(&mut changed),
        Ok(Vec::new())
    );
}

#[test]
fn only_claims_that_something_reads_are_kept() {
    let none = json!({});
    let p = |conditions: Value| with(&json!({"provider_name": "p"}), &conditions);
    let nested = |requirement: Value| json!({"requires_any": {"requirements": [requirement]}});
    let claims = json!({"claims": [{"claim_name": "a.b", "exact": 1}]});
    let forwarded = json!({
        "claim_to_headers": [{"header_name": "x-c", "claim_name": "c.d"}],
        "claims_to_filter_state": [{"key": "e", "claim_name": "e"}],
    });
    let named = json!({
        "requirement_map": {"r": p(claims.clone())},
        "per_route_requirements": true,
    });
    for (fields, changes, expected) in [
        (&none, json!({}), &[][..]),
        (&none, requires(p(json!({}))), &[]),
        (
            &none,
            requires(p(json!({"scopes": ["s"]}))),
            &["scope", "scp"],
        ),
        (
            &none,
            requires(p(json!({"any_scope": ["s"]}))),
            &["scope", "scp"],
        ),
        (
            &none,
            requires(nested(p(json!({"scopes": ["s"]})))),
            &["scope", "scp"],
        ),
        (&none, requires(p(claims.clone())), &["a"]),
        (&none, requires(nested(p(claims))), &["a"]),
        (&none, named, &["a"]),
        (&forwarded, json!({}), &["c", "e"]),
        (
            &json!({"introspection": introspection("opaque")}),
            json!({}),
            &[],
        ),
        (
            &json!({"introspection": introspection("all")}),
            json!({}),
            &["azp", "client_id", "jti"],
        ),
        (
            &json!({"revocation": remote()}),
            json!({}),
            &["azp", "client_id", "jti", "sub"],
        ),
    ] {
        let policy = policy(fields, &changes);
        assert_eq!(policy.read_claims, expected, "{fields} {changes}");
    }
}

#[test]
fn requests_can_wait_for_providers_that_fetch_something() {
    let none = json!({});
    let remote_keys = json!({"local_jwks": null, "remote_jwks": remote()});
    let revocation = json!({"revocation": remote()});
    let opaque = json!({"introspection": introspection("opaque")});
    for (fields, awaited, introspects) in [
        (vec![&none], 0, false),
        (vec![&remote_keys], 1, false),
        (vec![&revocation], 1, false),
        (vec![&opaque], 1, true),
        (vec![&none, &remote_keys, &revocation, &opaque], 3, true),
    ] {
        let providers = fields.iter().enumerate();
        let providers: Value = providers
            .map(|(index, fields)| (index.to_string(), provider(fields)))
            .collect::<serde_json::Map<_, _>>()
            .into();
        let policy = policy_with_secrets(&json!({ "providers": providers }));
        assert_eq!(policy.awaited_providers(), awaited, "{fields:?}");
        assert_eq!(policy.introspects(), introspects, "{fields:?}");
    }
}

#[test]
fn the_longest_token_is_that_of_any_provider_but_at_least_the_default() {
    for (fields, expected) in [
        (json!({}), 16 * 1024),
        (
            json!({"jwt_cache_config": {"jwt_max_token_size": 100}}),
            16 * 1024,
        ),
        (
            json!({"jwt_cache_config": {"jwt_max_token_size": 20_000}}),
            20_000,
        ),
    ] {
        assert_eq!(policy(&fields, &json!({})).longest_token(), expected);
    }
}

#[test]
fn providers_and_requirements_are_found_by_name() {
    let config = json!({
        "requirement_map": {"r": {"provider_name": "p"}},
        "per_route_requirements": true,
    });
    let policy = policy(&json!({}), &config);
    assert_eq!(policy.provider("p").unwrap().name, "p");
    assert!(policy.provider("q").is_none());
    assert!(policy.requirement(b"r").is_some());
    assert!(policy.requirement(b"p").is_none());
}

#[test]
fn a_policy_says_whether_rules_depend_on_dynamic_metadata() {
    let metadata = json!([{"filter": "f", "path": ["a"], "value": {"present_match": true}}]);
    for (rule, expected) in [
        (json!({"prefix": "/"}), false),
        (json!({"prefix": "/", "dynamic_metadata": metadata}), true),
    ] {
        let policy = policy(&json!({}), &json!({"rules": [{"match": rule}]}));
        assert_eq!(policy.reads_dynamic_metadata(), expected, "{rule}");
    }
}
