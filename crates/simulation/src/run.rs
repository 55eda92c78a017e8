//! Runs the story of a seed.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

use crate::story::Story;
use crate::world::World;

/// A promise that a story has broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The seed of the story.
    pub seed: u64,
    /// Which promise.
    pub problem: String,
    /// All steps up to there.
    pub story: String,
}

/// Runs the story of `seed` to its end.
///
/// # Errors
///
/// The promise that it breaks.
pub fn run(seed: u64) -> Result<(), Failure> {
    let story = Rc::new(Story::default());
    let play = || World::new(seed, Rc::clone(&story)).play();
    let result = catch_unwind(AssertUnwindSafe(play));
    let problem = match result {
        Ok(Ok(())) => return Ok(()),
        Ok(Err(problem)) => problem,
        Err(panic) => {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
            format!("panic: {}", text.unwrap_or_default())
        }
    };
    Err(Failure {
        seed,
        problem,
        story: story.text(),
    })
}
