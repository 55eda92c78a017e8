//! Key sets.

mod wire;

use std::rc::Rc;
use std::time::Duration;

use gate::fetching::{Backoff, DocumentSource, RefreshPolicy, RemoteDocument, Resource, Retries};
use gate::keys::{KeySet, KeyUses, Provenance};
use gate::policy::{Issuers, KeySource};

use super::environment::{self, Environment};
use super::http_uri;
use super::place::Place;
use super::request_header;
use super::scalar::{NonEmpty, PositiveDuration};

use wire::{CacheControlWire, RetryPolicyWire};
pub(crate) use wire::{LocalJwksWire, RemoteJwksWire};

const DEFAULT_CACHE_DURATION: Duration = Duration::from_mins(10);
const DEFAULT_MAX_STALE: Duration = Duration::from_hours(24);
const DEFAULT_REFETCH_COOLDOWN: Duration = Duration::from_secs(10);

/// The shortest cooldown. Clients that send unknown `kid`s cause one fetch per cooldown.
const SHORTEST_COOLDOWN: Duration = Duration::from_secs(1);

/// The delays before a failed fetch is repeated.
const FIRST_RETRY: Duration = Duration::from_secs(1);
const LONGEST_RETRY: Duration = Duration::from_mins(1);

/// Envoy's default delay before it repeats a request within one fetch.
const RETRY_BASE_INTERVAL: Duration = Duration::from_millis(25);

/// Builds the key source of the provider at this place from its fields `remote_jwks` and `local_jwks`, and
/// the values of `use` that its keys may have. A provider that `introspects` needs neither field.
pub(crate) fn build(
    at: &Place<'_>,
    issuers: Option<&Issuers>,
    remote: Option<RemoteJwksWire>,
    local: Option<LocalJwksWire>,
    introspects: bool,
    environment: Environment<'_>,
) -> Option<(KeySource, KeyUses)> {
    match (remote, local) {
        (Some(mut remote), None) => {
            let uses = key_uses(&at.field("remote_jwks"), remote.key_uses.take());
            let jwks = build_remote(at, issuers, remote, environment)?;
            Some((KeySource::Remote(Rc::new(jwks)), uses?))
        }
        (None, Some(mut local)) => {
            let at = at.field("local_jwks");
            let uses = key_uses(&at, local.key_uses.take())?;
            let set = build_local(&at, local, &uses, environment)?;
            Some((KeySource::Local(Rc::new(set)), uses))
        }
        (None, None) if introspects => Some((KeySource::None, KeyUses::default())),
        (None, None) => at.refuse("needs remote_jwks, local_jwks or introspection"),
        (Some(_), Some(_)) => at.refuse("has both remote_jwks and local_jwks"),
    }
}

/// The values of `use` from the field `key_uses` of the object at this place.
fn key_uses(at: &Place<'_>, given: Option<Vec<NonEmpty>>) -> Option<KeyUses> {
    match given {
        None => Some(KeyUses::default()),
        Some(uses) if uses.is_empty() => at.field("key_uses").refuse("must not be empty"),
        Some(uses) => Some(KeyUses::new(
            uses.into_iter().map(|value| value.0).collect(),
        )),
    }
}

fn build_local(
    at: &Place<'_>,
    wire: LocalJwksWire,
    uses: &KeyUses,
    environment: Environment<'_>,
) -> Option<KeySet> {
    let given = (
        wire.inline_string,
        wire.inline_bytes,
        wire.environment_variable,
    );
    let (field, document) = match given {
        (Some(text), None, None) => ("inline_string", text.into_bytes()),
        (None, Some(bytes), None) => ("inline_bytes", bytes.0),
        (None, None, Some(name)) => {
            let at = at.field("environment_variable");
            let text = environment::variable(&at, &name.0, environment)?;
            ("environment_variable", text.into_bytes())
        }
        _ => {
            return at.refuse("needs one of inline_string, inline_bytes and environment_variable");
        }
    };
    match KeySet::parse_from(&document, Provenance::Configuration, uses) {
        Ok(set) => Some(set),
        Err(problem) => at.field(field).refuse(&problem.to_string()),
    }
}

/// Builds the document from the field `remote_jwks` of the provider at this place.
fn build_remote(
    provider: &Place<'_>,
    issuers: Option<&Issuers>,
    wire: RemoteJwksWire,
    environment: Environment<'_>,
) -> Option<RemoteDocument> {
    let at = &provider.field("remote_jwks");
    let (field, cluster, source, timeout) = match (wire.http_uri, wire.discovery) {
        (Some(wire), None) => (
            "http_uri",
            wire.cluster,
            Some(DocumentSource::Uri(wire.uri.0)),
            wire.timeout,
        ),
        (None, Some(wire)) => (
            "discovery",
            wire.cluster,
            metadata(provider, issuers?),
            wire.timeout,
        ),
        (None, None) => return at.refuse("needs http_uri or discovery"),
        (Some(_), Some(_)) => return at.refuse("has both http_uri and discovery"),
    };
    let failed_refetch_duration = wire
        .async_fetch
        .and_then(|wire| wire.failed_refetch_duration);
    let longest_retry = PositiveDuration::or(failed_refetch_duration, LONGEST_RETRY);
    let lifetimes = lifetimes(at, wire.cache_duration, wire.max_stale);
    let timeout = http_uri::timeout(&at.field(field), timeout);
    let refetch_cooldown = refetch_cooldown(at, wire.refetch_cooldown);
    let retries = retries(at, wire.retry_policy);
    let authorized = wire.authorization.is_some();
    let headers = request_header::build_all(at, wire.headers, authorized, environment);
    let authorization = wire
        .authorization
        .and_then(|wire| wire.build(&at.field("authorization"), environment));
    Some(RemoteDocument {
        cluster: cluster.0,
        source: source?,
        authorization,
        headers,
        policy: RefreshPolicy {
            timeout: timeout?,
            cache_duration: lifetimes.cache_duration,
            max_stale: lifetimes.max_stale,
            refetch_cooldown,
            retry: Backoff::new(FIRST_RETRY.min(longest_retry), longest_retry),
            honors_cache_control: !matches!(wire.cache_control, Some(CacheControlWire::Ignore)),
        },
        retries,
    })
}

/// The places of the metadata of the only one of `issuers`, those of the provider at this place.
fn metadata(at: &Place<'_>, issuers: &Issuers) -> Option<DocumentSource> {
    let issuer = issuers.only_issuer();
    if issuer.is_none() && !issuers.are_any() {
        return at.field("issuers").refuse(
            "discovery reads the metadata of a single issuer: name it in issuer, or give \
             remote_jwks.http_uri, the key set of all",
        );
    }
    let source = issuer.and_then(|issuer| {
        Some(DocumentSource::Metadata {
            issuer: issuer.to_owned(),
            places: Resource::of_metadata(issuer)?,
        })
    });
    source.or_else(|| {
        at.field("issuer")
            .refuse("must be an http or https URI without query: discovery reads its metadata")
    })
}

/// How long a fetched key set is used.
struct Lifetimes {
    cache_duration: Duration,
    max_stale: Duration,
}

fn lifetimes(
    at: &Place<'_>,
    cache_duration: Option<PositiveDuration>,
    max_stale: Option<PositiveDuration>,
) -> Lifetimes {
    let cache_duration = PositiveDuration::or(cache_duration, DEFAULT_CACHE_DURATION);
    if cache_duration < Duration::from_millis(1) {
        at.field("cache_duration")
            .report("must be at least \"0.001s\"");
    }
    // With a long `cache_duration` and the plain default, one failed fetch would make the keys
    // unavailable.
    let default_max_stale = DEFAULT_MAX_STALE.max(cache_duration.saturating_mul(2));
    let max_stale = PositiveDuration::or(max_stale, default_max_stale);
    if max_stale < cache_duration {
        at.field("max_stale")
            .report("must not be shorter than cache_duration");
    }
    Lifetimes {
        cache_duration,
        max_stale,
    }
}

fn refetch_cooldown(at: &Place<'_>, given: Option<PositiveDuration>) -> Duration {
    let cooldown = PositiveDuration::or(given, DEFAULT_REFETCH_COOLDOWN);
    if cooldown < SHORTEST_COOLDOWN {
        at.field("refetch_cooldown")
            .report("must be at least \"1s\"");
    }
    cooldown
}

/// Envoy's defaults for a retry policy: one repetition, and delays of up to ten times the base
/// interval.
fn retries(at: &Place<'_>, wire: Option<RetryPolicyWire>) -> Retries {
    let number = match &wire {
        None => 0,
        Some(wire) => wire.num_retries.map_or(1, |number| number.0),
    };
    let (base, longest) = match wire.and_then(|wire| wire.retry_back_off) {
        None => (RETRY_BASE_INTERVAL, None),
        Some(wire) => (wire.base_interval.0, wire.max_interval),
    };
    let longest = PositiveDuration::or(longest, base.saturating_mul(10));
    if longest < base {
        let at = at.field("retry_policy");
        let at = at.field("retry_back_off");
        at.field("max_interval")
            .report("must not be shorter than base_interval");
    }
    Retries {
        number,
        backoff: Backoff::new(base, longest),
    }
}
