//! Proofs of possession.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use fastrand::Rng;
use serde_json::{Map, Value, json};

use super::configuration::Plan;
use super::confirmation::jkt;
use super::dice::{chance, one_of};
use super::dpop::{NONCE_KEYS, is_allowed};
use super::signer::SIGNERS;
use super::token::Drawn;
use crate::model::{nonce, sha256};

/// The request that a proof is for.
pub(super) struct Target<'t> {
    pub(super) method: &'t str,
    pub(super) scheme: &'t str,
    pub(super) authority: &'t str,
    pub(super) path: &'t str,
    /// When it arrives, in seconds since the epoch.
    pub(super) now: i64,
}

/// Whether a token is bound to a key.
pub(super) fn is_bound(token: &Drawn) -> bool {
    token.payload["cnf"]["jkt"].is_string()
}

/// A proof that is being made.
struct Draft {
    header: Value,
    payload: Value,
    signer: usize,
    alg: String,
}

/// Adds a proof for a request with this token.
pub(super) fn add(
    rng: &mut Rng,
    plan: &Plan,
    token: &Drawn,
    target: &Target<'_>,
    headers: &mut Vec<(String, String)>,
) {
    let proof = draw(rng, plan, token, target);
    let header = |text: String| ("dpop".to_owned(), text);
    match rng.u8(0..100) {
        0 | 1 => {}
        2 => headers.push(header(String::new())),
        3 => headers.extend([header(proof.clone()), header(proof)]),
        4 => headers.push(header(format!("{proof}, {proof}"))),
        5 => headers.extend([header(proof), header(String::new())]),
        _ => headers.push(header(proof)),
    }
}

fn draw(rng: &mut Rng, plan: &Plan, token: &Drawn, target: &Target<'_>) -> String {
    let bound = token.payload["cnf"]["jkt"].as_str().unwrap_or_default();
    let owner = (0..SIGNERS.len()).find(|signer| {
        let jkt = jkt(*signer);
        jkt.len() == 43 && bound.get(..42) == jkt.get(..42)
    });
    let any = [rng.usize(0..5), rng.usize(5..8)];
    let mut signer = owner.unwrap_or_else(|| one_of(rng, &any));
    let others = plan.providers.iter().flat_map(|one| &one.proof_signers);
    let others: Vec<usize> = others.copied().collect();
    if !others.is_empty() && chance(rng, 4) {
        // The proof of another client.
        signer = one_of(rng, &others);
    }
    let dpop = &plan.configuration["dpop"];
    let algorithms = SIGNERS[signer].algorithms;
    let alg = algorithms.iter().find(|alg| is_allowed(dpop, alg));
    let alg = alg.unwrap_or(&algorithms[0]);
    let alg = match *alg {
        "EdDSA" if chance(rng, 30) => "Ed25519",
        "RS256" if chance(rng, 30) => one_of(rng, algorithms),
        alg => alg,
    };
    let mut draft = Draft {
        header: json!({"typ": "dpop+jwt", "alg": alg, "jwk": SIGNERS[signer].jwk}),
        payload: json!({
            "jti": jti(rng),
            "htm": target.method,
            "htu": uri(rng, plan, target),
            "iat": target.now,
            "ath": sha256(token.text.as_bytes()),
        }),
        signer,
        alg: alg.to_owned(),
    };
    draft.add_nonce(rng, dpop, target.now);
    let faults = [0, 0, 0, 0, 0, 0, 1, 1, 1, 2][rng.usize(0..10)];
    let mut text_fault = false;
    for _ in 0..faults {
        match rng.u8(0..20) {
            0..=3 => draft.spoil_header(rng),
            4..=6 => draft.spoil_key(rng),
            7..=9 => draft.spoil_time(rng, dpop, target.now),
            10..=17 => draft.spoil_claim(rng, plan, target),
            _ => text_fault = true,
        }
    }
    let mut text = draft.signed(rng);
    if text_fault {
        spoil_text(rng, &mut text, &token.text);
    }
    text
}

/// An identifier, sometimes one that other proofs have.
fn jti(rng: &mut Rng) -> String {
    if chance(rng, 8) {
        format!("jti-{}", rng.u8(0..2))
    } else {
        format!("{:016x}", rng.u64(..))
    }
}

/// The URI that the client calls, in any spelling.
fn uri(rng: &mut Rng, plan: &Plan, target: &Target<'_>) -> String {
    let Target {
        scheme,
        authority,
        path,
        ..
    } = target;
    let own = format!("{scheme}://{authority}");
    let public = plan.configuration["public_urls"].as_array();
    let public: Vec<&str> = public
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let here: Vec<&str> = public
        .iter()
        .copied()
        .filter(|url| url.starts_with(&own))
        .collect();
    let base = match (&public[..], &here[..]) {
        ([], _) => own.as_str(),
        (_, []) => one_of(rng, &public),
        _ if chance(rng, 10) => one_of(rng, &public),
        _ => one_of(rng, &here),
    };
    let uri = format!("{}{path}", base.trim_end_matches('/'));
    if chance(rng, 70) {
        return uri;
    }
    respelled(rng, &uri)
}

/// The same URI, or nearly.
fn respelled(rng: &mut Rng, uri: &str) -> String {
    let (scheme, rest) = uri.split_once("://").unwrap_or(("https", uri));
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let port = if scheme == "https" { "443" } else { "80" };
    let escaped = |text: &str, upper: bool| {
        let escape = |byte: u8| match byte {
            b'a' | b'p' | b'.' if upper => format!("%{byte:02X}"),
            b'a' | b'p' | b'.' => format!("%{byte:02x}"),
            other => char::from(other).to_string(),
        };
        text.bytes().map(escape).collect::<String>()
    };
    match rng.u8(0..14) {
        0 => format!(
            "{}://{}/{path}",
            scheme.to_uppercase(),
            authority.to_uppercase()
        ),
        1 if !authority.contains(':') => format!("{scheme}://{authority}:{port}/{path}"),
        2 if !authority.contains(':') => format!("{scheme}://{authority}:0{port}/{path}"),
        3 => format!("{scheme}://{authority}:/{path}"),
        4 => format!("{scheme}://{authority}/{}", escaped(path, true)),
        5 => format!("{scheme}://{authority}/{}", escaped(path, false)),
        6 => format!("{scheme}://{authority}/x/../{path}"),
        7 => format!("{scheme}://{authority}/./{path}"),
        8 => format!("{uri}?a=b/c"),
        9 => format!("{uri}#fragment?a"),
        10 => format!("{uri}/"),
        11 => format!("{scheme}://{authority}//{path}"),
        12 => format!("{scheme}://{authority}/%2e%2E/{path}"),
        _ => format!("{scheme}://{authority}"),
    }
}

impl Draft {
    /// Adds a nonce, as the configuration asks for it.
    fn add_nonce(&mut self, rng: &mut Rng, dpop: &Value, now: i64) {
        let mode = dpop["nonce"].as_str().unwrap_or("off");
        let percent = match mode {
            "required" => 92,
            "fallback" => 50,
            _ => 8,
        };
        if !chance(rng, percent) {
            return;
        }
        let lifetime = lifetime(dpop);
        let skew = seconds(&dpop["clock_skew"], 60);
        let key = match rng.u8(0..20) {
            0 => 2,
            1..=4 => 1,
            _ => 0,
        };
        let age = match rng.u8(0..20) {
            0 => lifetime + 1,
            1 => lifetime,
            2 => -skew,
            3 => -skew - 1,
            4 => lifetime / 2,
            5 => lifetime / 2 + 1,
            6 => now,
            7 => lifetime * 3 / 4,
            _ => now % (lifetime / 10).max(1),
        };
        let text = nonce(NONCE_KEYS[key], i128::from(now - age));
        self.payload["nonce"] = match rng.u8(0..40) {
            0 => json!(format!("{text}A")),
            1 => json!(one_of(
                rng,
                &["", "nonce", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"]
            )),
            2 => one_of(rng, &[json!(1), json!(null), json!([])]),
            3 => {
                let mut forged = text.into_bytes();
                let index = rng.usize(0..forged.len());
                forged[index] = if forged[index] == b'A' { b'B' } else { b'A' };
                json!(String::from_utf8_lossy(&forged))
            }
            _ => json!(text),
        };
        // Who has a nonce needs no clock.
        if mode != "off" && chance(rng, 25) {
            self.payload["iat"] = json!(one_of(rng, &[0, now - 100_000, now + 100_000]));
        }
    }

    fn spoil_header(&mut self, rng: &mut Rng) {
        let others = ["JWT", "at+jwt", "DPOP+JWT", "application/dpop+jwt", ""];
        let algorithms = [
            json!("none"),
            json!("HS256"),
            json!("ES256"),
            json!("RS256"),
            json!("PS512"),
            json!("es256"),
            json!("ES384"),
            json!("EdDSA"),
            json!(7),
            json!(null),
        ];
        let (name, value) = match rng.u8(0..10) {
            0 | 1 => ("typ", json!(one_of(rng, &others))),
            2 => ("typ", json!(null)),
            3..=6 => ("alg", one_of(rng, &algorithms)),
            7 => (one_of(rng, &["crit", "b64", "zip"]), json!(null)),
            8 => ("kid", json!(7)),
            _ => {
                let name = one_of(rng, &["typ", "alg", "jwk"]);
                self.header_members().remove(name);
                return;
            }
        };
        self.header[name] = value;
    }

    fn header_members(&mut self) -> &mut Map<String, Value> {
        self.header.as_object_mut().expect("a header is an object")
    }

    fn spoil_key(&mut self, rng: &mut Rng) {
        if chance(rng, 30) {
            let other = rng.usize(0..SIGNERS.len());
            match rng.u8(0..3) {
                // Another key, whose owner signs.
                0 => {
                    self.signer = other;
                    SIGNERS[other].algorithms[0].clone_into(&mut self.alg);
                    self.header["alg"] = json!(self.alg);
                    self.header["jwk"] = SIGNERS[other].jwk.clone();
                }
                // The same key, but someone else signs.
                1 => self.signer = other,
                _ => self.header["jwk"] = SIGNERS[other].jwk.clone(),
            }
            return;
        }
        let mut coordinate = |text: &Value| {
            let text = text.as_str().unwrap_or_default();
            let bytes = URL_SAFE_NO_PAD.decode(text).unwrap_or_default();
            match rng.u8(0..5) {
                0 => format!("{text}="),
                1 => URL_SAFE_NO_PAD.encode([&[0][..], &bytes].concat()),
                2 => URL_SAFE_NO_PAD.encode(bytes.get(1..).unwrap_or_default()),
                3 => format!("{text} "),
                _ => String::new(),
            }
        };
        let x = coordinate(&self.header["jwk"]["x"]);
        let n = coordinate(&self.header["jwk"]["n"]);
        let e = one_of(rng, &["AAEAAQ", "AQAB=", ""]);
        let Some(jwk) = self.header["jwk"].as_object_mut() else {
            return;
        };
        let is_rsa = jwk.get("kty") == Some(&json!("RSA"));
        let (name, value) = match rng.u8(0..16) {
            0 | 1 => {
                let private = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];
                (
                    one_of(rng, &private),
                    one_of(rng, &[json!("AQAB"), json!(null)]),
                )
            }
            2 => (
                "use",
                one_of(rng, &[json!("enc"), json!("sig"), json!(null)]),
            ),
            3 => {
                let operations = [
                    json!([]),
                    json!(["verify"]),
                    json!(["sign"]),
                    json!(["sign", "verify"]),
                    json!("verify"),
                    json!(null),
                ];
                ("key_ops", one_of(rng, &operations))
            }
            4 => {
                let names = [
                    json!(self.alg),
                    json!("RS256"),
                    json!("ES256"),
                    json!(null),
                    json!(1),
                ];
                ("alg", one_of(rng, &names))
            }
            5 => (
                "kty",
                json!(one_of(rng, &["oct", "EC", "RSA", "OKP", "ec"])),
            ),
            6 => (
                "crv",
                json!(one_of(rng, &["P-256", "P-384", "Ed25519", "secp256k1"])),
            ),
            7 => ("kid", json!("a")),
            8 => ("e", json!(e)),
            9 => {
                self.header["jwk"] = one_of(rng, &[json!(null), json!("x"), json!([]), json!({})]);
                return;
            }
            10 => {
                let name = one_of(rng, &["x", "y", "n", "e", "kty", "crv"]);
                jwk.remove(name);
                return;
            }
            11 if !is_rsa => {
                // Not a point on the curve, but for a key that has no `y`.
                let x = jwk.get("x").cloned().unwrap_or_default();
                if jwk.contains_key("y") {
                    jwk.insert("y".to_owned(), x);
                }
                return;
            }
            _ if is_rsa => ("n", json!(n)),
            _ => ("x", json!(x)),
        };
        jwk.insert(name.to_owned(), value);
    }

    fn spoil_time(&mut self, rng: &mut Rng, dpop: &Value, now: i64) {
        let skew = seconds(&dpop["clock_skew"], 60);
        let age = seconds(&dpop["max_age"], 60);
        let oldest = now - age - skew;
        let times = [
            json!(oldest),
            json!(oldest - 1),
            json!(oldest + 1),
            json!(oldest as f64 + 0.5),
            json!(now + skew),
            json!(now + skew + 1),
            json!((now + skew) as f64 + 0.5),
            json!(now as f64 + 0.25),
            json!(now - 100_000),
            json!(now + 100_000),
            json!(0),
            json!(-1),
            json!(1e300),
            json!(now.to_string()),
            json!(null),
        ];
        let bounds = [now - skew, now - skew + 1, now + skew, now + skew + 1];
        let (name, value) = match rng.u8(0..6) {
            0 => ("exp", json!(one_of(rng, &bounds))),
            1 => ("nbf", json!(one_of(rng, &bounds))),
            2 if chance(rng, 50) => (one_of(rng, &["exp", "nbf"]), json!("1")),
            _ => ("iat", one_of(rng, &times)),
        };
        self.payload[name] = value;
    }

    fn spoil_claim(&mut self, rng: &mut Rng, plan: &Plan, target: &Target<'_>) {
        let others = [json!(null), json!(1), json!(""), json!([])];
        let (name, value) = match rng.u8(0..12) {
            0..=2 => {
                let methods = ["GET", "POST", "get", "OPTIONS", "GET "];
                ("htm", json!(one_of(rng, &methods)))
            }
            3 => {
                let uri = uri(rng, plan, target);
                ("htu", json!(respelled(rng, &uri)))
            }
            4 | 5 => {
                let uris = [
                    "https://evil.example/".to_owned(),
                    "*".to_owned(),
                    target.path.to_owned(),
                    format!("https://user@{}{}", target.authority, target.path),
                    format!("ftp://{}{}", target.authority, target.path),
                    format!("http://{}{}", target.authority, target.path),
                    format!("https://{}{}", target.authority, target.path),
                    format!("https://{}:444{}", target.authority, target.path),
                    format!("https://api.example{}", target.path.to_uppercase()),
                    format!("https://api.example\\{}", target.path),
                    format!("https://api.example{} ", target.path),
                    "https:///".to_owned(),
                    "https://[]/".to_owned(),
                ];
                ("htu", json!(one_of(rng, &uris)))
            }
            6 | 7 => {
                let hash = self.payload["ath"].as_str().unwrap_or_default();
                let hashes = [sha256(b"x"), format!("{hash}="), hash.to_lowercase()];
                ("ath", json!(one_of(rng, &hashes)))
            }
            8 => {
                let length = one_of(rng, &[512, 513, 600, 5000]);
                ("jti", json!("j".repeat(length)))
            }
            9 => {
                let names = ["jti", "htm", "htu", "ath", "iat", "nonce"];
                (one_of(rng, &names), one_of(rng, &others))
            }
            10 => {
                let name = one_of(rng, &["jti", "htm", "htu", "ath", "iat"]);
                let members = self.payload.as_object_mut();
                members.expect("a payload is an object").remove(name);
                return;
            }
            _ => ("more", json!({"a": [1, {"b": null}]})),
        };
        self.payload[name] = value;
    }

    fn signed(&self, rng: &mut Rng) -> String {
        let encode = |text: &str| URL_SAFE_NO_PAD.encode(text);
        let mut payload = self.payload.to_string();
        if chance(rng, 2) {
            let more = [
                r#","htm":"GET"}"#,
                r#","a":{"b":1,"b":2}}"#,
                ",}",
                r#","a":1} "#,
            ];
            payload.pop();
            payload.push_str(one_of(rng, &more));
        }
        let input = format!("{}.{}", encode(&self.header.to_string()), encode(&payload));
        let mut signature = SIGNERS[self.signer].sign(&self.alg, input.as_bytes());
        if chance(rng, 2) {
            match rng.u8(0..3) {
                0 => signature.push(0),
                1 => signature.clear(),
                _ => {
                    let index = rng.usize(0..signature.len());
                    signature[index] ^= 1 << rng.u8(0..8);
                }
            }
        }
        format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

fn spoil_text(rng: &mut Rng, text: &mut String, token: &str) {
    let parts: Vec<String> = text.split('.').map(str::to_owned).collect();
    let [header, payload, signature] = &parts[..] else {
        return;
    };
    *text = match rng.u8(0..9) {
        0 => format!("{text}."),
        1 => format!("{header}.{payload}"),
        2 => format!("{header}..{signature}"),
        3 => format!("{text}="),
        4 => format!("{text} "),
        5 => token.to_owned(),
        6 => "a.b.c".to_owned(),
        7 => format!("{}.{payload}.{signature}", URL_SAFE_NO_PAD.encode("[]")),
        _ => format!("{header}.{payload}.{signature}{}", "A".repeat(4096)),
    };
}

/// How long a nonce of this configuration is good, in seconds.
pub(super) fn lifetime(dpop: &Value) -> i64 {
    seconds(&dpop["nonce_lifetime"], 300)
}

/// A duration in whole seconds.
pub(super) fn seconds(duration: &Value, default: i64) -> i64 {
    let text = duration.as_str().and_then(|text| text.strip_suffix('s'));
    let Some(seconds) = text.and_then(|text| text.parse::<f64>().ok()) else {
        return default;
    };
    seconds as i64
}
