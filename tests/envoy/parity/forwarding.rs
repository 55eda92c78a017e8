//! What the upstream gets: tokens, claims and headers.

use serde_json::json;

use super::{Scenario, Token, Value, with_provider, with_providers, with_rules};
use crate::support::get;

pub(super) fn scenarios() -> Vec<Scenario> {
    let forwarded = forwarding();
    let camel = super::camel(&forwarded.config);
    let rows = forwarded.rows.clone();
    let mut in_camel = Scenario::new("forwarding, in lowerCamelCase", camel);
    in_camel.rows = rows;
    vec![
        forwarded,
        in_camel,
        forward(),
        extraction(),
        extraction_with_named_header(),
    ]
}

/// A token with a claim of every JSON type.
fn rich() -> Token {
    Token::good()
        .claim("text", "some text, \"quoted\" and \\")
        .claim("unicode", "Zoë")
        .claim("empty", "")
        .claim("yes", true)
        .claim("no", false)
        .claim("count", 42)
        .claim("negative", -5)
        .claim("large", 9_007_199_254_740_991_u64)
        .claim("list", json!(["a", 1, true, null, {"b": "c"}]))
        .claim("object", json!({"a": {"d": [1, 2]}}))
        .claim("nested", json!({"inner": {"deep": "found"}}))
        .claim("dotted.name", "dots")
        .claim("scope", "read write")
}

fn forwarding() -> Scenario {
    let headers = [
        ("x-text", "text"),
        ("x-unicode", "unicode"),
        ("x-empty", "empty"),
        ("x-yes", "yes"),
        ("x-no", "no"),
        ("x-count", "count"),
        ("x-large", "large"),
        ("x-list", "list"),
        ("x-object", "object"),
        ("x-nested", "nested.inner.deep"),
        ("x-inner", "nested.inner"),
        ("x-missing", "missing"),
        ("x-below-text", "text.inner"),
        ("x-scope", "scope"),
        ("X-Sub", "sub"),
        // Two claims in one header.
        ("x-two", "text"),
        ("X-Two", "count"),
        ("x-two", "missing"),
        ("x-two", "scope"),
    ];
    let headers: Vec<Value> = headers
        .iter()
        .map(|(header, claim)| json!({"header_name": header, "claim_name": claim}))
        .collect();
    let provider = json!({
        "forward_payload_header": "X-Payload",
        "claim_to_headers": headers,
    });
    let mut padded = provider.clone();
    padded["pad_forward_payload_header"] = true.into();
    padded["from_headers"] = json!([{"name": "x-token"}]);
    let config = with_providers(&json!({"p": provider, "padded": padded}));
    let config = with_rules(
        config,
        &[
            json!({"match": {"prefix": "/open"}}),
            json!({"match": {"prefix": "/padded"}, "requires": {"provider_name": "padded"}}),
            json!({"match": {"prefix": "/lenient"}, "requires": {"allow_missing_or_failed": {}}}),
        ],
    );
    let good = rich().signed();
    let forged = |path: &str| {
        get(path)
            .header("x-sub", "forged")
            .header("x-missing", "forged")
            .header("x-payload", "forged")
            .header("x-else", "kept")
    };
    let mut scenario = Scenario::new("forwarding", config)
        .row("every type", get("/a?b=c").bearer(&good), 200)
        .row(
            "a small token",
            get("/").bearer(Token::good().signed()),
            200,
        )
        .row("padded", get("/padded").header("x-token", &good), 200)
        .row("forged", forged("/").bearer(&good), 200)
        .row("forged, open", forged("/open"), 200)
        .row("forged, without a token", forged("/lenient"), 200)
        .row("forged, bad", forged("/lenient").bearer("a.b.c"), 200);
    for length in 1..5 {
        let token = Token::good().claim("fill", "x".repeat(length)).signed();
        let request = get("/padded").header("x-token", token);
        scenario = scenario.row(format!("padded, {length}"), request, 200);
    }
    scenario
}

fn forward() -> Scenario {
    let provider = |issuer: &str, forward: bool| {
        json!({
            "issuer": issuer,
            "forward": forward,
            "from_headers": [{"name": "x-token", "value_prefix": "JWT "}, {"name": "authorization", "value_prefix": "Bearer"}],
            "from_params": ["jwt"],
            "from_cookies": ["session"],
        })
    };
    let config = with_providers(&json!({
        "p": provider("https://gone.example", false),
        "q": provider("https://kept.example", true),
    }));
    let q = json!({"match": {"prefix": "/kept"}, "requires": {"provider_name": "q"}});
    let config = with_rules(config, &[q]);
    let mut scenario = Scenario::new("forward", config);
    for (path, issuer) in [
        ("/gone", "https://gone.example"),
        ("/kept", "https://kept.example"),
    ] {
        let good = Token::good().claim("iss", issuer).signed();
        scenario = scenario
            .row(format!("{path} bearer"), get(path).bearer(&good), 200)
            .row(
                format!("{path} header"),
                get(path).header("x-token", format!("JWT {good}")),
                200,
            )
            .row(
                format!("{path} parameter"),
                get(format!("{path}?jwt={good}")),
                200,
            )
            .row(
                format!("{path} first parameter"),
                get(format!("{path}?jwt={good}&a=b")),
                200,
            )
            .row(
                format!("{path} last parameter"),
                get(format!("{path}?a=b&jwt={good}")),
                200,
            );
    }
    scenario.row(
        "kept cookie",
        get("/kept").header(
            "cookie",
            format!(
                "session={}; a=b",
                Token::good().claim("iss", "https://kept.example").signed()
            ),
        ),
        200,
    )
}

/// Rules before one that needs a token of `p`, whose claims all of them forward.
fn extracting(rules: &[Value]) -> Value {
    let config = with_provider(&json!({
        "forward": true,
        "forward_payload_header": "x-payload",
        "claim_to_headers": [{"header_name": "x-sub", "claim_name": "sub"}],
    }));
    with_rules(config, rules)
}

/// A rule that extracts claims from requests for this path.
fn extract(fields: &Value) -> Value {
    json!({"extract_only_without_validation": fields})
}

fn rule(path: &str, requires: &Value) -> Value {
    json!({"match": {"path": path}, "requires": requires})
}

/// `scenario` with requests without a token of `p`. Bad tokens of `p` are one of the differences.
fn without_a_token_of_p(scenario: Scenario, path: &str) -> Scenario {
    let stranger = Token::good().claim("iss", "https://other.example").signed();
    scenario
        .row(format!("{path}, none"), get(path), 200)
        .row(
            format!("{path}, a stranger's"),
            get(path).bearer(&stranger),
            200,
        )
        .row(format!("{path}, no token"), get(path).bearer("a.b.c"), 200)
}

fn extraction() -> Scenario {
    let any = |list: Value| json!({"requires_any": {"requirements": list}});
    let p = json!({"provider_name": "p"});
    let config = extracting(&[
        rule("/extract", &extract(&json!({}))),
        rule("/any", &any(json!([p, extract(&json!({}))]))),
    ]);
    let mut scenario = Scenario::new("extraction", config);
    for path in ["/extract", "/any"] {
        scenario = without_a_token_of_p(scenario, path);
    }
    scenario.row(
        "/any, good",
        get("/any").bearer(Token::good().signed()),
        200,
    )
}

fn extraction_with_named_header() -> Scenario {
    let named = extract(&json!({"verification_status_header": "x-verified"}));
    let config = extracting(&[rule("/named", &named)]);
    without_a_token_of_p(
        Scenario::new("extraction with a named header", config),
        "/named",
    )
}
