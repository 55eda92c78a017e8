//! What the filter does next: whether it answers at once, what it fetches, and how long a request waits for that.

use std::time::Duration;

use gate::decision::{Decided, Decision, Dependency, Wait};
use gate::fetching::{DocumentSource, RemoteDocument, Resource};
use gate::policy::{IntrospectionEndpoint, KeySource, Policy, Provider};
use gate::reason::Reason;

/// What the filter does next about a request that it has decided this way.
pub(crate) fn describe(policy: &Policy, decided: &Decided<'_>) -> Vec<String> {
    let provider = decided
        .provider
        .and_then(|index| policy.providers.get(index));
    match &decided.decision {
        Decision::Pass | Decision::Admit(_) => vec!["the request goes on at once".to_owned()],
        Decision::Wait(wait) => waits(policy, wait),
        Decision::Deny(Reason::UnknownKey { .. }) => {
            vec![refetches(provider.map(|provider| &**provider))]
        }
        Decision::Deny(reason) => match reason.retry_after() {
            Some(_) => vec![
                "answers at once, and fetches again by itself after a delay that grows".to_owned(),
            ],
            None => vec!["answers at once: nothing that it fetches would change this".to_owned()],
        },
    }
}

/// For a token whose key is unknown.
fn refetches(provider: Option<&Provider>) -> String {
    match provider.map(|provider| &provider.keys) {
        Some(KeySource::Remote(document)) => {
            let cooldown = humantime::format_duration(document.policy.refetch_cooldown);
            let (place, limit) = (remote(document), limit(document.policy.timeout));
            format!(
                "fetches the key set again from {place} if it has not done so for {cooldown}, and the request waits \
                 for it, {limit}; if it has no such key either, this is the answer"
            )
        }
        _ => "answers at once: the keys are in the configuration".to_owned(),
    }
}

fn waits(policy: &Policy, wait: &Wait) -> Vec<String> {
    let on = wait.on.iter();
    let mut texts: Vec<String> = on.filter_map(|one| dependency(policy, one)).collect();
    let status = wait.unavailable.kind().status();
    let metric = wait.unavailable.kind().metric();
    let limit = limit(wait.timeout);
    texts.push(format!(
        "the request waits, {limit}; then it is refused with {status}, reason {metric}"
    ));
    texts
}

fn dependency(policy: &Policy, dependency: &Dependency) -> Option<String> {
    let provider = policy.providers.get(dependency.provider())?;
    let name = &provider.name;
    Some(match dependency {
        Dependency::Keys(_) | Dependency::NewerKeys(_) => match &provider.keys {
            KeySource::Remote(document) => {
                format!("fetches the key set of {name} from {}", remote(document))
            }
            KeySource::Local(_) | KeySource::None => return None,
        },
        Dependency::Revocations(_) => {
            let list = remote(&provider.revocation.as_ref()?.remote);
            format!("fetches the revocation list of {name} from {list}")
        }
        Dependency::Introspection { .. } => {
            let IntrospectionEndpoint {
                endpoint, cluster, ..
            } = provider.introspection.as_ref()?;
            let place = resource(endpoint);
            format!(
                "asks the introspection endpoint of {name} about the token: {place}, cluster {cluster}"
            )
        }
    })
}

/// Where a document is fetched.
fn remote(document: &RemoteDocument) -> String {
    let cluster = &document.cluster;
    match &document.source {
        DocumentSource::Uri(place) => format!("{}, cluster {cluster}", resource(place)),
        DocumentSource::Metadata { issuer, .. } => {
            format!("the jwks_uri in the metadata of {issuer}, cluster {cluster}")
        }
    }
}

fn resource(Resource { authority, path }: &Resource) -> String {
    format!("{authority}{path}")
}

fn limit(duration: Duration) -> String {
    format!("at most {}", humantime::format_duration(duration))
}
