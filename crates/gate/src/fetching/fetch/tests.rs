use gate_fixtures::key_set;
use serde_json::json;

use super::*;
use crate::fetching::{Backoff, KeySetFormat, RefreshPolicy, body_part};
use crate::keys::{KeySet, MAX_SET_BYTES};

const ISSUER: &str = "https://issuer.example/realms/a";

const RETRIES: Retries = Retries {
    number: 0,
    backoff: Backoff::new(Duration::from_millis(100), Duration::from_secs(1)),
};

const POLICY: RefreshPolicy = RefreshPolicy {
    timeout: Duration::from_secs(2),
    cache_duration: Duration::from_mins(10),
    max_stale: Duration::from_hours(24),
    refetch_cooldown: Duration::from_secs(10),
    retry: Backoff::new(Duration::from_secs(1), Duration::from_mins(1)),
    honors_cache_control: true,
};

fn at(millis: u64) -> Instant {
    Instant::from_millis(3_600_000 + millis)
}

fn resource(path: &str) -> Resource {
    Resource::parse(&format!("https://issuer.example{path}")).unwrap()
}

fn plain() -> DocumentSource {
    DocumentSource::Uri(resource("/jwks"))
}

fn discovered() -> DocumentSource {
    DocumentSource::Metadata {
        issuer: ISSUER.to_owned(),
        places: Resource::of_metadata(ISSUER).unwrap(),
    }
}

fn begin(source: &DocumentSource, known: Option<Known<KeySet>>, number: u32) -> Fetch<KeySet> {
    let remote = RemoteDocument {
        cluster: "issuer".to_owned(),
        source: source.clone(),
        authorization: None,
        headers: Vec::new(),
        policy: POLICY,
        retries: Retries { number, ..RETRIES },
    };
    Fetch::new(7, &remote, &KeySetFormat::default(), known, at(0))
}

fn path(fetch: &Fetch<KeySet>, millis: u64) -> Option<String> {
    fetch
        .request(at(millis))
        .map(|request| request.resource.path)
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
) -> FetchStep {
    let response = FetchResponse {
        headers,
        body: ResponseBody {
            size: body.len(),
            read: &|offset, length| body_part(body, offset, length),
        },
    };
    fetch.received(&response, at(millis), 100)
}

fn says(fetch: &mut Fetch<KeySet>, millis: u64, status: &str, body: &[u8]) -> FetchStep {
    answer(fetch, millis, &headers(status, &[]), body)
}

fn problem(next: FetchStep) -> String {
    match next {
        FetchStep::Done(FetchResult::Failed(failed)) => failed.problem,
        other => format!("{other:?}"),
    }
}

fn sends(next: &FetchStep) -> bool {
    matches!(next, FetchStep::Send)
}

fn validator(etag: &str) -> Option<Validator> {
    Validator::new(etag.as_bytes(), &resource("/jwks"))
}

fn known(document: String, etag: &str) -> Known<KeySet> {
    let value = KeySet::from_shared(vec![document.into_bytes()], &KeySetFormat::default());
    Known {
        id: 3,
        validator: validator(etag),
        value: Rc::new(value.unwrap()),
    }
}

/// A key set that differs from the one that servers send.
fn old() -> String {
    format!("{} ", key_set())
}

#[test]
fn a_good_response_is_a_key_set_with_tag_and_lifetime() {
    let mut fetch = begin(&plain(), None, 0);
    let request = fetch.request(at(500)).unwrap();
    assert_eq!(request.resource, resource("/jwks"));
    assert_eq!(request.accept, "application/jwk-set+json, application/json");
    assert_eq!(request.if_none_match, None);
    assert_eq!(request.timeout, Duration::from_millis(1500));
    let headers = headers("200", &[("etag", "\"a\""), ("cache-control", "max-age=60")]);
    let next = answer(&mut fetch, 600, &headers, key_set().as_bytes());
    let FetchStep::Done(FetchResult::Changed {
        document,
        fresh_for,
    }) = next
    else {
        panic!("{next:?}");
    };
    assert_eq!(document.id, 7);
    assert_eq!(document.parts, [key_set().into_bytes()]);
    assert_eq!(document.validator, validator("\"a\""));
    assert_eq!(fresh_for, Some(Duration::from_mins(1)));
}

#[test]
fn everything_but_a_usable_key_set_fails() {
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
    let next = begin(&plain(), None, 0).not_sent(at(0), 0);
    assert_eq!(
        problem(next),
        "the cluster is unknown or has no healthy host"
    );
}

#[test]
fn a_body_that_is_too_large_is_not_read() {
    let response = FetchResponse {
        headers: &headers("200", &[]),
        body: ResponseBody {
            size: MAX_SET_BYTES + 1,
            read: &|_, _| panic!("the body is read"),
        },
    };
    let next = begin(&plain(), None, 0).received(&response, at(0), 0);
    assert_eq!(
        problem(next),
        "the answer has 1048577 bytes, more than 1048576"
    );
}

#[test]
fn a_request_for_a_known_document_is_conditional() {
    let mut fetch = begin(&plain(), Some(known(old(), "\"a\"")), 0);
    let request = fetch.request(at(0)).unwrap();
    assert_eq!(request.if_none_match.as_deref(), Some("\"a\""));
    let headers = headers("304", &[("cache-control", "max-age=30")]);
    let next = answer(&mut fetch, 0, &headers, b"");
    assert!(
        matches!(
            next,
            FetchStep::Done(FetchResult::Unchanged {
                id: 3,
                revalidated: None,
                fresh_for: Some(_)
            })
        ),
        "{next:?}"
    );
    let next = says(
        &mut begin(&plain(), Some(known(old(), "\"a\"")), 0),
        0,
        "200",
        key_set().as_bytes(),
    );
    assert!(
        matches!(next, FetchStep::Done(FetchResult::Changed { .. })),
        "{next:?}"
    );
}

#[test]
fn an_identical_document_is_unchanged_and_takes_over_the_validator() {
    // Known, sent, and whether the document must be shared again.
    for (known_etag, etag, shared_again) in [
        ("", None, false),
        ("\"a\"", Some("\"a\""), false),
        ("W/\"a\"", Some("W/\"a\""), false),
        ("\"a\"", Some("\"b\""), true),
        ("\"a\"", Some("W/\"a\""), true),
        ("", Some("\"b\""), true),
        ("\"a\"", None, true),
        ("\"a\"", Some("not a tag"), true),
    ] {
        let known = known(key_set(), known_etag);
        let mut fetch = begin(&plain(), Some(known), 0);
        let etag = etag.map(|etag| ("etag", etag));
        let headers = headers("200", etag.as_slice());
        let next = answer(&mut fetch, 0, &headers, key_set().as_bytes());
        let FetchStep::Done(FetchResult::Unchanged {
            id: 3,
            revalidated,
            fresh_for: None,
        }) = next
        else {
            panic!("{next:?}");
        };
        let expected = shared_again.then(|| SharedDocument {
            id: 3,
            validator: etag.and_then(|(_, etag)| validator(etag)),
            parts: vec![key_set().into_bytes()],
        });
        assert_eq!(revalidated, expected, "{known_etag} {etag:?}");
    }
}

#[test]
fn an_identical_document_of_another_resource_takes_over_its_tag() {
    let moved = DocumentSource::Uri(resource("/moved"));
    let mut fetch = begin(&moved, Some(known(key_set(), "\"a\"")), 0);
    let headers = headers("200", &[("etag", "\"a\"")]);
    let next = answer(&mut fetch, 0, &headers, key_set().as_bytes());
    let FetchStep::Done(FetchResult::Unchanged { revalidated, .. }) = next else {
        panic!("{next:?}");
    };
    let validator = revalidated.and_then(|document| document.validator);
    assert_eq!(validator, Validator::new(b"\"a\"", &resource("/moved")));
}

#[test]
fn a_tag_is_sent_only_for_its_resource() {
    let other = DocumentSource::Uri(resource("/moved"));
    let mut fetch = begin(&other, Some(known(old(), "\"a\"")), 0);
    assert_eq!(fetch.request(at(0)).unwrap().if_none_match, None);
    assert_eq!(
        problem(says(&mut fetch, 0, "304", b"")),
        "the status is 304"
    );
}

#[test]
fn the_metadata_contains_the_uri() {
    for uri in [
        "https://keys.example:8443/a?b=c",
        "http://keys.example:8443/a?b=c#d",
    ] {
        let mut fetch = begin(&discovered(), Some(known(old(), "\"a\"")), 0);
        assert_eq!(
            path(&fetch, 0).unwrap(),
            "/realms/a/.well-known/openid-configuration"
        );
        let request = fetch.request(at(0)).unwrap();
        assert_eq!(request.if_none_match, None);
        assert_eq!(request.accept, "application/json");
        let metadata = json!({"issuer": ISSUER, "jwks_uri": uri, "x": []}).to_string();
        assert!(sends(&says(&mut fetch, 10, "200", metadata.as_bytes())));
        let request = fetch.request(at(20)).unwrap();
        assert_eq!(request.resource.authority, "keys.example:8443");
        assert_eq!(request.resource.path, "/a?b=c");
        assert_eq!(request.accept, "application/jwk-set+json, application/json");
        assert_eq!(request.timeout, Duration::from_millis(1980));
        let next = says(&mut fetch, 30, "200", key_set().as_bytes());
        assert!(
            matches!(next, FetchStep::Done(FetchResult::Changed { .. })),
            "{next:?}"
        );
    }
}

#[test]
fn the_second_place_of_the_metadata_is_tried_if_the_first_does_not_answer_200() {
    for status in ["404", "500", "302", ""] {
        let mut fetch = begin(&discovered(), None, 0);
        let headers = if status.is_empty() {
            Vec::new()
        } else {
            headers(status, &[])
        };
        assert!(sends(&answer(&mut fetch, 10, &headers, b"")), "{status}");
        assert_eq!(
            path(&fetch, 10).unwrap(),
            "/.well-known/oauth-authorization-server/realms/a"
        );
        let metadata = json!({"issuer": ISSUER, "jwks_uri": "https://a/b"}).to_string();
        assert!(sends(&says(&mut fetch, 20, "200", metadata.as_bytes())));
        assert_eq!(path(&fetch, 20).unwrap(), "/b");
    }
    let mut fetch = begin(&discovered(), None, 0);
    assert!(sends(&says(&mut fetch, 0, "404", b"")));
    assert_eq!(
        problem(says(&mut fetch, 0, "403", b"")),
        "no metadata: of openid-configuration the status is 404, of oauth-authorization-server \
         the status is 403"
    );
}

#[test]
fn metadata_of_another_issuer_is_not_used() {
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
fn temporary_failures_are_repeated_as_often_as_configured() {
    let mut fetch = begin(&plain(), None, 2);
    for (now, again_at) in [(0, 100), (200, 300)] {
        assert!(sends(&says(&mut fetch, now, "503", b"")));
        assert_eq!(path(&fetch, again_at - 1), None);
        assert!(path(&fetch, again_at).is_some());
    }
    assert_eq!(
        problem(says(&mut fetch, 400, "503", b"")),
        "the status is 503"
    );
    // Repeating these would not help.
    for (status, body) in [("404", ""), ("200", "{}")] {
        let next = says(&mut begin(&plain(), None, 2), 0, status, body.as_bytes());
        assert!(!sends(&next), "{status}");
    }
    for next in [
        answer(&mut begin(&plain(), None, 2), 0, &[], b""),
        begin(&plain(), None, 2).not_sent(at(0), 0),
    ] {
        assert!(sends(&next));
    }
}

#[test]
fn nothing_is_repeated_after_the_deadline() {
    let mut fetch = begin(&plain(), None, 9);
    assert!(!sends(&answer(&mut fetch, 2000, &[], b"")));
    let mut fetch = begin(&plain(), None, 9);
    assert!(
        !sends(&answer(&mut fetch, 1900, &[], b"")),
        "a repetition would be too late"
    );
    let mut fetch = begin(&discovered(), None, 9);
    assert!(!sends(&answer(&mut fetch, 2000, &[], b"")));
}

#[test]
fn a_response_after_the_deadline_is_of_no_use() {
    let good = old();
    let next = says(&mut begin(&plain(), None, 0), 2000, "200", good.as_bytes());
    assert!(matches!(next, FetchStep::Done(FetchResult::Changed { .. })));
    let next = says(&mut begin(&plain(), None, 0), 2001, "200", good.as_bytes());
    assert_eq!(problem(next), "the response came too late");
    let metadata = json!({"issuer": ISSUER, "jwks_uri": "https://a/b"}).to_string();
    let next = says(
        &mut begin(&discovered(), None, 9),
        2001,
        "200",
        metadata.as_bytes(),
    );
    assert_eq!(problem(next), "the response came too late");
}

#[test]
fn a_repetition_begins_with_the_metadata() {
    let mut fetch = begin(&discovered(), None, 1);
    let metadata = json!({"issuer": ISSUER, "jwks_uri": "https://a/b"}).to_string();
    assert!(sends(&says(&mut fetch, 0, "200", metadata.as_bytes())));
    assert!(sends(&says(&mut fetch, 0, "502", b"")));
    assert!(path(&fetch, 100).unwrap().ends_with("openid-configuration"));
}

proptest::proptest! {
    #[test]
    fn no_response_panics(status: Vec<u8>, control: Vec<u8>, etag: Vec<u8>, body: Vec<u8>, discovery: bool) {
        let source = if discovery { discovered() } else { plain() };
        let headers = [
            (":status".to_owned(), status),
            ("cache-control".to_owned(), control),
            ("etag".to_owned(), etag),
        ];
        let _ = answer(&mut begin(&source, None, 0), 0, &headers, &body);
    }
}
