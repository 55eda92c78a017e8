//! A route names its requirement in its metadata.

use serde_json::{Value, json};

use crate::support::{Envoy, Issuer, Setup, Token, bootstrap_of, get, keys};

/// A route for a prefix whose metadata names a requirement.
fn route(prefix: &str, requirement: &str) -> Value {
    json!({
        "match": {"prefix": prefix},
        "route": {"cluster": "upstream"},
        "metadata": {"filter_metadata": {"bearer_gate": {"requirement_name": requirement}}},
    })
}

fn setup(per_route_requirements: bool) -> Setup {
    let mut setup = Setup::new(json!({
        "providers": {"cloud": Issuer::local_provider(&[&keys::RSA])},
        "requirement_map": {
            "open": {"allow": {}},
            "writers": {"provider_name": "cloud", "scopes": ["write"]},
        },
        "rules": [
            {"match": {"path": "/by-rule/open"}, "requirement_name": "open"},
            {"match": {"path": "/by-rule/write"}, "requirement_name": "writers"},
            {"match": {"prefix": "/"}, "requires": {"provider_name": "cloud"}},
        ],
        "per_route_requirements": per_route_requirements,
    }));
    setup.connection_manager = json!({"route_config": {"virtual_hosts": [{
        "name": "all",
        "domains": ["*"],
        "routes": [
            route("/open", "open"),
            route("/write", "writers"),
            route("/unknown", "unheard-of"),
            {"match": {"prefix": "/"}, "route": {"cluster": "upstream"}},
        ],
    }]}});
    setup
}

#[test]
fn a_route_chooses_its_requirement() {
    let gate = setup(true).start();
    let plain = Token::good().signed();
    let writer = Token::good().claim("scope", "write").signed();
    for (path, token, status) in [
        ("/open", None, 200),
        ("/open/page", Some(&plain), 200),
        ("/write", None, 401),
        ("/write", Some(&plain), 403),
        ("/write", Some(&writer), 200),
        ("/unknown", None, 403),
        ("/unknown", Some(&writer), 403),
        ("/", None, 401),
        ("/", Some(&plain), 200),
        // An ambiguous path, which the upstream may read as another one, does not choose an open route.
        ("/open/../write", None, 401),
        ("/open/%2e%2e/write", None, 401),
    ] {
        let request = match token {
            Some(token) => get(path).bearer(token),
            None => get(path),
        };
        assert_eq!(gate.send(&request).status, status, "{path}");
    }
    gate.counts("denied.requirement", 2);
    assert_eq!(gate.upstream.count(), 4);
}

#[test]
fn routes_choose_no_requirement_by_default() {
    let gate = setup(false).start();
    let plain = Token::good().signed();
    for (path, token, status) in [
        ("/open", None, 401),
        ("/write", Some(&plain), 200),
        ("/unknown", Some(&plain), 200),
    ] {
        let request = match token {
            Some(token) => get(path).bearer(token),
            None => get(path),
        };
        assert_eq!(gate.send(&request).status, status, "{path}");
    }
}

/// A route for `/sec` whose answer is the name of its requirement, with more matches.
fn secured(requirement: &str, conditions: &Value) -> Value {
    let mut matcher = json!({"prefix": "/sec"});
    for (name, value) in conditions.as_object().into_iter().flatten() {
        matcher[name] = value.clone();
    }
    json!({
        "match": matcher,
        "direct_response": {"status": 200, "body": {"inline_string": requirement}},
        "metadata": {"filter_metadata": {"bearer_gate": {"requirement_name": requirement}}},
    })
}

/// A listener whose first route for `/sec` is open and has these further matches, and whose second one
/// is for administrators.
fn two_routes(matches: &Value) -> Value {
    let mut provider = Issuer::local_provider(&[&keys::RSA]);
    provider["claim_to_headers"] = json!([{"header_name": "x-tenant", "claim_name": "tenant"}]);
    provider["from_headers"] = json!([
        {"name": "authorization", "value_prefix": "Bearer"},
        {"name": "x-token"},
    ]);
    provider["from_params"] = json!(["jwt"]);
    let mut setup = Setup::new(json!({
        "providers": {"cloud": provider},
        "requirement_map": {
            "open": {"allow": {}},
            "admin": {"provider_name": "cloud", "scopes": ["admin"]},
        },
        "per_route_requirements": true,
    }));
    setup.connection_manager = json!({"route_config": {"virtual_hosts": [{
        "name": "all",
        "domains": ["*"],
        "routes": [secured("open", matches), secured("admin", &json!({}))],
    }]}});
    setup.filter_chain()
}

#[test]
fn no_request_is_sent_by_another_route_than_the_one_that_was_judged() {
    let header = |name: &str| json!({"headers": [{"name": name, "present_match": true}]});
    let parameter = json!({"query_parameters": [{"name": "jwt", "present_match": true}]});
    let matches = [
        ("tenant", header("x-tenant")),
        ("underscores", header("x_tenant")),
        ("authorization", header("authorization")),
        ("token header", header("x-token")),
        ("parameter", parameter),
    ];
    let listeners: Vec<(&str, Value)> = matches
        .iter()
        .map(|(name, matches)| (*name, two_routes(matches)))
        .collect();
    let envoy = Envoy::start(&bootstrap_of(&listeners, &[]), 1);
    let good = Token::good().signed();
    let admin = Token::good().claim("scope", "admin").signed();
    let sec = || get("/sec");
    let cases = [
        // A client's copy of a header of the filter, in all spellings.
        ("tenant", sec().header("x-tenant", "root"), 400, ""),
        ("tenant", sec().header("x_tenant", "root"), 400, ""),
        (
            "tenant",
            sec().header("X-Tenant", "root").bearer(&admin),
            400,
            "",
        ),
        ("underscores", sec().header("x_tenant", "root"), 400, ""),
        ("underscores", sec().header("x-tenant", "root"), 400, ""),
        ("token header", sec().header("x_token", "a.b.c"), 400, ""),
        // A request that need not be changed stays on the route that was judged.
        ("authorization", sec().bearer("a.b.c"), 200, "open"),
        ("authorization", sec().bearer(&good), 200, "open"),
        (
            "token header",
            sec().header("x-token", "a.b.c"),
            200,
            "open",
        ),
        ("token header", sec().header("x-token", &good), 200, "open"),
        ("parameter", get("/sec?jwt=a.b.c"), 200, "open"),
        ("parameter", get(format!("/sec?jwt={good}")), 200, "open"),
        // Without what the first route matches on, the second one judges.
        ("tenant", sec(), 401, ""),
        ("tenant", sec().bearer(&good), 403, ""),
        ("underscores", sec().bearer(&admin), 200, "admin"),
        ("parameter", sec().bearer(&admin), 200, "admin"),
        (
            "authorization",
            get(format!("/sec?jwt={admin}")),
            200,
            "admin",
        ),
    ];
    for (index, (listener, request, status, route)) in cases.iter().enumerate() {
        let answer = envoy.send_to(listener, request);
        assert_eq!(
            answer.status, *status,
            "case {index}, {listener}: {answer:?}"
        );
        if *status == 200 {
            let body = String::from_utf8_lossy(&answer.body);
            assert_eq!(body, *route, "case {index}, {listener}");
        }
    }
}
