//! The shape of the configuration's JSON. Every object refuses fields that it does not know; a
//! `null` is a field that is not there, as in protobuf's JSON form.

use std::fmt;
use std::marker::PhantomData;
use std::rc::Rc;

use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, Visitor};

use super::error::ConfigError;
use super::provider::{self, Provider};
use super::rules::Rules;
use super::scalar::{Bytes, HttpUri, NonEmpty, PositiveDuration, Unsigned};
use super::{Config, Environment, rules};

/// Parses the JSON of a configuration. What refers to something else is checked by `build`.
pub(super) fn parse(json: &[u8]) -> Result<ConfigWire, ConfigError> {
    let mut deserializer = serde_json::Deserializer::from_slice(json);
    let config = read(&mut deserializer)?;
    let end = deserializer.end();
    end.map_err(|error| ConfigError::new("", format!("not JSON: {error}")))?;
    Ok(config)
}

/// The same for JSON that has been parsed already.
pub(super) fn read<'de, D>(json: D) -> Result<ConfigWire, ConfigError>
where
    D: Deserializer<'de, Error = serde_json::Error>,
{
    serde_path_to_error::deserialize(json).map_err(|error| ConfigError::from_serde(&error))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ConfigWire {
    providers: Entries<ProviderWire>,
    #[serde(default)]
    rules: Option<Vec<RuleWire>>,
    #[serde(default, alias = "unmatchedRequests")]
    unmatched_requests: Option<UnmatchedWire>,
    #[serde(default, alias = "bypassCorsPreflight")]
    bypass_cors_preflight: Option<bool>,
    #[serde(default)]
    realm: Option<NonEmpty>,
}

impl ConfigWire {
    pub(super) fn build(self, environment: Environment<'_>) -> Result<Config, ConfigError> {
        if self.providers.0.is_empty() {
            return Err(ConfigError::new("providers", "must not be empty"));
        }
        let mut providers = Vec::new();
        for (index, (name, wire)) in self.providers.0.into_iter().enumerate() {
            providers.push(Rc::new(provider::build(index, name, wire, environment)?));
        }
        let rules = match self.rules {
            Some(rules) if !rules.is_empty() => Rules::Listed {
                rules: build_rules(rules, &providers)?,
                allow_unmatched: matches!(self.unmatched_requests, Some(UnmatchedWire::Allow)),
            },
            _ => Rules::AnyProvider,
        };
        Ok(Config {
            providers,
            rules,
            bypass_cors_preflight: self.bypass_cors_preflight.unwrap_or(false),
            realm: self.realm.map(|realm| realm.0),
        })
    }
}

fn build_rules(
    wires: Vec<RuleWire>,
    providers: &[Rc<Provider>],
) -> Result<Vec<rules::Rule>, ConfigError> {
    let build = |(index, wire)| rules::build(&format!("rules[{index}]"), wire, providers);
    wires.into_iter().enumerate().map(build).collect()
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum UnmatchedWire {
    Deny,
    Allow,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ProviderWire {
    #[serde(default)]
    pub(super) issuer: Option<NonEmpty>,
    #[serde(default)]
    pub(super) audiences: Option<Vec<NonEmpty>>,
    #[serde(default, alias = "remoteJwks")]
    pub(super) remote_jwks: Option<RemoteJwksWire>,
    #[serde(default, alias = "localJwks")]
    pub(super) local_jwks: Option<LocalJwksWire>,
    #[serde(default)]
    pub(super) forward: Option<bool>,
    #[serde(default, alias = "clockSkewSeconds")]
    pub(super) clock_skew_seconds: Option<Unsigned>,
    #[serde(default, alias = "requireExpiration")]
    pub(super) require_expiration: Option<bool>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RemoteJwksWire {
    #[serde(default, alias = "httpUri")]
    pub(super) http_uri: Option<HttpUriWire>,
    #[serde(default)]
    pub(super) discovery: Option<DiscoveryWire>,
    #[serde(default, alias = "cacheDuration")]
    pub(super) cache_duration: Option<PositiveDuration>,
    #[serde(default, alias = "maxStale")]
    pub(super) max_stale: Option<PositiveDuration>,
    #[serde(default, alias = "refetchCooldown")]
    pub(super) refetch_cooldown: Option<PositiveDuration>,
    #[serde(default, alias = "asyncFetch")]
    pub(super) async_fetch: Option<AsyncFetchWire>,
    #[serde(default, alias = "retryPolicy")]
    pub(super) retry_policy: Option<RetryPolicyWire>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HttpUriWire {
    pub(super) uri: HttpUri,
    pub(super) cluster: NonEmpty,
    #[serde(default)]
    pub(super) timeout: Option<PositiveDuration>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DiscoveryWire {
    pub(super) cluster: NonEmpty,
    #[serde(default)]
    pub(super) timeout: Option<PositiveDuration>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AsyncFetchWire {
    /// Whether the listener may serve before the first fetch has ended: here it always may.
    #[serde(default, rename = "fast_listener", alias = "fastListener")]
    _fast_listener: Option<bool>,
    #[serde(default, alias = "failedRefetchDuration")]
    pub(super) failed_refetch_duration: Option<PositiveDuration>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RetryPolicyWire {
    #[serde(default, alias = "numRetries")]
    pub(super) num_retries: Option<Unsigned>,
    #[serde(default, alias = "retryBackOff")]
    pub(super) retry_back_off: Option<RetryBackOffWire>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RetryBackOffWire {
    #[serde(alias = "baseInterval")]
    pub(super) base_interval: PositiveDuration,
    #[serde(default, alias = "maxInterval")]
    pub(super) max_interval: Option<PositiveDuration>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LocalJwksWire {
    #[serde(default, alias = "inlineString")]
    pub(super) inline_string: Option<String>,
    #[serde(default, alias = "inlineBytes")]
    pub(super) inline_bytes: Option<Bytes>,
    #[serde(default, alias = "environmentVariable")]
    pub(super) environment_variable: Option<NonEmpty>,
    #[serde(default)]
    pub(super) filename: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RuleWire {
    #[serde(rename = "match")]
    pub(super) matcher: MatchWire,
    #[serde(default)]
    pub(super) requires: Option<RequirementWire>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MatchWire {
    #[serde(default)]
    pub(super) prefix: Option<String>,
    #[serde(default)]
    pub(super) path: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RequirementWire {
    #[serde(alias = "providerName")]
    pub(super) provider_name: String,
}

/// The entries of an object, in their order, each name once.
pub(super) struct Entries<T>(pub(super) Vec<(String, T)>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Entries<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(EntriesVisitor(PhantomData))
    }
}

struct EntriesVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for EntriesVisitor<T> {
    type Value = Entries<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Entries<T>, A::Error> {
        let mut entries: Vec<(String, T)> = Vec::new();
        while let Some(name) = access.next_key::<String>()? {
            if entries.iter().any(|(known, _)| *known == name) {
                return Err(A::Error::custom(format!("duplicate field `{name}`")));
            }
            entries.push((name, access.next_value()?));
        }
        Ok(Entries(entries))
    }
}
