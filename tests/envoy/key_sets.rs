//! The life of a key set: unknown keys, refreshes, outages, other sources of keys, and what operators
//! see of all that.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{
    Answer, Door, Gate, ISSUER, Issuer, Key, Reply, Server, Setup, Token, eventually, get,
    in_parallel, in_parallel_while, keys, now, root, with_time_enough,
};

/// The smallest configuration with these fields of `remote_jwks`.
fn config(fields: &Value) -> Value {
    let mut config = Issuer::config();
    let jwks = &mut config["providers"]["cloud"]["remote_jwks"];
    for (name, value) in fields.as_object().unwrap() {
        jwks[name] = value.clone();
    }
    config
}

fn status(gate: &Gate, key: &Key) -> u16 {
    let token = Token::good().signed_with(key);
    gate.send(&get("/").bearer(token)).status
}

/// A token whose `kid` no key set has.
fn stray(number: usize) -> String {
    Token::good()
        .header("kid", format!("stray-{number}"))
        .signed()
}

#[test]
fn a_new_key_works_with_its_first_token_and_at_most_one_more_fetch() {
    const CLIENTS: usize = 8;
    let issuer = Issuer::start();
    issuer.publish(&[&keys::RSA]);
    let config = config(&json!({"refetch_cooldown": "3600s"}));
    let gate = Setup::trusting(&issuer).config(config).workers(4).start();
    assert_eq!(status(&gate, &keys::RSA), 200);
    let before = issuer.server.count();
    let barrier = Barrier::new(CLIENTS);
    // A steady load of good tokens while the issuer rotates. Afterwards half of the clients use the new
    // key, all at once, and the others still use the old one.
    let statuses = in_parallel(CLIENTS, |number| {
        let mut connection = gate.connect();
        let mut send = |key: &Key| {
            let request = get("/").bearer(Token::good().signed_with(key));
            connection.send(&request).unwrap().status
        };
        let mut statuses: Vec<u16> = (0..20).map(|_| send(&keys::RSA)).collect();
        if barrier.wait().is_leader() {
            issuer.publish(&[&keys::RSA, &keys::RSA_2]);
        }
        barrier.wait();
        let key = [&keys::RSA_2, &keys::RSA][number % 2];
        statuses.extend((0..40).map(|_| send(key)));
        statuses
    });
    assert!(
        statuses.iter().flatten().all(|status| *status == 200),
        "{statuses:?}"
    );
    assert_eq!(issuer.server.count(), before + 1);
}

#[test]
fn five_thousand_stray_kids_cause_one_fetch_per_cooldown_and_harm_no_good_request() {
    let issuer = Issuer::start();
    let config = config(&json!({"refetch_cooldown": "2s"}));
    let gate = Setup::trusting(&issuer).config(config).workers(2).start();
    assert_eq!(status(&gate, &keys::RSA), 200);
    let before = issuer.server.count();
    let begun = Instant::now();
    let good = get("/").bearer(Token::good().signed());
    let bad = in_parallel(5, |number| {
        let mut connection = gate.connect();
        let mut wrong = 0;
        for round in 0..1000 {
            let request = get("/").bearer(stray(number * 1000 + round));
            wrong += usize::from(connection.send(&request).unwrap().status != 401);
            if round % 10 == 0 {
                wrong += usize::from(connection.send(&good).unwrap().status != 200);
            }
        }
        wrong
    });
    assert_eq!(bad, [0; 5]);
    let cooldowns = usize::try_from(begun.elapsed().as_secs() / 2).unwrap() + 1;
    let fetches = issuer.server.count() - before;
    assert!(
        (1..=cooldowns).contains(&fetches),
        "{fetches} in {cooldowns} cooldowns"
    );
}

#[test]
fn a_stray_kid_is_refused_at_once_within_the_cooldown() {
    let issuer = Issuer::start();
    // A request that waited would get no answer before the test gives up.
    let mut config = config(&json!({"refetch_cooldown": "3600s"}));
    config["providers"]["cloud"]["remote_jwks"]["http_uri"]["timeout"] = "3600s".into();
    let gate = Setup::trusting(&issuer).config(config).start();
    assert_eq!(gate.send(&get("/").bearer(stray(0))).status, 401);
    let fetches = issuer.server.count();
    issuer.server.reply(Reply::Hang);
    let answer = gate.send(&get("/").bearer(stray(1)));
    assert_eq!(
        (answer.status, answer.error().as_str()),
        (401, "invalid_token")
    );
    assert_eq!(issuer.server.count(), fetches);
    gate.counts("denied.unknown_key", 2);
}

#[test]
fn a_refetch_that_fails_leaves_the_kid_unknown_and_the_other_keys_good() {
    for (reply, timeout) in [
        (Answer::new(500, "").into(), "60s"),
        (Reply::Reset, "60s"),
        (Reply::Hang, "2s"),
    ] {
        // The second provider refreshes its keys every half second, which shows that time passes.
        let (issuer, clock) = (Issuer::start(), Issuer::start());
        let mut config = config(&json!({"refetch_cooldown": "3600s"}));
        config["providers"]["cloud"]["remote_jwks"]["http_uri"]["timeout"] = timeout.into();
        let mut other = Issuer::provider();
        other["issuer"] = "https://clock.example".into();
        other["remote_jwks"]["http_uri"]["cluster"] = "clock".into();
        other["remote_jwks"]["cache_duration"] = "0.5s".into();
        config["providers"]["clock"] = other;
        let setup = Setup::trusting(&issuer).config(config).workers(2);
        let gate = setup.cluster("clock", &clock.server).start();
        eventually("the keys are there", || status(&gate, &keys::RSA) == 200);
        let before = issuer.server.count();
        issuer.server.reply(reply);
        assert_eq!(gate.send(&get("/").bearer(stray(0))).status, 401);
        assert_eq!(status(&gate, &keys::RSA), 200);
        // These refreshes take almost two seconds. A failed fetch that was due is retried after one.
        let passed = clock.server.count();
        eventually("the clock provider refreshes its keys", || {
            clock.server.count() >= passed + 5
        });
        assert_eq!(issuer.server.count(), before + 1, "there is no retry");
    }
}

#[test]
fn keys_are_used_until_max_stale_and_come_back_by_themselves() {
    with_time_enough(|max_stale| {
        let mut issuer = Issuer::start();
        let mut config = config(&json!({
            "cache_duration": "0.5s",
            "max_stale": format!("{}s", max_stale.as_secs()),
            "async_fetch": {"failed_refetch_duration": "1s"},
        }));
        let jwks = &mut config["providers"]["cloud"]["remote_jwks"];
        // Without keys every request waits this long.
        jwks["http_uri"]["timeout"] = "2s".into();
        let gate = Setup::trusting(&issuer).config(config).workers(2).start();
        eventually("the keys are there", || status(&gate, &keys::RSA) == 200);
        issuer.server.stop();
        eventually("a refresh fails", || {
            gate.metric("jwks.cloud.fetch_failure") > 0
        });
        let still_good = status(&gate, &keys::RSA) == 200;
        // Rounded down: the set was fetched less than a second later.
        let fetched_at = gate.metric("jwks.cloud.fetched_at");
        eventually("the set is too old", || {
            let refused = status(&gate, &keys::RSA) == 503;
            let end = fetched_at + max_stale.as_secs();
            assert!(!refused || now() >= end, "refused too early");
            refused
        });
        eventually("the gauge shows it", || gate.metric("jwks.cloud.keys") == 0);
        let answer = gate.send(&get("/").bearer(Token::good().signed()));
        assert!(answer.header("retry-after").is_some());
        issuer.server.restart();
        eventually("the filter recovers", || status(&gate, &keys::RSA) == 200);
        eventually("the gauge recovers", || gate.metric("jwks.cloud.keys") == 2);
        still_good
    });
}

#[test]
fn a_set_that_has_not_changed_is_not_sent_again() {
    let issuer = Issuer::start();
    let full = Arc::new(AtomicUsize::new(0));
    let sent = Arc::clone(&full);
    issuer.server.script(move |request| {
        if request.header("if-none-match") == Some(b"\"v1\"") {
            return Answer::new(304, "").into();
        }
        sent.fetch_add(1, Ordering::SeqCst);
        Issuer::published(&[&keys::RSA])
            .header("etag", "\"v1\"")
            .into()
    });
    let config = config(&json!({"cache_duration": "0.3s", "max_stale": "3s"}));
    let gate = Setup::trusting(&issuer).config(config).workers(2).start();
    let fetched_at = || gate.metric("jwks.cloud.fetched_at");
    eventually("the set is there", || fetched_at() > 0);
    let first = fetched_at();
    eventually("it is renewed", || fetched_at() > first + 4);
    eventually("it is used although the first answer is too old", || {
        status(&gate, &keys::RSA) == 200
    });
    assert_eq!(full.load(Ordering::SeqCst), 1);
    assert_eq!(gate.metric("jwks.cloud.fetch_failure"), 0);
    assert_eq!(gate.log().matches("a new key set").count(), 1);
}

#[test]
fn a_server_that_insists_on_the_media_type_of_key_sets_is_satisfied() {
    let issuer = Issuer::start();
    issuer.server.script(|request| {
        let accept = request.header("accept").unwrap_or_default();
        let accept = String::from_utf8_lossy(accept).into_owned();
        let mut types = accept.split(',').map(str::trim);
        if types.any(|accepted| accepted == "application/jwk-set+json") {
            Issuer::published(&[&keys::RSA]).into()
        } else {
            Answer::new(406, "").into()
        }
    });
    let gate = Setup::trusting(&issuer).start();
    assert_eq!(status(&gate, &keys::RSA), 200);
    assert_eq!(gate.metric("jwks.cloud.fetch_failure"), 0);
}

#[test]
fn a_set_that_comes_back_with_another_tag_is_requested_with_that_tag() {
    let issuer = Issuer::start();
    let full = Arc::new(AtomicUsize::new(0));
    let sent = Arc::clone(&full);
    issuer.server.script(move |request| {
        if request.header("if-none-match") == Some(b"\"v2\"") {
            return Answer::new(304, "").into();
        }
        let version = sent.fetch_add(1, Ordering::SeqCst) + 1;
        Issuer::published(&[&keys::RSA])
            .header("etag", format!("\"v{version}\""))
            .into()
    });
    let config = config(&json!({"cache_duration": "0.3s"}));
    let gate = Setup::trusting(&issuer).config(config).workers(2).start();
    eventually("the set is renewed", || issuer.server.count() >= 6);
    assert_eq!(full.load(Ordering::SeqCst), 2);
    assert_eq!(status(&gate, &keys::RSA), 200);
    assert_eq!(gate.log().matches("a new key set").count(), 1);
}

/// A configuration in which the metadata of the issuer names the key server.
fn discovering(issuer: &str, timeout: &str) -> Value {
    let mut provider = Issuer::provider();
    provider["issuer"] = issuer.into();
    provider["remote_jwks"] = json!({"discovery": {"cluster": "issuer", "timeout": timeout}});
    json!({"providers": {"cloud": provider}})
}

#[test]
fn the_metadata_of_an_issuer_may_name_its_key_server() {
    const ISSUER: &str = "https://issuer.example/realms/a";
    for (place, named, expected) in [
        ("/realms/a/.well-known/openid-configuration", ISSUER, 200),
        (
            "/.well-known/oauth-authorization-server/realms/a",
            ISSUER,
            200,
        ),
        (
            "/realms/a/.well-known/openid-configuration",
            "https://issuer.example",
            503,
        ),
        ("/elsewhere", ISSUER, 503),
    ] {
        let server = Server::start(move |request| {
            let metadata = json!({"issuer": named, "jwks_uri": "https://keys.example:1/k?v=1"});
            match request.target.as_str() {
                "/k?v=1" if request.header("host") == Some(b"keys.example:1") => {
                    Issuer::published(&[&keys::RSA]).into()
                }
                target if target == place => Answer::new(200, metadata.to_string()).into(),
                _ => Answer::new(404, "").into(),
            }
        });
        // A request without keys waits as long as the timeout.
        let timeout = if expected == 200 { "60s" } else { "2s" };
        let setup = Setup::new(discovering(ISSUER, timeout)).cluster("issuer", &server);
        let gate = setup.workers(2).start();
        let token = Token::good().claim("iss", ISSUER).signed();
        let answer = gate.send(&get("/").bearer(token));
        assert_eq!(answer.status, expected, "{place} {named}: {}", gate.log());
    }
}

#[test]
fn a_key_server_may_require_credentials() {
    let user = json!({"username": "gate", "password_environment_variable": "SECRET"});
    let token = json!({"token_environment_variable": "SECRET"});
    for (fields, header, expected) in [
        // base64("gate:s3cret")
        (
            json!({"authorization": user}),
            "authorization",
            "Basic Z2F0ZTpzM2NyZXQ=",
        ),
        (
            json!({"authorization": token}),
            "authorization",
            "Bearer s3cret",
        ),
        (
            json!({"headers": [{"name": "X-Api-Key", "value_environment_variable": "SECRET"}]}),
            "x-api-key",
            "s3cret",
        ),
    ] {
        for discovers in [false, true] {
            let server = Server::start(move |request| {
                if request.header(header) != Some(expected.as_bytes()) {
                    return Answer::new(401, "").into();
                }
                let metadata = json!({"issuer": ISSUER, "jwks_uri": "https://keys.example/jwks"});
                match request.target.as_str() {
                    "/jwks" => Issuer::published(&[&keys::RSA]).into(),
                    _ => Answer::new(200, metadata.to_string()).into(),
                }
            });
            let mut config = if discovers {
                discovering(ISSUER, "60s")
            } else {
                config(&json!({}))
            };
            let jwks = config["providers"]["cloud"]["remote_jwks"]
                .as_object_mut()
                .unwrap();
            jwks.extend(fields.as_object().unwrap().clone());
            let mut setup = Setup::new(config).cluster("issuer", &server);
            // As it may come from a file, with a line feed at its end.
            setup.vm_config =
                json!({"environment_variables": {"key_values": {"SECRET": "s3cret\n"}}});
            if expected.starts_with("Basic") {
                setup.vm_config["environment_variables"]["key_values"]["SECRET"] = "s3cret".into();
            }
            let gate = setup.start();
            assert_eq!(
                status(&gate, &keys::RSA),
                200,
                "{fields} {discovers}: {}",
                gate.log()
            );
            assert_eq!(server.count(), if discovers { 2 } else { 1 });
            assert!(!gate.log().contains("s3cret"));
        }
    }
}

#[test]
fn keys_may_come_from_the_environment() {
    let published = String::from_utf8(Issuer::published(&[&keys::RSA]).body).unwrap();
    let mut config = Issuer::config();
    let provider = config["providers"]["cloud"].as_object_mut().unwrap();
    provider.remove("remote_jwks");
    provider.insert(
        "local_jwks".to_owned(),
        json!({"environment_variable": "KEYS"}),
    );
    let mut setup = Setup::new(config.clone());
    setup.vm_config = json!({"environment_variables": {"key_values": {"KEYS": published}}});
    let gate = setup.start();
    assert_eq!(status(&gate, &keys::RSA), 200);
    assert_eq!(gate.metric("jwks.cloud.keys"), 1);
    let log = Setup::new(config).refused();
    let problem = "providers.cloud.local_jwks.environment_variable: there is no such variable";
    assert!(log.contains(problem), "{log}");
}

#[test]
fn operators_see_the_keys_and_how_many_requests_wait() {
    let started = now();
    let issuer = Issuer::start();
    let set = json!({"keys": [keys::RSA.jwk(), {"kty": "none"}, keys::EC.jwk(), 7]});
    let door = Door::new();
    let reply = Reply::behind(&door, Answer::new(200, set.to_string()));
    issuer.server.reply(reply);
    let config = config(&json!({"cache_duration": "0.5s"}));
    let gate = Setup::trusting(&issuer).config(config).workers(2).start();
    let request = get("/").bearer(Token::good().signed());
    let send = |_| gate.send(&request).status;
    let statuses = in_parallel_while(6, send, || {
        eventually("all wait", || gate.metric("waiting") == 6);
        door.open();
    });
    assert_eq!(statuses, [200; 6]);
    eventually("no request waits", || gate.metric("waiting") == 0);
    gate.counts("jwks.cloud.keys", 2);
    let fetched_at = gate.metric("jwks.cloud.fetched_at");
    assert!((started..=now()).contains(&fetched_at), "{fetched_at}");
    // However often the same set comes, its bad keys are counted and logged once.
    eventually("it is refreshed", || {
        gate.metric("jwks.cloud.fetch_success") > 2
    });
    assert_eq!(gate.metric("jwks.cloud.skipped_keys"), 2);
    assert_eq!(gate.log().matches("is skipped").count(), 2);
}

#[test]
fn a_request_whose_client_goes_away_stops_waiting() {
    let issuer = Issuer::start();
    issuer.server.reply(Reply::Hang);
    // Nothing else ends the wait before the test gives up.
    let mut config = Issuer::config();
    config["providers"]["cloud"]["remote_jwks"]["http_uri"]["timeout"] = "3600s".into();
    let gate = Setup::trusting(&issuer).config(config).start();
    let mut connection = gate.connect();
    let request = get("/").bearer(Token::good().signed());
    connection.start(&request).unwrap();
    eventually("it waits", || gate.metric("waiting") == 1);
    drop(connection);
    eventually("it is forgotten", || gate.metric("waiting") == 0);
}

#[test]
fn a_worker_that_dies_while_it_holds_the_turn_does_not_stop_the_others() {
    const TIMEOUT: Duration = Duration::from_secs(2);
    let issuer = Issuer::start();
    let mut config = Issuer::config();
    let timeout = format!("{}s", TIMEOUT.as_secs());
    config["providers"]["cloud"]["remote_jwks"]["http_uri"]["timeout"] = timeout.into();
    let mut setup = Setup::trusting(&issuer).config(config).workers(4);
    setup.wasm = root().join("target/wasm32-wasip1/trap-with-turn/bearer_gate.wasm");
    let begun = Instant::now();
    let gate = setup.start();
    eventually("a worker dies", || gate.log().contains("proxy_on_tick"));
    eventually("another one fetches", || issuer.server.count() > 0);
    // The dead worker took the turn after `begun`, sent nothing, and held the turn for twice the
    // timeout.
    let fetched = issuer.server.received()[0].at - begun;
    assert!(fetched >= TIMEOUT * 2, "{fetched:?}");
    eventually("all workers serve", || {
        in_parallel(16, |_| status(&gate, &keys::RSA)) == [200; 16]
    });
}

#[test]
fn a_remembered_token_stops_working_when_its_key_is_withdrawn() {
    let issuer = Issuer::start();
    let config = config(&json!({"cache_duration": "0.5s"}));
    let gate = Setup::trusting(&issuer).config(config).start();
    let request = get("/").bearer(Token::good().signed());
    assert_eq!(gate.send(&request).status, 200);
    assert_eq!(gate.send(&request).status, 200);
    eventually("it is remembered", || gate.metric("token_cache.hit") > 0);
    issuer.publish(&[&keys::EC]);
    eventually("it is refused", || gate.send(&request).status == 401);
}

#[test]
fn providers_with_the_same_key_server_share_a_fetch() {
    let issuer = Issuer::start();
    issuer.publish(&[&keys::RSA, &keys::EC]);
    let mut other = Issuer::provider();
    other["issuer"] = "https://other.example".into();
    let rule = |name: &str| json!({"match": {"prefix": format!("/{name}")}, "requires": {"provider_name": name}});
    let config = json!({
        "providers": {"cloud": Issuer::provider(), "other": other},
        "rules": [rule("cloud"), rule("other")],
    });
    let gate = Setup::trusting(&issuer).config(config).workers(2).start();
    let tokens = [
        ("/cloud", Token::good()),
        (
            "/other",
            Token::good().claim("iss", "https://other.example"),
        ),
    ];
    for (path, token) in &tokens {
        for key in [&keys::RSA, &keys::EC] {
            let request = get(*path).bearer(token.clone().signed_with(key));
            assert_eq!(gate.send(&request).status, 200, "{path}");
        }
    }
    // The keys are the same, the issuers are not.
    for ((path, _), (_, foreign)) in tokens.iter().zip(tokens.iter().rev()) {
        let request = get(*path).bearer(foreign.clone().signed_with(&keys::RSA));
        assert_eq!(gate.send(&request).status, 401, "{path}");
    }
    assert_eq!(issuer.server.count(), 1);
}
