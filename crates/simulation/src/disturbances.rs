//! When something got in the way of the filter that no server can see.

use std::cell::RefCell;
use std::time::Duration;

/// The times at which a worker died or was held up, a root was removed, or a swap of shared data was lost.
#[derive(Debug, Default)]
pub(crate) struct Disturbances(RefCell<Vec<Duration>>);

impl Disturbances {
    /// Adds a disturbance, which must not be earlier than the one before.
    pub(crate) fn add(&self, at: Duration) {
        self.0.borrow_mut().push(at);
    }

    /// Whether there was none after `from`.
    pub(crate) fn none_since(&self, from: Duration) -> bool {
        self.0.borrow().last().is_none_or(|last| *last <= from)
    }

    /// Whether there was any from `from` to `to`.
    pub(crate) fn any_during(&self, from: Duration, to: Duration) -> bool {
        let times = self.0.borrow();
        let later = times.iter().rev().take_while(|at| **at >= from);
        later.into_iter().any(|at| *at <= to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disturbance_counts_in_the_periods_that_contain_it() {
        let at = Duration::from_secs;
        let disturbances = Disturbances::default();
        assert!(disturbances.none_since(at(0)));
        disturbances.add(at(10));
        disturbances.add(at(20));
        assert!(!disturbances.none_since(at(19)));
        assert!(disturbances.none_since(at(20)));
        assert!(disturbances.any_during(at(5), at(10)));
        assert!(disturbances.any_during(at(10), at(11)));
        assert!(!disturbances.any_during(at(11), at(19)));
    }
}
