//! Issuers, and templates of them.

use gate::policy::IssuerTemplate;
use gate_fixtures::key_set;
use serde_json::{Value, json};

use super::support::{error, provider_with, read};

const TEMPLATE: &str = "https://login.example/{tid}/v2.0";

fn issuers(value: &Value) -> Vec<String> {
    let policy = read(&provider_with("issuers", value)).unwrap();
    let all = policy.providers[0].issuers.all().iter();
    all.map(|one| one.as_str().to_owned()).collect()
}

#[test]
fn a_provider_may_have_several_issuers() {
    let both = json!(["https://a.example", TEMPLATE]);
    assert_eq!(issuers(&both), ["https://a.example", TEMPLATE]);
    assert_eq!(issuers(&json!(TEMPLATE)), [TEMPLATE]);
    for nothing in [
        provider_with("issuers", &Value::Null),
        provider_with("issuer", &Value::Null),
    ] {
        assert!(read(&nothing).unwrap().providers[0].issuers.are_any());
    }
}

#[test]
fn issuer_is_compared_exactly_even_if_it_has_braces() {
    let policy = read(&provider_with("issuer", &json!(TEMPLATE))).unwrap();
    let expected = [IssuerTemplate::exact(TEMPLATE.to_owned())];
    assert_eq!(policy.providers[0].issuers.all(), expected);
    let expected =
        "providers.p.issuer: is compared exactly, with its braces: put templates into issuers";
    assert_eq!(policy.warnings, [expected]);
}

#[test]
fn issuers_that_cannot_be_honoured_are_refused() {
    let place = "a placeholder must be a whole segment of the path of an http or https URL, as in \
                 https://login.example/{tid}/v2.0";
    for (issuers, problem) in [
        (
            json!([]),
            "providers.p.issuers: must not be empty".to_owned(),
        ),
        (
            json!(["a", ""]),
            "providers.p.issuers[1]: must not be empty".to_owned(),
        ),
        (
            json!(["a", "https://{tid}.example"]),
            format!("providers.p.issuers[1]: {place}"),
        ),
        (
            json!(["https://a.example/{}"]),
            "providers.p.issuers[0]: a placeholder must name a claim".to_owned(),
        ),
        (
            json!(["https://a.example/{tid}?p=x"]),
            "providers.p.issuers[0]: a template must have neither query nor fragment".to_owned(),
        ),
    ] {
        assert_eq!(error(&provider_with("issuers", &issuers)), problem);
    }
    let mut both = provider_with("issuers", &json!(["a"]));
    both["providers"]["p"]["issuer"] = json!("a");
    assert_eq!(error(&both), "providers.p: has both issuer and issuers");
}

#[test]
fn discovery_is_for_a_single_issuer() {
    let with_issuers = |issuers: Value| {
        json!({"providers": {"p": {
            "issuers": issuers,
            "remote_jwks": {"discovery": {"cluster": "a"}},
        }}})
    };
    assert_eq!(error(&with_issuers(json!(["https://a.example"]))), "none");
    for issuers in [
        json!([TEMPLATE]),
        json!(["https://a.example", "https://b.example"]),
    ] {
        assert_eq!(
            error(&with_issuers(issuers)),
            "providers.p.issuers: discovery reads the metadata of a single issuer: name it in issuer, or \
             give remote_jwks.http_uri, the key set of all"
        );
    }
}

#[test]
fn the_metadata_of_a_resource_name_the_issuers_unless_there_are_templates() {
    let config = |issuers: Value| {
        let mut config = provider_with("issuers", &issuers);
        config["resource_metadata"] = json!({"resource": "https://api.example/mcp"});
        config
    };
    let exact = config(json!([
        "https://b.example",
        "https://a.example",
        "https://b.example"
    ]));
    let policy = read(&exact).unwrap();
    let metadata = policy.resources.all()[0].metadata.as_ref().unwrap();
    let document: Value = serde_json::from_str(&metadata.document).unwrap();
    let expected = json!(["https://b.example", "https://a.example"]);
    assert_eq!(document["authorization_servers"], expected);
    let mut template = config(json!(["https://a.example", TEMPLATE]));
    assert_eq!(
        error(&template),
        "resource_metadata[0].authorization_servers: is required: the issuers of \"p\" have placeholders, \
         and clients must be told of one authorization server"
    );
    template["resource_metadata"]["authorization_servers"] = json!(["https://a.example"]);
    assert_eq!(error(&template), "none");
}

#[test]
fn a_requirement_that_limits_no_tenants_is_warned_of() {
    let warnings = |rules: Value| {
        let provider = json!({
            "issuers": [TEMPLATE, "https://a.example/{tid}"],
            "local_jwks": {"inline_string": key_set()},
        });
        let mut config = json!({"providers": {"p": provider, "q": provider}});
        config["providers"]["q"]["issuers"] = json!(["https://a.example"]);
        if !rules.is_null() {
            config["rules"] = json!([{"match": {"prefix": "/"}, "requires": rules}]);
        }
        read(&config).unwrap().warnings
    };
    let of = |claims: Value| json!({"provider_name": "p", "claims": claims});
    let limited = of(json!([{"claim_name": "tid", "any_of": ["a"]}]));
    let text = |path: &str| {
        format!(
            "{path}: accepts tokens of \"p\" with any tid: list the accepted ones in the claims of a requirement"
        )
    };
    assert_eq!(warnings(Value::Null), [text("providers")]);
    for open in [
        of(json!([])),
        of(json!([{"claim_name": "tid", "present": true}])),
        of(json!([{"claim_name": "other", "exact": "a"}])),
        json!({"requires_any": {"requirements": [limited, of(json!([]))]}}),
        json!({"allow_missing": {}}),
    ] {
        assert_eq!(
            warnings(open.clone()),
            [text("rules[0].requires")],
            "{open}"
        );
    }
    for closed in [
        limited.clone(),
        json!({"provider_name": "q"}),
        json!({"requires_any": {"requirements": [limited, {"provider_name": "q"}]}}),
        json!({
            "requires_any": {"requirements": [{"provider_name": "p"}, {"provider_name": "q"}]},
            "claims": [{"claim_path": ["tid"], "exact": "a"}],
        }),
        json!({"extract_only_without_validation": {}}),
    ] {
        assert!(warnings(closed.clone()).is_empty(), "{closed}");
    }
}
