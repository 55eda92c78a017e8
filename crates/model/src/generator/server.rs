//! Revocation lists, and answers of introspection endpoints.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use fastrand::Rng;
use serde_json::{Map, Value, json};

use super::claim_fault::digest;
use super::configuration::Plan;
use super::dice::{chance, one_of};
use super::payload;
use super::provider::Provider;
use super::requirement::TENANTS;
use super::token::Drawn;
use crate::case::{Served, World};
use crate::model::twin;

/// Adds what servers say about these tokens.
pub(crate) fn add(rng: &mut Rng, plan: &Plan, tokens: &[Drawn], world: &mut World) {
    for provider in &plan.providers {
        if provider.fields.get("revocation").is_some() {
            let served = if chance(rng, 15) {
                Served::failing()
            } else {
                Served::ok(&list(rng, provider.now, tokens))
            };
            world
                .documents
                .insert(format!("list-{}", provider.name), served);
        }
        if provider.fields.get("introspection").is_some() {
            let mut answers = std::collections::BTreeMap::new();
            for token in tokens {
                if chance(rng, 15) {
                    continue;
                }
                answers.insert(token.text.clone(), answer(rng, provider, token));
            }
            world
                .introspection
                .insert(format!("introspection-{}", provider.name), answers);
        }
    }
}

/// A list that names some of the tokens.
fn list(rng: &mut Rng, now: i64, tokens: &[Drawn]) -> Value {
    let mut named: Vec<Value> = vec![json!("nobody")];
    for token in tokens {
        if !chance(rng, 25) {
            continue;
        }
        let signature = token.text.rsplit('.').next().unwrap_or_default();
        named.push(match token.payload.get("jti") {
            Some(jti) if jti.is_string() && chance(rng, 80) => jti.clone(),
            _ => json!(either(rng, signature)),
        });
    }
    let mut before = |names: &[&str]| {
        let mut map = Map::new();
        for name in names {
            if chance(rng, 25) {
                let times = [now - 60, now - 59, now - 7200, now + 1];
                map.insert((*name).to_owned(), json!(one_of(rng, &times)));
            }
        }
        map
    };
    let clients = before(&["web", "app"]);
    let subjects = before(&["alice", "bob"]);
    json!({"tokens": named, "clients": clients, "subjects": subjects})
}

/// A signature, or the second valid form that anyone can derive from it.
fn either(rng: &mut Rng, signature: &str) -> String {
    let bytes = URL_SAFE_NO_PAD.decode(signature).unwrap_or_default();
    match twin(&bytes) {
        Some(twin) if rng.bool() => URL_SAFE_NO_PAD.encode(twin),
        _ => signature.to_owned(),
    }
}

/// What the endpoint of a provider says about a token.
fn answer(rng: &mut Rng, provider: &Provider, token: &Drawn) -> Served {
    let now = provider.now;
    let mut members = token.payload.clone();
    // Times of answers are far from now, because an answer is forgotten at its time.
    let is_near = |time: f64| (time - now as f64).abs() < 600.0;
    for claim in ["exp", "iat", "nbf"] {
        if members
            .get(claim)
            .and_then(Value::as_f64)
            .is_some_and(is_near)
        {
            members[claim] = json!(now - 3600);
        }
    }
    if members.get("exp").is_some_and(Value::is_number) && chance(rng, 90) {
        members["exp"] = json!(now + 3600);
    }
    members["active"] = json!(true);
    match rng.u8(0..30) {
        0 => members = payload::good(rng, provider),
        1..=3 => members = json!({"active": false}),
        4 => members["active"] = json!(one_of(rng, &[json!("true"), json!(1), json!(null)])),
        5 => return Served::failing(),
        6 => return Served::ok("no JSON"),
        7 => {
            let types = ["Bearer", "DPoP", "refresh_token", "N_A", "access_token"];
            members["token_type"] = json!(one_of(rng, &types));
        }
        8 => members["token_use"] = json!(one_of(rng, &["access_token", "access", "refresh"])),
        9 => members["sub"] = json!(one_of(rng, &["alice", "bob", "mallory"])),
        10 => members["client_id"] = json!("other"),
        11 => members["jti"] = json!("other"),
        12 => members["iss"] = json!(one_of(rng, &[json!("https://a.example/"), json!(null)])),
        13 => {
            let audiences = [json!("orders"), json!(["other"]), json!(null), json!(1)];
            members["aud"] = one_of(rng, &audiences);
        }
        14 => {
            let scopes = [
                json!("read"),
                json!(["read", "write"]),
                json!(7),
                json!(["a", 1]),
            ];
            members["scope"] = one_of(rng, &scopes);
        }
        15 => {
            let key = |last: char| json!({"jkt": digest(last)});
            let certificate = |last: char| json!({"x5t#S256": digest(last)});
            let claims = [
                json!({"jkt": "x"}),
                json!(null),
                key('I'),
                key('J'),
                certificate('I'),
                certificate('J'),
            ];
            members["cnf"] = one_of(rng, &claims);
        }
        16 => members["exp"] = json!(one_of(rng, &[json!(now - 7200), json!("1"), json!(null)])),
        17 => members["nbf"] = json!(now + 7200),
        18 => members["tid"] = one_of(rng, &[json!("a"), json!("b-1"), json!(["a"]), json!(null)]),
        19 => {
            members["iss"] = json!(null);
            members["org"] = json!({"id": one_of(rng, &TENANTS)});
        }
        _ => {}
    }
    Served::ok(&members)
}
