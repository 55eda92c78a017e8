//! Proofs of possession (RFC 9449).

use std::rc::Rc;
use std::time::Duration;

use base64::Engine as _;
use gate::dpop::{NonceKeys, PROOF_HEADER};
use gate::policy::{DpopPolicy, NonceUse, Policy, Provider, Share, UpstreamToken};
use gate::verify::Algorithm;

use super::choice::choice;
use super::environment::{self, Environment};
use super::object::object;
use super::place::Place;
use super::scalar::{BASE64, NonEmpty, PositiveDuration, Unsigned, UnsignedDuration};

/// A proof that is good for longer is hardly a proof of presence.
const LONGEST_AGE: Duration = Duration::from_hours(1);

/// FAPI 2.0 wants a server to refuse what is further away.
const LARGEST_SKEW: Duration = Duration::from_mins(1);

/// The lifetime of a nonce: a client needs a new one each time that it ends.
const NONCE_LIFETIMES: std::ops::RangeInclusive<Duration> =
    Duration::from_secs(10)..=Duration::from_hours(1);

/// 320 MiB of shared data.
const MOST_ENTRIES: u32 = 4_194_304;

/// The shortest key of nonces, in bytes: as long as the output of the hash (RFC 2104, section 3).
const SHORTEST_KEY: usize = 32;

object! {
    pub(crate) struct DpopWire("Dpop", "DPoP") {
        /// The accepted values of `alg` in proofs. Default: all but HS256, HS384 and HS512, which never work.
        algorithms: optional Vec<String>,
        /// How old a proof may be by its `iat`: `"1s"` to `"3600s"`. Default `"60s"`.
        max_age: optional PositiveDuration,
        /// How far the clocks of gate and client may differ: `"0s"` to `"60s"`. Default `"60s"`.
        clock_skew: optional UnsignedDuration,
        /// When a proof needs a nonce: `"off"` (default), `"fallback"` or `"required"`.
        nonce: optional NonceWire,
        /// How long a nonce is good: `"10s"` to `"3600s"`. Default `"300s"`.
        nonce_lifetime: optional PositiveDuration,
        /// The environment variable of the VM that contains the key of nonces: base64 of at least 32 bytes,
        /// the same in all Envoys behind one name. Default: a random key of the process.
        nonce_key_environment_variable: optional NonEmpty,
        /// The same for an older key, whose nonces are still accepted. Default none.
        nonce_previous_key_environment_variable: optional NonEmpty,
        /// How many used proofs are remembered in the process, at most 4194304; with 0, proofs may be used
        /// again. Default 131072.
        replay_entries: optional Unsigned,
        /// What the upstream gets of a bound token that is forwarded: `"as_sent"` (default) or `"bearer"`.
        upstream: optional UpstreamWire,
    }
}

choice! {
    /// When a proof needs a nonce.
    enum NonceWire("NonceUse") {
        /// Never.
        Off = "off",
        /// If its `iat` is not acceptable.
        Fallback = "fallback",
        /// Always.
        Required = "required",
    }
}

choice! {
    /// What the upstream gets of a bound token that is forwarded.
    enum UpstreamWire("UpstreamToken") {
        /// Token and proof as they were sent.
        AsSent = "as_sent",
        /// The token as `Authorization: Bearer`, and no proof.
        Bearer = "bearer",
    }
}

impl DpopWire {
    /// Builds the policy of proofs at this place.
    pub(crate) fn build(self, at: &Place<'_>, environment: Environment<'_>) -> DpopPolicy {
        let defaults = DpopPolicy::default();
        let nonce = match self.nonce {
            None | Some(NonceWire::Off) => NonceUse::Off,
            Some(NonceWire::Fallback) => NonceUse::Fallback,
            Some(NonceWire::Required) => NonceUse::Required,
        };
        let max_age = PositiveDuration::or(self.max_age, defaults.max_age);
        if !(Duration::from_secs(1)..=LONGEST_AGE).contains(&max_age) {
            at.field("max_age").report("must be from 1s to 3600s");
        }
        let clock_skew = self.clock_skew.map_or(defaults.clock_skew, |skew| skew.0);
        if clock_skew > LARGEST_SKEW {
            at.field("clock_skew").report("must be from 0s to 60s");
        }
        let nonce_lifetime = PositiveDuration::or(self.nonce_lifetime, defaults.nonce_lifetime);
        if !NONCE_LIFETIMES.contains(&nonce_lifetime) {
            at.field("nonce_lifetime")
                .report("must be from 10s to 3600s");
        }
        let entries = self
            .replay_entries
            .map_or(defaults.replay_entries, |number| number.0);
        if entries > MOST_ENTRIES {
            let problem = format!("must be at most {MOST_ENTRIES}");
            at.field("replay_entries").report(&problem);
        }
        let algorithms = match self.algorithms {
            None => defaults.algorithms,
            Some(names) => algorithms(at, names),
        };
        let keys = nonce_keys(
            at,
            nonce,
            self.nonce_key_environment_variable,
            self.nonce_previous_key_environment_variable,
            environment,
        );
        DpopPolicy {
            algorithms,
            max_age,
            clock_skew,
            nonce,
            nonce_lifetime,
            nonce_keys: keys,
            replay_entries: entries,
            upstream: match self.upstream {
                None | Some(UpstreamWire::AsSent) => UpstreamToken::AsSent,
                Some(UpstreamWire::Bearer) => UpstreamToken::Bearer,
            },
        }
    }
}

/// Checks that proofs, the providers of `policy` and its other settings fit together. The document is at this
/// place.
pub(crate) fn check(document: &Place<'_>, policy: &Policy) {
    let at = document.field("dpop");
    let Some(dpop) = &policy.options.dpop else {
        let needs_dpop = |one: &&Rc<Provider>| one.needs_dpop();
        for provider in policy.providers.iter().filter(needs_dpop) {
            let (providers, name) = (document.field("providers"), &provider.name);
            let problem = "\"dpop\" needs the top-level field dpop";
            providers
                .field(name)
                .field("sender_constraint")
                .report(problem);
        }
        return;
    };
    if !policy.providers.iter().any(|one| one.offers_dpop()) {
        at.report(
            "no provider accepts proofs: sender_constraint must be neither \"ignore\" nor \
             \"certificate\", and tokens come in the header Authorization with the scheme",
        );
    }
    if dpop.nonce != NonceUse::Off && policy.options.strip_failure_response {
        at.field("nonce")
            .report("needs challenges, which strip_failure_response removes");
    }
    if policy.options.share == Share::Worker {
        if dpop.replay_entries > 0 {
            at.field("replay_entries").report(
                "must be 0 with share \"worker\": used proofs are remembered in shared data, which other \
                 modules could write",
            );
        }
        if dpop.nonce != NonceUse::Off && dpop.nonce_keys.is_none() {
            at.field("nonce_key_environment_variable").report(
                "missing field: with share \"worker\" there is no random key that all workers know",
            );
        }
    }
    if policy.must_remove(PROOF_HEADER.as_bytes()) {
        at.report("proofs are read from the header \"dpop\", so it cannot be set");
    }
}

/// The algorithms with these names, each once.
fn algorithms(at: &Place<'_>, names: Vec<String>) -> Vec<Algorithm> {
    if names.is_empty() {
        at.field("algorithms").report("must not be empty");
    }
    let known = || DpopPolicy::default_algorithms().map(Algorithm::name);
    let parsed = at.build_list("algorithms", Some(names), |name, at| {
        let algorithm = Algorithm::from_name(&name).filter(|one| !one.is_symmetric());
        if algorithm.is_none() {
            let known: Vec<&str> = known().collect();
            at.report(&format!("is not one of {}", known.join(", ")));
        }
        algorithm
    });
    let mut algorithms: Vec<Algorithm> = Vec::new();
    for algorithm in parsed {
        if !algorithms.contains(&algorithm) {
            algorithms.push(algorithm);
        }
    }
    algorithms
}

/// The keys in the variables `current` and `previous`. `None` if neither variable is named, or after reporting a problem.
fn nonce_keys(
    at: &Place<'_>,
    nonce: NonceUse,
    current: Option<NonEmpty>,
    previous: Option<NonEmpty>,
    environment: Environment<'_>,
) -> Option<NonceKeys> {
    let previous_at = at.field("nonce_previous_key_environment_variable");
    let previous = previous.map(|name| nonce_key(&previous_at, &name, environment));
    let Some(current) = current else {
        if previous.is_some() {
            previous_at.report("needs nonce_key_environment_variable");
        }
        return None;
    };
    let at = at.field("nonce_key_environment_variable");
    if nonce == NonceUse::Off {
        at.report("has no effect while nonce is \"off\"");
    }
    Some(NonceKeys {
        current: nonce_key(&at, &current, environment)?,
        previous: previous.flatten(),
    })
}

/// The key in the variable `name`, which the field at this place names.
fn nonce_key(at: &Place<'_>, name: &NonEmpty, environment: Environment<'_>) -> Option<Vec<u8>> {
    let NonEmpty(name) = name;
    let text = environment::secret(at, name, environment)?;
    let text = text.trim().replace('-', "+").replace('_', "/");
    match BASE64.decode(text) {
        Ok(key) if key.len() >= SHORTEST_KEY => Some(key),
        Ok(_) => at.refuse(&format!("{name} has fewer than {SHORTEST_KEY} bytes")),
        Err(_) => at.refuse(&format!("{name} is not base64")),
    }
}
