//! Where a provider's keys come from.

mod wire;

use std::rc::Rc;
use std::time::Duration;

use super::Environment;
use super::error::ConfigError;
use super::scalar::PositiveDuration;
use crate::fetching::{Backoff, Origin, Policy, Remote, Resource, Retries};
use crate::keys::KeySet;

use wire::RetryPolicyWire;
pub(super) use wire::{HttpUriWire, LocalJwksWire, RemoteJwksWire};

/// Where a provider's keys come from.
#[derive(Clone, Debug)]
pub enum KeySource {
    /// From the configuration itself.
    Local(Rc<KeySet>),
    /// From a server.
    Remote(Rc<Remote>),
    /// From nowhere: an authorization server is asked about the provider's tokens.
    None,
}

/// What is wrong with an environment variable that is not there.
pub(super) const NO_VARIABLE: &str = "there is no such variable: the filter sees those that \
                                      vm_config.environment_variables names";

const DEFAULT_TIMEOUT: Duration = Duration::from_secs(5);
const DEFAULT_CACHE_DURATION: Duration = Duration::from_secs(600);
const DEFAULT_MAX_STALE: Duration = Duration::from_secs(24 * 3600);
const DEFAULT_REFETCH_COOLDOWN: Duration = Duration::from_secs(10);

/// The longest timeout of a fetch: Envoy takes milliseconds in 32 bits.
const LONGEST_TIMEOUT: Duration = Duration::from_secs(3600);

/// The shortest cooldown: whoever sends unknown `kid`s sets the pace of fetches.
const SHORTEST_COOLDOWN: Duration = Duration::from_secs(1);

/// How soon a failed fetch is tried again.
const FIRST_RETRY: Duration = Duration::from_secs(1);
const LONGEST_RETRY: Duration = Duration::from_secs(60);

/// How soon, within one fetch, Envoy tries again where it is not told.
const RETRY_BASE_INTERVAL: Duration = Duration::from_millis(25);

pub(super) fn build(
    path: &str,
    issuer: Option<&str>,
    remote: Option<RemoteJwksWire>,
    local: Option<LocalJwksWire>,
    introspects: bool,
    environment: Environment<'_>,
) -> Result<KeySource, ConfigError> {
    match (remote, local) {
        (Some(remote), None) => {
            build_remote(path, issuer, remote).map(|jwks| KeySource::Remote(Rc::new(jwks)))
        }
        (None, Some(local)) => {
            let path = format!("{path}.local_jwks");
            build_local(&path, local, environment).map(|set| KeySource::Local(Rc::new(set)))
        }
        (None, None) if introspects => Ok(KeySource::None),
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

fn build_local(
    path: &str,
    wire: LocalJwksWire,
    environment: Environment<'_>,
) -> Result<KeySet, ConfigError> {
    let error = |field: &str, problem: &str| ConfigError::new(format!("{path}.{field}"), problem);
    let (field, document) = match (
        wire.inline_string,
        wire.inline_bytes,
        wire.environment_variable,
    ) {
        (Some(text), None, None) => ("inline_string", text.into_bytes()),
        (None, Some(bytes), None) => ("inline_bytes", bytes.0),
        (None, None, Some(name)) => {
            let field = "environment_variable";
            let text = environment(&name.0).ok_or_else(|| error(field, NO_VARIABLE))?;
            (field, text.into_bytes())
        }
        _ => {
            let problem = "needs one of inline_string, inline_bytes and environment_variable";
            return Err(ConfigError::new(path, problem));
        }
    };
    KeySet::parse_local(&document).map_err(|problem| error(field, problem))
}

fn build_remote(
    path: &str,
    issuer: Option<&str>,
    wire: RemoteJwksWire,
) -> Result<Remote, ConfigError> {
    let issuer_path = format!("{path}.issuer");
    let path = format!("{path}.remote_jwks");
    let (field, cluster, origin, timeout) = match (wire.http_uri, wire.discovery) {
        (Some(wire), None) => (
            "http_uri",
            wire.cluster,
            Origin::Place(wire.uri.0),
            wire.timeout,
        ),
        (None, Some(wire)) => {
            let problem =
                "must be an http or https URI without query: discovery reads its metadata";
            let origin = issuer
                .and_then(|issuer| {
                    Some(Origin::Metadata {
                        issuer: issuer.to_owned(),
                        places: Resource::of_metadata(issuer)?,
                    })
                })
                .ok_or_else(|| ConfigError::new(issuer_path, problem))?;
            ("discovery", wire.cluster, origin, wire.timeout)
        }
        (None, None) => return Err(ConfigError::new(path, "needs http_uri or discovery")),
        (Some(_), Some(_)) => {
            return Err(ConfigError::new(path, "has both http_uri and discovery"));
        }
    };
    let or = |given: Option<PositiveDuration>, default| given.map_or(default, |given| given.0);
    let timeout = self::timeout(&format!("{path}.{field}"), timeout)?;
    let cache_duration = or(wire.cache_duration, DEFAULT_CACHE_DURATION);
    if cache_duration < Duration::from_millis(1) {
        return Err(ConfigError::new(
            format!("{path}.cache_duration"),
            "must be at least \"0.001s\"",
        ));
    }
    // Where only `cache_duration` is given, and long, an outage must not cost the keys at once.
    let default_max_stale = DEFAULT_MAX_STALE.max(cache_duration.saturating_mul(2));
    let max_stale = or(wire.max_stale, default_max_stale);
    if max_stale < cache_duration {
        return Err(ConfigError::new(
            format!("{path}.max_stale"),
            "must not be shorter than cache_duration",
        ));
    }
    let refetch_cooldown = or(wire.refetch_cooldown, DEFAULT_REFETCH_COOLDOWN);
    if refetch_cooldown < SHORTEST_COOLDOWN {
        return Err(ConfigError::new(
            format!("{path}.refetch_cooldown"),
            "must be at least \"1s\"",
        ));
    }
    let failed_refetch_duration = wire
        .async_fetch
        .and_then(|wire| wire.failed_refetch_duration);
    let longest_retry = or(failed_refetch_duration, LONGEST_RETRY);
    Ok(Remote {
        cluster: cluster.0,
        origin,
        authorization: None,
        policy: Policy {
            timeout,
            cache_duration,
            max_stale,
            refetch_cooldown,
            retry: Backoff::new(FIRST_RETRY.min(longest_retry), longest_retry),
        },
        retries: retries(&path, wire.retry_policy)?,
    })
}

/// How long a callout may take.
pub(super) fn timeout(
    path: &str,
    given: Option<PositiveDuration>,
) -> Result<Duration, ConfigError> {
    let timeout = given.map_or(DEFAULT_TIMEOUT, |given| given.0);
    if !(Duration::from_millis(1)..=LONGEST_TIMEOUT).contains(&timeout) {
        let problem = "must be from \"0.001s\" to \"3600s\"";
        return Err(ConfigError::new(format!("{path}.timeout"), problem));
    }
    Ok(timeout)
}

/// Envoy's own reading of the message: once where the policy does not say how often, and up to ten
/// times the base interval where it does not say how late.
fn retries(path: &str, wire: Option<RetryPolicyWire>) -> Result<Retries, ConfigError> {
    let number = match &wire {
        None => 0,
        Some(wire) => wire.num_retries.map_or(1, |number| number.0),
    };
    let (base, longest) = match wire.and_then(|wire| wire.retry_back_off) {
        None => (RETRY_BASE_INTERVAL, None),
        Some(wire) => (wire.base_interval.0, wire.max_interval),
    };
    let longest = longest.map_or(base.saturating_mul(10), |longest| longest.0);
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

#[cfg(test)]
mod tests;
