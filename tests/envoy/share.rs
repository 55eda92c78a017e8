//! What workers share, and who else can write it.

use std::fs;

use gate::fetching::KeySetFormat;
use serde_json::{Value, json};

use crate::support::{
    Envoy, Issuer, Key, Server, Setup, Token, bootstrap_of, cluster, eventually, get, in_parallel,
    keys, root,
};

/// The configuration with this `share`.
fn config(share: &str) -> Value {
    let mut config = Issuer::config();
    config["share"] = share.into();
    config
}

/// The module that writes what a test says into the shared data of the filter's `vm_id`.
fn forging() -> Setup {
    let mut setup = Setup::new(json!({}));
    setup.wasm = root().join("target/wasm32-wasip1/release/forging_module.wasm");
    // Without it Envoy holds the body back with the headers, and the module never gets it.
    setup.plugin_config = json!({"name": "forger", "allow_on_headers_stop_iteration": true});
    setup
}

/// The entries of shared data that say that this is the key set of the issuer, fetched just now.
fn forged(keys: &[&Key]) -> Value {
    let uptime = fs::read_to_string("/proc/uptime").unwrap();
    let seconds: f64 = uptime.split(' ').next().unwrap().parse().unwrap();
    let fetched_at = format!("{:.0}", (seconds - 1.0) * 1000.0);
    let fetched_at: u64 = fetched_at.parse().unwrap();
    let place = json!([["issuer", "issuer.example", "/jwks"], null, []]);
    let name = format!("{}.{place}", KeySetFormat::default());
    let progress = json!({
        "version": {"id": 7, "fetched_at": fetched_at},
        "due_at": fetched_at + 600_000,
        "failures": 0,
        "refetched_at": null,
        "turn": null,
        "users": 1,
        "reserved_until": 0,
    });
    let set = String::from_utf8(Issuer::published(keys).body).unwrap();
    let document = format!("{set}\n{}", json!({"id": 7, "validator": null}));
    json!([
        [format!("bearer_gate.6.document.{name}"), document],
        [
            format!("bearer_gate.6.progress.{name}"),
            progress.to_string()
        ],
    ])
}

/// An Envoy with the filter in its first listener and the forging module in the second.
fn start(share: &str, issuer: &Issuer, upstream: &Server) -> Envoy {
    let gate = Setup::new(config(share)).filter_chain();
    let listeners = [("test", gate), ("forger", forging().filter_chain())];
    let clusters = [
        cluster("upstream", upstream.port),
        cluster("issuer", issuer.server.port),
    ];
    Envoy::start(&bootstrap_of(&listeners, &clusters), 2)
}

#[test]
fn another_module_can_forge_a_key_set_only_where_workers_share_it() {
    let stray = get("/").bearer(Token::good().signed_with(&keys::RSA_2));
    let good = get("/").bearer(Token::good().signed());
    for (share, expected) in [("process", 200), ("worker", 401)] {
        let (issuer, upstream) = (Issuer::start(), Server::echo());
        let gate = start(share, &issuer, &upstream);
        eventually("all workers have the keys", || {
            in_parallel(16, |_| gate.send(&good).status) == [200; 16]
        });
        assert_eq!(in_parallel(16, |_| gate.send(&stray).status), [401; 16]);
        let body = forged(&[&keys::RSA, &keys::RSA_2]).to_string();
        let forge = get("/").method("POST").body(body);
        assert_eq!(gate.send_to("forger", &forge).status, 200);
        if share == "process" {
            eventually("all workers use the forged key", || {
                in_parallel(16, |_| gate.send(&stray).status) == [expected; 16]
            });
            continue;
        }
        // Long after every worker would have looked at shared data: it does so every half second.
        let fetched_at = gate.metric("jwks.cloud.fetched_at");
        eventually("some seconds pass", || {
            crate::support::now() > fetched_at + 3
        });
        assert_eq!(
            in_parallel(32, |_| gate.send(&stray).status),
            [expected; 32]
        );
        assert_eq!(in_parallel(32, |_| gate.send(&good).status), [200; 32]);
    }
}

#[test]
fn each_worker_fetches_where_nothing_is_shared() {
    let issuer = Issuer::start();
    let gate = Setup::trusting(&issuer)
        .config(config("worker"))
        .workers(3)
        .start();
    let good = get("/").bearer(Token::good().signed());
    assert_eq!(in_parallel(32, |_| gate.send(&good).status), [200; 32]);
    // The main thread of Envoy has a virtual machine, too.
    gate.counts("jwks.cloud.fetch_success", 3 + 1);
    assert_eq!(issuer.server.count(), 3 + 1);
}
