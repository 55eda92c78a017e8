//! Signatures that no key has made, or not like this.

use gate::reason::ReasonKind;
use gate::verify::Engine;
use gate_fixtures::{compact, host, signature};
use serde_json::json;

use super::support::{PAYLOAD, decide, encoded};
use crate::support::{Gate, Outcome, bearing, key_set, policy_of};

#[test]
fn ecdsa_signatures_are_two_numbers_in_range() {
    // The orders of the groups (FIPS 186-4, appendix D.1.2).
    let orders = [
        (
            "ES256",
            "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551",
        ),
        (
            "ES384",
            "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973",
        ),
        (
            "ES512",
            "01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409",
        ),
    ];
    for (name, order) in orders {
        let order: Vec<u8> = order
            .as_bytes()
            .chunks(2)
            .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
            .collect();
        let header = json!({ "alg": name }).to_string();
        let input = format!("{}.{}", encoded(header), encoded(PAYLOAD));
        let good = signature(name, input.as_bytes());
        let half = good.len() / 2;
        assert_eq!(order.len(), half);
        let (r, s) = (good[..half].to_vec(), good[half..].to_vec());
        let zero = vec![0; half];
        let mut one = zero.clone();
        one[half - 1] = 1;
        let mut above = order.clone();
        above[half - 1] += 1;
        let ones = vec![0xff; half];
        let mut bad = vec![
            vec![0; good.len() - 1],
            good[1..].to_vec(),
            good[..good.len() - 1].to_vec(),
            [&good[..], &[0]].concat(),
            [&[0], &good[..]].concat(),
            [&r[..], &[0], &s[..]].concat(),
            [&[0], &r[..], &[0], &s[..]].concat(),
            [&s[..], &r[..]].concat(),
            r.clone(),
            good.repeat(2),
        ];
        for odd in [&zero, &one, &order, &above, &ones] {
            bad.push([&odd[..], &odd[..]].concat());
            bad.push([&r[..], &odd[..]].concat());
            bad.push([&odd[..], &s[..]].concat());
        }
        for bad in bad {
            let token = format!("{input}.{}", encoded(&bad));
            assert!(decide(&token).is_denied(), "{name} {bad:02x?}");
        }
        assert!(
            decide(&format!("{input}.{}", encoded(good))).is_admitted(),
            "{name}"
        );
    }
    // DER where raw belongs.
    let header = r#"{"alg":"ES256"}"#;
    let der = compact(header, PAYLOAD, |input| {
        let raw = signature("ES256", input);
        let der = p256::ecdsa::Signature::from_slice(&raw).unwrap().to_der();
        der.as_bytes().to_vec()
    });
    assert!(decide(&der).is_denied());
}

#[test]
fn rsa_signatures_are_whole_and_their_salts_as_long_as_the_hash() {
    for name in ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"] {
        let header = json!({ "alg": name }).to_string();
        let input = format!("{}.{}", encoded(header), encoded(PAYLOAD));
        let good = signature(name, input.as_bytes());
        let flipped = |at: usize| {
            let mut signature = good.clone();
            signature[at] ^= 1;
            signature
        };
        for bad in [
            Vec::from([0]),
            vec![0; 256],
            vec![0xff; 256],
            [&[0; 255][..], &[1]].concat(),
            good[1..].to_vec(),
            good[..255].to_vec(),
            [&good[..], &[0]].concat(),
            [&[0], &good[..]].concat(),
            flipped(0),
            flipped(128),
            flipped(255),
            signature("EdDSA", input.as_bytes()),
        ] {
            assert!(
                decide(&format!("{input}.{}", encoded(bad))).is_denied(),
                "{name}"
            );
        }
        assert!(
            decide(&format!("{input}.{}", encoded(good))).is_admitted(),
            "{name}"
        );
    }
}

/// A header with which the hash is odd: only then do cubes end in it.
const HEADER: &str = r#"{"alg":"RS256","n":0}"#;

/// Signatures over [`HEADER`] and [`PAYLOAD`] for an exponent of 3 that need no private key: cube
/// roots of what a careless verifier takes for good padding. In order: eight bytes of padding, no
/// padding, not even a separator, all with garbage behind the hash; then garbage before the hash, and
/// before the whole `DigestInfo`.
const FORGED: [&str; 5] = [
    "\
        AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
        AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
        AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAMsv9SnrceQVYPXZ1IPUWQHWR\
        dtN4JvLvY649x6k40W9KJULllWoNpSqReoxmPdTTDGMc9bx2eg04yvE5g0rnkWVmuT5hAPm_PDpJqthWJ-SX\
        nkYboA",
    "\
        AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
        AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
        AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAKFPNc-TT9oVa0mXPhmaI0Czb\
        PntPqmB-cjrmA7QlM3NIMtTmjh52cl2b3KZGa2K-7OuKHYmtUKUOXJCcCdzbXNT8HuZu4rQc0kuRO8lW0EQu\
        Lcs84A",
    "\
        AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
        AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
        AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAKrQTScNclUwk8QIhZTQfohFF\
        h2oAgUQu0Xy_7yL41oHR3oMZdF41cdAQ5UfJWFyQpHZNYjXMhESeDCIMmcwiZOSC8-jPsuf9iEaTIbzpYFy3\
        eY5FgQ",
    "\
        AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
        AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
        AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
        AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAGfvx5dHOBYlYqeuTgKnVLptmgkLVJY7A6t9UG\
        08nasQ",
    "\
        AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
        AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
        AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
        AAAAAAAAAAAAAAAAAAAAALfFcLdayGfphqXNxC_MxTJOUF8Gfvx5dHOBYlYqeuTgKnVLptmgkLVJY7A6t9UG\
        08nasQ",
];

/// A modulus whose exponent is 3, made with `openssl genpkey` like the signature below; the private
/// key is deleted.
const MODULUS: &str = "\
    3eZSpZoM20LrWkynnjzyFYSWhTqWlBvYdh8a5Puu6PNLxZBIhHVOPk3lF3ZYOepe8v41EBEcFcICBpil-V5x\
    2THOgoVDwTaxffBB2HVnlVXYtYUx7uCxmGuYGmFm2F52k6TOSubRBnw-lfEExyqnSNpAtGbvWDyZraAw5aKM\
    MPuHFIurToIlDEVD5wW1aJ9-iQyxH4HE6z-slbdJauEtbGi66bfj5bheV_csdeaCNKiNvqtzk0GOUwtZu8NF\
    lug9oUCD8Jz9gZbhN2JZZL_Iu5ZEwxfTB_MWHt-vqPdFRC8kLon-a6uKJp2WUq0v0LTslE_766JmTdpxst68\
    RVEFIQ";

/// The good signature over the same.
const GOOD: &str = "\
    oahYuGGffGUQtpY0avDahhvMBPtnVDKI03ef34jh4fth8IpOTIu6tXp92saYHuEtAM80HXv4-UMrS7SoYzI2\
    GX-0srvOhv2uoiQW2WyYrPeuVTRSrg4i5VQJzbBIHB61YT7cTy2r_NQDs7hnB6FEVHWnxL6Zz7Z5J3UqNV-c\
    WCqu9XRApdsv7G-59FMaGC-avba3P7mnOCTHGdxc9gaGGAJnLDUX4_9ewtl8MNc6eH1NlazgOZ7wDsZS_tbo\
    ioc_8rHNWGo5M-dx6iCeI5NDkHrNuqWKt68UPv1FAfYBs3vbna3MgaFjo6Yy1p_gy5f7HmjzlXJhZyl6yqi_\
    CtEliA";

#[test]
fn a_forged_signature_for_an_exponent_of_3_is_refused() {
    let keys = json!({"keys": [{"kty": "RSA", "n": MODULUS, "e": "Aw"}]}).to_string();
    let remote = json!({"http_uri": {"uri": "http://a", "cluster": "a"}});
    let policy = policy_of(&json!({ "remote_jwks": remote }));
    let gate = |engine| {
        let keys = key_set(&keys);
        Gate::new().engine(engine).keys(move |_| keys.clone())
    };
    let input = format!("{}.{}", encoded(HEADER), encoded(PAYLOAD));
    let bearing = |signature: &str| bearing(&format!("{input}.{signature}"));
    let by_host = gate(Engine::probe(Box::new(host)));
    assert!(by_host.decide(&policy, &bearing(GOOD)).is_admitted());
    assert_eq!(
        gate(Engine::software()).decide(&policy, &bearing(GOOD)),
        Outcome::Deny(ReasonKind::UnknownKey)
    );
    for forged in FORGED {
        let outcome = by_host.decide(&policy, &bearing(forged));
        assert_eq!(outcome, Outcome::Deny(ReasonKind::Signature), "{forged}");
    }
}
