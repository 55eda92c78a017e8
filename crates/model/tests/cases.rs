//! Some cases, always the same ones. `make check-model` compares many, with fresh seeds.

use gate_model::{Tally, check};

#[test]
fn the_filter_does_what_the_model_says() {
    let mut tally = Tally::default();
    for seed in 1..=40 {
        if let Err(disagreement) = check(seed, &mut tally) {
            panic!("{disagreement}");
        }
    }
    assert!(tally.cases > 1500, "{tally}");
    assert!(tally.refused_configurations <= 1, "{tally}");
}
