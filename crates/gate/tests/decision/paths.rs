//! Which requirements apply to a request: rules, routes, ambiguous paths.

use gate::policy::{Policy, Requirement, RequirementKind, is_ambiguous};
use gate::reason::Reason;
use gate::request::Request;
use serde_json::{Value, json};

use crate::support::{policy, request, with};

fn policy_with(changes: Value) -> Policy {
    let provider = json!({"local_jwks": {"inline_string": gate_fixtures::key_set()}});
    let config = json!({"providers": {"a": provider, "b": provider}});
    policy(&with(&config, &changes))
}

/// All requirements that apply to a request.
fn requirements<'p>(policy: &'p Policy, request: &Request) -> Result<Vec<&'p Requirement>, Reason> {
    let mut all = Vec::new();
    let decided: Option<()> = policy.first_decision(request, |requirement| {
        all.push(requirement);
        None
    })?;
    assert_eq!(decided, None);
    Ok(all)
}

/// Whose tokens the requirements ask for that apply to a request for `path`, in their order.
fn needed(policy: &Policy, path: &str) -> String {
    let name = |requirement: &Requirement| match &requirement.root.kind {
        RequirementKind::Nothing => "nothing".to_owned(),
        RequirementKind::Provider(provider) => provider.name.clone(),
        RequirementKind::Any(nodes, _) => format!("any of {}", nodes.len()),
        kind => format!("{kind:?}"),
    };
    let needed: Vec<String> = requirements(policy, &request(path, &[]))
        .unwrap()
        .into_iter()
        .map(name)
        .collect();
    needed.join(",")
}

#[test]
fn without_rules_a_token_of_any_provider_is_required() {
    assert_eq!(needed(&policy_with(json!({})), "/"), "any of 2");
    assert_eq!(needed(&policy_with(json!({"rules": []})), "/"), "any of 2");
}

#[test]
fn the_first_rule_that_matches_decides() {
    let policy = policy_with(json!({"rules": [
        {"match": {"path": "/health"}},
        {"match": {"prefix": "/a/open/"}},
        {"match": {"prefix": "/a/"}, "requires": {"provider_name": "a"}},
        {"match": {"prefix": "/"}, "requires": {"provider_name": "b"}},
    ]}));
    for (path, expected) in [
        ("/health", "nothing,b"),
        ("/healthy", "b"),
        ("/health/", "b"),
        ("/a/open/x", "nothing,a,b"),
        ("/a/x", "a,b"),
        ("/x", "b"),
        ("/A/x", "b"),
        ("*", ""),
        ("", ""),
    ] {
        assert_eq!(needed(&policy, path), expected, "{path}");
    }
}

#[test]
fn a_route_names_the_requirement_only_if_routes_may() {
    let without = json!({
        "rules": [
            {"match": {"prefix": "/"}, "requirement_name": "of_b"},
            {"match": {"path": "/never"}, "requirement_name": "of_a"},
        ],
        "requirement_map": {"of_a": {"provider_name": "a"}, "of_b": {"provider_name": "b"}},
    });
    let with_routes = with(&without, &json!({"per_route_requirements": true}));
    let unknown = Reason::Requirement {
        name: "other".to_owned(),
    };
    for (config, named, expected) in [
        (&without, None, Ok(vec!["b"])),
        (&without, Some("of_a"), Ok(vec!["b"])),
        (&without, Some("other"), Ok(vec!["b"])),
        (&with_routes, None, Ok(vec!["b"])),
        (&with_routes, Some("of_a"), Ok(vec!["a", "b"])),
        (&with_routes, Some("other"), Err(unknown)),
    ] {
        let policy = policy_with(config.clone());
        let request = Request {
            target: b"/".into(),
            requirement_name: named.map(|name| name.as_bytes().to_vec()),
            ..Request::default()
        };
        let found = requirements(&policy, &request).map(|requirements| {
            let names = requirements
                .into_iter()
                .map(|requirement| match &requirement.root.kind {
                    RequirementKind::Provider(provider) => provider.name.clone(),
                    kind => panic!("{kind:?}"),
                });
            names.collect::<Vec<_>>()
        });
        let expected = expected.map(|names| names.into_iter().map(str::to_owned).collect());
        assert_eq!(found, expected, "{named:?}");
    }
}

#[test]
fn paths_that_an_upstream_may_read_differently_are_ambiguous() {
    for path in [
        &b"/open//a"[..],
        b"/open/./a",
        b"/open/../a",
        b"/open/..",
        b"/open/.",
        b"/open\\a",
        b"/open/%2e%2e/a",
        b"/open/%2E./a",
        b"/open%2fa",
        b"/open%2Fa",
        b"/open%5ca",
        b"/open%252fa",
        b"/open%00",
        b"/open\0",
        b"/open/\xff",
        b"/open/caf\xc3\xa9",
        b"/open/{a}",
    ] {
        assert!(is_ambiguous(path), "{}", path.escape_ascii());
    }
    for path in [
        "/open",
        "/open/a.b",
        "/open/...",
        "/open/%20",
        "/open/.well-known",
        "/open/a..b",
        "/open/caf%C3%A9",
    ] {
        assert!(!is_ambiguous(path.as_bytes()), "{path}");
    }
}
