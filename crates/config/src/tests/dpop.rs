//! Proofs of possession, and the URLs that they are compared with.

use std::time::Duration;

use gate::policy::{DpopPolicy, NonceUse, Policy, UpstreamToken};
use gate::request::Request;
use gate_fixtures::key_set;
use serde_json::{Value, json};

use super::support::{error, read};
use crate::{ConfigError, parse};

/// A configuration with this value of `dpop`.
fn with_dpop(dpop: &Value) -> Value {
    json!({
        "providers": {"p": {
            "audiences": ["https://api.example"],
            "local_jwks": {"inline_string": key_set()},
        }},
        "dpop": dpop,
    })
}

fn with(mut config: Value, pointer: &str, value: Value) -> Value {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    config.pointer_mut(parent).unwrap()[name] = value;
    config
}

/// Parses a configuration with these variables: 32 bytes in both alphabets, 31 bytes, and no base64.
fn read_with_keys(config: &Value) -> Result<Policy, ConfigError> {
    let environment = |name: &str| match name {
        "KEY" => Some("//////////////////////////////////////////8=".to_owned()),
        "URL_SAFE" => Some("__________________________________________8\n".to_owned()),
        "SHORT" => Some("/////////////////////////////////////////w==".to_owned()),
        "TEXT" => Some("not base64".to_owned()),
        _ => None,
    };
    parse(config.to_string().as_bytes(), &environment)
}

fn error_with_keys(dpop: &Value) -> String {
    match read_with_keys(&with_dpop(dpop)) {
        Ok(_) => "none".to_owned(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn workers_that_share_nothing_cannot_remember_proofs() {
    let config = |dpop: Value| {
        let mut config = with_dpop(&dpop);
        config["share"] = "worker".into();
        config
    };
    let replay = "dpop.replay_entries: must be 0 with share \"worker\": used proofs are remembered in \
                  shared data, which other modules could write";
    let nonce = "dpop.nonce_key_environment_variable: missing field: with share \"worker\" there is no \
                 random key that all workers know";
    for (dpop, expected) in [
        (json!({"replay_entries": 0}), "none".to_owned()),
        (json!({}), replay.to_owned()),
        (
            json!({"nonce": "required", "replay_entries": 0}),
            nonce.to_owned(),
        ),
        (json!({"nonce": "fallback"}), format!("{replay}\n{nonce}")),
    ] {
        assert_eq!(error(&config(dpop)), expected);
    }
}

#[test]
fn an_empty_object_turns_proofs_on() {
    let policy = read(&with_dpop(&json!({}))).unwrap();
    assert_eq!(policy.options.dpop, Some(DpopPolicy::default()));
    assert!(policy.reads(b"dpop"));
    let off = read(&with_dpop(&json!(null))).unwrap();
    assert_eq!(off.options.dpop, None);
    assert!(!off.reads(b"dpop"));
}

#[test]
fn every_field_is_read() {
    let policy = read_with_keys(&with_dpop(&json!({
        "algorithms": ["ES256", "EdDSA", "Ed25519"],
        "max_age": "30s",
        "clock_skew": "0s",
        "nonce": "fallback",
        "nonce_lifetime": "10s",
        "nonce_key_environment_variable": "KEY",
        "nonce_previous_key_environment_variable": "URL_SAFE",
        "replay_entries": 0,
        "upstream": "bearer",
    })));
    let dpop = policy.unwrap().options.dpop.unwrap();
    let names: Vec<&str> = dpop.algorithms.iter().map(|one| one.name()).collect();
    assert_eq!(names, ["ES256", "EdDSA"]);
    assert_eq!(dpop.max_age, Duration::from_secs(30));
    assert_eq!(dpop.clock_skew, Duration::ZERO);
    assert_eq!(dpop.nonce, NonceUse::Fallback);
    assert_eq!(dpop.nonce_lifetime, Duration::from_secs(10));
    assert_eq!(dpop.replay_entries, 0);
    assert_eq!(dpop.upstream, UpstreamToken::Bearer);
    let keys = dpop.nonce_keys.unwrap();
    assert_eq!(keys.current, [0xff; 32]);
    assert_eq!(keys.previous, Some(vec![0xff; 32]));
}

#[test]
fn values_have_limits() {
    let known = "ES256, ES384, ES512, PS256, PS384, PS512, RS256, RS384, RS512, EdDSA";
    for (dpop, expected) in [
        (
            json!({"algorithms": []}),
            "dpop.algorithms: must not be empty".to_owned(),
        ),
        (
            json!({"algorithms": ["ES256", "HS256"]}),
            format!("dpop.algorithms[1]: is not one of {known}"),
        ),
        (
            json!({"algorithms": ["none"]}),
            format!("dpop.algorithms[0]: is not one of {known}"),
        ),
        (
            json!({"max_age": "0s"}),
            "dpop.max_age: must be above zero".to_owned(),
        ),
        (
            json!({"max_age": "0.9s"}),
            "dpop.max_age: must be from 1s to 3600s".to_owned(),
        ),
        (
            json!({"max_age": "3600.1s"}),
            "dpop.max_age: must be from 1s to 3600s".to_owned(),
        ),
        (
            json!({"clock_skew": "61s"}),
            "dpop.clock_skew: must be from 0s to 60s".to_owned(),
        ),
        (
            json!({"nonce": "always"}),
            "dpop.nonce: is not one of \"off\", \"fallback\", \"required\"".to_owned(),
        ),
        (
            json!({"nonce_lifetime": "9s"}),
            "dpop.nonce_lifetime: must be from 10s to 3600s".to_owned(),
        ),
        (
            json!({"nonce_lifetime": "3601s"}),
            "dpop.nonce_lifetime: must be from 10s to 3600s".to_owned(),
        ),
        (
            json!({"replay_entries": 4_194_305}),
            "dpop.replay_entries: must be at most 4194304".to_owned(),
        ),
        (
            json!({"upstream": "dpop"}),
            "dpop.upstream: is not one of \"as_sent\", \"bearer\"".to_owned(),
        ),
    ] {
        assert_eq!(error(&with_dpop(&dpop)), expected);
    }
    for dpop in [
        json!({"max_age": "1s", "clock_skew": "60s", "nonce_lifetime": "3600s"}),
        json!({"max_age": "3600s", "replay_entries": 4_194_304}),
    ] {
        assert_eq!(error(&with_dpop(&dpop)), "none", "{dpop}");
    }
}

#[test]
fn keys_of_nonces_are_long_enough_and_never_quoted() {
    let field = "dpop.nonce_key_environment_variable";
    for (current, previous, expected) in [
        (json!("KEY"), json!(null), "none".to_owned()),
        (json!("URL_SAFE"), json!("KEY"), "none".to_owned()),
        (
            json!("SHORT"),
            json!(null),
            format!("{field}: SHORT has fewer than 32 bytes"),
        ),
        (
            json!("TEXT"),
            json!(null),
            format!("{field}: TEXT is not base64"),
        ),
        (
            json!("NONE"),
            json!(null),
            format!(
                "{field}: there is no such variable: the filter sees those that \
                 vm_config.environment_variables names"
            ),
        ),
        (
            json!("KEY"),
            json!("SHORT"),
            "dpop.nonce_previous_key_environment_variable: SHORT has fewer than 32 bytes"
                .to_owned(),
        ),
        (
            json!(null),
            json!("KEY"),
            "dpop.nonce_previous_key_environment_variable: needs nonce_key_environment_variable"
                .to_owned(),
        ),
    ] {
        let dpop = json!({
            "nonce": "required",
            "nonce_key_environment_variable": current,
            "nonce_previous_key_environment_variable": previous,
        });
        assert_eq!(error_with_keys(&dpop), expected);
    }
    let unused = json!({"nonce_key_environment_variable": "KEY"});
    assert_eq!(
        error_with_keys(&unused),
        format!("{field}: has no effect while nonce is \"off\"")
    );
}

#[test]
fn proofs_fit_the_other_settings() {
    let off = with_dpop(&json!(null));
    let on = with_dpop(&json!({}));
    let nonce = with_dpop(&json!({"nonce": "fallback"}));
    let constraint = "/providers/p/sender_constraint";
    let nobody = "dpop: no provider accepts proofs: sender_constraint must be neither \"ignore\" nor \
                  \"certificate\", and tokens come in the header Authorization with the scheme";
    for (config, expected) in [
        (
            with(off, constraint, json!("dpop")),
            "providers.p.sender_constraint: \"dpop\" needs the top-level field dpop",
        ),
        (with(on.clone(), constraint, json!("dpop")), "none"),
        (with(on.clone(), constraint, json!("ignore")), nobody),
        (with(on.clone(), constraint, json!("certificate")), nobody),
        (
            with(
                on.clone(),
                "/providers/p/from_headers",
                json!([{"name": "x-token"}]),
            ),
            nobody,
        ),
        (
            with(
                on.clone(),
                "/providers/p/forward_payload_header",
                json!("DPoP"),
            ),
            "dpop: proofs are read from the header \"dpop\", so it cannot be set",
        ),
        (with(on, "/strip_failure_response", json!(true)), "none"),
        (
            with(nonce, "/strip_failure_response", json!(true)),
            "dpop.nonce: needs challenges, which strip_failure_response removes",
        ),
    ] {
        assert_eq!(error(&config), expected, "{config}");
    }
}

#[test]
fn warnings_name_what_is_valid_but_weak() {
    let warnings = |config: &Value| read_with_keys(config).unwrap().warnings;
    let good = with_dpop(&json!({}));
    assert!(warnings(&good).is_empty());
    let any = with(good, "/providers/p/audiences", json!([]));
    assert_eq!(
        warnings(&any),
        [
            "dpop: without public_urls and audiences, the Host header of the client decides which server a proof \
          is for"
        ]
    );
    let named = with(any, "/public_urls", json!("https://api.example"));
    assert!(warnings(&named).is_empty());
    let random = with_dpop(&json!({"nonce": "required"}));
    assert_eq!(
        warnings(&random),
        [
            "dpop.nonce: without nonce_key_environment_variable each Envoy accepts only its own nonces"
        ]
    );
    let shared = json!({"nonce": "required", "nonce_key_environment_variable": "KEY"});
    assert!(warnings(&with_dpop(&shared)).is_empty());
}

/// The URIs by which a client may know a request for `/a` on another host.
fn targets(config: &Value) -> Vec<String> {
    let request = Request {
        scheme: b"http".into(),
        authority: b"10.0.0.1".into(),
        target: b"/a".into(),
        ..Request::default()
    };
    let policy = read(config).unwrap();
    let targets = policy.options.public_urls.targets(&request);
    targets.iter().map(gate::dpop::TargetUri::to_text).collect()
}

#[test]
fn public_urls_are_given_or_those_of_the_resources() {
    let config = with_dpop(&json!({}));
    assert_eq!(targets(&config), ["http://10.0.0.1/a"]);
    let two = json!(["https://api.example/v1/", "https://b.example:8443"]);
    let named = with(config.clone(), "/public_urls", two);
    let expected = ["https://api.example/v1/a", "https://b.example:8443/a"];
    assert_eq!(targets(&named), expected);
    let resources = json!([
        {"resource": "https://mcp.example/one", "authorization_servers": ["https://issuer.example"]},
        {"resource": "https://mcp.example/two", "authorization_servers": ["https://issuer.example"]},
    ]);
    let with_resources = with(config, "/resource_metadata", resources.clone());
    assert_eq!(targets(&with_resources), ["https://mcp.example/a"]);
    let both = with(named, "/resource_metadata", resources);
    assert_eq!(targets(&both), expected);
}

#[test]
fn a_public_url_is_an_absolute_url_without_query_and_fragment() {
    for (urls, expected) in [
        (json!([]), "public_urls: must have from 1 to 64 elements"),
        (
            json!(vec!["https://a"; 65]),
            "public_urls: must have from 1 to 64 elements",
        ),
        (
            json!(["/a"]),
            "public_urls[0]: must begin with https:// or http://",
        ),
        (
            json!(["https://u@a"]),
            "public_urls[0]: must have a host, no user, and a port only in its shortest form",
        ),
        (
            json!(["https://a", "https://a?b"]),
            "public_urls[1]: must have neither query nor fragment",
        ),
        (
            json!(["https://a#b"]),
            "public_urls[0]: must have neither query nor fragment",
        ),
        (
            json!(["https://a/ b"]),
            "public_urls[0]: has a character that a URL cannot have",
        ),
        (json!([7]), "public_urls[0]: must be a string, not a number"),
    ] {
        let config = with(with_dpop(&json!({})), "/public_urls", urls);
        assert_eq!(error(&config), expected);
    }
}

#[test]
fn the_metadata_of_a_resource_say_how_tokens_are_bound_to_keys() {
    let document = |config: &Value| {
        let policy = read_with_keys(config).unwrap();
        let metadata = policy.resources.all()[0].metadata.as_ref().unwrap();
        metadata.document.clone()
    };
    let algorithms = "\"dpop_signing_alg_values_supported\":[\"ES256\",\"EdDSA\",\"Ed25519\"]";
    let required = "\"dpop_bound_access_tokens_required\":true";
    let mut config = with_dpop(&json!({"algorithms": ["ES256", "EdDSA"]}));
    config["providers"]["p"]["issuer"] = "https://issuer.example".into();
    config["resource_metadata"] = json!({"resource": "https://api.example"});
    assert!(document(&config).contains(algorithms));
    assert!(!document(&config).contains(required));
    let mut all = config.clone();
    all["providers"]["p"]["sender_constraint"] = "dpop".into();
    assert!(document(&all).contains(algorithms));
    assert!(document(&all).contains(required));
    all["resource_metadata"]["additional"] = json!({"dpop_bound_access_tokens_required": false});
    assert!(document(&all).contains("\"dpop_bound_access_tokens_required\":false"));
    config.as_object_mut().unwrap().remove("dpop");
    assert!(!document(&config).contains("dpop_"));
}
