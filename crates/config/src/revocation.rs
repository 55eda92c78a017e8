//! Revocation lists.

use std::rc::Rc;
use std::time::Duration;

use gate::fetching::{Backoff, DocumentSource, RefreshPolicy, RemoteDocument, Retries};
use gate::policy::{OnUnavailable, RevocationSource};
use gate::revocation::ListFormat;

use super::authorization;
use super::choice::choice;
use super::environment::Environment;
use super::http_uri::{self, HttpUriWire};
use super::object::object;
use super::place::Place;
use super::scalar::{NonEmpty, PositiveDuration};

const DEFAULT_REFRESH_INTERVAL: Duration = Duration::from_secs(10);
const DEFAULT_MAX_STALE: Duration = Duration::from_mins(5);

/// The shortest interval. Workers look for new documents only twice a second.
const SHORTEST_REFRESH_INTERVAL: Duration = Duration::from_millis(100);

/// The delays before a failed fetch is repeated.
const FIRST_RETRY: Duration = Duration::from_secs(1);
const LONGEST_RETRY: Duration = Duration::from_mins(1);

object! {
    pub(crate) struct RevocationWire("Revocation", "Revocation") {
        /// Where the list is.
        http_uri: required HttpUriWire,
        /// How often the list is fetched. Default `"10s"`, at least `"0.1s"`.
        refresh_interval: optional PositiveDuration,
        /// How long the list may be used after the last successful fetch; not shorter than
        /// `refresh_interval`. Default `"300s"`, or twice `refresh_interval` if that is longer.
        max_stale: optional PositiveDuration,
        /// The format of the list: `"list"` (default) or `"wso2"`.
        format: optional FormatWire,
        /// The user name for HTTP Basic authentication. Default: no authentication.
        username: optional NonEmpty,
        /// The environment variable of the VM that contains the password.
        password_environment_variable: optional NonEmpty,
        /// What happens to tokens while the list is unavailable: `"deny"` (default), or `"allow"`, which
        /// skips this check.
        on_unavailable: optional OnUnavailableWire,
    }
}

choice! {
    enum FormatWire("ListFormat") {
        List = "list",
        Wso2 = "wso2",
    }
}

choice! {
    /// What happens to tokens while the list is unavailable.
    enum OnUnavailableWire("OnUnavailable") {
        /// They are refused.
        Deny = "deny",
        /// They pass without this check.
        Allow = "allow",
    }
}

impl RevocationWire {
    /// Builds the source of revocations at this place.
    pub(crate) fn build(
        self,
        at: &Place<'_>,
        environment: Environment<'_>,
    ) -> Option<RevocationSource> {
        let variable = self.password_environment_variable;
        let authorization = authorization::basic(at, self.username, variable, environment);
        let timeout = http_uri::timeout(&at.field("http_uri"), self.http_uri.timeout);
        let policy = refresh_policy(at, timeout, self.refresh_interval, self.max_stale);
        let remote = RemoteDocument {
            policy: policy?,
            cluster: self.http_uri.cluster.0,
            source: DocumentSource::Uri(self.http_uri.uri.0),
            authorization,
            headers: Vec::new(),
            retries: Retries {
                number: 0,
                backoff: Backoff::new(FIRST_RETRY, FIRST_RETRY),
            },
        };
        Some(RevocationSource {
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
    at: &Place<'_>,
    timeout: Option<Duration>,
    refresh_interval: Option<PositiveDuration>,
    max_stale: Option<PositiveDuration>,
) -> Option<RefreshPolicy> {
    let refresh_interval = PositiveDuration::or(refresh_interval, DEFAULT_REFRESH_INTERVAL);
    if refresh_interval < SHORTEST_REFRESH_INTERVAL {
        let at = at.field("refresh_interval");
        at.report("must be at least \"0.1s\"");
    }
    // With a long interval and the plain default, one failed fetch would make the list unavailable.
    let default_max_stale = DEFAULT_MAX_STALE.max(refresh_interval.saturating_mul(2));
    let max_stale = PositiveDuration::or(max_stale, default_max_stale);
    if max_stale < refresh_interval {
        let at = at.field("max_stale");
        at.report("must not be shorter than refresh_interval");
    }
    let longest_retry = refresh_interval.clamp(FIRST_RETRY, LONGEST_RETRY);
    Some(RefreshPolicy {
        timeout: timeout?,
        cache_duration: refresh_interval,
        max_stale,
        // No request asks for a list before it is due.
        refetch_cooldown: max_stale,
        retry: Backoff::new(FIRST_RETRY, longest_retry),
        honors_cache_control: true,
    })
}
