//! A process with an issuer, and tokens for it.

use std::time::Duration;

use gate_fixtures as fixtures;
use gate_simulator::{Listener, Process, Reply, Request, Response, Worker};
use serde_json::{Value, json};

pub(crate) const MS: Duration = Duration::from_millis(1);
pub(crate) const SECOND: Duration = Duration::from_secs(1);
pub(crate) const HOUR: Duration = Duration::from_hours(1);

/// How long a request waits for keys at most.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(2);

/// The latest time at which an idle worker has adopted what another one fetched.
pub(crate) const IDLE: Duration = Duration::from_millis(501);

pub(crate) const ISSUER: &str = "https://issuer.example";

/// A provider whose key set is behind the cluster `issuer`.
pub(crate) fn provider() -> Value {
    json!({
        "issuer": ISSUER,
        "remote_jwks": {"http_uri": {
            "uri": "https://issuer.example/jwks",
            "cluster": "issuer",
            "timeout": "2s",
        }},
    })
}

/// The configuration with this provider only.
pub(crate) fn config() -> String {
    json!({"providers": {"cloud": provider()}}).to_string()
}

/// A provider whose tokens are opaque, with an endpoint behind the cluster `endpoint`.
pub(crate) fn introspecting_provider() -> Value {
    json!({
        "issuer": ISSUER,
        "introspection": {
            "http_uri": {"uri": "https://issuer.example/introspect", "cluster": "endpoint", "timeout": "2s"},
            "client_id": "gate",
            "client_secret_environment_variable": "SECRET",
        },
    })
}

/// The response with the keys that sign tokens.
pub(crate) fn key_set() -> Response {
    Response::new(200, fixtures::key_set())
}

/// The response with a key set that is valid and has none of these keys.
pub(crate) fn other_key_set() -> Response {
    let keys = json!({"keys": [fixtures::p384_jwk()]});
    Response::new(200, keys.to_string())
}

/// A process without workers, whose issuer responds after 5 ms.
pub(crate) fn process() -> Process {
    let process = Process::default();
    process.set_verify_signature(fixtures::host);
    process.set_environment_variable("SECRET", "secret");
    process.serve_always("issuer", Reply::After(5 * MS, key_set()));
    process
}

/// A process with one worker that listens, before its first tick.
pub(crate) fn listening(config: &str) -> (Process, Worker, Listener) {
    let process = process();
    let worker = process.start_worker();
    let listener = worker.listen(config).unwrap();
    (process, worker, listener)
}

/// Workers that listen with the same configuration.
pub(crate) fn listeners(process: &Process, count: usize, config: &str) -> Vec<Listener> {
    let start = |_| process.start_worker().listen(config).unwrap();
    (0..count).map(start).collect()
}

/// A token of `issuer`, signed with ES256, whose header names this key.
pub(crate) fn token_of(issuer: &str, kid: &str) -> String {
    let header = json!({"alg": "ES256", "kid": kid, "typ": "at+jwt"});
    let payload = json!({"iss": issuer, "sub": "somebody", "exp": 1_800_000_000_u64});
    fixtures::es256(&header, &payload)
}

/// A token with this `jti`.
pub(crate) fn token_with_id(id: &str) -> String {
    let header = json!({"alg": "ES256", "kid": "ec", "typ": "at+jwt"});
    let payload = json!({"iss": ISSUER, "sub": "somebody", "exp": 1_800_000_000_u64, "jti": id});
    fixtures::es256(&header, &payload)
}

/// A token that is valid.
pub(crate) fn token() -> String {
    token_of(ISSUER, "ec")
}

/// A token whose key is not in the set.
pub(crate) fn token_with_unknown_key() -> String {
    token_of(ISSUER, "unknown")
}

/// The statuses of requests.
pub(crate) fn statuses(requests: &[Request]) -> Vec<u16> {
    requests.iter().map(Request::status).collect()
}

/// How long it takes until no request is paused.
pub(crate) fn decided(process: &Process, requests: &[Request], limit: Duration) -> Duration {
    let took = process.advance_until(limit, || !statuses(requests).contains(&0));
    took.unwrap_or_else(|| panic!("not decided: {:?}", statuses(requests)))
}
