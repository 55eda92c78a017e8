//! With an invalid configuration Envoy does not start, and the log says where the error is.

use serde_json::json;

use crate::support::{Issuer, Setup, Token, get};

#[test]
fn the_error_in_a_configuration_is_logged_with_its_path() {
    let without_cluster = json!({"providers": {"cloud": {"remote_jwks": {
        "http_uri": {"uri": "https://issuer.example/jwks"},
    }}}});
    let mut misspelt = Issuer::config();
    misspelt["providers"]["cloud"]["audience"] = "https://api.example".into();
    for (config, line) in [
        (
            without_cluster,
            "providers.cloud.remote_jwks.http_uri.cluster: missing field",
        ),
        (misspelt, "providers.cloud.audience: unknown field"),
        (json!("{]"), "not JSON: key must be a string"),
        (json!({}), "is empty"),
    ] {
        let mut forms = vec![config];
        // As a Struct and as a string: the message is the same.
        if forms[0]
            .as_object()
            .is_some_and(|fields| !fields.is_empty())
        {
            forms.push(json!(forms[0].to_string()));
        }
        for config in forms {
            let log = Setup::new(config).refused();
            let expected = format!("bearer-gate: configuration: {line}");
            assert!(log.contains(&expected), "not {expected:?} but\n{log}");
        }
    }
}

#[test]
fn a_configuration_may_be_a_string_or_a_struct() {
    let issuer = Issuer::start();
    for config in [Issuer::config(), json!(Issuer::config().to_string())] {
        let gate = Setup::trusting(&issuer).config(config).start();
        let answer = gate.send(&get("/").bearer(Token::good().signed()));
        assert_eq!(answer.status, 200);
    }
}
