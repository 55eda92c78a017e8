//! Which requests need which tokens.

use serde_json::json;

use super::{Scenario, Token, Value, keys, with_provider, with_providers, with_rules};
use crate::support::get;

pub(super) fn scenarios() -> Vec<Scenario> {
    vec![
        paths(),
        headers(),
        older_header_matches(),
        other_json_forms(),
        query(),
        preflights(),
    ]
    .into_iter()
    .chain(requirements())
    .collect()
}

/// A rule that requires nothing.
fn open(matcher: &Value) -> Value {
    json!({ "match": matcher })
}

fn paths() -> Scenario {
    let rules = [
        open(&json!({"prefix": "/prefix"})),
        open(&json!({"path": "/path"})),
        open(&json!({"path_separated_prefix": "/separated"})),
        open(&json!({"safe_regex": {"regex": "/regex/[0-9]+(a|bc)?"}})),
        open(&json!({"safe_regex": {"google_re2": {}, "regex": "/re2/\\d{2}"}})),
        open(&json!({"prefix": "/Any-Prefix", "case_sensitive": false})),
        open(&json!({"path": "/Any-Path", "case_sensitive": false})),
        open(&json!({"path_separated_prefix": "/Any-Separated", "case_sensitive": false})),
        json!({"match": {"prefix": "/first"}, "requires": {"provider_name": "p"}}),
        open(&json!({"prefix": "/first/open"})),
    ];
    let mut scenario = Scenario::new("paths", with_rules(with_provider(&json!({})), &rules));
    for (target, status) in [
        ("/prefix", 200),
        ("/prefixes", 200),
        ("/prefix/a", 200),
        ("/prefix?a=b", 200),
        ("/prefix?a=/../b", 200),
        ("/Prefix", 401),
        ("/pre", 401),
        ("/", 401),
        ("/path", 200),
        ("/path?a=b", 200),
        ("/path?", 200),
        ("/path/", 401),
        ("/path/a", 401),
        ("/Path", 401),
        ("/separated", 200),
        ("/separated/a", 200),
        ("/separated?a", 200),
        ("/separateda", 401),
        ("/Separated", 401),
        ("/regex/1", 200),
        ("/regex/12a", 200),
        ("/regex/12bc?x", 200),
        ("/regex/12b", 401),
        ("/regex/a", 401),
        ("/regex/1/", 401),
        ("/a/regex/1", 401),
        ("/re2/12", 200),
        ("/re2/1", 401),
        ("/any-prefix/a", 200),
        ("/ANY-PREFIX", 200),
        ("/any-path", 200),
        ("/ANY-PATH", 200),
        ("/any-path/", 401),
        ("/any-separated/A", 200),
        ("/ANY-SEPARATED", 200),
        ("/any-separateda", 401),
        ("/first/open", 401),
        ("/a?b=/prefix", 401),
    ] {
        scenario = scenario.row(target, get(target), status);
    }
    scenario.row("another method", get("/path").method("DELETE"), 200)
}

/// Headers, and whether Envoy joins repeated ones with a comma before filters see them.
const REPEATED: [(&str, bool); 9] = [
    ("accept", true),
    ("content-type", true),
    ("origin", true),
    ("referer", true),
    ("user-agent", true),
    ("x-forwarded-for", true),
    ("x-h", false),
    ("x-tenant", false),
    ("accept-language", false),
];
/// The header matches that Envoy has replaced by `string_match`.
fn older_header_matches() -> Scenario {
    let range = json!({"start": -5, "end": "10"});
    let conditions = [
        ("/exact", json!({"exact_match": "a"})),
        ("/exact-empty", json!({"exact_match": ""})),
        ("/prefix", json!({"prefix_match": "a"})),
        ("/suffix", json!({"suffix_match": "a"})),
        ("/contains", json!({"contains_match": "a"})),
        (
            "/regex",
            json!({"safe_regex_match": {"regex": "a+", "google_re2": {"max_program_size": 9}}}),
        ),
        ("/range", json!({ "range_match": range })),
        ("/empty-range", json!({"range_match": {}})),
        (
            "/not-range",
            json!({"range_match": range, "invert_match": true}),
        ),
        (
            "/missing-exact",
            json!({"string_match": {"exact": ""}, "treat_missing_header_as_empty": true}),
        ),
        (
            "/missing-not-exact",
            json!({"exact_match": "a", "invert_match": true, "treat_missing_header_as_empty": true}),
        ),
        (
            "/missing-present",
            json!({"present_match": true, "treat_missing_header_as_empty": true}),
        ),
        (
            "/missing-absent",
            json!({"present_match": false, "treat_missing_header_as_empty": true}),
        ),
        ("/missing", json!({"treat_missing_header_as_empty": true})),
    ];
    let rules: Vec<Value> = conditions
        .iter()
        .map(|(path, condition)| {
            let mut condition = condition.clone();
            condition["name"] = "x".into();
            open(&json!({"path": path, "headers": [condition]}))
        })
        .collect();
    let config = with_rules(with_provider(&json!({})), &rules);
    let mut scenario = Scenario::new("older header matches", config);
    // The status for each value; the first is that without the header.
    let values = ["", "a", "aa", "ba", "7", "-5", "10", "9.5", "+3", "007"];
    for (path, absent, statuses) in [
        ("/exact", 401, "o+oooooooo"),
        ("/exact-empty", 401, "++++++++++"),
        ("/prefix", 401, "o++ooooooo"),
        ("/suffix", 401, "o+++oooooo"),
        ("/contains", 401, "o+++oooooo"),
        ("/regex", 401, "o++ooooooo"),
        ("/range", 401, "oooo++oo++"),
        ("/empty-range", 401, "oooooooooo"),
        ("/not-range", 401, "++++oo++oo"),
        ("/missing-exact", 200, "+ooooooooo"),
        ("/missing-not-exact", 200, "+o++++++++"),
        ("/missing-present", 200, "++++++++++"),
        ("/missing-absent", 401, "oooooooooo"),
        ("/missing", 200, "++++++++++"),
    ] {
        scenario = scenario.row(format!("{path} without"), get(path), absent);
        for (value, status) in values.into_iter().zip(statuses.chars()) {
            let status = if status == '+' { 200 } else { 401 };
            let request = get(path).header("x", value);
            scenario = scenario.row(format!("{path} {value:?}"), request, status);
        }
    }
    scenario
}

/// What the JSON of a protobuf message may look like for Envoy: the only element of a list in its place,
/// and wrapped and quoted values.
fn other_json_forms() -> Scenario {
    let provider = json!({
        "audiences": "one",
        "from_headers": {"name": "x-token"},
        "forward": "true",
        "clock_skew_seconds": "60",
        "claim_to_headers": {"header_name": "x-sub", "claim_name": "sub"},
    });
    let rule = open(&json!({
        "prefix": "/OPEN",
        "case_sensitive": {"value": false},
        "headers": {"name": "x", "exact_match": "a"},
    }));
    let token = |audience: &str| Token::good().claim("aud", audience).signed();
    Scenario::new(
        "other forms of JSON",
        with_rules(with_provider(&provider), &[rule]),
    )
    .row("open", get("/open").header("x", "a"), 200)
    .row("closed", get("/open").header("x", "b"), 401)
    .row("good", get("/").header("x-token", token("one")), 200)
    .row("without", get("/"), 401)
}

fn headers() -> Scenario {
    let conditions = [
        ("/exact", json!({"string_match": {"exact": "a"}})),
        ("/prefix", json!({"string_match": {"prefix": "a"}})),
        ("/suffix", json!({"string_match": {"suffix": "a"}})),
        ("/contains", json!({"string_match": {"contains": "a"}})),
        (
            "/regex",
            json!({"string_match": {"safe_regex": {"regex": "a.c"}}}),
        ),
        (
            "/case",
            json!({"string_match": {"exact": "aB", "ignore_case": true}}),
        ),
        ("/present", json!({"present_match": true})),
        ("/absent", json!({"present_match": false})),
        ("/named", json!({})),
        (
            "/not-exact",
            json!({"string_match": {"exact": "a"}, "invert_match": true}),
        ),
        (
            "/not-present",
            json!({"present_match": true, "invert_match": true}),
        ),
        (
            "/not-absent",
            json!({"present_match": false, "invert_match": true}),
        ),
    ];
    let mut rules: Vec<Value> = conditions
        .iter()
        .map(|(path, condition)| {
            let mut condition = condition.clone();
            condition["name"] = "X-H".into();
            open(&json!({"path": path, "headers": [condition]}))
        })
        .collect();
    rules.push(open(&json!({"path": "/method", "headers": [
        {"name": ":method", "string_match": {"exact": "POST"}},
    ]})));
    rules.push(open(&json!({"path": "/authority", "headers": [
        {"name": ":authority", "string_match": {"exact": "api.example"}},
    ]})));
    rules.push(open(&json!({"path": "/both", "headers": [
        {"name": "x-h", "string_match": {"exact": "a"}},
        {"name": "x-i", "present_match": true},
    ]})));
    for (name, _) in REPEATED {
        for value in ["a,b", "a"] {
            let condition = json!({"name": name, "string_match": {"exact": value}});
            let path = format!("/{name}/{value}");
            rules.push(open(&json!({"path": path, "headers": [condition]})));
        }
    }
    let mut scenario = Scenario::new("headers", with_rules(with_provider(&json!({})), &rules));
    for (name, joined) in REPEATED {
        for (value, matches) in [("a,b", joined), ("a", !joined)] {
            let target = format!("/{name}/{value}");
            let request = get(&target).header(name, "a").header(name, "b");
            let status = if matches { 200 } else { 401 };
            scenario = scenario.row(format!("repeated, {target}"), request, status);
        }
    }
    for (path, value, status) in [
        ("/exact", "a", 200),
        ("/exact", "A", 401),
        ("/exact", "ab", 401),
        ("/exact", "", 401),
        ("/prefix", "ab", 200),
        ("/prefix", "ba", 401),
        ("/suffix", "ba", 200),
        ("/suffix", "ab", 401),
        ("/contains", "bab", 200),
        ("/contains", "b", 401),
        ("/regex", "abc", 200),
        ("/regex", "xabc", 401),
        ("/regex", "abcd", 401),
        ("/case", "Ab", 200),
        ("/case", "abc", 401),
        ("/present", "", 200),
        ("/present", "a", 200),
        ("/absent", "a", 401),
        ("/absent", "", 401),
        ("/named", "a", 200),
        ("/named", "", 200),
        ("/not-exact", "a", 401),
        ("/not-exact", "b", 200),
        ("/not-present", "a", 401),
        ("/not-absent", "a", 200),
        ("/both", "a", 401),
    ] {
        let request = get(path).header("x-h", value);
        scenario = scenario.row(format!("{path} {value:?}"), request, status);
    }
    for (path, status) in [
        ("/exact", 401),
        ("/prefix", 401),
        ("/present", 401),
        ("/absent", 200),
        ("/named", 401),
        ("/not-exact", 401),
        ("/not-present", 200),
        ("/not-absent", 401),
        ("/method", 401),
        ("/authority", 200),
    ] {
        scenario = scenario.row(format!("{path} without"), get(path), status);
    }
    let twice = |path: &str| get(path).header("x-h", "a").header("x-h", "b");
    scenario
        .row("a method", get("/method").method("POST"), 200)
        .row(
            "both",
            get("/both").header("x-h", "a").header("x-i", "b"),
            200,
        )
        .row("repeated, exact", twice("/exact"), 200)
        .row("repeated, prefix", twice("/prefix"), 200)
        .row("repeated, joined", twice("/regex"), 401)
        .row(
            "repeated, the second",
            get("/exact").header("x-h", "b").header("x-h", "a"),
            200,
        )
        .row("repeated, inverted", twice("/not-exact"), 401)
        .row(
            "repeated, the second inverted",
            get("/not-exact").header("x-h", "b").header("x-h", "a"),
            401,
        )
        .row("another case", get("/exact").header("X-h", "a"), 200)
}

fn query() -> Scenario {
    let conditions = [
        ("/exact", json!({"string_match": {"exact": "a"}})),
        ("/prefix", json!({"string_match": {"prefix": "a"}})),
        ("/suffix", json!({"string_match": {"suffix": "a"}})),
        ("/contains", json!({"string_match": {"contains": "a"}})),
        (
            "/regex",
            json!({"string_match": {"safe_regex": {"regex": "a.c"}}}),
        ),
        (
            "/case",
            json!({"string_match": {"exact": "aB", "ignore_case": true}}),
        ),
        ("/present", json!({"present_match": true})),
        ("/absent", json!({"present_match": false})),
        ("/named", json!({})),
    ];
    let rules: Vec<Value> = conditions
        .iter()
        .map(|(path, condition)| {
            let mut condition = condition.clone();
            condition["name"] = "q".into();
            open(&json!({"path": path, "query_parameters": [condition]}))
        })
        .collect();
    let mut scenario = Scenario::new("query", with_rules(with_provider(&json!({})), &rules));
    for (target, status) in [
        ("/exact?q=a", 200),
        ("/exact?q=A", 401),
        ("/exact?q=ab", 401),
        ("/exact?q=", 401),
        ("/exact?q", 401),
        ("/exact", 401),
        ("/exact?Q=a", 401),
        ("/exact?x=1&q=a", 200),
        ("/exact?q=a&q=b", 200),
        ("/exact?q=b&q=a", 401),
        ("/exact?q=%61", 401),
        ("/exact?%71=a", 401),
        ("/prefix?q=ab", 200),
        ("/prefix?q=ba", 401),
        ("/suffix?q=ba", 200),
        ("/suffix?q=ab", 401),
        ("/contains?q=bab", 200),
        ("/contains?q=b", 401),
        ("/regex?q=abc", 200),
        ("/regex?q=xabc", 401),
        ("/case?q=Ab", 200),
        ("/present?q=", 200),
        ("/present?q", 200),
        ("/present?x", 401),
        ("/absent?q", 401),
        ("/absent?x", 200),
        ("/named?q", 200),
        ("/named?x", 401),
    ] {
        scenario = scenario.row(target, get(target), status);
    }
    scenario
}

fn preflights() -> Scenario {
    let claim = json!([{"header_name": "x-sub", "claim_name": "sub"}]);
    let mut config = with_provider(&json!({"claim_to_headers": claim}));
    config["bypass_cors_preflight"] = true.into();
    let options = || get("/").method("OPTIONS");
    let preflight = || {
        options()
            .header("origin", "https://app.example")
            .header("access-control-request-method", "GET")
    };
    Scenario::new("preflights", config)
        .row("a preflight", preflight(), 200)
        .row(
            "a header of ours",
            preflight().header("x-sub", "forged"),
            200,
        )
        .row(
            "without origin",
            options().header("access-control-request-method", "GET"),
            401,
        )
        .row(
            "without method",
            options().header("origin", "https://app.example"),
            401,
        )
        .row("OPTIONS alone", options(), 401)
        .row("of another method", preflight().method("GET"), 401)
        .row("with a bad token", preflight().bearer("a.b.c"), 200)
}

/// Requirements over two providers, each with its own header for tokens.
fn requirements() -> Vec<Scenario> {
    let provider = |issuer: &str, header: &str| {
        json!({
            "issuer": issuer,
            "audiences": ["one"],
            "from_headers": [{"name": header}],
            "forward_payload_header": format!("{header}-payload"),
        })
    };
    let mut config = with_providers(&json!({
        "p": provider("https://p.example", "x-p"),
        "q": provider("https://q.example", "x-q"),
    }));
    let any = |list: Value| json!({"requires_any": {"requirements": list}});
    let all = |list: Value| json!({"requires_all": {"requirements": list}});
    let (p, q) = (json!({"provider_name": "p"}), json!({"provider_name": "q"}));
    let (missing, failed) = (
        json!({"allow_missing": {}}),
        json!({"allow_missing_or_failed": {}}),
    );
    config["requirement_map"] = json!({"p-or-q": any(json!([p, q]))});
    // For each requirement: the status without a token, with good ones of p, q and both, and with bad
    // ones of p and q; 0 if that is one of the differences.
    let trees: Vec<(&str, Value, [u16; 6])> = vec![
        ("/nothing", json!({}), [200, 200, 200, 200, 200, 200]),
        ("/p", p.clone(), [401, 200, 401, 200, 401, 401]),
        ("/any", any(json!([p, q])), [401, 200, 200, 0, 401, 401]),
        ("/all", all(json!([p, q])), [401, 401, 401, 200, 401, 401]),
        ("/missing", missing.clone(), [200, 200, 200, 0, 401, 401]),
        ("/failed", failed.clone(), [200, 200, 200, 0, 200, 200]),
        (
            "/p-or-missing",
            any(json!([p, missing])),
            [200, 200, 200, 200, 401, 200],
        ),
        (
            "/p-or-failed",
            any(json!([p, failed])),
            [200, 200, 200, 200, 200, 200],
        ),
        (
            "/p-or-q-or-missing",
            any(json!([p, q, missing])),
            [200, 200, 200, 0, 401, 401],
        ),
        (
            "/p-or-q-or-failed",
            any(json!([p, q, failed])),
            [200, 200, 200, 0, 200, 200],
        ),
        (
            "/p-and-q-or-missing",
            all(json!([p, any(json!([q, missing]))])),
            [401, 200, 401, 200, 401, 401],
        ),
        (
            "/p-and-q-or-failed",
            all(json!([p, any(json!([q, failed]))])),
            [401, 200, 401, 200, 401, 401],
        ),
        (
            "/either-all",
            any(json!([all(json!([p, q])), p])),
            [401, 0, 401, 200, 401, 401],
        ),
        (
            "/audiences",
            json!({"provider_and_audiences": {"provider_name": "p", "audiences": ["two", "one"]}}),
            [401, 200, 401, 200, 401, 401],
        ),
        (
            "/no-audiences",
            json!({"provider_and_audiences": {"provider_name": "p"}}),
            [401, 200, 401, 200, 401, 401],
        ),
    ];
    let mut rules: Vec<Value> = trees
        .iter()
        .map(|(path, tree, _)| match *path {
            "/nothing" => json!({"match": {"path": path}}),
            _ => json!({"match": {"path": path}, "requires": tree}),
        })
        .collect();
    rules.push(json!({"match": {"path": "/named"}, "requirement_name": "p-or-q"}));
    config = with_rules(config, &rules);
    let token = |issuer: &str| Token::good().claim("iss", issuer).claim("aud", "one");
    let p_good = token("https://p.example").signed();
    let q_good = token("https://q.example").signed_with(&keys::EC);
    let bad = |issuer: &str| token(issuer).claim("exp", 1).signed();
    let requests = |path: &str| {
        [
            get(path),
            get(path).header("x-p", &p_good),
            get(path).header("x-q", &q_good),
            get(path).header("x-p", &p_good).header("x-q", &q_good),
            get(path).header("x-p", bad("https://p.example")),
            get(path).header("x-q", bad("https://q.example")),
        ]
    };
    let camel = super::camel(&config);
    ["requirements", "requirements, in lowerCamelCase"]
        .into_iter()
        .zip([config, camel])
        .map(|(name, config)| {
            let mut scenario = Scenario::new(name, config);
            let named = ("/named", json!({}), [401, 200, 200, 0, 401, 401]);
            for (path, _, statuses) in trees.iter().chain([&named]) {
                for ((index, request), status) in
                    requests(path).into_iter().enumerate().zip(statuses)
                {
                    if *status != 0 {
                        scenario = scenario.row(format!("{path} {index}"), request, *status);
                    }
                }
            }
            scenario
        })
        .collect()
}
