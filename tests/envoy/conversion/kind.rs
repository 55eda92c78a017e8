//! A kind of configuration that is converted, and parts of such configurations.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::support::{Issuer, Request, Setup, keys, root};

pub(super) const TYPE: &str = "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3";

/// A kind of configuration.
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    pub(super) filters: Vec<Value>,
    /// The route configuration; `null` for one route to the upstream.
    pub(super) routes: Value,
    pub(super) paths: Vec<&'static str>,
    /// How a token is put into a request.
    pub(super) place: fn(Request, &str) -> Request,
}

impl Kind {
    /// The bootstrap of an Envoy with `jwt_authn`, and an upstream at this port.
    pub(crate) fn bootstrap(&self, upstream: u16) -> String {
        let mut setup = Setup::new(Value::Null);
        setup.instead = Some(self.filters.clone());
        if !self.routes.is_null() {
            setup.connection_manager = json!({"route_config": self.routes});
        }
        setup.bootstrap(upstream)
    }
}

pub(super) fn native(config: &Value) -> Value {
    named("envoy.filters.http.jwt_authn", config)
}

pub(super) fn named(name: &str, config: &Value) -> Value {
    let mut typed = config.clone();
    typed["@type"] = format!("{TYPE}.JwtAuthentication").into();
    json!({"name": name, "typed_config": typed})
}

pub(super) fn local() -> Value {
    Issuer::local_provider(&[&keys::RSA, &keys::EC])
}

pub(super) fn with(mut provider: Value, fields: &Value) -> Value {
    for (name, value) in fields.as_object().unwrap() {
        provider[name] = value.clone();
    }
    provider
}

pub(super) fn bearer(request: Request, token: &str) -> Request {
    request.bearer(token)
}

pub(super) fn per_route(choice: &Value) -> Value {
    let mut choice = choice.clone();
    choice["@type"] = format!("{TYPE}.PerRouteConfig").into();
    json!({"envoy.filters.http.jwt_authn": choice})
}

pub(super) fn route(prefix: &str, choice: &Value) -> Value {
    let mut route = json!({"match": {"prefix": prefix}, "route": {"cluster": "upstream"}});
    if !choice.is_null() {
        route["typed_per_filter_config"] = per_route(choice);
    }
    route
}

/// Writes a file for this process.
pub(crate) fn file(name: &str, content: &str) -> PathBuf {
    let directory = root()
        .join("target/tmp")
        .join(format!("conversion-{}", std::process::id()));
    fs::create_dir_all(&directory).unwrap();
    let path = directory.join(name);
    fs::write(&path, content).unwrap();
    path
}
