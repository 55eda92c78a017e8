//! Refusals that are only reported.

use gate::decision::Decision;
use gate::policy::Policy;
use gate::reason::{Reason, ReasonKind};
use gate::request::Request;
use serde_json::{Value, json};

use crate::support::{Gate, Outcome, policy, provider, ready, request};

/// What becomes of a request for `path` without a token: whether it is only reported, and why it is refused.
fn outcome(policy: &Policy, request: &Request<'_>) -> Option<(bool, ReasonKind)> {
    let decided = Gate::new().keys(ready).decided(policy, request);
    match decided.decision {
        Decision::Deny(reason) => Some((
            policy.reports_only(request, decided.requirement),
            reason.kind(),
        )),
        _ => None,
    }
}

fn with_rules(rules: Value, fields: Value) -> Policy {
    let mut config = json!({"providers": {"p": provider()}, "rules": rules});
    for (name, value) in fields.as_object().unwrap() {
        config[name] = value.clone();
    }
    policy(&config)
}

#[test]
fn a_rule_reports_only_its_own_refusals() {
    let needs = json!({"provider_name": "p"});
    let policy = with_rules(
        json!([
            {"match": {"prefix": "/a"}, "requires": needs, "report_only": true},
            {"match": {"prefix": "/b"}, "requires": needs},
            {"match": {"prefix": "/c"}, "requires": needs, "reportOnly": false},
        ]),
        json!({}),
    );
    for (path, expected) in [
        ("/a", (true, ReasonKind::Missing)),
        ("/b", (false, ReasonKind::Missing)),
        ("/c", (false, ReasonKind::Missing)),
        ("/d", (false, ReasonKind::NoRule)),
    ] {
        let found = outcome(&policy, &request(path, &[]));
        assert_eq!(found, Some(expected), "{path}");
    }
    assert!(policy.may_report_only());
}

#[test]
fn a_policy_says_whether_any_refusal_may_be_only_reported() {
    for (reports, fields, expected) in [
        (false, json!({}), false),
        (true, json!({}), true),
        (false, json!({"report_only": true}), true),
    ] {
        let rule = json!({"match": {"prefix": "/a"}, "report_only": reports});
        let policy = with_rules(json!([rule]), fields.clone());
        assert_eq!(policy.may_report_only(), expected, "{reports} {fields}");
    }
}

#[test]
fn the_whole_filter_reports_every_refusal() {
    let policy = with_rules(
        json!([{"match": {"prefix": "/a"}, "requires": {"provider_name": "p"}}]),
        json!({"report_only": true}),
    );
    for (path, expected) in [
        ("/a", ReasonKind::Missing),
        ("/a/%2e%2e/b", ReasonKind::Missing),
        ("/d", ReasonKind::NoRule),
    ] {
        let found = outcome(&policy, &request(path, &[]));
        assert_eq!(found, Some((true, expected)), "{path}");
    }
}

#[test]
fn a_rule_that_only_reports_lets_no_ambiguous_path_pass() {
    let needs = json!({"provider_name": "p"});
    let policy = with_rules(
        json!([
            {"match": {"prefix": "/open"}, "requires": needs, "report_only": true},
            {"match": {"prefix": "/"}, "requires": needs},
        ]),
        json!({}),
    );
    let plain = outcome(&policy, &request("/open/x", &[]));
    assert_eq!(plain, Some((true, ReasonKind::Missing)));
    for path in [
        "/open/..%2fadmin",
        "/open//x",
        "/open/%2e%2e/admin",
        "/open/..;/admin",
    ] {
        let found = outcome(&policy, &request(path, &[]));
        assert_eq!(found, Some((false, ReasonKind::Missing)), "{path}");
    }
    // Without a rule that protects it, nobody has allowed the path.
    let alone = with_rules(
        json!([{"match": {"prefix": "/open"}, "requires": needs, "report_only": true}]),
        json!({"unmatched_requests": "allow"}),
    );
    let found = outcome(&alone, &request("/open/..%2fadmin", &[]));
    assert_eq!(found, Some((false, ReasonKind::NoRule)));
}

#[test]
fn a_request_that_could_not_wait_is_not_reported_for_an_ambiguous_path() {
    let policy = with_rules(
        json!([{"match": {"prefix": "/"}, "requires": {"provider_name": "p"}, "report_only": true}]),
        json!({}),
    );
    let token = crate::support::good();
    let bearer = format!("Bearer {token}");
    for (path, reported) in [("/a", true), ("/a//b", false)] {
        let request = request(path, &[("authorization", &bearer)]);
        let decided = Gate::new().decided(&policy, &request);
        assert!(matches!(decided.decision, Decision::Wait(_)));
        assert_eq!(policy.reports_only(&request, decided.requirement), reported);
    }
}

#[test]
fn good_tokens_are_admitted_as_ever() {
    let policy = with_rules(
        json!([{"match": {"prefix": "/"}, "requires": {"provider_name": "p"}, "report_only": true}]),
        json!({"report_only": true}),
    );
    let bearer = format!("Bearer {}", crate::support::good());
    let request = request("/", &[("authorization", &bearer)]);
    let gate = Gate::new().keys(ready);
    assert_eq!(gate.decide(&policy, &request), Outcome::admitted());
}

#[test]
fn a_forged_header_is_removed_and_reported_where_routes_name_requirements() {
    let mut config = json!({"providers": {"p": provider()}, "per_route_requirements": true});
    config["providers"]["p"]["forward_payload_header"] = "x-payload".into();
    let forged = || request("/", &[("x-payload", "a")]);
    let reason = Reason::Header {
        name: "x-payload".to_owned(),
    };
    let enforced = policy(&config).remove_client_headers(&mut forged());
    assert_eq!(enforced, Err(reason.clone()));
    config["report_only"] = true.into();
    let policy = policy(&config);
    let mut request = forged();
    let names = policy.remove_client_headers(&mut request).unwrap();
    assert_eq!(names, ["x-payload"]);
    assert_eq!(policy.forged_header(&names), Some(reason));
    assert!(request.headers.is_empty());
}
