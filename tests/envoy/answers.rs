//! What a client that is refused is told: RFC 6750, section 3, and gRPC.

use crate::support::{Gate, Issuer, Setup, Token, get, now};

fn expired() -> String {
    Token::good().claim("exp", now() - 3600).signed()
}

#[test]
fn a_missing_token_is_challenged_without_an_error() {
    let issuer = Issuer::start();
    let gate = Setup::trusting(&issuer).start();
    let answer = gate.send(&get("/"));
    assert_eq!(
        answer.header("www-authenticate"),
        Some("Bearer realm=\"api.example\"")
    );
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.json()["error"], "missing_token");
}

#[test]
fn a_bad_token_is_challenged_with_the_error_and_a_description() {
    let issuer = Issuer::start();
    let mut config = Issuer::config();
    config["realm"] = "the \"cloud\"".into();
    let gate = Setup::trusting(&issuer).config(config).start();
    let answer = gate.send(&get("/").bearer(expired()));
    assert_eq!(
        answer.header("www-authenticate"),
        Some(
            r#"Bearer realm="the \"cloud\"", error="invalid_token", error_description="The access token expired""#
        )
    );
    assert_eq!(
        answer.json()["error_description"],
        "The access token expired"
    );
}

#[test]
fn a_realm_from_the_authority_cannot_break_out_of_its_quotes() {
    let issuer = Issuer::start();
    let gate = Setup::trusting(&issuer).start();
    // An absolute target replaces the host header, and may hold what a header may.
    let answer = gate.send(&get("http://a\",error=\"x/"));
    if answer.status == 401 {
        let challenge = answer.header("www-authenticate").unwrap_or_default();
        assert_eq!(challenge, r#"Bearer realm="a\",error=\"x""#);
    } else {
        assert_eq!(answer.status, 400, "Envoy refuses it");
    }
}

/// Sends a request over HTTP/2; answers with status and headers.
fn over_http2(gate: &Gate, content_type: &str, token: Option<String>) -> (u16, String, String) {
    let client = reqwest::blocking::Client::builder()
        .http2_prior_knowledge()
        .no_proxy()
        .build()
        .unwrap();
    let mut request = client
        .post(format!(
            "http://127.0.0.1:{}/package.Service/Method",
            gate.port
        ))
        .header("content-type", content_type)
        .header("te", "trailers");
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    let answer = request.send().unwrap();
    let header = |name: &str| {
        let value = answer.headers().get(name);
        value.map_or("", |value| value.to_str().unwrap()).to_owned()
    };
    let grpc = (header("grpc-status"), header("grpc-message"));
    (answer.status().as_u16(), grpc.0, grpc.1)
}

#[test]
fn http2_is_answered_like_http1() {
    let issuer = Issuer::start();
    let gate = Setup::trusting(&issuer).start();
    let (status, ..) = over_http2(&gate, "application/json", None);
    assert_eq!(status, 401);
    let (status, ..) = over_http2(&gate, "application/json", Some(Token::good().signed()));
    assert_eq!(status, 200);
}

#[test]
fn grpc_is_answered_in_its_own_terms() {
    let issuer = Issuer::start();
    let gate = Setup::trusting(&issuer).start();
    for content_type in ["application/grpc", "application/grpc+proto"] {
        let (status, code, message) = over_http2(&gate, content_type, Some(expired()));
        assert_eq!((status, code.as_str()), (200, "16"), "{content_type}");
        assert_eq!(message.replace("%20", " "), "The access token expired");
        let (_, code, _) = over_http2(&gate, content_type, None);
        assert_eq!(code, "16");
    }
}

#[test]
fn grpc_gets_unavailable_where_keys_cannot_be_had() {
    let issuer = Issuer::start();
    issuer.server.stop();
    let gate = Setup::trusting(&issuer).start();
    let token = Some(Token::good().signed());
    let (status, code, _) = over_http2(&gate, "application/grpc", token);
    assert_eq!((status, code.as_str()), (200, "14"));
}
