//! What `htu` and `htm` must be, over each protocol (RFC 9449, section 4.3).

use gate::reason::ReasonKind;
use serde_json::json;
use tonic::Code;

use super::setting::{assert_refused, client};
use crate::support::{Proof, Setup, bound_token, call_with, dpop_config, get};

#[test]
fn over_http1_the_url_is_made_from_the_host_header_and_the_target() {
    let gate = Setup::new(dpop_config(&json!({}))).start();
    let token = bound_token(client()).signed();
    for (target, host, url) in [
        ("/orders?page=2", "api.example", "http://api.example/orders"),
        (
            "/orders",
            "API.example:80",
            "http://api.example/orders?page=2#top",
        ),
        (
            "/%7euser/a%2fb",
            "api.example",
            "HTTP://API.EXAMPLE:80/~user/a%2Fb",
        ),
        ("/", "[::1]:8080", "http://[::1]:8080"),
        (
            "http://other.example/x",
            "api.example",
            "http://other.example/x",
        ),
    ] {
        let proof = Proof::new(client(), url, &token).signed();
        let answer = gate.send(&get(target).host(host).proving(&token, &proof));
        assert_eq!(answer.status, 200, "{url}: {}", answer.json());
    }
    // Without `use_remote_address`, Envoy believes the client about the scheme.
    let request = |url: &str| {
        let proof = Proof::new(client(), url, &token).signed();
        let request = get("/orders").header("x-forwarded-proto", "https");
        request.proving(&token, &proof)
    };
    assert_eq!(
        gate.send(&request("https://api.example/orders")).status,
        200
    );
    let answer = gate.send(&request("http://api.example/orders"));
    assert_refused(&answer, ReasonKind::ProofUri, "another scheme");
}

#[test]
fn over_http2_the_url_is_made_from_the_pseudo_headers() {
    let gate = Setup::new(dpop_config(&json!({}))).start();
    let token = bound_token(client()).signed();
    let http2 = reqwest::blocking::Client::builder();
    let http2 = http2.http2_prior_knowledge().no_proxy().build().unwrap();
    let send = |method: &str, claimed: &str, proof_url: &str| {
        let proof = Proof::new(client(), proof_url, &token).claim("htm", claimed);
        let request = match method {
            "GET" => http2.get(format!("http://127.0.0.1:{}/orders?page=2", gate.port)),
            _ => http2.post(format!("http://127.0.0.1:{}/orders?page=2", gate.port)),
        };
        let request = request.header("authorization", format!("DPoP {token}"));
        let answer = request.header("dpop", proof.signed()).send().unwrap();
        assert_eq!(answer.version(), reqwest::Version::HTTP_2);
        answer.status().as_u16()
    };
    let url = format!("http://127.0.0.1:{}/orders", gate.port);
    for method in ["GET", "POST"] {
        assert_eq!(send(method, method, &url), 200);
    }
    assert_eq!(send("POST", "GET", &url), 401);
    assert_eq!(send("GET", "GET", "http://127.0.0.1/orders"), 401);
    assert_eq!(gate.upstream.count(), 2);
}

#[test]
fn the_url_of_a_grpc_call_has_the_full_name_of_the_service() {
    const PATH: &str = "/package.Service/Method";
    let gate = Setup::new(dpop_config(&json!({}))).start();
    let token = bound_token(client()).signed();
    let origin = format!("http://127.0.0.1:{}", gate.port);
    let proof = |path: &str| {
        let proof = Proof::new(client(), &format!("{origin}{path}"), &token);
        proof.claim("htm", "POST").signed()
    };
    let call = |proof: String| {
        let authorization = ("authorization", format!("DPoP {token}"));
        call_with(&gate, PATH, &[authorization, ("dpop", proof)])
    };
    for path in [
        "",
        "/package.Service",
        "/Service/Method",
        "/package.Service/",
    ] {
        let status = call(proof(path));
        let (code, message) = (status.code(), status.message());
        let expected = (Code::Unauthenticated, ReasonKind::ProofUri.description());
        assert_eq!((code, message), expected, "{path}");
    }
    assert_eq!(gate.upstream.count(), 0);
    let good = proof(PATH);
    call(good.clone());
    assert_eq!(gate.upstream.count(), 1);
    let again = call(good);
    assert_eq!(again.message(), ReasonKind::ProofReplay.description());
    assert_eq!(gate.upstream.count(), 1);
}
