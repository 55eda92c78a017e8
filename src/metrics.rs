//! What is counted, and under which names.

use std::cell::RefCell;

use crate::config::{Config, KeySource, Provider};
use crate::denial::Reason;

/// A counter. Envoy shows it with `wasmcustom.` before its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Counter {
    /// Requests that were let through for their token.
    Allowed,
    /// Requests that needed no token.
    Bypassed,
    /// Requests that were refused for this reason.
    Denied(Reason),
    /// Tokens whose signature the host found good.
    VerifiedByHost,
    /// Those that the module itself found good.
    VerifiedBySoftware,
    /// Tokens that were known to be good.
    CacheHit,
    /// Tokens that were not.
    CacheMiss,
    /// Fetches of the key set of the provider with this index that succeeded.
    FetchSuccess(usize),
    /// Those that failed.
    FetchFailure(usize),
    /// Keys of the provider with this index that could not be used, each once for every set.
    SkippedKeys(usize),
}

/// A gauge. Envoy shows it with `wasmcustom.` before its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Gauge {
    /// Requests that wait now, of all workers.
    Waiting,
    /// Usable keys of the provider with this index.
    Keys(usize),
    /// When the key set of the provider with this index was fetched last, in seconds since the Unix
    /// epoch.
    FetchedAt(usize),
}

/// Counts that are handed to the host now and then: a call of it for each would cost every request.
#[derive(Debug, Default)]
pub struct Tally(RefCell<Vec<(Counter, usize)>>);

impl Tally {
    /// Adds one to `counter`.
    pub fn count(&self, counter: Counter) {
        let mut counts = self.0.borrow_mut();
        match counts.iter_mut().find(|(known, _)| *known == counter) {
            Some((_, count)) => *count = count.saturating_add(1),
            None => counts.push((counter, 1)),
        }
    }

    /// Takes out what has been counted.
    #[must_use]
    pub fn take(&self) -> Vec<(Counter, usize)> {
        self.0.take()
    }
}

/// Every counter of a configuration with its name. Two may share one.
#[must_use]
pub fn counters(config: &Config) -> Vec<(Counter, String)> {
    let prefix = prefix(config);
    let mut counters = vec![
        (Counter::Allowed, format!("{prefix}.allowed")),
        (Counter::Bypassed, format!("{prefix}.bypassed")),
    ];
    for (counter, name) in [
        (Counter::VerifiedByHost, "verified.host"),
        (Counter::VerifiedBySoftware, "verified.software"),
        (Counter::CacheHit, "token_cache.hit"),
        (Counter::CacheMiss, "token_cache.miss"),
    ] {
        counters.push((counter, format!("{prefix}.{name}")));
    }
    for reason in Reason::ALL {
        let name = format!("{prefix}.denied.{}", reason.metric());
        counters.push((Counter::Denied(reason), name));
    }
    for provider in &config.providers {
        let index = provider.index;
        if let KeySource::Remote(_) = provider.keys {
            counters.push((
                Counter::FetchSuccess(index),
                of_keys(&prefix, provider, "fetch_success"),
            ));
            counters.push((
                Counter::FetchFailure(index),
                of_keys(&prefix, provider, "fetch_failure"),
            ));
        }
        counters.push((
            Counter::SkippedKeys(index),
            of_keys(&prefix, provider, "skipped_keys"),
        ));
    }
    counters
}

/// Every gauge of a configuration with its name.
#[must_use]
pub fn gauges(config: &Config) -> Vec<(Gauge, String)> {
    let prefix = prefix(config);
    let mut gauges = vec![(Gauge::Waiting, format!("{prefix}.waiting"))];
    for provider in &config.providers {
        let index = provider.index;
        gauges.push((Gauge::Keys(index), of_keys(&prefix, provider, "keys")));
        if let KeySource::Remote(_) = provider.keys {
            gauges.push((
                Gauge::FetchedAt(index),
                of_keys(&prefix, provider, "fetched_at"),
            ));
        }
    }
    gauges
}

fn prefix(config: &Config) -> String {
    match config.stat_prefix.as_str() {
        "" => "bearer_gate".to_owned(),
        stat_prefix => format!("bearer_gate.{stat_prefix}"),
    }
}

fn of_keys(prefix: &str, provider: &Provider, what: &str) -> String {
    format!("{prefix}.jwks.{}.{what}", provider.name)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_metric_has_the_name_that_operators_know() {
        let config = json!({"providers": {
            "local": {"local_jwks": {"inline_string": crate::fixtures::key_set()}},
            "cloud": {"remote_jwks": {"http_uri": {"uri": "http://a", "cluster": "a"}}},
        }});
        let config = Config::from_json(config.to_string().as_bytes()).unwrap();
        let counters = counters(&config);
        // serde_json sorts the names of this object: `cloud` comes first.
        for (counter, expected) in [
            (Counter::Allowed, "bearer_gate.allowed"),
            (
                Counter::Denied(Reason::Expired),
                "bearer_gate.denied.expired",
            ),
            (
                Counter::Denied(Reason::MalformedToken),
                "bearer_gate.denied.malformed",
            ),
            (Counter::VerifiedByHost, "bearer_gate.verified.host"),
            (Counter::VerifiedBySoftware, "bearer_gate.verified.software"),
            (Counter::CacheHit, "bearer_gate.token_cache.hit"),
            (Counter::CacheMiss, "bearer_gate.token_cache.miss"),
            (
                Counter::FetchSuccess(0),
                "bearer_gate.jwks.cloud.fetch_success",
            ),
            (
                Counter::FetchFailure(0),
                "bearer_gate.jwks.cloud.fetch_failure",
            ),
        ] {
            let found = counters.iter().find(|(known, _)| *known == counter);
            assert_eq!(found.map(|(_, name)| name.as_str()), Some(expected));
        }
        let local = |name: &str| name.contains(".local.");
        let local_counters = counters.iter().filter(|(_, name)| local(name));
        assert_eq!(
            local_counters.cloned().collect::<Vec<_>>(),
            [(
                Counter::SkippedKeys(1),
                "bearer_gate.jwks.local.skipped_keys".to_owned()
            )]
        );
        assert_eq!(
            gauges(&config),
            [
                (Gauge::Waiting, "bearer_gate.waiting".to_owned()),
                (Gauge::Keys(0), "bearer_gate.jwks.cloud.keys".to_owned()),
                (
                    Gauge::FetchedAt(0),
                    "bearer_gate.jwks.cloud.fetched_at".to_owned()
                ),
                (Gauge::Keys(1), "bearer_gate.jwks.local.keys".to_owned()),
            ]
        );
    }

    #[test]
    fn a_prefix_tells_the_filters_of_one_envoy_apart() {
        let config = json!({
            "providers": {"cloud": {"remote_jwks": {"http_uri": {"uri": "http://a", "cluster": "a"}}}},
            "stat_prefix": "edge.",
        });
        let config = Config::from_json(config.to_string().as_bytes()).unwrap();
        let counters = counters(&config);
        assert!(
            counters
                .iter()
                .all(|(_, name)| name.starts_with("bearer_gate.edge."))
        );
        assert_eq!(counters[0].1, "bearer_gate.edge.allowed");
        assert_eq!(gauges(&config)[0].1, "bearer_gate.edge.waiting");
    }

    #[test]
    fn a_tally_is_emptied_by_whoever_takes_it() {
        let tally = Tally::default();
        for counter in [Counter::CacheHit, Counter::CacheMiss, Counter::CacheHit] {
            tally.count(counter);
        }
        assert_eq!(
            tally.take(),
            [(Counter::CacheHit, 2), (Counter::CacheMiss, 1)]
        );
        assert_eq!(tally.take(), []);
    }
}
