//! What the gate changes in an admitted request.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gate::admission::{Admission, ForwardedToken, HeaderChange};
use gate::credential::locate;
use gate::reason::Reason;
use serde_json::{Value, json};

use crate::support::{policy_of, request, with};

/// The admission of a request with a token that has this payload, whatever its text. Its provider has
/// these fields.
fn admitted(fields: &Value, payload: &Value, target: &str, headers: &[(&str, &str)]) -> Admission {
    try_admitted(fields, payload, target, headers).unwrap()
}

fn try_admitted(
    fields: &Value,
    payload: &Value,
    target: &str,
    headers: &[(&str, &str)],
) -> Result<Admission, Reason> {
    let keys = json!({"local_jwks": {"inline_string": gate_fixtures::key_set()}});
    let policy = policy_of(&with(&keys, fields));
    let provider = &policy.providers[0];
    let request = request(target, headers);
    let found = locate(&request, &provider.locations, false).unwrap();
    let tokens = found.iter().map(|credential| ForwardedToken {
        credential,
        payload: payload.as_object().unwrap(),
        introspected: false,
        provider,
        proof: None,
    });
    Admission::new(true, &policy, &request, tokens)
}

fn with_header(fields: &Value, payload: &Value) -> Admission {
    let headers = [("authorization", "Bearer e30.eyJhIjoxfQ.c2ln")];
    admitted(fields, payload, "/", &headers)
}

fn set(name: &str, value: &str) -> HeaderChange {
    HeaderChange::Set(name.to_owned(), value.as_bytes().to_vec())
}

fn remove(name: &str) -> HeaderChange {
    HeaderChange::Remove(name.to_owned())
}

#[test]
fn several_claims_for_one_header_become_one_value_each() {
    let fields = json!({"claim_to_headers": [
        {"header_name": "x-a", "claim_name": "a"},
        {"header_name": "X-A", "claim_name": "b"},
        {"header_name": "x-a", "claim_name": "c"},
    ]});
    let add = |value: &str| HeaderChange::Add("x-a".to_owned(), value.as_bytes().to_vec());
    for (payload, expected) in [
        (
            json!({"a": "1", "b": "2", "c": 3}),
            vec![set("x-a", "1"), add("2"), add("3")],
        ),
        (json!({"b": "2"}), vec![set("x-a", "2")]),
        (json!({}), vec![]),
    ] {
        let mut changes = with_header(&fields, &payload).headers;
        changes.retain(|change| *change != remove("authorization"));
        assert_eq!(changes, expected, "{payload}");
    }
}

#[test]
fn a_token_is_removed_from_the_request_unless_it_is_forwarded() {
    let header = json!({"from_headers": [{"name": "x-token"}]});
    let query = json!({"from_params": ["jwt"]});
    let cookie = json!({"from_cookies": ["jwt"]});
    for (change, target, headers, expected) in [
        (
            &header,
            "/",
            &[("x-token", "abc")][..],
            vec![remove("x-token")],
        ),
        (&query, "/a?jwt=abc", &[], vec![set(":path", "/a")]),
        (
            &query,
            "/a?b=%20&jwt=abc&c",
            &[],
            vec![set(":path", "/a?b=%20&c")],
        ),
        (
            &query,
            "/a?%6Awt=abc&b?#f",
            &[],
            vec![set(":path", "/a?b?#f")],
        ),
        (
            &cookie,
            "/",
            &[("cookie", "jwt=abc")],
            vec![remove("cookie")],
        ),
        (
            &cookie,
            "/",
            &[("cookie", "a=b;jwt=abc; c=d"), ("cookie", "e=\"f\"")],
            vec![remove("cookie"), set("cookie", "a=b; c=d; e=\"f\"")],
        ),
    ] {
        let admission = admitted(change, &json!({}), target, headers);
        assert_eq!(admission.headers, expected, "{target} {headers:?}");
        let mut forwarded = change.clone();
        forwarded["forward"] = json!(true);
        let admission = admitted(&forwarded, &json!({}), target, headers);
        assert_eq!(admission.headers, [], "{target} {headers:?}");
    }
}

#[test]
fn the_payload_is_forwarded_as_it_is_in_the_token() {
    let plain = json!({"forward": true, "forward_payload_header": "X-Payload"});
    let padded = json!({
        "forward": true,
        "forward_payload_header": "x-payload",
        "pad_forward_payload_header": true,
    });
    for (change, text, expected) in [
        (&plain, "e30.eyJhIjoxfQ.c2ln", "eyJhIjoxfQ"),
        (&padded, "e30.eyJhIjoxfQ.c2ln", "eyJhIjoxfQ=="),
        (&padded, "e30.eyJhIjoxMX0.c2ln", "eyJhIjoxMX0="),
        (&padded, "e30.eyJhIjoxMTF9.c2ln", "eyJhIjoxMTF9"),
    ] {
        let value = format!("Bearer {text}");
        let admission = admitted(change, &json!({}), "/", &[("authorization", &value)]);
        assert_eq!(admission.headers, [set("x-payload", expected)], "{text}");
    }
}

#[test]
fn claims_become_headers_as_in_envoy() {
    let change = json!({
        "forward": true,
        "claim_to_headers": [{"header_name": "X-Claim", "claim_name": "a.b"}],
    });
    for (value, expected) in [
        (json!("text"), Some("text")),
        (json!("t\u{e4}xt"), Some("t\u{e4}xt")),
        (json!(5), Some("5")),
        (json!(-5), Some("-5")),
        (json!(1.5), Some("1.5")),
        (json!(2.0), Some("2")),
        (json!(u64::MAX), Some("18446744073709551615")),
        (json!(true), Some("true")),
        (json!(["a", 1]), Some("WyJhIiwxXQ==")),
        (json!({"a": "b"}), Some("eyJhIjoiYiJ9")),
        (json!(null), None),
        (json!(""), None),
        (json!("a\r\nx-admin: true"), None),
        (json!("a\u{0}"), None),
        (json!("a\u{7f}"), None),
        // The upstream would read another value.
        (json!(" admin"), None),
        (json!("admin "), None),
        (json!("\tadmin"), None),
        (json!("admin\t"), None),
        (json!("\u{a0}admin"), None),
        (json!("admin\u{3000}"), None),
        (json!("\u{2028}admin"), None),
        (json!("\u{85}admin"), None),
        (json!(" "), None),
        (json!("two words"), Some("two words")),
        (json!([" admin"]), Some("WyIgYWRtaW4iXQ==")),
    ] {
        let admission = with_header(&change, &json!({"a": {"b": value}}));
        let expected: Vec<_> = expected
            .into_iter()
            .map(|text| set("x-claim", text))
            .collect();
        assert_eq!(admission.headers, expected, "{value}");
    }
    assert_eq!(with_header(&change, &json!({"a.b": "x"})).headers, []);
}

#[test]
fn texts_are_percent_encoded_if_the_operator_says_so() {
    let change = json!({
        "forward": true,
        "claim_to_headers": [{"header_name": "x-claim", "claim_name": "a", "encoding": "percent"}],
    });
    for (value, expected) in [
        (json!("text"), Some("text")),
        // RFC 8187, section 3.2.3.
        (
            json!("\u{a3} and \u{20ac} rates"),
            Some("%C2%A3%20and%20%E2%82%AC%20rates"),
        ),
        (json!("!#$&+-.^_`|~"), Some("!#$&+-.^_`|~")),
        (
            json!("100%'*();,/:\"\\"),
            Some("100%25%27%2A%28%29%3B%2C%2F%3A%22%5C"),
        ),
        // No server changes these.
        (json!(" admin"), Some("%20admin")),
        (
            json!("a\r\nx-admin: true"),
            Some("a%0D%0Ax-admin%3A%20true"),
        ),
        (json!("\u{0}\u{7f}"), Some("%00%7F")),
        (json!(5), Some("5")),
        (json!(-1.5), Some("-1.5")),
        (json!(true), Some("true")),
        (json!(["a", 1]), Some("WyJhIiwxXQ==")),
        (json!(null), None),
        (json!(""), None),
    ] {
        let admission = with_header(&change, &json!({ "a": value }));
        let expected: Vec<_> = expected
            .into_iter()
            .map(|text| set("x-claim", text))
            .collect();
        assert_eq!(admission.headers, expected, "{value}");
    }
}

#[test]
fn the_payload_becomes_a_protobuf_value_for_metadata() {
    let fields = json!({
        "forward": true,
        "payload_in_metadata": "payload",
        "payload_metadata_header": "X-Payload",
    });
    // {"a":1}: the payload of the token, and not what is known of it.
    let admission = with_header(&fields, &json!({}));
    assert_eq!(
        admission.headers,
        [set("x-payload", "KhAKDgoBYRIJEQAAAAAAAPA/")]
    );
}

#[test]
fn the_protobuf_value_has_at_most_8188_characters() {
    let fields = json!({
        "forward": true,
        "payload_in_metadata": "payload",
        "payload_metadata_header": "X-Payload",
    });
    // The last three texts of a length make 8188 characters of Base64, the next one makes 8192.
    let admissions = (6100..6200).map(|length| {
        let payload = URL_SAFE_NO_PAD.encode(json!({"a": "x".repeat(length)}).to_string());
        let authorization = format!("Bearer e30.{payload}.c2ln");
        let headers = [("authorization", &*authorization)];
        try_admitted(&fields, &json!({}), "/", &headers)
    });
    let mut lengths = Vec::new();
    for admission in admissions {
        match admission {
            Ok(admission) => match &*admission.headers {
                [HeaderChange::Set(_, value)] => lengths.push(value.len()),
                other => panic!("{other:?}"),
            },
            Err(reason) => {
                let expected = Reason::PayloadTooLarge {
                    bytes: 8192,
                    limit: 8188,
                };
                assert_eq!(reason, expected);
                break;
            }
        }
    }
    assert_eq!(lengths.last(), Some(&8188));
    assert!(lengths.len() < 100, "nothing is too long");
}

#[test]
fn claims_become_filter_state() {
    let change = json!({
        "claims_to_filter_state": [
            {"claim_name": "sub", "key": "subject"},
            {"claim_path": ["https://a.example/b"], "key": "b"},
            {"claim_name": "scope", "key": "scope"},
        ],
        "normalize_payload_in_metadata": {"space_delimited_claims": ["scope"]},
    });
    let payload = json!({"sub": "alice", "https://a.example/b": {"c": [1]}, "scope": "a  b"});
    let state = |key: &str, value: &str| (key.to_owned(), value.as_bytes().to_vec());
    assert_eq!(
        with_header(&change, &payload).filter_state,
        [
            state("subject", "alice"),
            state("b", r#"{"c":[1]}"#),
            state("scope", r#"["a","b"]"#),
        ]
    );
    assert_eq!(
        with_header(&change, &json!({"sub": "a\nb"})).filter_state,
        []
    );
}

#[test]
fn the_route_cache_is_cleared_if_a_claim_was_set_and_the_operator_says_so() {
    for (clear, payload, expected) in [
        (true, json!({"a": 1}), true),
        (true, json!({}), false),
        (false, json!({"a": 1}), false),
    ] {
        let change = json!({
            "clear_route_cache": clear,
            "claim_to_headers": [{"header_name": "x", "claim_name": "a"}],
        });
        assert_eq!(with_header(&change, &payload).clear_route_cache, expected);
    }
}

proptest::proptest! {
    #[test]
    fn values_are_valid_in_a_header(claim: String, name: String) {
        let change = json!({
            "claim_to_headers": [{"header_name": "x", "claim_name": "a"}],
            "claims_to_filter_state": [{"key": "x", "claim_name": "a"}],
        });
        let payload = json!({"a": claim, "b": {name: 1}});
        let admission = with_header(&change, &payload);
        for change in &admission.headers {
            if let HeaderChange::Set(_, value) = change {
                proptest::prop_assert!(http::HeaderValue::from_bytes(value).is_ok());
            }
        }
    }

    #[test]
    fn other_parameters_stay_as_they_are(
        before in "[a-z%=+&?]{0,8}",
        after in "[a-z%=+&?]{0,8}",
    ) {
        let target = format!("/p?{before}&JWT=1&{after}");
        let admission = admitted(&json!({"from_params": ["JWT"]}), &json!({}), &target, &[]);
        let expected = format!("/p?{before}&{after}");
        proptest::prop_assert_eq!(admission.headers, [set(":path", &expected)]);
    }
}
