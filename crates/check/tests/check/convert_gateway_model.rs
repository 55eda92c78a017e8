//! What `convert` makes of policies of Envoy Gateway lets no request pass that Envoy Gateway refuses: random policies, judged
//! by a model of it.

use std::fmt::Write as _;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::{ProptestConfig, Strategy, any, prop_assert, prop_assert_eq, proptest};
use proptest::sample::select;
use serde_json::{Value, json};

use crate::mesh_support::Conversion;

const PATHS: [&str; 6] = ["/a", "/a/b", "/ab", "/a;x", "/c", "/"];
const METHODS: [&str; 2] = ["GET", "POST"];

/// A network, and whether clients are in it.
const INSIDE: &str = "10.0.0.0/8";

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
    is_inside: bool,
    token: Option<usize>,
}

fn list(node: &Value) -> Vec<&str> {
    let items = node.as_array().into_iter().flatten();
    items.map(|item| item.as_str().unwrap()).collect()
}

/// Whether a condition on tokens holds.
fn token_holds(jwt: &Value, token: Option<usize>) -> bool {
    let Some((sub, groups, scope)) = token.map(|index| TOKENS[index]) else {
        return false;
    };
    let scopes: Vec<&str> = scope.split_whitespace().collect();
    let mut claims = jwt["claims"].as_array().into_iter().flatten();
    list(&jwt["scopes"])
        .iter()
        .all(|scope| scopes.contains(scope))
        && claims.all(|claim| {
            let values = list(&claim["values"]);
            match claim["name"].as_str().unwrap() {
                "groups" => groups.iter().any(|group| values.contains(group)),
                _ => values.contains(&sub),
            }
        })
}

/// Whether a rule matches a request.
fn matches(rule: &Value, request: &Request) -> bool {
    let principal = &rule["principal"];
    let networks = list(&principal["clientCIDRs"]);
    let is_near = networks.is_empty()
        || networks.contains(&"0.0.0.0/0")
        || (request.is_inside && networks.contains(&INSIDE));
    let methods = list(&rule["operation"]["methods"]);
    let path = &rule["operation"]["path"];
    let is_path = path.is_null() || {
        let value = path["value"].as_str().unwrap().trim_end_matches('/');
        let rest = request.path.strip_prefix(value);
        let is_like = rest.is_some_and(|rest| {
            rest.is_empty()
                || rest.starts_with(';')
                || (path["type"] != "Exact" && rest.starts_with('/'))
        });
        is_like != (path["invert"] == true)
    };
    is_near
        && is_path
        && (methods.is_empty() || methods.contains(&request.method))
        && (principal["jwt"].is_null() || token_holds(&principal["jwt"], request.token))
}

/// Whether an authorization allows a request.
fn allows(authorization: &Value, request: &Request) -> bool {
    if authorization.is_null() {
        return true;
    }
    let mut rules = authorization["rules"].as_array().into_iter().flatten();
    let action = rules.find(|rule| matches(rule, request)).map_or_else(
        || authorization["defaultAction"].clone(),
        |rule| rule["action"].clone(),
    );
    action == "Allow"
}

fn rules() -> impl Strategy<Value = Value> {
    let path = (
        select(vec!["/a", "/a/b", "/"]),
        any::<bool>(),
        option::weighted(0.2, any::<bool>()),
    );
    let path = path.prop_map(|(value, is_exact, invert)| {
        let mut path = json!({ "value": value });
        if is_exact && value != "/" {
            path["type"] = json!("Exact");
        }
        if invert == Some(true) {
            path["invert"] = json!(true);
        }
        path
    });
    let operation = (option::of(path), option::of(select(METHODS.to_vec())));
    let claim = select(vec![
        json!({ "claims": [{ "name": "groups", "valueType": "StringArray", "values": ["staff", "guest"] }] }),
        json!({ "claims": [{ "name": "groups", "valueType": "StringArray", "values": ["boss"] }], "scopes": ["read"] }),
        json!({ "claims": [{ "name": "sub", "values": ["ann"] }] }),
        json!({ "scopes": ["write", "read"] }),
    ]);
    let rule = (
        any::<bool>(),
        operation,
        option::weighted(0.6, claim),
        option::weighted(0.4, select(vec![INSIDE])),
    );
    rule.prop_map(|(allows, (path, method), jwt, network)| {
        let mut rule = json!({ "action": if allows { "Allow" } else { "Deny" }, "principal": {} });
        if let Some(path) = path {
            rule["operation"]["path"] = path;
        }
        if let Some(method) = method {
            rule["operation"]["methods"] = json!([method]);
        }
        if let Some(mut jwt) = jwt {
            jwt["provider"] = json!("login");
            rule["principal"]["jwt"] = jwt;
        }
        if let Some(network) = network {
            rule["principal"]["clientCIDRs"] = json!([network]);
        }
        rule
    })
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
                    "- name: '{name}'\n  request: {{ method: {method}, path: '{path}' }}\n{token}  expect: {{ status: 200 }}"
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
    fn no_request_passes_that_envoy_gateway_refuses(
        rules in vec(rules(), 1..=5),
        allows_others in any::<bool>(),
        optional in any::<bool>(),
    ) {
        let default = if allows_others { "Allow" } else { "Deny" };
        let provider = json!({ "name": "login", "issuer": "https://login.example", "remoteJWKS": { "uri": "https://login.example/keys" } });
        let policy = json!({
            "apiVersion": "gateway.envoyproxy.io/v1alpha1",
            "kind": "SecurityPolicy",
            "metadata": { "name": "shop", "namespace": "shop" },
            "spec": {
                "targetRefs": [{ "group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "name": "shop" }],
                "jwt": { "optional": optional, "providers": [provider] },
                "authorization": { "defaultAction": default, "rules": rules },
            },
        });
        let converted = Conversion::from_files(&[&policy.to_string()], &[]);
        prop_assert_eq!(converted.status, 0, "{}", converted.errors);
        let passed = passed_by_gate(&converted);
        let result: Value = serde_json::from_str(&converted.output).unwrap();
        let mut items = result["items"].as_array().unwrap().iter();
        let left = items.find(|item| item["kind"] == "SecurityPolicy");
        let left = left.map_or(&Value::Null, |left| &left["spec"]["authorization"]);
        let is_exact = !converted.errors.contains("(not converted)");
        let mut passed = passed.into_iter();
        for method in METHODS {
            for path in PATHS {
                for token in tokens() {
                    let by_gate = passed.next().unwrap();
                    for is_inside in [false, true] {
                        let request = Request { method, path, is_inside, token };
                        let now = by_gate && allows(left, &request);
                        let before = (token.is_some() || optional) && allows(&policy["spec"]["authorization"], &request);
                        prop_assert!(before || !now, "opened: {:?}\n{}\n{}", request, policy, converted.output);
                        if is_exact && !path.contains(';') {
                            prop_assert_eq!(now, before, "{:?}\n{}\n{}", request, policy, converted.output);
                        }
                    }
                }
            }
        }
    }
}
