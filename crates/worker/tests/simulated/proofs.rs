//! Proofs of possession: no proof is accepted twice in a process.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gate_fixtures as fixtures;
use gate_simulator::{Listener, Process, Reply, Request};
use serde_json::{Value, json};

use crate::logged;
use crate::support::{HOUR, ISSUER, MS, SECOND, listeners, listening, process, provider, statuses};

/// The configuration with this value of `dpop`.
fn config_with(dpop: &Value) -> String {
    let providers = json!({"cloud": provider()});
    json!({"providers": providers, "dpop": dpop}).to_string()
}

fn config() -> String {
    config_with(&json!({}))
}

fn hash(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, text.as_bytes()))
}

fn jwk() -> Value {
    let mut jwk = fixtures::ed25519_jwk();
    jwk.as_object_mut().unwrap().remove("kid");
    jwk
}

/// A token that is bound to the client's key.
fn token() -> String {
    let header = json!({"alg": "ES256", "kid": "ec", "typ": "at+jwt"});
    let payload = json!({
        "iss": ISSUER,
        "exp": 1_800_000_000_u64,
        "cnf": {"jkt": hash(&jwk().to_string())},
    });
    fixtures::es256(&header, &payload)
}

/// A token and a proof with it.
#[derive(Clone)]
struct Proven {
    token: String,
    proof: String,
}

/// A proof with this `jti`, made at this time, with these further claims.
fn proven_with(jti: &str, iat: u64, claims: &Value) -> Proven {
    let token = token();
    let header = json!({"typ": "dpop+jwt", "alg": "EdDSA", "jwk": jwk()});
    let mut payload = json!({
        "jti": jti,
        "htm": "GET",
        "htu": "https://api.example/",
        "iat": iat,
        "ath": hash(&token),
    });
    for (name, value) in claims.as_object().unwrap() {
        payload[name] = value.clone();
    }
    let proof = fixtures::signed("EdDSA", &header, &payload);
    Proven { token, proof }
}

/// A proof with this `jti`, made now.
fn proven(process: &Process, jti: &str) -> Proven {
    proven_with(jti, process.now().unix_millis() / 1000, &json!({}))
}

impl Proven {
    fn request(&self, listener: &Listener) -> Request {
        self.request_for("/", listener)
    }

    fn request_for(&self, path: &str, listener: &Listener) -> Request {
        let authorization = format!("DPoP {}", self.token);
        listener.request(&[
            (":method", "GET"),
            (":scheme", "https"),
            (":authority", "api.example"),
            (":path", path),
            ("authorization", &authorization),
            ("dpop", &self.proof),
        ])
    }

    fn status(&self, listener: &Listener) -> u16 {
        self.request(listener).status()
    }
}

/// Workers that have their keys.
fn ready(count: usize, config: &str) -> (Process, Vec<Listener>) {
    let process = process();
    let workers = listeners(&process, count, config);
    process.advance(2 * SECOND);
    (process, workers)
}

#[test]
fn a_proof_is_accepted_once_whichever_worker_gets_it() {
    let (process, workers) = ready(4, &config());
    for jti in ["a", "b", "c"] {
        let proven = proven(&process, jti);
        let found: Vec<u16> = workers.iter().map(|one| proven.status(one)).collect();
        assert_eq!(found, [200, 401, 401, 401]);
    }
    process.advance(2 * SECOND);
    assert_eq!(process.metric("bearer_gate.allowed"), 3);
    assert_eq!(process.metric("bearer_gate.denied.proof_replay"), 9);
    assert_eq!(process.metric("bearer_gate.proof.verified.software"), 12);
    assert_eq!(process.metric("bearer_gate.proof.verified.host"), 0);
    assert_eq!(process.metric("bearer_gate.proof.key_cache.miss"), 4);
    assert_eq!(process.metric("bearer_gate.proof.key_cache.hit"), 8);
    assert_eq!(process.metric("bearer_gate.proof.contended"), 0);
}

#[test]
fn what_is_counted_of_proofs_exists_only_where_they_are_checked() {
    let (process, _, _) = listening(&crate::support::config());
    let names = process.metric_names();
    assert!(
        !names.iter().any(|name| name.contains(".proof.")),
        "{names:?}"
    );
}

#[test]
fn a_replay_is_refused_up_to_the_last_second_in_which_the_proof_could_be_accepted() {
    let (process, workers) = ready(2, &config());
    let proven = proven(&process, "a");
    assert_eq!(proven.status(&workers[0]), 200);
    // By default a proof is good for two minutes.
    for pause in [30 * SECOND, 60 * SECOND, 29 * SECOND, SECOND] {
        process.advance(pause);
        let replay = proven.request(&workers[1]);
        let challenge = replay.answer_header("www-authenticate").unwrap();
        assert!(challenge.contains("has been used before"), "{challenge}");
    }
    process.advance(SECOND);
    let late = proven.request(&workers[1]);
    let challenge = late.answer_header("www-authenticate").unwrap();
    assert!(challenge.contains("too old"), "{challenge}");
}

#[test]
fn of_two_workers_that_use_a_proof_at_the_same_moment_one_accepts_it() {
    let (process, mut workers) = ready(2, &config());
    let proven = proven(&process, "a");
    let second = workers.pop().unwrap();
    let status = Rc::new(RefCell::new(0));
    let (other, written) = (proven.clone(), Rc::clone(&status));
    process.before_next_swap(move || *written.borrow_mut() = other.status(&second));
    assert_eq!(proven.status(&workers[0]), 401);
    assert_eq!(*status.borrow(), 200);
    process.advance(2 * SECOND);
    assert_eq!(process.metric("bearer_gate.proof.contended"), 1);
    assert_eq!(process.metric("bearer_gate.denied.proof_replay"), 1);
}

#[test]
fn a_worker_that_others_get_ahead_of_tries_again_and_at_last_gives_up() {
    let (process, workers) = ready(1, &config());
    process.lose_swaps(31);
    assert_eq!(proven(&process, "a").status(&workers[0]), 200);
    process.lose_swaps(32);
    let refused = proven(&process, "b").request(&workers[0]);
    assert_eq!(refused.status(), 503);
    assert_eq!(refused.answer_header("retry-after").as_deref(), Some("1"));
    assert_eq!(refused.answer_header("www-authenticate"), None);
    // It was not used up.
    assert_eq!(proven(&process, "b").status(&workers[0]), 200);
    process.advance(2 * SECOND);
    assert_eq!(process.metric("bearer_gate.proof.contended"), 63);
    assert_eq!(process.metric("bearer_gate.denied.replay_unavailable"), 1);
}

#[test]
fn a_worker_that_dies_takes_no_memory_of_proofs_with_it() {
    let process = process();
    let first = process.start_worker();
    let listener = first.listen(&config()).unwrap();
    process.advance(2 * SECOND);
    let proven = proven(&process, "a");
    assert_eq!(proven.status(&listener), 200);
    first.kill();
    let second = listeners(&process, 1, &config());
    process.advance(2 * SECOND);
    assert_eq!(proven.status(&second[0]), 401);
}

#[test]
fn a_proof_stays_used_after_a_reload_of_the_same_configuration() {
    let (process, mut workers) = ready(1, &config());
    let proven = proven(&process, "a");
    assert_eq!(proven.status(&workers[0]), 200);
    assert!(workers[0].configure_again(&config()));
    assert_eq!(proven.status(&workers[0]), 401);
    workers.pop().unwrap().remove();
    let again = listeners(&process, 1, &config());
    process.advance(2 * SECOND);
    assert_eq!(proven.status(&again[0]), 401);
}

/// Protobuf writes the members of a `Struct` in any order, and may choose another one for each update.
#[test]
fn a_proof_stays_used_if_the_members_of_the_same_configuration_come_in_another_order() {
    let member = |name: &str, value: &Value| format!("\"{name}\": {value}");
    let dpop = member("dpop", &json!({}));
    let providers = member("providers", &json!({"cloud": provider()}));
    let [one, other] = [
        format!("{{{dpop}, {providers}}}"),
        format!("{{{providers}, {dpop}}}"),
    ];
    let (process, mut workers) = ready(1, &one);
    let proven = proven(&process, "a");
    assert_eq!(proven.status(&workers[0]), 200);
    workers.pop().unwrap().remove();
    let again = listeners(&process, 1, &other);
    process.advance(2 * SECOND);
    assert_eq!(proven.status(&again[0]), 401);
}

#[test]
fn listeners_with_the_same_configuration_share_the_memory_and_others_have_their_own() {
    let process = process();
    let worker = process.start_worker();
    let same = [(); 2].map(|()| worker.listen(&config()).unwrap());
    let other = worker
        .listen(&config_with(&json!({"max_age": "59s"})))
        .unwrap();
    process.advance(2 * SECOND);
    let proven = proven(&process, "a");
    assert_eq!(proven.status(&same[0]), 200);
    assert_eq!(proven.status(&same[1]), 401);
    assert_eq!(proven.status(&other), 200);
}

#[test]
fn a_request_that_is_refused_for_another_reason_does_not_use_up_its_proof() {
    let requires =
        json!({"provider_name": "cloud", "claims": [{"claim_name": "a", "present": true}]});
    let config = json!({
        "providers": {"cloud": provider()},
        "dpop": {},
        "rules": [
            {"match": {"path": "/"}, "requires": requires},
            {"match": {"prefix": "/"}, "requires": {"provider_name": "cloud"}},
        ],
    });
    let (process, workers) = ready(1, &config.to_string());
    let proven = proven(&process, "a");
    assert_eq!(proven.status(&workers[0]), 403);
    let keys = process.shared_keys("bearer_gate.replay");
    let used: usize = keys
        .iter()
        .map(|key| process.shared(key).unwrap().len())
        .sum();
    assert_eq!(used, 0);
}

#[test]
fn a_used_proof_is_only_reported_where_refusals_are_but_not_on_an_ambiguous_path() {
    let requires = json!({"provider_name": "cloud"});
    let config = json!({
        "providers": {"cloud": provider()},
        "dpop": {},
        "rules": [
            {"match": {"prefix": "/a"}, "requires": requires, "report_only": true},
            {"match": {"prefix": "/"}, "requires": requires},
        ],
    });
    let (process, workers) = ready(1, &config.to_string());
    let now = process.now().unix_millis() / 1000;
    for (path, status, reason) in [("/a", 200, "would_deny"), ("/a/..%2fb", 401, "denied")] {
        let htu = format!("https://api.example{path}");
        let proven = proven_with(path, now, &json!({"htu": htu}));
        let good = proven.request_for(path, &workers[0]);
        assert_eq!((good.status(), good.filter_state()), (200, Vec::new()));
        assert_eq!(proven.request_for(path, &workers[0]).status(), status);
        process.advance(SECOND);
        let name = format!("bearer_gate.{reason}.proof_replay");
        assert_eq!(process.metric(&name), 1, "{path}");
    }
}

#[test]
fn a_request_that_waited_for_keys_uses_its_proof_once() {
    let (process, _, listener) = listening(&config());
    let proven = proven(&process, "a");
    let requests = [proven.request(&listener), proven.request(&listener)];
    assert_eq!(statuses(&requests), [0, 0]);
    process.advance(2 * SECOND);
    assert_eq!(statuses(&requests), [200, 401]);
}

#[test]
fn a_full_bucket_refuses_new_proofs_and_others_go_on() {
    // One bucket of 256 proofs.
    let small = config_with(&json!({"replay_entries": 64}));
    let (process, workers) = ready(2, &small);
    assert_eq!(process.shared_keys("bearer_gate.replay").len(), 1);
    for number in 0..256 {
        let proven = proven(&process, &number.to_string());
        assert_eq!(proven.status(&workers[0]), 200, "{number}");
    }
    let refused = proven(&process, "more").request(&workers[1]);
    assert_eq!(refused.status(), 503);
    assert_eq!(proven(&process, "7").status(&workers[1]), 401);
    // A token that is not bound needs no memory.
    assert_eq!(
        workers[0].get("/", Some(&crate::support::token())).status(),
        200
    );
    process.advance(121 * SECOND);
    assert_eq!(proven(&process, "more").status(&workers[1]), 200);
}

#[test]
fn full_buckets_do_not_affect_the_others() {
    let (process, workers) = ready(1, &config_with(&json!({"replay_entries": 128})));
    let keys = process.shared_keys("bearer_gate.replay");
    assert_eq!(keys.len(), 2);
    let live = [&[1; 16][..], &u32::MAX.to_le_bytes()].concat();
    process.set_shared(&keys[0], &live.repeat(256));
    let numbers = 0..50;
    let found: Vec<u16> = numbers
        .map(|number| proven(&process, &number.to_string()).status(&workers[0]))
        .collect();
    assert!(found.contains(&503) && found.contains(&200), "{found:?}");
}

#[test]
fn the_number_of_entries_is_fixed_and_their_size_bounded() {
    let (process, workers) = ready(1, &config_with(&json!({"replay_entries": 64})));
    let keys = process.shared_keys("bearer_gate.replay");
    let entries = process.shared_len();
    let size = || process.shared(&keys[0]).unwrap().len();
    for number in 0..300 {
        let _ = proven(&process, &number.to_string()).request(&workers[0]);
    }
    assert_eq!(process.shared_len(), entries);
    assert_eq!(size(), 256 * 20);
    // What is over is dropped.
    process.advance(HOUR);
    assert_eq!(proven(&process, "last").status(&workers[0]), 200);
    assert_eq!(size(), 20);
    for (count, buckets) in [(1, 1), (64, 1), (65, 2), (128, 2), (129, 4), (200, 4)] {
        let config = config_with(&json!({"replay_entries": count}));
        let (process, _, _) = listening(&config);
        assert_eq!(process.shared_keys("bearer_gate.replay").len(), buckets);
    }
}

#[test]
fn names_of_the_memory_are_stable() {
    let (process, _, _) = listening(&config());
    let keys = process.shared_keys("bearer_gate.replay");
    assert_eq!(keys.len(), 2048);
    let name = digest(&SHA256, config().as_bytes());
    let name: Vec<String> = name.as_ref()[..8]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let first = format!("bearer_gate.replay.1.{}.0", name.concat());
    assert_eq!(keys[0], first);
}

#[test]
fn proofs_may_be_used_again_where_none_are_remembered() {
    let (process, workers) = ready(1, &config_with(&json!({"replay_entries": 0})));
    let proven = proven(&process, "a");
    assert_eq!(proven.status(&workers[0]), 200);
    assert_eq!(proven.status(&workers[0]), 200);
    assert!(process.shared_keys("bearer_gate.replay").is_empty());
}

#[test]
fn a_malformed_bucket_is_reported_once_and_counts_as_empty() {
    logged::start();
    let (process, workers) = ready(2, &config_with(&json!({"replay_entries": 64})));
    let keys = process.shared_keys("bearer_gate.replay");
    process.set_shared(&keys[0], b"nonsense");
    assert_eq!(proven(&process, "a").status(&workers[0]), 200);
    assert_eq!(proven(&process, "a").status(&workers[1]), 401);
    process.set_shared(&keys[0], b"nonsense");
    assert_eq!(proven(&process, "b").status(&workers[1]), 200);
    let lines = logged::take();
    let about = lines.iter().filter(|line| line.contains("is malformed"));
    assert_eq!(about.count(), 1, "{lines:?}");
}

#[test]
fn without_its_bucket_a_proof_is_not_accepted() {
    let (process, workers) = ready(1, &config_with(&json!({"replay_entries": 64})));
    for key in process.shared_keys("bearer_gate.replay") {
        process.remove_shared(&key);
    }
    assert_eq!(proven(&process, "a").status(&workers[0]), 503);
}

// Nonces.

#[test]
fn workers_share_a_random_key_of_nonces() {
    let dpop = config_with(&json!({"nonce": "required"}));
    let (process, workers) = ready(2, &dpop);
    assert_eq!(process.shared("bearer_gate.nonce.1").unwrap().len(), 32);
    let now = process.now().unix_millis() / 1000;
    let first = proven(&process, "a").request(&workers[0]);
    let challenge = first.answer_header("www-authenticate").unwrap();
    assert!(challenge.starts_with("DPoP realm=\"api.example\", error=\"use_dpop_nonce\""));
    let nonce = first.answer_header("dpop-nonce").unwrap();
    let again = proven_with("b", now, &json!({"nonce": nonce}));
    assert_eq!(again.status(&workers[1]), 200);
    assert_eq!(again.status(&workers[0]), 401);
    // A proof with a nonce is remembered for as long as the nonce is good, whatever its date.
    let dated = proven_with("c", 1_000_000_000, &json!({"nonce": nonce}));
    assert_eq!(dated.status(&workers[0]), 200);
    process.advance(Duration::from_secs(269));
    assert_eq!(dated.status(&workers[1]), 401);
    let late = proven_with("d", now, &json!({"nonce": nonce}));
    let late = late.request(&workers[1]);
    assert_eq!(late.status(), 200);
    assert_eq!(late.filter_state()[0].0, "dpop_nonce");
    process.advance(Duration::from_secs(62));
    let over = proven_with("e", now, &json!({"nonce": nonce})).request(&workers[1]);
    let fresh = over.answer_header("dpop-nonce").unwrap();
    assert_ne!(fresh, nonce);
}

#[test]
fn two_processes_accept_each_others_nonces_only_with_the_same_key() {
    let nonce_of = |process: &Process, listener: &Listener| {
        let request = proven(process, "a").request(listener);
        request.answer_header("dpop-nonce").unwrap()
    };
    let start = |seed: u64, config: &str| {
        let process = Process::new(seed);
        process.set_environment_variable("KEY", &"A".repeat(43));
        let reply = crate::support::key_set();
        process.serve_always("issuer", Reply::After(5 * MS, reply));
        let workers = listeners(&process, 1, config);
        process.advance(2 * SECOND);
        (process, workers)
    };
    for (dpop, expected) in [
        (json!({"nonce": "required"}), 401),
        (
            json!({"nonce": "required", "nonce_key_environment_variable": "KEY"}),
            200,
        ),
    ] {
        let config = config_with(&dpop);
        let (one, of_one) = start(1, &config);
        let (other, of_other) = start(2, &config);
        let nonce = nonce_of(&one, &of_one[0]);
        let now = other.now().unix_millis() / 1000;
        let proven = proven_with("b", now, &json!({"nonce": nonce}));
        assert_eq!(proven.status(&of_one[0]), 200);
        // The known limit: another process does not know which proofs have been used.
        assert_eq!(proven.status(&of_other[0]), expected);
    }
}

#[test]
fn a_host_without_random_numbers_needs_a_key_for_nonces() {
    let process = process();
    process.set_random_keys_available(false);
    process.set_environment_variable("KEY", &"A".repeat(43));
    let worker = process.start_worker();
    assert!(worker.listen(&config()).is_some());
    let random = config_with(&json!({"nonce": "fallback"}));
    assert!(worker.listen(&random).is_none());
    let named = json!({"nonce": "fallback", "nonce_key_environment_variable": "KEY"});
    assert!(worker.listen(&config_with(&named)).is_some());
}

#[test]
fn a_known_limit_a_proof_is_accepted_once_in_each_process() {
    let (one, of_one) = ready(1, &config());
    let (_, of_other) = ready(1, &config());
    let proven = proven(&one, "a");
    assert_eq!(proven.status(&of_one[0]), 200);
    assert_eq!(proven.status(&of_other[0]), 200);
    assert_eq!(proven.status(&of_other[0]), 401);
}
