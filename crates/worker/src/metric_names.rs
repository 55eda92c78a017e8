//! The names of metrics. Envoy shows them with `wasmcustom.` in front.

use gate::fetching::DocumentKind;
use gate::policy::{KeySource, Policy, Provider, StreamEnd};
use gate::reason::ReasonKind;

use crate::counter::Counter;
use crate::gauge::Gauge;

/// The reasons for which admitted streams are ended.
const ENDING: [ReasonKind; 3] = [
    ReasonKind::UnknownKey,
    ReasonKind::Expired,
    ReasonKind::Revoked,
];

/// All counters of a policy with their names. Two counters may share a name.
#[must_use]
pub fn counters(policy: &Policy) -> Vec<(Counter, String)> {
    let prefix = prefix(policy);
    let mut counters = Vec::new();
    for (counter, name) in [
        (Counter::Allowed, "allowed"),
        (Counter::Bypassed, "bypassed"),
        (Counter::Metadata, "metadata"),
        (Counter::VerifiedByHost, "verified.host"),
        (Counter::VerifiedBySoftware, "verified.software"),
        (Counter::CacheHit, "token_cache.hit"),
        (Counter::CacheMiss, "token_cache.miss"),
    ] {
        counters.push((counter, format!("{prefix}.{name}")));
    }
    if policy.options.dpop.is_some() {
        for (counter, name) in [
            (Counter::ProofVerifiedByHost, "verified.host"),
            (Counter::ProofVerifiedBySoftware, "verified.software"),
            (Counter::ProofKeyHit, "key_cache.hit"),
            (Counter::ProofKeyMiss, "key_cache.miss"),
            (Counter::ProofContended, "contended"),
        ] {
            counters.push((counter, format!("{prefix}.proof.{name}")));
        }
    }
    for reason in ReasonKind::ALL {
        let name = format!("{prefix}.denied.{}", reason.metric());
        counters.push((Counter::Denied(*reason), name));
    }
    if policy.may_report_only() {
        for reason in ReasonKind::ALL {
            let name = format!("{prefix}.would_deny.{}", reason.metric());
            counters.push((Counter::WouldDeny(*reason), name));
        }
    }
    if policy.options.stream_end == StreamEnd::WithToken {
        for reason in ENDING {
            let name = format!("{prefix}.ended.{}", reason.metric());
            counters.push((Counter::Ended(reason), name));
        }
    }
    for provider in &policy.providers {
        let index = provider.index;
        for kind in fetched(provider) {
            for (counter, name) in [
                (Counter::FetchSuccess(kind, index), "fetch_success"),
                (Counter::FetchFailure(kind, index), "fetch_failure"),
            ] {
                counters.push((counter, of_document(&prefix, provider, kind, name)));
            }
        }
        let skipped = of_document(&prefix, provider, DocumentKind::KeySet, "skipped_keys");
        counters.push((Counter::SkippedKeys(index), skipped));
        if provider.introspection.is_some() {
            for (counter, name) in [
                (Counter::IntrospectionSuccess(index), "success"),
                (Counter::IntrospectionFailure(index), "failure"),
            ] {
                let name = format!("{prefix}.introspection.{}.{name}", provider.name);
                counters.push((counter, name));
            }
        }
    }
    counters
}

/// All gauges of a policy with their names.
#[must_use]
pub fn gauges(policy: &Policy) -> Vec<(Gauge, String)> {
    let prefix = prefix(policy);
    let mut gauges = vec![(Gauge::Waiting, format!("{prefix}.waiting"))];
    if policy.options.stream_end == StreamEnd::WithToken {
        gauges.push((Gauge::Streams, format!("{prefix}.streams")));
    }
    for provider in &policy.providers {
        let index = provider.index;
        let key_set = DocumentKind::KeySet;
        let keys = of_document(&prefix, provider, key_set, "keys");
        gauges.push((Gauge::Count(key_set, index), keys));
        if provider.revocation.is_some() {
            let list = DocumentKind::RevocationList;
            let entries = of_document(&prefix, provider, list, "entries");
            gauges.push((Gauge::Count(list, index), entries));
        }
        for kind in fetched(provider) {
            let name = of_document(&prefix, provider, kind, "fetched_at");
            gauges.push((Gauge::FetchedAt(kind, index), name));
        }
    }
    gauges
}

/// The kinds of documents that are fetched for a provider.
fn fetched(provider: &Provider) -> impl Iterator<Item = DocumentKind> {
    let keys = matches!(provider.keys, KeySource::Remote(_)).then_some(DocumentKind::KeySet);
    let list = provider.revocation.as_ref();
    keys.into_iter()
        .chain(list.map(|_| DocumentKind::RevocationList))
}

fn prefix(policy: &Policy) -> String {
    match policy.options.stat_prefix.as_str() {
        "" => "bearer_gate".to_owned(),
        stat_prefix => format!("bearer_gate.{stat_prefix}"),
    }
}

fn of_document(prefix: &str, provider: &Provider, kind: DocumentKind, name: &str) -> String {
    let subject = match kind {
        DocumentKind::KeySet => "jwks",
        DocumentKind::RevocationList => "revocation",
    };
    format!("{prefix}.{subject}.{}.{name}", provider.name)
}
