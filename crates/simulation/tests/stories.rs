//! A few stories, always the same ones. `make simulate` runs many, with fresh seeds.

use gate_simulation::run;

#[test]
fn stories_keep_every_promise() {
    for seed in 1..=30 {
        if let Err(failure) = run(seed) {
            panic!("{}\nseed {seed}: {}", failure.story, failure.problem);
        }
    }
}
