//! What is counted, and under which names.

use std::cell::RefCell;

use crate::config::{Config, KeySource, Provider};
use crate::denial::Reason;

/// What is fetched that metrics tell of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Series {
    /// Key sets.
    Keys,
    /// Lists of revoked tokens.
    Revocation,
}

impl Series {
    /// What its metrics have in their names, and what the gauge is called of how much there is.
    const fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Keys => ("jwks", "keys"),
            Self::Revocation => ("revocation", "entries"),
        }
    }
}

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
    /// Fetches for the provider with this index that succeeded.
    FetchSuccess(Series, usize),
    /// Those that failed.
    FetchFailure(Series, usize),
    /// Keys of the provider with this index that could not be used, each once for every set.
    SkippedKeys(usize),
    /// Tokens of the provider with this index that its authorization server was asked about and
    /// answered for.
    IntrospectionSuccess(usize),
    /// Those that it did not answer for.
    IntrospectionFailure(usize),
}

/// A gauge. Envoy shows it with `wasmcustom.` before its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Gauge {
    /// Requests that wait now, of all workers.
    Waiting,
    /// How much there is in what was fetched for the provider with this index: usable keys, or
    /// revoked tokens, clients and subjects.
    Count(Series, usize),
    /// When it was fetched last, in seconds since the Unix epoch.
    FetchedAt(Series, usize),
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
            counters.extend(of_fetches(&prefix, provider, Series::Keys));
        }
        counters.push((
            Counter::SkippedKeys(index),
            of(&prefix, provider, Series::Keys, "skipped_keys"),
        ));
        if provider.revocation.is_some() {
            counters.extend(of_fetches(&prefix, provider, Series::Revocation));
        }
        if provider.introspection.is_some() {
            for (counter, what) in [
                (Counter::IntrospectionSuccess(index), "success"),
                (Counter::IntrospectionFailure(index), "failure"),
            ] {
                let name = format!("{prefix}.introspection.{}.{what}", provider.name);
                counters.push((counter, name));
            }
        }
    }
    counters
}

/// Every gauge of a configuration with its name.
#[must_use]
pub fn gauges(config: &Config) -> Vec<(Gauge, String)> {
    let prefix = prefix(config);
    let mut gauges = vec![(Gauge::Waiting, format!("{prefix}.waiting"))];
    for provider in &config.providers {
        gauges.push(count_of(&prefix, provider, Series::Keys));
        if let KeySource::Remote(_) = provider.keys {
            gauges.push(age_of(&prefix, provider, Series::Keys));
        }
        if provider.revocation.is_some() {
            gauges.push(count_of(&prefix, provider, Series::Revocation));
            gauges.push(age_of(&prefix, provider, Series::Revocation));
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

fn of_fetches(prefix: &str, provider: &Provider, series: Series) -> [(Counter, String); 2] {
    let index = provider.index;
    [
        (Counter::FetchSuccess(series, index), "fetch_success"),
        (Counter::FetchFailure(series, index), "fetch_failure"),
    ]
    .map(|(counter, what)| (counter, of(prefix, provider, series, what)))
}

fn count_of(prefix: &str, provider: &Provider, series: Series) -> (Gauge, String) {
    let (_, what) = series.names();
    let name = of(prefix, provider, series, what);
    (Gauge::Count(series, provider.index), name)
}

fn age_of(prefix: &str, provider: &Provider, series: Series) -> (Gauge, String) {
    let name = of(prefix, provider, series, "fetched_at");
    (Gauge::FetchedAt(series, provider.index), name)
}

fn of(prefix: &str, provider: &Provider, series: Series, what: &str) -> String {
    let (subject, _) = series.names();
    format!("{prefix}.{subject}.{}.{what}", provider.name)
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
                Counter::FetchSuccess(Series::Keys, 0),
                "bearer_gate.jwks.cloud.fetch_success",
            ),
            (
                Counter::FetchFailure(Series::Keys, 0),
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
                (
                    Gauge::Count(Series::Keys, 0),
                    "bearer_gate.jwks.cloud.keys".to_owned()
                ),
                (
                    Gauge::FetchedAt(Series::Keys, 0),
                    "bearer_gate.jwks.cloud.fetched_at".to_owned()
                ),
                (
                    Gauge::Count(Series::Keys, 1),
                    "bearer_gate.jwks.local.keys".to_owned()
                ),
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
