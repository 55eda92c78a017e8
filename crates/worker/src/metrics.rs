//! The names of the metrics of a policy.

use gate::denial::Reason;
use gate::metrics::{Counter, Gauge, Series};
use gate::policy::{KeySource, Policy, Provider};

/// Every counter of a configuration with its name. Two may share one.
#[must_use]
pub fn counters(config: &Policy) -> Vec<(Counter, String)> {
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
pub fn gauges(config: &Policy) -> Vec<(Gauge, String)> {
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

fn prefix(config: &Policy) -> String {
    match config.options.stat_prefix.as_str() {
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

