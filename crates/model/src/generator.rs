//! Cases, drawn from a seed.

mod certificate;
mod claim_fault;
mod configuration;
mod confirmation;
mod dice;
mod dpop;
mod key_set;
mod matcher;
mod payload;
mod proof;
mod provider;
mod request;
mod requirement;
mod respelling;
mod server;
mod signer;
mod token;

use fastrand::Rng;

use crate::case::{Case, Request, World};
use configuration::Plan;
use provider::Provider;
use token::Drawn;

/// How many tokens the requests of a case share.
const TOKENS: usize = 10;

/// How many of a hundred cases have a pause.
const WITH_PAUSE: u8 = 8;

/// How long pauses are, in seconds. The filter forgets what endpoints said, and many tokens expire after 1800 seconds
/// or, with the usual clock skew, 60 more.
const PAUSES: [u64; 5] = [120, 1799, 1800, 1859, 1860];

/// How many of a hundred requests repeat an earlier one, where proofs are checked.
const REPEATED: u8 = 10;

/// The requests of a case.
fn requests_with_pauses(
    rng: &mut Rng,
    plan: &Plan,
    tokens: &[Drawn],
    count: usize,
    now: i64,
) -> Vec<Request> {
    let pauses = pauses(rng, plan, count);
    let mut now = now;
    let mut requests: Vec<Request> = Vec::new();
    for pause in pauses {
        now += i64::try_from(pause).unwrap_or_default();
        // After a pause, a used proof may have been forgotten.
        let percent = if pause > 0 { 60 } else { REPEATED };
        let repeats = plan.checks_proofs() && dice::chance(rng, percent);
        let mut request = match requests.last() {
            Some(last) if repeats && rng.bool() => last.clone(),
            Some(_) if repeats => dice::one_of(rng, &requests),
            _ => request::draw(rng, plan, tokens, now),
        };
        request.pause = pause;
        requests.push(request);
    }
    requests
}

/// How long each request is sent after the one before.
fn pauses(rng: &mut Rng, plan: &Plan, count: usize) -> Vec<u64> {
    let mut pauses = vec![0; count];
    if dice::chance(rng, WITH_PAUSE) {
        pauses[rng.usize(0..count)] = dice::one_of(rng, &PAUSES);
    }
    // What endpoints said is forgotten after long pauses only.
    let introspects = |one: &Provider| one.fields.get("introspection").is_some();
    let dpop = &plan.configuration["dpop"];
    if plan.checks_proofs() && !plan.providers.iter().any(introspects) && rng.bool() {
        let skew = proof::seconds(&dpop["clock_skew"], 60);
        let age = proof::seconds(&dpop["max_age"], 60);
        let lifetime = proof::lifetime(dpop);
        let ends = [1, age + skew, age + skew + 1, lifetime, lifetime + 1];
        for _ in 0..3 {
            let pause = u64::try_from(dice::one_of(rng, &ends)).unwrap_or_default();
            pauses[rng.usize(0..count)] = pause;
        }
    }
    pauses
}

/// The case of a seed, with this number of requests, which arrive at the time `now`, in seconds since the epoch.
pub(crate) fn case(seed: u64, requests: usize, now: i64) -> Case {
    let mut rng = Rng::with_seed(seed);
    let plan = Plan::new(&mut rng, now);
    let tokens = token::pool(&mut rng, &plan, TOKENS);
    let mut world = World {
        configuration: plan.configuration.clone(),
        documents: plan.documents.clone(),
        introspection: std::collections::BTreeMap::new(),
        environment: plan.environment.clone(),
        proofs_are_full: dice::chance(&mut rng, 2),
    };
    server::add(&mut rng, &plan, &tokens, &mut world);
    let requests = requests_with_pauses(&mut rng, &plan, &tokens, requests, now);
    world.configuration = respelling::respelled(&mut rng, &world.configuration);
    Case {
        world,
        requests,
        tokens: tokens.into_iter().map(|one| (one.text, one.name)).collect(),
        host_verifies: rng.u8(0..5) > 0,
    }
}
