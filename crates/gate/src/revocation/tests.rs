use serde_json::json;

use std::hash::RandomState;

use super::*;
use crate::token::MAX_TOKEN_BYTES;
use gate_fixtures::{es256, rs256};

const TIME: u64 = 1_700_000_000;

fn reader(format: ListFormat) -> ListReader {
    ListReader {
        format,
        state: RandomState::new(),
    }
}

fn parse(format: ListFormat, document: &str) -> Result<RevocationList, String> {
    let list = RevocationList::parse(document.as_bytes(), &reader(format));
    list.map_err(|unusable| unusable.problem)
}

fn list(document: Value) -> RevocationList {
    parse(ListFormat::List, &document.to_string()).unwrap()
}

fn revokes(list: &RevocationList, token: &str) -> bool {
    let (parsed, _) = Token::parse(token, MAX_TOKEN_BYTES).unwrap();
    list.revokes(&parsed, token)
}

fn token(payload: Value) -> String {
    rs256(&json!({"alg": "RS256"}), &payload)
}

#[test]
fn a_list_may_have_two_million_names() {
    let list = |count: usize| format!("{{\"tokens\":[{}\"a\"]}}", "\"a\",".repeat(count - 1));
    let parsed = parse(ListFormat::List, &list(2_000_000)).unwrap();
    assert_eq!(parsed.count(), 2_000_000);
    let problem = parse(ListFormat::List, &list(2_000_001)).unwrap_err();
    assert_eq!(problem, "it has more than 2000000 names");
}

#[test]
fn a_token_is_revoked_by_its_jti_its_client_or_its_subject() {
    let list = list(json!({
        "tokens": ["one", "a \"name\" \u{e9}"],
        "clients": {"app": TIME, "late": 1e300},
        "subjects": {"user": TIME, "fraction": 1_700_000_000.5},
    }));
    assert_eq!(list.count(), 6);
    for (payload, expected) in [
        (json!({}), false),
        (json!({"jti": "one"}), true),
        (json!({"jti": "one", "iat": TIME + 1000}), true),
        (json!({"jti": "a \"name\" \u{e9}"}), true),
        (json!({"jti": "One"}), false),
        (json!({"jti": "on"}), false),
        (json!({"jti": ""}), false),
        // A name only counts for its kind.
        (json!({"jti": "app"}), false),
        (json!({"sub": "one", "client_id": "user"}), false),
        (json!({"client_id": "app", "iat": TIME - 1}), true),
        (json!({"client_id": "app", "iat": TIME}), false),
        (json!({"client_id": "app", "iat": TIME + 1}), false),
        (json!({"client_id": "app"}), true),
        (json!({"azp": "app", "iat": TIME - 1}), true),
        (
            json!({"client_id": "other", "azp": "app", "iat": TIME - 1}),
            true,
        ),
        (json!({"client_id": ["other", "app"], "iat": 0}), true),
        (json!({"client_id": ["other"], "iat": 0}), false),
        (json!({"azp": {"app": "app"}, "iat": 0}), false),
        (
            json!({"client_id": "late", "iat": u64::MAX / 1000 - 1}),
            true,
        ),
        (json!({"sub": "user", "iat": TIME - 1}), true),
        (json!({"sub": "user", "iat": TIME}), false),
        (json!({"sub": "user"}), true),
        (json!({"sub": "fraction", "iat": TIME}), true),
        (json!({"sub": "fraction", "iat": TIME + 1}), false),
    ] {
        assert_eq!(
            revokes(&list, &token(payload.clone())),
            expected,
            "{payload}"
        );
    }
}

#[test]
fn a_listed_jti_is_revoked_whenever_the_token_was_issued() {
    let list = list(json!({"tokens": ["one"]}));
    for issued_at in [None, Some(Timestamp::EPOCH), Some(Timestamp::END)] {
        let payload = json!({"jti": "one"});
        let is_revoked = list.revokes_claims(payload.as_object().unwrap(), issued_at);
        assert!(is_revoked, "{issued_at:?}");
    }
}

#[test]
fn a_token_without_jti_is_revoked_by_its_signature() {
    let (named, unnamed) = (token(json!({"jti": "a"})), token(json!({"sub": "a"})));
    let signature = |token: &str| token.rsplit_once('.').unwrap().1.to_owned();
    let list = list(json!({"tokens": [signature(&named), signature(&unnamed)]}));
    assert!(revokes(&list, &unnamed));
    assert!(!revokes(&list, &named));
    assert!(!revokes(&list, &token(json!({"sub": "b"}))));
}

#[test]
fn a_revoked_ecdsa_token_stays_revoked_with_the_other_form_of_its_signature() {
    let revoked = es256(&json!({"alg": "ES256"}), &json!({"sub": "a"}));
    let (input, signature) = revoked.rsplit_once('.').unwrap();
    let list = list(json!({"tokens": [signature]}));
    let bytes = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let algorithm = Algorithm::from_name("ES256").unwrap();
    let other = URL_SAFE_NO_PAD.encode(twin(algorithm, &bytes).unwrap());
    assert_ne!(other, signature);
    assert!(revokes(&list, &revoked));
    assert!(revokes(&list, &format!("{input}.{other}")));
}

#[test]
fn both_formats_of_wso2_are_parsed() {
    let millis = TIME * 1000 + 500;
    let array = json!([{"jwt_signature": "one", "expiry_time": 1, "more": {}}]);
    let object = json!({
        "revokedJWTList": [{"jwt_signature": "one", "expiry_time": 1}],
        "revokedJWTConsumerKeyList": [
            {"consumer_key": "app", "revocation_time": millis, "organization": "carbon.super"},
        ],
        "revokedJWTSubjectEntityList": [
            {"entity_id": "user", "entity_type": "USER_ID", "revocation_time": millis},
            {"entity_id": "other", "entity_type": "CLIENT_ID", "revocation_time": millis},
        ],
        "more": [1],
    });
    for (document, whole) in [(&array, false), (&object, true)] {
        let list = parse(ListFormat::Wso2, &document.to_string()).unwrap();
        for (payload, expected) in [
            (json!({"jti": "one"}), true),
            (json!({"jti": "two"}), false),
            (json!({"azp": "app", "iat": TIME}), whole),
            (json!({"client_id": "app", "iat": TIME + 1}), false),
            (json!({"sub": "user", "iat": TIME}), whole),
            (json!({"sub": "user", "iat": TIME + 1}), false),
            (json!({"client_id": "user", "iat": TIME}), false),
            (json!({"client_id": "other", "iat": TIME}), whole),
            (json!({"sub": "app", "iat": TIME}), false),
        ] {
            assert_eq!(
                revokes(&list, &token(payload.clone())),
                expected,
                "{payload}"
            );
        }
    }
    for (document, count) in [
        ("[]", 0),
        (
            r#"{"revokedJWTList": null, "revokedJWTConsumerKeyList": []}"#,
            0,
        ),
        (
            r#"{"revokedJWTConsumerKeyList": [{"consumer_key": "a", "revocation_time": -1}]}"#,
            1,
        ),
    ] {
        let list = parse(ListFormat::Wso2, document).unwrap();
        assert_eq!(list.count(), count, "{document}");
        assert!(!revokes(&list, &token(json!({"client_id": "a"}))));
    }
}

#[test]
fn anything_that_is_not_understood_makes_a_list_unusable() {
    let deep = format!("{{\"tokens\": {}", "[".repeat(100_000));
    for (format, document) in [
        (ListFormat::List, ""),
        (ListFormat::List, "{}"),
        (ListFormat::List, "[]"),
        (ListFormat::List, "null"),
        (ListFormat::List, "<html>"),
        (ListFormat::List, r#"{"error": "server_error"}"#),
        (ListFormat::List, r#"{"tokens": ["a"], "users": {}}"#),
        (ListFormat::List, r#"{"tokens": ["a", 1]}"#),
        (ListFormat::List, r#"{"tokens": {"a": 1}}"#),
        (ListFormat::List, r#"{"tokens": "a"}"#),
        (ListFormat::List, r#"{"tokens": ["a"], "tokens": []}"#),
        (ListFormat::List, r#"{"tokens": ["a"]} x"#),
        (ListFormat::List, r#"{"tokens": ["a"]"#),
        (ListFormat::List, r#"{"clients": {"a": "1700000000"}}"#),
        (ListFormat::List, r#"{"clients": {"a": null}}"#),
        (ListFormat::List, r#"{"clients": ["a"]}"#),
        (ListFormat::List, r#"{"subjects": {"a": [1]}}"#),
        (ListFormat::List, &deep),
        (ListFormat::Wso2, "{}"),
        (ListFormat::Wso2, r#"{"tokens": ["a"]}"#),
        (ListFormat::Wso2, r#"["a"]"#),
        (ListFormat::Wso2, r#"[{"expiry_time": 1}]"#),
        (ListFormat::Wso2, r#"[{"jwt_signature": null}]"#),
        (
            ListFormat::Wso2,
            r#"{"revokedJWTConsumerKeyList": [{"consumer_key": "a"}]}"#,
        ),
        (
            ListFormat::Wso2,
            r#"{"revokedJWTSubjectEntityList": [{"revocation_time": 1}]}"#,
        ),
    ] {
        let problem = parse(format, document).unwrap_err();
        assert!(problem.starts_with("it is not of the format"), "{problem}");
    }
    // The content of a list is not logged.
    let problem = parse(ListFormat::List, r#"{"tokens": ["a"], "secret": 1}"#).unwrap_err();
    assert_eq!(problem, "it is not of the format list: line 1, column 27");
    // Members may be absent or null.
    assert_eq!(list(json!({"tokens": null, "subjects": {}})).count(), 0);
}

#[test]
fn workers_share_the_same_table_for_the_same_names_and_another_for_others() {
    let reader = reader(ListFormat::List);
    let shared = |document: &Value, known: Option<&RevocationList>| {
        let document = document.to_string();
        let body = ResponseBody {
            size: document.len(),
            read: &|offset, length| body_part(document.as_bytes(), offset, length),
        };
        RevocationList::to_shared(&body, &reader, known).unwrap()
    };
    let document = json!({"tokens": ["one", "two"], "clients": {"app": TIME}});
    let parts = shared(&document, None);
    let known = RevocationList::from_shared(parts.clone(), &reader).unwrap();
    assert_eq!(known.count(), 3);
    assert!(revokes(&known, &token(json!({"jti": "one"}))));
    assert!(!revokes(&known, &token(json!({"jti": "three"}))));
    // The order of the document does not matter, but every name and time does.
    for (document, is_known) in [
        (document, true),
        (
            json!({"clients": {"app": TIME}, "tokens": ["two", "one"]}),
            true,
        ),
        (
            json!({"tokens": ["one", "two"], "clients": {"app": TIME + 1}}),
            false,
        ),
        (
            json!({"tokens": ["one", "three"], "clients": {"app": TIME}}),
            false,
        ),
        (
            json!({"tokens": ["one", "two"], "subjects": {"app": TIME}}),
            false,
        ),
        (json!({"tokens": ["one", "two"]}), false),
    ] {
        let shared = shared(&document, Some(&known));
        assert_eq!(known.is_shared_as(&shared), is_known, "{document}");
    }
    // Other workers cannot tell which names are meant without the key of the hash, so it is shared, too.
    let read = RevocationList::from_shared(parts, &self::reader(ListFormat::List)).unwrap();
    assert!(revokes(&read, &token(json!({"jti": "two"}))));
    assert!(RevocationList::from_shared(vec![b"[]".to_vec()], &reader).is_err());
}

#[test]
fn the_latest_of_several_times_of_a_name_counts() {
    let document = format!("{{\"clients\": {{\"a\": {TIME}, \"a\": 5, \"a\": 7}}}}");
    let list = parse(ListFormat::List, &document).unwrap();
    let payload = json!({"client_id": "a", "iat": TIME - 1});
    assert!(revokes(&list, &token(payload)));
}

#[test]
fn all_of_many_names_are_found_and_no_others() {
    let tokens: Vec<String> = (0..20_000)
        .map(|number| format!("token-{number}"))
        .collect();
    let list = list(json!({"tokens": tokens}));
    assert_eq!(list.count(), 20_000);
    let is_listed = |name: &str| {
        let payload = json!({"jti": name});
        list.revokes_claims(payload.as_object().unwrap(), None)
    };
    assert!(tokens.iter().all(|name| is_listed(name)));
    assert!(!(20_000..40_000).any(|number| is_listed(&format!("token-{number}"))));
}

proptest::proptest! {
    #[test]
    fn no_bytes_panic(bytes: Vec<u8>) {
        for format in [ListFormat::List, ListFormat::Wso2] {
            let _ = RevocationList::parse(&bytes, &reader(format));
        }
    }

    #[test]
    fn no_list_panics(name: String, date: f64) {
        let document = json!({"tokens": [name], "clients": {&*name: date}, "subjects": {&*name: 1}});
        let read = parse(ListFormat::List, &document.to_string());
        proptest::prop_assert_eq!(read.is_ok(), date.is_finite());
        let document = json!({"revokedJWTConsumerKeyList": [{"consumer_key": name, "revocation_time": date}]});
        let read = parse(ListFormat::Wso2, &document.to_string());
        proptest::prop_assert_eq!(read.is_ok(), date.is_finite());
    }
}
