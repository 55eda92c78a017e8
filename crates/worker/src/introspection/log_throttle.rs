//! Limits how often the same problem is logged.

use std::time::Duration;

use gate::time::Timestamp;

/// The shortest time between two lines about the same problem.
const PERIOD: Duration = Duration::from_secs(10);

/// The problem that was logged last: one line is enough for all tokens of an outage.
#[derive(Debug, Default)]
pub(super) struct LogThrottle {
    last: Option<(String, Timestamp)>,
}

impl LogThrottle {
    /// Whether `problem` is to be logged now.
    pub(super) fn admits(&mut self, problem: &str, now: Timestamp) -> bool {
        let is_recent = self
            .last
            .as_ref()
            .is_some_and(|(last, at)| last == problem && *at <= now && now.since(*at) < PERIOD);
        if !is_recent {
            self.last = Some((problem.to_owned(), now));
        }
        !is_recent
    }

    /// Lets the next problem be logged, because there was a success.
    pub(super) fn reset(&mut self) {
        self.last = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_is_logged_again_after_ten_seconds_a_success_or_another_problem() {
        let at = Timestamp::from_unix_secs;
        let mut throttle = LogThrottle::default();
        assert!(throttle.admits("a", at(100)));
        assert!(!throttle.admits("a", at(109)));
        assert!(throttle.admits("a", at(110)));
        assert!(throttle.admits("b", at(110)) && throttle.admits("a", at(110)));
        throttle.reset();
        assert!(throttle.admits("a", at(110)));
        // The clock was set back.
        assert!(throttle.admits("a", at(50)));
    }
}
