//! Key sets.

use std::rc::Rc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use gate::fetching::{
    Authorization, Backoff, DocumentSource, RefreshPolicy, RemoteDocument, Resource, Retries,
};
use gate::policy::{KeySource, Policy};
use gate_fixtures::key_set;
use serde_json::{Value, json};

use super::support;
use crate::{Environment, parse};

const ISSUER: &str = "https://issuer.example/realms/a/";

fn build(provider: &Value, environment: Environment<'_>) -> Result<Policy, String> {
    let config = json!({"providers": {"p": provider}}).to_string();
    parse(config.as_bytes(), environment).map_err(|error| error.to_string())
}

fn problem(provider: &Value) -> String {
    build(provider, &|_| None).err().unwrap_or_default()
}

/// A provider with a remote key set that has these fields.
fn remote(fields: Value) -> Value {
    let mut jwks = json!({"http_uri": {"uri": "http://a/jwks", "cluster": "a", "timeout": "3s"}});
    let jwks_fields = jwks.as_object_mut().unwrap();
    if let Value::Object(fields) = fields {
        jwks_fields.extend(fields);
    }
    json!({ "issuer": ISSUER, "remote_jwks": jwks })
}

fn read(fields: Value) -> Rc<RemoteDocument> {
    let config = build(&remote(fields), &|_| None).unwrap();
    support::remote(&config)
}

#[test]
fn a_key_set_may_be_found_by_the_issuers_metadata() {
    for name in ["remote_jwks", "remoteJwks"] {
        let provider = json!({
            "issuer": ISSUER,
            name: {"discovery": {"cluster": "a", "timeout": "1s"}},
        });
        let config = build(&provider, &|_| None).unwrap();
        let KeySource::Remote(jwks) = &config.providers[0].keys else {
            panic!("the keys are remote");
        };
        let DocumentSource::Metadata { issuer, places } = &jwks.source else {
            panic!("the key set is not found by metadata");
        };
        assert_eq!(issuer, ISSUER);
        assert_eq!(places, &Resource::of_metadata(ISSUER).unwrap());
        assert_eq!(jwks.policy.timeout, Duration::from_secs(1));
    }
}

#[test]
fn discovery_needs_an_issuer_that_has_metadata() {
    let expected = "providers.p.issuer: must be an http or https URI without query: discovery reads \
                    its metadata";
    for issuer in [
        json!(null),
        json!("issuer"),
        json!("urn:issuer"),
        json!("https://issuer.example?a"),
    ] {
        let provider = json!({"issuer": issuer, "remote_jwks": {"discovery": {"cluster": "a"}}});
        assert_eq!(problem(&provider), expected);
    }
}

#[test]
fn an_error_of_a_remote_key_set_names_the_path_of_the_field() {
    for (fields, expected) in [
        (json!({"http_uri": null}), ": needs http_uri or discovery"),
        (
            json!({"discovery": {"cluster": "a"}}),
            ": has both http_uri and discovery",
        ),
        (
            json!({"http_uri": null, "discovery": {"cluster": "a", "timeout": "0.0001s"}}),
            ".discovery.timeout: must be from \"0.001s\" to \"3600s\"",
        ),
        (
            json!({"http_uri": null, "discovery": {}}),
            ".discovery.cluster: missing field",
        ),
        (
            json!({"max_stale": "24h"}),
            ".max_stale: is not a duration such as \"5s\" or \"0.5s\"",
        ),
        (
            json!({"max_stale": "599s"}),
            ".max_stale: must not be shorter than cache_duration",
        ),
        (
            json!({"refetch_cooldown": "0.5s"}),
            ".refetch_cooldown: must be at least \"1s\"",
        ),
        (
            json!({"async_fetch": {"fast_listener": 1}}),
            ".async_fetch.fast_listener: must be a boolean, not a number",
        ),
        (
            json!({"async_fetch": {"failed_refetch_duration": "0s"}}),
            ".async_fetch.failed_refetch_duration: must be above zero",
        ),
        (
            json!({"retry_policy": {"num_retries": -1}}),
            ".retry_policy.num_retries: is not an integer from 0 to 4294967295",
        ),
        (
            json!({"retry_policy": {"retry_back_off": {}}}),
            ".retry_policy.retry_back_off.base_interval: missing field",
        ),
        (
            json!({"retry_policy": {"retry_back_off": {"base_interval": "2s", "max_interval": "1s"}}}),
            ".retry_policy.retry_back_off.max_interval: must not be shorter than base_interval",
        ),
        (
            json!({"retry_policy": {"per_try_timeout": "5s"}}),
            ".retry_policy.per_try_timeout: unknown field, expected one of numRetries, num_retries, \
             retryBackOff, retry_back_off, retryOn, retry_on, retryPriority, retry_priority, \
             retryHostPredicate, retry_host_predicate, hostSelectionRetryMaxAttempts, \
             host_selection_retry_max_attempts",
        ),
        (
            json!({"retry_policy": {"retry_on": 5}}),
            ".retry_policy.retry_on: must be a string, not a number",
        ),
    ] {
        let expected = format!("providers.p.remote_jwks{expected}");
        assert_eq!(problem(&remote(fields)), expected);
    }
}

#[test]
fn the_operator_chooses_how_long_a_key_set_is_used() {
    let jwks = read(json!({
        "cacheDuration": "60s",
        "maxStale": "3600s",
        "refetchCooldown": "5s",
        "asyncFetch": {"fastListener": true, "failedRefetchDuration": "4s"},
        "retryPolicy": {"numRetries": 3, "retryBackOff": {"baseInterval": "0.1s", "maxInterval": "2s"}},
    }));
    let expected = RefreshPolicy {
        timeout: Duration::from_secs(3),
        cache_duration: Duration::from_mins(1),
        max_stale: Duration::from_hours(1),
        refetch_cooldown: Duration::from_secs(5),
        retry: Backoff::new(Duration::from_secs(1), Duration::from_secs(4)),
        honors_cache_control: true,
    };
    assert_eq!(jwks.policy, expected);
    let backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(2));
    assert_eq!(jwks.retries, Retries { number: 3, backoff });
}

#[test]
fn a_long_cache_duration_raises_the_default_of_max_stale() {
    for (cache, stale) in [
        ("600s", 86_400),
        ("86400s", 172_800),
        ("604800s", 1_209_600),
    ] {
        let jwks = read(json!({ "cache_duration": cache }));
        assert_eq!(jwks.policy.max_stale, Duration::from_secs(stale), "{cache}");
    }
}

#[test]
fn the_longest_retry_delay_may_be_shorter_than_the_default_of_the_first() {
    let jwks = read(json!({"async_fetch": {"failed_refetch_duration": "0.5s"}}));
    let half = Duration::from_millis(500);
    assert_eq!(jwks.policy.retry, Backoff::new(half, half));
    let jwks = read(json!({"async_fetch": {"fast_listener": false}}));
    assert_eq!(jwks.policy.retry.longest(), Duration::from_mins(1));
}

/// The variables of the tests about credentials.
fn variables(name: &str) -> Option<String> {
    let value = match name {
        "PASSWORD" => "s3:cret",
        "TOKEN" => "mF_9.B5f-4.1JqM\n",
        "SPACED" => "two words",
        "BROKEN" => "a\r\nx-admin: true",
        "FOREIGN" => "Zo\u{eb}",
        "BLANK" => " \n",
        _ => return None,
    };
    Some(value.to_owned())
}

#[test]
fn requests_for_keys_may_carry_credentials() {
    for (fields, expected) in [
        (json!({}), None),
        (json!({"authorization": null}), None),
        (
            json!({"authorization": {"username": "gate", "password_environment_variable": "PASSWORD"}}),
            Some(Authorization::basic("gate", "s3:cret")),
        ),
        (
            json!({"authorization": {"tokenEnvironmentVariable": "TOKEN"}}),
            Some(Authorization::bearer("TOKEN", "mF_9.B5f-4.1JqM")),
        ),
        (
            json!({
                "http_uri": null,
                "discovery": {"cluster": "a"},
                "authorization": {"token_environment_variable": "TOKEN"},
            }),
            Some(Authorization::bearer("TOKEN", "mF_9.B5f-4.1JqM")),
        ),
    ] {
        let config = build(&remote(fields), &variables).unwrap();
        let jwks = support::remote(&config);
        assert_eq!(jwks.authorization, expected);
        assert_eq!(jwks.headers, []);
    }
}

#[test]
fn requests_for_keys_may_carry_further_headers() {
    let headers = json!([
        {"name": "X-Api-Key", "value_environment_variable": "TOKEN"},
        {"name": "x-tenant", "value": "a b"},
        {"name": "authorization", "valueEnvironmentVariable": "SPACED"},
    ]);
    let config = build(&remote(json!({ "headers": headers })), &variables).unwrap();
    let headers = support::remote(&config).headers.clone();
    let headers: Vec<_> = headers
        .iter()
        .map(|one| {
            (
                one.name.as_str(),
                one.value.as_str(),
                one.value_name.as_str(),
            )
        })
        .collect();
    assert_eq!(
        headers,
        [
            ("x-api-key", "mF_9.B5f-4.1JqM", "TOKEN"),
            ("x-tenant", "a b", "=a b"),
            ("authorization", "two words", "SPACED"),
        ]
    );
}

#[test]
fn an_error_of_credentials_names_the_path_of_the_field() {
    for (fields, expected) in [
        (
            json!({"authorization": {}}),
            ".authorization: needs username and password_environment_variable, or \
             token_environment_variable",
        ),
        (
            json!({"authorization": {"username": "gate"}}),
            ".authorization: username needs password_environment_variable",
        ),
        (
            json!({"authorization": {"password_environment_variable": "PASSWORD"}}),
            ".authorization: password_environment_variable needs username",
        ),
        (
            json!({"authorization": {"username": "a:b", "password_environment_variable": "PASSWORD"}}),
            ".authorization.username: must have no colon and no control characters (RFC 7617)",
        ),
        (
            json!({"authorization": {"username": "gate", "token_environment_variable": "TOKEN"}}),
            ".authorization: has both a user with a password and token_environment_variable",
        ),
        (
            json!({"authorization": {"token_environment_variable": "MISSING"}}),
            ".authorization.token_environment_variable: there is no such variable: the filter sees those \
             that vm_config.environment_variables names",
        ),
        (
            json!({"authorization": {"token_environment_variable": "SPACED"}}),
            ".authorization.token_environment_variable: a bearer token has no spaces",
        ),
        (
            json!({"authorization": {"token_environment_variable": "BROKEN"}}),
            ".authorization.token_environment_variable: the variable is blank, or has characters that a \
             header cannot carry",
        ),
    ] {
        let found = build(&remote(fields), &variables).unwrap_err();
        assert_eq!(found, format!("providers.p.remote_jwks{expected}"));
    }
}

#[test]
fn an_error_of_further_headers_names_the_path_of_the_field() {
    let header = |name: &str| json!({"headers": [{"name": name, "value": "a"}]});
    for (fields, expected) in [
        (
            json!({"headers": [{"name": "x-key", "value_environment_variable": "BLANK"}]}),
            ".headers[0].value_environment_variable: the variable is blank, or has characters that a \
             header cannot carry",
        ),
        (
            json!({"headers": [{"name": "x-key", "value_environment_variable": "FOREIGN"}]}),
            ".headers[0].value_environment_variable: the variable is blank, or has characters that a \
             header cannot carry",
        ),
        (
            json!({"headers": [{"name": "x-key", "value": "a\r\nb"}]}),
            ".headers[0].value: must be visible ASCII characters, with spaces only between them",
        ),
        (
            json!({"headers": [{"name": "x-key"}]}),
            ".headers[0]: needs value or value_environment_variable",
        ),
        (
            json!({"headers": [{"name": "x-key", "value": "a", "value_environment_variable": "TOKEN"}]}),
            ".headers[0]: has both value and value_environment_variable",
        ),
        (
            json!({"headers": [{"name": "x-key", "value": "a"}, {"name": "X-Key", "value": "a"}]}),
            ".headers: must not name a header twice",
        ),
        (
            json!({
                "authorization": {"token_environment_variable": "TOKEN"},
                "headers": [{"name": "Authorization", "value": "a"}],
            }),
            ".headers: must not name authorization, which the field authorization sets",
        ),
        (
            header(":path"),
            ".headers[0].name: must not be a pseudo-header: the URI says where requests go",
        ),
        (
            header("Host"),
            ".headers[0].name: must not be host: the URI says where requests go",
        ),
        (
            header("connection"),
            ".headers[0].name: must not belong to a single connection: Envoy manages these headers",
        ),
        (
            header("content-length"),
            ".headers[0].name: must not describe a body: requests have none",
        ),
        (
            header("accept"),
            ".headers[0].name: must not be accept or user-agent, which the filter sets",
        ),
        (
            header("accept-encoding"),
            ".headers[0].name: must not be accept-encoding: the filter cannot read a compressed response",
        ),
        (
            header("If-None-Match"),
            ".headers[0].name: must not make requests conditional: the filter sends if-none-match where it \
             can",
        ),
        (
            header("a b"),
            ".headers[0].name: is not the name of a header",
        ),
        (
            json!({"cache_control": "never"}),
            ".cache_control: is not one of \"honor\", \"ignore\"",
        ),
    ] {
        let found = build(&remote(fields), &variables).unwrap_err();
        assert_eq!(found, format!("providers.p.remote_jwks{expected}"));
    }
}

#[test]
fn the_operator_chooses_whether_cache_control_counts() {
    for (fields, expected) in [
        (json!({}), true),
        (json!({"cache_control": "honor"}), true),
        (json!({"cacheControl": "ignore"}), false),
    ] {
        assert_eq!(read(fields).policy.honors_cache_control, expected);
    }
}

#[test]
fn a_retry_policy_has_the_defaults_of_envoy() {
    for (policy, number, first, longest) in [
        (json!(null), 0, 25, 250),
        (json!({}), 1, 25, 250),
        (json!({"num_retries": 0}), 0, 25, 250),
        (
            json!({"retry_back_off": {"base_interval": "1s"}}),
            1,
            1000,
            10_000,
        ),
    ] {
        let jwks = read(json!({ "retry_policy": policy }));
        let backoff = Backoff::new(Duration::from_millis(first), Duration::from_millis(longest));
        assert_eq!(jwks.retries, Retries { number, backoff }, "{policy}");
    }
}

#[test]
fn a_local_key_set_may_be_text_or_base64_or_in_the_environment() {
    let set = key_set();
    let environment = |name: &str| (name == "KEYS").then(key_set);
    for local in [
        json!({ "inline_string": set }),
        json!({ "inlineString": set }),
        json!({"inline_bytes": STANDARD.encode(&set)}),
        json!({"inlineBytes": URL_SAFE_NO_PAD.encode(&set)}),
        json!({"environment_variable": "KEYS"}),
        json!({"environmentVariable": "KEYS", "inline_string": null}),
    ] {
        let config = build(&json!({ "local_jwks": local }), &environment).unwrap();
        let KeySource::Local(keys) = &config.providers[0].keys else {
            panic!("the keys are local");
        };
        assert_eq!(keys.count(), 2);
    }
}

#[test]
fn key_uses_are_those_of_the_key_set_and_sig_by_default() {
    let mut key = gate_fixtures::ec_jwk();
    key["use"] = "jwt-svid".into();
    let set = json!({ "keys": [key] }).to_string();
    let local = |fields: Value| {
        let mut local = json!({ "inline_string": set });
        local
            .as_object_mut()
            .unwrap()
            .extend(fields.as_object().unwrap().clone());
        build(&json!({ "local_jwks": local }), &|_| None)
    };
    assert_eq!(
        local(json!({})).unwrap_err(),
        "providers.p.local_jwks.inline_string: the key set has no usable key: \
         keys[0]: `use` is not one of key_uses"
    );
    for name in ["key_uses", "keyUses"] {
        let config = local(json!({ name: ["sig", "jwt-svid"] })).unwrap();
        let KeySource::Local(keys) = &config.providers[0].keys else {
            panic!("the keys are local");
        };
        assert_eq!(keys.count(), 1);
        let config = build(&remote(json!({ name: ["jwt-svid"] })), &|_| None).unwrap();
        let uses = &config.providers[0].key_uses;
        assert!(uses.accept(Some("jwt-svid")) && uses.accept(None) && !uses.accept(Some("sig")));
    }
    let uses = build(&remote(json!({})), &|_| None).unwrap();
    let uses = &uses.providers[0].key_uses;
    assert!(uses.accept(Some("sig")) && uses.accept(None) && !uses.accept(Some("jwt-svid")));
    assert_eq!(
        problem(&remote(json!({"key_uses": []}))),
        "providers.p.remote_jwks.key_uses: must not be empty"
    );
    assert_eq!(
        local(json!({"key_uses": [""]})).unwrap_err(),
        "providers.p.local_jwks.key_uses[0]: must not be empty"
    );
}

#[test]
fn an_error_of_a_local_key_set_names_the_path_of_the_field() {
    let environment = |name: &str| (name == "EMPTY").then(String::new);
    for (local, expected) in [
        (
            json!({}),
            ": needs one of inline_string, inline_bytes and environment_variable",
        ),
        (
            json!({"inline_string": "", "inline_bytes": ""}),
            ": needs one of inline_string, inline_bytes and environment_variable",
        ),
        (
            json!({"inline_string": "{\"keys\": []}"}),
            ".inline_string: the key set has no usable key",
        ),
        (
            json!({"inline_string": "{\"keys\": [{\"kty\": \"oct\", \"k\": \"AQAB\"}, {}]}"}),
            ".inline_string: the key set has no usable key: keys[0]: `k` is shorter than 256 bits; \
             keys[1]: `kty` is missing",
        ),
        (
            json!({"inline_bytes": "e30="}),
            ".inline_bytes: the key set has no array named keys",
        ),
        (json!({"inline_bytes": "?"}), ".inline_bytes: is not base64"),
        (
            json!({"filename": "/etc/jwks.json"}),
            ".filename: a wasm filter has no access to files: use inline_string, or \
             environment_variable with vm_config.environment_variables",
        ),
        (
            json!({"environment_variable": "KEYS"}),
            ".environment_variable: there is no such variable: the filter sees those that \
             vm_config.environment_variables names",
        ),
        (
            json!({"environment_variable": "EMPTY"}),
            ".environment_variable: the key set is not a JSON object",
        ),
        (
            json!({"environment_variable": ""}),
            ".environment_variable: must not be empty",
        ),
    ] {
        let found = build(&json!({ "local_jwks": local }), &environment).unwrap_err();
        assert_eq!(found, format!("providers.p.local_jwks{expected}"));
    }
}
