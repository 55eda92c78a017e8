//! What becomes of rules and requirements.

use serde_json::{Value, json};

use super::example::{all_rule, bare, convert_bare, converted, local, refused};

#[test]
fn requests_that_no_rule_matches_still_pass() {
    let open =
        json!({"rules": [{"match": {"prefix": "/api"}, "requires": {"provider_name": "p"}}]});
    let (config, errors) = convert_bare(&local(), &open);
    assert_eq!(config["unmatched_requests"], "allow");
    assert!(errors.contains("REVIEW unmatched_requests: "), "{errors}");
    let (config, _) = convert_bare(&local(), &all_rule());
    assert_eq!(config["unmatched_requests"], Value::Null);
}

#[test]
fn what_jwt_authn_does_not_look_at_in_a_match_is_left_out() {
    let rule = json!({"rules": [{
        "match": {"prefix": "/", "grpc": {}, "runtime_fraction": {"default_value": {"numerator": 1}}},
        "requires": {"provider_name": "p"},
    }]});
    let (config, errors) = convert_bare(&local(), &rule);
    assert_eq!(config["rules"][0]["match"], json!({"prefix": "/"}));
    assert!(errors.contains("`grpc` is left out"), "{errors}");
    assert!(
        errors.contains("`runtime_fraction` is left out"),
        "{errors}"
    );
}

#[test]
fn a_path_template_becomes_a_regular_expression() {
    let rule = json!({"rules": [{
        "match": {"path_match_policy": {
            "name": "envoy.path.match.uri_template.uri_template_matcher",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.path.match.uri_template.v3.UriTemplateMatchConfig",
                "path_template": "/users/{id}",
            },
        }},
        "requires": {"provider_name": "p"},
    }]});
    let (config, _) = convert_bare(&local(), &rule);
    let regex = "/users/[a-zA-Z0-9-._~%!$&'()+,;:@=]+";
    assert_eq!(
        config["rules"][0]["match"],
        json!({"safe_regex": {"regex": regex}})
    );
}

#[test]
fn a_match_of_connect_requests_becomes_a_condition_on_the_method() {
    let rule =
        |matcher: Value| json!({"rules": [{"match": matcher, "requires": {"provider_name": "p"}}]});
    let (config, errors) = convert_bare(&local(), &rule(json!({"connect_matcher": {}})));
    let method = json!([{"name": ":method", "string_match": {"exact": "CONNECT"}}]);
    assert_eq!(
        config["rules"][0]["match"],
        json!({"prefix": "", "headers": method})
    );
    assert!(errors.contains("stand for connect_matcher"), "{errors}");
    let limited = json!({"connect_matcher": {}, "headers": [{"name": "x"}]});
    let refusal = refused(&bare(&local(), &rule(limited)));
    assert!(refusal.contains("connect_matcher: "), "{refusal}");
}

#[test]
fn an_empty_requirement_becomes_an_open_one() {
    let rules = json!({
        "rules": [
            {"match": {"prefix": "/a"}, "requires": {}},
            {"match": {"prefix": "/b"}, "requires": {"requires_any": {"requirements": [
                {"provider_name": "p"}, {},
            ]}}},
            {"match": {"prefix": "/c"}, "requires": {"allow_missing": null}},
            {"match": {"prefix": "/"}, "requirement_name": "r"},
        ],
        "requirement_map": {"r": {}},
    });
    let (config, _) = convert_bare(&local(), &rules);
    let open = json!({"allow": {}});
    assert_eq!(config["rules"][0]["requires"], open);
    assert_eq!(config["rules"][2]["requires"], open);
    assert_eq!(
        config["rules"][1]["requires"]["requires_any"]["requirements"][1],
        open
    );
    assert_eq!(config["requirement_map"]["r"], open);
}

#[test]
fn a_regular_expression_is_translated_wherever_it_stands() {
    let regex = json!({"google_re2": {}, "regex": "/[[]{a}"});
    let rule = json!({"rules": [{
        "match": {
            "safe_regex": regex,
            "headers": [{"name": "x", "safe_regex_match": regex}, {"name": "y", "string_match": {"safe_regex": regex}}],
        },
        "requires": {"provider_name": "p"},
    }]});
    let (config, errors) = convert_bare(&local(), &rule);
    let rule = &config["rules"][0]["match"];
    for regex in [
        &rule["safe_regex"],
        &rule["headers"][0]["safe_regex_match"],
        &rule["headers"][1]["string_match"]["safe_regex"],
    ] {
        assert_eq!(regex["regex"], r"/[\[]\{a}", "{regex}");
    }
    assert_eq!(
        errors.matches("in the dialect of the gate").count(),
        3,
        "{errors}"
    );
}

#[test]
fn providers_that_take_tokens_away_from_each_other_are_marked() {
    let other = |provider: Value| json!({"p": local(), "other": provider});
    let both = json!({"requires_all": {"requirements": [{"provider_name": "p"}, {"provider_name": "other"}]}});
    let rules = json!([{"match": {"prefix": "/"}, "requires": both}]);
    let mut elsewhere = local();
    elsewhere["from_headers"] = json!([{"name": "x-other"}]);
    for (provider, is_marked) in [(local(), true), (elsewhere, false)] {
        let config = json!({"providers": other(provider), "rules": rules});
        let (_, errors) = converted("both.json", &config.to_string());
        assert_eq!(
            errors.contains("one token may satisfy both"),
            is_marked,
            "{errors}"
        );
    }
    let mut forwarding = local();
    forwarding["forward"] = true.into();
    let mut config = json!({"providers": other(local()), "rules": rules});
    config["providers"]["p"] = forwarding;
    let (_, errors) = converted("both.json", &config.to_string());
    assert!(!errors.contains("one token may satisfy both"), "{errors}");
}

#[test]
fn a_fallback_for_bad_tokens_says_what_becomes_of_several_tokens() {
    let rules =
        json!({"rules": [{"match": {"prefix": "/"}, "requires": {"allow_missing_or_failed": {}}}]});
    let (_, errors) = convert_bare(&local(), &rules);
    assert!(
        errors.contains("one with several tokens passes as one without a token"),
        "{errors}"
    );
    let (_, errors) = convert_bare(&local(), &all_rule());
    assert!(
        !errors.contains("passes as one without a token"),
        "{errors}"
    );
}
