//! Claims for which a token may be refused.

use fastrand::Rng;
use serde_json::{Value, json};

use super::dice::{chance, one_of};
use super::provider::Provider;
use super::requirement::VALUES;

/// The longest value that a story shows.
const SHOWN: usize = 60;

/// Changes one claim so that the token may be refused. Returns what was done.
pub(crate) fn add(rng: &mut Rng, payload: &mut Value, provider: &Provider) -> String {
    let skew = provider.fields["clock_skew_seconds"].as_i64().unwrap_or(60);
    let (name, values) = one_of(rng, &table(provider.now, skew));
    let members = payload.as_object_mut().expect("a payload is an object");
    if chance(rng, 20) {
        members.remove(name);
        return format!("no {name}");
    }
    let value = one_of(rng, values.as_array().expect("values are a list"));
    let shown = value.to_string();
    members.insert(name.to_owned(), value);
    if shown.len() > SHOWN {
        format!("{name} of {} bytes", shown.len())
    } else {
        format!("{name} {shown}")
    }
}

/// Claims, each with a list of values. `skew` is what the clocks may differ by, in seconds.
fn table(now: i64, skew: i64) -> Vec<(&'static str, Value)> {
    let others = json!([null, true, {}, [1], "1", 1, ["a"]]);
    let mut table = vec![
        ("iss", issuers()),
        (
            "aud",
            json!([
                "other",
                [],
                ["other", "another"],
                "orders billing",
                "https://api.example/",
                "https://api.exampl",
                "",
                "Orders",
            ]),
        ),
        (
            "sub",
            json!(["mallory", "alice2", "", "ALICE", "a".repeat(5000)]),
        ),
        (
            "exp",
            json!([
                now - skew,
                now - skew + 1,
                now - skew - 1,
                now - 7200,
                0,
                -1,
                1e300,
                4_102_444_800_i64,
                4_102_444_800.5,
                u64::MAX,
            ]),
        ),
        (
            "nbf",
            json!([
                now + skew,
                now + skew + 1,
                now + skew - 1,
                now + 7200,
                -1,
                1e300
            ]),
        ),
        (
            "iat",
            json!([
                now + skew,
                now + skew + 1,
                now + 7200,
                now - 86_400,
                0,
                now - 1800,
                now - 1801,
                now - 5400,
            ]),
        ),
        ("cnf", confirmations()),
        (
            "scope",
            json!(["readonly", "read  write", "READ", ["read"], 7, ""]),
        ),
        ("azp", json!(["web", "app", "other"])),
        ("tier", json!(VALUES())),
        (
            "x",
            json!([
                "x".repeat(11_000),
                "x".repeat(13_000),
                "x".repeat(20_000),
                nested(29),
                nested(30),
                nested(31)
            ]),
        ),
        ("x", json!([nested(30), nested(31), nested(32), nested(40)])),
    ];
    // Those that most often go wrong.
    table.extend_from_within(1..5);
    table.extend(tenants_and_authentication(now, skew));
    let registered = ["iss", "sub", "aud", "exp", "nbf", "iat", "jti"];
    table.extend(registered.map(|name| (name, others.clone())));
    table
}

/// What `iss` may be instead.
fn issuers() -> Value {
    json!([
        "https://a.example",
        "https://a.example/",
        "https://b.example",
        "https://evil.example",
        "https://a.example/a",
        "https://login.example/a/v2.0",
        "https://login.example/b-1/v2.0",
        "https://login.example/a%2Fb/v2.0",
        "https://login.example/a/b/v2.0",
        "https://login.example//v2.0",
        "https://login.example/../v2.0",
        "https://login.example/{tid}/v2.0",
        "https://login.example/a/v2.0/",
        "https://login.example/a/b-1"
    ])
}

/// Claims of tenants, and of how and when the user was authenticated.
fn tenants_and_authentication(now: i64, skew: i64) -> Vec<(&'static str, Value)> {
    vec![
        (
            "tid",
            json!(["a", "b-1", "", "..", "a/b", "a%2Fb", "{tid}", 7, null, ["a"], {"a": "a"}]),
        ),
        (
            "org",
            json!([{"id": "a"}, {"id": "b-1"}, {"id": 1}, {"id": "%61"}, "a", {}, [{"id": "a"}]]),
        ),
        ("client_id", json!(["web", 7, null, ["app"]])),
        ("amr", json!([["pwd"], "pwd", ["pwd", 1], null])),
        (
            "acr",
            json!([
                "gold",
                "silver",
                "GOLD",
                "gold silver",
                "",
                1,
                null,
                ["gold"]
            ]),
        ),
        (
            "auth_time",
            json!([
                now,
                now - 300 - skew,
                now - 301 - skew,
                now - 300,
                now + skew,
                now + skew + 1,
                now - 7200,
                0,
                -1,
                1e300,
                now.to_string(),
                null,
            ]),
        ),
    ]
}

/// What `cnf` may be instead.
fn confirmations() -> Value {
    json!([
        {"jkt": "x"},
        null,
        {},
        {"kid": "a"},
        {"jkt": digest('I')},
        {"jkt": digest('J')},
        {"x5t#S256": digest('I'), "kid": "a"},
        {"x5t#S256": digest('J')},
        {"x5t#S256": digest('I'), "jkt": digest('I')},
    ])
}

/// A digest in base64url with this last character.
pub(super) fn digest(last: char) -> String {
    let [first, ..] = DIGESTS;
    format!("{first}{last}")
}

/// Digests in base64url, but for their last characters.
pub(super) const DIGESTS: [&str; 2] = [
    "RUBqLYc8Zk7hsYZzNN7UZHVGtN1aY8xNpSYHyp-Pl6",
    "Qx7qiuwISYEDyVcSPF0aFheRinS6hQLwRhb9ayhKjc",
];

/// Lists in lists, this many levels deep.
fn nested(levels: usize) -> Value {
    (0..levels).fold(json!(1), |inner, _| json!([inner]))
}
