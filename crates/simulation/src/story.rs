//! What has happened, in lines that people can read.

use std::cell::RefCell;
use std::fmt::{self, Write};
use std::time::Duration;

/// The steps of a story.
#[derive(Default)]
pub(crate) struct Story {
    text: RefCell<String>,
}

impl Story {
    /// Adds what happens at a time.
    pub(crate) fn tell(&self, at: Duration, event: fmt::Arguments<'_>) {
        let mut text = self.text.borrow_mut();
        let seconds = at.as_secs_f64();
        writeln!(text, "{seconds:10.3} s  {event}").expect("a string takes any text");
    }

    /// The whole story so far.
    pub(crate) fn text(&self) -> String {
        self.text.borrow().clone()
    }
}
