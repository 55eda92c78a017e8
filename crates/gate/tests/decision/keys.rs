//! Which keys a token is verified with, and when newer ones are awaited.

use std::rc::Rc;

use gate::decision::Dependency;
use gate::fetching::Availability;
use gate::keys::KeySet;
use gate::reason::ReasonKind;
use gate_fixtures::{ec_jwk, rs256, rsa_jwk};
use serde_json::json;

use crate::support::{
    Gate, Outcome, bearing, good, newer_possible, payload, policy, policy_of, provider, ready,
};

#[test]
fn without_keys_a_good_token_waits() {
    let outcome = Gate::new().decide(&policy_of(&provider()), &bearing(&good()));
    assert_eq!(outcome, Outcome::waits_for(Dependency::Keys(0)));
}

#[test]
fn an_unknown_kid_waits_only_while_newer_keys_are_possible() {
    let policy = policy_of(&provider());
    let (current, growing) = (Gate::new().keys(ready), Gate::new().keys(newer_possible));
    let token = |kid: &str| rs256(&json!({"alg": "RS256", "kid": kid}), &payload());
    let unknown = bearing(&token("new"));
    assert_eq!(
        growing.decide(&policy, &unknown),
        Outcome::waits_for(Dependency::NewerKeys(0))
    );
    assert_eq!(
        current.decide(&policy, &unknown),
        Outcome::Deny(ReasonKind::UnknownKey)
    );
    // A key that fits decides at once, whatever may arrive.
    assert_eq!(
        growing.decide(&policy, &bearing(&good())),
        Outcome::admitted()
    );
    let es256_by_rsa = rs256(&json!({"alg": "ES256", "kid": "ec"}), &payload());
    assert_eq!(
        growing.decide(&policy, &bearing(&es256_by_rsa)),
        Outcome::Deny(ReasonKind::Signature)
    );
}

#[test]
fn a_key_without_a_kid_fits_every_kid_so_a_bad_signature_is_no_unknown_key() {
    let mut unnamed = rsa_jwk();
    unnamed.as_object_mut().unwrap().remove("kid");
    let keys = json!({ "keys": [unnamed] }).to_string();
    let keys = Rc::new(KeySet::parse(keys.as_bytes()).unwrap());
    let gate = Gate::new().keys(move |_| Availability::Ready {
        value: Rc::clone(&keys),
        newer_possible: true,
    });
    let policy = policy_of(&provider());
    let good = rs256(&json!({"alg": "RS256", "kid": "any"}), &payload());
    assert_eq!(gate.decide(&policy, &bearing(&good)), Outcome::admitted());
    let (input, signature) = good.rsplit_once('.').unwrap();
    let forged = format!("{input}.{}", "A".repeat(signature.len()));
    assert_eq!(
        gate.decide(&policy, &bearing(&forged)),
        Outcome::Deny(ReasonKind::Signature)
    );
}

#[test]
fn a_token_that_may_yet_be_good_waits_although_another_provider_refuses_it() {
    let mut local = provider();
    let fields = local.as_object_mut().unwrap();
    fields.remove("remote_jwks");
    let ec_only = json!({"keys": [ec_jwk()]}).to_string();
    fields.insert("local_jwks".to_owned(), json!({ "inline_string": ec_only }));
    let policy = policy(&json!({"providers": {"local": local, "remote": provider()}}));
    let outcome = Gate::new().decide(&policy, &bearing(&good()));
    assert_eq!(outcome, Outcome::waits_for(Dependency::Keys(1)));
}
