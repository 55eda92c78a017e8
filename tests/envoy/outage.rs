//! The key server is down, resets connections or lies: requests get 503 and not 401 while there are
//! no keys, old keys stay in use, and the filter recovers by itself.

use serde_json::json;

use crate::support::{Answer, Gate, Issuer, Reply, Setup, Token, eventually, get, keys};

fn status(gate: &Gate) -> u16 {
    gate.send(&get("/").bearer(Token::good().signed())).status
}

#[test]
fn a_key_server_that_is_down_means_503_until_it_is_up() {
    let mut issuer = Issuer::start();
    issuer.server.stop();
    let config = Issuer::impatient_config();
    let gate = Setup::trusting(&issuer).config(config).start();
    assert_eq!(status(&gate), 503);
    assert_eq!(gate.upstream.count(), 0);
    issuer.server.restart();
    eventually("the filter recovers by itself", || status(&gate) == 200);
    assert!(gate.metric("jwks.cloud.fetch_failure") >= 1);
    eventually("the refusal is counted", || {
        gate.metric("denied.keys_unavailable") >= 1
    });
}

/// Answers that are not a usable key set.
fn rubbish() -> Vec<(&'static str, Reply)> {
    let json = |body: &str| Reply::from(Answer::new(200, body));
    vec![
        ("500", Answer::new(500, r#"{"keys":[]}"#).into()),
        ("404", Answer::new(404, "").into()),
        (
            "redirect",
            Answer::new(302, "").header("location", "/").into(),
        ),
        ("html", json("<html><body>Sign in</body></html>")),
        ("empty", json("")),
        ("null keys", json(r#"{"keys":null}"#)),
        ("no keys", json(r#"{"keys":[]}"#)),
        (
            "unusable keys",
            json(r#"{"keys":[{"kty":"oct","k":"AQAB"},1]}"#),
        ),
        ("truncated", json(r#"{"keys":[{"kty":"RSA","#)),
        ("deep", json(&"[".repeat(100_000))),
        (
            "not UTF-8",
            Answer::new(200, b"{\"keys\":\"\xff\"}".to_vec()).into(),
        ),
        (
            "too large",
            Answer::new(200, vec![b' '; 1024 * 1024 + 1]).into(),
        ),
        ("not HTTP", Reply::Bytes(b"SSH-2.0-OpenSSH\r\n".to_vec())),
        (
            "cut off",
            Reply::Bytes(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{\"keys\":".to_vec()),
        ),
        ("reset", Reply::Reset),
        ("closed", Reply::Bytes(Vec::new())),
    ]
}

#[test]
fn rubbish_instead_of_the_first_key_set_means_503() {
    // One provider for each kind of rubbish.
    let issuers: Vec<(&str, Issuer)> = rubbish()
        .into_iter()
        .map(|(name, reply)| {
            let issuer = Issuer::start();
            issuer.server.reply(reply);
            (name, issuer)
        })
        .collect();
    let mut setup = Setup::new(json!({"providers": {}}));
    for (name, issuer) in &issuers {
        let mut provider = Issuer::impatient_config()["providers"]["cloud"].take();
        provider["issuer"] = (*name).into();
        provider["remote_jwks"]["http_uri"]["cluster"] = (*name).into();
        provider["remote_jwks"]["async_fetch"] = json!({"failed_refetch_duration": "2s"});
        setup.config["providers"][name] = provider;
        setup = setup.cluster(name, &issuer.server);
    }
    let gate = setup.start();
    let status = |name: &str| {
        let token = Token::good().claim("iss", name).signed();
        gate.send(&get("/").bearer(token)).status
    };
    for (name, _) in &issuers {
        assert_eq!(status(name), 503, "{name}");
    }
    for (_, issuer) in &issuers {
        issuer.publish(&[&keys::RSA]);
    }
    for (name, _) in &issuers {
        eventually("the filter recovers by itself", || status(name) == 200);
    }
}

#[test]
fn rubbish_instead_of_a_new_key_set_leaves_the_old_keys() {
    let issuer = Issuer::start();
    let mut config = Issuer::config();
    config["providers"]["cloud"]["remote_jwks"]["cache_duration"] = "0.2s".into();
    let gate = Setup::trusting(&issuer).config(config).start();
    assert_eq!(status(&gate), 200);
    for (name, reply) in rubbish() {
        let failures = gate.metric("jwks.cloud.fetch_failure");
        issuer.server.reply(reply);
        eventually("a refresh fails", || {
            gate.metric("jwks.cloud.fetch_failure") > failures
        });
        assert_eq!(status(&gate), 200, "{name}");
        issuer.publish(&[&keys::RSA]);
        let successes = gate.metric("jwks.cloud.fetch_success");
        eventually("a refresh succeeds", || {
            gate.metric("jwks.cloud.fetch_success") > successes
        });
    }
}

#[test]
fn a_bad_key_in_a_set_leaves_the_good_ones_usable() {
    let issuer = Issuer::start();
    let good = keys::RSA.jwk();
    let mut short = keys::RSA_2.jwk();
    short["n"] = "AQAB".into();
    let set = json!({"keys": [short, null, {"kty": 7}, good]});
    issuer.server.reply(Answer::new(200, set.to_string()));
    let gate = Setup::trusting(&issuer).start();
    assert_eq!(status(&gate), 200);
    eventually("the log names the bad key", || {
        gate.log().contains("keys[0] is skipped")
    });
}

#[test]
fn a_cluster_that_does_not_exist_means_503() {
    let issuer = Issuer::start();
    let mut setup = Setup::trusting(&issuer).config(Issuer::impatient_config());
    setup.clusters.clear();
    let gate = setup.start();
    assert_eq!(status(&gate), 503);
    eventually("the log says why", || {
        gate.log().contains("the cluster is unknown")
    });
}
