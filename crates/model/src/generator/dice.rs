//! Random choices.

use fastrand::Rng;

/// True with this probability in percent.
pub(crate) fn chance(rng: &mut Rng, percent: u8) -> bool {
    rng.u8(0..100) < percent
}

/// One of several values.
pub(crate) fn one_of<T: Clone>(rng: &mut Rng, values: &[T]) -> T {
    values[rng.usize(0..values.len())].clone()
}

/// Some of several values, at least one, in their order.
pub(crate) fn some_of<T: Clone>(rng: &mut Rng, values: &[T]) -> Vec<T> {
    let some: Vec<T> = values.iter().filter(|_| rng.bool()).cloned().collect();
    if some.is_empty() {
        vec![one_of(rng, values)]
    } else {
        some
    }
}
