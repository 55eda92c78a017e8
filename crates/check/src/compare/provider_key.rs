//! The keys that tokens of the table are signed with.

use std::collections::BTreeMap;
use std::rc::Rc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gate::verify::Algorithm;
use gate_config::camel;
use serde_json::{Value, json};

use super::native::fields::{get, list, text};
use crate::mint::key_pair::KeyPair;

/// The key of a provider, which replaces its key set.
pub(crate) struct ProviderKey {
    pub(crate) pair: KeyPair,
    pub(crate) kid: String,
}

/// The keys that have been made.
#[derive(Default)]
pub(crate) struct ProviderKeys {
    by_provider: BTreeMap<String, Rc<ProviderKey>>,
    /// The key sets that they replace. Providers with the same key set have the same key.
    replaced: Vec<(Value, Rc<ProviderKey>)>,
}

impl ProviderKeys {
    /// The key of the provider `name`.
    pub(crate) fn get(&self, name: &str) -> Option<&Rc<ProviderKey>> {
        self.by_provider.get(name)
    }

    /// A copy of the configuration `native` in which each provider has its key in `local_jwks`. Keys that are not known
    /// yet are made.
    ///
    /// # Errors
    ///
    /// That the library cannot make a key.
    pub(crate) fn replace(&mut self, native: &Value) -> Result<Value, String> {
        let mut native = native.clone();
        let providers = native.get_mut("providers").and_then(Value::as_object_mut);
        for (name, provider) in providers.into_iter().flatten() {
            let key = self.key(name, provider)?;
            let set = json!({"keys": [key.pair.jwk(&key.kid)?]}).to_string();
            if let Some(members) = provider.as_object_mut() {
                for source in SOURCES {
                    members.remove(source);
                    members.remove(&camel(source));
                }
                members.insert("local_jwks".to_owned(), json!({"inline_string": set}));
            }
        }
        Ok(native)
    }

    fn key(&mut self, name: &str, provider: &Value) -> Result<Rc<ProviderKey>, String> {
        if let Some(known) = self.by_provider.get(name) {
            return Ok(Rc::clone(known));
        }
        let source = match SOURCES.iter().find_map(|source| get(provider, source)) {
            // The URI says which keys they are; the rest is about fetching them.
            Some(source) => match get(source, "http_uri") {
                Some(http_uri) => text(http_uri, "uri").into(),
                None => source.clone(),
            },
            None => Value::Null,
        };
        let shared = self.replaced.iter().find(|(known, _)| *known == source);
        let key = match shared {
            Some((_, key)) => Rc::clone(key),
            None => Rc::new(ProviderKey {
                pair: KeyPair::generate(algorithm(provider)?)?,
                kid: name.to_owned(),
            }),
        };
        self.replaced.push((source, Rc::clone(&key)));
        self.by_provider.insert(name.to_owned(), Rc::clone(&key));
        Ok(key)
    }
}

/// The fields of a provider that have its keys.
const SOURCES: [&str; 2] = ["remote_jwks", "local_jwks"];

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
