//! The formats of a configuration: JSON and Struct, and protobuf's scalars in JSON.

use std::time::Duration;

use serde_json::{Value, json};

use super::support::{changed, error, read, remote, valid};
use crate::{Environment, parse, parse_json};

const NOTHING_SET: Environment<'static> = &|_| None;

#[test]
fn a_text_that_is_not_a_json_object_is_refused() {
    for (text, start) in [
        ("", "not JSON: EOF"),
        ("{", "not JSON: EOF"),
        ("{} {}", "not JSON: trailing characters"),
        ("{\"providers\": {,}}", "not JSON: "),
        ("null", "must be an object, not null"),
        ("[]", "must be an object, not an array"),
    ] {
        let error = parse_json(text.as_bytes()).unwrap_err().to_string();
        assert!(error.starts_with(start), "{text}: {error}");
    }
    let mut trailing = valid().to_string();
    trailing.push('}');
    let error = parse_json(trailing.as_bytes()).unwrap_err().to_string();
    assert!(
        error.starts_with("not JSON: trailing characters"),
        "{error}"
    );
}

#[test]
fn a_name_given_twice_is_refused() {
    let provider = valid()["providers"]["cloud"].to_string();
    for (text, expected) in [
        (
            format!(r#"{{"providers":{{"a":{provider},"a":{provider}}}}}"#),
            "providers.a: given twice",
        ),
        (
            format!(r#"{{"providers":{{"a":{provider}}},"realm":"a","realm":"b"}}"#),
            "realm: given twice",
        ),
    ] {
        assert_eq!(
            parse_json(text.as_bytes()).unwrap_err().to_string(),
            expected
        );
    }
}

#[test]
fn durations_have_the_forms_of_protobuf() {
    for (value, millis) in [
        (json!("5s"), Some(5000)),
        (json!("0.5s"), Some(500)),
        (json!("1.250000000s"), Some(1250)),
        (json!({"seconds": 5}), Some(5000)),
        (json!({"seconds": "5", "nanos": 500_000_000}), Some(5500)),
        (json!({"seconds": 5.0}), Some(5000)),
        (json!("5"), None),
        (json!("5m"), None),
        (json!("-5s"), None),
        (json!("+5s"), None),
        (json!(".5s"), None),
        (json!("5.s"), None),
        (json!("1e3s"), None),
        (json!("1.0000000001s"), None),
        (json!("99999999999999999999s"), None),
        (json!("999999999999s"), None),
        (json!({"seconds": -5}), None),
        (json!({"minutes": 5}), None),
        (json!({"seconds": 1, "nanos": 1_000_000_000}), None),
        (json!(5), None),
    ] {
        let config = changed(
            "/providers/cloud/remote_jwks/cache_duration",
            Some(value.clone()),
        );
        match millis {
            Some(millis) => {
                assert_eq!(
                    remote(&read(&config).unwrap()).policy.cache_duration,
                    Duration::from_millis(millis),
                    "{value}"
                );
            }
            None => assert_ne!(error(&config), "none", "{value}"),
        }
    }
}

proptest::proptest! {
    #[test]
    fn no_bytes_panic(bytes: Vec<u8>) {
        let _ = parse(&bytes, NOTHING_SET);
    }
}

/// The binary form of `json` as a Struct.
fn struct_bytes(json: &Value) -> Vec<u8> {
    use prost::Message;
    use prost_types::value::Kind;

    fn message(json: &Value) -> prost_types::Value {
        let kind = match json {
            Value::Null => Kind::NullValue(0),
            Value::Bool(truth) => Kind::BoolValue(*truth),
            Value::Number(number) => Kind::NumberValue(number.as_f64().unwrap()),
            Value::String(text) => Kind::StringValue(text.clone()),
            Value::Array(values) => Kind::ListValue(prost_types::ListValue {
                values: values.iter().map(message).collect(),
            }),
            Value::Object(fields) => Kind::StructValue(prost_types::Struct {
                fields: fields
                    .iter()
                    .map(|(name, value)| (name.clone(), message(value)))
                    .collect(),
            }),
        };
        prost_types::Value { kind: Some(kind) }
    }
    match message(json).kind {
        Some(Kind::StructValue(message)) => message.encode_to_vec(),
        _ => panic!("not an object: {json}"),
    }
}

#[test]
fn a_struct_is_parsed_like_json() {
    let config = changed("/providers/cloud/clock_skew_seconds", Some(json!(5)));
    let config = parse(&struct_bytes(&config), NOTHING_SET).unwrap();
    assert_eq!(config.providers[0].clock_skew, Duration::from_secs(5));
    let wrong = changed("/providers/cloud/remote_jwks/http_uri/cluster", None);
    assert_eq!(
        parse(&struct_bytes(&wrong), NOTHING_SET)
            .unwrap_err()
            .to_string(),
        "providers.cloud.remote_jwks.http_uri.cluster: missing field"
    );
}

#[test]
fn json_may_begin_with_a_line_feed() {
    let text = format!("\n{}", valid());
    assert!(parse(text.as_bytes(), NOTHING_SET).is_ok());
    let error = parse(b"\n{]", NOTHING_SET).unwrap_err().to_string();
    assert!(error.starts_with("not JSON:"), "{error}");
    assert_eq!(parse(b"", NOTHING_SET).unwrap_err().to_string(), "is empty");
}
