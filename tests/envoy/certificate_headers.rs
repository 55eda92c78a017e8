//! Client certificates that are learned from headers: what Envoy does with these headers, and who can forge them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::support::{
    Authority, Certificate, Envoy, Issuer, Server, Setup, TlsClient, Token, bootstrap_of, cluster,
    get, keys, transport_socket, uri,
};

const MISSING: &str = "certificate_missing";
const MISMATCH: &str = "certificate_mismatch";
const AMBIGUOUS: &str = "certificate_ambiguous";

/// The filter that learns certificates as `client_certificate` says, at a listener that accepts certificates of
/// `authority`, and connections without one.
fn setup(authority: &Authority, client_certificate: &Value) -> Setup {
    let provider = Issuer::local_provider(&[&keys::RSA]);
    let mut setup = Setup::new(json!({
        "providers": {"cloud": provider},
        "client_certificate": client_certificate,
    }));
    let validation = json!({"trusted_ca": {"inline_string": authority.certificate.pem()}});
    setup.transport_socket = transport_socket(&authority.issue_server(), false, &validation);
    setup
}

/// A token that is bound to this certificate.
fn bound_to(certificate: &Certificate) -> String {
    let confirmation = json!({"x5t#S256": certificate.thumbprint()});
    Token::good().claim("cnf", confirmation).signed()
}

/// An Envoy with several listeners.
struct Listeners {
    envoy: Envoy,
    _upstream: Server,
}

impl Listeners {
    fn start(setups: Vec<(String, Setup)>) -> Self {
        let chains = setups
            .into_iter()
            .map(|(name, setup)| (name, setup.filter_chain()));
        let chains: Vec<(String, Value)> = chains.collect();
        let listeners = chains
            .iter()
            .map(|(name, chain)| (name.as_str(), chain.clone()));
        let listeners: Vec<(&str, Value)> = listeners.collect();
        let upstream = Server::echo();
        let clusters = [cluster("upstream", upstream.port)];
        Self {
            envoy: Envoy::start(&bootstrap_of(&listeners, &clusters), 1),
            _upstream: upstream,
        }
    }

    /// What becomes of a request with this token and these headers: `passes`, or the reason.
    fn outcome(
        &self,
        listener: &str,
        client: &TlsClient,
        token: &str,
        headers: &[(&str, &str)],
    ) -> &'static str {
        let port = self.envoy.ports()[listener];
        let mut request = get("/").bearer(token);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let answer = client.send(port, &request).unwrap();
        let answer = answer.json()["error_description"]
            .as_str()
            .map(str::to_owned);
        match answer.as_deref() {
            None => "passes",
            Some("The client has shown no certificate") => MISSING,
            Some("The access token is bound to another client certificate") => MISMATCH,
            Some("It cannot be told which client certificate is meant") => AMBIGUOUS,
            Some(other) => panic!("{other}"),
        }
    }
}

const ELEMENTS: [&str; 3] = ["only", "first", "last"];

/// For each setting of `forward_client_cert_details`: what becomes of the client whose token it is, of a thief with a
/// certificate of his own, and of one without. Both thieves forge the header.
#[test]
fn a_client_can_forge_xfcc_where_envoy_forwards_it() {
    let authority = Authority::new();
    let (client, thief) = (
        authority.issue("client", &[]),
        authority.issue("thief", &[]),
    );
    let settings = [
        "SANITIZE",
        "FORWARD_ONLY",
        "APPEND_FORWARD",
        "SANITIZE_SET",
        "ALWAYS_FORWARD_ONLY",
    ];
    let mut setups = Vec::new();
    for setting in settings {
        for element in ELEMENTS {
            let source = json!({"from": "xfcc", "element": element, "trusted_peers": "any"});
            let mut setup = setup(&authority, &source);
            setup.connection_manager = json!({
                "forward_client_cert_details": setting,
                "set_current_client_cert_details": {"subject": true, "uri": true, "cert": true},
            });
            setups.push((format!("{setting} {element}"), setup));
        }
    }
    let listeners = Listeners::start(setups);
    let token = bound_to(&client);
    let forged = format!("By=x;Hash={}", client.hex());
    // The opening quote is to take in what Envoy adds.
    let unterminated = format!("{forged};Subject=\"");
    let honest = TlsClient::new(&authority, Some(&client));
    let with_certificate = TlsClient::new(&authority, Some(&thief));
    let without = TlsClient::new(&authority, None);
    for (listener, of_client, of_thief, of_thief_without) in [
        ("SANITIZE only", MISSING, MISSING, MISSING),
        ("SANITIZE first", MISSING, MISSING, MISSING),
        ("SANITIZE last", MISSING, MISSING, MISSING),
        ("FORWARD_ONLY only", MISSING, "passes", MISSING),
        ("FORWARD_ONLY first", MISSING, "passes", MISSING),
        ("FORWARD_ONLY last", MISSING, "passes", MISSING),
        ("APPEND_FORWARD only", "passes", AMBIGUOUS, MISSING),
        ("APPEND_FORWARD first", "passes", "passes", MISSING),
        ("APPEND_FORWARD last", "passes", MISMATCH, MISSING),
        ("SANITIZE_SET only", "passes", MISMATCH, MISSING),
        ("SANITIZE_SET first", "passes", MISMATCH, MISSING),
        ("SANITIZE_SET last", "passes", MISMATCH, MISSING),
        ("ALWAYS_FORWARD_ONLY only", MISSING, "passes", "passes"),
        ("ALWAYS_FORWARD_ONLY first", MISSING, "passes", "passes"),
        ("ALWAYS_FORWARD_ONLY last", MISSING, "passes", "passes"),
    ] {
        let outcome = |client: &TlsClient, headers: &[(&str, &str)]| {
            listeners.outcome(listener, client, &token, headers)
        };
        let header = [("x-forwarded-client-cert", &*forged)];
        let outcomes = (
            outcome(&honest, &[]),
            outcome(&with_certificate, &header),
            outcome(&without, &header),
        );
        assert_eq!(
            outcomes,
            (of_client, of_thief, of_thief_without),
            "{listener}"
        );
        let header = [("x-forwarded-client-cert", &*unterminated)];
        for client in [&with_certificate, &without] {
            assert_ne!(outcome(client, &header), "passes", "{listener}");
        }
    }
}

/// Envoy does not quote the names in a certificate. Where it accepts certificates that nobody has signed, a thief can
/// write an element of the header into such a name.
#[test]
fn a_name_in_a_certificate_that_nobody_has_signed_can_forge_xfcc() {
    let authority = Authority::new();
    let client = Certificate::self_signed("client", &[]);
    let name = format!("spiffe://x,By=y;Hash={}", client.hex());
    let thief = Certificate::self_signed("thief", &[uri(&name)]);
    let setups = ELEMENTS.iter().map(|element| {
        let source = json!({"from": "xfcc", "element": element, "trusted_peers": "any"});
        let mut setup = setup(&authority, &source);
        let validation = json!({"trust_chain_verification": "ACCEPT_UNTRUSTED"});
        setup.transport_socket = transport_socket(&authority.issue_server(), false, &validation);
        setup.connection_manager = json!({
            "forward_client_cert_details": "SANITIZE_SET",
            "set_current_client_cert_details": {"uri": true},
        });
        ((*element).to_owned(), setup)
    });
    let listeners = Listeners::start(setups.collect());
    let token = bound_to(&client);
    let honest = TlsClient::new(&authority, Some(&client));
    let with_name = TlsClient::new(&authority, Some(&thief));
    for (element, of_thief) in [("only", AMBIGUOUS), ("first", MISMATCH), ("last", "passes")] {
        assert_eq!(listeners.outcome(element, &honest, &token, &[]), "passes");
        assert_eq!(
            listeners.outcome(element, &with_name, &token, &[]),
            of_thief,
            "{element}"
        );
    }
}

/// Writes a certificate as a header has it.
type Written<'w> = &'w dyn Fn(&Certificate) -> String;

#[test]
fn a_header_counts_if_a_trusted_peer_sends_it() {
    let authority = Authority::new();
    let edge = authority.issue("edge", &[uri("spiffe://example/edge")]);
    let other = authority.issue("other", &[uri("spiffe://example/other")]);
    let client = Certificate::self_signed("client", &[]);
    let thief = Certificate::self_signed("thief", &[]);
    let rfc9440 = |of: &Certificate| format!(":{}:", STANDARD.encode(of.certificate.der()));
    let pem = |of: &Certificate| {
        let pem = of.certificate.pem();
        let encoded = pem.bytes().map(|byte| format!("%{byte:02X}"));
        encoded.collect::<String>()
    };
    let pem_in_one_line =
        |of: &Certificate| of.certificate.pem().replace("\r\n", " ").replace('\n', " ");
    let xfcc = |of: &Certificate| format!("Hash={}", of.hex());
    let header =
        |name: &str, format: &str| json!({"from": "header", "header": name, "format": format});
    let cases: [(&str, Value, Written<'_>); 6] = [
        ("client-cert", json!({"from": "header"}), &rfc9440),
        ("x-pem", header("X-Pem", "pem"), &pem),
        ("x-line", header("x-line", "pem"), &pem_in_one_line),
        ("x-hex", header("x-hex", "sha256_hex"), &Certificate::hex),
        (
            "x-base64url",
            header("x-base64url", "sha256_base64url"),
            &Certificate::thumbprint,
        ),
        ("x-forwarded-client-cert", json!({"from": "xfcc"}), &xfcc),
    ];
    let setups = cases.iter().map(|(name, source, _)| {
        let mut source = source.clone();
        source["trusted_peers"] = json!(["spiffe://example/edge"]);
        let mut setup = setup(&authority, &source);
        setup.connection_manager = json!({"forward_client_cert_details": "ALWAYS_FORWARD_ONLY"});
        ((*name).to_owned(), setup)
    });
    let listeners = Listeners::start(setups.collect());
    let (from_edge, from_other, from_nobody) = (
        TlsClient::new(&authority, Some(&edge)),
        TlsClient::new(&authority, Some(&other)),
        TlsClient::new(&authority, None),
    );
    let token = bound_to(&client);
    for (name, _, written) in &cases {
        let outcome = |peer: &TlsClient, headers: &[(&str, &str)]| {
            listeners.outcome(name, peer, &token, headers)
        };
        let (good, bad) = (written(&client), written(&thief));
        let good = [(*name, &*good)];
        assert_eq!(outcome(&from_edge, &good), "passes", "{name}");
        assert_eq!(outcome(&from_edge, &[(*name, &*bad)]), MISMATCH, "{name}");
        assert_eq!(outcome(&from_edge, &[(*name, "x")]), AMBIGUOUS, "{name}");
        assert_eq!(outcome(&from_edge, &[]), MISSING, "{name}");
        assert_eq!(
            outcome(&from_edge, &[good[0], good[0]]),
            AMBIGUOUS,
            "{name}"
        );
        assert_eq!(outcome(&from_other, &good), MISSING, "{name}");
        assert_eq!(outcome(&from_nobody, &good), MISSING, "{name}");
    }
    // The certificate of the peer is not that of the client.
    let of_edge = bound_to(&edge);
    assert_eq!(
        listeners.outcome("client-cert", &from_edge, &of_edge, &[]),
        MISSING
    );
}

/// Envoy passes `Client-Cert` of clients on, so a listener that clients reach must remove it.
#[test]
fn client_cert_can_be_forged_unless_the_listener_removes_it() {
    let authority = Authority::new();
    let client = authority.issue("client", &[]);
    let source = json!({"from": "header", "trusted_peers": "any"});
    let open = setup(&authority, &source);
    let mut closed = setup(&authority, &source);
    closed.connection_manager = json!({"early_header_mutation_extensions": [{
        "name": "header_mutation",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation",
            "mutations": [{"remove": "client-cert"}],
        },
    }]});
    let mut routed = setup(&authority, &source);
    routed.route = json!({"request_headers_to_remove": ["client-cert"]});
    let setups = [("open", open), ("closed", closed), ("routed", routed)];
    let setups = setups.map(|(name, setup)| (name.to_owned(), setup));
    let listeners = Listeners::start(setups.into());
    let thief = TlsClient::new(&authority, None);
    let forged = format!(":{}:", STANDARD.encode(client.certificate.der()));
    let token = bound_to(&client);
    for (listener, expected) in [
        ("open", "passes"),
        ("closed", MISSING),
        // Routes remove headers after the filters have seen them.
        ("routed", "passes"),
    ] {
        let header = [("client-cert", &*forged)];
        assert_eq!(
            listeners.outcome(listener, &thief, &token, &header),
            expected,
            "{listener}"
        );
    }
}
