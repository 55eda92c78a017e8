//! All that is fetched for the providers of one configuration, in one worker.

use std::rc::Rc;
use std::time::Duration;

use super::host::CalloutId;
use super::meters::Meters;
use super::source::Source;
use crate::config::{Config, KeySource, Provider};
use crate::fetching::{Published, Supply};
use crate::gate::RemoteKeys;
use crate::keys::{KeySet, NoFormat};
use crate::time::Timestamp;

pub(super) struct Sources {
    keys: Vec<Source<KeySet>>,
}

impl Sources {
    pub(super) fn of(config: &Config) -> Self {
        let keys = |provider: &Rc<Provider>| match &provider.keys {
            KeySource::Remote(jwks) => {
                let (provider, jwks) = (Rc::clone(provider), Rc::clone(jwks));
                Some(Source::new(provider, jwks, NoFormat))
            }
            KeySource::Local(_) => None,
        };
        Self {
            keys: config.providers.iter().filter_map(keys).collect(),
        }
    }

    /// The key set of a provider, for a decision that may wait for a newer one.
    pub(super) fn keys(&self, provider: &Provider, now: Timestamp) -> RemoteKeys {
        match of(&self.keys, provider) {
            Some(source) => source.ask(now),
            None => Supply::Unavailable {
                retry_after: Duration::ZERO,
            },
        }
    }

    /// Takes note of how a decision came out that may have asked for keys.
    pub(super) fn decided(&mut self, waits: bool) {
        for source in &mut self.keys {
            source.decided(waits);
        }
    }

    /// Adopts what others have fetched, and fetches what is due.
    pub(super) fn tick(&mut self, now: Timestamp, meters: &Meters) {
        for source in &mut self.keys {
            source.tick(now, meters);
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
        for source in &mut self.keys {
            source.answered(callout, has_headers, size, now, meters);
        }
    }

    /// Whether something has happened, since this was asked last, that may decide requests that wait.
    pub(super) fn take_news(&mut self) -> bool {
        let keys = self.keys.iter_mut().map(Source::take_news);
        keys.fold(false, |news, one| news | one)
    }

    /// Whether the next tick should come soon.
    pub(super) fn is_busy(&self, now: Timestamp) -> bool {
        self.keys.iter().any(|source| source.is_busy(now))
    }
}

fn of<'s, T: Published>(sources: &'s [Source<T>], provider: &Provider) -> Option<&'s Source<T>> {
    let mut sources = sources.iter();
    sources.find(|source| source.provider() == provider.index)
}
