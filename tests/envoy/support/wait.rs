//! Waiting for something to come true, and doing several things at once.

use std::thread;
use std::time::{Duration, Instant};

/// How long anything is waited for that should come soon.
pub(super) const SOON: Duration = Duration::from_secs(15);

/// Waits until `condition` holds; fails the test, naming `what`, if it does not soon.
#[track_caller]
pub(crate) fn eventually(what: &str, condition: impl Fn() -> bool) {
    let end = Instant::now() + SOON;
    while !condition() {
        assert!(
            Instant::now() < end,
            "this did not come true in time: {what}"
        );
        thread::sleep(Duration::from_millis(10));
    }
}

/// Runs `action` in `count` threads, which are told their numbers, and answers with their results.
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
