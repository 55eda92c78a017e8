//! Requirements.

use fastrand::Rng;
use serde_json::{Value, json};

use super::dice::{chance, one_of, some_of};

/// Audiences.
pub(crate) const AUDIENCES: [&str; 4] = [
    "https://api.example",
    "https://api.example/",
    "orders",
    "billing",
];

/// Tenants.
pub(crate) const TENANTS: [&str; 3] = ["a", "b-1", "x.y_z~"];

/// Authentication context classes.
pub(crate) const CLASSES: [&str; 3] = ["gold", "silver", "urn:example:mfa"];

/// Scopes.
pub(crate) const SCOPES: [&str; 4] = ["read", "write", "readonly", "admin"];

/// A requirement that names some of these providers, with at most `depth` levels below it.
pub(crate) fn draw(rng: &mut Rng, providers: &[String], depth: u8) -> Value {
    let kind = if depth == 0 {
        rng.u8(0..70)
    } else {
        rng.u8(0..100)
    };
    let mut node = match kind {
        0..=39 => json!({"provider_name": one_of(rng, providers)}),
        40..=47 => {
            let name = one_of(rng, providers);
            let mut audiences = some_of(rng, &AUDIENCES);
            if chance(rng, 10) {
                audiences.clear();
            }
            json!({"provider_and_audiences": {"provider_name": name, "audiences": audiences}})
        }
        48..=53 => json!({"allow_missing": {}}),
        54..=59 => json!({"allow_missing_or_failed": {}}),
        60..=64 => {
            let mut extraction = json!({});
            match rng.u8(0..3) {
                0 => extraction["verification_status_header"] = json!("X-Unverified"),
                1 => extraction["verification_status_header"] = json!("-"),
                _ => {}
            }
            return json!({"extract_only_without_validation": extraction});
        }
        65..=69 => return json!({"allow": {}}),
        70..=87 => json!({"requires_any": {"requirements": parts(rng, providers, depth)}}),
        _ => json!({"requires_all": {"requirements": parts(rng, providers, depth)}}),
    };
    if chance(rng, 10) {
        node["acr_values"] = json!(some_of(rng, &CLASSES));
    }
    if chance(rng, 10) {
        node["max_authentication_age"] = json!(one_of(rng, &["60s", "300s", "3600s"]));
    }
    if chance(rng, 12) {
        node["scopes"] = json!(some_of(rng, &SCOPES));
    }
    if chance(rng, 8) {
        node["any_scope"] = json!(some_of(rng, &SCOPES));
    }
    if chance(rng, 12) {
        let count = rng.usize(1..=2);
        node["claims"] = (0..count).map(|_| claim(rng)).collect();
    }
    node
}

fn parts(rng: &mut Rng, providers: &[String], depth: u8) -> Value {
    let count = rng.usize(1..=3);
    let parts = (0..count).map(|_| draw(rng, providers, depth.saturating_sub(1)));
    parts.collect()
}

fn claim(rng: &mut Rng) -> Value {
    if chance(rng, 20) {
        let subscription = json!({"name": "a", "version": one_of(rng, &["1", "2"])});
        return json!({"claim_name": "subscribed", "contains": subscription});
    }
    if chance(rng, 15) {
        return json!({"claim_name": "authorization_details", "contains": detail(rng, false)});
    }
    if chance(rng, 10) {
        return json!({"claim_name": "tid", "any_of": some_of(rng, &TENANTS)});
    }
    let mut condition = match rng.u8(0..4) {
        0 => json!({"claim_name": "realm_access.roles"}),
        1 => json!({"claim_path": ["https://example.com/tenant", {"key": "id"}]}),
        2 => json!({"claim_name": one_of(rng, &["tier", "subscribed", "absent", "level"])}),
        _ => json!({"claim_path": ["tier"]}),
    };
    match rng.u8(0..4) {
        0 => condition["exact"] = one_of(rng, &VALUES()),
        1 => condition["any_of"] = json!([one_of(rng, &VALUES()), one_of(rng, &VALUES())]),
        2 => condition["contains"] = one_of(rng, &VALUES()),
        _ => condition["present"] = json!(rng.bool()),
    }
    condition
}

/// Something like an authorization detail (RFC 9396); one that is `rich` has more than is asked for.
pub(crate) fn detail(rng: &mut Rng, rich: bool) -> Value {
    let (few, many) = if rich { (70, 90) } else { (30, 50) };
    let mut detail = json!({});
    if chance(rng, many) {
        detail["type"] = json!(one_of(rng, &["payment", "account"]));
    }
    if chance(rng, few) {
        let actions = [
            json!("read"),
            json!("write"),
            json!(["read"]),
            json!({"a": 1}),
        ];
        detail["actions"] = json!(some_of(rng, &actions));
        if chance(rng, 10) {
            detail["actions"] = json!(one_of(rng, &[json!([]), json!("read"), json!(null)]));
        }
    }
    if chance(rng, few) {
        let mut amount = json!({"currency": one_of(rng, &["EUR", "USD"])});
        if rich || chance(rng, 30) {
            amount["limits"] =
                json!([{"per": "day", "max": one_of(rng, &[1, 2])}, {"per": "week"}]);
        }
        if !rich && chance(rng, 40) {
            amount["limits"] = json!([{"per": one_of(rng, &["day", "week", "year"])}]);
        }
        detail["amount"] = amount;
    }
    detail
}

/// Values of claims.
pub(crate) const VALUES: fn() -> Vec<Value> = || {
    vec![
        json!("gold"),
        json!("silver"),
        json!("admin"),
        json!(1),
        json!(1.0),
        json!("1"),
        json!(true),
        json!({"name": "a", "version": "1"}),
        json!({"name": "a"}),
        json!(["admin"]),
        json!(7),
    ]
};
