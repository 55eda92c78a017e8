//! Requests that wait for what their decision needs. Their number is bounded, and so is their time.

mod call_queue;
mod places;

use std::collections::HashMap;

use gate::decision::Dependency;
use gate::time::Instant;
use sorted_vec::SortedSet;

use self::call_queue::CallQueue;
pub use self::places::CAPACITY;
use self::places::Places;
use crate::change::{Change, KnownStatus};
use crate::host::ContextId;

/// The waiting requests of one worker, by their stream.
///
/// A request is called when something that it waits for has changed, or when its time is up. Called
/// requests stay until they are taken out, in the order of arrival, so that they can be decided over
/// several host calls. The requests of each provider have a share of the places, and they take turns to
/// be taken out, so that those of one provider neither displace nor delay those of another.
#[derive(Debug)]
pub struct WaitingRoom<T> {
    waiters: HashMap<ContextId, Waiter<T>>,
    /// The streams that wait for each dependency.
    by_dependency: HashMap<Dependency, SortedSet<ContextId>>,
    called: CallQueue,
    places: Places,
}

/// A request that waits.
#[derive(Debug)]
pub struct Waiter<T> {
    /// The request.
    pub request: T,
    /// When it arrived.
    pub arrived: Instant,
    /// Until when it waits.
    pub deadline: Instant,
    /// What it waits for.
    pub on: Vec<Dependency>,
    /// The introspected statuses that it was called with. One response serves all requests that wait
    /// for it, even if it must not be stored.
    pub statuses: Vec<KnownStatus>,
}

impl<T> Waiter<T> {
    /// Whether the request must not wait any longer.
    #[must_use]
    pub fn is_overdue(&self, now: Instant) -> bool {
        self.deadline <= now
    }

    /// Whether it was called with the introspected status that it waits for.
    #[must_use]
    pub fn has_status(&self, dependency: &Dependency) -> bool {
        let mut known = self.statuses.iter();
        known.any(|known| known.dependency == *dependency)
    }
}

impl<T> WaitingRoom<T> {
    /// An empty room for requests that can wait for this number of providers.
    #[must_use]
    pub fn new(providers: usize) -> Self {
        Self {
            waiters: HashMap::new(),
            by_dependency: HashMap::new(),
            called: CallQueue::default(),
            places: Places::new(providers),
        }
    }

    /// Lets the request of a stream wait. It takes a place of each provider that it waits for, and
    /// does not wait for a provider whose places are taken. Returns what it waits for.
    ///
    /// # Errors
    ///
    /// The waiter, if there is no place at all.
    pub fn admit(
        &mut self,
        stream: ContextId,
        mut waiter: Waiter<T>,
    ) -> Result<Vec<Dependency>, Waiter<T>> {
        let mut providers = providers(&waiter.on);
        providers.retain(|provider| self.places.take(*provider));
        if providers.is_empty() {
            return Err(waiter);
        }
        let on = &mut waiter.on;
        on.retain(|dependency| providers.contains(&dependency.provider()));
        let on = on.clone();
        for dependency in &on {
            let streams = self.by_dependency.entry(dependency.clone());
            streams.or_default().find_or_push(stream);
        }
        self.waiters.insert(stream, waiter);
        Ok(on)
    }

    /// Whether any request waits for `dependency`.
    #[must_use]
    pub fn is_awaited(&self, dependency: &Dependency) -> bool {
        self.by_dependency.contains_key(dependency)
    }

    /// Whether the request of a stream waits.
    #[must_use]
    pub fn contains(&self, stream: ContextId) -> bool {
        self.waiters.contains_key(&stream)
    }

    /// Takes out the request of a stream.
    pub fn remove(&mut self, stream: ContextId) -> Option<Waiter<T>> {
        let waiter = self.waiters.remove(&stream)?;
        for provider in providers(&waiter.on) {
            self.called.remove(provider, stream);
            self.places.give_back(provider);
        }
        for dependency in &waiter.on {
            if let Some(streams) = self.by_dependency.get_mut(dependency) {
                streams.remove_item(&stream);
                if streams.is_empty() {
                    self.by_dependency.remove(dependency);
                }
            }
        }
        Some(waiter)
    }

    /// Whether no request waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.waiters.is_empty()
    }

    /// The number of waiting requests, at most [`CAPACITY`].
    #[must_use]
    pub fn len(&self) -> usize {
        self.waiters.len()
    }

    /// Calls the requests that wait for what has changed.
    pub fn call(&mut self, change: &Change) {
        let dependency = change.dependency();
        let Some(streams) = self.by_dependency.get(dependency) else {
            return;
        };
        for stream in streams {
            self.called.add(dependency.provider(), *stream);
            if let Change::Status(known) = change
                && let Some(waiter) = self.waiters.get_mut(stream)
            {
                waiter.statuses.push(known.clone());
            }
        }
    }

    /// Calls the requests whose time is up.
    pub fn call_overdue(&mut self, now: Instant) {
        for (stream, waiter) in &self.waiters {
            if waiter.is_overdue(now)
                && let Some(dependency) = waiter.on.first()
            {
                self.called.add(dependency.provider(), *stream);
            }
        }
    }

    /// Whether a called request has not been taken out.
    #[must_use]
    pub fn has_called(&self) -> bool {
        !self.called.is_empty()
    }

    /// Takes out the called request whose turn it is.
    pub fn take_called(&mut self) -> Option<(ContextId, Waiter<T>)> {
        let stream = self.called.next()?;
        Some((stream, self.remove(stream)?))
    }
}

/// The providers of dependencies, each once.
fn providers(on: &[Dependency]) -> Vec<usize> {
    let mut providers: Vec<usize> = on.iter().map(Dependency::provider).collect();
    providers.sort_unstable();
    providers.dedup();
    providers
}

#[cfg(test)]
mod tests {
    use std::iter;

    use gate::introspection::TokenStatus;

    use super::*;

    const KEYS: Dependency = Dependency::Keys(0);
    const OTHER_KEYS: Dependency = Dependency::Keys(1);
    const LIST: Dependency = Dependency::Revocations(0);

    fn waiter(secs: u64, on: &[Dependency]) -> Waiter<()> {
        Waiter {
            request: (),
            arrived: Instant::default(),
            deadline: Instant::from_secs(secs),
            on: on.to_vec(),
            statuses: Vec::new(),
        }
    }

    fn changed(dependency: &Dependency) -> Change {
        Change::Document(dependency.clone())
    }

    fn room<const N: usize>(waiters: [(u32, u64, &[Dependency]); N]) -> WaitingRoom<()> {
        let mut room = WaitingRoom::new(2);
        for (stream, secs, on) in waiters {
            assert!(room.admit(ContextId(stream), waiter(secs, on)).is_ok());
        }
        room
    }

    fn taken(room: &mut WaitingRoom<()>, count: usize) -> Vec<u32> {
        let taken = iter::from_fn(|| room.take_called());
        taken.map(|(stream, _)| stream.0).take(count).collect()
    }

    #[test]
    fn the_room_is_bounded() {
        let mut room = WaitingRoom::new(1);
        for stream in 0..1024 {
            assert!(room.admit(ContextId(stream), waiter(1, &[KEYS])).is_ok());
        }
        assert!(room.admit(ContextId(1024), waiter(1, &[KEYS])).is_err());
        assert_eq!(room.len(), CAPACITY);
        assert!(room.remove(ContextId(0)).is_some());
        assert!(room.admit(ContextId(1024), waiter(1, &[KEYS])).is_ok());
    }

    #[test]
    fn a_request_waits_only_for_providers_that_have_a_place_for_it() {
        let mut room = WaitingRoom::new(2);
        let streams = (0..CAPACITY).map(|stream| ContextId(u32::try_from(stream).unwrap()));
        let admitted = streams.filter(|stream| room.admit(*stream, waiter(9, &[KEYS])).is_ok());
        assert_eq!(admitted.count(), 768);
        let both = [KEYS, LIST, OTHER_KEYS];
        let on = room.admit(ContextId(2000), waiter(9, &both)).unwrap();
        assert_eq!(on, [OTHER_KEYS]);
        assert!(room.is_awaited(&OTHER_KEYS) && !room.is_awaited(&LIST));
        // It took one place, and gives it back.
        assert!(room.remove(ContextId(2000)).is_some());
        for stream in 2000..2256 {
            let admitted = room.admit(ContextId(stream), waiter(9, &[OTHER_KEYS]));
            assert!(admitted.is_ok(), "{stream}");
        }
        assert!(room.admit(ContextId(3000), waiter(9, &both)).is_err());
        assert_eq!(room.len(), CAPACITY);
    }

    #[test]
    fn a_request_is_called_by_each_of_its_dependencies_and_by_no_other() {
        let waiters: [(u32, u64, &[Dependency]); 4] = [
            (1, 9, &[KEYS]),
            (2, 9, &[OTHER_KEYS]),
            (3, 9, &[KEYS, OTHER_KEYS]),
            (4, 9, &[LIST]),
        ];
        for (dependency, expected) in [
            (KEYS, &[1, 3][..]),
            (OTHER_KEYS, &[2, 3]),
            (LIST, &[4]),
            (Dependency::NewerKeys(0), &[]),
        ] {
            let mut room = room(waiters);
            room.call(&changed(&dependency));
            assert_eq!(room.has_called(), !expected.is_empty());
            assert_eq!(taken(&mut room, 9), expected, "{dependency:?}");
            assert_eq!(room.len(), 4 - expected.len());
        }
    }

    #[test]
    fn no_trace_of_a_removed_request_remains() {
        let mut room = room([(1, 1, &[KEYS, LIST]), (2, 1, &[KEYS])]);
        room.call(&changed(&KEYS));
        assert!(room.remove(ContextId(1)).is_some());
        assert!(room.remove(ContextId(1)).is_none());
        assert_eq!(taken(&mut room, 9), [2]);
        assert!(room.is_empty() && room.by_dependency.is_empty() && !room.has_called());
    }

    #[test]
    fn overdue_requests_are_called_at_their_deadline() {
        let mut room = room([(1, 5, &[KEYS]), (2, 7, &[KEYS]), (3, 6, &[KEYS])]);
        room.call_overdue(Instant::from_secs(4));
        assert!(!room.has_called());
        room.call_overdue(Instant::from_secs(6));
        assert_eq!(taken(&mut room, 9), [1, 3]);
        room.call_overdue(Instant::from_secs(7));
        assert_eq!(taken(&mut room, 9), [2]);
    }

    #[test]
    fn called_requests_are_taken_out_in_the_order_of_arrival() {
        let on: &[Dependency] = &[KEYS];
        let mut room = room([300, 4, 21, 5, 1].map(|stream| (stream, 1, on)));
        room.call(&changed(&KEYS));
        assert_eq!(taken(&mut room, 2), [1, 4]);
        // The others stay called, and stay in the room until their turn.
        room.call_overdue(Instant::default());
        assert!(room.has_called() && room.contains(ContextId(300)));
        assert_eq!(room.len(), 3);
        assert_eq!(taken(&mut room, 9), [5, 21, 300]);
        assert!(!room.has_called() && room.is_empty());
    }

    #[test]
    fn a_request_that_waits_again_is_called_again() {
        let mut room = room([(1, 9, &[KEYS]), (2, 9, &[KEYS])]);
        room.call(&changed(&KEYS));
        assert_eq!(taken(&mut room, 1), [1]);
        assert!(room.admit(ContextId(1), waiter(9, &[LIST])).is_ok());
        assert_eq!(taken(&mut room, 9), [2]);
        assert!(room.contains(ContextId(1)) && !room.has_called());
        room.call(&changed(&KEYS));
        assert!(!room.has_called());
        room.call(&changed(&LIST));
        assert_eq!(taken(&mut room, 9), [1]);
    }

    #[test]
    fn every_request_that_waits_for_a_token_is_called_with_its_status() {
        let introspection = |token: &str| Dependency::Introspection {
            provider: 0,
            token: token.into(),
        };
        let mut room = WaitingRoom::new(1);
        for (stream, token) in [(1, "a"), (2, "b"), (3, "a")] {
            let waiter = waiter(9, &[introspection(token)]);
            assert!(room.admit(ContextId(stream), waiter).is_ok());
        }
        room.call(&Change::Status(KnownStatus {
            dependency: introspection("a"),
            status: TokenStatus::Inactive,
        }));
        for expected in [1, 3] {
            let (stream, waiter) = room.take_called().unwrap();
            assert_eq!(stream, ContextId(expected));
            assert_eq!(waiter.statuses.len(), 1);
            assert!(waiter.statuses[0].is_about(0, "a"));
            assert!(!waiter.statuses[0].is_about(1, "a") && !waiter.statuses[0].is_about(0, "b"));
        }
        assert!(room.take_called().is_none());
    }
}
