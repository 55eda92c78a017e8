//! Tokens that are bound to a client certificate.

use gate_fixtures::rs256;
use gate_simulator::ClientCertificate;
use serde_json::json;

use crate::support::{ISSUER, SECOND, listening, provider, token};

/// The digest of the certificate in RFC 8705, appendix A, as tokens and as Envoy write it.
const DIGEST: &str = "A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v0";
const HEX: &str = "0380ed2f626650c840b2f263e6d2b29fae12ab39ae5db32b25ad27efad72e6fd";

fn bound_token() -> String {
    let payload = json!({
        "iss": ISSUER, "exp": 1_800_000_000_u64, "cnf": {"x5t#S256": DIGEST},
    });
    rs256(&json!({"alg": "RS256", "kid": "rsa"}), &payload)
}

#[test]
fn a_request_that_waits_is_compared_with_its_own_connection() {
    let config = json!({"providers": {"cloud": provider()}});
    let (process, _worker, listener) = listening(&config.to_string());
    let send = |token: &str, digest: Option<&str>| {
        let authorization = format!("Bearer {token}");
        let headers = [
            (":method", "GET"),
            (":path", "/"),
            (":authority", "api.example"),
            ("authorization", &*authorization),
        ];
        match digest {
            Some(digest) => {
                let certificate = ClientCertificate { digest, uri: None };
                listener.request_with_certificate(&headers, None, &certificate)
            }
            None => listener.request(&headers),
        }
    };
    let other = HEX.replace('0', "1");
    let (bound, plain) = (bound_token(), token());
    let requests = [
        (send(&bound, Some(HEX)), 200, 1),
        (send(&bound, Some(&other)), 401, 1),
        (send(&bound, None), 401, 1),
        (send(&plain, Some(HEX)), 200, 0),
        (send(&plain, None), 200, 0),
    ];
    for (request, ..) in &requests {
        assert_eq!((request.status(), request.certificate_reads()), (0, 0));
    }
    process.advance(SECOND);
    for (request, status, reads) in &requests {
        assert_eq!(
            (request.status(), request.certificate_reads()),
            (*status, *reads)
        );
    }
    // The cache knows the token now.
    assert_eq!(send(&bound, Some(HEX)).status(), 200);
    assert_eq!(send(&bound, Some(&other)).status(), 401);
    assert_eq!(send(&bound, None).status(), 401);
}
