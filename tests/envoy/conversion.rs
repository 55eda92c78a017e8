//! What `bearer-gate-check convert` makes of a `jwt_authn` configuration answers the same requests in the same way,
//! except where it says REVIEW.

mod generated;
mod kind;
mod written;

use gate_check::{Console, Status, run};
use serde_json::Value;

use crate::support::{Envoy, Response, Server, Token, get, keys, root};
pub(crate) use kind::{Kind, file};

/// Differences that are allowed: the answers of `jwt_authn` and of the gate, and what REVIEW then says.
const REVIEWED: [(u16, u16, &str); 5] = [
    (403, 401, "gets 401 `invalid_token`, not 403"),
    (
        200,
        401,
        "never matches what lets requests pass without a token",
    ),
    (401, 400, "is answered with 400, not 401"),
    (
        200,
        400,
        "A request with a client's copy of a header that the gate sets is refused with 400",
    ),
    (401, 503, "503 with Retry-After, not 401"),
];

/// All kinds of configurations.
pub(crate) fn kinds() -> Vec<Kind> {
    let written = written::written().into_iter();
    written.chain(generated::generated()).collect()
}

/// Runs `convert`. Returns the converted file, and everything that it reports.
fn convert(name: &str, bootstrap: &str) -> (String, String) {
    let path = file(&format!("{}.json", name.replace(' ', "-")), bootstrap);
    let module = root().join("target/wasm32-wasip1/release/bearer_gate.wasm");
    let arguments = [
        "convert".into(),
        "--module".into(),
        module.into_os_string(),
        path.into_os_string(),
    ];
    let (mut output, mut errors) = (Vec::new(), Vec::new());
    let mut console = Console {
        environment: &|_| None,
        input: &mut std::io::empty(),
        output: &mut output,
        errors: &mut errors,
    };
    let now = gate::time::Timestamp::from_unix_secs(0);
    let status = run(arguments, &mut console, now).unwrap();
    let errors = String::from_utf8(errors).unwrap();
    assert_eq!(status, Status::Good, "{name}: {errors}");
    (String::from_utf8(output).unwrap(), errors)
}

/// The credentials that are tried.
fn credentials(kind: &Kind) -> Vec<(&'static str, Option<String>)> {
    let key = if kind.name == "a shared secret" {
        &*keys::SECRET
    } else {
        &*keys::RSA
    };
    let signed = |token: Token| Some(token.signed_with(key));
    vec![
        ("no token", None),
        ("a good token", signed(Token::good())),
        ("an expired token", signed(Token::good().claim("exp", 1))),
        (
            "a token that never expires",
            signed(Token::good().claim("exp", Value::Null)),
        ),
        (
            "a token for somebody else",
            signed(Token::good().claim("aud", "https://other.example")),
        ),
        (
            "a token of another issuer",
            signed(Token::good().claim("iss", "https://other.example")),
        ),
        (
            "a token of another subject",
            signed(Token::good().claim("sub", "nobody")),
        ),
        (
            "a token with a wrong signature",
            Some(Token::good().signed_with(&keys::RSA_2)),
        ),
    ]
}

/// What the upstream got, without what differs with every request.
fn received(answer: &Response) -> Value {
    let mut echo = answer.json();
    if let Some(headers) = echo["headers"].as_object_mut() {
        headers.remove("x-request-id");
    }
    echo
}

#[test]
fn a_converted_configuration_differs_only_where_it_says_review() {
    let upstream = Server::echo();
    for kind in kinds() {
        let bootstrap = kind.bootstrap(upstream.port);
        let (converted, reviews) = convert(kind.name, &bootstrap);
        assert!(
            !converted.contains("jwt_authn.v3"),
            "{}: {converted}",
            kind.name
        );
        let native = Envoy::start(&bootstrap, 1);
        let here = Envoy::start(&converted, 1);
        let (mut passed, mut refused) = (0, 0);
        for path in &kind.paths {
            for (what, token) in credentials(&kind) {
                let request = match &token {
                    Some(token) => (kind.place)(get(*path), token),
                    None => get(*path),
                };
                let answers = [&native, &here].map(|envoy| envoy.send(&request));
                let [before, after] = answers.each_ref().map(|answer| answer.status);
                if before == 200 {
                    passed += 1;
                } else {
                    refused += 1;
                }
                let place = format!("{}: {path} with {what}: {before} / {after}", kind.name);
                if before == after {
                    if before == 200 {
                        let [before, after] = answers.each_ref().map(received);
                        assert_eq!(before, after, "{place}");
                    }
                } else {
                    let mut known = REVIEWED.iter();
                    let is_reviewed = known.any(|(one, other, text)| {
                        (*one, *other) == (before, after) && reviews.contains(text)
                    });
                    assert!(is_reviewed, "{place}\n{reviews}\n{converted}");
                }
            }
        }
        assert!(passed > 0, "{}: nothing passes", kind.name);
        assert!(
            refused > 0 || kind.name == "no rules",
            "{}: nothing is refused",
            kind.name
        );
    }
}
