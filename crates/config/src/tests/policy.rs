//! Valid configurations and their policies.

use std::time::Duration;

use gate::fetching::{Backoff, DocumentSource, RefreshPolicy, RemoteDocument, Resource, Retries};
use gate::policy::{CacheLimits, Enforcement, ResponseBody, Rules, StreamEnd};
use gate_fixtures::key_set;
use serde_json::{Value, json};

use super::support::{changed, error, read, remote, valid};

#[test]
fn a_remote_key_set_has_its_uri_and_durations() {
    assert_eq!(
        *remote(&read(&valid()).unwrap()),
        RemoteDocument {
            cluster: "issuer".to_owned(),
            source: DocumentSource::Uri(Resource {
                authority: "issuer.example:8443".to_owned(),
                path: "/oauth/jwks?tenant=a".to_owned(),
            }),
            authorization: None,
            headers: Vec::new(),
            policy: RefreshPolicy {
                timeout: Duration::from_millis(500),
                cache_duration: Duration::from_mins(5),
                max_stale: Duration::from_hours(24),
                refetch_cooldown: Duration::from_secs(10),
                retry: Backoff::new(Duration::from_secs(1), Duration::from_mins(1)),
                honors_cache_control: true,
            },
            retries: Retries {
                number: 0,
                backoff: Backoff::new(Duration::from_millis(25), Duration::from_millis(250)),
            },
        }
    );
}

#[test]
fn names_may_be_in_lower_camel_case() {
    let config = json!({
        "providers": {"cloud": {
            "remoteJwks": {
                "httpUri": {"uri": "http://issuer.example", "cluster": "issuer"},
                "cacheDuration": {"seconds": 300},
            },
            "clockSkewSeconds": "5",
            "requireExpiration": false,
        }, "local": {"localJwks": {"inlineString": key_set()}}},
        "rules": [{"match": {"path": "/"}, "requires": {"providerName": "cloud"}}],
        "unmatchedRequests": "allow",
        "bypassCorsPreflight": true,
    });
    let config = read(&config).unwrap();
    assert_eq!(config.providers[0].clock_skew, Duration::from_secs(5));
    assert!(!config.providers[0].require_expiration);
    assert!(config.options.bypass_cors_preflight);
}

#[test]
fn absent_fields_have_defaults() {
    let config = json!({"providers": {"p": {
        "remote_jwks": {"http_uri": {"uri": "http://issuer.example", "cluster": "c"}},
    }}});
    let jwks = remote(&read(&config).unwrap());
    assert!(matches!(&jwks.source, DocumentSource::Uri(set) if set.path == "/"));
    assert_eq!(jwks.policy.timeout, Duration::from_secs(5));
    assert_eq!(jwks.policy.cache_duration, Duration::from_mins(10));
    let config = read(&config).unwrap();
    let provider = &config.providers[0];
    assert_eq!(provider.clock_skew, Duration::from_mins(1));
    assert!(provider.require_expiration);
    assert!(!provider.forward);
    let cache = CacheLimits {
        tokens: 4096,
        token_bytes: 16_384,
    };
    assert_eq!(provider.cache, cache);
    assert_eq!(config.longest_token(), 16_384);
    assert!(!config.options.bypass_cors_preflight);
    assert!(!config.introspects());
    assert!(matches!(config.rules, Rules::AnyProvider(_)));
}

#[test]
fn the_operator_may_allow_longer_tokens() {
    for (bytes, longest) in [(1, 16_384), (8192, 16_384), (20_000, 20_000)] {
        let limits = json!({"jwt_cache_size": 0, "jwtMaxTokenSize": bytes});
        let config = changed("/providers/cloud/jwt_cache_config", Some(limits));
        let config = read(&config).unwrap();
        assert_eq!(config.longest_token(), longest);
        assert_eq!(config.providers[0].cache.tokens, 0);
    }
}

#[test]
fn a_condition_on_an_earlier_actor_is_warned_of() {
    for (claim, warned) in [
        (json!({"claim_name": "act.sub", "exact": "a"}), false),
        (json!({"claim_name": "act", "present": false}), false),
        (json!({"claim_path": ["act.act"], "exact": "a"}), false),
        (json!({"claim_name": "act.act.sub", "exact": "a"}), true),
        (json!({"claim_name": "act.act", "present": false}), true),
    ] {
        let rule = json!({"match": {"prefix": "/"}, "requires": {
            "requires_any": {"requirements": [{"provider_name": "cloud", "claims": [claim]}]},
        }});
        let policy = read(&changed("/rules", Some(json!([rule])))).unwrap();
        let expected = "rules[0].requires: only the outermost act may decide; the act in it describes \
                        earlier actors (RFC 8693, section 4.1)";
        let expected: &[&str] = if warned { &[expected] } else { &[] };
        assert_eq!(policy.warnings, expected, "{claim}");
    }
}

#[test]
fn a_null_counts_as_an_absent_field() {
    for pointer in [
        "/rules",
        "/realm",
        "/providers/cloud/issuer",
        "/providers/cloud/audiences",
    ] {
        assert_eq!(
            error(&changed(pointer, Some(Value::Null))),
            "none",
            "{pointer}"
        );
    }
}

#[test]
fn what_is_only_reported_is_said_and_warned_of() {
    let with = |fields: Value| {
        let mut config = valid();
        for (name, value) in fields.as_object().unwrap() {
            config[name] = value.clone();
        }
        read(&config).unwrap()
    };
    let rule = json!({"match": {"prefix": "/"}, "requires": {"provider_name": "cloud"}, "report_only": true});
    let nothing = with(json!({}));
    assert!(nothing.options.enforcement == Enforcement::Refuse && !nothing.may_report_only());
    assert!(nothing.warnings.is_empty(), "{:?}", nothing.warnings);
    let by_rule = with(json!({"rules": [{"match": {"path": "/a"}}, rule]}));
    assert!(by_rule.options.enforcement == Enforcement::Refuse && by_rule.may_report_only());
    let warnings = ["rules[1].report_only: the rule refuses nothing"];
    assert_eq!(by_rule.warnings, warnings);
    let whole = with(json!({"report_only": true, "rules": [rule]}));
    assert_eq!(whole.options.enforcement, Enforcement::Report);
    let warnings = ["report_only: nothing is refused, so the filter protects nothing"];
    assert_eq!(whole.warnings, warnings);
}

#[test]
fn the_body_of_refusals_and_the_end_of_streams_are_chosen() {
    let with = |name: &str, value: Value| {
        let mut config = valid();
        config[name] = value;
        config
    };
    let default = read(&valid()).unwrap().options;
    assert_eq!(default.response_body, ResponseBody::Json);
    assert_eq!(default.stream_end, StreamEnd::Open);
    let problem = read(&with("response_body", json!("problem"))).unwrap();
    assert_eq!(problem.options.response_body, ResponseBody::Problem);
    assert_eq!(
        error(&with("response_body", json!("html"))),
        "response_body: is not one of \"json\", \"problem\""
    );
    let ends = read(&with("end_streams_with_token", json!(true))).unwrap();
    assert_eq!(ends.options.stream_end, StreamEnd::WithToken);
}

#[test]
fn no_claim_becomes_filter_state_of_the_filter_itself() {
    let mut config = valid();
    config["providers"]["cloud"]["claims_to_filter_state"] =
        json!([{"key": "bearer_gate.reason", "claim_name": "sub"}]);
    let expected =
        "providers.cloud.claims_to_filter_state[0].key: must not begin with \"bearer_gate.\"";
    assert!(error(&config).starts_with(expected));
}
