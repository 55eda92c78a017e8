//! A proof is good for one request (RFC 9449, section 11.1).

use gate::reason::ReasonKind;
use serde_json::{Value, json};

use super::setting::{URL, assert_refused, client};
use crate::support::{
    Discovery, Envoy, Gate, Proof, Request, Response, Server, Setup, bootstrap_of, bound_token,
    dpop_config, eventually, get, in_parallel, sha256, thumbprint, with_time_enough,
};

/// A request with a new proof for `token`.
fn request(token: &str) -> Request {
    let proof = Proof::new(client(), URL, token).signed();
    get("/orders").proving(token, &proof)
}

#[test]
fn a_proof_cannot_be_used_again() {
    let gate = Setup::new(dpop_config(&json!({}))).start();
    let token = bound_token(client()).signed();
    let request = request(&token);
    assert_eq!(gate.send(&request).status, 200);
    for _ in 0..3 {
        assert_refused(&gate.send(&request), ReasonKind::ProofReplay, "replay");
    }
    assert_eq!(gate.upstream.count(), 1);
    gate.counts("denied.proof_replay", 3);
}

#[test]
fn a_proof_is_refused_for_its_age_once_nobody_remembers_it() {
    with_time_enough(|time| {
        let seconds = format!("{}s", time.as_secs());
        let config = dpop_config(&json!({"max_age": seconds, "clock_skew": "0s"}));
        let gate = Setup::new(config).start();
        let token = bound_token(client()).signed();
        let request = request(&token);
        if gate.send(&request).status != 200 {
            return false;
        }
        let description = |answer: &Response| answer.json()["error_description"].clone();
        eventually("the proof is too old", || {
            let answer = gate.send(&request);
            assert_eq!(answer.status, 401);
            description(&answer) == ReasonKind::ProofTime.description()
        });
        assert_eq!(gate.upstream.count(), 1);
        true
    });
}

#[test]
fn one_of_many_workers_accepts_a_proof() {
    const PROOFS: usize = 20;
    const SENDERS: usize = 16;
    let gate = Setup::new(dpop_config(&json!({}))).workers(4).start();
    let token = bound_token(client()).signed();
    // The kernel spreads connections over the workers. Each sender has one and sends all proofs over it.
    let requests: Vec<Request> = (0..PROOFS).map(|_| request(&token)).collect();
    let answers = in_parallel(SENDERS, |_| {
        let mut connection = gate.connect();
        let send = |request| connection.send(request).unwrap().status;
        requests.iter().map(send).collect::<Vec<u16>>()
    });
    for proof in 0..PROOFS {
        let statuses: Vec<u16> = answers.iter().map(|answers| answers[proof]).collect();
        let accepted = statuses.iter().filter(|&&status| status == 200).count();
        assert_eq!(accepted, 1, "{statuses:?}");
        assert!(statuses.iter().all(|status| [200, 401].contains(status)));
    }
    assert_eq!(gate.upstream.count(), PROOFS);
}

/// A listener with the filter of `setup`.
fn listener(setup: &Setup) -> Value {
    let bootstrap = bootstrap_of(&[("test", setup.filter_chain())], &[]);
    let mut bootstrap: Value = serde_json::from_str(&bootstrap).unwrap();
    let mut listener = bootstrap["static_resources"]["listeners"][0].take();
    listener["@type"] = "type.googleapis.com/envoy.config.listener.v3.Listener".into();
    listener
}

#[test]
fn a_proof_stays_used_after_a_reload() {
    let upstream = Server::echo();
    let mut setup = Setup::new(dpop_config(&json!({})));
    let listeners = Discovery::new(&[listener(&setup)]);
    let mut bootstrap: Value = serde_json::from_str(&setup.bootstrap(upstream.port)).unwrap();
    let resources = bootstrap["static_resources"].as_object_mut().unwrap();
    resources.remove("listeners");
    bootstrap["dynamic_resources"] = json!({"lds_config": listeners.source()});
    let gate = Envoy::start(&bootstrap.to_string(), 1);
    let configured = || gate.log().matches("providers: cloud").count();
    let token = bound_token(client()).signed();
    let used = request(&token);
    assert_eq!(gate.send(&used).status, 200);
    let at_first = configured();
    let still_refused = |name: &str| {
        let reloaded = || gate.send(&get("/")).header("server") == Some(name);
        eventually("the listener is replaced", reloaded);
        assert_refused(&gate.send(&used), ReasonKind::ProofReplay, name);
    };

    setup.connection_manager = json!({"server_name": "reloaded"});
    listeners.publish(&[listener(&setup)]);
    still_refused("reloaded");
    assert_eq!(configured(), at_first, "the filter is the same one");

    // A filter with another name is another one, though its configuration is the same.
    setup.connection_manager = json!({"server_name": "configured-again"});
    setup.plugin_config = json!({"name": "another"});
    listeners.publish(&[listener(&setup)]);
    still_refused("configured-again");
    assert!(configured() > at_first, "the filter is configured again");
    assert_eq!(gate.send(&request(&token)).status, 200);
    assert_eq!(upstream.count(), 2);
}

/// In which of two buckets a proof with this `jti` is remembered.
fn bucket(jti: &str) -> u8 {
    let prefix = b"bearer-gate dpop replay 1\0";
    let hash = sha256(&[&prefix[..], &thumbprint(client()), jti.as_bytes()].concat());
    hash[3] % 2
}

fn send(gate: &Gate, token: &str, jti: &str) -> Response {
    let proof = Proof::new(client(), URL, token).claim("jti", jti).signed();
    gate.send(&get("/orders").proving(token, &proof))
}

#[test]
fn a_full_bucket_stops_only_the_proofs_that_belong_there() {
    /// Entries of a bucket.
    const CAPACITY: usize = 256;
    // Two buckets, which hold 64 proofs each on average. Proofs are good for an hour here, however slow the
    // machine is.
    let config = dpop_config(&json!({"replay_entries": 128, "max_age": "3600s"}));
    let gate = Setup::new(config).start();
    let token = bound_token(client()).signed();
    let all = |wanted: u8| {
        let names = (0..).map(|number: u32| number.to_string());
        names.filter(move |jti| bucket(jti) == wanted)
    };
    let names: Vec<String> = all(0).take(CAPACITY + 1).collect();
    let (last, names) = names.split_last().unwrap();
    for jti in names {
        assert_eq!(send(&gate, &token, jti).status, 200, "{jti}");
    }
    let full = send(&gate, &token, last);
    assert_refused(&full, ReasonKind::ReplayUnavailable, "full");
    assert_eq!((full.status, full.header("retry-after")), (503, Some("1")));
    assert_eq!(gate.upstream.count(), CAPACITY);
    // What is remembered stays so, and others go on.
    let again = send(&gate, &token, &names[0]);
    assert_refused(&again, ReasonKind::ProofReplay, "replay");
    for jti in all(1).take(5) {
        assert_eq!(send(&gate, &token, &jti).status, 200, "{jti}");
    }
    gate.counts("denied.replay_unavailable", 1);
}
