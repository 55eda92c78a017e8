//! Tokens whose introspection has been requested and not answered.

use std::collections::{HashMap, VecDeque};
use std::hash::RandomState;
use std::rc::Rc;

/// The largest number of introspection requests in flight, for one worker and provider.
pub(super) const MAX_IN_FLIGHT: usize = 128;

/// Tokens whose introspection has been requested and not answered. A request of the waiting room waits
/// for each that is not in flight, so the room bounds their number.
#[derive(Debug)]
pub(super) struct TokenQueue {
    /// The tokens without an answer, and whether their call is in flight.
    unanswered: HashMap<Rc<str>, bool, RandomState>,
    /// The tokens whose call has not been sent, in the order of arrival.
    queued: VecDeque<Rc<str>>,
}

impl TokenQueue {
    pub(super) fn new(state: RandomState) -> Self {
        Self {
            unanswered: HashMap::with_hasher(state),
            queued: VecDeque::new(),
        }
    }

    /// Adds a token, unless it is there.
    pub(super) fn push(&mut self, token: &Rc<str>) {
        if !self.unanswered.contains_key(token) {
            self.queued.push_back(Rc::clone(token));
            self.unanswered.insert(Rc::clone(token), false);
        }
    }

    /// The next token to send; it is in flight until it is [removed](Self::remove).
    pub(super) fn take_next(&mut self) -> Option<Rc<str>> {
        if !self.has_next() {
            return None;
        }
        let token = self.queued.pop_front()?;
        self.unanswered.insert(Rc::clone(&token), true);
        Some(token)
    }

    /// Whether a token can be sent.
    pub(super) fn has_next(&self) -> bool {
        let in_flight = self.unanswered.len().saturating_sub(self.queued.len());
        in_flight < MAX_IN_FLIGHT && !self.queued.is_empty()
    }

    /// Removes a token that was in flight.
    pub(super) fn remove(&mut self, token: &str) {
        self.unanswered.remove(token);
    }

    /// Removes a token that is not in flight.
    pub(super) fn withdraw(&mut self, token: &str) {
        if self.unanswered.get(token) == Some(&false) {
            self.queued.retain(|queued| &**queued != token);
            self.unanswered.remove(token);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.unanswered.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use std::iter;

    use super::*;

    fn token(number: usize) -> Rc<str> {
        number.to_string().into()
    }

    #[test]
    fn a_token_is_sent_once() {
        let mut queue = TokenQueue::new(RandomState::new());
        for _ in 0..3 {
            queue.push(&token(1));
        }
        assert!(queue.has_next());
        assert_eq!(queue.take_next(), Some(token(1)));
        queue.push(&token(1));
        assert!(!queue.has_next() && !queue.is_empty());
        assert_eq!(queue.take_next(), None);
        queue.remove("1");
        assert!(queue.is_empty());
        queue.push(&token(1));
        assert_eq!(queue.take_next(), Some(token(1)));
    }

    #[test]
    fn the_requests_in_flight_are_bounded() {
        let mut queue = TokenQueue::new(RandomState::new());
        for number in 0..1000 {
            queue.push(&token(number));
        }
        let sent: Vec<_> = iter::from_fn(|| queue.take_next()).collect();
        let first: Vec<_> = (0..MAX_IN_FLIGHT).map(token).collect();
        assert_eq!(sent, first);
        assert!(!queue.has_next());
        queue.remove(&sent[0]);
        assert_eq!(queue.take_next(), Some(token(MAX_IN_FLIGHT)));
    }

    #[test]
    fn a_token_that_is_withdrawn_is_not_sent() {
        let mut queue = TokenQueue::new(RandomState::new());
        for number in 0..4 {
            queue.push(&token(number));
        }
        for withdrawn in ["0", "2", "2", "9"] {
            queue.withdraw(withdrawn);
        }
        // It is sent last if it is requested again.
        queue.push(&token(0));
        assert_eq!(queue.take_next(), Some(token(1)));
        // A token in flight stays.
        queue.withdraw("1");
        queue.push(&token(1));
        let sent: Vec<_> = iter::from_fn(|| queue.take_next()).collect();
        assert_eq!(sent, [token(3), token(0)]);
        for sent in ["1", "3", "0"] {
            queue.remove(sent);
        }
        assert!(queue.is_empty());
    }
}
