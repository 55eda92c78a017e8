//! Tokens.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use fastrand::Rng;
use serde_json::{Value, json};

use super::claim_fault;
use super::configuration::Plan;
use super::dice::{chance, one_of};
use super::key_set::Listed;
use super::payload;
use super::provider::Provider;
use super::signer::SIGNERS;
use crate::model::twin;

/// A token, and what it was made of.
#[derive(Clone, Debug)]
pub(crate) struct Drawn {
    /// What the story calls it.
    pub(crate) name: String,
    pub(crate) text: String,
    /// The provider that it was made for.
    pub(crate) provider: String,
    pub(crate) payload: Value,
}

/// The tokens that the requests of a case share.
pub(crate) fn pool(rng: &mut Rng, plan: &Plan, count: usize) -> Vec<Drawn> {
    let mut tokens: Vec<Drawn> = Vec::new();
    for number in 0..count {
        let provider = &plan.providers[rng.usize(0..plan.providers.len())];
        let introspects = provider.fields.get("introspection").is_some();
        let mut token = if introspects && chance(rng, 35) {
            opaque(rng, number, provider)
        } else {
            jwt(rng, provider)
        };
        token.name = format!("token {number}: {}", token.name);
        tokens.push(token);
    }
    tokens
}

fn encoded(text: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(text)
}

/// A token that is no JWT.
fn opaque(rng: &mut Rng, number: usize, provider: &Provider) -> Drawn {
    let text = match rng.u8(0..6) {
        0 => format!("v4.public.{number}"),
        1 => format!(
            "{}.a.b.c.{number}",
            encoded(r#"{"alg":"dir","enc":"A256GCM"}"#)
        ),
        2 => format!("{}.e30.{number}", encoded(r#"{"typ":"JWT"}"#)),
        3 => format!("opaque+/{number}=="),
        _ => format!("opaque-{number}"),
    };
    Drawn {
        name: "opaque".to_owned(),
        text,
        provider: provider.name.clone(),
        payload: payload::good(rng, provider),
    }
}

fn jwt(rng: &mut Rng, provider: &Provider) -> Drawn {
    let mut faults = Vec::new();
    let mut payload = payload::good(rng, provider);
    let (key, alg) = key(rng, provider);
    let mut header = json!({"alg": alg});
    if let Some(kid) = key.kid.as_ref().filter(|_| chance(rng, 85)) {
        header["kid"] = json!(kid);
    }
    if provider.fields.get("profile").is_some() && chance(rng, 90) {
        header["typ"] = json!(one_of(rng, &["at+jwt", "AT+JWT", "application/at+jwt"]));
    } else if let Some(types) = provider.fields["types"].as_array() {
        let typ = one_of(rng, types);
        if typ != "" {
            header["typ"] = typ;
        }
    } else if chance(rng, 60) {
        header["typ"] = json!(one_of(rng, &["JWT", "at+jwt", "application/AT+JWT"]));
    }
    let spoils = [0, 0, 0, 0, 0, 0, 1, 1, 1, 2][rng.usize(0..10)];
    let mut text_fault = false;
    for _ in 0..spoils {
        match rng.u8(0..10) {
            0..=5 => faults.push(claim_fault::add(rng, &mut payload, provider)),
            6..=8 => faults.push(spoil_header(rng, &mut header)),
            _ => text_fault = true,
        }
    }
    let mut header_text = header.to_string();
    let mut payload_text = payload.to_string();
    if text_fault && rng.bool() {
        faults.push(spoil_json(rng, &mut header_text, &mut payload_text));
        text_fault = false;
    }
    let mut signer = key.signer;
    if chance(rng, 4) {
        signer = rng.usize(0..SIGNERS.len());
        faults.push("signed by another key".to_owned());
    }
    let input = format!("{}.{}", encoded(&header_text), encoded(&payload_text));
    let mut signature = SIGNERS[signer].sign(&alg, input.as_bytes());
    if chance(rng, 3) {
        let index = rng.usize(0..signature.len());
        signature[index] ^= 1 << rng.u8(0..8);
        faults.push("a bit of the signature flipped".to_owned());
    }
    if alg == "ES256"
        && chance(rng, 10)
        && let Some(twin) = twin(&signature)
    {
        signature = twin;
    }
    let mut text = format!("{input}.{}", encoded(&signature));
    if text_fault {
        faults.push(spoil_text(rng, &mut text));
    }
    let faults = if faults.is_empty() {
        "good".to_owned()
    } else {
        faults.join(", ")
    };
    Drawn {
        name: format!("for {}, {faults}", provider.name),
        text,
        provider: provider.name.clone(),
        payload,
    }
}

/// A key of the provider, and the algorithm to use it with.
fn key(rng: &mut Rng, provider: &Provider) -> (Listed, String) {
    let any = Listed {
        signer: rng.usize(0..SIGNERS.len()),
        kid: None,
    };
    if provider.keys.is_empty() {
        let alg = one_of(rng, SIGNERS[any.signer].algorithms);
        return (any, alg.to_owned());
    }
    let allowed = provider.fields["algorithms"].as_array();
    let mut fallback = None;
    for _ in 0..6 {
        let key = one_of(rng, &provider.keys);
        let algorithms = SIGNERS[key.signer].algorithms;
        let alg = if chance(rng, 60) {
            algorithms[0]
        } else {
            one_of(rng, algorithms)
        };
        let alg = if alg == "EdDSA" && chance(rng, 15) {
            "Ed25519"
        } else {
            alg
        };
        let fits = match allowed {
            Some(allowed) => allowed.iter().any(|one| *one == alg),
            None => !alg.starts_with("HS"),
        };
        let found = (key, alg.to_owned());
        if fits {
            return found;
        }
        fallback = Some(found);
    }
    fallback.unwrap_or((any, "ES256".to_owned()))
}

fn spoil_header(rng: &mut Rng, header: &mut Value) -> String {
    let (name, value) = match rng.u8(0..12) {
        0 | 1 => {
            let kids = [
                json!("unknown"),
                json!(""),
                json!("shared"),
                json!("good"),
                json!(7),
                json!(null),
            ];
            ("kid", one_of(rng, &kids))
        }
        2..=4 => {
            let algorithms = [
                json!("none"),
                json!("HS256"),
                json!("RS256"),
                json!("ES256"),
                json!("EdDSA"),
                json!("ES384"),
                json!("PS256"),
                json!("es256"),
                json!(""),
                json!(null),
                json!("ES256K"),
            ];
            ("alg", one_of(rng, &algorithms))
        }
        5..=7 => {
            let types = [
                json!("dpop+jwt"),
                json!("jwt"),
                json!("x+jwt"),
                json!(""),
                json!("application/"),
                json!(null),
                json!("APPLICATION/jwt"),
                json!("application/application/jwt"),
                json!(1),
            ];
            ("typ", one_of(rng, &types))
        }
        8 => (
            "crit",
            one_of(rng, &[json!(["exp"]), json!([]), json!(null)]),
        ),
        9 => (
            "b64",
            one_of(
                rng,
                &[json!(true), json!(false), json!(null), json!("true")],
            ),
        ),
        10 => ("zip", json!("DEF")),
        _ => ("jwk", SIGNERS[0].jwk.clone()),
    };
    let shown = format!("{name} {value}");
    header[name] = value;
    shown
}

fn spoil_json(rng: &mut Rng, header: &mut String, payload: &mut String) -> String {
    let in_header = chance(rng, 30);
    let text = if in_header { header } else { payload };
    let more = [
        r#""iss":"https://a.example""#,
        r#""e\u0078p":1"#,
        r#""a":{"b":1,"b":2}"#,
        r#""a":[{"b":1,"\u0062":1}]"#,
        r#""alg":"none""#,
        r#""a":NaN"#,
        r#""a":1e400"#,
        "",
    ];
    let more = one_of(rng, &more);
    match rng.u8(0..4) {
        0 => *text = format!("{text} x"),
        1 => "[]".clone_into(text),
        _ => {
            text.pop();
            text.extend([",", more, "}"]);
        }
    }
    let part = if in_header { "header" } else { "payload" };
    format!("{part} with {more}")
}

fn spoil_text(rng: &mut Rng, text: &mut String) -> String {
    let parts: Vec<&str> = text.split('.').collect();
    let (spoiled, fault) = match rng.u8(0..9) {
        0 => (format!("{text}="), "padding"),
        1 => (format!("{text}."), "a dot at the end"),
        2 => (format!("{}.{}.", parts[0], parts[1]), "no signature"),
        3 => (format!("{}..{}", parts[0], parts[2]), "no payload"),
        4 => (format!("{text}.{}", parts[2]), "four parts"),
        5 => (format!("{}.{}", parts[0], parts[1]), "two parts"),
        6 => {
            // The unused bits of the last character.
            let mut other = text.clone();
            let last = other.pop().unwrap_or('A');
            other.push(if last == 'A' {
                'B'
            } else {
                char::from(last as u8 + 1)
            });
            (
                other.replace(':', "-").replace('[', "_").replace('{', "-"),
                "another last character",
            )
        }
        7 => (
            format!("{}+/.{}.{}", parts[0], parts[1], parts[2]),
            "signs of base64",
        ),
        _ => ("a.b.c".to_owned(), "garbage"),
    };
    *text = spoiled;
    fault.to_owned()
}
