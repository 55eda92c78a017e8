//! What `docs/operations.md` promises to those who run the filter.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::support::{Envoy, Issuer, Server, Setup, Token, eventually, get, root};

fn document() -> String {
    fs::read_to_string(root().join("docs/operations.md")).unwrap()
}

/// The list of the document.
pub(crate) fn capabilities() -> Vec<String> {
    let text = document();
    let (_, list) = text.split_once("  allowed_capabilities:\n").unwrap();
    let (list, _) = list.split_once("```").unwrap();
    let name = |line: &str| line.trim().strip_suffix(": {}").unwrap().to_owned();
    list.lines().map(name).collect()
}

/// The filter, doing all that takes a capability, with no more than these.
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
fn the_filter_works_with_the_capabilities_of_the_list() {
    let all = capabilities();
    let may_be_withheld = ["proxy_call_foreign_function"];
    let mut fewer = all.clone();
    fewer.retain(|name| !may_be_withheld.contains(&name.as_str()));
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
        assert_eq!(gate.metric("jwks.cloud.keys"), 2);
        assert!(gate.log().contains("providers: cloud"), "{}", gate.log());
    }
}

/// Every import and export of the module that a capability is needed for.
#[test]
fn the_list_names_nothing_that_the_module_does_not_have() {
    let module = fs::read(root().join("target/wasm32-wasip1/release/bearer_gate.wasm")).unwrap();
    let list = capabilities();
    let unique: BTreeSet<&String> = list.iter().collect();
    assert_eq!(unique.len(), list.len(), "a capability is listed twice");
    for name in &list {
        // A name is preceded by its length.
        let mut bytes = vec![u8::try_from(name.len()).unwrap()];
        bytes.extend(name.as_bytes());
        let found = module.windows(bytes.len()).any(|window| window == bytes);
        assert!(found, "{name}");
    }
}

#[test]
fn configurations_that_arrive_later_are_taken_up_or_refused() {
    let (issuer, upstream) = (Issuer::start(), Server::echo());
    let directory =
        Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("listeners-{}", std::process::id()));
    fs::create_dir_all(&directory).unwrap();
    let file = directory.join("listeners.json");
    let mut version = 0;
    // Envoy takes up a file that is moved into the place of the old one.
    let mut publish = |audience: &Value| {
        let mut config = Issuer::config();
        config["providers"]["cloud"]["audiences"] = json!([audience]);
        let bootstrap = Setup::trusting(&issuer)
            .config(config)
            .bootstrap(upstream.port);
        let mut bootstrap: Value = serde_json::from_str(&bootstrap).unwrap();
        let mut listener = bootstrap["static_resources"]["listeners"][0].take();
        listener["@type"] = "type.googleapis.com/envoy.config.listener.v3.Listener".into();
        version += 1;
        let resources = json!({"version_info": version.to_string(), "resources": [listener]});
        fs::write(directory.join("new"), resources.to_string()).unwrap();
        fs::rename(directory.join("new"), &file).unwrap();
        bootstrap
    };
    let mut bootstrap = publish(&json!("first"));
    bootstrap["static_resources"]
        .as_object_mut()
        .unwrap()
        .remove("listeners");
    bootstrap["node"] = json!({"id": "test", "cluster": "test"});
    bootstrap["dynamic_resources"] = json!({"lds_config": {
        "resource_api_version": "V3",
        "path_config_source": {"path": file},
    }});
    let gate = Envoy::start(&bootstrap.to_string(), 2);
    let token = |audience: &str| Token::good().claim("aud", audience).signed();
    let status = |gate: &Envoy, audience: &str| gate.send(&get("/").bearer(token(audience))).status;
    assert_eq!(
        (status(&gate, "first"), status(&gate, "second")),
        (200, 401)
    );

    publish(&json!("second"));
    eventually("the new configuration is at work", || {
        status(&gate, "second") == 200
    });
    assert_eq!(status(&gate, "first"), 401);
    assert_eq!(issuer.server.count(), 1, "the keys are those of before");

    publish(&json!(""));
    let refused = "bearer-gate: configuration: providers.cloud.audiences[0]: must not be empty";
    eventually("the log says what is wrong", || {
        gate.log().contains(refused)
    });
    assert_eq!(
        (status(&gate, "first"), status(&gate, "second")),
        (401, 200)
    );
    drop(gate);
    let _ = fs::remove_dir_all(&directory);
}

#[test]
fn the_access_log_tells_why_a_request_was_refused() {
    let format = "%RESPONSE_CODE% [%RESPONSE_FLAGS%] [%RESPONSE_CODE_DETAILS%] \
                  [%RESP(WWW-AUTHENTICATE)%] [%FILTER_STATE(wasm.sub:PLAIN)%]";
    assert!(document().contains("%RESP(WWW-AUTHENTICATE)%"));
    let issuer = Issuer::start();
    let mut config = Issuer::config();
    config["realm"] = "api".into();
    config["providers"]["cloud"]["claims_to_filter_state"] =
        json!([{"key": "sub", "claim_name": "sub"}]);
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
        "LOG 401 [-] [] [Bearer realm=\"api\"] [-]\n",
        "LOG 401 [-] [] [Bearer realm=\"api\", error=\"invalid_token\", error_description=\"The \
         access token is meant for another audience\"] [-]\n",
        "LOG 200 [-] [via_upstream] [-] [somebody]\n",
    ] {
        eventually(line, || gate.log().contains(line));
    }
}
