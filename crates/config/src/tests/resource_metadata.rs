//! Protected resources and their metadata.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gate::policy::{Policy, ProtectedResource};
use serde_json::{Value, json};

use super::support::{changed, error, read, valid};

/// [`valid`] with these resources.
fn with(resources: &Value) -> Value {
    changed("/resource_metadata", Some(resources.clone()))
}

/// The metadata of one resource with `fields`.
fn resource(fields: &Value) -> Value {
    let mut resource = json!({"resource": "https://api.example/mcp"});
    for (name, value) in fields.as_object().unwrap() {
        resource[name] = value.clone();
    }
    resource
}

fn first(policy: &Policy) -> &ProtectedResource {
    &policy.resources.all()[0]
}

/// The document of one resource with `fields`.
fn document(fields: &Value) -> String {
    let policy = read(&with(&resource(fields))).unwrap();
    let metadata = first(&policy).metadata.as_ref().unwrap();
    metadata.document.clone()
}

/// A JWS with this payload.
fn jws(payload: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let header = part(&json!({"alg": "ES256"}));
    format!("{header}.{}.c2lnbmF0dXJl", part(payload))
}

#[test]
fn members_are_in_the_order_of_the_standard_and_only_where_they_have_values() {
    assert_eq!(
        document(&json!({})),
        r#"{"resource":"https://api.example/mcp","authorization_servers":["https://issuer.example"],"bearer_methods_supported":["header"]}"#
    );
    assert_eq!(
        document(&json!({
            "scopes_supported": [],
            "bearer_methods_supported": [],
            "authorization_details_types_supported": [],
            "resource_name": null,
            "additional": {"a": null, "b": [], "c": {}, "d": false, "e": ""},
        })),
        r#"{"resource":"https://api.example/mcp","authorization_servers":["https://issuer.example"],"c":{},"d":false,"e":""}"#
    );
    let signed = jws(&json!({"iss": "https://api.example"}));
    let all = document(&json!({
        "additional": {"resource_name#de": "Werkzeuge", "x": {"b": [1, "\"\u{e9}"]}},
        "signed_metadata": signed,
        "authorization_details_types_supported": ["payment"],
        "resource_signing_alg_values_supported": ["ES256"],
        "jwks_uri": "https://api.example/keys",
        "resource_tos_uri": "https://api.example/tos?a#b",
        "resource_policy_uri": "https://api.example/policy",
        "resource_documentation": "https://api.example/docs",
        "resource_name": "Tools \"one\"",
        "bearer_methods_supported": ["header", "query", "body"],
        "scopes_supported": ["mcp:read", "mcp:write"],
        "authorization_servers": ["https://b.example/tenant", "http://a.internal:8080"],
    }));
    let expected = format!(
        concat!(
            r#"{{"resource":"https://api.example/mcp","#,
            r#""authorization_servers":["https://b.example/tenant","http://a.internal:8080"],"#,
            r#""scopes_supported":["mcp:read","mcp:write"],"#,
            r#""bearer_methods_supported":["header","query","body"],"#,
            r#""resource_name":"Tools \"one\"","#,
            r#""resource_documentation":"https://api.example/docs","#,
            r#""resource_policy_uri":"https://api.example/policy","#,
            r#""resource_tos_uri":"https://api.example/tos?a#b","#,
            r#""jwks_uri":"https://api.example/keys","#,
            r#""resource_signing_alg_values_supported":["ES256"],"#,
            r#""authorization_details_types_supported":["payment"],"#,
            r#""signed_metadata":"{signed}","#,
            "\"resource_name#de\":\"Werkzeuge\",",
            "\"x\":{{\"b\":[1,\"\\\"\u{e9}\"]}}}}",
        ),
        signed = signed,
    );
    assert_eq!(all, expected);
}

#[test]
fn the_authorization_servers_are_the_issuers_of_the_providers_unless_they_are_named() {
    let servers = |issuers: &[(&str, Option<&str>)]| {
        let mut config = with(&resource(&json!({})));
        let provider = config["providers"]["cloud"].clone();
        config["rules"] = json!([]);
        config["providers"] = json!({});
        for (name, issuer) in issuers {
            let mut provider = provider.clone();
            provider["issuer"] = json!(issuer);
            config["providers"][name] = provider;
        }
        match read(&config) {
            Ok(policy) => {
                let metadata = first(&policy).metadata.as_ref().unwrap();
                let document: Value = serde_json::from_str(&metadata.document).unwrap();
                document["authorization_servers"].to_string()
            }
            Err(error) => error.to_string(),
        }
    };
    assert_eq!(
        servers(&[
            ("b", Some("https://one.example")),
            ("a", Some("https://two.example")),
            ("d", Some("https://one.example")),
            ("c", None),
        ]),
        r#"["https://two.example","https://one.example"]"#
    );
    assert_eq!(
        servers(&[("a", None)]),
        "resource_metadata[0].authorization_servers: needs at least one authorization server: no provider has \
         an issuer"
    );
    assert_eq!(
        servers(&[("a", Some("issuer"))]),
        "resource_metadata[0].authorization_servers: is not a URL: must begin with https:// or http://"
    );
}

const SECURE: &str = "must begin with https://, except for localhost, 127.0.0.1 and [::1]";

/// Checks what is said about a field, for a single resource and in a list, where the position is part of
/// the path.
fn check_mistake(field: &str, value: &Value, problem: &str) {
    let mistaken = resource(&json!({ field: value }));
    // A single resource is one in a list of its own.
    let prefix = format!("resource_metadata.{field}: {problem}");
    let found = error(&with(&mistaken)).replace("resource_metadata[0]", "resource_metadata");
    assert!(found.starts_with(&prefix), "{found}, not {prefix}");
    let other = json!({"resource": "https://other.example"});
    let prefix = format!("resource_metadata[1].{field}: {problem}");
    let found = error(&with(&json!([other, mistaken])));
    assert!(found.starts_with(&prefix), "{found}, not {prefix}");
}

#[test]
fn a_mistake_in_an_identifier_is_named_with_its_place() {
    for (field, value, problem) in [
        ("resource", json!(null), "must be a string, not null"),
        ("resource", json!(""), "must not be empty"),
        (
            "resource",
            json!("api"),
            "must begin with https:// or http://",
        ),
        ("resource", json!("http://api.example"), SECURE),
        (
            "resource",
            json!("https://u@api.example"),
            "must have a host, no user, and a port only in its shortest form",
        ),
        (
            "resource",
            json!("https://api.example?a"),
            "must not have a query or a fragment",
        ),
        (
            "resource",
            json!("https://api.example/#a"),
            "must not have a query or a fragment",
        ),
        (
            "resource",
            json!("https://API.example"),
            "must have its host in lower case, as clients compare it",
        ),
        (
            "resource",
            json!("https://api.example/a%2fb"),
            "must have a path that all servers read alike: no empty segment, no . or .. segment, no ; and \
             \\, and no percent-encoding that can be avoided",
        ),
        (
            "resource",
            json!("https://api.example/.well-known/mcp"),
            "must not have a path that begins with /.well-known/",
        ),
        (
            "resource",
            json!(format!("https://api.example/{}", "a".repeat(1000))),
            "makes a URL of the metadata of 1057 characters; at most 1024 are possible",
        ),
    ] {
        check_mistake(field, &value, problem);
    }
}

#[test]
fn a_mistake_in_another_url_is_named_with_its_place() {
    for (field, value, problem) in [
        (
            "authorization_servers",
            json!([]),
            "needs at least one authorization server: no provider has an issuer",
        ),
        (
            "authorization_servers",
            json!(["https://a?b"]),
            "\"https://a?b\" must not have a query or a fragment",
        ),
        (
            "authorization_servers",
            json!(["a"]),
            "is not a URL: must begin with https:// or http://",
        ),
        (
            "resource_documentation",
            json!("docs"),
            "is not a URL: must begin with https:// or http://",
        ),
        (
            "resource_policy_uri",
            json!("https://a/b c"),
            "is not a URL: has a character that a URL cannot have",
        ),
        (
            "resource_tos_uri",
            json!("ftp://a"),
            "is not a URL: must begin with https:// or http://",
        ),
        (
            "jwks_uri",
            json!("keys"),
            "is not a URL: must begin with https:// or http://",
        ),
    ] {
        check_mistake(field, &value, problem);
    }
}

#[test]
fn every_other_mistake_is_named_with_its_place() {
    for (field, value, problem) in [
        (
            "resource_signing_alg_values_supported",
            json!(["none"]),
            "must not contain none",
        ),
        (
            "signed_metadata",
            json!("a.b"),
            "is not a JWS in compact form: three parts with dots between them",
        ),
        (
            "signed_metadata",
            json!("a.b.c"),
            "is not a JWS in compact form: header and payload are not JSON objects in base64url",
        ),
        (
            "signed_metadata",
            json!(jws(&json!(["iss"]))),
            "is not a JWS in compact form: header and payload are not JSON objects in base64url",
        ),
        (
            "signed_metadata",
            json!(jws(&json!({"resource": "a"}))),
            "has no iss in its payload, which says who vouches for the metadata",
        ),
        (
            "signed_metadata",
            json!(jws(&json!({"iss": "a", "signed_metadata": "b"}))),
            "must not contain signed_metadata again",
        ),
        (
            "additional",
            json!({"resource": "a"}),
            "cannot have the member \"resource\": it has its own field",
        ),
        (
            "additional",
            json!({"resource_name": "a"}),
            "cannot have the member \"resource_name\": it has its own field",
        ),
        ("additional", json!([]), "must be an object"),
        ("metadata_url", json!("http://a/b"), SECURE),
        (
            "metadata_url",
            json!("https://a/b#c"),
            "must not have a fragment",
        ),
        (
            "metadata_url",
            json!(format!("https://a/{}", "b".repeat(1015))),
            "must not have more than 1024 characters",
        ),
        ("max_age", json!("0s"), "must be above zero"),
        ("at_root", json!("yes"), "must be a boolean, not a string"),
        ("unknown", json!(1), "unknown field"),
    ] {
        check_mistake(field, &value, problem);
    }
    let both = resource(&json!({"metadata_url": "https://a/b", "at_root": true}));
    assert_eq!(
        error(&with(&both)),
        "resource_metadata[0].at_root: the gate cannot serve metadata that metadata_url says are elsewhere"
    );
    assert_eq!(
        error(&with(&json!("https://api.example"))),
        "resource_metadata: must be an object, not a string"
    );
    assert_eq!(
        error(&with(&json!({}))),
        "resource_metadata.resource: missing field"
    );
}

#[test]
fn there_are_at_most_64_resources_which_all_differ() {
    let list = |number: usize| {
        let resource = |index| json!({ "resource": format!("https://api.example/{index}") });
        Value::Array((0..number).map(resource).collect())
    };
    let bounds = "resource_metadata: must have from 1 to 64 elements";
    for (number, expected) in [(0, bounds), (1, "none"), (64, "none"), (65, bounds)] {
        assert_eq!(error(&with(&list(number))), expected, "{number}");
    }
    let same = "resource_metadata[2].resource: is the same as resource_metadata[1].resource, apart from a \
                slash at the end, the scheme or the default port";
    let root_by_path = "resource_metadata[2].resource: resource_metadata[1] is already at the root of this \
                        authority, by at_root or without a path";
    let root = "resource_metadata[2].at_root: resource_metadata[1] is already at the root of this \
                authority, by at_root or without a path";
    for (one, other, expected) in [
        (
            json!({"resource": "https://a/b"}),
            json!({"resource": "https://a/b"}),
            same,
        ),
        (
            json!({"resource": "https://a/b"}),
            json!({"resource": "https://a:443/b/"}),
            same,
        ),
        (
            json!({"resource": "https://a"}),
            json!({"resource": "https://a/"}),
            same,
        ),
        (
            json!({"resource": "https://a/b"}),
            json!({"resource": "https://a/b/", "metadata_url": "https://c"}),
            same,
        ),
        (
            json!({"resource": "https://a/b"}),
            json!({"resource": "https://c/b"}),
            "none",
        ),
        (
            json!({"resource": "https://a/b"}),
            json!({"resource": "https://a:1/b"}),
            "none",
        ),
        (
            json!({"resource": "https://a/b", "at_root": true}),
            json!({"resource": "https://a/c", "at_root": true}),
            root,
        ),
        (
            json!({"resource": "https://a"}),
            json!({"resource": "https://a/c", "at_root": true}),
            root,
        ),
        (
            json!({"resource": "https://a/b", "at_root": true}),
            json!({"resource": "https://a/"}),
            root_by_path,
        ),
        (
            json!({"resource": "https://a/b", "at_root": true}),
            json!({"resource": "https://c/b", "at_root": true}),
            "none",
        ),
        (
            json!({"resource": "https://a", "at_root": true}),
            json!({"resource": "https://c"}),
            "none",
        ),
    ] {
        let list = json!([{"resource": "https://other"}, one, other]);
        assert_eq!(error(&with(&list)), expected, "{list}");
    }
}

#[test]
fn a_resource_whose_metadata_somebody_else_serves_needs_no_authorization_server() {
    let mut config = with(&json!({
        "resource": "https://api.example/mcp",
        "metadata_url": "https://cdn.example/mcp.json",
    }));
    config["providers"]["cloud"]
        .as_object_mut()
        .unwrap()
        .remove("issuer");
    let policy = read(&config).unwrap();
    let resource = first(&policy);
    assert_eq!(
        resource.metadata_url.as_str(),
        "https://cdn.example/mcp.json"
    );
    assert!(resource.metadata.is_none() && !resource.require_audience);
}

#[test]
fn likely_mistakes_are_warned_of() {
    let warnings = |config: &Value| read(config).unwrap().warnings;
    assert!(warnings(&valid()).is_empty());
    let none = "no provider has it among its audiences";
    let mcp = || json!({"resource": "https://api.example/mcp"});
    assert_eq!(
        warnings(&with(&mcp())),
        [format!("resource_metadata[0].resource: {none}")]
    );
    let listed = json!([{"resource": "https://api.example/"}, mcp()]);
    assert_eq!(
        warnings(&with(&listed)),
        [format!("resource_metadata[1].resource: {none}")]
    );
    let mut own = with(&mcp());
    own["rules"] = json!([{"match": {"prefix": "/"}, "requires": {"provider_and_audiences": {
        "provider_name": "cloud", "audiences": ["https://api.example/mcp"],
    }}}]);
    assert!(warnings(&own).is_empty());
    let required = resource(&json!({"require_audience": true}));
    assert!(warnings(&with(&required)).is_empty());

    let mut scopes = valid();
    let asks = |scopes: Value| json!({"provider_name": "cloud", "scopes": scopes});
    scopes["requirement_map"] = json!({"a": asks(json!(["openid", "read"]))});
    scopes["rules"] = json!([
        {"match": {"path": "/a"}, "requirement_name": "a"},
        {"match": {"path": "/b"}, "requires": asks(json!(["read"]))},
        {"match": {"path": "/c"}, "requires": {"requires_any": {"requirements": [
            {"provider_name": "cloud", "any_scope": ["offline_access"]},
        ]}}},
        {"match": {"path": "/d"}, "requires": asks(json!(["offline_access"]))},
    ]);
    let between = "concerns only client and authorization server, but challenges ask for it";
    assert_eq!(
        warnings(&scopes),
        [
            format!("rules[2].requires: the scope \"offline_access\" {between}"),
            format!("requirement_map.a: the scope \"openid\" {between}"),
        ]
    );
}
