use std::time::Duration;

use super::challenge::quotable;
use super::*;

fn header<'a>(answer: &'a Answer, name: &str) -> Option<&'a str> {
    let found = answer.headers.iter().find(|(found, _)| *found == name);
    found.map(|(_, value)| &**value)
}

fn answer(kind: ReasonKind, realm: &[u8], grpc: bool) -> Answer {
    Answer::new(&kind.example(), &in_realm(realm), grpc)
}

fn in_realm(realm: &[u8]) -> ChallengeParameters<'_> {
    ChallengeParameters {
        realm,
        ..ChallengeParameters::default()
    }
}

#[test]
fn every_reason_has_its_status_and_error() {
    for &reason in ReasonKind::ALL {
        let answer = answer(reason, b"api", false);
        let body: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
        let expected = match reason {
            ReasonKind::Missing | ReasonKind::NoRule => (401, "missing_token"),
            ReasonKind::Header
            | ReasonKind::TooLong
            | ReasonKind::MalformedCredential
            | ReasonKind::SeveralTokens => (400, "invalid_request"),
            ReasonKind::KeysUnavailable
            | ReasonKind::RevocationUnavailable
            | ReasonKind::IntrospectionUnavailable
            | ReasonKind::ReplayUnavailable
            | ReasonKind::TooManyStreams => (503, "temporarily_unavailable"),
            ReasonKind::Scope => (403, "insufficient_scope"),
            ReasonKind::Claims | ReasonKind::Requirement => (403, "access_denied"),
            ReasonKind::ProofNonce => (401, "use_dpop_nonce"),
            ReasonKind::UserAuthentication => (401, "insufficient_user_authentication"),
            ReasonKind::ProofMissing
            | ReasonKind::SeveralProofs
            | ReasonKind::ProofMalformed
            | ReasonKind::ProofAlgorithm
            | ReasonKind::ProofKey
            | ReasonKind::ProofMethod
            | ReasonKind::ProofUri
            | ReasonKind::ProofToken
            | ReasonKind::ProofTime
            | ReasonKind::ProofSignature
            | ReasonKind::ProofReplay => (401, "invalid_dpop_proof"),
            _ => (401, "invalid_token"),
        };
        assert_eq!(
            (answer.status, body["error"].as_str().unwrap()),
            expected,
            "{reason:?}"
        );
        assert_eq!(header(&answer, "cache-control"), Some("no-store"));
        assert_eq!(header(&answer, "content-type"), Some("application/json"));
        assert_eq!(
            header(&answer, "www-authenticate").is_some(),
            answer.status != 503
        );
        assert_eq!(
            header(&answer, "retry-after").is_some(),
            answer.status == 503
        );
    }
}

#[test]
fn a_reason_that_was_found_later_is_greater() {
    assert!(ReasonKind::ALL.is_sorted_by(|a, b| a < b));
}

#[test]
fn descriptions_need_no_quoting() {
    for &reason in ReasonKind::ALL {
        assert_eq!(
            quotable(reason.description().as_bytes(), usize::MAX),
            reason.description()
        );
    }
}

#[test]
fn every_reason_has_a_metric_and_a_remedy() {
    for &reason in ReasonKind::ALL {
        let metric = reason.metric();
        let fits = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
        assert!(!metric.is_empty() && metric.bytes().all(fits), "{metric}");
        assert!(!reason.remedy().is_empty(), "{reason:?}");
    }
}

#[test]
fn a_missing_token_is_challenged_without_an_error_code() {
    let answer = answer(ReasonKind::Missing, b"api.example", false);
    assert_eq!(
        header(&answer, "www-authenticate"),
        Some("Bearer realm=\"api.example\"")
    );
}

#[test]
fn a_bad_token_is_told_why() {
    let answer = answer(ReasonKind::Expired, b"api.example", false);
    assert_eq!(
        header(&answer, "www-authenticate"),
        Some(
            "Bearer realm=\"api.example\", error=\"invalid_token\", \
             error_description=\"The access token expired\""
        )
    );
}

#[test]
fn the_challenge_names_the_missing_scopes() {
    let required = "orders:read orders:write".to_owned();
    let answer = Answer::new(
        &Reason::Scope { required },
        &in_realm(b"api.example"),
        false,
    );
    assert_eq!(
        header(&answer, "www-authenticate"),
        Some(
            "Bearer realm=\"api.example\", error=\"insufficient_scope\", \
             error_description=\"The access token lacks a scope that is needed here\", \
             scope=\"orders:read orders:write\""
        )
    );
}

#[test]
fn every_401_names_the_scopes_that_are_needed_unless_it_asks_for_a_nonce() {
    let parameters = ChallengeParameters {
        realm: b"api.example",
        scope: "mcp:read mcp:list",
        resource_metadata: None,
        ..ChallengeParameters::default()
    };
    for &kind in ReasonKind::ALL {
        let answer = Answer::new(&kind.example(), &parameters, false);
        let challenge = header(&answer, "www-authenticate").unwrap_or_default();
        let names_scopes = challenge.ends_with(", scope=\"mcp:read mcp:list\"");
        let expected = answer.status == 401 && kind != ReasonKind::ProofNonce;
        assert_eq!(names_scopes, expected, "{challenge}");
    }
}

#[test]
fn scopes_are_never_cut_off() {
    let scope = "a".repeat(5000);
    let parameters = ChallengeParameters {
        scope: &scope,
        ..ChallengeParameters::default()
    };
    let answer = Answer::new(&Reason::Missing, &parameters, false);
    let challenge = header(&answer, "www-authenticate").unwrap();
    assert!(challenge.ends_with(&format!("scope=\"{scope}\"")));
}

#[test]
fn an_unmet_condition_on_claims_is_challenged_without_an_error_code() {
    for reason in [ReasonKind::Claims, ReasonKind::Requirement] {
        let answer = answer(reason, b"api.example", false);
        let challenge = header(&answer, "www-authenticate");
        assert_eq!(challenge, Some("Bearer realm=\"api.example\""));
    }
}

#[test]
fn a_stripped_answer_discloses_only_its_status() {
    for &reason in ReasonKind::ALL {
        for grpc in [false, true] {
            let whole = answer(reason, b"api", grpc);
            let stripped = whole.clone().stripped();
            assert_eq!(stripped.status, whole.status);
            assert_eq!(stripped.body, "");
            assert_eq!(header(&stripped, "www-authenticate"), None);
            assert_eq!(header(&stripped, "content-type"), None);
            assert_eq!(header(&stripped, "cache-control"), Some("no-store"));
            assert_eq!(
                header(&stripped, "retry-after"),
                header(&whole, "retry-after")
            );
        }
    }
}

#[test]
fn retry_after_is_whole_seconds_rounded_up_and_never_zero() {
    for (millis, secs) in [(0, "1"), (1, "1"), (1000, "1"), (1001, "2")] {
        let retry_after = Duration::from_millis(millis);
        let answer = Answer::new(
            &Reason::KeysUnavailable { retry_after },
            &in_realm(b""),
            false,
        );
        assert_eq!(header(&answer, "retry-after"), Some(secs));
    }
}

#[test]
fn a_grpc_request_gets_the_description_as_its_message() {
    let answer = answer(ReasonKind::Expired, b"", true);
    assert_eq!(answer.body, "The access token expired");
    assert_eq!(header(&answer, "content-type"), None);
}

#[test]
fn problem_details_say_what_the_json_body_says() {
    for &kind in ReasonKind::ALL {
        let answer = answer(kind, b"api", false);
        let json: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
        let problem = answer.clone().with_problem(kind);
        let body: serde_json::Value = serde_json::from_str(&problem.body).unwrap();
        let phrase = ::http::StatusCode::from_u16(problem.status).unwrap();
        assert_eq!(
            body,
            serde_json::json!({
                "type": "about:blank",
                "title": phrase.canonical_reason().unwrap(),
                "status": answer.status,
                "detail": json["error_description"],
                "error": json["error"],
            })
        );
        let content_type = Some("application/problem+json");
        assert_eq!(header(&problem, "content-type"), content_type);
        for name in ["www-authenticate", "cache-control", "retry-after"] {
            assert_eq!(header(&problem, name), header(&answer, name));
        }
    }
}
