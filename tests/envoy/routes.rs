//! A route names its requirement in its metadata.

use serde_json::{Value, json};

use crate::support::{Issuer, Setup, Token, get, keys};

/// A route for a prefix whose metadata names a requirement.
fn route(prefix: &str, requirement: &str) -> Value {
    json!({
        "match": {"prefix": prefix},
        "route": {"cluster": "upstream"},
        "metadata": {"filter_metadata": {"bearer_gate": {"requirement_name": requirement}}},
    })
}

fn setup(per_route_requirements: bool) -> Setup {
    let mut setup = Setup::new(json!({
        "providers": {"cloud": Issuer::local_provider(&[&keys::RSA])},
        "requirement_map": {
            "open": {"allow": {}},
            "writers": {"provider_name": "cloud", "scopes": ["write"]},
        },
        "rules": [
            {"match": {"path": "/by-rule/open"}, "requirement_name": "open"},
            {"match": {"path": "/by-rule/write"}, "requirement_name": "writers"},
            {"match": {"prefix": "/"}, "requires": {"provider_name": "cloud"}},
        ],
        "per_route_requirements": per_route_requirements,
    }));
    setup.connection_manager = json!({"route_config": {"virtual_hosts": [{
        "name": "all",
        "domains": ["*"],
        "routes": [
            route("/open", "open"),
            route("/write", "writers"),
            route("/unknown", "unheard-of"),
            {"match": {"prefix": "/"}, "route": {"cluster": "upstream"}},
        ],
    }]}});
    setup
}

#[test]
fn a_route_chooses_its_requirement() {
    let gate = setup(true).start();
    let plain = Token::good().signed();
    let writer = Token::good().claim("scope", "write").signed();
    for (path, token, status) in [
        ("/open", None, 200),
        ("/open/page", Some(&plain), 200),
        ("/write", None, 401),
        ("/write", Some(&plain), 403),
        ("/write", Some(&writer), 200),
        ("/unknown", None, 403),
        ("/unknown", Some(&writer), 403),
        ("/", None, 401),
        ("/", Some(&plain), 200),
        // An ambiguous path, which the upstream may read as another one, does not choose an open route.
        ("/open/../write", None, 401),
        ("/open/%2e%2e/write", None, 401),
    ] {
        let request = match token {
            Some(token) => get(path).bearer(token),
            None => get(path),
        };
        assert_eq!(gate.send(&request).status, status, "{path}");
    }
    gate.counts("denied.requirement", 2);
    assert_eq!(gate.upstream.count(), 4);
}

#[test]
fn routes_choose_no_requirement_by_default() {
    let gate = setup(false).start();
    let plain = Token::good().signed();
    for (path, token, status) in [
        ("/open", None, 401),
        ("/write", Some(&plain), 200),
        ("/unknown", Some(&plain), 200),
    ] {
        let request = match token {
            Some(token) => get(path).bearer(token),
            None => get(path),
        };
        assert_eq!(gate.send(&request).status, status, "{path}");
    }
}
