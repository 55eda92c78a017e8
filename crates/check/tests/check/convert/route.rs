//! What becomes of the choices of routes.

use serde_json::{Value, json};

use super::example::{
    ROUTES, content, convert, convert_bare, converted, local, refused, without_comments,
};

#[test]
fn choices_of_routes_move_into_their_metadata() {
    let (status, output, errors) = convert("routes.yaml", ROUTES, &[]);
    assert_eq!(status, 0, "{errors}");
    let expected = r#"name: routes
virtual_hosts:
- name: open
  domains: ["open.example"]
  routes:
  - match: { prefix: /private }
    route: { cluster: api }
    typed_per_filter_config:
      envoy.filters.http.cors:
        "@type": type.googleapis.com/envoy.extensions.filters.http.cors.v3.CorsPolicy
      bearer-gate:
        "@type": type.googleapis.com/envoy.config.route.v3.FilterConfig
        config: {}
      bearer-gate-payload:
        "@type": type.googleapis.com/envoy.config.route.v3.FilterConfig
        config: {}
    metadata:
      filter_metadata:
        bearer_gate:
          requirement_name: private
  - name: rest   # of them
    match: { prefix: / }
    metadata: { filter_metadata: { other: { a: b }, "bearer_gate": {"requirement_name": "jwt_authn_disabled"} } }
    route: { cluster: api }
- name: gated
  domains: ["*"]
  routes:
  - match: { prefix: / }
    route: { cluster: api }"#;
    assert_eq!(without_comments(&output), expected);
}

#[test]
fn requirements_of_routes_are_found_by_the_gate() {
    let routes: Value = json!([{
        "match": {"prefix": "/"},
        "route": {"cluster": "api"},
        "typed_per_filter_config": {"envoy.filters.http.jwt_authn": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.PerRouteConfig",
            "requirement_name": "private",
        }},
    }]);
    let filter = json!({
        "name": "envoy.filters.http.jwt_authn",
        "typedConfig": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication",
            "providers": {"p": local()},
            "requirementMap": {"private": {"providerName": "p"}},
        },
    });
    let manager = json!({
        "route_config": {"virtual_hosts": [{"name": "v", "domains": ["*"], "routes": routes}]},
        "http_filters": [filter, {"name": "router"}],
    });
    let (output, errors) = converted("c.json", &format!("{manager:#}"));
    let output: Value = serde_json::from_str(&output).unwrap();
    let config = &output["http_filters"][0]["typedConfig"]["config"]["configuration"]["value"];
    assert_eq!(config["per_route_requirements"], true);
    assert_eq!(
        config["requirementMap"],
        json!({"private": {"providerName": "p"}})
    );
    let route = &output["route_config"]["virtual_hosts"][0]["routes"][0];
    assert_eq!(
        route["metadata"]["filter_metadata"]["bearer_gate"],
        json!({"requirement_name": "private"})
    );
    assert_eq!(route["typed_per_filter_config"], Value::Null);
    assert!(errors.contains("per_route_requirements: "), "{errors}");
}

#[test]
fn requirements_that_routes_elsewhere_may_name_are_kept() {
    let map = json!({"requirement_map": {"private": {"provider_name": "p"}}});
    let (config, errors) = convert_bare(&local(), &map);
    assert_eq!(config["per_route_requirements"], true);
    assert_eq!(
        config["requirement_map"]["jwt_authn_disabled"],
        json!({"allow": {}})
    );
    assert!(
        errors.contains("names private: convert the routes that do, too"),
        "{errors}"
    );
}

#[test]
fn a_choice_of_a_weighted_cluster_is_refused() {
    let routes = r#"virtual_hosts:
- name: v
  domains: ["*"]
  routes:
  - match: { prefix: / }
    route:
      weighted_clusters:
        clusters:
        - name: a
          weight: 1
          typed_per_filter_config:
            envoy.filters.http.jwt_authn:
              "@type": type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.PerRouteConfig
              disabled: true
"#;
    let refusal = refused(routes);
    assert!(refusal.contains(":12:13: "), "{refusal}");
    assert!(
        refusal.contains("move the PerRouteConfig to the route"),
        "{refusal}"
    );
}

#[test]
fn a_filter_that_is_off_by_default_is_switched_on_by_its_routes() {
    let filter_config = "type.googleapis.com/envoy.config.route.v3.FilterConfig";
    let per_route = |choice: Value| {
        let kind = "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.PerRouteConfig";
        let mut choice = choice;
        choice["@type"] = kind.into();
        json!({"match": {"prefix": "/"}, "route": {}, "typed_per_filter_config": {"envoy.filters.http.jwt_authn": choice}})
    };
    let switch = json!({
        "match": {"prefix": "/"},
        "route": {},
        "typed_per_filter_config": {"envoy.filters.http.jwt_authn": {"@type": filter_config, "disabled": true}},
    });
    let manager = json!({
        "http_filters": [{
            "name": "envoy.filters.http.jwt_authn",
            "disabled": true,
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication",
                "providers": {"p": local()},
                "requirement_map": {"r": {"provider_name": "p"}},
            },
        }],
        "route_config": {"virtual_hosts": [{"name": "v", "domains": ["*"], "routes": [
            per_route(json!({"requirement_name": "r"})), per_route(json!({"disabled": true})), switch,
        ]}]},
    });
    let (output, _) = converted("off.json", &format!("{manager:#}"));
    let output = content(&output);
    assert_eq!(output["http_filters"][0]["disabled"], true);
    let routes = &output["route_config"]["virtual_hosts"][0]["routes"];
    let on = json!({"@type": filter_config, "config": {}});
    let off = json!({"@type": filter_config, "disabled": true});
    for (index, switch, requirement) in [
        (0, &on, json!("r")),
        (1, &off, Value::Null),
        (2, &off, Value::Null),
    ] {
        let route = &routes[index];
        let both = json!({"bearer-gate": switch, "bearer-gate-payload": switch});
        assert_eq!(route["typed_per_filter_config"], both, "{route}");
        assert_eq!(
            route["metadata"]["filter_metadata"]["bearer_gate"]["requirement_name"],
            requirement
        );
    }
}

#[test]
fn filters_that_want_different_things_of_one_route_are_refused() {
    let routes = ROUTES.replace(
        "      envoy.filters.http.cors:\n        \"@type\": type.googleapis.com/envoy.extensions.filters.http.cors.v3.CorsPolicy\n",
        "      second:\n        \"@type\": type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.PerRouteConfig\n        \
         requirement_name: other\n",
    );
    assert_ne!(routes, ROUTES);
    let refusal = refused(&routes);
    assert!(
        refusal.contains("several jwt_authn filters have different requirements"),
        "{refusal}"
    );
}

/// A file with these filters, and a route with these choices below a host with those.
fn manager(filters: &[(&str, Value)], host: &[(&str, &str)], route: &[(&str, &str)]) -> Value {
    let kind = "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3";
    let choices = |choices: &[(&str, &str)]| {
        let choices = choices.iter().map(|(filter, requirement)| {
            let choice =
                json!({"@type": format!("{kind}.PerRouteConfig"), "requirement_name": requirement});
            ((*filter).to_owned(), choice)
        });
        Value::Object(choices.collect())
    };
    let filters = filters.iter().map(|(name, more)| {
        let mut config =
            json!({"@type": format!("{kind}.JwtAuthentication"), "providers": {"p": local()}});
        for (field, value) in more.as_object().unwrap() {
            config[field] = value.clone();
        }
        json!({"name": name, "typed_config": config})
    });
    json!({
        "http_filters": filters.collect::<Vec<Value>>(),
        "route_config": {"virtual_hosts": [{
            "name": "v",
            "domains": ["*"],
            "typed_per_filter_config": choices(host),
            "routes": [{"match": {"prefix": "/"}, "route": {}, "typed_per_filter_config": choices(route)}],
        }]},
    })
}

#[test]
fn filters_that_require_different_things_of_a_route_get_a_common_name_for_them() {
    let map = |name: &str| json!({"requirement_map": {name: {"provider_name": "p"}, "other": {}}});
    let file = manager(
        &[("outer", map("one")), ("inner", map("two"))],
        &[("outer", "one")],
        &[("inner", "two")],
    );
    let (output, _) = converted("common.json", &format!("{file:#}"));
    let output = content(&output);
    let route = &output["route_config"]["virtual_hosts"][0]["routes"][0];
    assert_eq!(
        route["metadata"]["filter_metadata"]["bearer_gate"],
        json!({"requirement_name": "two+one"})
    );
    for index in 0..2 {
        let config =
            &output["http_filters"][index]["typed_config"]["config"]["configuration"]["value"];
        assert_eq!(
            config["requirement_map"]["two+one"],
            json!({"provider_name": "p"}),
            "{config}"
        );
    }
}

#[test]
fn a_filter_of_which_a_route_chooses_nothing_requires_nothing_there() {
    let map = |name: &str| json!({"requirement_map": {name: {"provider_name": "p"}}});
    let file = manager(
        &[("first", map("one")), ("second", map("one"))],
        &[],
        &[("first", "one")],
    );
    let (output, _) = converted("beside.json", &format!("{file:#}"));
    let output = content(&output);
    let route = &output["route_config"]["virtual_hosts"][0]["routes"][0];
    assert_eq!(
        route["metadata"]["filter_metadata"]["bearer_gate"],
        json!({"requirement_name": "one+none"})
    );
    let config = |index: usize| {
        let config = &output["http_filters"][index]["typed_config"]["config"]["configuration"];
        config["value"]["requirement_map"]["one+none"].clone()
    };
    assert_eq!(config(0), json!({"provider_name": "p"}));
    assert_eq!(config(1), json!({"allow": {}}));

    let mut with_rules = map("one");
    with_rules["rules"] = json!([{"match": {"prefix": "/"}, "requires": {"provider_name": "p"}}]);
    let file = manager(
        &[("first", map("one")), ("second", with_rules)],
        &[],
        &[("first", "one")],
    );
    let refusal = refused(&format!("{file:#}"));
    assert!(refusal.contains("applies its own rules here"), "{refusal}");
}
