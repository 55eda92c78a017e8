//! Profiles of access tokens.

use gate::policy::TokenProfile;
use gate_fixtures::key_set;
use serde_json::{Value, json};

use super::support::{error, read};

fn config(fields: &Value) -> Value {
    let mut provider = json!({
        "issuer": "https://issuer.example",
        "audiences": ["https://api.example"],
        "local_jwks": {"inline_string": key_set()},
        "profile": "rfc9068",
    });
    for (name, value) in fields.as_object().unwrap() {
        provider[name] = value.clone();
    }
    json!({"providers": {"p": provider}})
}

#[test]
fn a_profile_needs_issuer_and_audiences() {
    let policy = read(&config(&json!({}))).unwrap();
    assert_eq!(policy.providers[0].profile, Some(TokenProfile::Rfc9068));
    for name in TokenProfile::CLAIMS {
        assert!(
            policy.read_claims.iter().any(|claim| claim == name),
            "{name}"
        );
    }
    let tenants = json!({"issuer": null, "issuers": ["https://login.example/{tid}"]});
    assert_eq!(error(&config(&tenants)), "none");
    for lacking in [
        json!({"issuer": null}),
        json!({"audiences": null}),
        json!({"audiences": []}),
    ] {
        let expected = "providers.p.profile: \"rfc9068\" needs issuer, or issuers, and audiences";
        assert_eq!(error(&config(&lacking)), expected);
    }
}

#[test]
fn a_profile_decides_the_type() {
    let problem = error(&config(&json!({"types": ["at+jwt"]})));
    let expected = "providers.p.profile: \"rfc9068\" accepts only the type at+jwt: leave types out";
    assert_eq!(problem, expected);
    let problem = error(&config(&json!({"profile": "fapi"})));
    assert_eq!(problem, "providers.p.profile: is not one of \"rfc9068\"");
}
