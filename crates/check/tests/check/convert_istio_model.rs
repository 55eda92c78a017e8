//! What `convert` makes of policies of Istio lets no request pass that Istio refuses: random policies, judged by a model of
//! Istio.

use std::fmt::Write as _;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::{ProptestConfig, Strategy, any, prop_assert, prop_assert_eq, proptest};
use proptest::sample::{select, subsequence};
use serde_json::{Value, json};

use crate::mesh_support::Conversion;

const ISSUER: &str = "https://login.example";

const PATHS: [&str; 6] = ["/a", "/a/b", "/ab", "/x/b", "/x/y/b", "/"];
const METHODS: [&str; 2] = ["GET", "POST"];
const NAMESPACES: [&str; 2] = ["inside", "outside"];

/// A token: its subject, its groups and its scopes.
const TOKENS: [(&str, &[&str], &str); 4] = [
    ("ann", &["staff"], "read"),
    ("bob", &["staff", "boss"], "write read"),
    ("bob", &[], ""),
    ("eve", &["guest"], "writer"),
];

/// A request, with the index of its token.
#[derive(Clone, Copy, Debug)]
struct Request {
    method: &'static str,
    path: &'static str,
    namespace: &'static str,
    token: Option<usize>,
}

fn list(node: &Value, name: &str) -> Vec<String> {
    let items = node[name].as_array();
    let items = items.into_iter().flatten();
    items
        .map(|item| item.as_str().unwrap().to_owned())
        .collect()
}

/// Whether a text matches a pattern of Istio.
fn is_like(text: &str, pattern: &str) -> bool {
    if let Some((before, after)) = pattern.split_once("{*}") {
        let inside = text
            .strip_prefix(before)
            .and_then(|rest| rest.strip_suffix(after));
        return inside.is_some_and(|inside| !inside.is_empty() && !inside.contains('/'));
    }
    match (pattern.strip_prefix('*'), pattern.strip_suffix('*')) {
        _ if pattern == "*" => !text.is_empty(),
        (Some(end), _) => text.ends_with(end),
        (_, Some(start)) => text.starts_with(start),
        _ => text == pattern,
    }
}

/// Whether one of `texts` matches one of the patterns in `node[name]` and none of those in `node[not]`.
fn holds(node: &Value, name: &str, not: &str, texts: &[String]) -> bool {
    let one = |patterns: &[String]| {
        let mut patterns = patterns.iter();
        patterns.any(|pattern| texts.iter().any(|text| is_like(text, pattern)))
    };
    let (wanted, unwanted) = (list(node, name), list(node, not));
    (wanted.is_empty() || one(&wanted)) && !one(&unwanted)
}

/// Whether a rule matches a request, as Istio sees it. Behind the gate it sees no token.
fn matches(rule: &Value, request: &Request, sees_token: bool) -> bool {
    let token = request
        .token
        .filter(|_| sees_token)
        .map(|index| TOKENS[index]);
    let principal: Vec<String> = token
        .iter()
        .map(|(sub, ..)| format!("{ISSUER}/{sub}"))
        .collect();
    let one_of = |name: &str, member: &str, holds: &dyn Fn(&Value) -> bool| {
        let items = rule[name].as_array();
        items.is_none_or(|items| items.iter().any(|item| holds(&item[member])))
    };
    let from = one_of("from", "source", &|source| {
        let namespace = [request.namespace.to_owned()];
        holds(source, "namespaces", "notNamespaces", &namespace)
            && holds(
                source,
                "requestPrincipals",
                "notRequestPrincipals",
                &principal,
            )
    });
    let to = one_of("to", "operation", &|operation| {
        holds(operation, "paths", "notPaths", &[request.path.to_owned()])
            && holds(
                operation,
                "methods",
                "notMethods",
                &[request.method.to_owned()],
            )
    });
    let conditions = rule["when"].as_array();
    let mut conditions = conditions.into_iter().flatten();
    let when = conditions.all(|condition| {
        let claim = token.map_or_else(Vec::new, |(_, groups, scopes)| {
            match condition["key"].as_str().unwrap() {
                "request.auth.claims[groups]" => {
                    groups.iter().map(|&group| group.to_owned()).collect()
                }
                _ => scopes.split_whitespace().map(str::to_owned).collect(),
            }
        });
        holds(condition, "values", "notValues", &claim)
    });
    from && to && when
}

/// Whether policies allow a request.
fn allows(policies: &[&Value], request: &Request, sees_token: bool) -> bool {
    let of_action = |action: &'static str| {
        let policies = policies.iter();
        policies.filter(move |policy| policy["spec"]["action"] == action)
    };
    let one_matches = |policy: &&&Value| {
        let rules = policy["spec"]["rules"].as_array();
        let mut rules = rules.into_iter().flatten();
        rules.any(|rule| matches(rule, request, sees_token))
    };
    let mut denying = of_action("DENY");
    let is_denied = denying.any(|policy| one_matches(&policy));
    let mut allowing = of_action("ALLOW").peekable();
    !is_denied && (allowing.peek().is_none() || allowing.any(|policy| one_matches(&policy)))
}

fn some(values: &'static [&'static str]) -> impl Strategy<Value = Vec<&'static str>> {
    subsequence(values, 0..=2.min(values.len()))
}

/// Adds a list to a map, if it is not empty.
fn put(map: &mut Value, name: &str, values: &[&str]) {
    if !values.is_empty() {
        map[name] = json!(values);
    }
}

fn rules() -> impl Strategy<Value = Value> {
    const PATTERNS: [&str; 5] = ["/a", "/a*", "*b", "/x/{*}", "/x/{*}/b"];
    let operation = (
        some(&PATTERNS),
        option::weighted(0.2, select(&PATTERNS[..])),
        some(&METHODS),
    );
    let operation = operation.prop_map(|(paths, not, methods)| {
        let mut operation = json!({});
        put(&mut operation, "paths", &paths);
        put(&mut operation, "notPaths", not.as_slice());
        put(&mut operation, "methods", &methods);
        operation
    });
    let principals = [
        "*",
        "https://login.example/ann",
        "https://login.example/bob",
    ];
    let principals = option::weighted(0.4, select(principals.to_vec()));
    let namespace = option::weighted(0.2, select(NAMESPACES.to_vec()));
    let source = (principals, namespace, any::<bool>());
    let source = source.prop_map(|(principal, namespace, negated)| {
        let mut source = json!({});
        let name = if negated && principal == Some("*") {
            "notRequestPrincipals"
        } else {
            "requestPrincipals"
        };
        put(&mut source, name, principal.as_slice());
        put(&mut source, "namespaces", namespace.as_slice());
        source
    });
    let condition = option::weighted(
        0.4,
        (
            any::<bool>(),
            any::<bool>(),
            some(&["staff", "boss", "read", "write"]),
        ),
    );
    let rule = (option::of(operation), vec(source, 0..=2), condition);
    rule.prop_map(|(operation, sources, condition)| {
        let mut rule = json!({});
        if let Some(operation) = operation.filter(|operation| *operation != json!({})) {
            rule["to"] = json!([{ "operation": operation }]);
        }
        let sources: Vec<Value> = sources
            .into_iter()
            .filter(|source| *source != json!({}))
            .collect();
        if !sources.is_empty() {
            let sources: Vec<Value> = sources
                .iter()
                .map(|source| json!({ "source": source }))
                .collect();
            rule["from"] = json!(sources);
        }
        if let Some((is_scope, negated, values)) =
            condition.filter(|(.., values)| !values.is_empty())
        {
            let key = if is_scope { "scope" } else { "groups" };
            let name = if negated { "notValues" } else { "values" };
            rule["when"] = json!([{ "key": format!("request.auth.claims[{key}]"), name: values }]);
        }
        rule
    })
}

fn policies() -> impl Strategy<Value = Vec<Value>> {
    let policy = (any::<bool>(), vec(rules(), 1..=3)).prop_map(|(denies, rules)| {
        let action = if denies { "DENY" } else { "ALLOW" };
        json!({
            "apiVersion": "security.istio.io/v1",
            "kind": "AuthorizationPolicy",
            "metadata": { "name": "policy", "namespace": "shop" },
            "spec": { "action": action, "rules": rules },
        })
    });
    vec(policy, 1..=3)
}

/// The requests that the gate lets pass, in the order of methods, paths and tokens.
fn passed_by_gate(converted: &Conversion) -> Vec<bool> {
    let mut cases = "cases:\n".to_owned();
    for method in METHODS {
        for path in PATHS {
            for token in tokens() {
                let token = token.map_or_else(String::new, |index| {
                    let (sub, groups, scope) = TOKENS[index];
                    let claims = json!({ "sub": sub, "groups": groups, "scope": scope });
                    format!("  token: {{ kind: good, claims: {claims} }}\n")
                });
                let name = cases.len();
                writeln!(
                    cases,
                    "- name: '{name}'\n  request: {{ method: {method}, path: {path} }}\n{token}  expect: {{ status: 200 }}"
                )
                .unwrap();
            }
        }
    }
    converted.tap(&cases)
}

fn tokens() -> impl Iterator<Item = Option<usize>> {
    [None].into_iter().chain((0..TOKENS.len()).map(Some))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_request_passes_that_istio_refuses(policies in policies()) {
        let authentication = json!({
            "apiVersion": "security.istio.io/v1",
            "kind": "RequestAuthentication",
            "metadata": { "name": "shop", "namespace": "shop" },
            "spec": { "jwtRules": [{ "issuer": ISSUER, "jwksUri": "https://login.example/keys" }] },
        });
        let mut items = vec![authentication];
        items.extend(policies.iter().cloned());
        let file = json!({ "apiVersion": "v1", "kind": "List", "items": items });
        let converted = Conversion::from_files(&[&file.to_string()], &[]);
        prop_assert_eq!(converted.status, 0, "{}", converted.errors);
        let passed = passed_by_gate(&converted);
        let result: Value = serde_json::from_str(&converted.output).unwrap();
        let left = result["items"].as_array().unwrap().iter();
        let left: Vec<&Value> = left.filter(|item| item["kind"] == "AuthorizationPolicy").collect();
        let given: Vec<&Value> = policies.iter().collect();
        let is_exact = !converted.errors.contains("(not converted)");
        let mut passed = passed.into_iter();
        for method in METHODS {
            for path in PATHS {
                for token in tokens() {
                    let by_gate = passed.next().unwrap();
                    for namespace in NAMESPACES {
                        let request = Request { method, path, namespace, token };
                        let now = by_gate && allows(&left, &request, false);
                        let before = allows(&given, &request, true);
                        prop_assert!(before || !now, "opened: {:?}\n{}\n{}", request, file, converted.output);
                        if is_exact {
                            prop_assert_eq!(now, before, "{:?}\n{}\n{}", request, file, converted.output);
                        }
                    }
                }
            }
        }
    }
}
