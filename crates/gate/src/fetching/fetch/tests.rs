use serde_json::json;

use super::*;
use crate::keys::{KeySet, MAX_SET_BYTES, NoFormat};
use gate_fixtures::key_set;

const ISSUER: &str = "https://issuer.example/realms/a";

const RETRIES: Retries = Retries {
    number: 0,
    backoff: Backoff::new(Duration::from_millis(100), Duration::from_secs(1)),
};

fn at(millis: u64) -> Timestamp {
    Timestamp::from_unix_millis(1_700_000_000_000 + millis)
}

fn resource(path: &str) -> Resource {
    Resource::parse(&format!("https://issuer.example{path}")).unwrap()
}

fn plain() -> Origin {
    Origin::Place(resource("/jwks"))
}

fn discovered() -> Origin {
    Origin::Metadata {
        issuer: ISSUER.to_owned(),
        places: Resource::of_metadata(ISSUER).unwrap(),
    }
}

fn begin(origin: &Origin, known: Option<Document>, number: u32) -> Fetch<KeySet> {
    let retries = Retries { number, ..RETRIES };
    let timeout = Duration::from_secs(2);
    Fetch::begin(7, origin, &NoFormat, retries, timeout, known, at(0))
}

fn path(fetch: &Fetch<KeySet>, millis: u64) -> Option<String> {
    fetch.call(at(millis)).map(|call| call.resource.path)
}

fn headers(status: &str, more: &[(&str, &str)]) -> Vec<(String, Vec<u8>)> {
    [(":status", status)]
        .iter()
        .chain(more)
        .map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()))
        .collect()
}

fn answer(
    fetch: &mut Fetch<KeySet>,
    millis: u64,
    headers: &[(String, Vec<u8>)],
    body: &[u8],
) -> Next<KeySet> {
    let answer = Answer {
        headers,
        size: body.len(),
        body: &|| body.to_vec(),
    };
    fetch.answered(&answer, at(millis), 100)
}

fn says(fetch: &mut Fetch<KeySet>, millis: u64, status: &str, body: &[u8]) -> Next<KeySet> {
    answer(fetch, millis, &headers(status, &[]), body)
}

fn problem(next: Next<KeySet>) -> String {
    match next {
        Next::Ended(Outcome::Failed(problem)) => problem,
        other => format!("{other:?}"),
    }
}

fn is_call(next: &Next<KeySet>) -> bool {
    matches!(next, Next::Call)
}

fn known(body: &str, etag: &str) -> Document {
    Document {
        id: 3,
        validator: Validator::new(etag.as_bytes(), &resource("/jwks")),
        body: body.as_bytes().to_vec(),
    }
}

#[test]
fn a_good_answer_is_a_set_with_all_that_its_server_says_of_it() {
    let mut fetch = begin(&plain(), None, 0);
    let call = fetch.call(at(500)).unwrap();
    assert_eq!(call.resource, resource("/jwks"));
    assert_eq!(call.if_none_match, None);
    assert_eq!(call.timeout, Duration::from_millis(1500));
    let headers = headers("200", &[("etag", "\"a\""), ("cache-control", "max-age=60")]);
    let next = answer(&mut fetch, 600, &headers, key_set().as_bytes());
    let Next::Ended(Outcome::Changed {
        document,
        what,
        fresh_for,
    }) = next
    else {
        panic!("{next:?}");
    };
    assert_eq!((document.id, what.count()), (7, 2));
    assert_eq!(document.body, key_set().into_bytes());
    assert_eq!(document.validator, known("", "\"a\"").validator);
    assert_eq!(fresh_for, Some(Duration::from_secs(60)));
}

#[test]
fn all_that_is_not_a_usable_set_fails() {
    let nested = format!("{{\"keys\":{}{}}}", "[".repeat(40), "]".repeat(40));
    let truncated = &key_set()[..100];
    for (status, body, expected) in [
        (
            "200",
            "<html>sign in</html>",
            "the key set is not a JSON object",
        ),
        (
            "200",
            "{\"keys\":null}",
            "the key set has no array named keys",
        ),
        ("200", "{\"keys\":[]}", "the key set has no usable key"),
        ("200", "", "the key set is not a JSON object"),
        ("200", truncated, "the key set is not a JSON object"),
        ("200", &nested, "the key set is not a JSON object"),
        ("204", "", "the status is 204"),
        ("301", "", "the status is 301"),
        ("304", "", "the status is 304"),
        ("404", "", "the status is 404"),
        ("503", "", "the status is 503"),
        ("2\u{7}", "", "the status is 2\\x07"),
    ] {
        let next = says(&mut begin(&plain(), None, 0), 0, status, body.as_bytes());
        assert_eq!(problem(next), expected);
    }
    let next = says(
        &mut begin(&plain(), None, 0),
        0,
        "200",
        b"{\"keys\":[\"\xff\"]}",
    );
    assert_eq!(problem(next), "the key set is not a JSON object");
    let next = answer(&mut begin(&plain(), None, 0), 0, &[], b"");
    assert_eq!(problem(next), "there was no answer in time");
    let next = begin(&plain(), None, 0).refused(at(0), 0);
    assert_eq!(
        problem(next),
        "the cluster is unknown or has no healthy host"
    );
}

#[test]
fn a_body_that_is_too_large_is_not_read() {
    let answer = Answer {
        headers: &headers("200", &[]),
        size: MAX_SET_BYTES + 1,
        body: &|| panic!("it is read"),
    };
    let next = begin(&plain(), None, 0).answered(&answer, at(0), 0);
    assert_eq!(
        problem(next),
        "the answer has 1048577 bytes, more than 1048576"
    );
}

#[test]
fn a_server_is_asked_whether_the_known_set_has_changed() {
    let mut fetch = begin(&plain(), Some(known("old", "\"a\"")), 0);
    let call = fetch.call(at(0)).unwrap();
    assert_eq!(call.if_none_match.as_deref(), Some("\"a\""));
    let headers = headers("304", &[("cache-control", "max-age=30")]);
    let next = answer(&mut fetch, 0, &headers, b"");
    assert!(
        matches!(
            next,
            Next::Ended(Outcome::Unchanged {
                id: 3,
                fresh_for: Some(_)
            })
        ),
        "{next:?}"
    );
    let next = says(
        &mut begin(&plain(), Some(known("old", "\"a\"")), 0),
        0,
        "200",
        key_set().as_bytes(),
    );
    assert!(
        matches!(next, Next::Ended(Outcome::Changed { .. })),
        "{next:?}"
    );
}

#[test]
fn the_same_set_once_more_is_no_new_set() {
    for etag in ["\"a\"", ""] {
        let mut fetch = begin(&plain(), Some(known(&key_set(), etag)), 0);
        let next = says(&mut fetch, 0, "200", key_set().as_bytes());
        assert!(
            matches!(
                next,
                Next::Ended(Outcome::Unchanged {
                    id: 3,
                    fresh_for: None
                })
            ),
            "{next:?}"
        );
    }
}

#[test]
fn a_tag_is_sent_for_what_it_is_of() {
    let other = Origin::Place(resource("/moved"));
    let mut fetch = begin(&other, Some(known("old", "\"a\"")), 0);
    assert_eq!(fetch.call(at(0)).unwrap().if_none_match, None);
    assert_eq!(
        problem(says(&mut fetch, 0, "304", b"")),
        "the status is 304"
    );
}

#[test]
fn the_metadata_says_where_the_set_is() {
    for uri in [
        "https://keys.example:8443/a?b=c",
        "http://keys.example:8443/a?b=c#d",
    ] {
        let mut fetch = begin(&discovered(), Some(known("old", "\"a\"")), 0);
        assert_eq!(
            path(&fetch, 0).unwrap(),
            "/realms/a/.well-known/openid-configuration"
        );
        assert_eq!(fetch.call(at(0)).unwrap().if_none_match, None);
        let metadata = json!({"issuer": ISSUER, "jwks_uri": uri, "x": []}).to_string();
        assert!(is_call(&says(&mut fetch, 10, "200", metadata.as_bytes())));
        let call = fetch.call(at(20)).unwrap();
        assert_eq!(call.resource.authority, "keys.example:8443");
        assert_eq!(call.resource.path, "/a?b=c");
        assert_eq!(call.timeout, Duration::from_millis(1980));
        let next = says(&mut fetch, 30, "200", key_set().as_bytes());
        assert!(
            matches!(next, Next::Ended(Outcome::Changed { .. })),
            "{next:?}"
        );
    }
}

#[test]
fn the_other_place_of_the_metadata_is_tried_where_the_first_does_not_answer_200() {
    for status in ["404", "500", "302", ""] {
        let mut fetch = begin(&discovered(), None, 0);
        let headers = if status.is_empty() {
            Vec::new()
        } else {
            headers(status, &[])
        };
        assert!(is_call(&answer(&mut fetch, 10, &headers, b"")), "{status}");
        assert_eq!(
            path(&fetch, 10).unwrap(),
            "/.well-known/oauth-authorization-server/realms/a"
        );
        let metadata = json!({"issuer": ISSUER, "jwks_uri": "https://a/b"}).to_string();
        assert!(is_call(&says(&mut fetch, 20, "200", metadata.as_bytes())));
        assert_eq!(path(&fetch, 20).unwrap(), "/b");
    }
    let mut fetch = begin(&discovered(), None, 0);
    assert!(is_call(&says(&mut fetch, 0, "404", b"")));
    assert_eq!(
        problem(says(&mut fetch, 0, "403", b"")),
        "no metadata: of openid-configuration the status is 404, of oauth-authorization-server \
         the status is 403"
    );
}

#[test]
fn metadata_that_is_not_the_issuers_is_not_used() {
    for (metadata, expected) in [
        (
            json!({"issuer": "https://issuer.example", "jwks_uri": "https://a/b"}),
            "the metadata is that of another issuer",
        ),
        (
            json!({"issuer": format!("{ISSUER}/"), "jwks_uri": "https://a/b"}),
            "the metadata is that of another issuer",
        ),
        (
            json!({"jwks_uri": "https://a/b"}),
            "the metadata is that of another issuer",
        ),
        (
            json!({"issuer": [ISSUER], "jwks_uri": "https://a/b"}),
            "the metadata is that of another issuer",
        ),
        (json!({"issuer": ISSUER}), "the metadata has no jwks_uri"),
        (
            json!({"issuer": ISSUER, "jwks_uri": 1}),
            "the metadata has no jwks_uri",
        ),
        (
            json!({"issuer": ISSUER, "jwks_uri": "/b"}),
            "jwks_uri of the metadata is not an http or https URI",
        ),
        (
            json!({"issuer": ISSUER, "jwks_uri": "https://a@b/c"}),
            "jwks_uri of the metadata must have a host and no user",
        ),
        (json!([]), "the metadata is not a JSON object"),
    ] {
        let mut fetch = begin(&discovered(), None, 3);
        let next = says(&mut fetch, 0, "200", metadata.to_string().as_bytes());
        assert_eq!(problem(next), expected);
    }
}

#[test]
fn what_fails_in_passing_is_tried_again_as_often_as_the_operator_wants() {
    let mut fetch = begin(&plain(), None, 2);
    for (now, again_at) in [(0, 100), (200, 300)] {
        assert!(is_call(&says(&mut fetch, now, "503", b"")));
        assert_eq!(path(&fetch, again_at - 1), None);
        assert!(path(&fetch, again_at).is_some());
    }
    assert_eq!(
        problem(says(&mut fetch, 400, "503", b"")),
        "the status is 503"
    );
    // Once more would not help with these.
    for (status, body) in [("404", ""), ("200", "{}")] {
        let next = says(&mut begin(&plain(), None, 2), 0, status, body.as_bytes());
        assert!(!is_call(&next), "{status}");
    }
    for next in [
        answer(&mut begin(&plain(), None, 2), 0, &[], b""),
        begin(&plain(), None, 2).refused(at(0), 0),
    ] {
        assert!(is_call(&next));
    }
}

#[test]
fn nothing_is_tried_after_the_deadline() {
    let mut fetch = begin(&plain(), None, 9);
    assert!(!is_call(&answer(&mut fetch, 2000, &[], b"")));
    let mut fetch = begin(&plain(), None, 9);
    assert!(
        !is_call(&answer(&mut fetch, 1900, &[], b"")),
        "the next try would be too late"
    );
    let mut fetch = begin(&discovered(), None, 9);
    assert!(!is_call(&answer(&mut fetch, 2000, &[], b"")));
}

#[test]
fn a_try_begins_with_the_metadata() {
    let mut fetch = begin(&discovered(), None, 1);
    let metadata = json!({"issuer": ISSUER, "jwks_uri": "https://a/b"}).to_string();
    assert!(is_call(&says(&mut fetch, 0, "200", metadata.as_bytes())));
    assert!(is_call(&says(&mut fetch, 0, "502", b"")));
    assert!(path(&fetch, 100).unwrap().ends_with("openid-configuration"));
}

#[test]
fn cache_control_is_read_to_the_side_of_fetching_sooner() {
    for (values, expected) in [
        (&[][..], None),
        (&["public"], None),
        (&["max-age=60"], Some(60)),
        (&["public, MAX-AGE=60 , must-revalidate"], Some(60)),
        (&["max-age=\"60\""], Some(60)),
        (&["max-age=60", "max-age=30"], Some(30)),
        (&["max-age=60, no-cache"], Some(0)),
        (&["no-store"], Some(0)),
        (&["max-age=-1"], Some(0)),
        (&["max-age="], Some(0)),
        (&["max-age=+5"], Some(0)),
        (&["max-age=abc"], Some(0)),
        (&["max-age=99999999999999999999"], Some(u64::MAX)),
        (&["s-maxage=5"], None),
        (&[""], None),
    ] {
        let headers: Vec<_> = values
            .iter()
            .map(|value| ("cache-control".to_owned(), value.as_bytes().to_vec()))
            .collect();
        assert_eq!(
            fresh_for(&headers),
            expected.map(Duration::from_secs),
            "{values:?}"
        );
    }
    let odd = [("cache-control".to_owned(), b"max-age=\xff, \xff".to_vec())];
    assert_eq!(fresh_for(&odd), Some(Duration::ZERO));
}

proptest::proptest! {
    #[test]
    fn no_answer_panics(status: Vec<u8>, control: Vec<u8>, etag: Vec<u8>, body: Vec<u8>, discovery: bool) {
        let origin = if discovery { discovered() } else { plain() };
        let headers = [
            (":status".to_owned(), status),
            ("cache-control".to_owned(), control),
            ("etag".to_owned(), etag),
        ];
        let _ = answer(&mut begin(&origin, None, 0), 0, &headers, &body);
    }
}
