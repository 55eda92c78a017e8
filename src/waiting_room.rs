//! Where requests wait for what their decision needs: bounded, and nobody waits for ever.

use hashbrown::HashMap;

use crate::time::Timestamp;

/// The most requests of one worker that wait at the same time.
pub const CAPACITY: usize = 1024;

/// The requests of one worker that wait, each under the identifier that the host gave it.
#[derive(Debug)]
pub struct WaitingRoom<T> {
    waiters: HashMap<u32, Waiter<T>>,
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

    /// Takes out everybody.
    pub fn take_all(&mut self) -> Vec<(u32, Waiter<T>)> {
        self.waiters.drain().collect()
    }

    /// Takes out everybody whose deadline has come.
    pub fn take_overdue(&mut self, now: Timestamp) -> Vec<(u32, Waiter<T>)> {
        self.waiters
            .extract_if(|_, waiter| waiter.deadline <= now)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waiter(secs: u64) -> Waiter<&'static str> {
        Waiter {
            request: "request",
            arrived: Timestamp::EPOCH,
            deadline: Timestamp::from_unix_secs(secs),
        }
    }

    fn ids(taken: Vec<(u32, Waiter<&str>)>) -> Vec<u32> {
        let mut ids: Vec<u32> = taken.into_iter().map(|(id, _)| id).collect();
        ids.sort_unstable();
        ids
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
        let mut room = WaitingRoom::default();
        assert!(room.admit(1, waiter(1)).is_ok() && room.admit(2, waiter(1)).is_ok());
        room.forget(1);
        room.forget(3);
        assert_eq!(ids(room.take_all()), [2]);
        assert!(room.is_empty());
    }

    #[test]
    fn the_overdue_are_taken_out_at_their_deadline() {
        let mut room = WaitingRoom::default();
        for (id, secs) in [(1, 5), (2, 6), (3, 7)] {
            assert!(room.admit(id, waiter(secs)).is_ok());
        }
        assert!(room.take_overdue(Timestamp::from_unix_secs(4)).is_empty());
        assert_eq!(ids(room.take_overdue(Timestamp::from_unix_secs(6))), [1, 2]);
        assert_eq!(ids(room.take_all()), [3]);
    }
}
