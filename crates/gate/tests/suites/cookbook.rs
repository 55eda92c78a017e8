//! The cookbook of JOSE (RFC 7520, with examples of RFC 7797 and RFC 8037): keys, signatures, and
//! whole messages as bearer tokens.
//!
//! `cookbook.json` has the examples of the cookbook's authors (`ietf-jose/cookbook`) without the
//! private members of their keys, except where the example is a private key.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gate::keys::KeySet;
use gate::reason::ReasonKind;
use gate::verify::{Algorithm, Engine};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::requests::{Gate, policy_of};
use crate::suites::{Case, Verdict, check};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Cookbook {
    keys: Vec<KeyRow>,
    examples: Vec<Example>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyRow {
    name: String,
    key: Value,
    /// Whether the key is one to verify signatures with.
    verifies: bool,
    differs: Option<String>,
}

/// A signed or encrypted message.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Example {
    name: String,
    keys: Vec<Value>,
    /// None if the message is encrypted.
    signatures: Vec<SignedInput>,
    /// The message in each of its forms.
    serializations: BTreeMap<String, Value>,
    /// For each form, why the gate refuses it as a bearer token.
    differs: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SignedInput {
    alg: String,
    kid: Option<String>,
    input: String,
    signature: String,
}

fn document(keys: &[Value]) -> String {
    json!({ "keys": keys }).to_string()
}

/// Whether some key of `keys` verifies the signature over the input.
fn verifies(keys: &[Value], signed: &SignedInput, signature: &[u8], engine: &Engine) -> bool {
    let keys = KeySet::parse_local(document(keys).as_bytes()).unwrap();
    let algorithm = Algorithm::from_name(&signed.alg).unwrap();
    let mut candidates = keys.candidates(algorithm, signed.kid.as_deref(), engine);
    candidates.any(|key| {
        let input = signed.input.as_bytes();
        engine
            .verify(&key.public, algorithm, input, signature)
            .is_some()
    })
}

fn signature_cases(example: &Example) -> impl Iterator<Item = Case> {
    let engines = [
        ("module", Engine::software()),
        ("host", Engine::probe(Box::new(gate_fixtures::host))),
    ];
    engines.into_iter().flat_map(move |(by, engine)| {
        example.signatures.iter().flat_map(move |signed| {
            let good = URL_SAFE_NO_PAD.decode(&signed.signature).unwrap();
            let mut bad = good.clone();
            bad[0] ^= 1;
            let name = format!("{}, {} by the {by}", example.name, signed.alg);
            let case = |name: &str, signature: &[u8], is_good| Case {
                name: name.to_owned(),
                expected: Verdict::new(is_good),
                found: Verdict::new(verifies(&example.keys, signed, signature, &engine)),
                differs: None,
            };
            [
                case(&name, &good, true),
                case(&format!("{name}, with another bit"), &bad, false),
            ]
        })
    })
}

/// The decision on the message as a bearer token, for a gate that has its keys and `another`.
fn bearer_case(example: &Example, another: &Value, form: &str, message: &Value) -> Case {
    let keys: Vec<Value> = example.keys.iter().chain([another]).cloned().collect();
    let policy = policy_of(&json!({
        "require_expiration": false,
        "algorithms": ["RS256", "PS256", "PS384", "ES512", "EdDSA", "HS256"],
        "local_jwks": {"inline_string": document(&keys)},
    }));
    let text = message
        .as_str()
        .map_or_else(|| message.to_string(), str::to_owned);
    // Before the only `exp` of the cookbook.
    let gate = Gate::at(1_300_819_000);
    Case {
        name: format!("{}, {form}, as a bearer token", example.name),
        expected: Verdict::Accepted,
        found: Verdict::new(gate.refusal(&policy, &text).is_none()),
        differs: example.differs.get(form).cloned(),
    }
}

fn cookbook() -> Cookbook {
    serde_json::from_str(include_str!("cookbook.json")).unwrap()
}

#[test]
fn the_examples_of_the_jose_cookbook_have_the_documented_verdicts() {
    let cookbook = cookbook();
    let rsa = cookbook.keys.iter().find(|row| row.name == "RFC 7520, 3.3");
    // Keys for encryption alone are no key set.
    let rsa = rsa.unwrap().key.clone();
    let keys = cookbook.keys.into_iter().map(|row| Case {
        found: Verdict::new(KeySet::parse_local(document(&[row.key]).as_bytes()).is_ok()),
        expected: Verdict::new(row.verifies),
        name: row.name,
        differs: row.differs,
    });
    let examples = cookbook.examples.iter();
    let signatures = examples.clone().flat_map(signature_cases);
    let bearers = examples.flat_map(|example| {
        let forms = example.serializations.iter();
        forms.map(|(form, message)| bearer_case(example, &rsa, form, message))
    });
    let cases: Vec<Case> = keys.chain(signatures).chain(bearers).collect();
    check("The JOSE cookbook", 0, &cases);
}

#[test]
fn an_encrypted_token_of_the_cookbook_is_for_the_introspection_endpoint() {
    let policy = policy_of(&json!({
        "introspection": {
            "http_uri": {"uri": "https://issuer.example/introspect", "cluster": "issuer"},
            "client_id": "gate",
            "client_secret_environment_variable": "SECRET",
        },
    }));
    let mut sent = 0;
    for example in cookbook().examples {
        let compact = example.serializations.get("compact");
        let Some(token) = compact.and_then(Value::as_str) else {
            continue;
        };
        let refusal = Gate::at(1_300_819_000).refusal(&policy, token);
        // The endpoint has not answered yet.
        let is_for_endpoint = refusal == Some(ReasonKind::IntrospectionUnavailable);
        assert_eq!(
            is_for_endpoint,
            example.signatures.is_empty(),
            "{}",
            example.name
        );
        sent += usize::from(is_for_endpoint);
    }
    assert_eq!(sent, 11);
}
