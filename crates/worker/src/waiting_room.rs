//! Where requests wait for what their decision needs: bounded, and nobody waits for ever.

use std::collections::BTreeSet;

use hashbrown::HashMap;

use gate::time::Timestamp;

/// The most requests of one worker that wait at the same time.
pub const CAPACITY: usize = 1024;

/// The requests of one worker that wait, each under the identifier that the host gave it.
///
/// Who is to be decided is called first, and taken out as its turn comes, in the order of arrival:
/// whoever takes them out may have to do so by and by.
#[derive(Debug)]
pub struct WaitingRoom<T> {
    waiters: HashMap<u32, Waiter<T>>,
    /// Who has been called; some of them may have gone. The host counts upwards: the order of the
    /// identifiers is that of arrival.
    called: BTreeSet<u32>,
}

/// A request that waits.
#[derive(Debug)]
pub struct Waiter<T> {
    /// What is known of the request.
    pub request: T,
    /// When it arrived.
    pub arrived: Timestamp,
    /// Until when it waits.
    pub deadline: Timestamp,
}

impl<T> Default for WaitingRoom<T> {
    fn default() -> Self {
        Self {
            waiters: HashMap::new(),
            called: BTreeSet::new(),
        }
    }
}

impl<T> WaitingRoom<T> {
    /// Lets a request wait.
    ///
    /// # Errors
    ///
    /// The waiter itself, where there is no room for it.
    pub fn admit(&mut self, id: u32, waiter: Waiter<T>) -> Result<(), Waiter<T>> {
        if self.waiters.len() >= CAPACITY {
            return Err(waiter);
        }
        self.waiters.insert(id, waiter);
        Ok(())
    }

    /// Whether a request waits.
    #[must_use]
    pub fn holds(&self, id: u32) -> bool {
        self.waiters.contains_key(&id)
    }

    /// Forgets a request that is no more.
    pub fn forget(&mut self, id: u32) {
        self.waiters.remove(&id);
    }

    /// Whether nobody waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.waiters.is_empty()
    }

    /// How many wait; at most [`CAPACITY`].
    #[must_use]
    pub fn count(&self) -> usize {
        self.waiters.len()
    }

    /// Calls everybody.
    pub fn call_all(&mut self) {
        self.called.extend(self.waiters.keys());
    }

    /// Calls everybody whose deadline has come.
    pub fn call_overdue(&mut self, now: Timestamp) {
        let overdue = self
            .waiters
            .iter()
            .filter(|(_, waiter)| waiter.deadline <= now);
        self.called.extend(overdue.map(|(id, _)| id));
    }

    /// Whether somebody may have been called who has not been taken out yet.
    #[must_use]
    pub fn has_called(&self) -> bool {
        !self.called.is_empty()
    }

    /// Takes out one who has been called, and came before the others.
    pub fn take_called(&mut self) -> Option<(u32, Waiter<T>)> {
        while let Some(id) = self.called.pop_first() {
            if let Some(waiter) = self.waiters.remove(&id) {
                return Some((id, waiter));
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use std::iter;

    use super::*;

    fn waiter(secs: u64) -> Waiter<&'static str> {
        Waiter {
            request: "request",
            arrived: Timestamp::EPOCH,
            deadline: Timestamp::from_unix_secs(secs),
        }
    }

    fn taken(room: &mut WaitingRoom<&str>, most: usize) -> Vec<u32> {
        let taken = iter::from_fn(|| room.take_called());
        taken.map(|(id, _)| id).take(most).collect()
    }

    fn room_of<const N: usize>(waiters: [(u32, u64); N]) -> WaitingRoom<&'static str> {
        let mut room = WaitingRoom::default();
        for (id, secs) in waiters {
            assert!(room.admit(id, waiter(secs)).is_ok());
        }
        room
    }

    #[test]
    fn the_room_is_bounded() {
        let mut room = WaitingRoom::default();
        for id in 0..1024 {
            assert!(room.admit(id, waiter(1)).is_ok());
        }
        assert!(room.admit(1024, waiter(1)).is_err());
        assert_eq!(room.count(), 1024);
        room.forget(0);
        assert_eq!(room.count(), 1023);
        assert!(room.admit(1024, waiter(1)).is_ok());
    }

    #[test]
    fn who_is_forgotten_is_never_taken_out() {
        let mut room = room_of([(1, 1), (2, 1), (3, 1)]);
        room.forget(1);
        room.forget(4);
        room.call_all();
        room.forget(3);
        assert_eq!(taken(&mut room, 9), [2]);
        assert!(room.is_empty());
    }

    #[test]
    fn nobody_is_taken_out_who_has_not_been_called() {
        let mut room = room_of([(1, 1)]);
        assert!(!room.has_called() && taken(&mut room, 9).is_empty());
        room.call_all();
        assert!(room.has_called() && room.admit(2, waiter(1)).is_ok());
        assert_eq!(taken(&mut room, 9), [1]);
        assert!(!room.has_called() && room.holds(2));
        room.call_all();
        assert_eq!(taken(&mut room, 9), [2]);
    }

    #[test]
    fn the_overdue_are_taken_out_at_their_deadline() {
        let mut room = room_of([(1, 5), (2, 7), (3, 6)]);
        room.call_overdue(Timestamp::from_unix_secs(4));
        assert!(!room.has_called());
        room.call_overdue(Timestamp::from_unix_secs(6));
        assert_eq!(taken(&mut room, 9), [1, 3]);
        room.call_overdue(Timestamp::from_unix_secs(7));
        assert_eq!(taken(&mut room, 9), [2]);
    }

    #[test]
    fn the_called_are_taken_out_a_few_at_a_time_in_the_order_of_arrival() {
        let mut room = room_of([(300, 1), (4, 1), (21, 1), (5, 1), (1, 1)]);
        room.call_all();
        assert_eq!(taken(&mut room, 2), [1, 4]);
        // The rest stay called, whoever's time has not come; and stay in the room until their turn.
        room.call_overdue(Timestamp::EPOCH);
        assert!(room.has_called() && room.holds(300));
        assert_eq!(room.count(), 3);
        assert_eq!(taken(&mut room, 2), [5, 21]);
        assert!(room.has_called());
        assert_eq!(taken(&mut room, 2), [300]);
        assert!(!room.has_called() && room.is_empty());
    }

    #[test]
    fn who_waits_again_has_to_be_called_again() {
        let mut room = room_of([(1, 1), (2, 1)]);
        room.call_all();
        assert_eq!(taken(&mut room, 1), [1]);
        assert!(room.admit(1, waiter(2)).is_ok());
        assert_eq!(taken(&mut room, 9), [2]);
        assert!(room.holds(1) && !room.has_called());
    }
}
