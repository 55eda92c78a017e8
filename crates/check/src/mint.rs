//! A configuration with keys of its own, and tokens for it.

mod claims;
pub(crate) mod key_pair;
pub(crate) mod kind;
mod local_keys;
pub(crate) mod minter;

use std::rc::Rc;
use std::time::Duration;

use gate::policy::{KeySource, Policy, Provider};
use gate::time::Timestamp;
use gate::verify::Algorithm;
use gate_config::Environment;
use key_pair::KeyPair;
use minter::Minter;
use serde_json::{Value, json};

use crate::config_file::ConfigFile;
use crate::configuration::Configuration;
use crate::native_hint;

/// A file whose providers have fresh keys.
pub(crate) struct Mint {
    /// The file with the key sets in it.
    pub(crate) text: String,
    /// The configurations as they were.
    pub(crate) originals: Vec<MintedConfiguration>,
    /// The configurations with the key sets in them.
    pub(crate) configurations: Vec<MintedConfiguration>,
    /// The keys by the name of the provider.
    pub(crate) keys: Vec<MintedKey>,
}

/// A configuration, with or without fresh keys.
pub(crate) struct MintedConfiguration {
    pub(crate) policy: Policy,
    json: Value,
}

/// The key of a provider.
pub(crate) struct MintedKey {
    pub(crate) provider: String,
    pair: KeyPair,
    pub(crate) key_set: Value,
}

impl MintedKey {
    /// Whether the key set contains a secret.
    pub(crate) const fn is_secret(&self) -> bool {
        self.pair.algorithm().is_symmetric()
    }

    /// The private key in PEM, if there is one.
    pub(crate) fn private_pem(&self) -> Result<Option<String>, String> {
        self.pair.private_pem()
    }
}

impl Mint {
    /// Makes a key pair for each provider of the configurations in a file.
    ///
    /// # Errors
    ///
    /// Why the file contains no valid configuration, or cannot be edited.
    pub(crate) fn new(
        name: &str,
        content: &[u8],
        environment: Environment<'_>,
    ) -> Result<Self, String> {
        let text = str::from_utf8(content).map_err(|_| format!("{name}: is not UTF-8"))?;
        let (found, originals) = parse(name, text, environment)?;
        let mut keys: Vec<MintedKey> = Vec::new();
        for configuration in &originals {
            for provider in &configuration.policy.providers {
                let is_known = keys.iter().any(|key| key.provider == provider.name);
                if !is_known && !matches!(provider.keys, KeySource::None) {
                    keys.push(new_key(&provider.name, configuration.provider(provider))?);
                }
            }
        }
        let paths: Vec<&str> = found.iter().map(|one| one.path.as_str()).collect();
        let sets = keys
            .iter()
            .map(|key| (key.provider.clone(), key.key_set.clone()));
        let sets: Vec<_> = sets.collect();
        let text = local_keys::insert(text, &paths, &sets)
            .map_err(|problem| format!("{name}: {problem}"))?;
        let (_, configurations) = parse(&format!("{name} with local_jwks"), &text, environment)?;
        Ok(Self {
            text,
            originals,
            configurations,
            keys,
        })
    }

    /// What mints tokens of a provider; `None` for one without keys.
    pub(crate) fn minter<'m>(
        &'m self,
        configuration: &'m MintedConfiguration,
        provider: &'m Rc<Provider>,
        lifetime: Duration,
        now: Timestamp,
    ) -> Option<Minter<'m>> {
        let mut keys = self.keys.iter();
        let key = keys.find(|key| key.provider == provider.name)?;
        Some(Minter {
            policy: &configuration.policy,
            provider,
            json: configuration.provider(provider),
            pair: &key.pair,
            kid: &key.provider,
            lifetime,
            now,
        })
    }
}

impl MintedConfiguration {
    /// The provider as it is written.
    fn provider(&self, provider: &Provider) -> &Value {
        let providers = self.json.get("providers");
        let written = providers.and_then(|all| all.get(&provider.name));
        written.unwrap_or(&Value::Null)
    }
}

fn parse(
    name: &str,
    text: &str,
    environment: Environment<'_>,
) -> Result<(Vec<Configuration>, Vec<MintedConfiguration>), String> {
    let file = ConfigFile::parse(text.as_bytes()).map_err(|error| error.in_file(name))?;
    let found = Configuration::find_all(&file);
    if found.is_empty() {
        return Err(native_hint::explain(name, text));
    }
    let parsed = found.iter().map(|configuration| {
        let variables = |name: &str| configuration.variables.get(name, environment);
        let policy = gate_config::parse(&configuration.json, &variables);
        let policy = policy.map_err(|error| {
            let problems = error
                .problems()
                .iter()
                .map(|problem| format!("{name}: {problem}"));
            problems.collect::<Vec<_>>().join("\n")
        })?;
        let json = serde_json::from_slice(&configuration.json).unwrap_or_default();
        Ok(MintedConfiguration { policy, json })
    });
    let parsed = parsed.collect::<Result<Vec<_>, String>>()?;
    Ok((found, parsed))
}

/// A key for the provider, of the first algorithm that it lists; ES256 if it lists none.
fn new_key(name: &str, provider: &Value) -> Result<MintedKey, String> {
    let listed = provider.get("algorithms").and_then(Value::as_array);
    let mut listed = listed.into_iter().flatten().filter_map(Value::as_str);
    let algorithm = listed.find_map(Algorithm::from_name);
    let algorithm = algorithm.or_else(|| Algorithm::from_name("ES256"));
    let pair = KeyPair::generate(algorithm.ok_or("there is no ES256")?)?;
    let jwk = pair.jwk(name)?;
    Ok(MintedKey {
        provider: name.to_owned(),
        pair,
        key_set: json!({"keys": [jwk]}),
    })
}
