//! Revocation lists.

use std::time::Duration;

use gate::fetching::Authorization;
use gate::policy::{OnUnavailable, RevocationSource};
use gate::revocation::ListFormat;
use serde_json::{Value, json};

use crate::parse;

fn build(change: &Value) -> Result<RevocationSource, String> {
    let mut revocation = json!({"http_uri": {"uri": "http://a/revoked", "cluster": "a"}});
    for (name, value) in change.as_object().unwrap() {
        revocation[name] = value.clone();
    }
    let provider = json!({
        "local_jwks": {"inline_string": gate_fixtures::key_set()},
        "revocation": revocation,
    });
    let config = json!({"providers": {"p": provider}}).to_string();
    let environment = |name: &str| match name {
        "PASSWORD" => Some("secret".to_owned()),
        "EMPTY" => Some(String::new()),
        _ => None,
    };
    let config = parse(config.as_bytes(), &environment).map_err(|e| e.to_string())?;
    Ok(config.providers[0].revocation.clone().unwrap())
}

#[test]
fn by_default_a_list_is_fetched_every_ten_seconds_and_used_for_five_minutes() {
    let RevocationSource {
        remote,
        format,
        on_unavailable,
    } = build(&json!({})).unwrap();
    assert_eq!(format, ListFormat::List);
    assert_eq!(on_unavailable, OnUnavailable::Deny);
    assert_eq!(remote.cluster, "a");
    assert_eq!(remote.authorization, None);
    assert_eq!(remote.policy.timeout, Duration::from_secs(5));
    assert_eq!(remote.policy.cache_duration, Duration::from_secs(10));
    assert_eq!(remote.policy.max_stale, Duration::from_mins(5));
    assert_eq!(remote.policy.retry.longest(), Duration::from_secs(10));
    let rare = build(&json!({"refresh_interval": "3600s"})).unwrap().remote;
    assert_eq!(rare.policy.max_stale, Duration::from_hours(2));
    assert_eq!(rare.policy.retry.longest(), Duration::from_mins(1));
}

#[test]
fn all_fields_have_both_spellings() {
    for change in [
        json!({
            "refresh_interval": "2s", "max_stale": "4s", "format": "wso2", "username": "admin",
            "password_environment_variable": "PASSWORD", "on_unavailable": "allow",
        }),
        json!({
            "refreshInterval": "2s", "maxStale": "4s", "format": "wso2", "username": "admin",
            "passwordEnvironmentVariable": "PASSWORD", "onUnavailable": "allow",
        }),
    ] {
        let read = build(&change).unwrap();
        assert_eq!(read.format, ListFormat::Wso2);
        assert_eq!(read.on_unavailable, OnUnavailable::Allow);
        assert_eq!(read.remote.policy.cache_duration, Duration::from_secs(2));
        assert_eq!(read.remote.policy.max_stale, Duration::from_secs(4));
        let expected = Authorization::basic("admin", "secret");
        assert_eq!(read.remote.authorization, Some(expected));
        assert!(!format!("{read:?}").contains("secret"));
    }
}

#[test]
fn an_error_names_the_path_of_the_field() {
    let no_variable =
        "providers.p.revocation.password_environment_variable: there is no such variable";
    for (change, expected) in [
        (json!({"http_uri": null}), "providers.p.revocation"),
        (
            json!({"refresh_interval": "0.09s"}),
            "providers.p.revocation.refresh_interval: must be at least \"0.1s\"",
        ),
        (
            json!({"max_stale": "9s"}),
            "providers.p.revocation.max_stale: must not be shorter than refresh_interval",
        ),
        (json!({"format": "xml"}), "providers.p.revocation.format"),
        (
            json!({"on_unavailable": "maybe"}),
            "providers.p.revocation.on_unavailable",
        ),
        (json!({"more": 1}), "providers.p.revocation.more"),
        (
            json!({"username": "a"}),
            "providers.p.revocation: username needs password_environment_variable",
        ),
        (
            json!({"password_environment_variable": "PASSWORD"}),
            "providers.p.revocation: password_environment_variable needs username",
        ),
        (
            json!({"username": "a:b", "password_environment_variable": "PASSWORD"}),
            "providers.p.revocation.username: must have no colon",
        ),
        (
            json!({"username": "a", "password_environment_variable": "NONE"}),
            no_variable,
        ),
        (
            json!({"username": "a", "password_environment_variable": "EMPTY"}),
            no_variable,
        ),
        (
            json!({"http_uri": {"uri": "http://a/", "cluster": "a", "timeout": "7200s"}}),
            "providers.p.revocation.http_uri.timeout: must be from",
        ),
    ] {
        let problem = build(&change).unwrap_err();
        assert!(problem.starts_with(expected), "{change}: {problem}");
    }
}
