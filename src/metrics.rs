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
    let mut counters = vec![
        (Counter::Allowed, "bearer_gate.allowed".to_owned()),
        (Counter::Bypassed, "bearer_gate.bypassed".to_owned()),
    ];
    for reason in Reason::ALL {
        let name = format!("bearer_gate.denied.{}", reason.metric());
        counters.push((Counter::Denied(reason), name));
    }
    for provider in &config.providers {
        if let KeySource::Remote(_) = provider.keys {
            let name = |what| format!("bearer_gate.jwks.{}.{what}", provider.name);
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
}
