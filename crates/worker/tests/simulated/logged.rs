//! The log lines of a test. Each test has a thread of its own, and all workers run in it.

use std::cell::{Cell, RefCell};

use log::{Level, LevelFilter, Log, Metadata, Record};

thread_local! {
    static LINES: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
    static LOGS_DEBUG: Cell<bool> = const { Cell::new(false) };
}

struct Logger;

impl Log for Logger {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        if record.level() <= Level::Warn || LOGS_DEBUG.get() {
            LINES.with_borrow_mut(|lines| lines.push(record.args().to_string()));
        }
    }

    fn flush(&self) {}
}

/// Keeps lines of the level `warn` and above from now on.
pub(crate) fn start() {
    // Another test may have set the logger.
    let _ = log::set_logger(&Logger);
    log::set_max_level(LevelFilter::Debug);
    LINES.take();
}

/// Keeps lines of all levels from now on.
pub(crate) fn start_with_debug() {
    start();
    LOGS_DEBUG.set(true);
}

/// The lines since the last call.
pub(crate) fn take() -> Vec<String> {
    LINES.take()
}
