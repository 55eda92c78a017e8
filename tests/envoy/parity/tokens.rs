//! Where tokens are, what they must contain, and how they are signed.

use serde_json::json;

use super::{Issuer, Key, Scenario, Sending, Token, Value, keys, with_provider};
use crate::support::{AUDIENCE, ISSUER, get, now};

pub(super) fn scenarios() -> Vec<Scenario> {
    vec![
        locations(),
        authorization(),
        claims(),
        skew(),
        lifetime(),
        audiences(),
        remote(),
        signatures(),
        algorithms(),
    ]
    .into_iter()
    .chain(subjects())
    .collect()
}

fn authorization() -> Scenario {
    let good = Token::good().signed();
    let plain = || get("/");
    Scenario::new("authorization", with_provider(&json!({})))
        .row("none", plain(), 401)
        .row("good", plain().bearer(&good), 200)
        .row(
            "good, EC",
            plain().bearer(Token::good().signed_with(&keys::EC)),
            200,
        )
        .row(
            "several spaces",
            plain().header("authorization", format!("Bearer   {good}")),
            200,
        )
        .row(
            "no space",
            plain().header("authorization", format!("Bearer{good}")),
            401,
        )
        .row("no scheme", plain().header("authorization", &good), 401)
        .row(
            "another scheme",
            plain().header("authorization", "Basic dTpw"),
            401,
        )
        .row("not a token", plain().bearer("a.b.c"), 401)
        .row("two parts", plain().bearer("e30.e30"), 401)
        .row("another header", plain().header("x-token", &good), 401)
        .row(
            "a cookie",
            plain().header("cookie", format!("token={good}")),
            401,
        )
        .row("another parameter", get(format!("/?token={good}")), 401)
        .row(
            "query and path stay",
            get("/a/b%20c?d=%20&e").bearer(&good),
            200,
        )
        .row(
            "POST",
            plain()
                .method("POST")
                .header("content-length", "0")
                .bearer(&good),
            200,
        )
}

fn locations() -> Scenario {
    let config = with_provider(&json!({
        "from_headers": [
            {"name": "X-Token"},
            {"name": "x-prefixed", "value_prefix": "JWT "},
            {"name": "x-tight", "value_prefix": "JWT:"},
            {"name": "authorization", "value_prefix": "Bearer "},
        ],
        "from_params": ["jwt", "token"],
        "from_cookies": ["session", "other"],
        "forward": true,
    }));
    let good = Token::good().signed();
    let bad = Token::good().claim("exp", 1).signed();
    let with = |name: &str, value: String| get("/").header(name, value);
    let cookie = |value: String| get("/").header("cookie", value);
    Scenario::new("locations", config)
        .row("nowhere", get("/"), 401)
        .row("header", with("x-token", good.clone()), 200)
        .row("bad in header", with("x-token", bad.clone()), 401)
        .row(
            "header with prefix",
            with("x-prefixed", format!("JWT {good}")),
            200,
        )
        .row(
            "header without its prefix",
            with("x-prefixed", good.clone()),
            401,
        )
        .row(
            "header with another prefix",
            with("x-prefixed", format!("Bearer {good}")),
            401,
        )
        .row(
            "prefix without space",
            with("x-tight", format!("JWT:{good}")),
            200,
        )
        .row("authorization, listed", get("/").bearer(&good), 200)
        .row("parameter", get(format!("/?jwt={good}")), 200)
        .row(
            "second parameter",
            get(format!("/?a=b&token={good}&c=d")),
            200,
        )
        .row("bad parameter", get(format!("/?jwt={bad}")), 401)
        .row(
            "access_token is not listed",
            get(format!("/?access_token={good}")),
            401,
        )
        .row("cookie", cookie(format!("session={good}")), 200)
        .row(
            "second cookie",
            cookie(format!("a=b; other={good}; c=d")),
            200,
        )
        .row("bad cookie", cookie(format!("session={bad}")), 401)
        .row("another cookie", cookie(format!("token={good}")), 401)
}

/// A scenario in which requests differ only in their token.
fn of_tokens(name: &'static str, config: Value, tokens: &[(&str, Token, u16)]) -> Scenario {
    tokens.iter().fold(
        Scenario::new(name, config),
        |scenario, (what, token, status)| {
            scenario.row(*what, get("/").bearer(token.signed()), *status)
        },
    )
}

fn claims() -> Scenario {
    let good = Token::good;
    of_tokens(
        "claims",
        with_provider(&json!({})),
        &[
            (
                "another issuer",
                good().claim("iss", "https://other.example"),
                401,
            ),
            (
                "an issuer with a slash",
                good().claim("iss", "https://issuer.example/"),
                401,
            ),
            ("no issuer", good().claim("iss", json!(null)), 401),
            ("expired", good().claim("exp", now() - 3600), 401),
            (
                "expired, beyond the skew",
                good().claim("exp", now() - 90),
                401,
            ),
            ("not yet valid", good().claim("nbf", now() + 3600), 401),
            (
                "not yet valid, within the skew",
                good().claim("nbf", now() + 30),
                200,
            ),
            (
                "not yet valid, beyond the skew",
                good().claim("nbf", now() + 1800),
                401,
            ),
            ("valid since", good().claim("nbf", now() - 10), 200),
            ("no iat", good().claim("iat", json!(null)), 200),
            ("no sub", good().claim("sub", json!(null)), 200),
            ("exp as text", good().claim("exp", "tomorrow"), 401),
            ("an issuer that is a number", good().claim("iss", 1), 401),
            (
                "audiences, one fits",
                good().claim("aud", json!(["a", "https://api.example"])),
                200,
            ),
            ("jti that is a number", good().claim("jti", 1), 401),
            ("sub that is a number", good().claim("sub", 1), 401),
            ("iat as text", good().claim("iat", "x"), 401),
            ("nbf as text", good().claim("nbf", "x"), 401),
            ("jti", good().claim("jti", "1"), 200),
            ("typ JWT", good().header("typ", "JWT"), 200),
            ("no typ", good().header("typ", json!(null)), 200),
            ("alg none", good().header("alg", "none"), 401),
            ("another alg", good().header("alg", "HS256"), 401),
        ],
    )
    .row(
        "expired, within the skew",
        Sending::new(|| get("/").bearer(Token::good().claim("exp", now() - 1).signed())),
        200,
    )
}

fn skew() -> Scenario {
    of_tokens(
        "skew",
        with_provider(&json!({"clock_skew_seconds": 86_400, "require_expiration": true})),
        &[
            ("within", Token::good().claim("exp", now() - 40_000), 200),
            ("beyond", Token::good().claim("exp", now() - 90_000), 401),
            (
                "nbf within",
                Token::good().claim("nbf", now() + 40_000),
                200,
            ),
            (
                "nbf beyond",
                Token::good().claim("nbf", now() + 130_000),
                401,
            ),
            ("no exp", Token::good().claim("exp", json!(null)), 401),
        ],
    )
}

fn lifetime() -> Scenario {
    of_tokens(
        "lifetime",
        with_provider(&json!({"max_lifetime": "7200s", "require_expiration": true})),
        &[
            ("shorter", Token::good(), 200),
            ("longer", Token::good().claim("exp", now() + 20_000), 401),
            ("no exp", Token::good().claim("exp", json!(null)), 401),
        ],
    )
}

fn audiences() -> Scenario {
    let config = with_provider(&json!({"audiences": [], "issuer": ""}));
    let mut config = config;
    let provider = config["providers"]["p"].as_object_mut().unwrap();
    provider.remove("issuer");
    provider.remove("audiences");
    of_tokens(
        "any issuer and audience",
        config,
        &[
            ("a token", Token::good(), 200),
            ("no issuer", Token::good().claim("iss", json!(null)), 200),
            (
                "another issuer",
                Token::good().claim("iss", "https://other.example"),
                200,
            ),
            ("no audience", Token::good().claim("aud", json!(null)), 200),
            ("another audience", Token::good().claim("aud", "other"), 200),
            ("expired", Token::good().claim("exp", 1), 401),
        ],
    )
}

fn subjects() -> Vec<Scenario> {
    let scenario = |name, subjects: Value, rows: &[(&str, u16)]| {
        let rows: Vec<(&str, Token, u16)> = rows
            .iter()
            .map(|(subject, status)| (*subject, Token::good().claim("sub", *subject), *status))
            .chain([("none", Token::good().claim("sub", json!(null)), 401)])
            .collect();
        of_tokens(name, with_provider(&json!({"subjects": subjects})), &rows)
    };
    vec![
        scenario(
            "subjects, exact",
            json!({"exact": "a"}),
            &[("a", 200), ("A", 401), ("ab", 401)],
        ),
        scenario(
            "subjects, prefix",
            json!({"prefix": "a/"}),
            &[("a/b", 200), ("b/a/", 401)],
        ),
        scenario(
            "subjects, suffix",
            json!({"suffix": "/a"}),
            &[("b/a", 200), ("/ab", 401)],
        ),
        scenario(
            "subjects, contains",
            json!({"contains": "b"}),
            &[("abc", 200), ("ac", 401)],
        ),
        scenario(
            "subjects, regex",
            json!({"safe_regex": {"regex": "a.*c"}}),
            &[("abc", 200), ("xabc", 401), ("ac", 200)],
        ),
        scenario(
            "subjects, ignore_case",
            json!({"exact": "aB", "ignore_case": true}),
            &[("Ab", 200), ("b", 401)],
        ),
    ]
}

fn remote() -> Scenario {
    let mut config = with_provider(&json!({"remote_jwks": Issuer::provider()["remote_jwks"]}));
    config["providers"]["p"]["remote_jwks"]["cache_duration"] = "300s".into();
    Scenario::new("remote", config)
        .row("RSA", get("/").bearer(Token::good().signed()), 200)
        .row(
            "EC",
            get("/").bearer(Token::good().signed_with(&keys::EC)),
            200,
        )
        .row(
            "another key",
            get("/").bearer(Token::good().signed_with(&keys::RSA_2)),
            401,
        )
        .row("none", get("/"), 401)
}

fn signatures() -> Scenario {
    let forged = Key::new("rsa-1", "RS256");
    let claims = json!({"iss": ISSUER, "aud": AUDIENCE, "exp": now() + 3600}).to_string();
    let twice = claims.replacen('{', r#"{"sub": "a", "sub": "b", "#, 1);
    let twice = super::raw(r#"{"alg": "RS256", "kid": "rsa-1"}"#, &twice);
    let unnamed = |algorithm: &str| super::raw(&json!({"alg": algorithm}).to_string(), &claims);
    Scenario::new("signatures", with_provider(&json!({})))
        .row(
            "of another key of that name",
            get("/").bearer(Token::good().signed_with(&forged)),
            401,
        )
        .row(
            "of an unknown key",
            get("/").bearer(Token::good().signed_with(&keys::EC_2)),
            401,
        )
        .row("without a name", get("/").bearer(unnamed("RS256")), 200)
        .row(
            "without a name, by another algorithm",
            get("/").bearer(unnamed("ES256")),
            401,
        )
        .row("a name that is given twice", get("/").bearer(twice), 401)
        .row(
            "by another key's name",
            get("/").bearer(Token::good().header("kid", "ec-1").signed()),
            401,
        )
}

fn algorithms() -> Scenario {
    let names = [
        "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA",
    ];
    let keys = [
        Key::new("rsa", "RS256"),
        Key::new("p-256", "ES256"),
        Key::new("p-384", "ES384"),
        Key::new("p-521", "ES512"),
        Key::new("ed", "EdDSA"),
    ];
    let set: Vec<Value> = keys.iter().map(Key::jwk).collect();
    let set = json!({ "keys": set }).to_string();
    let config = with_provider(&json!({"local_jwks": {"inline_string": set}}));
    let mut scenario = Scenario::new("algorithms", config);
    for name in names {
        for key in &keys {
            let fits = match key.algorithm {
                "RS256" => name.starts_with("RS") || name.starts_with("PS"),
                other => name == other,
            };
            if fits {
                let token = Token::good().header("alg", name).signed_with(key);
                scenario = scenario.row(name, get("/").bearer(token), 200);
            }
        }
    }
    scenario
}
