//! The checks of a proof, one by one, each next to a proof that passes.

use gate::decision::{Counts, Decision};
use gate::dpop::UsedProof;
use gate::policy::{DpopPolicy, Policy, PublicUrls};
use gate::reason::ReasonKind;
use gate::time::Timestamp;
use gate::verify::Engine;
use gate_fixtures::host;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::client::{
    CLIENT, Client, OTHER, claims, hash, policy, policy_with, proving, request, token,
};
use crate::support::{Gate, NOW, Outcome, active, at, policy_with_secrets, provider, ready, with};

fn gate() -> Gate {
    Gate::new().keys(ready)
}

/// Why a request with this proof is refused; `None` if it is admitted.
fn refusal_at(policy: &Policy, token: &str, proof: &str, now: Timestamp) -> Option<ReasonKind> {
    match gate().at(now).decide(policy, &proving(token, proof)) {
        Outcome::Deny(reason) => Some(reason),
        outcome => {
            assert!(outcome.is_admitted(), "{outcome:?}");
            None
        }
    }
}

fn refusal(proof: &str) -> Option<ReasonKind> {
    refusal_at(&policy(), &CLIENT.token(), proof, at(NOW))
}

/// The same for a proof with these claims changed.
fn refusal_of(changes: &Value) -> Option<ReasonKind> {
    refusal(&CLIENT.proof(&CLIENT.token(), changes))
}

#[test]
fn a_proof_by_any_algorithm_is_accepted_and_used_up() {
    for algorithm in [
        "ES256", "ES384", "ES512", "PS256", "PS384", "PS512", "RS256", "RS384", "RS512", "EdDSA",
    ] {
        let client = Client { algorithm };
        let token = client.token();
        let proof = client.proof(&token, &json!({}));
        let Decision::Admit(admission) = gate().decision(&policy(), &proving(&token, &proof))
        else {
            panic!("{algorithm}");
        };
        let thumbprint = client.thumbprint();
        let thumbprint = base64::Engine::decode(
            &base64::engine::general_purpose::URL_SAFE_NO_PAD,
            thumbprint,
        );
        let thumbprint = thumbprint.unwrap().try_into().unwrap();
        let used = UsedProof::new(&thumbprint, "1", at(NOW + 120));
        assert_eq!(admission.proof, Some(used), "{algorithm}");
    }
}

#[test]
fn proofs_are_not_used_up_if_none_are_remembered() {
    let dpop = DpopPolicy {
        replay_entries: 0,
        ..DpopPolicy::default()
    };
    let token = CLIENT.token();
    let request = proving(&token, &CLIENT.proof(&token, &json!({})));
    match gate().decision(&policy_with(&json!({}), dpop), &request) {
        Decision::Admit(admission) => assert_eq!(admission.proof, None),
        other => panic!("{other:?}"),
    }
}

#[test]
fn there_is_exactly_one_proof() {
    let token = CLIENT.token();
    let authorization = format!("DPoP {token}");
    let proof = CLIENT.proof(&token, &json!({}));
    let joined = format!("{proof},{proof}");
    let alone = ("authorization", &*authorization);
    for (headers, expected) in [
        (&[alone, ("dpop", &proof)][..], None),
        (&[alone], Some(ReasonKind::ProofMissing)),
        (&[alone, ("dpop", "")], Some(ReasonKind::ProofMissing)),
        (
            &[alone, ("dpop", &proof), ("dpop", &proof)],
            Some(ReasonKind::SeveralProofs),
        ),
        (
            &[alone, ("dpop", ""), ("dpop", &proof)],
            Some(ReasonKind::SeveralProofs),
        ),
        (&[alone, ("dpop", &joined)], Some(ReasonKind::SeveralProofs)),
        (&[alone, ("dpop", ",")], Some(ReasonKind::SeveralProofs)),
    ] {
        let outcome = gate().decide(&policy(), &request(headers));
        match expected {
            None => assert!(outcome.is_admitted(), "{headers:?}"),
            Some(reason) => assert_eq!(outcome, Outcome::Deny(reason), "{headers:?}"),
        }
    }
}

#[test]
fn every_check_has_its_reason() {
    let token = CLIENT.token();
    let other = CLIENT.token_with(&json!({"sub": "other"}));
    let header = |name: &str, value: Value| {
        let header = with(&CLIENT.header(), &json!({name: value}));
        refusal(&gate_fixtures::signed("ES256", &header, &claims(&token)))
    };
    for claims in [
        json!({}),
        json!({"iat": NOW - 120}),
        json!({"iat": NOW + 60}),
        json!({"exp": NOW - 59}),
        json!({"nbf": NOW + 60}),
    ] {
        assert_eq!(refusal_of(&claims), None, "{claims}");
    }
    for (found, expected) in [
        (refusal("x"), ReasonKind::ProofMalformed),
        (header("typ", json!("JWT")), ReasonKind::ProofMalformed),
        (header("alg", json!("none")), ReasonKind::ProofAlgorithm),
        (header("alg", json!("ES384")), ReasonKind::ProofKey),
        (header("jwk", json!(null)), ReasonKind::ProofKey),
        (refusal_of(&json!({"jti": 1})), ReasonKind::ProofMalformed),
        (refusal_of(&json!({"htm": "POST"})), ReasonKind::ProofMethod),
        (refusal_of(&json!({"htm": "get"})), ReasonKind::ProofMethod),
        (
            refusal_of(&json!({"htu": "https://api.example/"})),
            ReasonKind::ProofUri,
        ),
        (refusal_of(&json!({"htu": "/orders"})), ReasonKind::ProofUri),
        (
            refusal_of(&json!({"ath": hash(&other)})),
            ReasonKind::ProofToken,
        ),
        (
            refusal_of(&json!({"ath": format!("{}=", hash(&token))})),
            ReasonKind::ProofToken,
        ),
        (
            refusal(&OTHER.proof(&token, &json!({}))),
            ReasonKind::ProofBinding,
        ),
        (
            refusal_of(&json!({"iat": NOW - 121})),
            ReasonKind::ProofTime,
        ),
        (refusal_of(&json!({"iat": NOW + 61})), ReasonKind::ProofTime),
        (refusal_of(&json!({"exp": NOW - 60})), ReasonKind::ProofTime),
        (refusal_of(&json!({"nbf": NOW + 61})), ReasonKind::ProofTime),
    ] {
        assert_eq!(found, Some(expected));
    }
    let good = CLIENT.proof(&token, &json!({}));
    let (input, _) = good.rsplit_once('.').unwrap();
    let (_, signature) = CLIENT
        .proof(&token, &json!({"jti": "2"}))
        .rsplit_once('.')
        .map(|(a, b)| (a.to_owned(), b.to_owned()))
        .unwrap();
    assert_eq!(
        refusal(&format!("{input}.{signature}")),
        Some(ReasonKind::ProofSignature)
    );
}

#[test]
fn the_checks_that_cost_least_come_first() {
    let token = CLIENT.token();
    // Each of these claims is wrong, and the signature too.
    let mut claims = json!({
        "jti": "1", "htm": "POST", "htu": "https://b/", "iat": 1, "ath": "x", "nonce": "n",
    });
    for (name, good, reason) in [
        ("htm", json!("GET"), ReasonKind::ProofMethod),
        ("htu", json!(super::client::URL), ReasonKind::ProofUri),
        ("ath", json!(hash(&token)), ReasonKind::ProofToken),
    ] {
        let proof = gate_fixtures::signed("ES384", &OTHER.header(), &claims);
        assert_eq!(refusal(&proof), Some(reason));
        claims[name] = good;
    }
    let proof = gate_fixtures::signed("ES384", &OTHER.header(), &claims);
    assert_eq!(refusal(&proof), Some(ReasonKind::ProofBinding));
    let proof = gate_fixtures::signed("ES384", &CLIENT.header(), &claims);
    assert_eq!(refusal(&proof), Some(ReasonKind::ProofTime));
    claims["iat"] = json!(NOW);
    let proof = gate_fixtures::signed("ES384", &CLIENT.header(), &claims);
    assert_eq!(refusal(&proof), Some(ReasonKind::ProofSignature));
}

#[test]
fn the_token_is_judged_before_its_proof_and_the_proof_before_the_requirement() {
    let expired = CLIENT.token_with(&json!({"exp": NOW - 61}));
    assert_eq!(
        refusal_at(&policy(), &expired, "x", at(NOW)),
        Some(ReasonKind::Expired)
    );
    let mut scoped = crate::support::policy(&json!({
        "providers": {"p": provider()},
        "rules": [{"match": {"prefix": "/"}, "requires": {"provider_name": "p", "scopes": ["a"]}}],
    }));
    scoped.options.dpop = Some(DpopPolicy::default());
    let token = CLIENT.token();
    let proof = CLIENT.proof(&token, &json!({}));
    assert_eq!(
        refusal_at(&scoped, &token, "x", at(NOW)),
        Some(ReasonKind::ProofMalformed)
    );
    assert_eq!(
        refusal_at(&scoped, &token, &proof, at(NOW)),
        Some(ReasonKind::Scope)
    );
}

#[test]
fn a_proof_is_accepted_in_its_window_to_the_millisecond() {
    let token = CLIENT.token();
    let proof = CLIENT.proof(&token, &json!({}));
    let ms = |millis: u64| Timestamp::from_unix_millis(millis);
    let refused = Some(ReasonKind::ProofTime);
    let start = NOW * 1000;
    for (now, expected) in [
        (ms(start - 60_001), refused),
        (ms(start - 60_000), None),
        (ms(start), None),
        (ms(start + 120_000), None),
        (ms(start + 120_001), refused),
    ] {
        assert_eq!(
            refusal_at(&policy(), &token, &proof, now),
            expected,
            "{now:?}"
        );
    }
    for (iat, expected) in [
        (json!(1_700_000_060.001), refused),
        (json!(1_699_999_880.001), None),
        (json!(1_699_999_879.999), refused),
        (json!(-1), refused),
        (json!(0), refused),
        (json!(1e300), refused),
        (json!(NOW * 1000), refused),
    ] {
        assert_eq!(refusal_of(&json!({"iat": iat})), expected, "{iat}");
    }
    let strict = DpopPolicy {
        max_age: std::time::Duration::from_secs(1),
        clock_skew: std::time::Duration::ZERO,
        ..DpopPolicy::default()
    };
    let strict = policy_with(&json!({}), strict);
    for (now, expected) in [
        (ms(start - 1), refused),
        (ms(start), None),
        (ms(start + 1000), None),
        (ms(start + 1001), refused),
    ] {
        assert_eq!(
            refusal_at(&strict, &token, &proof, now),
            expected,
            "{now:?}"
        );
    }
}

#[test]
fn the_uri_is_compared_in_normal_form_with_the_public_urls() {
    let token = CLIENT.token();
    let bases = ["https://api.example/v1", "https://b.example"];
    let bases = bases.map(|base| gate::dpop::TargetUri::parse(base.as_bytes()).unwrap());
    let mut behind = policy();
    behind.options.public_urls = PublicUrls::new(bases.to_vec());
    let refused = Some(ReasonKind::ProofUri);
    for (uri, direct, behind_proxy) in [
        ("https://api.example/orders", None, refused),
        (
            "HTTPS://API.example:443/x/../%6Frders?page=2#top",
            None,
            refused,
        ),
        ("https://api.example/orders/", refused, refused),
        ("https://api.example//orders", refused, refused),
        ("https://api.example/Orders", refused, refused),
        ("http://api.example/orders", refused, refused),
        ("https://api.example:8443/orders", refused, refused),
        ("https://api.example/v1/orders", refused, None),
        // The request's own authority selects the URL.
        ("https://b.example/orders", refused, refused),
    ] {
        let proof = CLIENT.proof(&token, &json!({"htu": uri}));
        for (policy, expected) in [(&policy(), direct), (&behind, behind_proxy)] {
            assert_eq!(
                refusal_at(policy, &token, &proof, at(NOW)),
                expected,
                "{uri}"
            );
        }
    }
}

#[test]
fn a_known_token_and_a_known_key_skip_no_check_of_the_proof() {
    let gate = gate();
    let policy = policy();
    let token = CLIENT.token();
    let request = |changes: &Value| proving(&token, &CLIENT.proof(&token, changes));
    assert!(gate.decide(&policy, &request(&json!({}))).is_admitted());
    assert_eq!(gate.cached_tokens(), 1);
    for (changes, reason) in [
        (json!({"htm": "POST"}), ReasonKind::ProofMethod),
        (json!({"htu": "https://b/"}), ReasonKind::ProofUri),
        (json!({"ath": "x"}), ReasonKind::ProofToken),
        (json!({"iat": 1}), ReasonKind::ProofTime),
    ] {
        let outcome = gate.decide(&policy, &request(&changes));
        assert_eq!(outcome, Outcome::Deny(reason));
    }
    let of_other = proving(&token, &OTHER.proof(&token, &json!({})));
    let outcome = gate.decide(&policy, &of_other);
    assert_eq!(outcome, Outcome::Deny(ReasonKind::ProofBinding));
    let good = CLIENT.proof(&token, &json!({}));
    let (input, _) = good.rsplit_once('.').unwrap();
    let forged = proving(&token, &format!("{input}.{}", "A".repeat(86)));
    let outcome = gate.decide(&policy, &forged);
    assert_eq!(outcome, Outcome::Deny(ReasonKind::ProofSignature));
    for request in [
        super::client::request(&[("authorization", &format!("Bearer {token}"))]),
        super::client::request(&[("authorization", &format!("DPoP {token}"))]),
    ] {
        assert!(gate.decide(&policy, &request).is_denied());
    }
    assert!(gate.decide(&policy, &request(&json!({}))).is_admitted());
}

#[test]
fn a_decision_counts_who_verified_the_proof_and_whether_its_key_was_known() {
    let policy = policy();
    let token = CLIENT.token();
    let good = proving(&token, &CLIENT.proof(&token, &json!({})));
    let late = proving(&token, &CLIENT.proof(&token, &json!({"iat": 1})));
    for (engine, by_host, by_software) in [
        (Engine::software(), 0, 1),
        (Engine::probe(Box::new(host)), 1, 0),
    ] {
        let gate = gate().engine(engine);
        let counts = |request| {
            let counts = gate.decided(&policy, request).counts;
            let Counts {
                proof_key_hits,
                proof_key_misses,
                proofs_by_host,
                proofs_by_software,
                ..
            } = counts;
            (
                proof_key_hits,
                proof_key_misses,
                proofs_by_host,
                proofs_by_software,
            )
        };
        assert_eq!(counts(&late), (0, 1, 0, 0));
        assert_eq!(counts(&good), (0, 1, by_host, by_software));
        assert_eq!(counts(&good), (1, 0, by_host, by_software));
        assert_eq!(counts(&late), (1, 0, 0, 0));
    }
}

/// RFC 9449, section 7.1.
const PROOF: &str = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiJlMWozVl9iS2ljOC1MQUVCIiwiaHRtIjoiR0VUIiwiaHR1IjoiaHR0cHM6Ly9yZXNvdXJjZS5leGFtcGxlLm9yZy9wcm90ZWN0ZWRyZXNvdXJjZSIsImlhdCI6MTU2MjI2MjYxOCwiYXRoIjoiZlVIeU8ycjJaM0RaNTNFc05yV0JiMHhXWG9hTnk1OUlpS0NBcWtzbVFFbyJ9.2oW9RP35yRqzhrtNP86L-Ey71EOptxRimPPToA1plemAgR6pxHF8y6-yqyVnmcw6Fy1dqd-jfxSYoMxhAJpLjA";

#[test]
fn the_request_of_the_rfc_is_admitted_with_the_answer_about_its_opaque_token() {
    let mut policy = policy_with_secrets(&json!({"providers": {"p": {
        "introspection": {
            "http_uri": {"uri": "https://a/introspect", "cluster": "a"},
            "client_id": "gate",
            "client_secret_environment_variable": "SECRET",
        },
    }}}));
    policy.options.dpop = Some(DpopPolicy::default());
    let request = gate::request::Request::from_headers(
        [
            (":method", "GET"),
            (":scheme", "https"),
            (":authority", "resource.example.org"),
            (":path", "/protectedresource"),
            (
                "authorization",
                "DPoP Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU",
            ),
            ("dpop", PROOF),
        ]
        .map(|(name, value)| (name.as_bytes(), value.as_bytes())),
    );
    for (thumbprint, now, expected) in [
        (
            "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I",
            1_562_262_618,
            None,
        ),
        (
            "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I",
            1_562_262_738,
            None,
        ),
        (
            "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I",
            1_562_262_739,
            Some(ReasonKind::ProofTime),
        ),
        (
            "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4L",
            1_562_262_618,
            None,
        ),
        (
            "1ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I",
            1_562_262_618,
            Some(ReasonKind::ProofBinding),
        ),
    ] {
        let answer = json!({"active": true, "token_type": "DPoP", "cnf": {"jkt": thumbprint}});
        let status = active(&answer);
        let gate = Gate::new()
            .introspection(move |_, _| status.clone())
            .at(at(now));
        let outcome = gate.decide(&policy, &request);
        match expected {
            None => assert!(outcome.is_admitted(), "{outcome:?}"),
            Some(reason) => assert_eq!(outcome, Outcome::Deny(reason)),
        }
    }
}

#[test]
fn two_requirements_share_the_proof_of_one_token() {
    let mut policy = crate::support::policy(&json!({
        "providers": {"p": provider(), "q": provider()},
        "rules": [{"match": {"prefix": "/"}, "requires": {"requires_all": {"requirements": [
            {"provider_name": "p"},
            {"provider_name": "q"},
        ]}}}],
    }));
    policy.options.dpop = Some(DpopPolicy::default());
    let bound = CLIENT.token();
    assert_eq!(
        refusal_at(&policy, &bound, &CLIENT.proof(&bound, &json!({})), at(NOW)),
        None
    );
    let unbound = token(&json!({}));
    assert_eq!(
        refusal_at(
            &policy,
            &unbound,
            &CLIENT.proof(&unbound, &json!({})),
            at(NOW)
        ),
        Some(ReasonKind::Unbound)
    );
}

proptest! {
    #[test]
    fn no_proof_panics(proof: String, bytes: Vec<u8>) {
        let token = CLIENT.token();
        let authorization = format!("DPoP {token}").into_bytes();
        let headers = [
            (&b":method"[..], &b"GET"[..]),
            (b":path", &bytes),
            (b":scheme", b"https"),
            (b":authority", &bytes),
            (b"authorization", &authorization),
            (b"dpop", proof.as_bytes()),
        ];
        let request = gate::request::Request::from_headers(headers);
        prop_assert!(gate().decide(&policy(), &request).is_denied());
    }
}
