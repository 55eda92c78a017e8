//! Tokens that are bound to a client certificate (RFC 8705, section 3).

use std::cell::Cell;
use std::rc::Rc;

use gate::binding::{CertificateDigest, CertificateFormat, XfccElement};
use gate::policy::{CertificateHeader, ClientCertificate, Policy, TrustedPeers};
use gate::reason::ReasonKind;
use gate::request::{Connection, ConnectionSource, Request};
use gate_fixtures::rs256;
use serde_json::{Value, json};

use crate::support::{
    self, Gate, Outcome, bearing, good, payload, policy, policy_of, policy_with_secrets, provider,
    ready, with,
};

/// The digest of the certificate in RFC 8705, appendix A, as tokens and as Envoy write it.
const DIGEST: &str = "A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v0";
const HEX: &str = "0380ed2f626650c840b2f263e6d2b29fae12ab39ae5db32b25ad27efad72e6fd";
/// The digest in the example of section 3.1, whose last character has unused bits that are set.
const OTHER_DIGEST: &str = "bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2";
/// The thumbprint of a key.
const THUMBPRINT: &str = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";

fn hex(digest: &str) -> String {
    let CertificateDigest(bytes) = CertificateDigest::from_base64url(digest.as_bytes()).unwrap();
    bytes
        .iter()
        .fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"))
}

fn token(confirmation: &Value) -> String {
    let header = json!({"alg": "RS256", "kid": "rsa"});
    rs256(&header, &with(&payload(), &json!({"cnf": confirmation})))
}

fn bound_to(digest: &str) -> String {
    token(&json!({"x5t#S256": digest}))
}

/// A connection, and how often it was read.
#[derive(Default)]
struct Tls {
    digest: Option<String>,
    uri: Option<&'static str>,
    reads: Cell<usize>,
}

impl Tls {
    fn count(&self) {
        self.reads.update(|reads| reads.saturating_add(1));
    }
}

impl ConnectionSource for Tls {
    fn certificate_digest(&self) -> Option<Vec<u8>> {
        self.count();
        self.digest.clone().map(String::into_bytes)
    }

    fn certificate_uri(&self) -> Option<Vec<u8>> {
        self.count();
        self.uri.map(|uri| uri.as_bytes().to_vec())
    }
}

fn connection(digest: impl Into<Option<String>>) -> Rc<Tls> {
    Rc::new(Tls {
        digest: digest.into(),
        ..Tls::default()
    })
}

fn on(connection: &Rc<Tls>, request: Request<'static>) -> Request<'static> {
    let source: Rc<dyn ConnectionSource> = connection.clone();
    Request {
        connection: Connection::new(source),
        ..request
    }
}

#[track_caller]
fn assert_outcome(outcome: &Outcome, refusal: Option<ReasonKind>, case: &str) {
    match refusal {
        None => assert!(outcome.is_admitted(), "{case}: {outcome:?}"),
        Some(reason) => assert_eq!(*outcome, Outcome::Deny(reason), "{case}"),
    }
}

#[test]
fn a_bound_token_passes_with_its_certificate_only() {
    let policy = policy_of(&provider());
    let other = hex(OTHER_DIGEST);
    for (bound_to, shown, refusal) in [
        (DIGEST, Some(HEX), None),
        (DIGEST, Some(&*HEX.to_uppercase()), None),
        (OTHER_DIGEST, Some(&*other), None),
        (DIGEST, Some(&*other), Some(ReasonKind::CertificateMismatch)),
        (
            OTHER_DIGEST,
            Some(HEX),
            Some(ReasonKind::CertificateMismatch),
        ),
        (DIGEST, None, Some(ReasonKind::CertificateMissing)),
        (DIGEST, Some(""), Some(ReasonKind::CertificateAmbiguous)),
        (
            DIGEST,
            Some(&HEX[1..]),
            Some(ReasonKind::CertificateAmbiguous),
        ),
        (DIGEST, Some(DIGEST), Some(ReasonKind::CertificateAmbiguous)),
    ] {
        let gate = Gate::new().keys(ready);
        let connection = connection(shown.map(str::to_owned));
        let request = on(&connection, bearing(&self::bound_to(bound_to)));
        let outcome = gate.decide(&policy, &request);
        assert_outcome(&outcome, refusal, &format!("{bound_to} {shown:?}"));
    }
}

#[test]
fn every_member_of_a_confirmation_must_be_proven() {
    let policy = policy_of(&provider());
    for (confirmation, refusal) in [
        (json!({"x5t#S256": DIGEST, "kid": "a", "x5t": "b"}), None),
        (
            json!({"x5t#S256": DIGEST, "jkt": THUMBPRINT}),
            Some(ReasonKind::SenderConstraint),
        ),
        (
            json!({"x5t#S256": OTHER_DIGEST, "jkt": THUMBPRINT}),
            Some(ReasonKind::CertificateMismatch),
        ),
        (json!({"x5t": DIGEST}), Some(ReasonKind::SenderConstraint)),
        (json!({"x5t#S256": 7}), Some(ReasonKind::ClaimType)),
    ] {
        let gate = Gate::new().keys(ready);
        let request = on(&connection(HEX.to_owned()), bearing(&token(&confirmation)));
        let outcome = gate.decide(&policy, &request);
        assert_outcome(&outcome, refusal, &confirmation.to_string());
    }
}

#[test]
fn a_certificate_counts_only_if_token_and_response_agree_on_it() {
    let fields = json!({"introspection": {
        "http_uri": {"uri": "https://a/introspect", "cluster": "a"},
        "client_id": "gate",
        "client_secret_environment_variable": "SECRET",
        "for": "all",
    }});
    let policy = policy_with_secrets(&json!({"providers": {"p": with(&provider(), &fields)}}));
    let bound = |digest: &str| json!({"cnf": {"x5t#S256": digest}});
    for (of_response, refusal) in [
        (bound(DIGEST), None),
        (json!({}), None),
        (bound(OTHER_DIGEST), Some(ReasonKind::SenderConstraint)),
    ] {
        let response = json!({"active": true, "aud": "https://api.example"});
        let status = support::active(&with(&response, &of_response));
        let gate = Gate::new()
            .keys(ready)
            .introspection(move |_, _| status.clone());
        let request = on(&connection(HEX.to_owned()), bearing(&bound_to(DIGEST)));
        let outcome = gate.decide(&policy, &request);
        assert_outcome(&outcome, refusal, &of_response.to_string());
    }
}

#[test]
fn the_constraint_of_the_provider_counts() {
    for (constraint, shown, refusal) in [
        ("required", HEX, None),
        ("certificate", HEX, None),
        ("ignore", "", None),
        ("required", "", Some(ReasonKind::CertificateAmbiguous)),
        ("certificate", "", Some(ReasonKind::CertificateAmbiguous)),
        ("dpop", HEX, Some(ReasonKind::Unbound)),
    ] {
        let fields = json!({"sender_constraint": constraint});
        let policy = policy_of(&with(&provider(), &fields));
        let gate = Gate::new().keys(ready);
        let request = on(&connection(shown.to_owned()), bearing(&bound_to(DIGEST)));
        assert_outcome(&gate.decide(&policy, &request), refusal, constraint);
    }
}

#[test]
fn a_token_that_the_cache_knows_is_compared_with_each_connection() {
    let policy = policy_of(&with(&provider(), &json!({"jwt_cache_config": {}})));
    let gate = Gate::new().keys(ready);
    let token = bound_to(DIGEST);
    for (shown, refusal) in [
        (Some(HEX.to_owned()), None),
        (
            Some(hex(OTHER_DIGEST)),
            Some(ReasonKind::CertificateMismatch),
        ),
        (None, Some(ReasonKind::CertificateMissing)),
        (Some(HEX.to_owned()), None),
    ] {
        let case = format!("{shown:?}");
        let connection = connection(shown);
        let outcome = gate.decide(&policy, &on(&connection, bearing(&token)));
        assert_outcome(&outcome, refusal, &case);
        assert_eq!((gate.cached_tokens(), connection.reads.get()), (1, 1));
    }
}

#[test]
fn the_connection_is_read_for_good_tokens_that_are_bound_to_a_certificate_only() {
    let expired = json!({"exp": support::NOW - 3600, "cnf": {"x5t#S256": DIGEST}});
    let expired = rs256(
        &json!({"alg": "RS256", "kid": "rsa"}),
        &with(&payload(), &expired),
    );
    for (token, reads) in [
        (good(), 0),
        (token(&json!({"jkt": THUMBPRINT})), 0),
        (expired, 0),
        (format!("{}x", bound_to(DIGEST)), 0),
        (bound_to(DIGEST), 1),
    ] {
        let gate = Gate::new().keys(ready);
        let connection = connection(HEX.to_owned());
        let _ = gate.decide(&policy_of(&provider()), &on(&connection, bearing(&token)));
        assert_eq!(connection.reads.get(), reads, "{token}");
    }
}

#[test]
fn a_request_reads_its_connection_once() {
    let provider = with(&provider(), &json!({"audiences": ["https://b.example"]}));
    let providers = json!({"a": support::provider(), "b": provider, "c": support::provider()});
    let policy = policy(&json!({"providers": providers}));
    let gate = Gate::new().keys(ready);
    let connection = connection(hex(OTHER_DIGEST));
    let request = on(&connection, bearing(&bound_to(DIGEST)));
    let refusal = Outcome::Deny(ReasonKind::CertificateMismatch);
    assert_eq!(gate.decide(&policy, &request), refusal);
    assert_eq!(gate.decide(&policy, &request.into_owned()), refusal);
    assert_eq!(connection.reads.get(), 1);
}

#[test]
fn an_opaque_token_is_bound_by_what_the_authorization_server_says() {
    let fields = json!({"introspection": {
        "http_uri": {"uri": "https://a/introspect", "cluster": "a"},
        "client_id": "gate",
        "client_secret_environment_variable": "SECRET",
    }});
    let policy = policy_with_secrets(&json!({"providers": {"p": with(&provider(), &fields)}}));
    let response = json!({
        "active": true, "aud": "https://api.example", "iss": "https://issuer.example",
        "cnf": {"x5t#S256": DIGEST},
    });
    for (shown, refusal) in [
        (Some(HEX.to_owned()), None),
        (
            Some(hex(OTHER_DIGEST)),
            Some(ReasonKind::CertificateMismatch),
        ),
        (None, Some(ReasonKind::CertificateMissing)),
    ] {
        let status = support::active(&response);
        let gate = Gate::new().introspection(move |_, _| status.clone());
        let case = format!("{shown:?}");
        let request = on(&connection(shown), bearing("2YotnFZFEjr1zCsicMWpAA"));
        assert_outcome(&gate.decide(&policy, &request), refusal, &case);
    }
}

/// A policy that learns the certificate from a header.
fn from_header(name: &str, format: CertificateFormat, trusted_peers: TrustedPeers) -> Policy {
    let mut policy = policy_of(&provider());
    policy.options.client_certificate = ClientCertificate::Header(CertificateHeader {
        name: name.to_owned(),
        format,
        trusted_peers,
    });
    policy
}

#[test]
fn a_header_is_believed_if_a_trusted_peer_sends_it_once() {
    let edge = || TrustedPeers::WithUri(vec!["spiffe://edge".to_owned(), "spiffe://b".to_owned()]);
    let missing = Some(ReasonKind::CertificateMissing);
    let ambiguous = Some(ReasonKind::CertificateAmbiguous);
    let mismatch = Some(ReasonKind::CertificateMismatch);
    let good = format!("Hash={HEX}");
    let other = format!("Hash={}", hex(OTHER_DIGEST));
    for (trusted, peer, values, refusal) in [
        (TrustedPeers::Any, None, vec![&*good], None),
        (TrustedPeers::Any, Some("spiffe://x"), vec![&good], None),
        (edge(), Some("spiffe://edge"), vec![&good], None),
        (edge(), Some("spiffe://b"), vec![&good], None),
        (edge(), None, vec![&good], missing),
        (edge(), Some("spiffe://edge/x"), vec![&good], missing),
        (edge(), Some("spiffe://edg"), vec![&good], missing),
        (edge(), Some("SPIFFE://edge"), vec![&good], missing),
        (edge(), Some(""), vec![&good], missing),
        (
            TrustedPeers::WithUri(Vec::new()),
            Some(""),
            vec![&good],
            missing,
        ),
        (TrustedPeers::Any, None, vec![], missing),
        (edge(), Some("spiffe://edge"), vec![], missing),
        (TrustedPeers::Any, None, vec![&good, &good], ambiguous),
        (TrustedPeers::Any, None, vec![&good, "x"], ambiguous),
        (TrustedPeers::Any, None, vec![""], ambiguous),
        (TrustedPeers::Any, None, vec![HEX], ambiguous),
        (TrustedPeers::Any, None, vec!["By=x"], ambiguous),
        (TrustedPeers::Any, None, vec![&other], mismatch),
    ] {
        let case = format!("{trusted:?} {peer:?} {values:?}");
        let format = CertificateFormat::Xfcc(XfccElement::Only);
        let policy = from_header("x-forwarded-client-cert", format, trusted);
        let name = || b"x-forwarded-client-cert".into();
        let mut request = bearing(&bound_to(DIGEST));
        let values = values.iter().map(|value| value.as_bytes().to_vec());
        request.headers = values.map(|value| (name(), value.into())).collect();
        // The certificate of the connection is that of the peer, which tokens are not bound to.
        let connection = Rc::new(Tls {
            digest: Some(HEX.to_owned()),
            uri: peer,
            reads: Cell::default(),
        });
        let outcome = Gate::new()
            .keys(ready)
            .decide(&policy, &on(&connection, request));
        assert_outcome(&outcome, refusal, &case);
    }
}

#[test]
fn the_configured_header_is_read_and_no_other() {
    let format = CertificateFormat::Sha256Hex;
    let policy = from_header("client-cert", format, TrustedPeers::Any);
    for (name, refusal) in [
        ("client-cert", None),
        (
            "x-forwarded-client-cert",
            Some(ReasonKind::CertificateMissing),
        ),
        ("client_cert", Some(ReasonKind::CertificateMissing)),
    ] {
        let mut request = bearing(&bound_to(DIGEST));
        request.headers = vec![(name.as_bytes().into(), HEX.as_bytes().into())];
        let outcome = Gate::new().keys(ready).decide(&policy, &request);
        assert_outcome(&outcome, refusal, name);
    }
}
