//! Issuers of many tenants with one key set.

use serde_json::{Value, json};

use crate::support::{Issuer, Setup, Token, get, keys};

const TEMPLATE: &str = "https://login.example/{tid}/v2.0";

fn of(tid: &str) -> Token {
    Token::good()
        .claim("iss", TEMPLATE.replace("{tid}", tid))
        .claim("tid", tid)
}

#[test]
fn one_key_set_serves_the_listed_tenants_and_no_token_of_a_wrong_issuer_causes_a_fetch() {
    let issuer = Issuer::start();
    issuer.publish(&[&keys::RSA]);
    let mut provider = Issuer::provider();
    provider["issuer"] = Value::Null;
    provider["issuers"] = json!([TEMPLATE]);
    provider["claim_to_headers"] = json!([{"header_name": "x-tenant", "claim_name": "tid"}]);
    let requires = json!({
        "provider_name": "cloud",
        "claims": [{"claim_name": "tid", "any_of": ["a", "b"]}],
    });
    let gate = Setup::trusting(&issuer)
        .config(json!({
            "providers": {"cloud": provider},
            "rules": [{"match": {"prefix": "/"}, "requires": requires}],
        }))
        .workers(2)
        .start();
    for tid in ["a", "b"] {
        let answer = gate.send(&get("/").bearer(of(tid).signed()));
        assert_eq!(answer.status, 200, "{tid}");
        assert_eq!(answer.json()["headers"]["x-tenant"], tid);
    }
    assert_eq!(gate.send(&get("/").bearer(of("c").signed())).status, 403);
    let before = issuer.server.count();
    let wrong = [
        of("a").claim("tid", "b"),
        of("a").claim("tid", Value::Null),
        of("a/../b"),
        of("a%2Fb"),
        of(".."),
        of("a").claim("iss", "https://login.example.evil/a/v2.0"),
    ];
    for token in &wrong {
        // A key that nobody has: with a good issuer the filter would ask for newer keys.
        let answer = gate.send(&get("/").bearer(token.clone().header("kid", "new").signed()));
        assert_eq!(
            (answer.status, answer.error().as_str()),
            (401, "invalid_token")
        );
    }
    gate.counts("denied.issuer", 6);
    gate.counts("denied.claims", 1);
    assert_eq!(issuer.server.count(), before);
    assert_eq!(gate.upstream.count(), 2);
}
