//! Adopting what the workers share.

use std::rc::Rc;

use gate::fetching::{DocumentVersion, FetchState, Publication, SharedDocument};
use gate::time::{Instant, Timestamp};
use log::warn;

use super::{Current, Source};
use crate::gauge::Gauge;
use crate::host::Host;

impl<T: Publication, H: Host> Source<T, H> {
    /// Reads the shared state, adopts a new document and drops one that is too old.
    pub(super) fn look(&mut self, now: Instant) {
        self.see(self.shared.state());
        let (index, kind) = (self.provider.index, T::KIND);
        if let Some(version) = self.state.version()
            && !version.is_stale(&self.remote.policy, now)
        {
            match &mut self.current {
                Some(current) if current.version.id == version.id => {
                    self.need.lost = false;
                    if current.version != version {
                        current.version = version;
                        self.record_fetched_at(version, now);
                    }
                }
                _ if self.refused == Some(version.id) => {}
                _ => self.adopt_shared(version, now),
            }
        }
        let policy = &self.remote.policy;
        let is_stale = |current: &mut Current<T>| current.version.is_stale(policy, now);
        if let Some(current) = self.current.take_if(is_stale) {
            if let Some(suppressed) = self.throttles.too_old.admit(now) {
                warn!(
                    "bearer-gate: provider {}: the {kind} is too old to be used, \
                     {} seconds{suppressed}",
                    self.provider.name,
                    now.since(current.version.fetched_at).as_secs()
                );
            }
            self.metrics.record(Gauge::Count(kind, index), 0);
            self.changed = true;
        }
    }

    pub(super) fn see(&mut self, state: FetchState) {
        self.changed |= state.has_advanced_since(&self.state);
        self.state = state;
    }

    /// The shared document, if it is the version that the state names.
    fn shared_document(&self) -> Option<SharedDocument> {
        let version = self.state.version()?;
        let document = self.shared.document();
        document.filter(|document| document.id == version.id)
    }

    /// Adopts the shared document if it is this version. It may be another one, because a worker
    /// writes the document first and the state after it.
    fn adopt_shared(&mut self, version: DocumentVersion, now: Instant) {
        let document = self.shared_document();
        self.need.lost = document.is_none();
        let Some(document) = document else {
            return;
        };
        match T::from_shared(document.parts, &self.format) {
            Ok(value) => self.adopt(version, value, now),
            Err(problem) => {
                self.refused = Some(version.id);
                if let Some(suppressed) = self.throttles.refused.admit(now) {
                    warn!(
                        "bearer-gate: provider {}: the shared {} is refused: \
                         {problem}{suppressed}",
                        self.provider.name,
                        T::KIND
                    );
                }
            }
        }
    }

    fn adopt(&mut self, version: DocumentVersion, value: T, now: Instant) {
        let (index, kind) = (self.provider.index, T::KIND);
        let count = u64::try_from(value.count(&self.engine)).unwrap_or(u64::MAX);
        self.metrics.record(Gauge::Count(kind, index), count);
        self.record_fetched_at(version, now);
        self.need.lost = false;
        let value = Rc::new(value);
        self.current = Some(Current { version, value });
        self.changed = true;
    }

    /// Sets the gauge to the date of the last fetch, if the host knows the date.
    fn record_fetched_at(&self, version: DocumentVersion, now: Instant) {
        if let Some(date) = self.host.wall_clock() {
            let date = date.minus(now.since(version.fetched_at));
            let secs = date.since(Timestamp::EPOCH).as_secs();
            let gauge = Gauge::FetchedAt(T::KIND, self.provider.index);
            self.metrics.record(gauge, secs);
        }
    }
}
