//! Where a provider's revocation list is, and what its absence means.

use std::rc::Rc;
use std::time::Duration;

use serde::Deserialize;

use super::Environment;
use super::error::ConfigError;
use super::jwks::{self, HttpUriWire};
use super::scalar::{NonEmpty, PositiveDuration};
use crate::fetching::{Authorization, Backoff, Origin, Policy, Remote, Retries};
use crate::revocation::ListFormat;

/// A list of revoked tokens.
#[derive(Clone, Debug)]
pub struct Revocation {
    /// Where it is, and how often it is fetched.
    pub remote: Rc<Remote>,
    /// How it is written down.
    pub format: ListFormat,
    /// What its absence means.
    pub on_unavailable: OnUnavailable,
}

/// What becomes of tokens while there is no list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum OnUnavailable {
    /// They are refused.
    #[default]
    Deny,
    /// They are not checked.
    Allow,
}

const DEFAULT_REFRESH_INTERVAL: Duration = Duration::from_secs(10);
const DEFAULT_MAX_STALE: Duration = Duration::from_secs(300);

/// The shortest interval: the workers look at what they share twice a second.
const SHORTEST_REFRESH_INTERVAL: Duration = Duration::from_millis(100);

/// How soon a failed fetch is tried again.
const FIRST_RETRY: Duration = Duration::from_secs(1);
const LONGEST_RETRY: Duration = Duration::from_secs(60);

#[derive(Deserialize)]
#[cfg_attr(
    not(target_arch = "wasm32"),
    derive(schemars::JsonSchema),
    schemars(rename = "Revocation", title = "Revocation")
)]
#[serde(deny_unknown_fields)]
pub(super) struct RevocationWire {
    /// Where the list is.
    #[serde(alias = "httpUri")]
    http_uri: HttpUriWire,
    /// How often it is fetched. Default `"10s"`, at least `"0.1s"`.
    #[serde(default, alias = "refreshInterval")]
    refresh_interval: Option<PositiveDuration>,
    /// How long a list may be used after the last good fetch; not shorter than `refresh_interval`.
    /// Default `"300s"`, or twice `refresh_interval` where that is longer.
    #[serde(default, alias = "maxStale")]
    max_stale: Option<PositiveDuration>,
    /// How the list is written down: `"list"` (default) or `"wso2"`.
    #[serde(default)]
    format: Option<FormatWire>,
    /// Who asks for it, by HTTP Basic authentication. Default: nobody in particular.
    #[serde(default)]
    username: Option<NonEmpty>,
    /// The environment variable of the VM that holds the password.
    #[serde(default, alias = "passwordEnvironmentVariable")]
    password_environment_variable: Option<NonEmpty>,
    /// What becomes of tokens while there is no list: `"deny"` (default), or `"allow"`, not to check
    /// them.
    #[serde(default, alias = "onUnavailable")]
    on_unavailable: Option<OnUnavailable>,
}

#[derive(Deserialize)]
#[cfg_attr(
    not(target_arch = "wasm32"),
    derive(schemars::JsonSchema),
    schemars(rename = "ListFormat")
)]
#[serde(rename_all = "lowercase")]
enum FormatWire {
    List,
    Wso2,
}

pub(super) fn build(
    provider: &str,
    wire: RevocationWire,
    environment: Environment<'_>,
) -> Result<Revocation, ConfigError> {
    let path = format!("{provider}.revocation");
    let error = |field: &str, problem: &str| ConfigError::new(format!("{path}.{field}"), problem);
    let timeout = jwks::timeout(&format!("{path}.http_uri"), wire.http_uri.timeout)?;
    let or = |given: Option<PositiveDuration>, default| given.map_or(default, |given| given.0);
    let refresh_interval = or(wire.refresh_interval, DEFAULT_REFRESH_INTERVAL);
    if refresh_interval < SHORTEST_REFRESH_INTERVAL {
        return Err(error("refresh_interval", "must be at least \"0.1s\""));
    }
    // Where only the interval is given, and long, one failed fetch must not cost the list.
    let default_max_stale = DEFAULT_MAX_STALE.max(refresh_interval.saturating_mul(2));
    let max_stale = or(wire.max_stale, default_max_stale);
    if max_stale < refresh_interval {
        let problem = "must not be shorter than refresh_interval";
        return Err(error("max_stale", problem));
    }
    let longest_retry = refresh_interval.clamp(FIRST_RETRY, LONGEST_RETRY);
    let remote = Remote {
        cluster: wire.http_uri.cluster.0,
        origin: Origin::Place(wire.http_uri.uri.0),
        authorization: authorization(
            &path,
            wire.username,
            wire.password_environment_variable,
            environment,
        )?,
        policy: Policy {
            timeout,
            cache_duration: refresh_interval,
            max_stale,
            // Nobody asks for a newer list than is due.
            refetch_cooldown: max_stale,
            retry: Backoff::new(FIRST_RETRY, longest_retry),
        },
        retries: Retries {
            number: 0,
            backoff: Backoff::new(FIRST_RETRY, FIRST_RETRY),
        },
    };
    Ok(Revocation {
        remote: Rc::new(remote),
        format: match wire.format {
            None | Some(FormatWire::List) => ListFormat::List,
            Some(FormatWire::Wso2) => ListFormat::Wso2,
        },
        on_unavailable: wire.on_unavailable.unwrap_or_default(),
    })
}

fn authorization(
    path: &str,
    username: Option<NonEmpty>,
    variable: Option<NonEmpty>,
    environment: Environment<'_>,
) -> Result<Option<Authorization>, ConfigError> {
    match (username, variable) {
        (None, None) => Ok(None),
        (Some(NonEmpty(username)), Some(NonEmpty(variable))) => {
            if username.contains(':') || username.chars().any(char::is_control) {
                let problem = "must have no colon and no control characters (RFC 7617)";
                return Err(ConfigError::new(format!("{path}.username"), problem));
            }
            let path = format!("{path}.password_environment_variable");
            let password = secret(&path, &variable, environment)?;
            Ok(Some(Authorization::basic(&username, &password)))
        }
        (Some(_), None) => {
            let problem = "username needs password_environment_variable";
            Err(ConfigError::new(path, problem))
        }
        (None, Some(_)) => {
            let problem = "password_environment_variable needs username";
            Err(ConfigError::new(path, problem))
        }
    }
}

/// The value of the environment variable `name`.
pub(super) fn secret(
    path: &str,
    name: &str,
    environment: Environment<'_>,
) -> Result<String, ConfigError> {
    let secret = environment(name).filter(|secret| !secret.is_empty());
    secret.ok_or_else(|| ConfigError::new(path, jwks::NO_VARIABLE))
}

#[cfg(test)]
mod tests;
