//! What is counted, and under which names.

use crate::config::{Config, KeySource};
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
    /// Fetches of the key set of the provider with this index that succeeded.
    FetchSuccess(usize),
    /// Those that failed.
    FetchFailure(usize),
}

/// Every counter of a configuration with its name. Two may share one.
#[must_use]
pub fn counters(config: &Config) -> Vec<(Counter, String)> {
    let prefix = match config.stat_prefix.as_str() {
        "" => "bearer_gate".to_owned(),
        stat_prefix => format!("bearer_gate.{stat_prefix}"),
    };
    let mut counters = vec![
        (Counter::Allowed, format!("{prefix}.allowed")),
        (Counter::Bypassed, format!("{prefix}.bypassed")),
    ];
    for reason in Reason::ALL {
        let name = format!("{prefix}.denied.{}", reason.metric());
        counters.push((Counter::Denied(reason), name));
    }
    for provider in &config.providers {
        if let KeySource::Remote(_) = provider.keys {
            let name = |what| format!("{prefix}.jwks.{}.{what}", provider.name);
            counters.push((Counter::FetchSuccess(provider.index), name("fetch_success")));
            counters.push((Counter::FetchFailure(provider.index), name("fetch_failure")));
        }
    }
    counters
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_counter_has_the_name_that_operators_know() {
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
        assert!(!counters.iter().any(|(_, name)| name.contains("local")));
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
    }
}
