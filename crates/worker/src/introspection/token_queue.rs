//! Tokens whose introspection has been requested and not answered.

use std::collections::{HashSet, VecDeque};
use std::hash::RandomState;
use std::rc::Rc;

/// The largest number of tokens without a response, for one worker and provider.
pub(super) const MAX_UNANSWERED: usize = 1024;

/// The largest number of introspection requests in flight, for one worker and provider.
pub(super) const MAX_IN_FLIGHT: usize = 128;

/// Tokens whose introspection has been requested and not answered.
#[derive(Debug)]
pub(super) struct TokenQueue {
    /// All of them.
    unanswered: HashSet<Rc<str>, RandomState>,
    /// Those that are not in flight.
    queued: VecDeque<Rc<str>>,
}

impl TokenQueue {
    pub(super) fn new(state: RandomState) -> Self {
        Self {
            unanswered: HashSet::with_hasher(state),
            queued: VecDeque::new(),
        }
    }

    /// Whether `token` is in the queue or there is room for it.
    pub(super) fn accepts(&self, token: &str) -> bool {
        self.unanswered.len() < MAX_UNANSWERED || self.unanswered.contains(token)
    }

    /// Adds a token, unless it is in the queue or there is no room for it.
    pub(super) fn push(&mut self, token: &Rc<str>) {
        if self.accepts(token) && self.unanswered.insert(Rc::clone(token)) {
            self.queued.push_back(Rc::clone(token));
        }
    }

    /// The next token to send; it is in flight until it is [removed](Self::remove).
    pub(super) fn take_next(&mut self) -> Option<Rc<str>> {
        if self.has_next() {
            self.queued.pop_front()
        } else {
            None
        }
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
    fn the_queue_and_the_requests_in_flight_are_bounded() {
        let mut queue = TokenQueue::new(RandomState::new());
        for number in 0..MAX_UNANSWERED {
            assert!(queue.accepts(&token(number)));
            queue.push(&token(number));
        }
        assert!(!queue.accepts("more") && queue.accepts("0"));
        queue.push(&"more".into());
        let sent: Vec<_> = iter::from_fn(|| queue.take_next()).collect();
        assert_eq!(sent.len(), MAX_IN_FLIGHT);
        assert!(!queue.has_next());
        queue.remove(&sent[0]);
        assert!(queue.has_next() && queue.accepts("more"));
        assert_eq!(queue.unanswered.len(), MAX_UNANSWERED - 1);
    }
}
