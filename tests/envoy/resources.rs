//! Protected resources: their metadata (RFC 9728), and challenges that name them.

use serde_json::{Value, json};

use crate::support::{
    AUDIENCE, Challenge, Gate, Issuer, Request, Response, Setup, Token, call, get, keys, now,
};

const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

/// A gate with a route for `/mcp` only, whose rules refuse everything else.
fn gate(change: &Value) -> Gate {
    let mut config = json!({
        "providers": {"cloud": Issuer::local_provider(&[&keys::RSA])},
        "rules": [{"match": {"prefix": "/mcp"}, "requires": {
            "provider_name": "cloud", "scopes": ["mcp:read", "mcp:list"],
        }}],
        "unmatched_requests": "deny",
        "resource_metadata": {"resource": "https://api.example/mcp", "scopes_supported": ["mcp:read"]},
    });
    for (name, value) in change.as_object().unwrap() {
        config[name] = value.clone();
    }
    let mut setup = Setup::new(config);
    setup.route = json!({"match": {"path_separated_prefix": "/mcp"}});
    setup.start()
}

fn metadata(path: &str) -> Request {
    get(format!("{WELL_KNOWN}{path}"))
}

const DOCUMENT: &str = r#"{"resource":"https://api.example/mcp","authorization_servers":["https://issuer.example"],"scopes_supported":["mcp:read"],"bearer_methods_supported":["header"]}"#;

fn text(response: &Response) -> &str {
    str::from_utf8(&response.body).unwrap()
}

#[test]
fn the_document_is_served_without_a_route_and_before_any_rule() {
    let gate = gate(&json!({}));
    for request in [
        metadata("/mcp"),
        metadata("/mcp/?a=b"),
        metadata("/mcp").host("other.example"),
        metadata("/mcp")
            .bearer("expired")
            .header("authorization", "Basic a"),
    ] {
        let answer = gate.send(&request);
        assert_eq!(
            (answer.status, text(&answer)),
            (200, DOCUMENT),
            "{answer:?}"
        );
        for (name, value) in [
            ("content-type", "application/json"),
            ("cache-control", "max-age=3600"),
            ("access-control-allow-origin", "*"),
        ] {
            assert_eq!(answer.header(name), Some(value), "{name}");
        }
        assert_eq!(answer.header("www-authenticate"), None);
    }
    gate.counts("metadata", 4);
    gate.counts("allowed", 0);
    gate.counts("bypassed", 0);
    assert_eq!(gate.upstream.count(), 0);
}

#[test]
fn everything_below_the_well_known_path_is_answered() {
    let gate = gate(&json!({}));
    let preflight = |request: Request| {
        let request = request
            .method("OPTIONS")
            .header("origin", "https://app.example");
        request.header("access-control-request-method", "GET")
    };
    let missing = r#"{"error":"not_found","error_description":"There is no such resource here"}"#;
    for path in ["", "/", "/other", "/mcp/x", "/%6dcp"] {
        let answer = gate.send(&metadata(path));
        assert_eq!((answer.status, text(&answer)), (404, missing), "{path}");
        assert_eq!(answer.header("content-type"), Some("application/json"));
    }
    for path in ["/mcp", "/other"] {
        let answer = gate.send(&preflight(metadata(path)));
        assert_eq!((answer.status, text(&answer)), (204, ""), "{path}");
        for (name, value) in [
            ("access-control-allow-origin", "*"),
            ("access-control-allow-methods", "GET"),
            ("access-control-allow-headers", "*, authorization"),
            ("access-control-max-age", "86400"),
        ] {
            assert_eq!(answer.header(name), Some(value), "{name}");
        }
        let answer = gate.send(&metadata(path).method("OPTIONS"));
        assert_eq!(answer.status, 204, "{path}");
        assert_eq!(answer.header("allow"), Some("GET, HEAD, OPTIONS"));
        for method in ["POST", "DELETE", "PROPFIND"] {
            let answer = gate.send(&metadata(path).method(method).body("{}"));
            assert_eq!(answer.status, 405, "{method} {path}");
            assert_eq!(answer.header("allow"), Some("GET, HEAD, OPTIONS"));
        }
    }
    // What only begins alike is one for the rules.
    assert_eq!(gate.send(&metadata("-x")).status, 401);
    // A preflight elsewhere, too.
    assert_eq!(gate.send(&preflight(get("/mcp"))).status, 401);
}

#[test]
fn head_gets_the_headers_of_the_document_alone() {
    let gate = gate(&json!({}));
    let client = reqwest::blocking::Client::builder()
        .no_proxy()
        .build()
        .unwrap();
    let url = format!("http://127.0.0.1:{}{WELL_KNOWN}", gate.port);
    for (path, status) in [("/mcp", 200), ("/other", 404)] {
        let answer = client.head(format!("{url}{path}")).send().unwrap();
        assert_eq!(answer.status().as_u16(), status);
        assert_eq!(answer.headers()["content-type"], "application/json");
        assert_eq!(answer.headers()["access-control-allow-origin"], "*");
        assert!(answer.bytes().unwrap().is_empty());
    }
}

/// The parameters of the challenge of an answer.
fn challenge(answer: &Response) -> Challenge {
    Challenge::from_response(answer).unwrap().unwrap()
}

#[test]
fn every_challenge_names_the_metadata_of_the_resource() {
    let gate = gate(&json!({}));
    let url = format!("https://api.example{WELL_KNOWN}/mcp");
    let good = Token::good().signed();
    let expired = Token::good().claim("exp", now() - 3600).signed();
    let both = "mcp:read mcp:list";
    for (request, status, error, scope) in [
        (get("/mcp"), 401, "", both),
        (
            get("/mcp").header("authorization", "Basic a"),
            401,
            "",
            both,
        ),
        (get("/mcp/x").bearer(&expired), 401, "invalid_token", both),
        (
            get("/mcp").header("authorization", "Bearer"),
            400,
            "invalid_request",
            "",
        ),
        (
            get("/mcp")
                .bearer(&good)
                .header("authorization", "Bearer x"),
            400,
            "invalid_request",
            "",
        ),
        (get("/mcp").bearer(&good), 403, "insufficient_scope", both),
    ] {
        let answer = gate.send(&request);
        assert_eq!(answer.status, status, "{answer:?}");
        let challenge = challenge(&answer);
        let parameters = (challenge.parameter("error"), challenge.parameter("scope"));
        assert_eq!(parameters, (error, scope), "{answer:?}");
        assert_eq!(challenge.parameter("resource_metadata"), url);
        assert_eq!(challenge.parameter("realm"), "api.example");
    }
    assert_eq!(
        gate.send(&get("/mcp")).header("www-authenticate").unwrap(),
        format!(
            r#"Bearer realm="api.example", scope="mcp:read mcp:list", resource_metadata="{url}""#
        )
    );
    // No rule matches, and no resource.
    let answer = gate.send(&get("/other"));
    assert_eq!(
        answer.header("www-authenticate"),
        Some("Bearer realm=\"api.example\"")
    );
    let scoped = Token::good().claim("scope", both).signed();
    assert_eq!(gate.send(&get("/mcp").bearer(scoped)).status, 200);
}

#[test]
fn metadata_and_challenges_are_the_same_over_http2_and_for_grpc() {
    let gate = gate(&json!({}));
    let client = reqwest::blocking::Client::builder();
    let client = client.http2_prior_knowledge().no_proxy().build().unwrap();
    let url = format!("http://127.0.0.1:{}", gate.port);
    let answer = client.get(format!("{url}{WELL_KNOWN}/mcp")).send().unwrap();
    assert_eq!(answer.version(), reqwest::Version::HTTP_2);
    assert_eq!(answer.text().unwrap(), DOCUMENT);
    let answer = client.get(format!("{url}/mcp")).send().unwrap();
    let challenge = answer.headers()["www-authenticate"].to_str().unwrap();
    let end = format!(
        r#", scope="mcp:read mcp:list", resource_metadata="https://api.example{WELL_KNOWN}/mcp""#
    );
    assert!(challenge.ends_with(&end), "{challenge}");
    let status = call(&gate, "/mcp.Service/Method", None);
    assert_eq!(status.code(), tonic::Code::Unauthenticated);
    assert_eq!(status.message(), "The request carries no access token");
    let status = call(&gate, "/.well-known/oauth-protected-resource/mcp", None);
    assert_eq!(status.message(), "Use GET to read the metadata");
}

#[test]
fn stripped_refusals_have_no_challenge_but_metadata_are_served() {
    let gate = gate(&json!({"strip_failure_response": true}));
    let refused = gate.send(&get("/mcp"));
    assert_eq!(
        (refused.status, refused.header("www-authenticate")),
        (401, None)
    );
    assert_eq!(text(&gate.send(&metadata("/mcp"))), DOCUMENT);
}

#[test]
fn two_resources_on_two_hosts_are_told_apart() {
    let gate = gate(&json!({"resource_metadata": [
        {"resource": "https://a.example/mcp"},
        {"resource": "https://b.example:8443/mcp", "at_root": true, "max_age": "60s"},
        {"resource": "https://c.example/mcp", "metadata_url": "https://cdn.example/c.json"},
    ]}));
    for (host, expected) in [
        ("a.example", format!("https://a.example{WELL_KNOWN}/mcp")),
        (
            "A.example:443",
            format!("https://a.example{WELL_KNOWN}/mcp"),
        ),
        (
            "b.example:8443",
            format!("https://b.example:8443{WELL_KNOWN}/mcp"),
        ),
        ("c.example", "https://cdn.example/c.json".to_owned()),
        ("d.example", String::new()),
    ] {
        let answer = gate.send(&get("/mcp").host(host));
        let found = challenge(&answer);
        assert_eq!(found.parameter("resource_metadata"), expected, "{host}");
        let document = gate.send(&metadata("/mcp").host(host));
        if expected.contains(WELL_KNOWN) {
            let resource = expected.replace(WELL_KNOWN, "");
            assert_eq!(document.json()["resource"], resource, "{host}");
        } else {
            assert_eq!(document.status, 404, "{host}");
        }
    }
    let root = gate.send(&metadata("").host("elsewhere.example"));
    assert_eq!(root.json()["resource"], "https://b.example:8443/mcp");
    assert_eq!(root.header("cache-control"), Some("max-age=60"));
}

#[test]
fn a_token_that_is_not_meant_for_the_resource_is_refused_there() {
    let gate = gate(&json!({"resource_metadata": {
        "resource": "https://api.example/mcp", "require_audience": true,
    }}));
    let token = |audience: Value| {
        let token = Token::good().claim("aud", audience);
        token.claim("scope", "mcp:read mcp:list").signed()
    };
    let other = gate.send(&get("/mcp").bearer(token(json!(AUDIENCE))));
    assert_eq!(other.status, 401);
    let found = challenge(&other);
    assert_eq!(found.parameter("error"), "invalid_token");
    let both = json!([AUDIENCE, "https://api.example/mcp"]);
    assert_eq!(gate.send(&get("/mcp").bearer(token(both))).status, 200);
    gate.counts("denied.audience", 1);
}

#[test]
fn likely_mistakes_are_in_the_log_and_envoy_starts() {
    let gate = gate(
        &json!({"rules": [{"match": {"prefix": "/mcp"}, "requires": {
            "provider_name": "cloud", "scopes": ["openid"],
        }}]}),
    );
    let log = gate.log();
    for line in [
        "bearer-gate: configuration: resource_metadata[0].resource: no provider has it among its audiences",
        "bearer-gate: configuration: rules[0].requires: the scope \"openid\" concerns only client and authorization server",
    ] {
        assert!(log.contains(line), "{log}");
    }
}
