//! `convert` makes an `EnvoyExtensionPolicy` of a `SecurityPolicy`.

use serde_json::json;

use crate::mesh_support::Conversion;

/// A `SecurityPolicy` with this `spec` besides its target.
fn policy(spec: &str) -> String {
    let spec = spec.replace('\n', "\n  ");
    format!(
        "apiVersion: gateway.envoyproxy.io/v1alpha1\nkind: SecurityPolicy\nmetadata:\n  name: shop\n  namespace: \
         gateway\nspec:\n  targetRefs:\n  - group: gateway.networking.k8s.io\n    kind: HTTPRoute\n    name: shop\n  {spec}\n"
    )
}

const JWT: &str = "\
jwt:
  providers:
  - name: login
    issuer: https://login.example
    audiences: [shop]
    remoteJWKS:
      uri: https://login.example/keys
    claimToHeaders:
    - { header: x-user, claim: user.name }
    recomputeRoute: true";

#[test]
fn a_policy_becomes_an_extension_policy_with_its_cluster() {
    let converted = Conversion::from_file(&policy(JWT));
    converted.decides(
        "GET / | - | 401 missing
         GET / | good | 200
         GET / | expired | 401 expired
         GET / | wrong-audience | 401 audience",
    );
    assert!(!converted.has("SecurityPolicy"), "{}", converted.output);
    let extension = converted.document("EnvoyExtensionPolicy");
    assert_eq!(
        extension["metadata"],
        json!({"name": "bearer-gate-shop", "namespace": "gateway"})
    );
    assert_eq!(extension["spec"]["targetRefs"][0]["name"], "shop");
    let wasm = &extension["spec"]["wasm"][0];
    assert_eq!(wasm["failOpen"], false);
    let provider = &wasm["config"]["providers"]["login"];
    assert_eq!(provider["forward"], true, "Envoy Gateway forwards tokens");
    assert_eq!(provider["clear_route_cache"], true);
    assert_eq!(provider["claim_to_headers"][0]["claim_name"], "user.name");
    let cluster = "bearer-gate-login-example";
    assert_eq!(
        provider["remote_jwks"],
        json!({
            "http_uri": {"uri": "https://login.example/keys", "cluster": cluster, "timeout": "10s"},
            "cache_duration": "300s",
        })
    );
    let proxy = converted.document("EnvoyProxy");
    let made = &proxy["spec"]["bootstrap"]["jsonPatches"][0]["value"];
    assert_eq!(made["name"], cluster);
    assert_eq!(
        made["transport_socket"]["typed_config"]["sni"],
        "login.example"
    );
    assert_eq!(
        proxy["spec"]["filterOrder"][0]["after"],
        "envoy.filters.http.cors"
    );
}

#[test]
fn optional_and_open_policies_let_requests_without_token_pass() {
    let optional = JWT.replace("jwt:\n", "jwt:\n  optional: true\n");
    Conversion::from_file(&policy(&optional)).decides(
        "GET / | - | 200
         GET / | good | 200
         GET / | expired | 401 expired",
    );
    let open = JWT.replace("jwt:\n", "jwt:\n  failOpen: true\n");
    Conversion::from_file(&policy(&open)).decides(
        "GET / | - | 200
         GET / | expired | 200",
    );
}

#[test]
fn what_has_nothing_to_do_with_tokens_stays_in_a_security_policy() {
    let converted = Conversion::from_file(&policy(&format!(
        "{JWT}\ncors:\n  allowOrigins: [\"https://www.example\"]\noidc: {{}}"
    )));
    let left = converted.document("SecurityPolicy");
    assert_eq!(
        left["spec"]["cors"],
        json!({"allowOrigins": ["https://www.example"]})
    );
    assert_eq!(left["spec"]["jwt"], json!(null));
    assert_eq!(left["spec"]["targetRefs"][0]["name"], "shop");
    let order = &converted.document("EnvoyProxy")["spec"]["filterOrder"][0];
    assert_eq!(
        order["after"], "envoy.filters.http.oauth2",
        "the token comes from oauth2"
    );
    let untouched = policy("cors: {}");
    let both = format!("{}---\n{untouched}", policy(JWT));
    let converted = Conversion::from_file(&both);
    assert!(
        converted.output.ends_with(&format!("---\n{untouched}")),
        "{}",
        converted.output
    );
}

const AUTHORIZATION: &str = "
authorization:
  defaultAction: Deny
  rules:
  - name: staff
    action: Allow
    principal:
      jwt:
        provider: login
        claims:
        - { name: groups, valueType: StringArray, values: [staff, boss] }
        - { name: org.unit, values: [shop] }
  - name: nobody-else-here
    action: Deny
    operation: { path: { type: PathPrefix, value: /admin } }
    principal:
      headers: [{ name: x-any, values: [\"1\"] }]
  - name: readers
    action: Allow
    operation: { methods: [GET] }
    principal:
      jwt: { provider: login, scopes: [read, list] }";

#[test]
fn authorization_becomes_rules_in_their_order() {
    let converted = Conversion::from_file(&policy(&format!("{JWT}{AUTHORIZATION}")));
    converted.decides(
        "POST / | { kind: good, claims: { groups: [x, boss], org: { unit: shop } } } | 200
         POST / | { kind: good, claims: { groups: [x], org: { unit: shop } } } | 403 claims
         POST / | { kind: good, claims: { groups: [boss], org: { unit: other } } } | 403 claims
         POST / | { kind: good, claims: { groups: [], scope: read list } } | 403 claims
         GET / | { kind: good, claims: { groups: [], scope: read list } } | 200
         GET /admin | { kind: good, claims: { groups: [], scope: read list } } | 200
         GET / | { kind: good, claims: { groups: [], scp: [list, read], scope: '' } } | 200
         GET / | - | 401 missing",
    );
    assert!(!converted.has("SecurityPolicy"), "{}", converted.output);
    assert!(
        !converted.errors.contains("not converted"),
        "{}",
        converted.errors
    );
    let deny = AUTHORIZATION.replace(
        "    principal:\n      headers: [{ name: x-any, values: [\"1\"] }]\n",
        "    principal:\n      clientCIDRs: [0.0.0.0/0]\n",
    );
    let converted = Conversion::from_file(&policy(&format!("{JWT}{deny}")));
    converted.decides(
        "GET /admin/x | { kind: good, claims: { groups: [boss], org: { unit: shop } } } | 200
         GET /admin/x | { kind: good, claims: { groups: [], scope: read list } } | 403 claims
         GET /admins | { kind: good, claims: { groups: [], scope: read list } } | 200",
    );
    assert!(
        converted.errors.contains("cannot check clientCIDRs"),
        "{}",
        converted.errors
    );
    let left = converted.document("SecurityPolicy");
    let rules = &left["spec"]["authorization"]["rules"];
    assert_eq!(
        rules[0]["principal"],
        json!({"clientCIDRs": ["0.0.0.0/0", "::/0"]})
    );
    assert_eq!(rules[1]["principal"], json!({"clientCIDRs": ["0.0.0.0/0"]}));
    assert_eq!(rules[2]["operation"], json!({"methods": ["GET"]}));
}

#[test]
fn rules_that_deny_by_claims_refuse_more_and_are_listed() {
    let rules = "
authorization:
  defaultAction: Allow
  rules:
  - action: Deny
    operation: { path: { value: /pay } }
    principal:
      jwt: { provider: login, claims: [{ name: suspended, values: [\"yes\"] }] }";
    let converted = Conversion::from_file(&policy(&format!("{JWT}{rules}")));
    converted.decides(
        "GET /pay | good | 200
         GET /other | good | 200
         GET /other | - | 401 missing",
    );
    let left = converted.document("SecurityPolicy");
    let rules = &left["spec"]["authorization"]["rules"];
    assert_eq!(rules[0]["action"], "Deny");
    assert_eq!(
        rules[0]["principal"],
        json!({"clientCIDRs": ["0.0.0.0/0", "::/0"]}),
        "everybody"
    );
    assert!(
        converted.errors.contains("must not have"),
        "{}",
        converted.errors
    );
}

#[test]
fn keys_come_from_backends_and_config_maps_of_the_same_files() {
    let backend = "apiVersion: gateway.envoyproxy.io/v1alpha1\nkind: Backend\nmetadata: { name: idp, namespace: gateway }\n\
                   spec:\n  endpoints:\n  - fqdn: { hostname: idp.internal.example, port: 8443 }\n";
    let references = "      backendRefs:\n      - { group: gateway.envoyproxy.io, kind: Backend, name: idp }\n      - { name: idp, port: 443 }";
    let jwt = JWT.replace("/keys\n", &format!("/keys\n{references}\n"));
    let missing = Conversion::from_files(&[&policy(&jwt)], &[]);
    assert_eq!(missing.status, 2);
    assert!(
        missing
            .errors
            .contains("the Backend idp is not among the files"),
        "{}",
        missing.errors
    );
    let converted = Conversion::from_files(&[backend, &policy(&jwt)], &[]);
    assert_eq!(converted.status, 0, "{}", converted.errors);
    let proxy = converted.document("EnvoyProxy");
    let cluster = &proxy["spec"]["bootstrap"]["jsonPatches"][0]["value"];
    let endpoints = &cluster["load_assignment"]["endpoints"][0]["lb_endpoints"];
    let address = |index: usize| &endpoints[index]["endpoint"]["address"]["socket_address"];
    assert_eq!(
        *address(0),
        json!({"address": "idp.internal.example", "port_value": 8443})
    );
    assert_eq!(
        *address(1),
        json!({"address": "idp.gateway.svc.cluster.local", "port_value": 443})
    );

    let local = JWT.replace(
        "    remoteJWKS:\n      uri: https://login.example/keys\n",
        "    localJWKS:\n      type: ValueRef\n      valueRef: { group: '', kind: ConfigMap, name: keys }\n    extractFrom:\n      \
         cookies: [session]\n",
    );
    let map = "---\napiVersion: v1\nkind: ConfigMap\nmetadata: { name: keys, namespace: gateway }\ndata:\n  jwks: '{\"keys\": []}'\n";
    let converted = Conversion::from_file(&format!("{}{map}", policy(&local)));
    let extension = converted.document("EnvoyExtensionPolicy");
    let provider = &extension["spec"]["wasm"][0]["config"]["providers"]["login"];
    assert!(
        provider["local_jwks"]["inline_string"]
            .as_str()
            .unwrap()
            .contains("nobody")
    );
    assert_eq!(provider["from_cookies"], json!(["session"]));
    assert!(!converted.has("EnvoyProxy"));
    assert!(
        converted
            .output
            .contains("REVIEW: the key set has no usable key"),
        "{}",
        converted.output
    );
}

#[test]
fn a_token_of_one_rule_never_opens_what_another_rule_allows() {
    let rules = "
authorization:
  defaultAction: Deny
  rules:
  - action: Allow
    principal:
      clientCIDRs: [10.0.0.0/8]
      jwt: { provider: login, scopes: [inside] }
  - action: Deny
    principal:
      clientCIDRs: [10.1.0.0/16]
  - action: Allow
    principal:
      jwt: { provider: login, scopes: [outside] }";
    let converted = Conversion::from_file(&policy(&format!("{JWT}{rules}")));
    // The policy that is left allows everybody by its third rule.
    converted.decides(
        "GET / | { kind: good, claims: { scope: inside } } | 403 scope
         GET / | { kind: good, claims: { scope: outside } } | 403 scope
         GET / | { kind: good, claims: { scope: inside outside } } | 200",
    );
    for place in [":24:7: ", ":28:7: "] {
        assert!(
            converted.errors.contains(place),
            "{place}: {}",
            converted.errors
        );
    }
}
