//! The filter replaces native `jwt_authn`: the same configuration and the same requests, with native in
//! one Envoy and with the filter in another. Status, upstream headers and path are the same, except for
//! the [`differences`] that docs/differences.md lists.

mod changes;
mod differences;
mod forwarding;
mod key_sets;
mod rules;
mod tokens;

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::support::{
    Envoy, Issuer, Key, NOBODY, Request, Response, Server, Setup, Token, bootstrap_of, cluster,
    eventually, get, keys, root,
};
use changes::{different_in_this_envoy, native_knows};
use differences::{Difference, Sees, WHEN_KEYS_CHANGE, differences, refused};

/// Makes a request at the time it is sent, since a token may be valid for a short time only.
#[derive(Clone)]
struct Sending(Rc<dyn Fn() -> Request>);

impl Sending {
    fn new(request: impl Fn() -> Request + 'static) -> Self {
        Self(Rc::new(request))
    }

    fn request(&self) -> Request {
        (self.0)()
    }
}

impl From<Request> for Sending {
    fn from(request: Request) -> Self {
        Self::new(move || request.clone())
    }
}

/// A configuration, and requests that both handle in the same way, with their statuses.
struct Scenario {
    /// The subject, which is also the name of the listener.
    name: &'static str,
    config: Value,
    rows: Vec<(String, Sending, u16)>,
}

impl Scenario {
    fn new(name: &'static str, config: Value) -> Self {
        let rows = Vec::new();
        Self { name, config, rows }
    }

    /// Adds a request.
    fn row(mut self, what: impl Into<String>, request: impl Into<Sending>, status: u16) -> Self {
        self.rows.push((what.into(), request.into(), status));
        self
    }
}

/// A configuration in which every request needs a token of the provider `p`, which has the keys and
/// `fields`.
fn with_provider(fields: &Value) -> Value {
    with_providers(&json!({ "p": fields }))
}

/// A configuration with these providers in which every request needs a token of `p`. A provider without
/// a source of keys gets the keys of the issuer.
fn with_providers(providers: &Value) -> Value {
    let mut providers = providers.clone();
    let local = Issuer::local_provider(&[&keys::RSA, &keys::EC]);
    for provider in providers.as_object_mut().unwrap().values_mut() {
        for (name, value) in local.as_object().unwrap() {
            let has_keys = name == "local_jwks" && provider.get("remote_jwks").is_some();
            if provider.get(name).is_none() && !has_keys {
                provider[name] = value.clone();
            }
        }
    }
    json!({
        "providers": providers,
        "rules": [{"match": {"prefix": "/"}, "requires": {"provider_name": "p"}}],
    })
}

/// `config` with these rules before the one that requires a token of `p`.
fn with_rules(mut config: Value, rules: &[Value]) -> Value {
    let last = config["rules"][0].clone();
    config["rules"] = [rules, &[last]].concat().into();
    config
}

/// A token with exactly this header and these claims, signed with the RSA key of the issuer.
fn raw(header: &str, claims: &str) -> String {
    let input = format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(header),
        URL_SAFE_NO_PAD.encode(claims)
    );
    let signature = keys::RSA.sign("RS256", input.as_bytes());
    format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// `value` with the names of all fields in lowerCamelCase.
fn camel(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let fields = fields.iter().map(|(name, value)| {
                let mut words = name.split('_');
                let mut renamed = words.next().unwrap_or_default().to_owned();
                for word in words {
                    renamed.push_str(&word[..1].to_ascii_uppercase());
                    renamed.push_str(&word[1..]);
                }
                (renamed, camel(value))
            });
            Value::Object(fields.collect())
        }
        Value::Array(values) => values.iter().map(camel).collect(),
        other => other.clone(),
    }
}

/// The result of a request.
#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    status: u16,
    /// The path and query that the upstream got, if the request reached it.
    target: Option<String>,
    headers: BTreeMap<String, String>,
    /// The challenge and the body of a refusal. They are not compared.
    challenge: String,
    body: String,
}

impl Outcome {
    fn from_response(answer: &Response) -> Self {
        let echo = answer.json();
        let headers = echo["headers"].as_object().into_iter().flatten();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        Self {
            status: answer.status,
            target: echo["target"].as_str().map(str::to_owned),
            headers: headers
                .filter(|(name, _)| *name != "x-request-id")
                .map(|(name, value)| (name.clone(), text(value)))
                .collect(),
            challenge: answer.header("www-authenticate").unwrap_or_default().into(),
            body: String::from_utf8_lossy(&answer.body).into_owned(),
        }
    }

    fn sees(&self, sees: &Sees) -> bool {
        match sees {
            Sees::Status(status) => self.status == *status,
            Sees::Header(name, value) => {
                self.headers.get(*name).map(String::as_str) == value.as_deref()
            }
            Sees::Target(target) => self.target.as_deref() == Some(target),
            Sees::Challenge(challenge) => self.challenge == *challenge,
            Sees::Body(body) => self.body == *body,
        }
    }

    /// A readable description of how two outcomes differ.
    fn difference(&self, other: &Self) -> String {
        let mut found = vec![format!("{} / {}", self.status, other.status)];
        if self.status == other.status {
            if self.target != other.target {
                found.push(format!("{:?} / {:?}", self.target, other.target));
            }
            let names: BTreeSet<&String> =
                self.headers.keys().chain(other.headers.keys()).collect();
            for name in names {
                let (one, another) = (self.headers.get(name), other.headers.get(name));
                if one != another {
                    found.push(format!("{name}: {one:?} / {another:?}"));
                }
            }
        }
        found.join(", ")
    }

    /// What must be the same on both sides, without what `sees` describes.
    fn without(&self, sees: &[Sees]) -> (u16, Option<&String>, BTreeMap<&String, &String>) {
        let target = !sees.iter().any(|sees| matches!(sees, Sees::Target(_)));
        let described = |name: &str| {
            matches!(
                sees.iter().find(|one| one.is_about(name)),
                Some(Sees::Header(..))
            )
        };
        (
            self.status,
            self.target.as_ref().filter(|_| target),
            self.headers
                .iter()
                .filter(|(name, _)| !described(name))
                .collect(),
        )
    }
}

/// Native `jwt_authn` and the filter, each in its own Envoy with a listener for every configuration.
struct Pair {
    native: Envoy,
    here: Envoy,
    issuer: Issuer,
    /// Serves the key sets of [`key_sets::served`] at the cluster `sets`.
    sets: Server,
    _upstream: Server,
}

impl Pair {
    fn start(configs: &[(&str, &Value)]) -> Self {
        let (issuer, upstream) = (Issuer::start(), Server::echo());
        let sets = Server::start(|request| key_sets::served(&request.target).into());
        let clusters = [
            cluster("upstream", upstream.port),
            cluster("issuer", issuer.server.port),
            cluster("sets", sets.port),
            cluster("nobody", NOBODY),
        ];
        let start = |setup: fn(&Value) -> Setup| {
            let listeners: Vec<(&str, Value)> = configs
                .iter()
                .map(|(name, config)| {
                    let mut setup = setup(config);
                    setup.connection_manager = routes();
                    (*name, setup.filter_chain())
                })
                .collect();
            Envoy::start(&bootstrap_of(&listeners, &clusters), 1)
        };
        Self {
            native: start(native),
            here: start(|config| Setup::new(config.clone())),
            issuer,
            sets,
            _upstream: upstream,
        }
    }

    fn outcomes(&self, listener: &str, request: &Request) -> (Outcome, Outcome) {
        let outcome = |envoy: &Envoy| Outcome::from_response(&envoy.send_to(listener, request));
        (outcome(&self.native), outcome(&self.here))
    }
}

/// Routes, one of which is chosen by a header and tells the upstream so.
fn routes() -> Value {
    let cluster = json!({"cluster": "upstream", "timeout": "0s"});
    let gold = json!([{"name": "x-tier", "string_match": {"exact": "gold"}}]);
    json!({"route_config": {"virtual_hosts": [{
        "name": "all",
        "domains": ["*"],
        "routes": [
            {
                "match": {"prefix": "/", "headers": gold},
                "route": cluster,
                "request_headers_to_add": [{"header": {"key": "x-route", "value": "gold"}}],
            },
            {"match": {"safe_regex": {"regex": ".*"}}, "route": cluster},
        ],
    }]}})
}

/// Native `jwt_authn` with this configuration.
fn native(config: &Value) -> Setup {
    let mut config = config.clone();
    config["@type"] =
        "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication".into();
    let mut setup = Setup::new(json!({}));
    setup.instead = Some(vec![
        json!({"name": "envoy.filters.http.jwt_authn", "typed_config": config}),
    ]);
    setup
}

#[test]
fn the_same_configuration_has_the_same_effect_except_for_the_listed_differences() {
    let scenarios: Vec<Scenario> = rules::scenarios()
        .into_iter()
        .chain(tokens::scenarios())
        .chain(forwarding::scenarios())
        .chain(key_sets::scenarios())
        .filter(|one| native_knows(one.name, &one.config))
        .collect();
    let older = different_in_this_envoy();
    let mut differences = differences();
    differences.retain(|one| native_knows(one.name, &one.config) && !older.contains(&one.name));
    let configs: Vec<(&str, &Value)> = scenarios
        .iter()
        .map(|scenario| (scenario.name, &scenario.config))
        .chain(differences.iter().map(|one| (one.name, &one.config)))
        .collect();
    let pair = Pair::start(&configs);
    let mut failures = Vec::new();
    let mut compared = 0;
    for scenario in &scenarios {
        for (what, request, status) in &scenario.rows {
            compared += 1;
            let row = format!("{}: {what}", scenario.name);
            let (native, here) = pair.outcomes(scenario.name, &request.request());
            let same = native.without(&[]) == here.without(&[]);
            if older.contains(&row.as_str()) {
                if same || here.status != *status {
                    failures.push(format!("{row}: {} / {}", native.status, here.status));
                }
            } else if !same {
                let difference = native.difference(&here);
                failures.push(format!("{row}: {difference}"));
            } else if native.status != *status {
                failures.push(format!("{row}: {} twice", native.status));
            }
        }
    }
    for difference in &differences {
        for failure in difference.failures(&pair) {
            failures.push(format!("{}: {failure}", difference.name));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(compared > 300, "only {compared} requests");
}

impl Difference {
    /// Deviations from what the difference says.
    fn failures(&self, pair: &Pair) -> Vec<String> {
        let mut failures = Vec::new();
        for (request, native_sees, here_sees) in &self.shown {
            let (native, here) = pair.outcomes(self.name, &request.request());
            let both = format!(
                "\n native {native:?}\n here   {here:?}\n {}",
                native.difference(&here)
            );
            for (side, outcome, sees) in
                [("native", &native, native_sees), ("here", &here, here_sees)]
            {
                for one in sees.iter().filter(|one| !outcome.sees(one)) {
                    failures.push(format!("{side} does not see {one:?}:{both}"));
                }
            }
            if native_sees.iter().all(|one| here.sees(one)) {
                failures.push(format!("is no longer a difference:{both}"));
            }
            let comparable = native.status == here.status;
            if comparable && native.without(native_sees) != here.without(native_sees) {
                failures.push(format!("differs in something else as well:{both}"));
            }
        }
        failures
    }
}

#[test]
fn three_of_the_differences_show_when_keys_change() {
    let remote = |cache_duration: &str| {
        let mut jwks = Issuer::provider()["remote_jwks"].clone();
        jwks["cache_duration"] = cache_duration.into();
        with_provider(&json!({"remote_jwks": jwks, "jwt_cache_config": {"jwt_cache_size": 10}}))
    };
    let (long, short) = (remote("3600s"), remote("1s"));
    let perishable = key_sets::remote("/perishable", "3600s");
    let pair = Pair::start(&[
        ("long", &long),
        ("short", &short),
        ("perishable", &perishable),
    ]);
    let token = |number: u64, key: &Key| {
        let token = Token::good().claim("jti", number.to_string());
        get("/").bearer(token.signed_with(key))
    };
    let statuses = |listener: &str, request: &Request| {
        let (native, here) = pair.outcomes(listener, request);
        (native.status, here.status)
    };
    let withdrawn = token(1, &keys::RSA);
    for listener in ["long", "short", "perishable"] {
        assert_eq!(statuses(listener, &withdrawn), (200, 200));
    }
    pair.issuer.publish(&[&keys::RSA_2]);
    // An unknown `kid`: native waits until the cache duration is over.
    assert_eq!(statuses("long", &token(2, &keys::RSA_2)), (401, 200));
    // Verified tokens: native remembers them longer than their key.
    eventually("native has the new keys", || {
        statuses("short", &token(3, &keys::RSA_2)) == (200, 200)
    });
    eventually("the filter has forgotten the withdrawn key", || {
        statuses("short", &withdrawn) == (200, 401)
    });
    // `Cache-Control`: native waits until the cache duration is over.
    pair.sets.reply(Issuer::published(&[&keys::RSA_2]));
    eventually("the filter has the new keys", || {
        statuses("perishable", &withdrawn) == (200, 401)
    });
}

/// The page about differences.
fn page() -> String {
    std::fs::read_to_string(root().join("docs/differences.md")).unwrap()
}

#[test]
fn fields_that_a_wasm_filter_cannot_support_are_refused_and_the_page_names_them() {
    let page = page();
    let changed: Vec<(&str, Value, &str)> = refused()
        .into_iter()
        .map(|(pointer, value, problem)| {
            let mut config = with_provider(&json!({}));
            let (parent, name) = pointer.rsplit_once('/').unwrap();
            config.pointer_mut(parent).unwrap()[name] = value;
            (name, config, problem)
        })
        .collect();
    let names: Vec<String> = (0..changed.len()).map(|index| index.to_string()).collect();
    let listeners: Vec<(&str, Value)> = names
        .iter()
        .zip(&changed)
        .map(|(name, (_, config, _))| (name.as_str(), native(config).filter_chain()))
        .collect();
    // Envoy starts: native accepts all of them.
    Envoy::start(&bootstrap_of(&listeners, &[cluster("upstream", NOBODY)]), 1);
    for (name, config, problem) in changed {
        let error = gate_config::parse_json(config.to_string().as_bytes()).unwrap_err();
        assert!(error.to_string().contains(problem), "{name}: {error}");
        assert!(
            name == "match" || page.contains(&format!("`{name}`")),
            "{name}"
        );
    }
}

#[test]
fn the_page_lists_the_differences() {
    let page = page();
    let listed: Vec<&str> = page
        .lines()
        .filter_map(|line| line.strip_prefix("| <a id=\"")?.split_once("\"></a>"))
        .filter_map(|(_, row)| row.split(" | ").next())
        .collect();
    let differences = differences();
    let known = differences.iter().map(|one| one.name);
    let known: Vec<&str> = known.chain(WHEN_KEYS_CHANGE).collect();
    assert_eq!(listed, known);
    assert_eq!(known.len(), known.iter().collect::<BTreeSet<_>>().len());
    // What, jwt_authn, bearer-gate, who is affected.
    let rows = page.lines().filter(|line| line.starts_with("| "));
    for row in rows {
        let cells = row
            .trim_matches('|')
            .split(" | ")
            .filter(|cell| !cell.trim().is_empty());
        assert_eq!(cells.count(), 4, "{row}");
    }
}
