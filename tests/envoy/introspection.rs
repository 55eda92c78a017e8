//! The authorization server decides about opaque tokens. It is asked no more often than necessary, and
//! nothing passes while it cannot be asked.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{
    Answer, Door, Gate, Issuer, Reply, Server, Setup, Token, eventually, get, in_parallel,
    in_parallel_while, now,
};

const SECRET: &str = "s3cret with spaces";

/// The answer about a good token.
fn active() -> Value {
    json!({
        "active": true,
        "aud": "https://api.example",
        "iss": "https://issuer.example",
        "scope": "read write",
        "sub": "user",
        "client_id": "app",
        "exp": now() + 3600,
    })
}

fn reply(answer: &Value) -> Reply {
    Answer::new(200, answer.to_string()).into()
}

/// An endpoint that gives this answer about every token.
fn endpoint(answer: &Value) -> Server {
    let answer = answer.clone();
    Server::start(move |_| reply(&answer))
}

/// The filter with these fields of `introspection`. The timeout is long, since a busy endpoint may take
/// its time.
fn setup(endpoint: &Server, fields: &Value) -> Setup {
    let mut introspection = json!({
        "http_uri": {"uri": "http://issuer.example/introspect", "cluster": "endpoint", "timeout": "60s"},
        "client_id": "the gate",
        "client_secret_environment_variable": "GATE_SECRET",
    });
    for (name, value) in fields.as_object().unwrap() {
        introspection[name] = value.clone();
    }
    let config = json!({"providers": {"cloud": {
        "issuer": "https://issuer.example",
        "audiences": ["https://api.example"],
        "claim_to_headers": [{"claim_name": "client_id", "header_name": "x-client"}],
        "introspection": introspection,
    }}});
    let mut setup = Setup::new(config).cluster("endpoint", endpoint);
    let variables = json!({"key_values": {"GATE_SECRET": SECRET}});
    setup.vm_config = json!({"environment_variables": variables});
    setup
}

fn status(gate: &Gate, token: &str) -> u16 {
    gate.send(&get("/").bearer(token)).status
}

#[test]
fn the_endpoint_is_asked_as_rfc_7662_says_and_the_token_passes_with_its_claims() {
    let endpoint = endpoint(&active());
    let gate = setup(&endpoint, &json!({})).start();
    let answer = gate.send(&get("/orders").bearer("opaque+/token=="));
    assert_eq!(answer.status, 200);
    let asked = &endpoint.received()[0];
    assert_eq!(
        (asked.method.as_str(), asked.target.as_str()),
        ("POST", "/introspect")
    );
    assert_eq!(asked.header("host"), Some(&b"issuer.example"[..]));
    // the+gate:s3cret+with+spaces
    let expected = &b"Basic dGhlK2dhdGU6czNjcmV0K3dpdGgrc3BhY2Vz"[..];
    assert_eq!(asked.header("authorization"), Some(expected));
    assert_eq!(
        asked.header("content-type"),
        Some(&b"application/x-www-form-urlencoded"[..])
    );
    let body = "token=opaque%2B%2Ftoken%3D%3D&token_type_hint=access_token";
    assert_eq!(String::from_utf8_lossy(&asked.body), body);
    // The upstream gets the client of the token, but not the token.
    let upstream = &gate.upstream.received()[0];
    assert_eq!(upstream.header("x-client"), Some(&b"app"[..]));
    assert_eq!(upstream.header("authorization"), None);
    assert_eq!(gate.metric("introspection.cloud.success"), 1);
}

#[test]
fn the_answer_is_checked_like_a_token() {
    let endpoint = endpoint(&json!({}));
    let mut setup = setup(&endpoint, &json!({}));
    setup.config["rules"] = json!([{
        "match": {"prefix": "/"},
        "requires": {"provider_name": "cloud", "scopes": ["read"]},
    }]);
    let gate = setup.start();
    let with = |name: &str, value: Value| {
        let mut answer = active();
        answer[name] = value;
        answer
    };
    for (index, (answer, expected, error)) in [
        (active(), 200, ""),
        (
            json!({"active": true, "aud": "https://api.example", "scope": "read"}),
            200,
            "",
        ),
        // Lenient where servers differ: a list of scopes, `null`, a number as the subject.
        (with("scope", json!(["read", "write"])), 200, ""),
        (with("exp", json!(null)), 200, ""),
        (with("sub", json!(7)), 200, ""),
        (json!({"active": false}), 401, "invalid_token"),
        (
            with("iss", json!("https://other.example")),
            401,
            "invalid_token",
        ),
        (with("aud", json!(["other"])), 401, "invalid_token"),
        (
            json!({"active": true, "scope": "read"}),
            401,
            "invalid_token",
        ),
        (with("exp", json!(now() - 100)), 401, "invalid_token"),
        (with("nbf", json!(now() + 1800)), 401, "invalid_token"),
        (with("cnf", json!({"jkt": "a"})), 401, "invalid_token"),
        (
            with("token_type", json!("refresh_token")),
            401,
            "invalid_token",
        ),
        (with("scope", json!("write")), 403, "insufficient_scope"),
        // Answers that RFC 7662 does not allow.
        (
            with("active", json!("true")),
            503,
            "temporarily_unavailable",
        ),
        (with("active", json!(1)), 503, "temporarily_unavailable"),
        (with("exp", json!("never")), 503, "temporarily_unavailable"),
        (with("aud", json!({})), 503, "temporarily_unavailable"),
        (
            with("scope", json!(["read", 1])),
            503,
            "temporarily_unavailable",
        ),
        (
            with("sub", json!("x".repeat(70_000))),
            503,
            "temporarily_unavailable",
        ),
        (json!({}), 503, "temporarily_unavailable"),
        (json!([true]), 503, "temporarily_unavailable"),
    ]
    .into_iter()
    .enumerate()
    {
        endpoint.reply(reply(&answer));
        let token = format!("opaque-{index}");
        let denied = gate.send(&get("/").bearer(&token));
        let shown = answer.to_string();
        let shown = shown.get(..200).unwrap_or(&shown);
        assert_eq!(
            (denied.status, denied.error().as_str()),
            (expected, error),
            "{shown}"
        );
    }
    gate.counts("denied.inactive", 1);
    gate.counts("denied.introspection_unavailable", 8);
    gate.counts("introspection.cloud.failure", 8);
    assert_eq!(gate.upstream.count(), 5);
}

#[test]
fn nothing_passes_while_the_endpoint_hangs_is_down_or_sends_rubbish() {
    let mut endpoint = endpoint(&active());
    let uri =
        json!({"uri": "http://issuer.example/introspect", "cluster": "endpoint", "timeout": "2s"});
    let gate = setup(&endpoint, &json!({"http_uri": uri})).start();
    for (index, reply) in [
        Reply::Hang,
        Reply::Reset,
        Reply::Bytes(b"SSH-2.0-OpenSSH\r\n".to_vec()),
        Answer::new(500, active().to_string()).into(),
        Answer::new(401, active().to_string()).into(),
        Answer::new(302, "").header("location", "/").into(),
        Answer::new(200, "<html>true</html>").into(),
        Answer::new(200, "").into(),
        Answer::new(200, "[".repeat(60_000)).into(),
    ]
    .into_iter()
    .enumerate()
    {
        endpoint.reply(reply);
        let begun = Instant::now();
        let answer = gate.send(&get("/").bearer(format!("opaque-{index}")));
        assert_eq!(answer.status, 503, "{index}");
        assert_eq!(answer.header("retry-after"), Some("1"));
        assert!(begun.elapsed() < Duration::from_mins(1));
    }
    endpoint.stop();
    assert_eq!(status(&gate, "opaque"), 503);
    endpoint.restart();
    endpoint.reply(reply(&active()));
    eventually("it works again", || status(&gate, "opaque") == 200);
    assert_eq!(gate.upstream.count(), 1);
    // The log has neither the secret nor a token.
    let log = gate.log();
    assert!(log.contains("introspection failed"), "{log}");
    for secret in ["s3cret", "czNjcmV0", "opaque"] {
        assert!(!log.contains(secret), "{log}");
    }
}

#[test]
fn one_call_answers_all_requests_with_the_same_token() {
    let endpoint = endpoint(&active());
    let door = Door::new();
    endpoint.reply(Reply::behind(&door, reply(&active())));
    let fields = json!({"cache_duration": "3600s"});
    let gate = setup(&endpoint, &fields).start();
    let statuses = in_parallel_while(
        32,
        |_| status(&gate, "opaque"),
        || {
            eventually("all wait", || gate.metric("waiting") == 32);
            door.open();
        },
    );
    assert_eq!(statuses, [200; 32]);
    assert_eq!(endpoint.count(), 1);
    assert_eq!(status(&gate, "opaque"), 200);
    assert_eq!(endpoint.count(), 1);
    // A token that begins like another is another token.
    endpoint.reply(reply(&json!({"active": false})));
    assert_eq!(status(&gate, "opaque2"), 401);
    assert_eq!(status(&gate, "opaque"), 200);
    assert_eq!(endpoint.count(), 2);
}

#[test]
fn an_answer_counts_for_its_cache_duration() {
    let endpoint = endpoint(&active());
    let fields = json!({"cache_duration": "1s", "negative_cache_duration": "3600s"});
    let gate = setup(&endpoint, &fields).start();
    assert_eq!(status(&gate, "one"), 200);
    endpoint.reply(reply(&json!({"active": false})));
    let begun = Instant::now();
    eventually("the endpoint is asked again", || {
        status(&gate, "one") == 401
    });
    println!(
        "a revoked token passes for {:?} with a cache_duration of 1 s",
        begun.elapsed()
    );
    assert!(begun.elapsed() < Duration::from_mins(1));
    let asked = endpoint.count();
    assert_eq!(status(&gate, "one"), 401);
    assert_eq!(endpoint.count(), asked);

    let fields = json!({"cache_duration": "3600s", "negative_cache_duration": "1s"});
    let gate = setup(&endpoint, &fields).start();
    assert_eq!(status(&gate, "two"), 401);
    endpoint.reply(reply(&active()));
    eventually("the endpoint is asked again", || {
        status(&gate, "two") == 200
    });
    let asked = endpoint.count();
    endpoint.reply(reply(&json!({"active": false})));
    assert_eq!(status(&gate, "two"), 200);
    assert_eq!(endpoint.count(), asked);
    // After its `exp` a token is asked about again, whatever the cache duration.
    let mut answer = active();
    answer["exp"] = (now() + 2).into();
    endpoint.reply(reply(&answer));
    assert_eq!(status(&gate, "three"), 200);
    let asked = endpoint.count();
    endpoint.reply(reply(&json!({"active": false})));
    eventually("the token has expired", || status(&gate, "three") == 401);
    assert_eq!(endpoint.count(), asked + 1);
}

#[test]
fn a_jwt_is_verified_locally_or_asked_about_as_well() {
    let issuer = Issuer::start();
    for (tokens, inactive, times) in [("opaque", 200, 0), ("all", 401, 1)] {
        let endpoint = endpoint(&active());
        let mut setup = setup(&endpoint, &json!({"for": tokens, "cache_duration": "0.1s"}));
        let provider = &mut setup.config["providers"]["cloud"];
        provider["remote_jwks"] = Issuer::provider()["remote_jwks"].clone();
        let gate = setup.cluster("issuer", &issuer.server).start();
        let good = Token::good().claim("sub", "user").signed();
        assert_eq!(status(&gate, &good), 200);
        assert_eq!(endpoint.count(), times);
        let expired = Token::good().claim("exp", now() - 3600).signed();
        assert_eq!(status(&gate, &expired), 401);
        assert_eq!(endpoint.count(), times);
        // The answer is about another subject.
        let other = Token::good().claim("sub", "other").signed();
        assert_eq!(status(&gate, &other), inactive);
        endpoint.reply(reply(&json!({"active": false})));
        eventually("the answer of the endpoint counts, or does not", || {
            status(&gate, &good) == inactive
        });
    }
}

#[test]
fn four_workers_handle_a_storm_of_unknown_tokens() {
    let endpoint = Server::start(|request| {
        let body = String::from_utf8_lossy(&request.body).into_owned();
        let good = body.contains("token=good");
        let mut answer = active();
        answer["active"] = good.into();
        reply(&answer)
    });
    let gate = setup(&endpoint, &json!({})).workers(4).start();
    let begun = Instant::now();
    let statuses = in_parallel(64, |number| {
        let kind = ["good", "bad"][number % 2];
        status(&gate, &format!("{kind}-{number}"))
    });
    println!("64 unknown tokens took {:?}", begun.elapsed());
    for (number, status) in statuses.iter().enumerate() {
        assert_eq!(*status, [200, 401][number % 2], "{number}");
    }
    assert_eq!(gate.upstream.count(), 32);
    assert_eq!(endpoint.count(), 64);
    let begun = Instant::now();
    for number in 0..20 {
        assert_eq!(status(&gate, &format!("good-new-{number}")), 200);
    }
    println!("an unknown token takes {:?}", begun.elapsed() / 20);
}
