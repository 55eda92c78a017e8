//! Cases, drawn from a seed.

mod claim_fault;
mod configuration;
mod dice;
mod key_set;
mod matcher;
mod payload;
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

/// How many tokens the requests of a case share.
const TOKENS: usize = 10;

/// How many of a hundred cases have a pause.
const WITH_PAUSE: u8 = 8;

/// How long pauses are, in seconds. The filter forgets what endpoints said, and many tokens expire after 1800 seconds
/// or, with the usual clock skew, 60 more.
const PAUSES: [u64; 5] = [120, 1799, 1800, 1859, 1860];

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
    };
    server::add(&mut rng, &plan, &tokens, &mut world);
    let requests = (0..requests).map(|_| request::draw(&mut rng, &plan, &tokens));
    let mut requests: Vec<Request> = requests.collect();
    if dice::chance(&mut rng, WITH_PAUSE) {
        let index = rng.usize(0..requests.len());
        requests[index].pause = dice::one_of(&mut rng, &PAUSES);
    }
    world.configuration = respelling::respelled(&mut rng, &world.configuration);
    Case {
        world,
        requests,
        tokens: tokens.into_iter().map(|one| (one.text, one.name)).collect(),
        host_verifies: rng.u8(0..5) > 0,
    }
}
