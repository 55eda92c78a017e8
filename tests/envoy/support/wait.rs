//! Waiting for events, and doing several things at once.

use std::thread;
use std::time::{Duration, Instant};

/// How long a test waits for an event. Far longer than any machine needs, so that a test fails only
/// if the event never happens.
pub(super) const PATIENCE: Duration = Duration::from_mins(5);

/// Waits until `condition` holds. Fails the test and names `what` if it never does.
#[track_caller]
pub(crate) fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < end, "this never happened: {what}");
        thread::sleep(Duration::from_millis(10));
    }
}

/// Runs a test of something that holds for a limited time only, such as the life of a token. A slow
/// machine may miss that time: `test` then returns false and runs again with a longer time.
#[track_caller]
pub(crate) fn with_time_enough(test: impl Fn(Duration) -> bool) {
    let times = [3, 12, 48, 192].map(Duration::from_secs);
    assert!(times.into_iter().any(test), "no time was long enough");
}

/// Runs `action` in `count` threads, passes each its number, and returns their results in order.
pub(crate) fn in_parallel<T: Send>(count: usize, action: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let action = &action;
    thread::scope(|scope| {
        let running: Vec<_> = (0..count)
            .map(|number| scope.spawn(move || action(number)))
            .collect();
        running
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    })
}

/// Runs `action` in `count` threads as [`in_parallel`] does, and `meanwhile` while they run.
pub(crate) fn in_parallel_while<T: Send>(
    count: usize,
    action: impl Fn(usize) -> T + Sync,
    meanwhile: impl FnOnce(),
) -> Vec<T> {
    let action = &action;
    thread::scope(|scope| {
        let running = scope.spawn(move || in_parallel(count, action));
        meanwhile();
        running.join().unwrap()
    })
}
