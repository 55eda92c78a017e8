use serde_json::{Value, json};

use super::*;
use crate::config::Kind;

fn config(change: Value) -> Config {
    let provider = json!({"local_jwks": {"inline_string": crate::fixtures::key_set()}});
    let mut config = json!({"providers": {"a": provider, "b": provider}});
    for (name, value) in change.as_object().unwrap() {
        config[name] = value.clone();
    }
    Config::from_json(config.to_string().as_bytes()).unwrap()
}

/// All that a request falls under.
fn requirements<'c>(config: &'c Config, request: &Request) -> Result<Vec<&'c Requirement>, Reason> {
    let mut all = Vec::new();
    let decided: Option<()> = decided(config, request, |requirement| {
        all.push(requirement);
        None
    })?;
    assert_eq!(decided, None);
    Ok(all)
}

/// What a request for `path` falls under: the providers of the requirements, in their order.
fn needed(config: &Config, path: &str) -> String {
    let request = Request {
        target: path.as_bytes().into(),
        ..Request::default()
    };
    let name = |requirement: &Requirement| match &requirement.tree.kind {
        Kind::Nothing => "nothing".to_owned(),
        Kind::Provider(provider) => provider.name.clone(),
        Kind::Any(trees, _) => format!("any of {}", trees.len()),
        kind => format!("{kind:?}"),
    };
    let needed: Vec<String> = requirements(config, &request)
        .unwrap()
        .into_iter()
        .map(name)
        .collect();
    needed.join(",")
}

#[test]
fn without_rules_any_provider_will_do() {
    assert_eq!(needed(&config(json!({})), "/"), "any of 2");
    assert_eq!(needed(&config(json!({"rules": []})), "/"), "any of 2");
}

#[test]
fn the_first_rule_that_matches_decides() {
    let config = config(json!({"rules": [
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
        assert_eq!(needed(&config, path), expected, "{path}");
    }
}

#[test]
fn a_route_may_name_the_requirement_where_that_is_looked_at() {
    let listed = json!({
        "rules": [{"match": {"prefix": "/"}, "requirement_name": "of_b"}],
        "requirement_map": {"of_a": {"provider_name": "a"}, "of_b": {"provider_name": "b"}},
    });
    let mut looked_at = listed.clone();
    looked_at["per_route_requirements"] = json!(true);
    for (config, named, expected) in [
        (config(listed.clone()), None, Ok(vec!["b"])),
        (config(listed.clone()), Some("of_a"), Ok(vec!["b"])),
        (config(listed), Some("other"), Ok(vec!["b"])),
        (config(looked_at.clone()), None, Ok(vec!["b"])),
        (config(looked_at.clone()), Some("of_a"), Ok(vec!["a", "b"])),
        (config(looked_at), Some("other"), Err(Reason::Requirement)),
    ] {
        let request = Request {
            target: b"/".into(),
            requirement_name: named.map(|name| name.as_bytes().to_vec()),
            ..Request::default()
        };
        let found = requirements(&config, &request).map(|requirements| {
            let names = requirements
                .into_iter()
                .map(|requirement| match &requirement.tree.kind {
                    Kind::Provider(provider) => provider.name.clone(),
                    kind => panic!("{kind:?}"),
                });
            names.collect::<Vec<_>>()
        });
        let expected = expected.map(|names| names.into_iter().map(str::to_owned).collect());
        assert_eq!(found, expected, "{named:?}");
    }
}

#[test]
fn paths_that_an_upstream_may_read_otherwise_are_ambiguous() {
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
        "/open/\u{e9}",
    ] {
        assert!(!is_ambiguous(path.as_bytes()), "{path}");
    }
}
