//! Points in time, on the wall clock and on a monotonic clock. Nothing in this module reads a clock: functions that need the current time take it
//! as an argument.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Number;

/// A point in time: milliseconds since the Unix epoch, according to the host's clock.
///
/// Arithmetic saturates, so that no date in a token or document can wrap around.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(u64);

impl Timestamp {
    /// The Unix epoch.
    pub const EPOCH: Self = Self(0);

    /// The end of time: after every other point.
    pub const END: Self = Self(u64::MAX);

    /// Creates a point from milliseconds since the Unix epoch.
    #[must_use]
    pub const fn from_unix_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// Creates a point from seconds since the Unix epoch.
    #[must_use]
    pub const fn from_unix_secs(secs: u64) -> Self {
        Self(secs.saturating_mul(1000))
    }

    /// Creates a point from the duration since the Unix epoch.
    #[must_use]
    pub fn from_unix(since_epoch: Duration) -> Self {
        Self(whole_millis(since_epoch))
    }

    /// Converts a `NumericDate` (RFC 7519, section 2): seconds since the epoch, possibly with a
    /// fraction. The result is rounded to the nearest millisecond, because most binary fractions are
    /// slightly less than the decimal ones they were parsed from. A date before the epoch becomes the
    /// epoch, and a date that is too late becomes the end of time.
    #[must_use]
    pub fn from_numeric_date(date: &Number) -> Self {
        if let Some(secs) = date.as_u64() {
            return Self::from_unix_secs(secs);
        }
        match date.as_f64() {
            Some(secs) if secs > 0.0 => Duration::try_from_secs_f64(secs)
                .map_or(Self::END, |since| {
                    Self::from_unix(since.saturating_add(HALF_A_MILLISECOND))
                }),
            _ => Self::EPOCH,
        }
    }

    /// Milliseconds since the Unix epoch.
    #[must_use]
    pub const fn unix_millis(self) -> u64 {
        self.0
    }

    /// The point `duration` after this one.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(whole_millis(duration)))
    }

    /// The point `duration` before this one; at the earliest the epoch.
    #[must_use]
    pub fn minus(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(whole_millis(duration)))
    }

    /// The duration from `earlier` to this point; zero if `earlier` is later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}

/// A point on a monotonic clock: milliseconds since some start, which all workers of a process share.
///
/// Durations are measured with it, because it advances evenly whatever happens to the wall clock. It
/// says nothing about the date. Arithmetic saturates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Instant(u64);

impl Instant {
    /// Creates a point from milliseconds since the start of the clock.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// Creates a point from seconds since the start of the clock.
    #[must_use]
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs.saturating_mul(1000))
    }

    /// The point `duration` after this one.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(whole_millis(duration)))
    }

    /// The duration from `earlier` to this point; zero if `earlier` is later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }

    /// Whether this point, which is said to have been the present, is in the future at `now`. That is
    /// wrong, because the clock never goes back. A second does not count, because a worker may read
    /// what another one wrote during a tick that has begun before.
    #[must_use]
    pub fn is_ahead_of(self, now: Self) -> bool {
        self > now.plus(Duration::from_secs(1))
    }
}

const HALF_A_MILLISECOND: Duration = Duration::from_micros(500);

/// The whole milliseconds of `duration`, saturating.
#[must_use]
pub fn whole_millis(duration: Duration) -> u64 {
    let millis = u64::from(duration.subsec_millis());
    duration
        .as_secs()
        .saturating_mul(1000)
        .saturating_add(millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numeric_date(json: &str) -> u64 {
        Timestamp::from_numeric_date(&serde_json::from_str(json).unwrap()).unix_millis()
    }

    #[test]
    fn numeric_dates_are_rounded_and_saturate() {
        for (json, millis) in [
            ("0", 0),
            ("1700000000", 1_700_000_000_000),
            ("1700000000.25", 1_700_000_000_250),
            ("1.7e9", 1_700_000_000_000),
            // The nearest floats are less than these numbers.
            ("1700000000.29", 1_700_000_000_290),
            ("1700000000.001", 1_700_000_000_001),
            ("1700000000.999", 1_700_000_000_999),
            ("1700000000.9994", 1_700_000_000_999),
            ("1700000000.9996", 1_700_000_001_000),
            ("253402300799.999", 253_402_300_799_999),
            ("0.0004", 0),
            ("0.0006", 1),
            ("-0.0006", 0),
            ("9007199254740992.0", 9_007_199_254_740_992_000),
            ("-1", 0),
            ("-0.5", 0),
            ("-1e300", 0),
            ("9223372036854775", 9_223_372_036_854_775_000),
            ("9007199254740993", 9_007_199_254_740_993_000),
            ("9223372036854775807", u64::MAX),
            ("18446744073709551615", u64::MAX),
            ("18446744073709551616", u64::MAX),
            ("1e300", u64::MAX),
        ] {
            assert_eq!(numeric_date(json), millis, "{json}");
        }
    }

    #[test]
    fn arithmetic_saturates() {
        let end = Timestamp::from_unix_secs(u64::MAX);
        assert_eq!(end.plus(Duration::MAX), end);
        assert_eq!(Timestamp::EPOCH.since(end), Duration::ZERO);
        assert_eq!(Timestamp::EPOCH.minus(Duration::MAX), Timestamp::EPOCH);
        let late = Instant::from_secs(u64::MAX);
        assert_eq!(late.plus(Duration::MAX), late);
        assert_eq!(Instant::default().since(late), Duration::ZERO);
        assert_eq!(
            Timestamp::from_unix_secs(3).since(Timestamp::from_unix_secs(1)),
            Duration::from_secs(2)
        );
    }
}
