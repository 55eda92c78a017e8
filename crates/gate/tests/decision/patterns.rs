//! Regular expressions of rules, and texts that are too long for them.

use gate::policy::MAX_TEXT_BYTES;
use serde_json::{Value, json};

use crate::support::{Gate, policy, request};

/// The decision by these rules, for a request without a token.
fn decision(rules: &[Value], target: &str, headers: &[(&str, &str)]) -> String {
    let provider = json!({"local_jwks": {"inline_string": gate_fixtures::key_set()}});
    let policy = policy(&json!({"providers": {"p": provider}, "rules": rules}));
    let decision = Gate::new().decision(&policy, &request(target, headers));
    format!("{decision:?}")
}

fn too_long(bytes: usize) -> String {
    format!("Deny(TooLong {{ bytes: {bytes}, limit: {MAX_TEXT_BYTES} }})")
}

const MISSING: &str = "Deny(Missing)";
const PASS: &str = "Pass";

#[test]
fn a_guard_that_cannot_be_matched_opens_nothing() {
    let p = json!({"provider_name": "p"});
    let guard = json!({"match": {"safe_regex": {"regex": "/.*/admin"}}, "requires": p});
    let open = json!({"match": {"prefix": "/"}});
    let path = |bytes: usize| format!("/{}/admin", "x".repeat(bytes - 7));
    let rules = [guard, open];
    let longest = path(MAX_TEXT_BYTES);
    assert_eq!(decision(&rules, &longest, &[]), MISSING);
    assert_eq!(
        decision(&rules, &format!("{longest}?{longest}"), &[]),
        MISSING
    );
    let longer = path(MAX_TEXT_BYTES + 1);
    assert_eq!(decision(&rules, &longer, &[]), too_long(MAX_TEXT_BYTES + 1));
    // A rule before it decides as ever.
    let [guard, open] = rules;
    assert_eq!(decision(&[open, guard], &longer, &[]), PASS);
}

#[test]
fn headers_and_query_parameters_have_the_same_limit() {
    let regex = json!({"safe_regex": {"regex": "x*"}});
    let long = "x".repeat(MAX_TEXT_BYTES + 1);
    let expected = too_long(MAX_TEXT_BYTES + 1);
    for invert in [false, true] {
        let condition = json!({"name": "x-h", "string_match": regex, "invert_match": invert});
        let rules = [json!({"match": {"prefix": "/", "headers": [condition]}})];
        assert_eq!(decision(&rules, "/", &[("x-h", &long)]), expected);
        let of_another = decision(&rules, "/", &[("x-i", &long)]);
        assert_eq!(of_another, "Deny(NoRule)");
        // One value that matches is enough, and one that does not match is not.
        let both = [("x-h", long.as_str()), ("x-h", "x")];
        let found = if invert { "Deny(NoRule)" } else { PASS };
        assert_eq!(decision(&rules, "/", &both), found);
        let both = [("x-h", "y"), ("x-h", long.as_str())];
        assert_eq!(decision(&rules, "/", &both), expected);
    }
    let condition = json!({"name": "q", "string_match": regex});
    let rules = [json!({"match": {"prefix": "/", "query_parameters": [condition]}})];
    assert_eq!(decision(&rules, &format!("/?q={long}"), &[]), expected);
    assert_eq!(
        decision(&rules, &format!("/?r={long}"), &[]),
        "Deny(NoRule)"
    );
}

#[test]
fn a_text_that_is_too_long_does_not_matter_where_another_condition_fails() {
    let long = "x".repeat(MAX_TEXT_BYTES + 1);
    let condition = json!({"name": "x-h", "string_match": {"safe_regex": {"regex": "x*"}}});
    let present = json!({"name": "x-i"});
    let open = json!({"match": {"prefix": "/"}});
    for matcher in [
        json!({"path": "/other", "headers": [condition]}),
        json!({"prefix": "/", "headers": [condition, present]}),
        json!({"prefix": "/", "headers": [condition], "query_parameters": [{"name": "q"}]}),
        json!({"prefix": "/", "headers": [condition], "grpc": {}}),
    ] {
        let rules = [json!({ "match": matcher }), open.clone()];
        assert_eq!(decision(&rules, "/", &[("x-h", &long)]), PASS, "{matcher}");
    }
}

#[test]
fn other_comparisons_have_no_limit() {
    let long = format!("a{}b", "x".repeat(60_000));
    for comparison in [
        json!({ "exact": long }),
        json!({"prefix": "ax"}),
        json!({"suffix": "xb"}),
        json!({"contains": "xx"}),
    ] {
        let condition = json!({"name": "x-h", "string_match": comparison});
        let rules = [json!({"match": {"prefix": "/", "headers": [condition]}})];
        assert_eq!(decision(&rules, "/", &[("x-h", &long)]), PASS);
    }
}
