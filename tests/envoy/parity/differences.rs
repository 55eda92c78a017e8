//! The differences between the filter and native `jwt_authn`, each shown on both sides. docs/differences.md has a
//! row with the same name for each of them.

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::json;

use super::key_sets::{self, with};
use super::{
    Issuer, Request, Sending, Token, Value, keys, raw, with_provider, with_providers, with_rules,
};
use crate::support::{AUDIENCE, ISSUER, get, now};

/// An observation on one side.
#[derive(Debug)]
pub(super) enum Sees {
    /// The status of the answer.
    Status(u16),
    /// A header of the upstream request, or its absence.
    Header(&'static str, Option<String>),
    /// The path and query of the upstream request.
    Target(String),
    /// The challenge of the answer.
    Challenge(String),
    /// The body of the answer.
    Body(String),
}

impl Sees {
    /// Whether this is about the header `name`.
    pub(super) fn is_about(&self, name: &str) -> bool {
        matches!(self, Self::Header(other, _) if *other == name)
    }
}

/// A difference.
pub(super) struct Difference {
    /// Its name in docs/differences.md.
    pub(super) name: &'static str,
    /// The configuration that shows it.
    pub(super) config: Value,
    /// Requests that show it: what native does, and what the filter does.
    pub(super) shown: Vec<(Sending, Vec<Sees>, Vec<Sees>)>,
}

impl Difference {
    pub(super) fn new(name: &'static str, config: Value) -> Self {
        let shown = Vec::new();
        Self {
            name,
            config,
            shown,
        }
    }

    fn shows(self, request: impl Into<Sending>, native: Sees, here: Sees) -> Self {
        self.shows_all(request, vec![native], vec![here])
    }

    fn shows_all(
        mut self,
        request: impl Into<Sending>,
        native: Vec<Sees>,
        here: Vec<Sees>,
    ) -> Self {
        self.shown.push((request.into(), native, here));
        self
    }

    pub(super) fn statuses(self, request: impl Into<Sending>, native: u16, here: u16) -> Self {
        self.shows(request, Sees::Status(native), Sees::Status(here))
    }
}

/// A key set with a shared secret.
fn shared_secret() -> String {
    let secret = URL_SAFE_NO_PAD.encode(SECRET);
    json!({"keys": [{"kty": "oct", "alg": "HS256", "kid": "secret", "k": secret}]}).to_string()
}

/// A token with an HMAC of the shared secret.
fn hs256() -> String {
    let claims = json!({"iss": ISSUER, "aud": AUDIENCE, "exp": now() + 3600}).to_string();
    let header = r#"{"alg": "HS256", "kid": "secret"}"#;
    let input = [header, &claims]
        .map(|part| URL_SAFE_NO_PAD.encode(part))
        .join(".");
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, SECRET), input.as_bytes());
    format!("{input}.{}", URL_SAFE_NO_PAD.encode(tag))
}

const SECRET: &[u8] = b"a secret of thirty-two bytes ...";

fn header(name: &'static str, value: impl Into<String>) -> Sees {
    Sees::Header(name, Some(value.into()))
}

fn no_header(name: &'static str) -> Sees {
    Sees::Header(name, None)
}

fn target(target: &str) -> Sees {
    Sees::Target(target.to_owned())
}

/// `GET /` with this token.
fn bearing(token: &Token) -> Request {
    get("/").bearer(token.signed())
}

/// A rule for a path.
fn rule(path: &str, requires: &Value) -> Value {
    json!({"match": {"path": path}, "requires": requires})
}

/// The differences that show only when the keys of the issuer change. docs/differences.md lists them last.
pub(super) const WHEN_KEYS_CHANGE: [&str; 3] =
    ["an unknown `kid`", "verified tokens", "`Cache-Control`"];

pub(super) fn differences() -> Vec<Difference> {
    [
        requests(),
        places(),
        tokens(),
        encodings_and_times(),
        keys_and_answers(),
        key_sets::differences(),
        upstream(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Which requests need which tokens.
fn requests() -> Vec<Difference> {
    let plain = with_provider(&json!({}));
    let unmatched = json!({
        "providers": plain["providers"],
        "rules": [{"match": {"prefix": "/api"}, "requires": {"provider_name": "p"}}],
    });
    let open = json!({"match": {"prefix": "/open/"}});
    let grpc = json!({"match": {"prefix": "/", "grpc": {}}});
    let p = json!({"provider_name": "p"});
    let both = json!({"requires_all": {"requirements": [p, {"provider_name": "q"}]}});
    let either = json!({"requires_any": {"requirements": [both, p]}});
    let in_headers = with_providers(&json!({
        "p": {"from_headers": [{"name": "x-p"}]},
        "q": {"from_headers": [{"name": "x-q"}]},
    }));
    let good = Token::good().signed();
    let long = format!("/{}", "x".repeat(4096));
    let regex = json!({"match": {"safe_regex": {"regex": "/x*"}}});
    vec![
        Difference::new("unmatched requests", unmatched).statuses(get("/"), 200, 401),
        Difference::new("no rules", json!({"providers": plain["providers"]})).statuses(
            get("/"),
            200,
            401,
        ),
        Difference::new("ambiguous paths", with_rules(plain.clone(), &[open]))
            .statuses(get("/open/../secret"), 200, 401)
            .statuses(get("/open/%2e%2e/secret"), 200, 401)
            .statuses(get("/open//secret"), 200, 401),
        Difference::new("long texts", with_rules(plain.clone(), &[regex])).statuses(
            get(long),
            200,
            400,
        ),
        Difference::new("`grpc` in a match", with_rules(plain, &[grpc])).statuses(
            get("/"),
            200,
            401,
        ),
        Difference::new(
            "alternatives that share a token",
            with_rules(in_headers, &[rule("/", &either)]),
        )
        .statuses(get("/").header("x-p", good), 401, 200),
    ]
}

/// Where tokens are in requests.
fn places() -> Vec<Difference> {
    let good = Token::good().signed();
    let bad = Token::good().claim("exp", 1).signed();
    let plain = with_provider(&json!({}));
    let two = with_provider(&json!({"from_headers": [{"name": "x-a"}, {"name": "x-b"}]}));
    let prefixed = with_provider(&json!({
        "from_headers": [{"name": "x-token", "value_prefix": "JWT "}],
    }));
    vec![
        Difference::new("default locations", plain.clone()).statuses(
            get(format!("/?access_token={good}")),
            200,
            401,
        ),
        Difference::new("several credentials", two)
            .statuses(get("/").header("x-a", &good).header("x-b", &good), 200, 400)
            .statuses(get("/").header("x-a", &good).header("x-b", &bad), 401, 400)
            .statuses(get("/").header("x-a", &good).header("x-a", &good), 200, 400),
        Difference::new("a repeated `Authorization`", plain.clone())
            .statuses(
                get("/").header("authorization", "Basic dTpw").bearer(&good),
                200,
                400,
            )
            .statuses(get("/").bearer(&good).bearer(&good), 401, 400),
        Difference::new("the word `Bearer`", plain.clone()).statuses(
            get("/").header("authorization", format!("bearer {good}")),
            401,
            200,
        ),
        Difference::new("malformed credentials", plain)
            .statuses(get("/").header("authorization", "Bearer"), 401, 400)
            .statuses(get("/").header("authorization", ""), 401, 400)
            .statuses(get("/").bearer(format!("{good} {good}")), 401, 400),
        Difference::new(
            "spaces in cookies",
            with_provider(&json!({"from_cookies": ["session"]})),
        )
        .statuses(
            get("/").header("cookie", format!("session = {good}")),
            401,
            200,
        ),
        Difference::new("`value_prefix`", prefixed).statuses(
            get("/").header("x-token", format!("a JWT {good}")),
            200,
            401,
        ),
    ]
}

/// What tokens must contain.
fn tokens() -> Vec<Difference> {
    let good = Token::good;
    let null = || json!(null);
    let plain = with_provider(&json!({}));
    let eternal = with_provider(&json!({"max_lifetime": "7200s"}));
    let deep = (0..40).fold(json!({}), |inner, _| json!([inner]));
    vec![
        Difference::new("`audiences`", plain.clone())
            .statuses(
                bearing(&good().claim("aud", "https://api.example/")),
                200,
                401,
            )
            .statuses(bearing(&good().claim("aud", "api.example")), 200, 401),
        Difference::new("another audience", plain.clone())
            .statuses(bearing(&good().claim("aud", "other")), 403, 401)
            .statuses(bearing(&good().claim("aud", null())), 403, 401),
        Difference::new("`require_expiration`", plain.clone()).statuses(
            bearing(&good().claim("exp", null())),
            200,
            401,
        ),
        Difference::new(
            "`clock_skew_seconds`",
            with_provider(&json!({"clock_skew_seconds": 0})),
        )
        .statuses(
            Sending::new(|| bearing(&Token::good().claim("exp", now() - 1))),
            200,
            401,
        ),
        Difference::new("`max_lifetime`", eternal)
            .statuses(bearing(&good().claim("iat", now() - 7000)), 200, 401)
            .statuses(bearing(&good().claim("iat", null())), 200, 401),
        Difference::new("`iat` in the future", plain.clone()).statuses(
            bearing(&good().claim("iat", now() + 3000)),
            200,
            401,
        ),
        Difference::new("`typ`", plain.clone())
            .statuses(bearing(&good().header("typ", "dpop+jwt")), 200, 401)
            .statuses(bearing(&good().header("typ", 1)), 200, 401),
        Difference::new("`crit`", plain.clone())
            .statuses(bearing(&good().header("crit", json!(["exp"]))), 200, 401)
            .statuses(bearing(&good().header("b64", false)), 200, 401),
        Difference::new("`cnf`", plain.clone()).statuses(
            bearing(&good().claim("cnf", json!({"kid": "x"}))),
            200,
            401,
        ),
        Difference::new("large tokens", plain)
            .statuses(bearing(&good().claim("fill", "x".repeat(16_384))), 200, 401)
            .statuses(bearing(&good().claim("deep", deep)), 200, 401),
    ]
}

/// How tokens are encoded, and the times in them.
fn encodings_and_times() -> Vec<Difference> {
    let plain = with_provider(&json!({}));
    let good = Token::good().signed();
    let with_time = |name: &str, value: Value| {
        let claims = json!({"iss": ISSUER, "aud": AUDIENCE, "exp": now() + 3600});
        let claims = with(claims, name, value).to_string();
        get("/").bearer(raw(r#"{"alg": "RS256", "kid": "rsa-1"}"#, &claims))
    };
    // A header whose base64url has one byte too little for a group.
    let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"RS256","kid":"rsa-1"} "#);
    let header = header.trim_end_matches('=');
    let claims = json!({"iss": ISSUER, "aud": AUDIENCE, "exp": now() + 3600}).to_string();
    let length = claims.len().next_multiple_of(3) + 1;
    let claims = STANDARD.encode(format!("{claims:<length$}"));
    let claims = claims.replace('+', "-").replace('/', "_");
    let input = format!("{header}.{claims}");
    let signature = URL_SAFE_NO_PAD.encode(keys::RSA.sign("RS256", input.as_bytes()));
    // The last four bits of a signature of 256 bytes are unused.
    let (front, last) = good.split_at(good.len() - 1);
    let unused = match last {
        "A" => "B",
        "Q" => "R",
        "g" => "h",
        _ => "x",
    };
    vec![
        Difference::new("padding in tokens", plain.clone()).statuses(
            get("/").bearer(format!("{input}.{signature}")),
            200,
            400,
        ),
        Difference::new("unused bits in base64url", plain.clone()).statuses(
            get("/").bearer(format!("{front}{unused}")),
            200,
            401,
        ),
        Difference::new("a fourth part", plain.clone()).statuses(
            get("/").bearer(format!("{good}.")),
            200,
            401,
        ),
        Difference::new("`exp: 0`", plain.clone()).statuses(with_time("exp", json!(0)), 200, 401),
        Difference::new("unusual times", plain)
            .statuses(with_time("nbf", json!(-1)), 401, 200)
            .statuses(with_time("iat", json!(-1)), 401, 200)
            .statuses(with_time("exp", json!(1e30)), 401, 200),
    ]
}

/// Keys, and answers to clients.
fn keys_and_answers() -> Vec<Difference> {
    let mut remote = Issuer::provider()["remote_jwks"].clone();
    remote["http_uri"]["cluster"] = "nobody".into();
    remote["http_uri"]["timeout"] = "2s".into();
    let plain = with_provider(&json!({}));
    vec![
        Difference::new("keys that cannot be had", with_provider(&json!({"remote_jwks": remote})))
            .statuses(bearing(&Token::good()), 401, 503),
        Difference::new("`alg` and key", plain.clone()).statuses(
            get("/").bearer(Token::good().header("alg", "RS256").signed_with(&keys::EC)),
            200,
            401,
        ),
        Difference::new(
            "HMAC",
            with_provider(&json!({"local_jwks": {"inline_string": shared_secret()}})),
        )
        .statuses(get("/").bearer(hs256()), 200, 401),
        Difference::new("challenges", plain.clone()).shows(
            get("/a?b"),
            Sees::Challenge(r#"Bearer realm="http://api.example/a?b""#.to_owned()),
            Sees::Challenge(r#"Bearer realm="api.example""#.to_owned()),
        ),
        Difference::new("bodies", plain).shows(
            get("/"),
            Sees::Body("Jwt is missing".to_owned()),
            Sees::Body(
                r#"{"error":"missing_token","error_description":"The request carries no access token"}"#
                    .to_owned(),
            ),
        ),
    ]
}

/// What the upstream gets.
fn upstream() -> Vec<Difference> {
    let good = Token::good().signed();
    let tier = json!({"claim_to_headers": [{"header_name": "x-tier", "claim_name": "tier"}]});
    let claims =
        |name: &str| json!({"claim_to_headers": [{"header_name": "x-claim", "claim_name": name}]});
    let extract = json!({"extract_only_without_validation": {}});
    let expired = format!("Bearer {}", Token::good().claim("exp", 1).signed());
    let extracting = with_rules(with_provider(&claims("sub")), &[rule("/", &extract)]);
    vec![
        Difference::new("numbers in headers", with_provider(&claims("number")))
            .shows(
                bearing(&Token::good().claim("number", -5)),
                header("x-claim", "-5.000000"),
                header("x-claim", "-5"),
            )
            .shows(
                bearing(&Token::good().claim("number", 1.5)),
                header("x-claim", "1.500000"),
                header("x-claim", "1.5"),
            ),
        Difference::new("JSON in headers", with_provider(&claims("list"))).shows(
            bearing(&Token::good().claim("list", json!(["a>b"]))),
            header("x-claim", STANDARD.encode(r#"["a\u003eb"]"#)),
            header("x-claim", STANDARD.encode(r#"["a>b"]"#)),
        ),
        Difference::new(
            "control characters in claims",
            with_provider(&claims("text")),
        )
        .statuses(bearing(&Token::good().claim("text", "a\r\nb: c")), 503, 200),
        Difference::new("white space around claims", with_provider(&claims("text"))).shows(
            bearing(&Token::good().claim("text", " admin")),
            header("x-claim", "admin"),
            no_header("x-claim"),
        ),
        Difference::new(
            "a token in a cookie",
            with_provider(&json!({"from_cookies": ["session"]})),
        )
        .shows(
            get("/").header("cookie", format!("a=b; session={good}; c=d")),
            header("cookie", format!("a=b; session={good}; c=d")),
            header("cookie", "a=b; c=d"),
        )
        .shows(
            get("/").header("cookie", format!("session={good}")),
            header("cookie", format!("session={good}")),
            no_header("cookie"),
        ),
        Difference::new(
            "the rest of the query",
            with_provider(&json!({"from_params": ["jwt"]})),
        )
        .shows(
            get(format!("/?x=1&y=%41&jwt={good}&z")),
            target("/?x=1&y=A&z="),
            target("/?x=1&y=%41&z"),
        )
        .statuses(get(format!("/?y=%20&jwt={good}")), 503, 200),
        Difference::new("`extract_only_without_validation`", extracting.clone())
            .shows(
                bearing(&Token::good()),
                no_header("x-jwt-signature-verified"),
                header("x-jwt-signature-verified", "false"),
            )
            .shows_all(
                get("/").header("authorization", &expired),
                vec![no_header("x-claim"), header("authorization", &expired)],
                vec![header("x-claim", "somebody"), no_header("authorization")],
            ),
        Difference::new("`clear_route_cache`", with_provider(&tier)).shows(
            bearing(&Token::good().claim("tier", "gold")),
            no_header("x-route"),
            header("x-route", "gold"),
        ),
        Difference::new(
            "the client's `x-jwt-signature-verified`",
            with_rules(extracting, &[]),
        )
        .shows(
            get("/other")
                .bearer(&good)
                .header("x-jwt-signature-verified", "true"),
            header("x-jwt-signature-verified", "true"),
            no_header("x-jwt-signature-verified"),
        ),
        Difference::new(
            "clients' copies of our headers spelled with `_`",
            with_provider(&claims("sub")),
        )
        .shows(
            get("/").bearer(&good).header("x_claim", "forged"),
            header("x_claim", "forged"),
            no_header("x_claim"),
        ),
    ]
}

/// What native accepts and the filter refuses: a path in a configuration, a value for it, and the error
/// of the filter.
pub(super) fn refused() -> Vec<(&'static str, Value, &'static str)> {
    let metadata = "a wasm filter cannot write dynamic metadata";
    vec![
        ("/providers/p/header_in_metadata", json!("x"), metadata),
        (
            "/providers/p/failed_status_in_metadata",
            json!("x"),
            metadata,
        ),
        (
            "/filter_state_rules",
            json!({"name": "x", "requires": {"x": {"provider_name": "p"}}}),
            "a wasm filter cannot read filter state safely",
        ),
        ("/rules/0/requires", json!({}), "is empty"),
        ("/rules/0/requires", json!(null), "is empty"),
        (
            "/rules/0/requires",
            json!({"provider_name": null}),
            "is empty",
        ),
        (
            "/requirement_map",
            json!({"r": {"provider_name": "p"}}),
            "nothing can name this requirement",
        ),
        (
            "/rules/0/match",
            json!({"connect_matcher": {}}),
            "a rule does not select CONNECT requests",
        ),
        (
            "/rules/0/match",
            json!({"prefix": "/", "runtime_fraction": {"default_value": {"numerator": 50}}}),
            "a wasm filter cannot read runtime values",
        ),
        (
            "/rules/0/match",
            json!({"prefix": "/", "tls_context": {"presented": true}}),
            "rules do not depend on the client certificate",
        ),
        (
            "/rules/0/match",
            json!({"prefix": "/", "dynamic_metadata": [{
                "filter": "x", "path": [{"key": "a"}], "value": {"double_match": {"exact": 1}},
            }]}),
            "conditions on numbers are not supported",
        ),
        (
            "/rules/0/match",
            // `\pL` is longer than Envoy before 1.39 allows.
            json!({"safe_regex": {"regex": "/\\p{Braille}+"}}),
            "is not a regular expression",
        ),
    ]
}
