//! Where the certificate of the client is learned from.

use gate::binding::{CertificateFormat, XfccElement};
use gate::policy::{CertificateHeader, ClientCertificate, TrustedPeers};
use serde_json::{Value, json};

use super::support::{error, read, valid};

/// A configuration with this `client_certificate`.
fn with(client_certificate: Value) -> Value {
    let mut config = valid();
    config["client_certificate"] = client_certificate;
    config
}

#[test]
fn the_source_is_the_connection_or_a_header() {
    let header = |name: &str, format| {
        ClientCertificate::Header(CertificateHeader {
            name: name.to_owned(),
            format,
            trusted_peers: TrustedPeers::Any,
        })
    };
    let xfcc = |element| header("x-forwarded-client-cert", CertificateFormat::Xfcc(element));
    for (given, expected) in [
        (json!(null), ClientCertificate::Connection),
        (json!({}), ClientCertificate::Connection),
        (json!({"from": "connection"}), ClientCertificate::Connection),
        (
            json!({"from": "connection", "header": null, "trusted_peers": null}),
            ClientCertificate::Connection,
        ),
        (
            json!({"from": "xfcc", "trusted_peers": "any"}),
            xfcc(XfccElement::Only),
        ),
        (
            json!({"from": "xfcc", "element": "first", "trusted_peers": ["any"]}),
            xfcc(XfccElement::First),
        ),
        (
            json!({"from": "xfcc", "element": "last", "trusted_peers": "any"}),
            xfcc(XfccElement::Last),
        ),
        (
            json!({"from": "header", "trusted_peers": "any"}),
            header("client-cert", CertificateFormat::Rfc9440),
        ),
        (
            json!({"from": "header", "header": "X-A", "format": "pem", "trusted_peers": "any"}),
            header("x-a", CertificateFormat::Pem),
        ),
        (
            json!({"from": "header", "format": "sha256_hex", "trusted_peers": "any"}),
            header("client-cert", CertificateFormat::Sha256Hex),
        ),
        (
            json!({"from": "header", "format": "sha256_base64url", "trusted_peers": "any"}),
            header("client-cert", CertificateFormat::Sha256Base64url),
        ),
    ] {
        let policy = read(&with(given.clone())).unwrap();
        assert_eq!(policy.options.client_certificate, expected, "{given}");
        if let Some(name) = expected.header() {
            assert!(policy.reads(name.as_bytes()), "{name}");
        }
    }
    assert!(!read(&valid()).unwrap().reads(b"client-cert"));
}

#[test]
fn trusted_peers_are_all_or_those_with_certain_uris() {
    for (given, expected) in [
        (json!("any"), TrustedPeers::Any),
        (
            json!("spiffe://a"),
            TrustedPeers::WithUri(vec!["spiffe://a".to_owned()]),
        ),
        (
            json!(["spiffe://a", "urn:b"]),
            TrustedPeers::WithUri(vec!["spiffe://a".to_owned(), "urn:b".to_owned()]),
        ),
    ] {
        let config = with(json!({"from": "xfcc", "trusted_peers": given}));
        let policy = read(&config).unwrap();
        let ClientCertificate::Header(header) = policy.options.client_certificate else {
            panic!("{given}");
        };
        assert_eq!(header.trusted_peers, expected, "{given}");
    }
}

#[test]
fn a_wrong_source_is_refused() {
    let uris = "trusted_peers: must be \"any\", or a list of URIs";
    for (given, expected) in [
        (
            json!({"from": "xfcc"}),
            "trusted_peers: missing field: say who may set the header",
        ),
        (
            json!({"from": "header"}),
            "trusted_peers: missing field: say who may set the header",
        ),
        (
            json!({"from": "xfcc", "trusted_peers": []}),
            "trusted_peers: must not be empty",
        ),
        (json!({"from": "xfcc", "trusted_peers": "edge"}), uris),
        (json!({"from": "xfcc", "trusted_peers": "Any"}), uris),
        (
            json!({"from": "xfcc", "trusted_peers": ["any", "spiffe://a"]}),
            uris,
        ),
        (
            json!({"trusted_peers": "any"}),
            "trusted_peers: works only with from: \"xfcc\" or \"header\"",
        ),
        (
            json!({"header": "x"}),
            "header: works only with from: \"header\"",
        ),
        (
            json!({"element": "only"}),
            "element: works only with from: \"xfcc\"",
        ),
        (
            json!({"from": "xfcc", "format": "pem", "trusted_peers": "any"}),
            "format: works only with from: \"header\"",
        ),
        (
            json!({"from": "header", "element": "last", "trusted_peers": "any"}),
            "element: works only with from: \"xfcc\"",
        ),
        (
            json!({"from": "header", "header": "cookie", "trusted_peers": "any"}),
            "header: must not be cookie, which holds the cookies of all parties: from_cookies reads \
             tokens from it",
        ),
    ] {
        let expected = format!("client_certificate.{expected}");
        assert_eq!(error(&with(given.clone())), expected, "{given}");
    }
    let mut config = with(json!({"from": "header", "header": "X_Payload", "trusted_peers": "any"}));
    config["providers"]["cloud"]["forward_payload_header"] = "x-payload".into();
    let expected = "client_certificate: the filter removes the header \"x_payload\" from requests, so it \
                    cannot be read";
    assert_eq!(error(&config), expected);
}

#[test]
fn what_is_most_likely_a_mistake_is_warned_of() {
    let warnings = |config: &Value| read(config).unwrap().warnings;
    let mut config = with(json!({"from": "xfcc", "trusted_peers": "any"}));
    assert!(warnings(&config).is_empty());
    config["client_certificate"]["element"] = "first".into();
    let [warning] = &*warnings(&config) else {
        panic!("one warning");
    };
    assert!(
        warning.starts_with("client_certificate.element: a client can forge"),
        "{warning}"
    );
    config["client_certificate"]["element"] = "last".into();
    config["providers"]["cloud"]["sender_constraint"] = "ignore".into();
    let expected = "client_certificate: is not used, because the sender_constraint of every provider is \
                    \"ignore\"";
    assert_eq!(warnings(&config), [expected]);
}

#[test]
fn the_metadata_of_a_resource_say_that_tokens_may_be_bound_to_certificates() {
    let document = |config: &Value| {
        let policy = read(config).unwrap();
        let metadata = policy.resources.all()[0].metadata.as_ref().unwrap();
        metadata.document.clone()
    };
    let member = "\"tls_client_certificate_bound_access_tokens\":true";
    let mut config = valid();
    config["resource_metadata"] = json!({"resource": "https://api.example"});
    assert!(!document(&config).contains(member));
    let mut required = config.clone();
    required["providers"]["cloud"]["sender_constraint"] = "certificate".into();
    assert!(document(&required).contains(member));
    config["client_certificate"] = json!({});
    assert!(document(&config).contains(member));
    config["resource_metadata"]["additional"] =
        json!({"tls_client_certificate_bound_access_tokens": false});
    assert!(!document(&config).contains(member));
    assert!(document(&config).contains("tls_client_certificate_bound_access_tokens"));
}
