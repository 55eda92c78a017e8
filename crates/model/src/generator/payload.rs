//! Payloads of tokens.

use fastrand::Rng;
use serde_json::{Value, json};

use super::dice::{chance, one_of};
use super::provider::{ISSUERS, Provider};
use super::requirement::{AUDIENCES, SCOPES, VALUES};

/// A payload that the provider accepts, more or less.
pub(crate) fn good(rng: &mut Rng, provider: &Provider) -> Value {
    let Provider { fields, now, .. } = provider;
    let mut payload = json!({"exp": now + 1800});
    if let Some(issuer) = fields["issuer"].as_str() {
        payload["iss"] = json!(issuer);
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
    if fields.get("subjects").is_some() || chance(rng, 70) {
        payload["sub"] = json!(one_of(
            rng,
            &["alice", "alice", "bob", "spiffe://example/a"]
        ));
    }
    if fields.get("max_lifetime").is_some() || rng.bool() {
        payload["iat"] = json!(now - 60);
    }
    if chance(rng, 20) {
        payload["nbf"] = json!(now - 60);
    }
    if chance(rng, 50) {
        payload["jti"] = json!(format!("t{}", rng.u8(0..100)));
    }
    if chance(rng, 30) {
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
    custom(rng, &mut payload);
    payload
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
        payload["subscribed"] = json!([
            {"name": "a", "version": "1", "more": true},
            one_of(rng, &VALUES()),
        ]);
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

fn none_or(rng: &mut Rng, values: &[Value]) -> Option<Value> {
    chance(rng, 75).then(|| one_of(rng, values))
}

/// Changes one claim so that the token may be refused. Returns what was done.
pub(crate) fn spoil(rng: &mut Rng, payload: &mut Value, provider: &Provider) -> String {
    let now = provider.now;
    let skew = provider.fields["clock_skew_seconds"].as_i64().unwrap_or(60);
    let (name, value): (&str, Option<Value>) = match rng.u8(0..16) {
        0 => {
            let others = [ISSUERS[0], ISSUERS[1], ISSUERS[2], "https://evil.example"];
            ("iss", none_or(rng, &others.map(Value::from)))
        }
        1 | 2 => {
            let others = [
                json!("other"),
                json!([]),
                json!(["other", "another"]),
                json!("orders billing"),
                json!("https://api.example/"),
                json!("https://api.exampl"),
                json!(""),
                json!("Orders"),
            ];
            ("aud", none_or(rng, &others))
        }
        3 => {
            let others = [
                json!("mallory"),
                json!("alice2"),
                json!(""),
                json!("ALICE"),
                json!("a".repeat(5000)),
            ];
            ("sub", none_or(rng, &others))
        }
        4 => {
            let times = [
                json!(now - skew),
                json!(now - skew + 1),
                json!(now - skew - 1),
                json!(now - 7200),
                json!(0),
                json!(-1),
                json!(1e300),
                json!(4_102_444_800_i64),
                json!(4_102_444_800.5),
                json!(u64::MAX),
            ];
            ("exp", Some(one_of(rng, &times)))
        }
        5 => ("exp", None),
        6 => {
            let times = [
                json!(now + skew),
                json!(now + skew + 1),
                json!(now + skew - 1),
                json!(now + 7200),
                json!(-1),
                json!(1e300),
            ];
            ("nbf", Some(one_of(rng, &times)))
        }
        7 => {
            let times = [
                json!(now + skew),
                json!(now + skew + 1),
                json!(now + 7200),
                json!(now - 86_400),
                json!(0),
                json!(now - 1800),
                json!(now - 1801),
                json!(now - 5400),
            ];
            ("iat", none_or(rng, &times))
        }
        8 | 9 => {
            let name = one_of(rng, &["iss", "sub", "aud", "exp", "nbf", "iat", "jti"]);
            let types = [
                json!(null),
                json!(true),
                json!({}),
                json!([1]),
                json!("1"),
                json!(1),
                json!(["a"]),
            ];
            (name, Some(one_of(rng, &types)))
        }
        10 => (
            "cnf",
            Some(one_of(rng, &[json!({"jkt": "x"}), json!(null)])),
        ),
        11 => {
            let scopes = [
                json!("readonly"),
                json!("read  write"),
                json!("READ"),
                json!(["read"]),
                json!(7),
                json!(""),
            ];
            ("scope", none_or(rng, &scopes))
        }
        12 => (
            "azp",
            Some(one_of(rng, &[json!("web"), json!("app"), json!("other")])),
        ),
        13 => ("tier", none_or(rng, &VALUES())),
        14 => (
            "x",
            Some(json!("x".repeat(one_of(rng, &[11_000, 13_000, 20_000])))),
        ),
        _ => {
            let depth = one_of(rng, &[29, 30, 31, 32, 33]);
            let nested = format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
            ("x", serde_json::from_str(&nested).ok())
        }
    };
    let shown = value.as_ref().map_or("none".to_owned(), |value| {
        let text = value.to_string();
        if text.len() > 60 {
            format!("{} bytes", text.len())
        } else {
            text
        }
    });
    match value {
        Some(value) => payload[name] = value,
        None => {
            if let Some(members) = payload.as_object_mut() {
                members.remove(name);
            }
        }
    }
    format!("{name} {shown}")
}
