//! The configuration of proofs.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use fastrand::Rng;
use serde_json::{Value, json};

use super::dice::{chance, one_of, some_of};
use super::provider::Provider;
use super::requirement;
use super::signer::SIGNERS;

/// The keys of nonces: the current one, the one before, and one that the filter does not know.
pub(super) const NONCE_KEYS: [&[u8]; 3] = [
    b"0123456789abcdef0123456789abcdef",
    b"\xfb\xff\xfe an older key of nonces, which is longer than that",
    b"the key of somebody else........",
];

/// The URLs by which clients know the filter.
const URLS: [&str; 7] = [
    "https://api.example",
    "https://api.example",
    "https://api.example/v1",
    "http://api.example/",
    "https://b.example:8443",
    "https://api.example/shop%7e/",
    "https://[2001:db8::1]:8443/v2",
];

/// Turns proofs on, if a provider can take them.
pub(super) fn add(
    rng: &mut Rng,
    configuration: &mut Value,
    providers: &mut [Provider],
    environment: &mut BTreeMap<String, String>,
) {
    if chance(rng, 50) {
        // Most requests reach a provider.
        let names: Vec<String> = providers.iter().map(|one| one.name.clone()).collect();
        let requirement = requirement::draw(rng, &names, 1);
        configuration["rules"] = json!([{"match": {"prefix": "/"}, "requires": requirement}]);
        if let Some(map) = configuration["requirement_map"].as_object_mut() {
            map.retain(|name, _| name.starts_with("route_"));
        }
    }
    if chance(rng, 60) {
        for provider in providers.iter_mut() {
            provider.read_from_authorization_only();
        }
    }
    for provider in providers.iter_mut() {
        let constraint = one_of(
            rng,
            &["", "", "", "", "required", "dpop", "certificate", "ignore"],
        );
        if !constraint.is_empty() {
            provider.fields["sender_constraint"] = json!(constraint);
        }
    }
    if !providers.iter().any(takes_proofs) {
        for provider in providers.iter_mut() {
            if let Some(fields) = provider.fields.as_object_mut()
                && fields.get("sender_constraint") == Some(&json!("dpop"))
            {
                fields.remove("sender_constraint");
            }
        }
        return;
    }
    let dpop = policy(rng, configuration, environment);
    let signers = signers(&dpop);
    for provider in providers.iter_mut() {
        provider.proof_signers.clone_from(&signers);
    }
    configuration["dpop"] = dpop;
    if chance(rng, 50) {
        configuration["public_urls"] = json!(some_of(rng, &URLS));
    }
}

/// Whether a provider takes tokens with proofs.
fn takes_proofs(provider: &Provider) -> bool {
    let fields = &provider.fields;
    let places = ["from_headers", "from_params", "from_cookies"];
    let is_default = places.iter().all(|name| fields.get(name).is_none());
    let headers = fields["from_headers"].as_array();
    let is_named = headers.into_iter().flatten().any(|header| {
        let prefix = header["value_prefix"].as_str().unwrap_or_default();
        header["name"] == "authorization" && prefix.trim().eq_ignore_ascii_case("bearer")
    });
    let constraint = fields["sender_constraint"].as_str().unwrap_or_default();
    (is_default || is_named) && !matches!(constraint, "ignore" | "certificate")
}

fn policy(
    rng: &mut Rng,
    configuration: &Value,
    environment: &mut BTreeMap<String, String>,
) -> Value {
    let mut dpop = json!({});
    if chance(rng, 25) {
        let names = ["ES256", "Ed25519", "EdDSA", "RS256", "PS256", "ES384"];
        dpop["algorithms"] = json!(some_of(rng, &names));
    }
    if chance(rng, 50) {
        dpop["max_age"] = json!(one_of(rng, &["1s", "10s", "3600s"]));
    }
    if chance(rng, 40) {
        dpop["clock_skew"] = json!(one_of(rng, &["0s", "10s", "0.5s"]));
    }
    if configuration["strip_failure_response"] != true && chance(rng, 55) {
        nonces(rng, &mut dpop, environment);
    }
    if chance(rng, 70) {
        dpop["replay_entries"] = json!(one_of(rng, &[0, 1, 64, 65, 1000]));
    }
    if chance(rng, 40) {
        dpop["upstream"] = json!(one_of(rng, &["as_sent", "bearer"]));
    }
    dpop
}

fn nonces(rng: &mut Rng, dpop: &mut Value, environment: &mut BTreeMap<String, String>) {
    dpop["nonce"] = json!(one_of(rng, &["fallback", "required"]));
    if chance(rng, 60) {
        dpop["nonce_lifetime"] = json!(one_of(rng, &["10s", "15s", "3600s"]));
    }
    if chance(rng, 10) {
        return;
    }
    let has_previous = rng.bool();
    let mut name = |field: &str, variable: &str, key: &[u8]| {
        let text = if rng.bool() {
            STANDARD.encode(key)
        } else {
            URL_SAFE_NO_PAD.encode(key)
        };
        dpop[field] = json!(variable);
        environment.insert(variable.to_owned(), text);
    };
    name("nonce_key_environment_variable", "NONCE_KEY", NONCE_KEYS[0]);
    if has_previous {
        let field = "nonce_previous_key_environment_variable";
        name(field, "OLD_NONCE_KEY", NONCE_KEYS[1]);
    }
}

/// The signers whose proofs are accepted.
fn signers(dpop: &Value) -> Vec<usize> {
    let allowed = |index: &usize| {
        let signer = &SIGNERS[*index];
        !signer.is_secret() && signer.algorithms.iter().any(|alg| is_allowed(dpop, alg))
    };
    (0..SIGNERS.len()).filter(allowed).collect()
}

/// Whether proofs may be signed with an algorithm.
pub(super) fn is_allowed(dpop: &Value, alg: &str) -> bool {
    let Some(named) = dpop["algorithms"].as_array() else {
        return true;
    };
    let same = |name: &str| name.replace("Ed25519", "EdDSA");
    named
        .iter()
        .any(|one| one.as_str().map(same) == Some(same(alg)))
}
