//! Revocation lists.

use std::rc::Rc;
use std::time::Duration;

use gate::fetching::{
    Authorization, Backoff, DocumentSource, RefreshPolicy, RemoteDocument, Retries,
};
use gate::policy::{OnUnavailable, RevocationSource};
use gate::revocation::ListFormat;
use serde::Deserialize;

use super::environment::{self, Environment};
use super::error::ConfigError;
use super::http_uri::{self, HttpUriWire};
use super::scalar::{NonEmpty, PositiveDuration};

const DEFAULT_REFRESH_INTERVAL: Duration = Duration::from_secs(10);
const DEFAULT_MAX_STALE: Duration = Duration::from_mins(5);

/// The shortest interval. Workers look for new documents only twice a second.
const SHORTEST_REFRESH_INTERVAL: Duration = Duration::from_millis(100);

/// The delays before a failed fetch is repeated.
const FIRST_RETRY: Duration = Duration::from_secs(1);
const LONGEST_RETRY: Duration = Duration::from_mins(1);

#[derive(Deserialize)]
#[cfg_attr(
    not(target_arch = "wasm32"),
    derive(schemars::JsonSchema),
    schemars(rename = "Revocation", title = "Revocation")
)]
#[serde(deny_unknown_fields)]
pub(crate) struct RevocationWire {
    /// Where the list is.
    #[serde(alias = "httpUri")]
    http_uri: HttpUriWire,
    /// How often the list is fetched. Default `"10s"`, at least `"0.1s"`.
    #[serde(default, alias = "refreshInterval")]
    refresh_interval: Option<PositiveDuration>,
    /// How long the list may be used after the last successful fetch; not shorter than
    /// `refresh_interval`. Default `"300s"`, or twice `refresh_interval` if that is longer.
    #[serde(default, alias = "maxStale")]
    max_stale: Option<PositiveDuration>,
    /// The format of the list: `"list"` (default) or `"wso2"`.
    #[serde(default)]
    format: Option<FormatWire>,
    /// The user name for HTTP Basic authentication. Default: no authentication.
    #[serde(default)]
    username: Option<NonEmpty>,
    /// The environment variable of the VM that contains the password.
    #[serde(default, alias = "passwordEnvironmentVariable")]
    password_environment_variable: Option<NonEmpty>,
    /// What happens to tokens while the list is unavailable: `"deny"` (default), or `"allow"`, which
    /// skips this check.
    #[serde(default, alias = "onUnavailable")]
    on_unavailable: Option<OnUnavailableWire>,
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

/// What happens to tokens while the list is unavailable.
#[derive(Deserialize)]
#[cfg_attr(
    not(target_arch = "wasm32"),
    derive(schemars::JsonSchema),
    schemars(rename = "OnUnavailable")
)]
#[serde(rename_all = "lowercase")]
enum OnUnavailableWire {
    /// They are refused.
    Deny,
    /// They pass without this check.
    Allow,
}

impl RevocationWire {
    pub(crate) fn build(
        self,
        path: &str,
        environment: Environment<'_>,
    ) -> Result<RevocationSource, ConfigError> {
        let authorization = authorization(
            path,
            self.username,
            self.password_environment_variable,
            environment,
        )?;
        let remote = RemoteDocument {
            policy: refresh_policy(
                path,
                http_uri::timeout(&format!("{path}.http_uri"), self.http_uri.timeout)?,
                self.refresh_interval,
                self.max_stale,
            )?,
            cluster: self.http_uri.cluster.0,
            source: DocumentSource::Uri(self.http_uri.uri.0),
            authorization,
            retries: Retries {
                number: 0,
                backoff: Backoff::new(FIRST_RETRY, FIRST_RETRY),
            },
        };
        Ok(RevocationSource {
            remote: Rc::new(remote),
            format: match self.format {
                None | Some(FormatWire::List) => ListFormat::List,
                Some(FormatWire::Wso2) => ListFormat::Wso2,
            },
            on_unavailable: match self.on_unavailable {
                None | Some(OnUnavailableWire::Deny) => OnUnavailable::Deny,
                Some(OnUnavailableWire::Allow) => OnUnavailable::Allow,
            },
        })
    }
}

fn refresh_policy(
    path: &str,
    timeout: Duration,
    refresh_interval: Option<PositiveDuration>,
    max_stale: Option<PositiveDuration>,
) -> Result<RefreshPolicy, ConfigError> {
    let refresh_interval = PositiveDuration::or(refresh_interval, DEFAULT_REFRESH_INTERVAL);
    if refresh_interval < SHORTEST_REFRESH_INTERVAL {
        return Err(ConfigError::new(
            format!("{path}.refresh_interval"),
            "must be at least \"0.1s\"",
        ));
    }
    // With a long interval and the plain default, one failed fetch would make the list unavailable.
    let default_max_stale = DEFAULT_MAX_STALE.max(refresh_interval.saturating_mul(2));
    let max_stale = PositiveDuration::or(max_stale, default_max_stale);
    if max_stale < refresh_interval {
        return Err(ConfigError::new(
            format!("{path}.max_stale"),
            "must not be shorter than refresh_interval",
        ));
    }
    let longest_retry = refresh_interval.clamp(FIRST_RETRY, LONGEST_RETRY);
    Ok(RefreshPolicy {
        timeout,
        cache_duration: refresh_interval,
        max_stale,
        // No request asks for a list before it is due.
        refetch_cooldown: max_stale,
        retry: Backoff::new(FIRST_RETRY, longest_retry),
    })
}

/// Builds the HTTP Basic authentication (RFC 7617) of the list at `path`.
fn authorization(
    path: &str,
    username: Option<NonEmpty>,
    variable: Option<NonEmpty>,
    environment: Environment<'_>,
) -> Result<Option<Authorization>, ConfigError> {
    match (username, variable) {
        (None, None) => Ok(None),
        (Some(NonEmpty(username)), Some(NonEmpty(variable))) => {
            if username.contains(|letter: char| letter == ':' || letter.is_control()) {
                let problem = "must have no colon and no control characters (RFC 7617)";
                return Err(ConfigError::new(format!("{path}.username"), problem));
            }
            let path = format!("{path}.password_environment_variable");
            let password = environment::secret(&path, &variable, environment)?;
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
