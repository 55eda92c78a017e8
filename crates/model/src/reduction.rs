//! Reduces a disagreement to what is needed.

use serde_json::Value;

use crate::case::Case;
use crate::disagreement::{Disagreement, run};

/// How often a smaller case is tried.
const MOST_TRIALS: usize = 3000;

/// The same disagreement with a smaller case.
pub(crate) fn reduce(mut found: Box<Disagreement>) -> Box<Disagreement> {
    let mut trials = 0;
    loop {
        let mut reduced = false;
        let mut number = 0;
        while let Some(smaller) = smaller(&found.case, number) {
            trials += 1;
            if trials > MOST_TRIALS {
                return found;
            }
            match run(found.seed, &smaller) {
                Some(Err(still)) => {
                    found = still;
                    reduced = true;
                }
                _ => number += 1,
            }
        }
        if !reduced {
            return found;
        }
    }
}

/// The case without one of its parts. `None` if it has no part with this number.
fn smaller(case: &Case, number: usize) -> Option<Case> {
    let mut smaller = case.clone();
    let mut left = number;
    // The last request is the one that matters.
    let earlier = case.requests.len().saturating_sub(1);
    if left < earlier {
        smaller.requests = without(&case.requests, left);
        return Some(smaller);
    }
    left -= earlier;
    if let Some(last) = smaller.requests.last_mut() {
        if left < last.headers.len() {
            last.headers = without(&last.headers, left);
            return Some(smaller);
        }
        left -= last.headers.len();
    }
    remove(&mut smaller.world.configuration, &mut left).then_some(smaller)
}

fn without<T: Clone>(list: &[T], index: usize) -> Vec<T> {
    let others = list.iter().enumerate().filter(|(other, _)| *other != index);
    others.map(|(_, one)| one.clone()).collect()
}

/// Removes the member or element with this number, counted from the outside in. Lowers the number by that of the parts
/// that `value` has.
fn remove(value: &mut Value, number: &mut usize) -> bool {
    match value {
        Value::Object(members) => {
            if let Some(name) = members.keys().nth(*number).cloned() {
                members.remove(&name);
                return true;
            }
            *number -= members.len();
            members.values_mut().any(|member| remove(member, number))
        }
        Value::Array(elements) => {
            if *number < elements.len() {
                *elements = without(elements, *number);
                return true;
            }
            *number -= elements.len();
            elements.iter_mut().any(|element| remove(element, number))
        }
        _ => false,
    }
}
