//! Some cases, always the same ones. `make check-model` compares many, with fresh seeds.

use gate_model::{Expected, Sample, Tally, check};

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

#[test]
fn the_sample_for_envoy_has_good_and_bad_proofs() {
    let (mut good, mut bad) = (0, 0);
    for seed in 1..=200 {
        for request in Sample::new(seed, 1_700_000_002).requests {
            let mut headers = request.headers.iter();
            if !headers.any(|(name, value)| name == "authorization" && value.starts_with("DPoP ")) {
                continue;
            }
            match request.expected {
                Expected::Upstream { .. } => good += 1,
                Expected::Client(_) => bad += 1,
            }
        }
    }
    assert!(good > 10 && bad > 50, "{good} good, {bad} bad");
}
