//! No bytes from a client trap the VM: the same worker serves the next request.

use serde_json::json;

use crate::support::{Issuer, Request, Setup, Token, get};

/// Requests that a malicious client may send.
fn hostile(good: &str) -> Vec<Request> {
    let authorization = |value: &[u8]| get("/").header("authorization", value);
    let token = |bytes: &[u8]| authorization(&[b"Bearer ", bytes].concat());
    let mut requests = vec![
        authorization(b""),
        authorization(b"\xff\xfe\xfd"),
        authorization(b"Bearer"),
        authorization(b"Bearer "),
        authorization(b"Bearer\t\xc3\x28"),
        authorization(b"\xf0\x9f\x94\x91 key"),
        token(b"\xff"),
        token(b"\xed\xa0\x80.\xed\xa0\x80.\xed\xa0\x80"),
        token(b"..."),
        token(b".."),
        token(b"a.b.c"),
        token(&b"a".repeat(16_384)),
        token(&b"a".repeat(50_000)),
        token(&b".".repeat(16_384)),
        token(&b"eyJ".repeat(2700)),
        token(good.as_bytes()).header("authorization", good),
        token(good.as_bytes()).header("authorization", b"\xff"),
        get("/").header("content-type", b"\xff\xfe"),
        get("/").header("x-anything", b"\x80\x81\x82".repeat(1000)),
        get("/?\u{80}\u{81}=%&access_token=%ff%f").bearer(good),
        get("/%ff%fe%00").bearer(good),
        get(format!("/{}", "a/".repeat(10_000))).bearer(good),
    ];
    let many = (0..90).fold(get("/"), |request, _| request.bearer(good));
    requests.push(many);
    requests
}

#[test]
fn no_header_traps_the_vm() {
    let issuer = Issuer::start();
    let mut setup = Setup::trusting(&issuer);
    // A trap shows: the worker then refuses everything.
    setup.plugin_config = json!({"failure_policy": "FAIL_CLOSED"});
    let gate = setup.start();
    let good = Token::good().signed();
    assert_eq!(gate.send(&get("/").bearer(&good)).status, 200);
    for (number, request) in hostile(&good).iter().enumerate() {
        let mut connection = gate.connect();
        let answer = connection.send(request).unwrap();
        assert!(
            matches!(answer.status, 200 | 400 | 401 | 431),
            "request {number} got {}",
            answer.status
        );
        // On a new connection, since Envoy may close one after a request that is not HTTP. There is only
        // one worker.
        assert_eq!(
            gate.send(&get("/").bearer(&good)).status,
            200,
            "after request {number}"
        );
    }
    let log = gate.log();
    for sign in [
        "Function: proxy_on",
        "Proxy-Wasm plugin in-VM backtrace",
        "panicked",
    ] {
        assert!(!log.contains(sign), "{sign} in\n{log}");
    }
}

#[test]
fn no_token_is_ever_logged() {
    let issuer = Issuer::start();
    let gate = Setup::trusting(&issuer).start();
    let good = Token::good().signed();
    let mangled = format!("{good}x");
    for token in [&good, &mangled] {
        gate.send(&get("/").bearer(token));
        gate.send(&get("/").bearer(token).bearer(token));
    }
    let parts: Vec<&str> = good.split('.').collect();
    let answer = gate.send(&get("/").bearer(&mangled));
    let told = format!("{answer:?}{}", String::from_utf8_lossy(&answer.body));
    for text in [gate.log(), told] {
        for part in &parts {
            assert!(!text.contains(part), "a part of a token in\n{text}");
        }
    }
}
