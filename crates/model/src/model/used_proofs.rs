//! Which proofs have been used: `docs/configuration.md`, "DPoP".

use std::collections::BTreeMap;

use super::fields::Fields;
use super::proof::Proof;
use super::reason::Reason;
use crate::case::World;

/// Which proofs have been used.
#[derive(Clone, Debug)]
pub(crate) struct UsedProofs {
    /// Whether they are remembered.
    is_on: bool,
    /// Whether there is no room for any more.
    is_full: bool,
    /// From which second on a proof, by thumbprint and `jti`, is forgotten.
    until: BTreeMap<(String, String), i128>,
}

impl UsedProofs {
    pub(crate) fn new(world: &World) -> Self {
        let dpop = Fields(&world.configuration).object("dpop");
        let entries = dpop.and_then(|dpop| dpop.integer("replay_entries"));
        Self {
            is_on: entries != Some(0),
            is_full: world.proofs_are_full,
            until: BTreeMap::new(),
        }
    }

    /// Why a request with this proof does not pass at the time `now`, in milliseconds since the epoch.
    pub(super) fn check(&self, proof: &Proof, now: i128) -> Result<(), Reason> {
        let until = self.until.get(&name(proof));
        if until.is_some_and(|until| *until > now.div_euclid(1000)) {
            Err(Reason::ProofReplay)
        } else if self.is_full && self.is_on {
            Err(Reason::ReplayUnavailable)
        } else {
            Ok(())
        }
    }

    /// A request with this proof has passed.
    pub(crate) fn add(&mut self, proof: &Proof) {
        if self.is_on {
            self.until.insert(name(proof), proof.until);
        }
    }
}

fn name(proof: &Proof) -> (String, String) {
    (proof.thumbprint.clone(), proof.jti.clone())
}
