//! The cast of a story: what is chosen before it starts.

use std::time::Duration;

use fastrand::Rng;
use serde_json::{Value, json};

use crate::tokens::{ISSUERS, issuer};

/// How long a callout may take, and so how long a request may wait.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(2);

/// When a document is fetched again and how long it is used.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Schedule {
    /// The time after which it is fetched again.
    pub(crate) interval: Duration,
    /// How long it is used after the last good fetch.
    pub(crate) max_stale: Duration,
    /// The longest time until a failed fetch is repeated.
    pub(crate) longest_backoff: Duration,
}

/// The schedule of keys.
pub(crate) const KEYS: Schedule = Schedule {
    interval: Duration::from_secs(20),
    max_stale: Duration::from_secs(100),
    longest_backoff: Duration::from_mins(1),
};
/// The shortest time between two fetches of keys that a set does not have.
const KEYS_COOLDOWN: Duration = Duration::from_secs(10);

/// The schedule of revocation lists.
pub(crate) const LIST: Schedule = Schedule {
    interval: Duration::from_secs(10),
    max_stale: Duration::from_secs(40),
    longest_backoff: Duration::from_secs(10),
};

/// How long the answer about an active token is used.
pub(crate) const ACTIVE_CACHE: Duration = Duration::from_secs(20);
/// How long the answer about an inactive token is used.
pub(crate) const INACTIVE_CACHE: Duration = Duration::from_secs(5);

/// The header of requests that need a recent authentication of the user.
pub(crate) const RECENT: &str = "x-recent";
/// How recent that is.
pub(crate) const AUTHENTICATION_AGE: Duration = Duration::from_mins(5);

/// How many used proofs are remembered for each configuration, about.
pub(crate) const USED_PROOFS: usize = 128;
/// How many variants of a configuration there are.
pub(crate) const VARIANTS: usize = 4;

/// What the workers have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sharing {
    Process,
    /// Nothing. Then no proof is remembered.
    Worker,
}

/// The cast of a story.
#[derive(Clone, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "the choices are independent of each other"
)]
pub(crate) struct Plan {
    pub(crate) workers: usize,
    /// Listeners of each worker.
    pub(crate) listeners: usize,
    /// Which issuers have a revocation list.
    pub(crate) revocation: [bool; ISSUERS],
    pub(crate) introspection: bool,
    pub(crate) sharing: Sharing,
    /// Whether refusals are only reported.
    pub(crate) report_only: bool,
    /// Whether streams end with their tokens.
    pub(crate) ends_streams: bool,
    /// Whether workers are held up, or die while they write. The model excuses much around that.
    pub(crate) interrupts_workers: bool,
    /// How many steps the story has.
    pub(crate) steps: usize,
}

impl Plan {
    /// The cast of the story with this seed, of which `rng` is made.
    pub(crate) fn new(seed: u64, rng: &mut Rng) -> Self {
        let most_workers = if rng.u8(0..4) == 0 { 8 } else { 3 };
        Self {
            workers: rng.usize(1..=most_workers),
            listeners: rng.usize(1..=3),
            revocation: std::array::from_fn(|_| rng.bool()),
            introspection: rng.bool(),
            sharing: if seed % 4 == 3 {
                Sharing::Worker
            } else {
                Sharing::Process
            },
            steps: rng.usize(20..80),
            report_only: false,
            ends_streams: false,
            interrupts_workers: false,
        }
    }

    /// What is chosen by a generator of its own, so that the rest of a story does not depend on it.
    pub(crate) fn with_mode(self, rng: &mut Rng) -> Self {
        Self {
            report_only: rng.u8(0..8) == 0,
            ends_streams: rng.u8(0..3) == 0,
            interrupts_workers: rng.bool(),
            ..self
        }
    }

    /// Whether workers share nothing.
    pub(crate) fn is_separate(&self) -> bool {
        self.sharing == Sharing::Worker
    }

    /// A configuration of the filter. The variants differ, so that they belong to different roots, but mean the same.
    pub(crate) fn configuration(&self, variant: usize) -> String {
        let mut providers = serde_json::Map::new();
        for index in 0..ISSUERS {
            let mut provider = json!({
                "issuer": issuer(index),
                "remote_jwks": {
                    "http_uri": uri(&keys_cluster(index)),
                    "cache_duration": seconds(KEYS.interval),
                    "max_stale": seconds(KEYS.max_stale),
                    "refetch_cooldown": seconds(KEYS_COOLDOWN),
                },
            });
            if self.revocation.get(index) == Some(&true)
                && let Some(members) = provider.as_object_mut()
            {
                let revocation = json!({
                    "http_uri": uri(&list_cluster(index)),
                    "refresh_interval": seconds(LIST.interval),
                    "max_stale": seconds(LIST.max_stale),
                });
                members.insert("revocation".to_owned(), revocation);
            }
            providers.insert(format!("issuer{index}"), provider);
        }
        if self.introspection {
            let endpoint = json!({
                "http_uri": uri(INTROSPECTION_CLUSTER),
                "client_id": "gate",
                "client_secret_environment_variable": "SECRET",
                "cache_duration": seconds(ACTIVE_CACHE),
                "negative_cache_duration": seconds(INACTIVE_CACHE),
            });
            let provider = json!({"issuer": "https://opaque.example", "introspection": endpoint});
            providers.insert("opaque".to_owned(), provider);
        }
        let realm = format!("variant {variant}");
        let (share, used_proofs) = match self.sharing {
            Sharing::Process => ("process", USED_PROOFS),
            Sharing::Worker => ("worker", 0),
        };
        let dpop = json!({"replay_entries": used_proofs});
        let any: Vec<Value> = providers
            .keys()
            .map(|name| json!({"provider_name": name}))
            .collect();
        let any = json!({"requires_any": {"requirements": any}});
        let mut recent = any.clone();
        recent["max_authentication_age"] = json!(seconds(AUTHENTICATION_AGE));
        let asks = json!([{"name": RECENT, "present_match": true}]);
        let rules = json!([
            {"match": {"prefix": "/", "headers": asks}, "requires": recent},
            {"match": {"prefix": "/"}, "requires": any},
        ]);
        let configuration = json!({
            "providers": providers,
            "rules": rules,
            "realm": realm,
            "dpop": dpop,
            "share": share,
            "report_only": self.report_only,
            "end_streams_with_token": self.ends_streams,
        });
        configuration.to_string()
    }
}

/// The cluster of the key server of an issuer.
pub(crate) fn keys_cluster(index: usize) -> String {
    format!("keys{index}")
}

/// The cluster of the server of an issuer's revocation list.
pub(crate) fn list_cluster(index: usize) -> String {
    format!("list{index}")
}

/// The cluster of the introspection endpoint.
pub(crate) const INTROSPECTION_CLUSTER: &str = "introspection";

fn uri(cluster: &str) -> Value {
    json!({"uri": format!("https://{cluster}.example/"), "cluster": cluster, "timeout": seconds(TIMEOUT)})
}

fn seconds(duration: Duration) -> String {
    format!("{}s", duration.as_secs())
}
