//! `test` says which requests a configuration treats in another way than expected.

use std::fs;

use serde_json::json;

use crate::support::{file, root, run};

/// Runs the cases with the configuration of the task about roles.
fn test(cases: &str, more: &[&str]) -> (i32, String) {
    let cases = file("cases.yaml", cases);
    let config = root().join("docs/tasks/roles.yaml");
    let mut arguments = vec!["test"];
    arguments.extend(more);
    arguments.extend([cases.to_str().unwrap(), config.to_str().unwrap()]);
    run(&arguments)
}

const GOOD: &str = "\
cases:
- name: a good token passes
  request: { path: /reports }
  token: good
  expect: { status: 200, headers: { authorization: null } }
- name: an expired token does not
  request: { method: POST, path: /reports, headers: { X-A: b } }
  token: expired
  expect: { status: 401, reason: expired }
- name: neither does a request without token
  request: { path: /reports }
  expect: { status: 401, reason: missing }
- name: a tenant has a claim
  request: { path: /tenants/blue }
  token: { kind: good, provider: cloud, claims: { \"https://issuer.example/tenant\": green } }
  expect: { status: 403, reason: claims }
- name: the request stays as it is
  request: { path: /reports?a=b, headers: { host: api.example } }
  token: good
  expect: { status: 200, headers: { x-absent: null, \":path\": /reports?a=b, host: api.example } }
- name: other paths are for nobody
  request: { path: /elsewhere }
  token: good
  expect: { status: 401, reason: no_rule }
";

#[test]
fn cases_that_hold_pass() {
    let (status, printed) = test(GOOD, &[]);
    assert_eq!(status, 0, "{printed}");
    assert!(
        printed.contains("ok      a good token passes\n"),
        "{printed}"
    );
    assert!(printed.ends_with("6 cases, 0 failed\n"), "{printed}");
}

#[test]
fn a_failing_case_is_named_with_what_differs() {
    let cases = "cases:\n- name: 'a & b # <c>'\n  request: { path: /reports }\n  token: wrong-audience\n  \
                 expect: { status: 200, reason: expired, headers: { x-user: bob } }\n\
                 - name: good\n  request: { path: /reports, headers: { x-user: eve } }\n  token: good\n  \
                 expect: { status: 200, headers: { x-user: bob, x-other: bob } }\n\
                 - { name: fine, request: { path: /reports }, expect: { status: 401 } }\n";
    let (status, printed) = test(cases, &[]);
    assert_eq!(status, 1, "{printed}");
    for line in [
        "FAILED  a & b # <c> (",
        "cases.yaml:2:3)",
        "status: expected 200, got 401 (audience)",
        "reason: expected expired, got audience",
        "header x-user: the upstream gets no request that the gate has checked",
        "header x-user: expected \"bob\", got \"eve\"",
        "header x-other: expected \"bob\", got none",
        "3 cases, 2 failed",
    ] {
        assert!(printed.contains(line), "{line}: {printed}");
    }
    let junit = file("junit.xml", "");
    let (status, printed) = test(cases, &["--tap", "--junit", junit.to_str().unwrap()]);
    assert_eq!(status, 1, "{printed}");
    assert!(
        printed.starts_with("TAP version 14\n1..3\nnot ok 1 - a & b \\# <c>\n  ---\n"),
        "{printed}"
    );
    assert!(printed.ends_with("  ...\nok 3 - fine\n"), "{printed}");
    let junit = fs::read_to_string(junit).unwrap();
    assert!(junit.contains("tests=\"3\" failures=\"2\""), "{junit}");
    assert!(junit.contains("name=\"a &amp; b # &lt;c&gt;\""), "{junit}");
    assert!(junit.contains("got 401 (audience)"), "{junit}");
}

#[test]
fn all_mistakes_are_reported_with_their_places() {
    let cases = "\
cases:
- name: one
  request: { path: [/], methd: GET }
  token: expird
  expect: { status: 200 }
- name: one
  token: { kind: good, file: a.jwt }
  expect: { status: many, reason: expiry }
- name: three
  reqest: {}
- nothing
- { token: { kind: good, claims: 7 }, expect: { status: 200, headers: { a: [b] } } }
";
    let (status, printed) = test(cases, &[]);
    assert_eq!(status, 2, "{printed}");
    for problem in [
        "cases.yaml:3:20: `path` must be a string",
        "cases.yaml:3:25: unknown member \"methd\": did you mean method?",
        "cases.yaml:4:10: unknown kind of token \"expird\": did you mean expired?",
        "cases.yaml:6:9: the name \"one\" is that of the case in line 2",
        "cases.yaml:7:10: a token has either a `kind`",
        "cases.yaml:8:21: `expect.status` must be a number",
        "cases.yaml:8:35: unknown reason \"expiry\"",
        "cases.yaml:10:3: unknown member \"reqest\": did you mean request?",
        "cases.yaml:9:3: `expect.status` must be a number",
        "cases.yaml:11:3: must be an object with name",
        "cases.yaml:12:3: the case has no `name`",
        "`claims` must be an object",
        "the value of a header must be a string",
    ] {
        assert!(printed.contains(problem), "{problem}: {printed}");
    }
    for (cases, problem) in [
        ("cases: []", ":1:1: `cases` must be a list of cases"),
        ("cases: [", "cases.yaml:1:"),
        ("cases: 7\n---\ncases: 8\n", "must be one document"),
        ("cases:\n- name: a\n  name: b\n", "cases.yaml:3:3: "),
    ] {
        let (status, printed) = test(cases, &[]);
        assert_eq!(status, 2, "{printed}");
        assert!(printed.contains(problem), "{problem}: {printed}");
    }
}

#[test]
fn tokens_that_cannot_be_had_are_mistakes_with_places() {
    let case =
        |token: &str| format!("cases:\n- name: a\n  token: {token}\n  expect: {{status: 200}}\n");
    for (token, problem) in [
        (
            "too-long-lived",
            "cases.yaml:3:10: this kind of token makes no sense for the provider cloud",
        ),
        (
            "{kind: good, provider: nobody}",
            "cases.yaml:3:10: there is no provider \"nobody\": it is not one of cloud",
        ),
        ("{file: missing.jwt}", "cases.yaml:3:10: "),
    ] {
        let (status, printed) = test(&case(token), &[]);
        assert_eq!(status, 2, "{printed}");
        assert!(printed.contains(problem), "{problem}: {printed}");
    }
    let several = root().join("docs/tasks/several-issuers.yaml");
    let cases = file("cases.yaml", case("good"));
    let (status, printed) = run(&["test", cases.to_str().unwrap(), several.to_str().unwrap()]);
    assert_eq!(status, 2, "{printed}");
    assert!(
        printed.contains("cases.yaml:3:10: `provider` must name one of "),
        "{printed}"
    );
}

#[test]
fn tokens_come_from_files_too() {
    let config = root().join("docs/tasks/roles.yaml");
    let out = file("minted", "");
    fs::remove_file(&out).unwrap();
    let out = out.to_str().unwrap();
    assert_eq!(run(&["mint", "--out", out, config.to_str().unwrap()]).0, 0);
    let token = format!("{out}/cloud.good.jwt");
    let cases = json!({"cases": [{
        "name": "from a file",
        "request": {"path": "/reports"},
        "token": {"file": token},
        "expect": {"status": 200},
    }]});
    let keys = format!("{out}/cloud.jwks.json");
    let (status, printed) = test(&cases.to_string(), &["--jwks", &keys]);
    assert_eq!(status, 0, "{printed}");
    let (status, printed) = test(&cases.to_string(), &[]);
    assert_eq!(status, 1, "{printed}");
    assert!(
        printed.contains("there is no decision: the gate would wait for"),
        "{printed}"
    );
    let later = ["--jwks", &keys, "--now", "2099-01-01T00:00:00Z"];
    let (status, printed) = test(&cases.to_string(), &later);
    assert_eq!(status, 1, "{printed}");
    assert!(printed.contains("got 401 (expired)"), "{printed}");
}

#[test]
fn each_provider_gets_its_token_where_it_looks_for_it() {
    let keys = gate_fixtures::full_key_set();
    let config = json!({
        "providers": {
            "header": {"local_jwks": {"inline_string": keys}},
            "cookie": {"from_cookies": ["session"], "local_jwks": {"inline_string": keys}},
        },
        "rules": [{"match": {"prefix": "/"}, "requires": {"provider_name": "cookie"}}],
    });
    let config = file("c.json", config.to_string());
    let cases = "cases:\n- {name: a, token: {kind: good, provider: cookie}, expect: {status: 200}}\n\
                 - {name: b, token: {kind: good, provider: header}, expect: {status: 401}}\n";
    let cases = file("cases.yaml", cases);
    let (status, printed) = run(&["test", cases.to_str().unwrap(), config.to_str().unwrap()]);
    assert_eq!(status, 0, "{printed}");
}

#[test]
fn wrong_arguments_are_explained() {
    for (arguments, problem) in [
        (
            vec!["test", "cases.yaml"],
            "test needs CASES and FILE (see test --help)",
        ),
        (vec!["test", "-", "-"], "cannot both be the standard input"),
        (vec!["test", "--nonsense", "a", "b"], "see test --help"),
        (vec!["test", "--now", "soon", "a", "b"], "--now: \"soon\""),
    ] {
        let (status, printed) = run(&arguments);
        assert_eq!(status, 2, "{printed}");
        assert!(printed.contains(problem), "{printed}");
    }
    let (status, printed) = run(&["test", "--help"]);
    assert!(status == 0 && printed.contains("Usage: bearer-gate-check test"));
}
