//! Everything that is fetched or asked for the providers of one policy, in one worker.

use std::rc::Rc;
use std::time::Duration;

use gate::decision::{Dependency, RETRY_AFTER, Resources};
use gate::fetching::{Availability, KeySetFormat, Publication};
use gate::introspection::TokenStatus;
use gate::keys::KeySet;
use gate::policy::{KeySource, Policy, Provider};
use gate::revocation::{ListReader, RevocationList};
use gate::time::Instant;
use gate::verify::Engine;

use crate::change::{Change, KnownStatus};
use crate::host::{CalloutId, Host};
use crate::introspection::IntrospectionClient;
use crate::metrics::Metrics;
use crate::source::Source;
use crate::store::Store;

/// Each list has an entry for every provider, by its index.
pub(crate) struct Sources<H> {
    keys: Vec<Option<Source<KeySet, H>>>,
    revocations: Vec<Option<Source<RevocationList, H>>>,
    clients: Vec<Option<IntrospectionClient<H>>>,
}

impl<H: Host> Sources<H> {
    pub(crate) fn new(
        store: &Store<H>,
        policy: &Policy,
        engine: &Rc<Engine>,
        metrics: &Rc<Metrics<H>>,
        now: Instant,
    ) -> Self {
        let keys = |provider: &Rc<Provider>| match &provider.keys {
            KeySource::Remote(remote) => Some(Source::new(
                store,
                Rc::clone(provider),
                Rc::clone(remote),
                KeySetFormat {
                    uses: provider.key_uses.clone(),
                },
                Rc::clone(engine),
                Rc::clone(metrics),
                now,
            )),
            KeySource::Local(_) | KeySource::None => None,
        };
        let revocations = |provider: &Rc<Provider>| {
            let revocation = provider.revocation.as_ref()?;
            let reader = ListReader {
                format: revocation.format,
                state: store.host().hash_state(),
            };
            Some(Source::new(
                store,
                Rc::clone(provider),
                Rc::clone(&revocation.remote),
                reader,
                Rc::clone(engine),
                Rc::clone(metrics),
                now,
            ))
        };
        let client =
            |provider: &Rc<Provider>| IntrospectionClient::new(store, provider, Rc::clone(metrics));
        Self {
            keys: policy.providers.iter().map(keys).collect(),
            revocations: policy.providers.iter().map(revocations).collect(),
            clients: policy.providers.iter().map(client).collect(),
        }
    }

    /// What a decision sees.
    pub(crate) const fn resources<'s>(&'s self, turn: Turn<'s>) -> View<'s, H> {
        View {
            sources: self,
            turn,
        }
    }

    /// Requests what a request waits for, unless it comes anyway. The next tick sends it.
    pub(crate) fn request(&mut self, dependency: &Dependency) {
        match dependency {
            Dependency::Keys(_) | Dependency::Revocations(_) => {}
            Dependency::NewerKeys(provider) => {
                if let Some(Some(source)) = self.keys.get_mut(*provider) {
                    source.request_newer();
                }
            }
            Dependency::Introspection { provider, token } => {
                if let Some(Some(client)) = self.clients.get_mut(*provider) {
                    client.request(token);
                }
            }
        }
    }

    /// Sends no request for what no request waits for any more, if there is still time.
    pub(crate) fn withdraw(&mut self, dependency: &Dependency) {
        match dependency {
            Dependency::Keys(_) | Dependency::Revocations(_) => {}
            Dependency::NewerKeys(provider) => {
                if let Some(Some(source)) = self.keys.get_mut(*provider) {
                    source.withdraw_newer();
                }
            }
            Dependency::Introspection { provider, token } => {
                if let Some(Some(client)) = self.clients.get_mut(*provider) {
                    client.withdraw(token);
                }
            }
        }
    }

    /// Adopts what other workers fetched, and sends what is due.
    pub(crate) fn tick(&mut self, now: Instant) {
        for source in self.keys.iter_mut().flatten() {
            source.tick(now);
        }
        for source in self.revocations.iter_mut().flatten() {
            source.tick(now);
        }
        for client in self.clients.iter_mut().flatten() {
            client.tick(now);
        }
    }

    /// Handles the response to a callout.
    pub(crate) fn received(
        &mut self,
        callout: CalloutId,
        has_headers: bool,
        size: usize,
        now: Instant,
    ) {
        for source in self.keys.iter_mut().flatten() {
            source.received(callout, has_headers, size, now);
        }
        for source in self.revocations.iter_mut().flatten() {
            source.received(callout, has_headers, size, now);
        }
        for client in self.clients.iter_mut().flatten() {
            client.received(callout, has_headers, size, now);
        }
    }

    /// What has changed since the last call.
    pub(crate) fn take_changes(&mut self) -> Vec<Change> {
        let mut changes = Vec::new();
        for source in self.keys.iter_mut().flatten() {
            if source.take_changed() {
                let provider = source.provider();
                changes.push(Change::Document(Dependency::Keys(provider)));
                changes.push(Change::Document(Dependency::NewerKeys(provider)));
            }
        }
        for source in self.revocations.iter_mut().flatten() {
            if source.take_changed() {
                let provider = source.provider();
                changes.push(Change::Document(Dependency::Revocations(provider)));
            }
        }
        for client in self.clients.iter_mut().flatten() {
            let provider = client.provider();
            let settled = client.take_settled().into_iter();
            changes.extend(settled.map(|(token, status)| {
                let dependency = Dependency::Introspection { provider, token };
                Change::Status(KnownStatus { dependency, status })
            }));
        }
        changes
    }

    /// Whether a tick could send an introspection request.
    pub(crate) fn is_urgent(&self) -> bool {
        let mut clients = self.clients.iter().flatten();
        clients.any(IntrospectionClient::has_next)
    }

    /// Whether anything is on its way.
    pub(crate) fn is_busy(&self, now: Instant) -> bool {
        let mut keys = self.keys.iter().flatten();
        let mut revocations = self.revocations.iter().flatten();
        let mut clients = self.clients.iter().flatten();
        keys.any(|source| source.is_busy(now))
            || revocations.any(|source| source.is_busy(now))
            || clients.any(IntrospectionClient::is_busy)
    }

    /// Leaves all shared documents, because the policy is removed.
    pub(crate) fn leave(&mut self, now: Instant) {
        for source in self.keys.iter_mut().flatten() {
            source.leave(now);
        }
        for source in self.revocations.iter_mut().flatten() {
            source.leave(now);
        }
    }
}

/// The turn of a request: when it is decided, and what it has waited for.
#[derive(Clone, Copy)]
pub(crate) struct Turn<'s> {
    /// The time.
    pub(crate) now: Instant,
    /// Whether it can wait. Otherwise it sees what is pending as unavailable.
    pub(crate) can_wait: bool,
    /// The statuses that it was called with.
    pub(crate) statuses: &'s [KnownStatus],
}

/// What a decision sees.
pub(crate) struct View<'s, H> {
    sources: &'s Sources<H>,
    turn: Turn<'s>,
}

impl<H: Host> Resources for View<'_, H> {
    fn keys(&self, provider: &Provider) -> Availability<KeySet> {
        self.document(&self.sources.keys, provider)
    }

    fn revocations(&self, provider: &Provider) -> Availability<RevocationList> {
        self.document(&self.sources.revocations, provider)
    }

    fn introspection(&self, provider: &Provider, token: &str) -> TokenStatus {
        const UNAVAILABLE: TokenStatus = TokenStatus::Unavailable {
            retry_after: RETRY_AFTER,
        };
        let mut known = self.turn.statuses.iter();
        if let Some(known) = known.find(|known| known.is_about(provider.index, token)) {
            return known.status.clone();
        }
        let client = entry(&self.sources.clients, provider);
        let status = client.map_or(UNAVAILABLE, |client| client.status(token, self.turn.now));
        match status {
            TokenStatus::Pending if !self.turn.can_wait => UNAVAILABLE,
            status => status,
        }
    }
}

impl<H: Host> View<'_, H> {
    fn document<T: Publication>(
        &self,
        sources: &[Option<Source<T, H>>],
        provider: &Provider,
    ) -> Availability<T> {
        let Some(source) = entry(sources, provider) else {
            let retry_after = Duration::ZERO;
            return Availability::Unavailable { retry_after };
        };
        let availability = source.availability(self.turn.now);
        if self.turn.can_wait {
            availability
        } else {
            availability.without_waiting(RETRY_AFTER)
        }
    }
}

/// The entry of a provider.
fn entry<'e, E>(entries: &'e [Option<E>], provider: &Provider) -> Option<&'e E> {
    entries.get(provider.index)?.as_ref()
}
