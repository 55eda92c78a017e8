//! What the tool says where refusals are only reported.

use serde_json::{Value, json};

use crate::support::{GOOD_UNTIL, config, decide, file, run};

#[test]
fn a_request_that_is_only_reported_passes_and_the_tool_says_why_it_would_not() {
    let late = (GOOD_UNTIL + 60).to_string();
    let config = config(&json!({"report_only": true}));
    let (status, printed) = decide(&config, &["--now", &late]);
    assert_eq!(status, 0, "{printed}");
    for expected in [
        "warning: report_only: nothing is refused",
        "refused: expired",
        "decision: passes as it was sent, because report_only is set; without it: 401, counted as \
         bearer_gate.would_deny.expired",
        "sets the filter state wasm.bearer_gate.would_deny to \"expired\"",
        "remedy: Request a new token",
    ] {
        assert!(printed.contains(expected), "{expected}: {printed}");
    }
    let (_, printed) = decide(&config, &["--now", &late, "--json"]);
    let report: Value = serde_json::from_str(&printed).unwrap();
    let decision = &report["configurations"][0]["decision"];
    assert_eq!(decision["outcome"], "reported");
    assert_eq!(decision["reason"], "expired");
}

#[test]
fn a_rule_that_only_reports_is_warned_of() {
    let rules = json!({"rules": [
        {"match": {"prefix": "/open"}, "requires": {"provider_name": "joe"}, "report_only": true},
        {"match": {"prefix": "/"}, "requires": {"provider_name": "joe"}},
    ]});
    let path = file("reported-rule.json", config(&rules).to_string());
    let path = path.to_str().unwrap();
    let (status, printed) = run(&["--path", "/open", path]);
    assert_eq!(status, 0, "{printed}");
    let expected = "warning: rules[0].report_only: the rule refuses nothing";
    assert!(printed.contains(expected), "{printed}");
    // The upstream may take it for a path that the second rule protects.
    let (status, printed) = run(&["--path", "/open/..%2fadmin", path]);
    assert_eq!(status, 1, "{printed}");
    assert!(printed.contains("- path: is ambiguous"), "{printed}");
}
