//! Keys that are unusable, in the log and in a metric.

use gate::fetching::{DocumentKind, Publication};
use gate::keys::KeySet;
use gate::policy::Provider;
use gate::verify::Engine;
use log::warn;

use crate::counter::Counter;
use crate::gauge::Gauge;
use crate::host::Host;
use crate::log_once;
use crate::metrics::Metrics;

/// The largest number of keys of a set that are logged individually.
const MAX_LOGGED: usize = 16;

/// Counts and logs the unusable keys of a new set: index and problem.
pub(crate) fn report<H: Host>(provider: &Provider, keys: &[(usize, &str)], metrics: &Metrics<H>) {
    count(provider, keys.len(), metrics);
    for (index, problem) in keys.iter().take(MAX_LOGGED) {
        warn!(
            "bearer-gate: provider {}: keys[{index}] is skipped: {problem}",
            provider.name
        );
    }
    let more = keys.len().saturating_sub(MAX_LOGGED);
    if more > 0 {
        warn!(
            "bearer-gate: provider {}: {more} more keys are skipped",
            provider.name
        );
    }
}

/// Counts the unusable keys of a new set.
pub(crate) fn count<H: Host>(provider: &Provider, keys: usize, metrics: &Metrics<H>) {
    let keys = u64::try_from(keys).unwrap_or(u64::MAX);
    metrics.add(Counter::SkippedKeys(provider.index), keys);
}

/// Reports the keys of the configuration: their number, and once per process the unusable ones.
pub(crate) fn report_local<H: Host>(
    host: &H,
    provider: &Provider,
    keys: &KeySet,
    engine: &Engine,
    metrics: &Metrics<H>,
) {
    let count = u64::try_from(Publication::count(keys, engine)).unwrap_or(u64::MAX);
    metrics.record(Gauge::Count(DocumentKind::KeySet, provider.index), count);
    let skipped = Publication::skipped(keys, engine);
    let text = serde_json::json!([provider.name, skipped]).to_string();
    if !skipped.is_empty() && log_once::is_first(host, &text) {
        report(provider, &skipped, metrics);
    }
}
