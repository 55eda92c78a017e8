//! An issuer rotates its keys.

use crate::support::{Issuer, Setup, Token, eventually, get, keys};

#[test]
fn new_keys_work_and_withdrawn_keys_stop_working_with_the_next_refresh() {
    let issuer = Issuer::start();
    issuer.publish(&[&keys::RSA]);
    let mut config = Issuer::config();
    config["providers"]["cloud"]["remote_jwks"]["cache_duration"] = "0.5s".into();
    let gate = Setup::trusting(&issuer).config(config).workers(2).start();
    let status = |key| {
        let token = Token::good().signed_with(key);
        gate.send(&get("/").bearer(token)).status
    };
    assert_eq!(status(&keys::RSA), 200);
    issuer.publish(&[&keys::RSA, &keys::RSA_2]);
    eventually("the new key works", || status(&keys::RSA_2) == 200);
    assert_eq!(status(&keys::RSA), 200);
    issuer.publish(&[&keys::RSA_2]);
    eventually("the withdrawn key stops working", || {
        status(&keys::RSA) == 401
    });
    // This may be another worker, which has not adopted the last set yet.
    eventually("the new key works on", || status(&keys::RSA_2) == 200);
}

#[test]
fn the_key_of_an_issuer_never_verifies_a_token_of_another() {
    let (issuer, other) = (Issuer::start(), Issuer::start());
    issuer.publish(&[&keys::RSA]);
    other.publish(&[&keys::RSA_2]);
    let mut config = Issuer::config();
    let mut provider = Issuer::provider();
    provider["issuer"] = "https://other.example".into();
    provider["remote_jwks"]["http_uri"]["cluster"] = "other".into();
    config["providers"]["other"] = provider;
    let gate = Setup::trusting(&issuer)
        .cluster("other", &other.server)
        .config(config)
        .start();
    let status = |iss: &str, key| {
        let token = Token::good().claim("iss", iss).signed_with(key);
        gate.send(&get("/").bearer(token)).status
    };
    for (iss, key, expected) in [
        ("https://issuer.example", &keys::RSA, 200),
        ("https://other.example", &keys::RSA_2, 200),
        ("https://issuer.example", &keys::RSA_2, 401),
        ("https://other.example", &keys::RSA, 401),
    ] {
        assert_eq!(status(iss, key), expected, "{iss} {}", key.kid);
    }
}
