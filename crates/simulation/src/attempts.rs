//! The requests that a server received, and what they tell about the filter's backoff.

use std::time::Duration;

use crate::disturbances::Disturbances;

/// How long after a request the filter may be busy with its response.
const EVALUATION: Duration = Duration::from_secs(1);

/// A request to a server.
#[derive(Clone, Copy, Debug)]
struct Attempt {
    at: Duration,
    /// Whether the server answers it well.
    good: bool,
}

/// Failed requests without a successful one in between.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Failures {
    /// How many.
    pub(crate) number: u32,
    /// When the last one was sent.
    pub(crate) last: Duration,
}

/// The requests that a server received, in order.
#[derive(Debug, Default)]
pub(crate) struct Attempts(Vec<Attempt>);

impl Attempts {
    /// Adds a request.
    pub(crate) fn add(&mut self, at: Duration, good: bool) {
        self.0.push(Attempt { at, good });
    }

    /// Whether any request since `from` was answered well.
    pub(crate) fn any_good_since(&self, from: Duration) -> bool {
        let later = self.0.iter().rev().take_while(|attempt| attempt.at >= from);
        later.into_iter().any(|attempt| attempt.good)
    }

    /// When the last request until `end` was sent that the filter must have noted as successful.
    pub(crate) fn last_success(
        &self,
        end: Duration,
        disturbances: &Disturbances,
    ) -> Option<Duration> {
        let earlier = self.0.iter().rev().filter(|attempt| attempt.at <= end);
        let mut successes = earlier.filter(|attempt| attempt.is_success(disturbances));
        successes.next().map(|attempt| attempt.at)
    }

    /// The last failures in a row. The filter has noted as many or fewer.
    pub(crate) fn last_failures(&self, disturbances: &Disturbances) -> Option<Failures> {
        let is_success = |attempt: &&Attempt| attempt.is_success(disturbances);
        let mut failures = self.0.iter().rev().skip_while(is_success);
        let last = failures.next()?.at;
        let others = failures.take_while(|attempt| !is_success(attempt)).count();
        let number = u32::try_from(others).unwrap_or(u32::MAX).saturating_add(1);
        Some(Failures { number, last })
    }
}

impl Attempt {
    /// Whether the filter must have noted it as successful: it may count a good response as a failure if
    /// something gets in the way.
    fn is_success(&self, disturbances: &Disturbances) -> bool {
        self.good && !disturbances.any_during(self.at, self.at + EVALUATION)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn attempts(good: &[bool]) -> Attempts {
        let mut attempts = Attempts::default();
        for (seconds, good) in (10..).step_by(10).zip(good) {
            attempts.add(at(seconds), *good);
        }
        attempts
    }

    fn failures(good: &[bool], disturbances: &Disturbances) -> Option<(u32, u64)> {
        let failures = attempts(good).last_failures(disturbances)?;
        Some((failures.number, failures.last.as_secs()))
    }

    #[test]
    fn the_failures_since_a_success_count() {
        let calm = Disturbances::default();
        assert_eq!(failures(&[], &calm), None);
        assert_eq!(failures(&[true, true], &calm), None);
        assert_eq!(failures(&[false, false], &calm), Some((2, 20)));
        assert_eq!(failures(&[false, false, true], &calm), Some((2, 20)));
        assert_eq!(failures(&[false, false, true, false], &calm), Some((1, 40)));
    }

    #[test]
    fn a_disturbed_success_counts_as_a_failure() {
        let disturbances = Disturbances::default();
        disturbances.add(at(30));
        assert_eq!(
            failures(&[true, false, true, false], &disturbances),
            Some((3, 40))
        );
    }

    #[test]
    fn the_last_good_answer_is_known() {
        let calm = Disturbances::default();
        let attempts = attempts(&[true, true, false]);
        assert!(attempts.any_good_since(at(20)));
        assert!(!attempts.any_good_since(at(21)));
        assert_eq!(attempts.last_success(at(50), &calm), Some(at(20)));
        assert_eq!(attempts.last_success(at(15), &calm), Some(at(10)));
        assert_eq!(attempts.last_success(at(5), &calm), None);
    }
}
