//! Payloads of tokens.

use fastrand::Rng;
use serde_json::{Value, json};

use super::claim_fault::digest;
use super::confirmation;
use super::dice::{chance, one_of, some_of};
use super::provider::Provider;
use super::requirement::{AUDIENCES, CLASSES, SCOPES, TENANTS, VALUES, detail};

/// A payload that the provider accepts, more or less.
pub(crate) fn good(rng: &mut Rng, provider: &Provider) -> Value {
    let Provider { fields, now, .. } = provider;
    let mut payload = json!({"exp": now + 1800});
    let issuers = fields["issuers"].as_array();
    if let Some(issuer) = fields["issuer"].as_str() {
        payload["iss"] = json!(issuer);
    } else if let Some(issuers) = issuers {
        tenant(rng, &mut payload, issuers);
    } else if chance(rng, 10) {
        payload["tid"] = json!(one_of(rng, &TENANTS));
    }
    match fields["audiences"].as_array() {
        Some(audiences) => {
            let audience = one_of(rng, audiences);
            payload["aud"] = match rng.u8(0..3) {
                0 => json!([audience]),
                1 => json!(["other", audience]),
                _ => audience,
            };
        }
        None if rng.bool() => payload["aud"] = json!(one_of(rng, &AUDIENCES)),
        None => {}
    }
    let has_profile = fields.get("profile").is_some() && chance(rng, 90);
    if has_profile || fields.get("subjects").is_some() || chance(rng, 70) {
        payload["sub"] = json!(one_of(
            rng,
            &["alice", "alice", "bob", "spiffe://example/a"]
        ));
    }
    if has_profile || fields.get("max_lifetime").is_some() || rng.bool() {
        payload["iat"] = json!(now - 60);
    }
    if chance(rng, 20) {
        payload["nbf"] = json!(now - 60);
    }
    if has_profile || chance(rng, 50) {
        payload["jti"] = json!(format!("t{}", rng.u8(0..100)));
    }
    if has_profile || chance(rng, 30) {
        payload["client_id"] = json!(one_of(rng, &["web", "app"]));
    }
    if chance(rng, 65) {
        let scopes: Vec<&str> = SCOPES.into_iter().filter(|_| chance(rng, 60)).collect();
        match rng.u8(0..6) {
            0 => payload["scp"] = json!(scopes),
            1 => payload["scope"] = json!(scopes),
            2 => payload["roles"] = json!(scopes),
            3 => payload["https://example.com"] = json!({"scope": scopes.join(" ")}),
            _ => payload["scope"] = json!(scopes.join(" ")),
        }
    }
    if provider.binds_to_certificates && chance(rng, 50) {
        payload["cnf"] = json!({"x5t#S256": digest('I')});
    }
    let signers = &provider.proof_signers;
    let demands_proofs = fields["sender_constraint"] == "dpop";
    if !signers.is_empty() && chance(rng, if demands_proofs { 90 } else { 65 }) {
        payload["cnf"] = confirmation::draw(rng, signers);
    }
    authentication(rng, &mut payload, *now);
    custom(rng, &mut payload);
    payload
}

/// How long ago users may have authenticated, in seconds.
const AUTHENTICATED: [i64; 6] = [0, 60, 299, 300, 600, 7200];

/// Adds how and when the user was authenticated.
fn authentication(rng: &mut Rng, payload: &mut Value, now: i64) {
    if chance(rng, 30) {
        payload["acr"] = json!(one_of(rng, &CLASSES));
    }
    if chance(rng, 30) {
        payload["auth_time"] = json!(now - one_of(rng, &AUTHENTICATED));
    }
    if chance(rng, 10) {
        payload["amr"] = json!(["pwd", "otp"]);
    }
}

/// Adds one of these issuers, with the claims that its placeholders stand for.
fn tenant(rng: &mut Rng, payload: &mut Value, issuers: &[Value]) {
    let template = one_of(rng, issuers);
    let (tid, org) = (one_of(rng, &TENANTS), one_of(rng, &TENANTS));
    let issuer = template.as_str().unwrap_or_default();
    if issuer.contains("{tid}") || chance(rng, 30) {
        payload["tid"] = json!(tid);
    }
    if issuer.contains("{org.id}") || chance(rng, 30) {
        payload["org"] = json!({"id": org});
    }
    payload["iss"] = json!(issuer.replace("{tid}", tid).replace("{org.id}", org));
}

/// Adds claims that conditions and headers read.
fn custom(rng: &mut Rng, payload: &mut Value) {
    if chance(rng, 60) {
        payload["tier"] = one_of(rng, &VALUES());
    }
    if chance(rng, 40) {
        let roles = [
            json!(["admin", "read"]),
            json!("admin"),
            json!([]),
            json!([1, "1"]),
        ];
        payload["realm_access"] = json!({"roles": one_of(rng, &roles)});
    }
    if chance(rng, 25) {
        payload["https://example.com/tenant"] = json!({"id": one_of(rng, &VALUES())});
    }
    if chance(rng, 25) {
        let subscriptions = [
            json!({"name": "a", "version": "1", "more": true}),
            json!({"name": "a", "version": "2"}),
            json!({"name": "b", "version": "1"}),
            one_of(rng, &VALUES()),
        ];
        payload["subscribed"] = json!(some_of(rng, &subscriptions));
    }
    if chance(rng, 25) {
        let details: Vec<Value> = (0..rng.usize(0..3)).map(|_| detail(rng, true)).collect();
        payload["authorization_details"] = json!(details);
    }
    if chance(rng, 30) {
        let levels = [
            json!(-5),
            json!(1.5),
            json!(3.0),
            json!(" padded"),
            json!("line\nbreak"),
            json!(""),
            json!(null),
            json!(false),
            json!("caf\u{e9}"),
            json!("a b"),
            json!("\u{a0}"),
            json!(1e20),
        ];
        payload["level"] = one_of(rng, &levels);
    }
}
