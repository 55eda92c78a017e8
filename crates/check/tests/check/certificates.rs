//! Tokens that are bound to a client certificate.

use serde_json::{Value, json};

use crate::support::{file, run};

/// The certificate of RFC 8705, appendix A, and its digest.
const PEM: &str = "-----BEGIN CERTIFICATE-----
MIIBBjCBrAIBAjAKBggqhkjOPQQDAjAPMQ0wCwYDVQQDDARtdGxzMB4XDTE4MTAx
ODEyMzcwOVoXDTIyMDUwMjEyMzcwOVowDzENMAsGA1UEAwwEbXRsczBZMBMGByqG
SM49AgEGCCqGSM49AwEHA0IABNcnyxwqV6hY8QnhxxzFQ03C7HKW9OylMbnQZjjJ
/Au08/coZwxS7LfA4vOLS9WuneIXhbGGWvsDSb0tH6IxLm8wCgYIKoZIzj0EAwID
SQAwRgIhAP0RC1E+vwJD/D1AGHGzuri+hlV/PpQEKTWUVeORWz83AiEA5x2eXZOV
bUlJSGQgjwD5vaUaKlLR50Q2DmFfQj1L+SY=
-----END CERTIFICATE-----
";
const DIGEST: &str = "A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v0";
const HEX: &str = "0380ed2f626650c840b2f263e6d2b29fae12ab39ae5db32b25ad27efad72e6fd";
const OTHER: &str = "bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg0";

fn config() -> Value {
    json!({"providers": {"joe": {"introspection": {
        "http_uri": {"uri": "https://joe.example/introspect", "cluster": "joe"},
        "client_id": "gate",
        "client_secret_environment_variable": "GATE_SECRET",
    }}}})
}

/// Decides about a request with an opaque token that is bound to the certificate, with these arguments.
fn decide(config: &Value, arguments: &[&str]) -> (i32, String) {
    let config = file("config.json", config.to_string());
    let response = json!({"active": true, "cnf": {"x5t#S256": DIGEST}});
    let response = file("response.json", response.to_string());
    let mut all = vec!["--token", "opaque", "--introspection"];
    all.push(response.to_str().unwrap());
    all.extend(arguments);
    all.push(config.to_str().unwrap());
    run(&all)
}

#[test]
fn a_certificate_is_given_as_a_file_or_as_a_digest() {
    let pem = file("client.pem", PEM);
    for given in [pem.to_str().unwrap(), HEX, &HEX.to_uppercase(), DIGEST] {
        let (status, printed) = decide(&config(), &["--client-certificate", given]);
        assert_eq!(status, 0, "{given}: {printed}");
    }
}

#[test]
fn the_refusal_names_both_certificates() {
    let cnf = format!("cnf: {{\"x5t#S256\":\"{DIGEST}\"}}; the client certificate: ");
    let (status, printed) = decide(&config(), &["--client-certificate", OTHER]);
    assert_eq!(status, 1, "{printed}");
    let line = format!("{cnf}x5t#S256 \"{OTHER}\"\n");
    assert!(printed.contains(&line), "{printed}");
    let (status, printed) = decide(&config(), &[]);
    assert_eq!(status, 1, "{printed}");
    let line = format!("{cnf}none (--client-certificate names one)\n");
    assert!(printed.contains(&line), "{printed}");
    assert!(printed.contains("certificate_missing"), "{printed}");
}

#[test]
fn a_file_without_a_certificate_is_an_error() {
    let other = file("other.pem", "-----BEGIN PUBLIC KEY-----");
    let other = other.to_str().unwrap();
    for (given, problem) in [
        (other, format!("{other}: has no certificate in PEM")),
        ("nowhere.pem", "nowhere.pem: No such file".to_owned()),
    ] {
        let (status, printed) = decide(&config(), &["--client-certificate", given]);
        assert_eq!(status, 2, "{printed}");
        assert!(printed.contains(&problem), "{printed}");
    }
}
