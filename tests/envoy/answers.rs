//! The answers to refused requests: RFC 6750, section 3, and gRPC.

use std::cell::Cell;

use gate::answer::Answer;
use gate::policy::Policy;
use gate::reason::{Reason, ReasonKind};
use proptest::prelude::Strategy;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};
use tonic::Code;

use crate::support::{
    Challenge, Gate, Issuer, NOBODY, Response, Setup, Token, call, get, keys, now,
};

fn expired() -> String {
    Token::good().claim("exp", now() - 3600).signed()
}

#[test]
fn a_missing_token_is_challenged_without_an_error() {
    let issuer = Issuer::start();
    let gate = Setup::trusting(&issuer).start();
    let answer = gate.send(&get("/"));
    assert_eq!(
        answer.header("www-authenticate"),
        Some("Bearer realm=\"api.example\"")
    );
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.json()["error"], "missing_token");
}

#[test]
fn a_bad_token_is_challenged_with_the_error_and_a_description() {
    let issuer = Issuer::start();
    let mut config = Issuer::config();
    config["realm"] = "the \"cloud\"".into();
    let gate = Setup::trusting(&issuer).config(config).start();
    let answer = gate.send(&get("/").bearer(expired()));
    assert_eq!(
        answer.header("www-authenticate"),
        Some(
            r#"Bearer realm="the \"cloud\"", error="invalid_token", error_description="The access token expired""#
        )
    );
    assert_eq!(
        answer.json()["error_description"],
        "The access token expired"
    );
}

#[test]
fn a_realm_from_the_authority_cannot_break_out_of_its_quotes() {
    let issuer = Issuer::start();
    let gate = Setup::trusting(&issuer).start();
    // An absolute target replaces the `Host` header and may contain the same characters.
    let answer = gate.send(&get("http://a\",error=\"x/"));
    if answer.status == 401 {
        let challenge = answer.header("www-authenticate").unwrap_or_default();
        assert_eq!(challenge, r#"Bearer realm="a\",error=\"x""#);
    } else {
        assert_eq!(answer.status, 400, "Envoy refuses it");
    }
}

/// A gate with a path for every kind of answer, and a provider `gone` whose key server is down.
fn gate_of_all_answers(change: &Value) -> Gate {
    let cloud = Issuer::local_provider(&[&keys::RSA]);
    let mut gone = Issuer::impatient_config()["providers"]["cloud"].take();
    gone["remote_jwks"]["http_uri"]["cluster"] = "nobody".into();
    let rule =
        |path: &str, requires: Value| json!({"match": {"prefix": path}, "requires": requires});
    let paid = json!([{"claim_name": "paid", "exact": true}]);
    let mut config = json!({
        "providers": {"cloud": cloud, "gone": gone},
        "rules": [
            rule("/scope", json!({"provider_name": "cloud", "scopes": ["read", "write"]})),
            rule("/claims", json!({"provider_name": "cloud", "claims": paid})),
            rule("/keys", json!({"provider_name": "gone"})),
            rule("/", json!({"provider_name": "cloud"})),
        ],
    });
    for (name, value) in change.as_object().into_iter().flatten() {
        config[name] = value.clone();
    }
    Setup::new(config).cluster_at("nobody", NOBODY).start()
}

/// A row of the table of answers.
struct Row {
    path: &'static str,
    token: Option<String>,
    status: u16,
    /// `error` of the challenge.
    error: &'static str,
    /// `error` of the body.
    body: &'static str,
    grpc: Code,
}

fn rows() -> [Row; 6] {
    let row = |path, token: Option<String>, status, error, body, grpc| Row {
        path,
        token,
        status,
        error,
        body,
        grpc,
    };
    let good = Some(Token::good().signed());
    let two = Some(format!("{0} {0}", Token::good().signed()));
    [
        row("/", None, 401, "", "missing_token", Code::Unauthenticated),
        // Envoy has no better gRPC status for 400.
        row(
            "/",
            two,
            400,
            "invalid_request",
            "invalid_request",
            Code::Internal,
        ),
        row(
            "/",
            Some(expired()),
            401,
            "invalid_token",
            "invalid_token",
            Code::Unauthenticated,
        ),
        row(
            "/scope",
            good.clone(),
            403,
            "insufficient_scope",
            "insufficient_scope",
            Code::PermissionDenied,
        ),
        row(
            "/claims",
            good.clone(),
            403,
            "",
            "access_denied",
            Code::PermissionDenied,
        ),
        row(
            "/keys",
            good,
            503,
            "",
            "temporarily_unavailable",
            Code::Unavailable,
        ),
    ]
}

impl Row {
    fn check(&self, answer: &Response, over: &str) {
        let which = format!("{} {} over {over}: {answer:?}", self.path, self.status);
        assert_eq!(answer.status, self.status, "{which}");
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{which}");
        assert_eq!(
            answer.header("content-type"),
            Some("application/json"),
            "{which}"
        );
        assert_eq!(answer.error(), self.body, "{which}");
        let described = answer.json()["error_description"]
            .as_str()
            .unwrap()
            .to_owned();
        assert!(!described.is_empty(), "{which}");
        let unavailable = self.status == 503;
        assert_eq!(
            answer.header("retry-after").is_some(),
            unavailable,
            "{which}"
        );
        let Some(challenge) = Challenge::from_response(answer).unwrap() else {
            assert!(unavailable, "{which}");
            return;
        };
        assert_eq!(challenge.parameter("error"), self.error, "{which}");
        let told = if self.error.is_empty() {
            ""
        } else {
            &described
        };
        assert_eq!(challenge.parameter("error_description"), told, "{which}");
        let scope = if self.path == "/scope" {
            "read write"
        } else {
            ""
        };
        assert_eq!(challenge.parameter("scope"), scope, "{which}");
    }
}

/// Sends a request over HTTP/2.
fn over_http2(gate: &Gate, path: &str, token: Option<&str>) -> Response {
    let client = reqwest::blocking::Client::builder()
        .http2_prior_knowledge()
        .no_proxy()
        .build()
        .unwrap();
    let mut request = client.get(format!("http://127.0.0.1:{}{path}", gate.port));
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    let answer = request.send().unwrap();
    assert_eq!(answer.version(), reqwest::Version::HTTP_2);
    let text = |value: &reqwest::header::HeaderValue| value.to_str().unwrap().to_owned();
    Response {
        status: answer.status().as_u16(),
        headers: answer
            .headers()
            .iter()
            .map(|(name, value)| (name.to_string(), text(value)))
            .collect(),
        body: answer.bytes().unwrap().to_vec(),
    }
}

#[test]
fn every_answer_is_the_same_over_http1_http2_and_grpc() {
    let gate = gate_of_all_answers(&json!({}));
    for row in rows() {
        let token = row.token.as_deref();
        let request = match token {
            Some(token) => get(row.path).bearer(token),
            None => get(row.path),
        };
        let answer = gate.send(&request);
        row.check(&answer, "HTTP/1.1");
        row.check(&over_http2(&gate, row.path, token), "HTTP/2");
        let path = match row.path {
            "/" => "/package.Service/Method",
            "/scope" => "/scope.Service/Method",
            "/claims" => "/claims.Service/Method",
            _ => "/keys.Service/Method",
        };
        let status = call(&gate, path, token);
        assert_eq!(status.code(), row.grpc, "{path} {status:?}");
        let described = &answer.json()["error_description"];
        assert_eq!(status.message(), described.as_str().unwrap());
    }
    assert_eq!(gate.upstream.count(), 0);
    let good = Token::good().signed();
    assert_eq!(over_http2(&gate, "/", Some(&good)).status, 200);
    call(&gate, "/package.Service/Method", Some(&good));
    assert_eq!(gate.upstream.count(), 2);
}

#[test]
fn a_stripped_answer_has_only_its_status() {
    let gate = gate_of_all_answers(&json!({"strip_failure_response": true}));
    for row in rows() {
        let request = match &row.token {
            Some(token) => get(row.path).bearer(token),
            None => get(row.path),
        };
        let answer = gate.send(&request);
        assert_eq!(
            (answer.status, answer.body.len()),
            (row.status, 0),
            "{answer:?}"
        );
        assert_eq!(answer.header("www-authenticate"), None);
        assert_eq!(answer.header("content-type"), None);
        assert_eq!(answer.header("cache-control"), Some("no-store"));
    }
}

#[test]
fn a_prefix_separates_the_counters_of_two_filters() {
    let gate = gate_of_all_answers(&json!({"stat_prefix": "edge"}));
    assert_eq!(gate.send(&get("/")).status, 401);
    gate.counts("edge.denied.missing", 1);
    gate.counts("denied.missing", 0);
}

/// Text designed to break out of quotes, headers and parsers.
fn odd_text() -> impl Strategy<Value = String> {
    let pieces = proptest::sample::select(vec![
        "\"",
        "\\",
        "\\\"",
        ",",
        ", error=\"x",
        "=",
        ";",
        " ",
        "\t",
        "Bearer ",
        "realm=",
        "é",
        "\u{7f}",
        "%22",
        "%0d%0a",
        "'",
        "<",
        ">",
        "{",
        "|",
        "a",
        "api.example",
        ":80",
        "[::1]",
        "@",
        "*",
        "(",
        "/",
        "?",
        "#",
        "..",
        "\u{1F600}",
    ]);
    proptest::collection::vec(pieces, 1..8).prop_map(|pieces| pieces.concat())
}

fn run<T: std::fmt::Debug>(cases: u32, strategy: &impl Strategy<Value = T>, test: impl Fn(T)) {
    let config = Config {
        failure_persistence: None,
        ..Config::with_cases(cases)
    };
    TestRunner::new(config)
        .run(strategy, |case| {
            test(case);
            Ok(())
        })
        .unwrap();
}

/// A host or path with odd characters, some of which Envoy refuses.
fn odd_authority() -> impl Strategy<Value = String> {
    let pieces = proptest::sample::select(vec![
        ",",
        "=",
        ";",
        "'",
        "(",
        ")",
        "*",
        "!",
        "$",
        "&",
        "+",
        "~",
        "@",
        ":",
        ":80",
        "[::1]",
        "%22",
        "%0d%0a",
        "%5c",
        "error=x",
        "realm=",
        "Bearer",
        "a",
        "api.example",
        "..",
        "-",
        "_",
        "\"",
    ]);
    proptest::collection::vec(pieces, 1..8).prop_map(|pieces| pieces.concat())
}

#[test]
fn no_host_or_path_breaks_the_challenge() {
    let gate = gate_of_all_answers(&json!({}));
    let challenged = Cell::new(0);
    let expired = expired();
    run(400, &(odd_authority(), odd_authority()), |(host, path)| {
        for request in [
            get(format!("/{path}?{path}")).host(&host),
            get("/").host(&host).bearer(&expired),
        ] {
            let answer = gate.send(&request);
            let challenge =
                Challenge::from_response(&answer).unwrap_or_else(|problem| panic!("{problem}"));
            if let Some(challenge) = challenge {
                assert_eq!(challenge.parameter("realm"), host);
                challenged.set(challenged.get() + 1);
            }
        }
    });
    // The HTTP parser refuses the others.
    assert!(challenged.get() > 300, "{} challenges", challenged.get());
}

/// Text for a scope or a URL, which the configuration may refuse.
fn odd_word() -> impl Strategy<Value = String> {
    let pieces = proptest::sample::select(vec![
        "a", "b:c", "/", "//", "%20", "%2f", "%", "'", "(", ")", ",", ";", "=", "?", "#", "@",
        ":8443", "[::1]", "..", ".", "~", "!", "$", "&", "*", "+", "\"", "\\", " ", "\t", "\u{e9}",
        "<", "{", "|", "^", "`", "error",
    ]);
    proptest::collection::vec(pieces, 1..5).prop_map(|pieces| pieces.concat())
}

/// A configuration with odd texts wherever they get into challenges.
fn odd_config() -> impl Strategy<Value = (Value, String)> {
    let words = proptest::collection::vec(odd_word(), 5);
    (odd_text(), odd_text(), words).prop_map(|(realm, authority, words)| {
        let [scope, any, path, host, url] = &words[..] else {
            return (Value::Null, authority);
        };
        let config = json!({
            "providers": {"cloud": Issuer::local_provider(&[&keys::RSA])},
            "realm": realm,
            "rules": [{"match": {"prefix": "/"}, "requires": {
                "provider_name": "cloud", "scopes": [scope], "any_scope": [any],
            }}],
            "resource_metadata": [
                {"resource": format!("https://api.example/{path}")},
                {"resource": format!("https://{host}.example")},
                {"resource": "https://other.example", "metadata_url": format!("https://a/{url}")},
            ],
        });
        (config, authority)
    })
}

/// The configuration without the fields that it is refused for; `None` if it still is.
fn valid_part(mut config: Value) -> Option<Policy> {
    for _ in 0..8 {
        let error = match gate_config::parse_json(config.to_string().as_bytes()) {
            Ok(policy) => return Some(policy),
            Err(error) => error.to_string(),
        };
        let requires = &mut config["rules"][0]["requires"];
        if error.contains(".any_scope") {
            requires.as_object_mut()?.remove("any_scope");
        } else if error.contains(".scopes") {
            requires.as_object_mut()?.remove("scopes");
        } else {
            let place = error.strip_prefix("resource_metadata[")?;
            let index: usize = place.split(']').next()?.parse().ok()?;
            config["resource_metadata"].as_array_mut()?.remove(index);
        }
        if config["resource_metadata"].as_array()?.is_empty() {
            config.as_object_mut()?.remove("resource_metadata");
        }
    }
    None
}

#[test]
fn no_configuration_breaks_the_challenge() {
    // Each case would need its own Envoy; the module makes the text with the same code.
    let (scopes, resources) = (Cell::new(0), Cell::new(0));
    run(500, &odd_config(), |(config, authority)| {
        let Some(policy) = valid_part(config) else {
            return;
        };
        let requirement = &policy.rules.listed()[0].requirement;
        let realm = policy.options.realm.clone().unwrap_or_default();
        let visible: String = realm.chars().filter(|c| matches!(c, ' '..='~')).collect();
        for host in ["api.example", "a.example", "other.example", &authority] {
            let headers = [(":authority", host), (":path", "/")];
            let headers = headers.map(|(name, value)| (name.as_bytes(), value.as_bytes()));
            let request = gate::request::Request::from_headers(headers);
            // Proofs are refused with the scheme DPoP, which these configurations do not take.
            let of_proofs = ["invalid_dpop_proof", "use_dpop_nonce"];
            let kinds = ReasonKind::ALL.iter();
            for kind in kinds.filter(|kind| !of_proofs.contains(&kind.error())) {
                let mut reason = kind.example();
                if let Reason::Scope { required } = &mut reason {
                    required.clone_from(&requirement.challenge_scope);
                }
                let answer = Answer::refusal(&reason, &policy, &request, Some(requirement), None);
                let headers = answer.headers.iter();
                let answer = Response {
                    status: answer.status,
                    headers: headers
                        .map(|(name, value)| ((*name).to_owned(), value.clone().into_owned()))
                        .collect(),
                    body: answer.body.into_owned().into_bytes(),
                };
                let challenge =
                    Challenge::from_response(&answer).unwrap_or_else(|problem| panic!("{problem}"));
                let Some(challenge) = challenge else {
                    assert_eq!(answer.status, 503);
                    continue;
                };
                assert_eq!(challenge.parameter("realm"), visible);
                let resource = policy.resources.for_request(&request);
                let url = resource.map_or("", |one| one.metadata_url.as_str());
                assert_eq!(challenge.parameter("resource_metadata"), url);
                let scope = challenge.parameter("scope");
                let is_named = answer.status == 401 || *kind == ReasonKind::Scope;
                let expected = if is_named {
                    &*requirement.challenge_scope
                } else {
                    ""
                };
                assert_eq!(scope, expected);
                scopes.set(scopes.get() + usize::from(!scope.is_empty()));
                resources.set(resources.get() + usize::from(!url.is_empty()));
            }
        }
    });
    // Enough of the odd texts are valid.
    assert!(scopes.get() > 500, "{}", scopes.get());
    assert!(resources.get() > 500, "{}", resources.get());
}
