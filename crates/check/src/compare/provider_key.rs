//! The keys that tokens of the table are signed with.

use std::collections::BTreeMap;
use std::rc::Rc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gate::verify::Algorithm;
use serde_json::{Value, json};

use super::native::fields::{get, list, text};
use crate::mint::key_pair::KeyPair;

/// The key of a provider, which replaces its key set.
pub(crate) struct ProviderKey {
    pub(crate) pair: KeyPair,
    pub(crate) kid: String,
}

/// The keys by the name of the provider.
pub(crate) type ProviderKeys = BTreeMap<String, Rc<ProviderKey>>;

/// A copy of the configuration `native` in which each provider has its key in `local_jwks`. Keys that are not yet in
/// `keys` are made.
///
/// # Errors
///
/// That the library cannot make a key.
pub(crate) fn replace_keys(native: &Value, keys: &mut ProviderKeys) -> Result<Value, String> {
    let mut native = native.clone();
    let providers = native.get_mut("providers").and_then(Value::as_object_mut);
    for (name, provider) in providers.into_iter().flatten() {
        let key = match keys.get(name) {
            Some(key) => Rc::clone(key),
            None => Rc::new(ProviderKey {
                pair: KeyPair::generate(algorithm(provider)?)?,
                kid: name.clone(),
            }),
        };
        let set = json!({"keys": [key.pair.jwk(&key.kid)?]}).to_string();
        if let Some(members) = provider.as_object_mut() {
            for source in ["remote_jwks", "remoteJwks", "local_jwks", "localJwks"] {
                members.remove(source);
            }
            members.insert("local_jwks".to_owned(), json!({"inline_string": set}));
        }
        keys.insert(name.clone(), key);
    }
    Ok(native)
}

/// HS256 for a provider that has only shared secrets, else ES256.
fn algorithm(provider: &Value) -> Result<Algorithm, String> {
    let source = get(provider, "local_jwks");
    let given = source.map(|source| {
        let bytes = STANDARD.decode(text(source, "inline_bytes"));
        let bytes = String::from_utf8(bytes.unwrap_or_default()).unwrap_or_default();
        text(source, "inline_string") + &bytes
    });
    let set: Value = serde_json::from_str(&given.unwrap_or_default()).unwrap_or_default();
    let keys = list(&set, "keys");
    let is_secret = |key: &&Value| text(key, "kty") == "oct";
    let name = if !keys.is_empty() && keys.iter().all(is_secret) {
        "HS256"
    } else {
        "ES256"
    };
    Algorithm::from_name(name).ok_or_else(|| format!("there is no {name}"))
}
