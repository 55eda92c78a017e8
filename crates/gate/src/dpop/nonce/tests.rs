use proptest::prelude::*;

use super::*;

fn key(first: u8) -> Vec<u8> {
    (first..first + 32).collect()
}

fn at(secs: u64) -> Timestamp {
    Timestamp::from_unix_secs(secs)
}

const NOW: u64 = 1_700_000_000;

const NONCE: &str = "AAAAAGVT8Oyc8amErp-dqsuiIXGTn25f";

fn with_keys<R>(keys: &NonceKeys, test: impl FnOnce(&Nonces<'_>) -> R) -> R {
    test(&Nonces {
        keys,
        lifetime: Duration::from_mins(5),
        clock_skew: Duration::from_mins(1),
    })
}

fn keys() -> NonceKeys {
    NonceKeys {
        current: key(0),
        previous: None,
    }
}

#[test]
fn the_keys_are_not_printed() {
    assert_eq!(format!("{:?}", keys()), "NonceKeys { .. }");
}

#[test]
fn a_nonce_is_the_rounded_time_and_a_mac() {
    with_keys(&keys(), |nonces| {
        assert_eq!(nonces.issue(at(NOW)), NONCE);
        let made = nonces.check(NONCE, at(NOW));
        assert_eq!(made, Some(at(1_699_999_980)));
        for secs in 1_699_999_980..1_700_000_010 {
            assert_eq!(nonces.issue(at(secs)), NONCE);
        }
        assert_ne!(nonces.issue(at(1_700_000_010)), NONCE);
    });
}

#[test]
fn a_nonce_is_good_for_its_lifetime_to_the_second() {
    with_keys(&keys(), |nonces| {
        let made = 1_699_999_980;
        for (now, good) in [
            (at(made - 61), false),
            (at(made - 60), true),
            (at(made), true),
            (at(made + 300), true),
            (Timestamp::from_unix_millis((made + 300) * 1000 + 1), false),
            (at(made + 301), false),
            (Timestamp::EPOCH, false),
            (Timestamp::END, false),
        ] {
            assert_eq!(nonces.check(NONCE, now).is_some(), good, "{now:?}");
        }
        for (now, aging) in [(made, false), (made + 150, false), (made + 151, true)] {
            assert_eq!(nonces.is_aging(at(made), at(now)), aging, "{now}");
        }
    });
}

#[test]
fn nonces_of_the_previous_key_are_accepted_but_not_made() {
    let rotated = NonceKeys {
        current: key(1),
        previous: Some(key(0)),
    };
    with_keys(&rotated, |nonces| {
        assert!(nonces.check(NONCE, at(NOW)).is_some());
        assert_ne!(nonces.issue(at(NOW)), NONCE);
    });
    let other = NonceKeys {
        previous: None,
        ..rotated
    };
    with_keys(&other, |nonces| {
        assert_eq!(nonces.check(NONCE, at(NOW)), None);
    });
}

#[test]
fn no_other_text_is_a_nonce() {
    with_keys(&keys(), |nonces| {
        let longer = format!("{NONCE}A");
        let padded = format!("{NONCE}=");
        let plus = NONCE.replace('-', "+");
        for text in ["", &NONCE[..31], &longer, &padded, &plus, "AAAA", "\u{e9}"] {
            assert_eq!(nonces.check(text, at(NOW)), None, "{text}");
        }
        let bytes = URL_SAFE_NO_PAD.decode(NONCE).unwrap();
        for bit in 0..bytes.len() * 8 {
            let mut changed = bytes.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            let changed = URL_SAFE_NO_PAD.encode(changed);
            assert_eq!(nonces.check(&changed, at(NOW)), None, "{bit}");
        }
    });
}

proptest! {
    #[test]
    fn a_new_nonce_is_good(now in 0u64..=u64::MAX / 1000, lifetime in 10u64..=3600) {
        let keys = keys();
        let nonces = Nonces {
            keys: &keys,
            lifetime: Duration::from_secs(lifetime),
            clock_skew: Duration::ZERO,
        };
        let nonce = nonces.issue(at(now));
        prop_assert_eq!(nonce.len(), 32);
        prop_assert!(nonces.check(&nonce, at(now)).is_some());
    }

    #[test]
    fn no_text_panics(text: String, now: u64) {
        with_keys(&keys(), |nonces| {
            prop_assert_eq!(nonces.check(&text, Timestamp::from_unix_millis(now)), None);
            Ok(())
        })?;
    }
}
