use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use proptest::prelude::*;

use super::*;

fn at(secs: u64) -> Timestamp {
    Timestamp::from_unix_secs(secs)
}

fn proof(jti: &str, last: u64) -> UsedProof {
    UsedProof::new(&[7; 32], jti, at(last))
}

fn spent(bucket: &[u8], proof: &UsedProof, now: u64) -> Vec<u8> {
    match spend(bucket, proof, at(now)) {
        Spending::Spent(bucket) => bucket,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_hash_of_the_example_of_the_rfc_is_stable() {
    let thumbprint = URL_SAFE_NO_PAD.decode("0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I");
    let thumbprint = thumbprint.unwrap().try_into().unwrap();
    let proof = UsedProof::new(&thumbprint, "e1j3V_bKic8-LAEB", at(1_562_262_738));
    let hash: String = proof.hash.map(|byte| format!("{byte:02x}")).concat();
    assert_eq!(hash, "711ba8855f0fe3d35be4116efaeb8885");
    assert_eq!(proof.bucket(2048), 133);
    assert_eq!(proof.bucket(1), 0);
    assert_eq!(proof.bucket(0), 0);
    assert_eq!(proof.until, 1_562_262_739);
}

#[test]
fn a_proof_is_used_once_up_to_the_last_second_in_which_it_could_be_accepted() {
    let one = proof("one", 1100);
    let bucket = spent(b"", &one, 1000);
    assert_eq!(bucket.len(), 20);
    for now in [1000, 1001, 1099, 1100] {
        assert_eq!(spend(&bucket, &one, at(now)), Spending::Replayed, "{now}");
    }
    let end_of_last = Timestamp::from_unix_millis(1_100_999);
    assert_eq!(spend(&bucket, &one, end_of_last), Spending::Replayed);
    // Then it is forgotten.
    let other = spent(&bucket, &proof("other", 1200), 1101);
    assert_eq!(other.len(), 20);
    assert_eq!(spent(&other, &one, 1101).len(), 40);
}

#[test]
fn a_fraction_of_a_second_does_not_shorten_the_memory() {
    let last = Timestamp::from_unix_millis(1_100_900);
    let one = UsedProof::new(&[7; 32], "one", last);
    let bucket = spent(b"", &one, 1000);
    assert_eq!(spend(&bucket, &one, last), Spending::Replayed);
}

#[test]
fn the_same_identifier_by_another_key_is_another_proof() {
    let bucket = spent(b"", &proof("one", 1100), 1000);
    let other = UsedProof::new(&[8; 32], "one", at(1100));
    assert_eq!(spent(&bucket, &other, 1000).len(), 40);
}

#[test]
fn a_full_bucket_accepts_nothing_until_something_is_forgotten() {
    let mut bucket = Vec::new();
    for at in 0..MAX_LIVE {
        let last = if at == 0 { 1010 } else { 1100 };
        bucket = spent(&bucket, &proof(&at.to_string(), last), 1000);
    }
    let more = proof("more", 1100);
    assert_eq!(spend(&bucket, &more, at(1000)), Spending::Full);
    assert_eq!(spend(&bucket, &more, at(1010)), Spending::Full);
    assert_eq!(
        spend(&bucket, &proof("7", 1100), at(1000)),
        Spending::Replayed
    );
    assert_eq!(spent(&bucket, &more, 1011).len(), MAX_LIVE * 20);
    let doubled = [&bucket[..], &bucket].concat();
    assert_eq!(spend(&doubled, &more, at(1000)), Spending::Full);
}

#[test]
fn bytes_that_are_no_bucket_count_as_an_empty_one() {
    let one = proof("one", 1100);
    let bucket = spent(b"", &one, 1000);
    let broken = &bucket[..19];
    assert!(is_bucket(&bucket) && is_bucket(b"") && !is_bucket(broken));
    assert_eq!(spent(broken, &one, 1000), bucket);
}

proptest! {
    #[test]
    fn nothing_is_forgotten_too_early_and_the_bucket_stays_bounded(
        uses in prop::collection::vec((0u8..40, 0u64..5, 0u64..60), 0..600),
    ) {
        let (mut bucket, mut now) = (Vec::new(), 1000);
        let mut live: Vec<(String, u64)> = Vec::new();
        for (name, pause, lifetime) in uses {
            now += pause;
            let (jti, last) = (name.to_string(), now + lifetime);
            let known = live.iter().any(|(known, last)| *known == jti && now <= *last);
            match spend(&bucket, &proof(&jti, last), at(now)) {
                Spending::Spent(next) => {
                    prop_assert!(!known);
                    live.push((jti, last));
                    bucket = next;
                }
                Spending::Replayed => prop_assert!(known),
                Spending::Full => prop_assert!(bucket.len() >= MAX_LIVE * 20),
            }
            prop_assert!(is_bucket(&bucket) && bucket.len() <= MAX_LIVE * 20);
        }
    }

    #[test]
    fn no_bytes_panic(bucket: Vec<u8>, jti: String, last: u64, now: u64) {
        let proof = UsedProof::new(&[0; 32], &jti, Timestamp::from_unix_millis(last));
        let _ = spend(&bucket, &proof, Timestamp::from_unix_millis(now));
        prop_assert!(proof.bucket(5) < 5);
    }
}
