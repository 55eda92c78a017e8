//! All that is fetched for the providers of one configuration, in one worker.

use std::rc::Rc;
use std::time::Duration;

use super::host::{self, CalloutId};
use super::introspection::Endpoint;
use super::meters::Meters;
use super::source::Source;
use crate::config::{Config, KeySource, Provider};
use crate::fetching::Supply;
use crate::gate::{RemoteKeys, RemoteList};
use crate::introspection::Standing;
use crate::keys::{KeySet, NoFormat};
use crate::revocation::{ListReader, RevocationList};
use crate::time::Timestamp;
use crate::verify::Engine;

/// Each has a place for every provider, by its index.
pub(super) struct Sources {
    keys: Vec<Option<Source<KeySet>>>,
    lists: Vec<Option<Source<RevocationList>>>,
    endpoints: Vec<Option<Endpoint>>,
}

impl Sources {
    pub(super) fn of(config: &Config, engine: &Rc<Engine>) -> Self {
        let keys = |provider: &Rc<Provider>| match &provider.keys {
            KeySource::Remote(jwks) => {
                let (provider, jwks) = (Rc::clone(provider), Rc::clone(jwks));
                Some(Source::new(provider, jwks, NoFormat, Rc::clone(engine)))
            }
            KeySource::Local(_) | KeySource::None => None,
        };
        let list = |provider: &Rc<Provider>| {
            let revocation = provider.revocation.as_ref()?;
            let reader = ListReader {
                format: revocation.format,
                state: host::hash_state(),
            };
            let remote = Rc::clone(&revocation.remote);
            let (provider, engine) = (Rc::clone(provider), Rc::clone(engine));
            Some(Source::new(provider, remote, reader, engine))
        };
        Self {
            keys: config.providers.iter().map(keys).collect(),
            lists: config.providers.iter().map(list).collect(),
            endpoints: config.providers.iter().map(Endpoint::of).collect(),
        }
    }

    /// The key set of a provider, for a decision that may wait for a newer one.
    pub(super) fn keys(&self, provider: &Provider, now: Timestamp) -> RemoteKeys {
        of(&self.keys, provider).map_or_else(nowhere, |source| source.ask(now))
    }

    /// The list of a provider's revoked tokens.
    pub(super) fn list(&self, provider: &Provider, now: Timestamp) -> RemoteList {
        of(&self.lists, provider).map_or_else(nowhere, |source| source.supply(now))
    }

    /// What is known of a token that a provider's authorization server is asked about.
    pub(super) fn standing(&self, provider: &Provider, token: &str, now: Timestamp) -> Standing {
        match of(&self.endpoints, provider) {
            Some(endpoint) => endpoint.ask(token, now),
            None => Standing::Pending.at_once(),
        }
    }

    /// Whether there is something to send that a request waits for.
    pub(super) fn is_eager(&self) -> bool {
        self.endpoints.iter().flatten().any(Endpoint::has_next)
    }

    /// Takes note of how a decision came out that may have asked for keys.
    pub(super) fn decided(&mut self, waits: bool) {
        for source in self.keys.iter_mut().flatten() {
            source.decided(waits);
        }
    }

    /// Adopts what others have fetched, and fetches what is due.
    pub(super) fn tick(&mut self, now: Timestamp, meters: &Meters) {
        for source in self.keys.iter_mut().flatten() {
            source.tick(now, meters);
        }
        for source in self.lists.iter_mut().flatten() {
            source.tick(now, meters);
        }
        for endpoint in self.endpoints.iter_mut().flatten() {
            endpoint.tick(now, meters);
        }
    }

    /// Takes the answer to a callout.
    pub(super) fn answered(
        &mut self,
        callout: CalloutId,
        has_headers: bool,
        size: usize,
        now: Timestamp,
        meters: &Meters,
    ) {
        for source in self.keys.iter_mut().flatten() {
            source.answered(callout, has_headers, size, now, meters);
        }
        for source in self.lists.iter_mut().flatten() {
            source.answered(callout, has_headers, size, now, meters);
        }
        for endpoint in self.endpoints.iter_mut().flatten() {
            endpoint.answered(callout, has_headers, size, now, meters);
        }
    }

    /// Whether something has happened, since this was asked last, that may decide requests that wait.
    pub(super) fn take_news(&mut self) -> bool {
        let keys = self.keys.iter_mut().flatten().map(Source::take_news);
        let lists = self.lists.iter_mut().flatten().map(Source::take_news);
        let endpoints = self.endpoints.iter_mut().flatten().map(Endpoint::take_news);
        let all = keys.chain(lists).chain(endpoints);
        all.fold(false, |news, one| news | one)
    }

    /// Whether the next tick should come soon.
    pub(super) fn is_busy(&self, now: Timestamp) -> bool {
        let keys = self.keys.iter().flatten();
        let lists = self.lists.iter().flatten();
        let endpoints = self.endpoints.iter().flatten();
        keys.map(|source| source.is_busy(now))
            .chain(lists.map(|source| source.is_busy(now)))
            .chain(endpoints.map(Endpoint::is_busy))
            .any(|busy| busy)
    }
}

/// What `places` have for a provider.
fn of<'s, T>(places: &'s [Option<T>], provider: &Provider) -> Option<&'s T> {
    places.get(provider.index)?.as_ref()
}

/// The state of what nobody fetches.
const fn nowhere<T>() -> Supply<T> {
    Supply::Unavailable {
        retry_after: Duration::ZERO,
    }
}
