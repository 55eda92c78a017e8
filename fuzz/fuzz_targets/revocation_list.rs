//! Parses any bytes as a revocation list in both formats: all listed names are found, no other name
//! is, and the error for an invalid list contains nothing of its content.
#![no_main]

use std::collections::HashSet;
use std::hash::RandomState;

use gate::revocation::{ListFormat, ListReader, RevocationList};
use gate::time::Timestamp;
use libfuzzer_sys::fuzz_target;
use serde_json::{Map, Value, json};

/// A name that inputs are unlikely to contain. If an input contains it, it is not looked up.
const ABSENT: &str = "a name that is not in any list";

/// Milliseconds since the epoch. A list that names a later time means: whenever the token was issued.
const END_OF_TIME: u64 = (1 << 48) - 1;

/// A claim, and the member of a list that contains its values.
const CLIENT: (&str, &str) = ("client_id", "clients");
const SUBJECT: (&str, &str) = ("sub", "subjects");
const TOKEN: (&str, &str) = ("jti", "tokens");

fuzz_target!(|document: &[u8]| {
    if let Some(list) = parse(document, ListFormat::List) {
        let written: Value = serde_json::from_slice(document).expect("a list is JSON");
        check_list(&list, &written);
    }
    // Ignored members may contain JSON that other parsers refuse.
    if let Some(list) = parse(document, ListFormat::Wso2)
        && let Ok(written) = serde_json::from_slice(document)
    {
        check_wso2(&list, &written);
    }
});

fn parse(document: &[u8], format: ListFormat) -> Option<RevocationList> {
    let reader = ListReader {
        format,
        state: RandomState::new(),
    };
    match RevocationList::parse(document, &reader) {
        Ok(list) => Some(list),
        Err(problem) => {
            let place = problem
                .problem
                .strip_prefix(&format!("it is not of the format {reader}: line "))
                .and_then(|place| place.split_once(", column "))
                .expect("a problem is a place");
            assert!(
                [place.0, place.1]
                    .iter()
                    .all(|at| at.parse::<usize>().is_ok())
            );
            None
        }
    }
}

fn check_list(list: &RevocationList, written: &Value) {
    let dates = |member: &str| written[member].as_object().into_iter().flatten();
    let mut named = 0;
    for name in texts(&written[TOKEN.1]) {
        named += 1;
        assert!(revokes(list, TOKEN, name, Timestamp::END));
    }
    for by in [CLIENT, SUBJECT] {
        for (name, date) in dates(by.1) {
            named += 1;
            check_date(list, by, name, number(date));
        }
    }
    assert!(list.count() >= named);
    check_absent(list, written);

    // Convert the list to the other format. `written` contains a repeated name only once, so lists
    // with repeated names are skipped.
    if list.count() > named {
        return;
    }
    let mut whole = true;
    let mut entries = |by: (&str, &str), name_is: &str| -> Vec<Value> {
        dates(by.1)
            .filter_map(|(name, date)| {
                let millis = date.as_u64().and_then(|secs| secs.checked_mul(1000));
                let millis = millis.filter(|millis| *millis < END_OF_TIME);
                whole &= millis.is_some();
                Some(json!({name_is: name, "revocation_time": millis?}))
            })
            .collect()
    };
    let tokens: Vec<Value> = texts(&written[TOKEN.1])
        .map(|name| json!({"jwt_signature": name, "expiry_time": 0}))
        .collect();
    let other = json!({
        "revokedJWTConsumerKeyList": entries(CLIENT, "consumer_key"),
        "revokedJWTSubjectEntityList": entries(SUBJECT, "entity_id"),
        "revokedJWTList": tokens,
    });
    if !whole {
        return;
    }
    let other = parse(other.to_string().as_bytes(), ListFormat::Wso2).expect("it is a list");
    assert_eq!(other.count(), list.count());
    for name in texts(&written[TOKEN.1]) {
        assert!(revokes(&other, TOKEN, name, Timestamp::EPOCH));
    }
    for by in [CLIENT, SUBJECT] {
        for (name, date) in dates(by.1) {
            check_date(&other, by, name, number(date));
            assert!(
                !revokes(&other, by, name, number(date)),
                "issued at the listed time"
            );
            assert!(
                !revokes(list, by, name, number(date)),
                "issued at the listed time"
            );
        }
    }
}

fn check_wso2(list: &RevocationList, written: &Value) {
    let tokens = if written.is_array() {
        written
    } else {
        &written["revokedJWTList"]
    };
    let member = |entry: &'_ Value, names: [&str; 2]| {
        let text = |name: &str| entry.get(name).and_then(Value::as_str).map(str::to_owned);
        names.into_iter().find_map(text)
    };
    for entry in tokens.as_array().into_iter().flatten() {
        // An entry may also be an array of its members, which is not checked here.
        if let Some(name) = member(entry, ["jwt_signature", "jwtSignature"]) {
            assert!(revokes(list, TOKEN, &name, Timestamp::EPOCH));
        }
    }
    for (by, entries, names) in [
        (
            CLIENT,
            "revokedJWTConsumerKeyList",
            ["consumer_key", "consumerKey"],
        ),
        (
            SUBJECT,
            "revokedJWTSubjectEntityList",
            ["entity_id", "entityId"],
        ),
    ] {
        for entry in written[entries].as_array().into_iter().flatten() {
            let date = [entry.get("revocation_time"), entry.get("revocationTime")];
            let date = date.into_iter().flatten().find_map(Value::as_u64);
            if let (Some(name), Some(millis)) = (member(entry, names), date) {
                check_date(list, by, &name, Timestamp::from_unix_millis(millis));
            }
        }
    }
    check_absent(list, written);
}

/// Asserts that a token is revoked if it was issued before `date`.
fn check_date(list: &RevocationList, by: (&str, &str), name: &str, date: Timestamp) {
    if let Some(millis) = date.unix_millis().checked_sub(1) {
        assert!(revokes(list, by, name, Timestamp::from_unix_millis(millis)));
    }
}

/// Asserts that names which the document does not contain are not revoked.
fn check_absent(list: &RevocationList, written: &Value) {
    let mut names = HashSet::new();
    collect_names(written, &mut names);
    for by in [TOKEN, CLIENT, SUBJECT] {
        for name in ["", "a", ABSENT] {
            if !names.contains(name) {
                assert!(!revokes(list, by, name, Timestamp::EPOCH), "{name:?}");
            }
        }
    }
}

fn collect_names<'w>(written: &'w Value, names: &mut HashSet<&'w str>) {
    match written {
        Value::String(text) => {
            names.insert(text);
        }
        Value::Array(elements) => elements
            .iter()
            .for_each(|element| collect_names(element, names)),
        Value::Object(members) => {
            for (name, member) in members {
                names.insert(name);
                collect_names(member, names);
            }
        }
        _ => {}
    }
}

fn revokes(list: &RevocationList, by: (&str, &str), name: &str, issued_at: Timestamp) -> bool {
    let payload = Map::from_iter([(by.0.to_owned(), name.into())]);
    list.revokes_claims(&payload, Some(issued_at))
}

fn texts(array: &Value) -> impl Iterator<Item = &str> {
    array
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
}

fn number(date: &Value) -> Timestamp {
    match date {
        Value::Number(date) => Timestamp::from_numeric_date(date),
        _ => panic!("a date is a number"),
    }
}
