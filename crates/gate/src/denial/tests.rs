use super::*;

fn header<'a>(answer: &'a Answer, name: &str) -> Option<&'a str> {
    let found = answer.headers.iter().find(|(found, _)| *found == name);
    found.map(|(_, value)| &**value)
}

fn quotable(text: &[u8]) -> String {
    let mut quotable = String::new();
    push_quotable(&mut quotable, text);
    quotable
}

#[test]
fn every_reason_has_its_status_and_error() {
    for reason in Reason::ALL {
        let answer = Denial::from(reason).answer(b"api", false);
        let body: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
        let expected = match reason {
            Reason::Missing => (401, "missing_token"),
            Reason::MalformedCredential | Reason::SeveralTokens => (400, "invalid_request"),
            Reason::KeysUnavailable
            | Reason::RevocationUnavailable
            | Reason::IntrospectionUnavailable => (503, "temporarily_unavailable"),
            Reason::Scope => (403, "insufficient_scope"),
            Reason::Claims | Reason::Requirement => (403, "access_denied"),
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
fn all_reasons_are_listed_once_and_in_order() {
    assert!(Reason::ALL.is_sorted_by(|a, b| a < b));
    assert_eq!(Reason::ALL.last(), Some(&Reason::IntrospectionUnavailable));
}

#[test]
fn descriptions_need_no_quoting() {
    for reason in Reason::ALL {
        assert_eq!(
            quotable(reason.description().as_bytes()),
            reason.description()
        );
    }
}

#[test]
fn a_missing_token_is_challenged_without_an_error_code() {
    let answer = Denial::from(Reason::Missing).answer(b"api.example", false);
    assert_eq!(
        header(&answer, "www-authenticate"),
        Some("Bearer realm=\"api.example\"")
    );
}

#[test]
fn a_bad_token_is_told_why() {
    let answer = Denial::from(Reason::Expired).answer(b"api.example", false);
    assert_eq!(
        header(&answer, "www-authenticate"),
        Some(
            "Bearer realm=\"api.example\", error=\"invalid_token\", \
             error_description=\"The access token expired\""
        )
    );
}

#[test]
fn a_lacking_scope_is_named_in_the_challenge() {
    let denial = Denial {
        scope: Some("orders:read orders:write".to_owned()),
        ..Reason::Scope.into()
    };
    let answer = denial.answer(b"api.example", false);
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
fn a_claim_that_does_not_fit_has_a_challenge_without_an_error_code() {
    for reason in [Reason::Claims, Reason::Requirement] {
        let answer = Denial::from(reason).answer(b"api.example", false);
        let challenge = header(&answer, "www-authenticate");
        assert_eq!(challenge, Some("Bearer realm=\"api.example\""));
    }
}

#[test]
fn a_stripped_answer_tells_nothing_but_its_status() {
    for reason in Reason::ALL {
        for grpc in [false, true] {
            let whole = Denial::from(reason).answer(b"api", grpc);
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
fn a_realm_cannot_break_out_of_its_quotes() {
    for (realm, quoted) in [
        (&b"a\"b"[..], r#"a\"b"#),
        (b"a\\", r"a\\"),
        (b"a\r\nSet-Cookie: x", "aSet-Cookie: x"),
        (b"\xff\x00\x7f", ""),
    ] {
        assert_eq!(quotable(realm), quoted);
    }
    assert_eq!(quotable(&[b'a'; 10_000]).len(), 256);
}

#[test]
fn retry_after_is_whole_seconds_rounded_up_and_never_zero() {
    for (millis, secs) in [
        (None, "1"),
        (Some(0), "1"),
        (Some(1), "1"),
        (Some(1001), "2"),
    ] {
        let denial = Denial {
            reason: Reason::KeysUnavailable,
            retry_after: millis.map(Duration::from_millis),
            scope: None,
        };
        assert_eq!(
            header(&denial.answer(b"", false), "retry-after"),
            Some(secs)
        );
    }
}

#[test]
fn a_grpc_request_gets_the_description_as_its_message() {
    let answer = Denial::from(Reason::Expired).answer(b"", true);
    assert_eq!(answer.body, "The access token expired");
    assert_eq!(header(&answer, "content-type"), None);
}
