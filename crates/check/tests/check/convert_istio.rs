//! `convert` makes a `WasmPlugin` of `RequestAuthentication` and `AuthorizationPolicy`.

use serde_json::json;

use crate::mesh_support::Conversion;
use crate::support::{file, run};

const AUTHENTICATION: &str = "\
# Who calls the shop?
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata:
  name: shop
  namespace: istio-ingress
spec:
  selector:
    matchLabels:
      istio: ingressgateway
  jwtRules:
  - issuer: https://login.example
    audiences: [https://shop.example]
    jwksUri: https://login.example/keys
    forwardOriginalToken: true
";

/// An `AuthorizationPolicy` for the same workloads, with this action and these rules.
fn policy(name: &str, action: &str, rules: &str) -> String {
    let rules = rules.replace('\n', "\n  ");
    format!(
        "---\napiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata:\n  name: {name}\n  namespace: \
         istio-ingress\nspec:\n  selector:\n    matchLabels:\n      istio: ingressgateway\n  action: {action}\n  rules:\n  \
         {rules}\n"
    )
}

fn with(policies: &[String]) -> Conversion {
    Conversion::from_file(&format!("{AUTHENTICATION}{}", policies.concat()))
}

#[test]
fn an_authentication_alone_lets_requests_without_token_pass() {
    let converted = Conversion::from_file(AUTHENTICATION);
    converted.decides(
        "GET / | - | 200
         GET /orders | good | 200
         GET /orders | expired | 401 expired
         GET /orders | wrong-audience | 401 audience
         GET //orders | - | 401 no_rule",
    );
    let plugin = converted.document("WasmPlugin");
    assert_eq!(
        plugin["metadata"],
        json!({"name": "bearer-gate-shop", "namespace": "istio-ingress"})
    );
    assert_eq!(
        plugin["spec"]["selector"],
        json!({"matchLabels": {"istio": "ingressgateway"}})
    );
    assert_eq!(plugin["spec"]["failStrategy"], "FAIL_RELOAD");
    assert_eq!(
        plugin["spec"]["match"],
        json!(null),
        "Istio counts gateways as clients"
    );
    let config = &plugin["spec"]["pluginConfig"];
    assert_eq!(config["bypass_cors_preflight"], true);
    let provider = &config["providers"]["shop"];
    assert_eq!(provider["forward"], true);
    assert_eq!(
        provider["remote_jwks"]["http_uri"],
        json!({"uri": "https://login.example/keys", "cluster": "outbound|443||login.example", "timeout": "5s"})
    );
    assert_eq!(
        converted.document("ServiceEntry")["spec"]["hosts"],
        json!(["login.example"])
    );
    let tls = &converted.document("DestinationRule")["spec"]["trafficPolicy"]["tls"];
    assert_eq!(tls["subjectAltNames"], json!(["login.example"]));
    assert!(
        converted.output.starts_with("# Who calls the shop?\n"),
        "{}",
        converted.output
    );
    assert!(
        converted.output.contains("# REVIEW: write your registry"),
        "{}",
        converted.output
    );
}

#[test]
fn a_policy_that_allows_principals_asks_for_a_token() {
    let rules = "- from:\n  - source:\n      requestPrincipals: [\"*\"]";
    let converted = with(&[policy("all", "ALLOW", rules)]);
    converted.decides(
        "GET / | - | 401 missing
         GET / | good | 200
         OPTIONS / | - | 401 missing",
    );
    let left = converted.document("AuthorizationPolicy");
    assert_eq!(
        left["spec"]["rules"],
        json!([{}]),
        "what is left allows what the gate admits"
    );
    assert_eq!(left["spec"]["action"], "ALLOW");
    assert!(
        converted
            .output
            .contains("# REVIEW: what these rules say about tokens"),
        "{}",
        converted.output
    );
}

#[test]
fn rules_ask_for_principals_and_claims_of_paths_and_methods() {
    let rules = "\
- to:
  - operation:
      paths: [/health, /public/*]
- from:
  - source:
      requestPrincipals: [https://login.example/ann]
  to:
  - operation:
      paths: [/admin*]
- to:
  - operation:
      methods: [GET]
      notPaths: [/admin*]
  when:
  - key: request.auth.claims[groups]
    values: [staff, guests]
- to:
  - operation:
      methods: [POST]
      paths: [\"/orders/{*}\"]
  when:
  - key: request.auth.claims[scope]
    values: [orders.write]";
    let converted = with(&[policy("mixed", "ALLOW", rules)]);
    converted.decides(
        "GET /health | - | 200
         GET /public/a | - | 200
         GET /public/a | expired | 401 expired
         GET /health/x | - | 401 missing
         GET /admin/x | { kind: good, claims: { sub: ann, groups: [] } } | 200
         GET /admin/x | { kind: good, claims: { sub: bob, groups: [staff] } } | 403 claims
         DELETE /admin | { kind: good, claims: { sub: ann } } | 200
         GET /orders | { kind: good, claims: { groups: [x, staff] } } | 200
         GET /orders | { kind: good, claims: { groups: guests } } | 200
         GET /orders | { kind: good, claims: { groups: [other] } } | 403 claims
         GET /orders | - | 401 missing
         POST /orders/7 | { kind: good, claims: { scope: a orders.write } } | 200
         POST /orders/7 | { kind: good, claims: { scope: a } } | 403 scope
         POST /orders/7/8 | { kind: good, claims: { scope: a orders.write } } | 401 no_rule
         POST /orders | { kind: good, claims: { groups: [staff] } } | 401 no_rule",
    );
    let left = converted.document("AuthorizationPolicy");
    assert_eq!(
        left["spec"]["rules"],
        json!([
            {"to": [{"operation": {"paths": ["/health", "/public/*"]}}]},
            {"to": [{"operation": {"paths": ["/admin*"]}}]},
            {"to": [{"operation": {"methods": ["GET"], "notPaths": ["/admin*"]}}]},
            {"to": [{"operation": {"methods": ["POST"], "paths": ["/orders/{*}"]}}]},
        ])
    );
}

#[test]
fn a_request_that_several_rules_match_needs_what_one_of_them_asks_for() {
    let one = policy(
        "one",
        "ALLOW",
        "- to:\n  - operation: { paths: [/a*] }\n  when:\n  - { key: \"request.auth.claims[role]\", values: [one] }",
    );
    let two = policy(
        "two",
        "ALLOW",
        "- to:\n  - operation: { methods: [GET] }\n  when:\n  - { key: \"request.auth.claims[role]\", values: [two] }",
    );
    with(&[one, two]).decides(
        "GET /a | { kind: good, claims: { role: one } } | 200
         GET /a | { kind: good, claims: { role: two } } | 200
         GET /b | { kind: good, claims: { role: one } } | 403 claims
         GET /b | { kind: good, claims: { role: two } } | 200
         POST /a | { kind: good, claims: { role: one } } | 200
         POST /a | { kind: good, claims: { role: two } } | 403 claims
         POST /b | { kind: good, claims: { role: two } } | 401 no_rule",
    );
}

#[test]
fn a_policy_that_denies_requests_without_principal_asks_for_a_token() {
    let rules = "\
- from:
  - source:
      notRequestPrincipals: [\"*\"]
  to:
  - operation:
      notPaths: [/health]
      hosts: [\"*.shop.example\"]";
    let converted = with(&[policy("no-strangers", "DENY", rules)]);
    converted.decides(
        "GET /orders www.shop.example | - | 401 missing
         GET /orders WWW.SHOP.EXAMPLE | - | 401 missing
         GET /orders www.shop.example | good | 200
         GET /health www.shop.example | - | 200
         GET /health?a=/x www.shop.example | - | 200
         GET /orders other.example | - | 200",
    );
    assert!(
        !converted.has("AuthorizationPolicy"),
        "{}",
        converted.output
    );
    let gone = "\n# AuthorizationPolicy istio-ingress/no-strangers is in the rules of the WasmPlugin bearer-gate-shop\n";
    assert!(converted.output.contains(gone), "{}", converted.output);
    let plugin = converted.document("WasmPlugin");
    assert_eq!(
        plugin["spec"]["pluginConfig"]["bypass_cors_preflight"],
        json!(null)
    );
}

#[test]
fn what_denies_by_a_claim_denies_whatever_the_token_is_and_is_listed() {
    let rules = "\
- to:
  - operation: { paths: [/pay] }
  when:
  - key: request.auth.claims[suspended]
    values: [\"yes\"]
- to:
  - operation: { methods: [TRACE] }";
    let converted = with(&[policy("suspended", "DENY", rules)]);
    let left = converted.document("AuthorizationPolicy");
    assert_eq!(
        left["spec"]["rules"],
        json!([
            {"to": [{"operation": {"paths": ["/pay"]}}]},
            {"to": [{"operation": {"methods": ["TRACE"]}}]},
        ])
    );
    assert!(
        converted
            .output
            .contains("# REVIEW: a requirement of the gate cannot say"),
        "{}",
        converted.output
    );
    let listed =
        ":17:1: AuthorizationPolicy istio-ingress/suspended: a requirement of the gate cannot say";
    assert!(converted.errors.contains(listed), "{}", converted.errors);
    assert!(
        converted.errors.contains("(not converted)"),
        "{}",
        converted.errors
    );
    converted.decides("GET /pay | good | 200\nGET /pay | - | 200");
}

#[test]
fn a_policy_without_conditions_on_tokens_stays_byte_for_byte() {
    let untouched = policy(
        "mesh",
        "ALLOW",
        "- from:\n  - source: { namespaces: [shop] }   # from inside",
    );
    let content = format!("{AUTHENTICATION}{untouched}");
    let converted = Conversion::from_file(&content);
    assert!(
        converted.output.ends_with(&untouched),
        "{}",
        converted.output
    );
    converted.decides("GET / | - | 200\nGET / | expired | 401 expired");
}

#[test]
fn sources_that_the_gate_does_not_know_never_open_anything() {
    let rules = "\
- from:
  - source: { namespaces: [inside] }
- from:
  - source: { requestPrincipals: [\"*\"] }";
    let converted = with(&[policy("either", "ALLOW", rules)]);
    converted.decides("GET / | - | 401 missing\nGET / | good | 200");
    let refused = ":19:5: WasmPlugin"; // The rule without tokens is in the same policy.
    assert!(!converted.errors.contains(refused));
    assert!(
        converted
            .errors
            .contains("cannot check namespaces [\"inside\"]"),
        "{}",
        converted.errors
    );
    assert!(
        converted
            .output
            .contains("# REVIEW: the gate cannot check namespaces"),
        "{}",
        converted.output
    );
    let both = "- from:\n  - source: { namespaces: [inside], requestPrincipals: [\"*\"] }";
    let converted = with(&[policy("both", "ALLOW", both)]);
    converted.decides("GET / | - | 401 missing\nGET / | good | 200");
    assert!(
        !converted.errors.contains("not converted"),
        "{}",
        converted.errors
    );
    let left = converted.document("AuthorizationPolicy");
    assert_eq!(
        left["spec"]["rules"],
        json!([{"from": [{"source": {"namespaces": ["inside"]}}]}])
    );
}

#[test]
fn everything_that_a_rule_of_the_authentication_can_say_is_converted() {
    let rule = r#"  - issuer: https://two.example/
    jwks: '{"keys": [{"kty": "oct", "k": "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"}]}'
    fromHeaders:
    - { name: x-token, prefix: "JWT " }
    fromParams: [token]
    fromCookies: [session]
    outputPayloadToHeader: x-payload
    outputClaimToHeaders:
    - { header: x-user, claim: sub }
    - { header: host, claim: tenant }
    spaceDelimitedClaims: [groups]
  - issuer: https://three.example
    timeout: 1m500ms
"#;
    let policy = policy(
        "groups",
        "ALLOW",
        "- when:\n  - { key: \"request.auth.claims[groups]\", values: [a] }",
    );
    let converted = Conversion::from_file(&format!("{AUTHENTICATION}{rule}{policy}"));
    let config = &converted.document("WasmPlugin")["spec"]["pluginConfig"];
    let two = &config["providers"]["shop-2"];
    assert_eq!(
        two["from_headers"],
        json!([{"name": "x-token", "value_prefix": "JWT "}])
    );
    assert_eq!(two["from_params"], json!(["token"]));
    assert_eq!(two["from_cookies"], json!(["session"]));
    assert_eq!(two["forward_payload_header"], "x-payload");
    assert_eq!(
        two["claim_to_headers"],
        json!([{"header_name": "x-user", "claim_name": "sub"}])
    );
    assert_eq!(two["scope_claims"], json!(["groups"]));
    assert!(
        two["algorithms"]
            .as_array()
            .unwrap()
            .contains(&json!("HS256"))
    );
    assert!(
        converted.errors.contains("the gate sets no header host"),
        "{}",
        converted.errors
    );
    let three = &config["providers"]["shop-3"]["remote_jwks"];
    assert_eq!(
        three["discovery"],
        json!({"cluster": "outbound|443||three.example", "timeout": "60.5s"})
    );
    assert_eq!(config["providers"]["shop"]["scope_claims"], json!(null));
    converted.decides(
        "GET / | { kind: good, provider: shop, claims: { groups: [a] } } | 200
         GET / | { kind: good, provider: shop, claims: { groups: b a } } | 403 claims
         GET / | { kind: good, provider: shop-3, claims: { groups: a } } | 200",
    );
}

#[test]
fn services_of_the_cluster_need_no_service_entry() {
    let inside = AUTHENTICATION.replace(
        "https://login.example/keys",
        "http://keycloak.auth.svc:8080/keys",
    );
    let converted = Conversion::from_file(&inside);
    assert!(!converted.has("ServiceEntry") && !converted.has("DestinationRule"));
    let config = &converted.document("WasmPlugin")["spec"]["pluginConfig"];
    let cluster = &config["providers"]["shop"]["remote_jwks"]["http_uri"]["cluster"];
    assert_eq!(cluster, "outbound|8080||keycloak.auth.svc.cluster.local");
    let entry = "---\napiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: { name: login }\nspec: { hosts: \
                 [login.example] }\n";
    let converted = Conversion::from_file(&format!("{AUTHENTICATION}{entry}"));
    assert!(converted.output.ends_with(entry), "{}", converted.output);
    assert!(!converted.has("DestinationRule"));
}

#[test]
fn several_files_and_lists_are_converted_together() {
    let policy = policy(
        "all",
        "ALLOW",
        "- from:\n  - source: { requestPrincipals: [\"*\"] }",
    );
    let policy = policy.trim_start_matches("---\n");
    let converted = Conversion::from_files(&[AUTHENTICATION, policy], &[]);
    assert_eq!(converted.status, 0, "{}", converted.errors);
    converted.decides("GET / | - | 401 missing\nGET / | good | 200");
    let item = |text: &str| {
        let value: serde_json::Value = serde_saphyr::from_str(text).unwrap();
        value
    };
    let other = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "other"}});
    let list = json!({"apiVersion": "v1", "kind": "List", "items": [item(AUTHENTICATION), other, item(policy)]});
    let converted = Conversion::from_files(&[&list.to_string()], &[]);
    assert_eq!(converted.status, 0, "{}", converted.errors);
    let result: serde_json::Value = serde_json::from_str(&converted.output).unwrap();
    let kinds: Vec<_> = result["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| &item["kind"])
        .collect();
    assert_eq!(
        kinds,
        [
            "ServiceEntry",
            "DestinationRule",
            "WasmPlugin",
            "ConfigMap",
            "AuthorizationPolicy"
        ]
    );
    assert!(
        converted
            .errors
            .contains("REVIEW WasmPlugin bearer-gate-shop: "),
        "{}",
        converted.errors
    );
    converted.decides("GET / | - | 401 missing\nGET / | good | 200");
}

#[test]
fn the_module_may_be_an_image_with_its_digest() {
    let digest = "ab".repeat(32);
    let module = format!("oci://registry.example/gate:1@sha256:{digest}");
    let converted = Conversion::from_files(&[AUTHENTICATION], &["--module", &module]);
    let spec = &converted.document("WasmPlugin")["spec"];
    assert_eq!(spec["url"], "oci://registry.example/gate:1");
    assert_eq!(spec["sha256"], digest);
    assert!(
        !converted.output.contains("write your registry"),
        "{}",
        converted.output
    );
}

#[test]
fn policies_for_other_workloads_open_nothing_and_are_listed() {
    let other = |action, rules| policy("other", action, rules).replace("ingressgateway", "other");
    let deny = other(
        "DENY",
        "- when:\n  - { key: \"request.auth.claims[bad]\", values: [\"1\"] }",
    );
    let converted = Conversion::from_file(&format!("{AUTHENTICATION}{deny}"));
    assert_eq!(
        converted.document("AuthorizationPolicy")["spec"]["rules"],
        json!([{}])
    );
    assert!(
        converted.errors.contains("same namespace and selector"),
        "{}",
        converted.errors
    );
    let allow = other(
        "ALLOW",
        "- from:\n  - source: { requestPrincipals: [\"*\"] }",
    );
    let converted = Conversion::from_file(&format!("{AUTHENTICATION}{allow}"));
    let rules = json!([{"from": [{"source": {"requestPrincipals": ["*"]}}]}]);
    assert_eq!(
        converted.document("AuthorizationPolicy")["spec"]["rules"],
        rules
    );
    assert!(
        converted.errors.contains("allows only what needs no token"),
        "{}",
        converted.errors
    );
}

#[test]
fn what_the_gate_cannot_compare_accepts_nothing_and_is_listed() {
    let rules = "\
- when:
  - key: request.auth.claims[group]
    values: [adm*, staff]
- from:
  - source:
      requestPrincipals: [https://elsewhere.example/*]
- when:
  - key: request.auth.claims[group]
    notValues: [guests]";
    let converted = with(&[policy("patterns", "ALLOW", rules)]);
    for text in [
        "\"adm*\": the gate compares claims with whole values",
        "\"https://elsewhere.example/*\" has no issuer of the RequestAuthentication",
        "cannot say what a token must not have",
    ] {
        assert!(
            converted.errors.contains(text),
            "{text}: {}",
            converted.errors
        );
        assert!(
            converted.output.replace("\n  #  ", "").contains(text),
            "{text}: {}",
            converted.output
        );
    }
    converted.decides(
        "GET / | { kind: good, claims: { group: staff } } | 200
         GET / | { kind: good, claims: { group: admins } } | 403 claims
         GET / | - | 401 missing",
    );
}

#[test]
fn what_cannot_be_converted_is_refused_with_its_place() {
    let alone = policy(
        "all",
        "ALLOW",
        "- from:\n  - source: { requestPrincipals: [\"*\"] }",
    );
    let no_url = AUTHENTICATION
        .replace("    jwksUri: https://login.example/keys\n", "")
        .replace("https://login.example", "login");
    let address = AUTHENTICATION.replace("login.example/keys", "10.0.0.1/keys");
    for (content, text) in [
        (
            alone.as_str(),
            ":2:1: AuthorizationPolicy istio-ingress/all: there is no RequestAuthentication",
        ),
        (
            &no_url,
            ":12:5: RequestAuthentication istio-ingress/shop: jwtRules[0]: has neither jwksUri nor jwks",
        ),
        (
            &address,
            "must be an http or https URI with the name of a host",
        ),
    ] {
        let refused = Conversion::from_files(&[content], &[]);
        assert_eq!(
            (refused.status, refused.output.as_str()),
            (2, ""),
            "{}",
            refused.errors
        );
        assert!(refused.errors.contains(text), "{text}: {}", refused.errors);
    }
}

#[test]
fn policies_of_some_workloads_get_a_gate_of_their_own_where_all_have_one_authentication() {
    let wide = AUTHENTICATION.replace(
        "  selector:\n    matchLabels:\n      istio: ingressgateway\n",
        "",
    );
    let wide = wide.replace("    forwardOriginalToken: true\n", "");
    let rules = "- from:\n  - source: { requestPrincipals: [\"*\"] }";
    let narrow = policy("orders", "ALLOW", rules).replace("istio: ingressgateway", "app: orders");
    let converted = Conversion::from_file(&format!("{wide}{narrow}"));
    converted.decides("GET / | - | 401 missing\nGET / | good | 200");
    let plugin = converted.document("WasmPlugin");
    assert_eq!(plugin["metadata"]["name"], "bearer-gate-orders");
    assert_eq!(
        plugin["spec"]["selector"],
        json!({"matchLabels": {"app": "orders"}})
    );
    assert_eq!(plugin["spec"]["match"], json!([{"mode": "SERVER"}]));
    let provider = &plugin["spec"]["pluginConfig"]["providers"]["shop"];
    assert_eq!(
        provider["forward"], true,
        "the authentication behind the gate needs it"
    );
    assert!(converted.output.starts_with(&wide), "{}", converted.output);
    let left = converted.document("AuthorizationPolicy");
    assert_eq!(left["spec"]["rules"], json!([{}]));
    assert!(
        !converted.errors.contains("not converted"),
        "{}",
        converted.errors
    );
}

#[test]
fn a_check_of_policies_points_to_convert() {
    let policies = file("policies.yaml", AUTHENTICATION);
    let (status, printed) = run(&[policies.to_str().unwrap()]);
    assert_eq!(status, 2, "{printed}");
    let hint = "policies.yaml` makes the gate of them";
    assert!(printed.contains(hint), "{printed}");
}
