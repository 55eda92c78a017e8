//! A revoked token stops working as soon as a worker has the list that names it. Without a list nothing
//! passes that might be on it.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{
    Answer, Connection, Door, Gate, Issuer, Reply, Server, Setup, Token, eventually, get,
    in_parallel_while, keys, now, with_time_enough,
};

/// An issuer and a server of revocation lists.
struct Scene {
    issuer: Issuer,
    lists: Server,
}

impl Scene {
    fn start(list: &Value) -> Self {
        let lists = Server::start(|_| Answer::new(404, "").into());
        let scene = Self {
            issuer: Issuer::start(),
            lists,
        };
        scene.publish(list);
        scene
    }

    fn publish(&self, list: &Value) {
        self.lists.reply(Answer::new(200, list.to_string()));
    }

    /// The filter with these fields of `revocation`. The timeout is long, since a busy server may take
    /// its time.
    fn setup(&self, fields: &Value) -> Setup {
        let mut config = Issuer::config();
        let provider = &mut config["providers"]["cloud"];
        provider["require_expiration"] = false.into();
        provider["revocation"] = json!({
            "http_uri": {"uri": "http://lists.example/revoked", "cluster": "lists", "timeout": "60s"},
            "refresh_interval": "0.2s",
        });
        for (name, value) in fields.as_object().unwrap() {
            provider["revocation"][name] = value.clone();
        }
        Setup::trusting(&self.issuer)
            .config(config)
            .cluster("lists", &self.lists)
    }
}

fn status(gate: &Gate, token: &str) -> u16 {
    gate.send(&get("/").bearer(token)).status
}

fn with_jti(jti: &str) -> String {
    Token::good().claim("jti", jti).signed()
}

fn signature(token: &str) -> &str {
    token.rsplit_once('.').unwrap().1
}

#[test]
fn tokens_are_revoked_one_by_one_and_by_client_and_subject() {
    let anonymous = Token::good().signed_with(&keys::EC);
    let revoked_at = now();
    let scene = Scene::start(&json!({
        "tokens": ["one", signature(&anonymous)],
        "clients": {"app": revoked_at},
        "subjects": {"user": revoked_at},
    }));
    let gate = scene.setup(&json!({})).start();
    let (before, after) = (revoked_at - 5, revoked_at + 1);
    let token = |name: &str, value: &str, iat: Value| {
        let token = Token::good().claim("jti", "two").claim("iat", iat);
        token.claim(name, value).signed()
    };
    for (token, expected) in [
        (with_jti("one"), 401),
        (with_jti("two"), 200),
        (anonymous, 401),
        (Token::good().claim("sub", "x").signed_with(&keys::EC), 200),
        (token("client_id", "app", before.into()), 401),
        (token("client_id", "app", after.into()), 200),
        (token("client_id", "app", Value::Null), 401),
        (token("azp", "app", before.into()), 401),
        (token("client_id", "other", before.into()), 200),
        (token("sub", "user", before.into()), 401),
        (token("sub", "user", after.into()), 200),
        (token("sub", "app", before.into()), 200),
    ] {
        assert_eq!(status(&gate, &token), expected, "{token}");
    }
    let answer = gate.send(&get("/").bearer(with_jti("one")));
    assert_eq!(answer.error(), "invalid_token");
    let challenge = answer.header("www-authenticate").unwrap();
    assert!(challenge.contains("error=\"invalid_token\""), "{challenge}");
    assert!(challenge.contains("The access token has been revoked"));
    gate.counts("denied.revoked", 7);
    gate.counts("revocation.cloud.entries", 4);
    assert!(gate.metric("revocation.cloud.fetch_success") >= 1);
    assert_eq!(gate.metric("revocation.cloud.fetch_failure"), 0);
    let fetched_at = gate.metric("revocation.cloud.fetched_at");
    assert!((revoked_at..=now()).contains(&fetched_at), "{fetched_at}");
    assert_eq!(gate.upstream.count(), 6);
}

#[test]
fn a_token_that_never_expires_stops_working_when_its_clients_secret_changes() {
    let scene = Scene::start(&json!({"tokens": []}));
    let gate = scene.setup(&json!({})).start();
    let token = Token::good()
        .claim("client_id", "app")
        .claim("exp", 9_223_372_036_854_775_u64)
        .claim("iat", now() - 1)
        .signed();
    let without_end = Token::good()
        .claim("azp", "app")
        .claim("exp", Value::Null)
        .claim("iat", Value::Null)
        .signed();
    assert_eq!(
        [&token, &without_end].map(|token| status(&gate, token)),
        [200; 2]
    );
    scene.publish(&json!({"clients": {"app": now()}}));
    eventually("both are refused", || {
        [&token, &without_end].map(|token| status(&gate, token)) == [401; 2]
    });
    // A token that the client gets with its new secret works.
    let new = Token::good()
        .claim("client_id", "app")
        .claim("iat", now() + 1);
    assert_eq!(status(&gate, &new.signed()), 200);
}

/// A busy machine may delay any round, so one round in time is enough. If the filter broke the promise,
/// a round in time would need luck in four workers at once.
#[test]
fn the_last_of_four_workers_refuses_within_the_refresh_interval_and_half_a_second() {
    const PROMISED: Duration = Duration::from_millis(1500);
    /// Allowance for the fetch and for the requests.
    const REST: Duration = Duration::from_millis(500);
    let scene = Scene::start(&json!({"tokens": []}));
    let gate = scene
        .setup(&json!({"refresh_interval": "1s"}))
        .workers(4)
        .start();
    let request = get("/").bearer(with_jti("one"));
    // The kernel spreads the connections over the workers: of 48, every worker has some.
    let mut connections: Vec<_> = (0..48).map(|_| gate.connect()).collect();
    let mut delays = Vec::new();
    let end = Instant::now() + Duration::from_mins(5);
    let in_time = |delays: &[(Duration, Duration)]| {
        let mut last = delays.iter().map(|(_, last)| *last);
        last.any(|last| last < PROMISED + REST)
    };
    for round in 0.. {
        if round >= 5 && in_time(&delays) {
            break;
        }
        for connection in &mut connections {
            assert_eq!(connection.send(&request).unwrap().status, 200);
        }
        // Each round publishes at another moment of the refresh interval.
        thread::sleep(Duration::from_millis(190 * (round % 5)));
        scene.publish(&json!({"tokens": ["one"]}));
        let published = Instant::now();
        let (mut first, mut refused) = (None, 0);
        while refused < connections.len() {
            refused = 0;
            for connection in &mut connections {
                if connection.send(&request).unwrap().status == 401 {
                    refused += 1;
                    first = first.or(Some(published.elapsed()));
                }
            }
            assert!(Instant::now() < end, "{refused} refuse; {delays:?}");
        }
        delays.push((first.unwrap(), published.elapsed()));
        scene.publish(&json!({"tokens": []}));
        let mut works =
            |connection: &mut Connection| connection.send(&request).unwrap().status == 200;
        while !connections.iter_mut().all(&mut works) {
            assert!(Instant::now() < end, "{delays:?}");
        }
    }
    println!("from publishing to the first and to the last refusal, interval 1 s: {delays:?}");
    assert!(gate.metric("token_cache.hit") > 100);
}

#[test]
fn one_fetch_serves_all_workers_and_is_repeated_conditionally() {
    let scene = Scene::start(&json!({}));
    let list = Answer::new(200, r#"{"tokens": ["one"]}"#).header("etag", "\"1\"");
    let full = Arc::new(AtomicUsize::new(0));
    let sent = Arc::clone(&full);
    scene.lists.script(move |request| {
        if request.header("if-none-match") == Some(b"\"1\"") {
            return Answer::new(304, "").into();
        }
        sent.fetch_add(1, Ordering::SeqCst);
        list.clone().into()
    });
    let gate = scene
        .setup(&json!({"refresh_interval": "3s"}))
        .workers(4)
        .start();
    let request = get("/").bearer(with_jti("one"));
    let statuses: Vec<u16> = (0..32).map(|_| gate.send(&request).status).collect();
    assert_eq!(statuses, [401; 32]);
    eventually("there is a second fetch", || scene.lists.count() >= 2);
    let received = scene.lists.received();
    assert_eq!(received[0].target, "/revoked");
    assert_eq!(received[1].header("if-none-match"), Some(&b"\"1\""[..]));
    let between = received[1].at - received[0].at;
    // The refresh interval, minus a jitter of up to a tenth.
    assert!(between > Duration::from_millis(2600), "{between:?}");
    eventually("the second fetch succeeds", || {
        gate.metric("revocation.cloud.fetch_success") >= 2
    });
    assert_eq!(status(&gate, &with_jti("one")), 401);
    assert_eq!(full.load(Ordering::SeqCst), 1);
    assert_eq!(gate.metric("revocation.cloud.fetch_failure"), 0);
}

#[test]
fn a_request_waits_for_the_first_list_but_no_longer_than_the_timeout() {
    let scene = Scene::start(&json!({}));
    let door = Door::new();
    let list = Answer::new(200, r#"{"tokens": ["one"]}"#);
    scene.lists.reply(Reply::behind(&door, list));
    let gate = scene.setup(&json!({})).start();
    let send = |number: usize| status(&gate, &with_jti(["one", "two"][number]));
    let statuses = in_parallel_while(2, send, || {
        eventually("both wait", || gate.metric("waiting") == 2);
        assert_eq!(gate.upstream.count(), 0);
        door.open();
    });
    assert_eq!(statuses, [401, 200]);
    let uri = json!({"uri": "http://lists.example/revoked", "cluster": "lists", "timeout": "2s"});
    for (on_unavailable, expected) in [("deny", 503), ("allow", 200)] {
        scene.lists.reply(Reply::Hang);
        let setup = scene.setup(&json!({"http_uri": uri, "on_unavailable": on_unavailable}));
        let begun = Instant::now();
        let gate = setup.start();
        let answer = gate.send(&get("/").bearer(with_jti("two")));
        assert_eq!(answer.status, expected);
        // The fetch begins after `begun`.
        assert!(begun.elapsed() >= Duration::from_secs(2));
        assert!(begun.elapsed() < Duration::from_mins(1));
        if expected == 503 {
            assert_eq!(answer.error(), "temporarily_unavailable");
            assert!(answer.header("retry-after").is_some());
            gate.counts("denied.revocation_unavailable", 1);
        }
        assert_eq!(gate.upstream.count(), usize::from(expected == 200));
    }
}

#[test]
fn the_last_list_counts_until_it_is_too_old() {
    for (on_unavailable, without_list) in [("deny", [503, 503]), ("allow", [200, 200])] {
        with_time_enough(|max_stale| {
            let mut scene = Scene::start(&json!({"tokens": ["one"]}));
            let gate = scene
                .setup(&json!({
                    // Without a list every request waits this long.
                    "http_uri": {"uri": "http://lists.example/", "cluster": "lists", "timeout": "2s"},
                    "max_stale": format!("{}s", max_stale.as_secs()),
                    "on_unavailable": on_unavailable,
                }))
                .start();
            let statuses = || ["one", "two"].map(|jti| status(&gate, &with_jti(jti)));
            eventually("the list is there", || statuses() == [401, 200]);
            scene.lists.stop();
            eventually("a fetch fails", || {
                gate.metric("revocation.cloud.fetch_failure") > 0
            });
            let still_counts = statuses() == [401, 200];
            // Rounded down: the list was fetched less than a second later.
            let fetched_at = gate.metric("revocation.cloud.fetched_at");
            eventually("the list is too old", || {
                let found = statuses();
                let end = fetched_at + max_stale.as_secs();
                assert!(found == [401, 200] || now() >= end, "given up too early");
                found == without_list
            });
            eventually("the gauge shows it", || {
                gate.metric("revocation.cloud.entries") == 0
            });
            scene.lists.restart();
            eventually("the filter recovers by itself", || statuses() == [401, 200]);
            still_counts
        });
    }
}

#[test]
fn rubbish_instead_of_a_list_leaves_the_old_one() {
    let scene = Scene::start(&json!({"tokens": ["one"]}));
    let gate = scene.setup(&json!({})).start();
    let statuses = || ["one", "two"].map(|jti| status(&gate, &with_jti(jti)));
    assert_eq!(statuses(), [401, 200]);
    let deep = format!("{{\"tokens\": {}", "[".repeat(100_000));
    for rubbish in [
        Answer::new(500, r#"{"tokens": []}"#),
        Answer::new(200, "<html>Sign in</html>"),
        Answer::new(200, r#"{"error": "server_error"}"#),
        Answer::new(200, r#"{"tokens": ["two", 1]}"#),
        Answer::new(200, r#"{"tokens": ["two"], "users": {}}"#),
        Answer::new(200, r#"{"tokens": ["two""#),
        Answer::new(200, deep),
        Answer::new(200, vec![0xff; 1000]),
    ] {
        let failures = gate.metric("revocation.cloud.fetch_failure");
        scene.lists.reply(rubbish);
        eventually("a fetch fails", || {
            gate.metric("revocation.cloud.fetch_failure") > failures
        });
        assert_eq!(statuses(), [401, 200]);
        let successes = gate.metric("revocation.cloud.fetch_success");
        scene.publish(&json!({"tokens": ["one"]}));
        eventually("a fetch succeeds", || {
            gate.metric("revocation.cloud.fetch_success") > successes
        });
    }
}

#[test]
fn the_lists_of_wso2_are_fetched_with_the_password_of_the_environment() {
    let revoked_at = now();
    let millis = revoked_at * 1000 + 500;
    let array = json!([{"jwt_signature": "one", "expiry_time": millis}]);
    let object = json!({
        "revokedJWTList": [{"jwt_signature": "one", "expiry_time": millis}],
        "revokedJWTSubjectEntityList":
            [{"entity_id": "user", "entity_type": "USER_ID", "revocation_time": millis}],
        "revokedJWTConsumerKeyList": [{"consumer_key": "app", "revocation_time": millis}],
    });
    for (list, whole) in [(array, 200), (object, 401)] {
        let scene = Scene::start(&json!({}));
        scene.lists.script(move |request| {
            // RFC 7617: admin:s3cret
            if request.header("authorization") != Some(b"Basic YWRtaW46czNjcmV0") {
                return Answer::new(401, "").into();
            }
            Answer::new(200, list.to_string()).into()
        });
        let mut setup = scene.setup(&json!({
            "format": "wso2",
            "username": "admin",
            "password_environment_variable": "WSO2_PASSWORD",
        }));
        let variables = json!({"key_values": {"WSO2_PASSWORD": "s3cret"}});
        setup.vm_config = json!({"environment_variables": variables});
        let gate = setup.start();
        let old = |name: &str, value: &str| {
            let token = Token::good().claim("jti", "two");
            let token = token.claim("iat", revoked_at - 5);
            token.claim(name, value).signed()
        };
        assert_eq!(status(&gate, &with_jti("one")), 401);
        assert_eq!(status(&gate, &with_jti("two")), 200);
        assert_eq!(status(&gate, &old("azp", "app")), whole);
        assert_eq!(status(&gate, &old("sub", "user")), whole);
        let log = gate.log();
        assert!(
            !log.contains("s3cret") && !log.contains("YWRtaW46"),
            "{log}"
        );
    }
}

#[test]
fn a_million_revoked_tokens_cost_a_request_nothing_and_a_worker_two_tables_of_16_megabytes() {
    const COUNT: usize = 1_000_000;
    const MOST_KILOBYTES: u64 = 39_000;
    let scene = Scene::start(&json!({"tokens": ["one"]}));
    let gate = scene
        .setup(&json!({"http_uri": {"uri": "http://lists.example/", "cluster": "lists", "timeout": "600s"}}))
        .start();
    let mut connection = gate.connect();
    let mut round = || {
        let request = get("/").bearer(with_jti("two"));
        let begun = Instant::now();
        for _ in 0..500 {
            assert_eq!(connection.send(&request).unwrap().status, 200);
        }
        begun.elapsed() / 500
    };
    let (before, memory) = (round(), gate.resident());
    // The server sends it once and says then that it has not changed.
    let publish = |other: &str, count: usize| {
        let names = (1..count).map(|number| format!("\"token-{number:016}\""));
        let names = names.collect::<Vec<_>>().join(",");
        let list = format!("{{\"tokens\":[\"{other}\",{names}]}}");
        let size = list.len();
        let etag = format!("\"{other}\"");
        scene.lists.script(move |request| {
            if request.header("if-none-match") == Some(etag.as_bytes()) {
                return Answer::new(304, "").into();
            }
            Answer::new(200, list.clone()).header("etag", &etag).into()
        });
        size
    };
    let size = publish("first", COUNT);
    let listed = with_jti("token-0000000000999999");
    let slowest = Cell::new(Duration::ZERO);
    eventually("the list is in use", || {
        let begun = Instant::now();
        let refused = status(&gate, &listed) == 401;
        slowest.set(slowest.get().max(begun.elapsed()));
        refused
    });
    gate.counts("revocation.cloud.entries", 1_000_000);
    let (after, grown) = (round(), gate.resident() - memory);
    let slowest = slowest.get();
    println!("{size} bytes of list: a request takes {before:?} without and {after:?} with it,");
    println!("{slowest:?} at most while the worker adopts it; Envoy grew by {grown} kB");
    // While a worker takes over another list, it has both. The next list fits where the one before them was, although
    // it is a little longer.
    for (other, more) in [("second", 3000), ("third", 6000), ("fourth", 9000)] {
        publish(other, COUNT + more);
        let listed = with_jti(other);
        eventually("the next list is in use", || status(&gate, &listed) == 401);
    }
    let (grown, module) = (gate.resident() - memory, gate.largest_module());
    println!(
        "after three further lists Envoy has grown by {grown} kB, and a module has {module} kB"
    );
    assert!((16_000..=MOST_KILOBYTES).contains(&module), "{module} kB");
}
