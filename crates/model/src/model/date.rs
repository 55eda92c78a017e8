//! Times in tokens and proofs.

/// Milliseconds since the epoch. Times that are further away than any clock goes do not matter.
pub(super) fn millis(seconds: f64) -> i128 {
    (seconds * 1000.0).round().clamp(-1e25, 1e25) as i128
}
