//! Key sets.

mod wire;

use std::rc::Rc;
use std::time::Duration;

use gate::fetching::{Backoff, DocumentSource, RefreshPolicy, RemoteDocument, Resource, Retries};
use gate::keys::{KeySet, KeyUses, Provenance};
use gate::policy::KeySource;

use super::environment::{self, Environment};
use super::error::ConfigError;
use super::http_uri;
use super::scalar::{NonEmpty, PositiveDuration};

use wire::RetryPolicyWire;
pub(crate) use wire::{LocalJwksWire, RemoteJwksWire};

const DEFAULT_CACHE_DURATION: Duration = Duration::from_mins(10);
const DEFAULT_MAX_STALE: Duration = Duration::from_hours(24);
const DEFAULT_REFETCH_COOLDOWN: Duration = Duration::from_secs(10);

/// The shortest cooldown. Clients that send unknown `kid`s cause one fetch per cooldown.
const SHORTEST_COOLDOWN: Duration = Duration::from_secs(1);

/// The delays before a failed fetch is repeated.
const FIRST_RETRY: Duration = Duration::from_secs(1);
const LONGEST_RETRY: Duration = Duration::from_mins(1);

/// Envoy's default delay before it repeats a request within one fetch.
const RETRY_BASE_INTERVAL: Duration = Duration::from_millis(25);

/// Builds the key source of the provider at `path` from its fields `remote_jwks` and `local_jwks`, and
/// the values of `use` that its keys may have. A provider that `introspects` needs neither field.
pub(crate) fn build(
    path: &str,
    issuer: Option<&str>,
    remote: Option<RemoteJwksWire>,
    local: Option<LocalJwksWire>,
    introspects: bool,
    environment: Environment<'_>,
) -> Result<(KeySource, KeyUses), ConfigError> {
    match (remote, local) {
        (Some(mut remote), None) => {
            let uses = key_uses(&format!("{path}.remote_jwks"), remote.key_uses.take())?;
            let jwks = build_remote(path, issuer, remote)?;
            Ok((KeySource::Remote(Rc::new(jwks)), uses))
        }
        (None, Some(mut local)) => {
            let path = format!("{path}.local_jwks");
            let uses = key_uses(&path, local.key_uses.take())?;
            let set = build_local(&path, local, &uses, environment)?;
            Ok((KeySource::Local(Rc::new(set)), uses))
        }
        (None, None) if introspects => Ok((KeySource::None, KeyUses::default())),
        (None, None) => {
            let problem = "needs remote_jwks, local_jwks or introspection";
            Err(ConfigError::new(path, problem))
        }
        (Some(_), Some(_)) => Err(ConfigError::new(
            path,
            "has both remote_jwks and local_jwks",
        )),
    }
}

/// The values of `use` from the field `key_uses` of the object at `path`.
fn key_uses(path: &str, given: Option<Vec<NonEmpty>>) -> Result<KeyUses, ConfigError> {
    match given {
        None => Ok(KeyUses::default()),
        Some(uses) if uses.is_empty() => Err(ConfigError::new(
            format!("{path}.key_uses"),
            "must not be empty",
        )),
        Some(uses) => Ok(KeyUses::new(
            uses.into_iter().map(|value| value.0).collect(),
        )),
    }
}

fn build_local(
    path: &str,
    wire: LocalJwksWire,
    uses: &KeyUses,
    environment: Environment<'_>,
) -> Result<KeySet, ConfigError> {
    let given = (
        wire.inline_string,
        wire.inline_bytes,
        wire.environment_variable,
    );
    let (field, document) = match given {
        (Some(text), None, None) => ("inline_string", text.into_bytes()),
        (None, Some(bytes), None) => ("inline_bytes", bytes.0),
        (None, None, Some(name)) => {
            let path = format!("{path}.environment_variable");
            let text = environment::variable(&path, &name.0, environment)?;
            ("environment_variable", text.into_bytes())
        }
        _ => {
            let problem = "needs one of inline_string, inline_bytes and environment_variable";
            return Err(ConfigError::new(path, problem));
        }
    };
    KeySet::parse_from(&document, Provenance::Configuration, uses)
        .map_err(|problem| ConfigError::new(format!("{path}.{field}"), problem.to_string()))
}

fn build_remote(
    path: &str,
    issuer: Option<&str>,
    wire: RemoteJwksWire,
) -> Result<RemoteDocument, ConfigError> {
    let issuer_path = format!("{path}.issuer");
    let path = format!("{path}.remote_jwks");
    let (field, cluster, source, timeout) = match (wire.http_uri, wire.discovery) {
        (Some(wire), None) => (
            "http_uri",
            wire.cluster,
            DocumentSource::Uri(wire.uri.0),
            wire.timeout,
        ),
        (None, Some(wire)) => (
            "discovery",
            wire.cluster,
            metadata(&issuer_path, issuer)?,
            wire.timeout,
        ),
        (None, None) => return Err(ConfigError::new(path, "needs http_uri or discovery")),
        (Some(_), Some(_)) => {
            return Err(ConfigError::new(path, "has both http_uri and discovery"));
        }
    };
    let failed_refetch_duration = wire
        .async_fetch
        .and_then(|wire| wire.failed_refetch_duration);
    let longest_retry = PositiveDuration::or(failed_refetch_duration, LONGEST_RETRY);
    let lifetimes = lifetimes(&path, wire.cache_duration, wire.max_stale)?;
    Ok(RemoteDocument {
        cluster: cluster.0,
        source,
        authorization: None,
        policy: RefreshPolicy {
            timeout: http_uri::timeout(&format!("{path}.{field}"), timeout)?,
            cache_duration: lifetimes.cache_duration,
            max_stale: lifetimes.max_stale,
            refetch_cooldown: refetch_cooldown(&path, wire.refetch_cooldown)?,
            retry: Backoff::new(FIRST_RETRY.min(longest_retry), longest_retry),
        },
        retries: retries(&path, wire.retry_policy)?,
    })
}

/// The places of the metadata of `issuer`, the field at `path`.
fn metadata(path: &str, issuer: Option<&str>) -> Result<DocumentSource, ConfigError> {
    let origin = issuer.and_then(|issuer| {
        Some(DocumentSource::Metadata {
            issuer: issuer.to_owned(),
            places: Resource::of_metadata(issuer)?,
        })
    });
    origin.ok_or_else(|| {
        let problem = "must be an http or https URI without query: discovery reads its metadata";
        ConfigError::new(path, problem)
    })
}

/// How long a fetched key set is used.
struct Lifetimes {
    cache_duration: Duration,
    max_stale: Duration,
}

fn lifetimes(
    path: &str,
    cache_duration: Option<PositiveDuration>,
    max_stale: Option<PositiveDuration>,
) -> Result<Lifetimes, ConfigError> {
    let cache_duration = PositiveDuration::or(cache_duration, DEFAULT_CACHE_DURATION);
    if cache_duration < Duration::from_millis(1) {
        return Err(ConfigError::new(
            format!("{path}.cache_duration"),
            "must be at least \"0.001s\"",
        ));
    }
    // With a long `cache_duration` and the plain default, one failed fetch would make the keys
    // unavailable.
    let default_max_stale = DEFAULT_MAX_STALE.max(cache_duration.saturating_mul(2));
    let max_stale = PositiveDuration::or(max_stale, default_max_stale);
    if max_stale < cache_duration {
        return Err(ConfigError::new(
            format!("{path}.max_stale"),
            "must not be shorter than cache_duration",
        ));
    }
    Ok(Lifetimes {
        cache_duration,
        max_stale,
    })
}

fn refetch_cooldown(path: &str, given: Option<PositiveDuration>) -> Result<Duration, ConfigError> {
    let cooldown = PositiveDuration::or(given, DEFAULT_REFETCH_COOLDOWN);
    if cooldown < SHORTEST_COOLDOWN {
        return Err(ConfigError::new(
            format!("{path}.refetch_cooldown"),
            "must be at least \"1s\"",
        ));
    }
    Ok(cooldown)
}

/// Envoy's defaults for a retry policy: one repetition, and delays of up to ten times the base
/// interval.
fn retries(path: &str, wire: Option<RetryPolicyWire>) -> Result<Retries, ConfigError> {
    let number = match &wire {
        None => 0,
        Some(wire) => wire.num_retries.map_or(1, |number| number.0),
    };
    let (base, longest) = match wire.and_then(|wire| wire.retry_back_off) {
        None => (RETRY_BASE_INTERVAL, None),
        Some(wire) => (wire.base_interval.0, wire.max_interval),
    };
    let longest = PositiveDuration::or(longest, base.saturating_mul(10));
    if longest < base {
        return Err(ConfigError::new(
            format!("{path}.retry_policy.retry_back_off.max_interval"),
            "must not be shorter than base_interval",
        ));
    }
    Ok(Retries {
        number,
        backoff: Backoff::new(base, longest),
    })
}
