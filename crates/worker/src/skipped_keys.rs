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
use crate::log_throttle::Suppressed;
use crate::metrics::Metrics;
use crate::store::Store;

/// The largest number of keys of a set that are logged individually.
const MAX_LOGGED: usize = 16;

/// Logs the unusable keys of a new set in one line: index and problem.
pub(crate) fn log(provider: &Provider, keys: &[(usize, &str)], suppressed: Suppressed) {
    let logged = keys.iter().take(MAX_LOGGED);
    let logged = logged.map(|(index, problem)| format!("keys[{index}] is skipped: {problem}"));
    let mut texts: Vec<String> = logged.collect();
    let more = keys.len().saturating_sub(MAX_LOGGED);
    if more > 0 {
        texts.push(format!("{more} more keys are skipped"));
    }
    warn!(
        "bearer-gate: provider {}: {}{suppressed}",
        provider.name,
        texts.join("; ")
    );
}

/// Counts the unusable keys of a new set.
pub(crate) fn count<H: Host>(provider: &Provider, keys: usize, metrics: &Metrics<H>) {
    let keys = u64::try_from(keys).unwrap_or(u64::MAX);
    metrics.add(Counter::SkippedKeys(provider.index), keys);
}

/// Reports the keys of the configuration: their number, and once per process the unusable ones.
pub(crate) fn report_local<H: Host>(
    store: &Store<H>,
    provider: &Provider,
    keys: &KeySet,
    engine: &Engine,
    metrics: &Metrics<H>,
) {
    let usable = u64::try_from(Publication::count(keys, engine)).unwrap_or(u64::MAX);
    metrics.record(Gauge::Count(DocumentKind::KeySet, provider.index), usable);
    let skipped = Publication::skipped(keys, engine);
    let topic = serde_json::json!(["skipped", provider.name]).to_string();
    let text = serde_json::json!(skipped).to_string();
    if !skipped.is_empty() && log_once::is_new(store, &topic, &text) {
        count(provider, skipped.len(), metrics);
        log(provider, &skipped, Suppressed::default());
    }
}
