//! What `htu` must be behind TLS, and behind a hop that ends TLS and cuts a prefix off the path.

use gate::reason::ReasonKind;
use serde_json::{Value, json};

use super::setting::{assert_refused, client};
use crate::support::{
    Authority, Envoy, Gate, Proof, Request, Setup, TlsClient, bound_token, dpop_config, get,
    transport_socket,
};

/// A request for `target` with a new proof for `url`.
fn request(token: &str, target: &str, url: &str) -> Request {
    let proof = Proof::new(client(), url, token).signed();
    get(target).proving(token, &proof)
}

#[test]
fn over_tls_the_url_begins_with_https() {
    let authority = Authority::new();
    let mut setup = Setup::new(dpop_config(&json!({})));
    setup.transport_socket = transport_socket(&authority.issue_server(), false, &Value::Null);
    let gate = setup.start();
    let tls = TlsClient::new(&authority, None);
    let token = bound_token(client()).signed();
    let send = |forwarded: Option<&str>, url: &str| {
        let mut request = request(&token, "/orders", url);
        if let Some(forwarded) = forwarded {
            request = request.header("x-forwarded-proto", forwarded);
        }
        tls.send(gate.port, &request).unwrap()
    };
    let (secure, plain) = ("https://api.example/orders", "http://api.example/orders");
    assert_eq!(send(None, secure).status, 200);
    assert_eq!(send(Some("https"), secure).status, 200);
    assert_eq!(send(None, "https://api.example:443/orders").status, 200);
    for url in [plain, "https://api.example:80/orders"] {
        assert_refused(&send(None, url), ReasonKind::ProofUri, url);
    }
    // Without `use_remote_address`, Envoy believes this header even on a connection with TLS.
    assert_refused(&send(Some("http"), secure), ReasonKind::ProofUri, "http");
    assert_eq!(send(Some("http"), plain).status, 200);
    // Over HTTP/2 it does not.
    let forwarded = request(&token, "/orders", secure).header("x-forwarded-proto", "http");
    let requests = [
        request(&token, "/orders", secure),
        request(&token, "/orders", plain),
        forwarded,
    ];
    assert_eq!(tls.send_http2(gate.port, &requests), [200, 401, 200]);
}

#[test]
fn public_urls_say_how_clients_call_whatever_a_header_says() {
    let authority = Authority::new();
    let mut config = dpop_config(&json!({}));
    config["public_urls"] = json!(["https://api.example"]);
    let mut setup = Setup::new(config);
    setup.transport_socket = transport_socket(&authority.issue_server(), false, &Value::Null);
    let gate = setup.start();
    let tls = TlsClient::new(&authority, None);
    let token = bound_token(client()).signed();
    for forwarded in ["http", "https"] {
        for (url, reason) in [
            ("https://api.example/orders", None),
            ("http://api.example/orders", Some(ReasonKind::ProofUri)),
        ] {
            let request = request(&token, "/orders", url).header("x-forwarded-proto", forwarded);
            let answer = tls.send(gate.port, &request).unwrap();
            match reason {
                Some(reason) => assert_refused(&answer, reason, url),
                None => assert_eq!(answer.status, 200, "{url}, {forwarded}"),
            }
        }
    }
}

/// A gate, and an Envoy in front of it that ends TLS and replaces the prefix `/shop/v1/` of paths by `/`.
struct Hops {
    gate: Gate,
    front: Envoy,
    tls: TlsClient,
}

impl Hops {
    fn start(config: Value) -> Self {
        let gate = Setup::new(config).start();
        let authority = Authority::new();
        let mut front = Setup::new(Value::Null);
        front.instead = Some(Vec::new());
        front.transport_socket = transport_socket(&authority.issue_server(), false, &Value::Null);
        front.route = json!({
            "match": {"prefix": "/shop/v1/"},
            "route": {"cluster": "upstream", "prefix_rewrite": "/", "timeout": "0s"},
        });
        // What is upstream for the hop in front is the gate.
        let front = Envoy::start(&front.bootstrap(gate.port), 1);
        let tls = TlsClient::new(&authority, None);
        Self { gate, front, tls }
    }

    /// The answer to a request through both.
    fn send(&self, token: &str, url: &str) -> crate::support::Response {
        let request = request(token, "/shop/v1/orders?page=2", url);
        self.tls.send(self.front.port, &request).unwrap()
    }
}

const URL: &str = "https://api.example/shop/v1/orders";

#[test]
fn behind_a_hop_that_cuts_a_prefix_no_url_is_right_without_public_urls() {
    let hops = Hops::start(dpop_config(&json!({})));
    let token = bound_token(client()).signed();
    assert_refused(
        &hops.send(&token, URL),
        ReasonKind::ProofUri,
        "the URL of the client",
    );
    // Only somebody who knows what the hop does could make a proof.
    let inside = hops.send(&token, "https://api.example/orders");
    assert_eq!(inside.status, 200);
    assert_eq!(hops.gate.upstream.count(), 1);
}

#[test]
fn public_urls_name_the_prefix_that_a_hop_in_front_cuts_off() {
    let mut config = dpop_config(&json!({}));
    config["public_urls"] = json!(["https://api.example/shop/v1"]);
    let hops = Hops::start(config);
    let token = bound_token(client()).signed();
    let answer = hops.send(&token, URL);
    assert_eq!(answer.status, 200, "{}", answer.json());
    assert_eq!(answer.json()["target"], "/orders?page=2");
    for url in [
        "https://api.example/orders",
        "https://api.example/shop/orders",
        "https://api.example/shop/v1/",
        "http://api.example/shop/v1/orders",
        "https://b.example/shop/v1/orders",
    ] {
        assert_refused(&hops.send(&token, url), ReasonKind::ProofUri, url);
    }
    // Anyone who reaches the gate itself may not choose its name.
    let host = request(&token, "/orders", "http://b.example/orders").host("b.example");
    assert_refused(&hops.gate.send(&host), ReasonKind::ProofUri, "another host");
    assert_eq!(hops.gate.upstream.count(), 1);
}
