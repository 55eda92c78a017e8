//! The promises of `docs/operations.md`.

use std::collections::BTreeSet;
use std::fs;

use serde_json::{Value, json};

use crate::support::{Issuer, Setup, Token, eventually, get, now, root};

fn document() -> String {
    fs::read_to_string(root().join("docs/operations.md")).unwrap()
}

/// The capabilities that the document lists.
pub(crate) fn capabilities() -> Vec<String> {
    let text = document();
    let (_, list) = text.split_once("  allowed_capabilities:\n").unwrap();
    let (list, _) = list.split_once("```").unwrap();
    let name = |line: &str| line.trim().strip_suffix(": {}").unwrap().to_owned();
    list.lines().map(name).collect()
}

/// The filter with a configuration that uses every capability, restricted to these.
fn restricted(issuer: &Issuer, capabilities: &[String]) -> Setup {
    let allowed: Value = capabilities
        .iter()
        .map(|name| (name.clone(), json!({})))
        .collect::<serde_json::Map<_, _>>()
        .into();
    let mut config = Issuer::config();
    config["per_route_requirements"] = true.into();
    let provider = &mut config["providers"]["cloud"];
    provider["claim_to_headers"] = json!([{"header_name": "x-sub", "claim_name": "sub"}]);
    provider["claims_to_filter_state"] = json!([{"key": "sub", "claim_name": "sub"}]);
    provider["clear_route_cache"] = true.into();
    let mut setup = Setup::trusting(issuer).config(config);
    setup.plugin_config = json!({
        "capability_restriction_config": {"allowed_capabilities": allowed},
    });
    setup
}

#[test]
fn the_filter_works_with_the_listed_capabilities() {
    let all = capabilities();
    let optional = [
        "proxy_call_foreign_function",
        "proxy_get_log_level",
        "proxy_set_property",
    ];
    let mut fewer = all.clone();
    fewer.retain(|name| !optional.contains(&name.as_str()));
    assert!(fewer.len() < all.len());
    for capabilities in [all, fewer] {
        let issuer = Issuer::start();
        let gate = restricted(&issuer, &capabilities).workers(2).start();
        for _ in 0..4 {
            assert_eq!(gate.send(&get("/")).status, 401);
            let answer = gate.send(&get("/").bearer(Token::good().signed()));
            assert_eq!(answer.status, 200, "{}", gate.log());
            assert_eq!(answer.json()["headers"]["x-sub"], "somebody");
            assert_eq!(answer.json()["headers"].get("authorization"), None);
        }
        gate.counts("allowed", 4);
        gate.counts("denied.missing", 4);
        gate.counts("jwks.cloud.keys", 2);
        assert!(gate.log().contains("providers: cloud"), "{}", gate.log());
    }
}

#[test]
fn a_configuration_is_refused_if_the_clock_cannot_be_read() {
    let issuer = Issuer::start();
    let mut capabilities = capabilities();
    capabilities.retain(|name| name != "clock_time_get");
    let log = restricted(&issuer, &capabilities).refused();
    let expected = "bearer-gate: the host does not allow the module to call clock_time_get";
    assert!(log.contains(expected), "{log}");
}

#[test]
fn every_listed_capability_is_an_import_or_an_export_of_the_module() {
    let module = fs::read(root().join("target/wasm32-wasip1/release/bearer_gate.wasm")).unwrap();
    let list = capabilities();
    let unique: BTreeSet<&String> = list.iter().collect();
    assert_eq!(unique.len(), list.len(), "a capability is listed twice");
    for name in &list {
        // In the module a name follows its length.
        let mut bytes = vec![u8::try_from(name.len()).unwrap()];
        bytes.extend(name.as_bytes());
        let found = module.windows(bytes.len()).any(|window| window == bytes);
        assert!(found, "{name}");
    }
}

#[test]
fn the_debug_log_has_a_line_for_every_refusal() {
    let expected = "decision=deny reason=expired provider=cloud method=GET path=/orders exp=";
    assert!(document().contains(
        "decision=deny reason=expired provider=cloud rule=2 method=GET path=/orders exp="
    ));
    let issuer = Issuer::start();
    let gate = Setup::trusting(&issuer).start();
    let token = Token::good().claim("exp", now() - 3600).signed();
    let request = || get("/orders?access=secret").bearer(&token);
    assert_eq!(gate.send(&request()).status, 401);
    // The level changes while Envoy runs.
    let answer = gate.admin_post("/logging?wasm=debug");
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(!gate.log().contains("decision="));
    assert_eq!(gate.send(&request()).status, 401);
    eventually("the line", || gate.log().contains(expected));
    gate.send(&get("/").bearer(Token::good().signed()));
    for level in ["off", "info"] {
        gate.admin_post(&format!("/logging?wasm={level}"));
        assert_eq!(gate.send(&request()).status, 401, "{level}");
    }
    let log = gate.log();
    assert_eq!(log.matches("decision=").count(), 1, "{log}");
    for secret in ["secret", token.rsplit_once('.').unwrap().1] {
        assert!(!log.contains(secret), "{log}");
    }
}

#[test]
fn the_access_log_has_the_reason_of_a_refusal() {
    let format = "%RESPONSE_CODE% [%RESPONSE_FLAGS%] [%RESPONSE_CODE_DETAILS%] \
                  [%RESP(WWW-AUTHENTICATE)%] [%FILTER_STATE(wasm.sub:PLAIN)%] \
                  [%FILTER_STATE(wasm.bearer_gate.reason:PLAIN)%] [%FILTER_STATE(wasm.bearer_gate.rule:PLAIN)%]";
    assert!(document().contains("%RESP(WWW-AUTHENTICATE)%"));
    assert!(document().contains("%FILTER_STATE(wasm.bearer_gate.rule:PLAIN)%"));
    assert!(document().contains("%FILTER_STATE(wasm.bearer_gate.reason:PLAIN)%"));
    let issuer = Issuer::start();
    let mut config = Issuer::config();
    config["realm"] = "api".into();
    config["providers"]["cloud"]["claims_to_filter_state"] =
        json!([{"key": "sub", "claim_name": "sub"}]);
    config["rules"] = json!([
        {"match": {"path": "/open"}},
        {"match": {"prefix": "/"}, "requires": {"provider_name": "cloud"}},
    ]);
    let mut setup = Setup::trusting(&issuer).config(config);
    setup.connection_manager = json!({"access_log": [{
        "name": "envoy.access_loggers.stderr",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.access_loggers.stream.v3.StderrAccessLog",
            "log_format": {"text_format_source": {"inline_string": format!("LOG {format}\n")}},
        },
    }]});
    let gate = setup.start();
    gate.send(&get("/"));
    gate.send(&get("/").bearer(Token::good().claim("aud", "other").signed()));
    gate.send(&get("/").bearer(Token::good().signed()));
    for line in [
        "LOG 401 [-] [] [Bearer realm=\"api\"] [-] [missing] [rules[1]]\n",
        "LOG 401 [-] [] [Bearer realm=\"api\", error=\"invalid_token\", error_description=\"The \
         access token is meant for another audience\"] [-] [audience] [rules[1]]\n",
        "LOG 200 [-] [via_upstream] [-] [somebody] [-] [-]\n",
    ] {
        eventually(line, || gate.log().contains(line));
    }
}
