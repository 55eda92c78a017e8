//! Tokens that are bound to a client certificate (RFC 8705, section 3).

use std::collections::BTreeMap;

use rustls::version::{TLS12, TLS13};
use serde_json::{Value, json};

use crate::support::{
    Answer, Authority, Certificate, Door, Envoy, Gate, Issuer, Reply, Server, Setup, TlsClient,
    Token, bootstrap_of, cluster, eventually, get, in_parallel_while, keys, transport_socket,
};

const MISSING: &str = "The client has shown no certificate";
const MISMATCH: &str = "The access token is bound to another client certificate";

/// A token that is bound to this certificate.
fn bound_to(certificate: &Certificate) -> String {
    let confirmation = json!({"x5t#S256": certificate.thumbprint()});
    Token::good().claim("cnf", confirmation).signed()
}

/// The filter with a key set that need not be fetched.
fn setup() -> Setup {
    let provider = Issuer::local_provider(&[&keys::RSA]);
    Setup::new(json!({"providers": {"cloud": provider}}))
}

/// The same at a listener that accepts certificates of `authority`, and connections without one.
fn setup_with_tls(authority: &Authority) -> Setup {
    let mut setup = setup();
    let server = authority.issue_server();
    setup.transport_socket = transport_socket(&server, false, &trusting(authority));
    setup
}

/// A validation context that trusts `authority`.
fn trusting(authority: &Authority) -> Value {
    json!({"trusted_ca": {"inline_string": authority.certificate.pem()}})
}

/// What becomes of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Outcome {
    Passes,
    /// It gets 401 with this description.
    Refused(String),
    NoHandshake,
}

fn passes() -> Outcome {
    Outcome::Passes
}

fn refused(description: &str) -> Outcome {
    Outcome::Refused(description.to_owned())
}

/// What becomes of a request with this token.
fn outcome(port: u16, client: &TlsClient, token: &str) -> Outcome {
    let Ok(answer) = client.send(port, &get("/").bearer(token)) else {
        return Outcome::NoHandshake;
    };
    if answer.status == 200 {
        return Outcome::Passes;
    }
    assert_eq!(answer.status, 401);
    refused(answer.json()["error_description"].as_str().unwrap())
}

/// What Envoy tells the filter about the certificate of a client, with each setting of a listener. Tokens that are
/// bound to the certificate pass if Envoy reports its digest.
#[test]
fn a_certificate_counts_if_the_listener_has_a_validation_context() {
    let authority = Authority::new();
    let server = authority.issue_server();
    let ca = trusting(&authority);
    let mut untrusted_with_ca = ca.clone();
    untrusted_with_ca["trust_chain_verification"] = "ACCEPT_UNTRUSTED".into();
    let untrusted = json!({"trust_chain_verification": "ACCEPT_UNTRUSTED"});
    let contexts = [
        ("none", Value::Null),
        ("empty", json!({})),
        ("ca", ca),
        ("untrusted", untrusted),
        ("untrusted_with_ca", untrusted_with_ca),
    ];
    let mut listeners = Vec::new();
    for required in [false, true] {
        for (name, context) in &contexts {
            let mut setup = setup();
            setup.transport_socket = transport_socket(&server, required, context);
            listeners.push((format!("{name} {required}"), setup.filter_chain()));
        }
    }
    let named: Vec<(&str, Value)> = listeners
        .iter()
        .map(|(name, chain)| (name.as_str(), chain.clone()))
        .collect();
    let upstream = Server::echo();
    let clusters = [cluster("upstream", upstream.port)];
    let envoy = Envoy::start(&bootstrap_of(&named, &clusters), 1);
    let ports: BTreeMap<String, u16> = envoy.ports();

    let signed = authority.issue("client", &[]);
    let self_signed = Certificate::self_signed("client", &[]);
    let plain = Token::good().signed();
    for (listener, required, without, with_signed, with_self_signed) in [
        // Envoy asks for a certificate only if there is something to validate it with.
        (
            "none",
            false,
            refused(MISSING),
            refused(MISSING),
            refused(MISSING),
        ),
        (
            "none",
            true,
            refused(MISSING),
            refused(MISSING),
            refused(MISSING),
        ),
        (
            "empty",
            false,
            refused(MISSING),
            refused(MISSING),
            refused(MISSING),
        ),
        (
            "empty",
            true,
            refused(MISSING),
            refused(MISSING),
            refused(MISSING),
        ),
        (
            "ca",
            false,
            refused(MISSING),
            passes(),
            Outcome::NoHandshake,
        ),
        (
            "ca",
            true,
            Outcome::NoHandshake,
            passes(),
            Outcome::NoHandshake,
        ),
        ("untrusted", false, refused(MISSING), passes(), passes()),
        ("untrusted", true, refused(MISSING), passes(), passes()),
        (
            "untrusted_with_ca",
            false,
            refused(MISSING),
            passes(),
            passes(),
        ),
        (
            "untrusted_with_ca",
            true,
            Outcome::NoHandshake,
            passes(),
            passes(),
        ),
    ] {
        let port = ports[&format!("{listener} {required}")];
        for (shown, expected) in [
            (None, without),
            (Some(&signed), with_signed),
            (Some(&self_signed), with_self_signed),
        ] {
            let client = TlsClient::new(&authority, shown);
            let token = bound_to(shown.unwrap_or(&signed));
            let case = format!("{listener} {required} {:?}", shown.map(Certificate::hex));
            assert_eq!(outcome(port, &client, &token), expected, "{case}");
            // A token that is not bound passes whenever the handshake succeeds.
            let unbound = match expected {
                Outcome::NoHandshake => Outcome::NoHandshake,
                _ => Outcome::Passes,
            };
            assert_eq!(outcome(port, &client, &plain), unbound, "{case}");
        }
    }
}

#[test]
fn a_bound_token_passes_with_its_certificate_only() {
    let authority = Authority::new();
    let (a, b) = (authority.issue("a", &[]), authority.issue("b", &[]));
    let gate = setup_with_tls(&authority).start();
    let token = bound_to(&a);
    for (shown, expected) in [
        (Some(&a), passes()),
        (Some(&b), refused(MISMATCH)),
        (None, refused(MISSING)),
    ] {
        let client = TlsClient::new(&authority, shown);
        let status = if expected == Outcome::Passes {
            200
        } else {
            401
        };
        assert_eq!(outcome(gate.port, &client, &token), expected);
        let requests = [&token, &token, &token].map(|token| get("/").bearer(token));
        assert_eq!(client.send_http2(gate.port, &requests), [status; 3]);
    }
    // One HTTP/2 connection, tokens of several clients.
    let (of_b, plain) = (bound_to(&b), Token::good().signed());
    let requests = [&token, &of_b, &plain, &token].map(|token| get("/").bearer(token));
    let client = TlsClient::new(&authority, Some(&a));
    assert_eq!(
        client.send_http2(gate.port, &requests),
        [200, 401, 200, 200]
    );
    assert_eq!(gate.upstream.count(), 7);
    gate.counts("denied.certificate_mismatch", 5);
    gate.counts("denied.certificate_missing", 4);
}

#[test]
fn a_bound_token_does_not_pass_without_tls() {
    let gate = setup().start();
    let token = bound_to(&Certificate::self_signed("client", &[]));
    let answer = gate.send(&get("/").bearer(&token));
    assert_eq!((answer.status, gate.upstream.count()), (401, 0));
    let challenge = answer.header("www-authenticate").unwrap();
    let expected = format!(
        "Bearer realm=\"api.example\", error=\"invalid_token\", error_description=\"{MISSING}\""
    );
    assert_eq!(challenge, expected);
}

#[test]
fn a_resumed_session_keeps_the_certificate() {
    let authority = Authority::new();
    let certificate = authority.issue("client", &[]);
    let gate = setup_with_tls(&authority).start();
    let good = get("/").bearer(bound_to(&certificate));
    let other = get("/").bearer(bound_to(&authority.issue("other", &[])));
    for version in [&TLS12, &TLS13] {
        let client = TlsClient::with_versions(&authority, Some(&certificate), &[version]);
        for (request, status, resumes) in [
            (&good, 200, false),
            (&good, 200, true),
            (&other, 401, true),
            (&good, 200, true),
        ] {
            let (answer, resumed) = client.send_resuming(gate.port, request).unwrap();
            assert_eq!((answer.status, resumed), (status, resumes), "{version:?}");
        }
    }
}

#[test]
fn a_token_that_the_cache_knows_is_compared_with_each_connection() {
    let authority = Authority::new();
    let (a, b) = (authority.issue("a", &[]), authority.issue("b", &[]));
    let mut setup = setup_with_tls(&authority);
    setup.config["providers"]["cloud"]["jwt_cache_config"] = json!({"jwt_cache_size": 100});
    let gate = setup.start();
    let token = bound_to(&a);
    for (shown, expected) in [
        (Some(&a), passes()),
        (Some(&a), passes()),
        (Some(&b), refused(MISMATCH)),
        (None, refused(MISSING)),
        (Some(&a), passes()),
    ] {
        let client = TlsClient::new(&authority, shown);
        assert_eq!(outcome(gate.port, &client, &token), expected);
    }
    gate.counts("token_cache.miss", 1);
    gate.counts("token_cache.hit", 4);
    assert_eq!(gate.upstream.count(), 3);
}

#[test]
fn a_request_that_waited_for_keys_is_compared_with_its_connection() {
    let authority = Authority::new();
    let (a, b) = (authority.issue("a", &[]), authority.issue("b", &[]));
    let issuer = Issuer::start();
    let door = Door::new();
    let published = Issuer::published(&[&keys::RSA]);
    issuer.server.reply(Reply::behind(&door, published));
    let setup = setup_with_tls(&authority).config(Issuer::config());
    let gate = setup.cluster("issuer", &issuer.server).start();
    let token = bound_to(&a);
    let clients = [Some(&a), Some(&b), None].map(|shown| TlsClient::new(&authority, shown));
    let send = |number: usize| outcome(gate.port, &clients[number % 3], &token);
    let outcomes = in_parallel_while(12, send, || {
        eventually("12 requests wait", || gate.metric("waiting") == 12);
        door.open();
    });
    let expected = [passes(), refused(MISMATCH), refused(MISSING)];
    for (number, outcome) in outcomes.iter().enumerate() {
        assert_eq!(*outcome, expected[number % 3], "request {number}");
    }
}

#[test]
fn an_opaque_token_is_bound_by_what_the_authorization_server_says() {
    let authority = Authority::new();
    let (a, b) = (authority.issue("a", &[]), authority.issue("b", &[]));
    let endpoint = Server::start(|_| Answer::new(404, "").into());
    let response = json!({
        "active": true, "iss": crate::support::ISSUER, "aud": crate::support::AUDIENCE,
        "cnf": {"x5t#S256": a.thumbprint()},
    });
    let answer = Answer::new(200, response.to_string());
    endpoint.reply(answer.header("content-type", "application/json"));
    let mut setup = setup_with_tls(&authority).cluster("endpoint", &endpoint);
    setup.config["providers"]["cloud"]["introspection"] = json!({
        "http_uri": {"uri": "http://issuer.example/introspect", "cluster": "endpoint", "timeout": "60s"},
        "client_id": "gate",
        "client_secret_environment_variable": "SECRET",
    });
    setup.vm_config = json!({"environment_variables": {"key_values": {"SECRET": "secret"}}});
    let gate: Gate = setup.start();
    for (shown, expected) in [
        (Some(&a), passes()),
        (Some(&b), refused(MISMATCH)),
        (None, refused(MISSING)),
        (Some(&a), passes()),
    ] {
        let client = TlsClient::new(&authority, shown);
        let token = "2YotnFZFEjr1zCsicMWpAA";
        assert_eq!(outcome(gate.port, &client, token), expected);
    }
    assert_eq!(gate.upstream.count(), 2);
}
