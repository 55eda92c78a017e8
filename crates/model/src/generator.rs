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

use crate::case::{Case, World};
use configuration::Plan;

/// How many tokens the requests of a case share.
const TOKENS: usize = 10;

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
    let requests = (0..requests)
        .map(|_| request::draw(&mut rng, &plan, &tokens))
        .collect();
    world.configuration = respelling::respelled(&mut rng, &world.configuration);
    Case {
        world,
        requests,
        tokens: tokens.into_iter().map(|one| (one.text, one.name)).collect(),
        host_verifies: rng.u8(0..5) > 0,
    }
}
