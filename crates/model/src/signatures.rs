//! The host's function `verify_signature`.

use std::cell::RefCell;
use std::collections::HashMap;

/// How many answers are kept.
const MOST_KEPT: usize = 100;

thread_local! {
    /// The first answers of the host's function: every filter begins with the same self-test.
    static ANSWERS: RefCell<HashMap<Vec<u8>, Option<Vec<u8>>>> = RefCell::default();
}

/// The host's function `verify_signature`.
pub(crate) fn verify(arguments: &[u8]) -> Option<Vec<u8>> {
    ANSWERS.with_borrow_mut(|answers| {
        if let Some(answer) = answers.get(arguments) {
            return answer.clone();
        }
        let answer = gate_fixtures::host(arguments);
        if answers.len() < MOST_KEPT {
            answers.insert(arguments.to_vec(), answer.clone());
        }
        answer
    })
}
