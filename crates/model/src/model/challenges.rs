//! Which challenges an answer has: `docs/answers.md`.

use super::credential::{self, Place, Scheme};
use super::fields::Fields;
use super::nonce::Nonces;
use super::proof;
use super::reason::Reason;
use super::requirement;
use super::view::View;
use crate::case::World;

/// The challenges of an answer, and what they say about proofs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Challenges {
    /// The schemes, and whether the challenge says what is wrong.
    pub(super) schemes: Vec<(Scheme, bool)>,
    /// The accepted algorithms of proofs.
    pub(super) algs: String,
    /// The nonce that the client should use from now on.
    pub(super) nonce: Option<String>,
}

impl Challenges {
    /// The challenges where `node` refuses a request for `reason` at the time `now`. Without a requirement, those of
    /// all providers count.
    pub(super) fn new(
        reason: Reason,
        world: &World,
        node: Option<Fields<'_>>,
        view: View<'_>,
        now: i128,
    ) -> Self {
        let configuration = Fields(&world.configuration);
        let dpop = configuration.object("dpop");
        let schemes = schemes(reason, configuration, node, view);
        let algs = dpop.map(proof::algorithms).unwrap_or_default();
        let algs: Vec<&str> = algs
            .into_iter()
            .map(|alg| if alg == "EdDSA" { "EdDSA Ed25519" } else { alg })
            .collect();
        let (_, status, _, _) = reason.row();
        let has_nonce = status == 401 && schemes.iter().any(|(scheme, _)| *scheme == Scheme::Dpop);
        let nonces = Nonces::new(world).filter(|_| has_nonce);
        Self {
            schemes,
            algs: algs.join(" "),
            nonce: nonces.map(|nonces| nonces.issue(now)),
        }
    }
}

fn schemes(
    reason: Reason,
    configuration: Fields<'_>,
    node: Option<Fields<'_>>,
    view: View<'_>,
) -> Vec<(Scheme, bool)> {
    let (_, status, error, _) = reason.row();
    let is_on = configuration.has("dpop");
    let names = requirement::providers_of(configuration, node);
    let providers = names
        .iter()
        .map(|name| requirement::provider(configuration, name));
    let providers: Vec<Fields<'_>> = providers.collect();
    let takes_proofs = |provider: &Fields<'_>| {
        let is_checked = !matches!(constraint(*provider), "ignore" | "certificate");
        is_checked && credential::places(*provider).iter().any(Place::has_scheme)
    };
    let dpop = is_on && providers.iter().any(takes_proofs);
    let bearer = !dpop || !providers.iter().all(|one| constraint(*one) == "dpop");
    let accepted = |names_error: bool| {
        let bearer = bearer.then_some((Scheme::Bearer, names_error));
        let dpop = dpop.then_some((Scheme::Dpop, names_error));
        bearer.into_iter().chain(dpop).collect::<Vec<_>>()
    };
    let used_dpop = is_on
        && (matches!(reason, Reason::Downgrade | Reason::ProofNonce)
            || credential::scheme(view) == Some(Scheme::Dpop));
    match status {
        503 => Vec::new(),
        400 => accepted(true),
        401 if error.is_none() => accepted(false),
        _ if used_dpop => vec![(Scheme::Dpop, true)],
        401 if dpop => vec![(Scheme::Bearer, true), (Scheme::Dpop, false)],
        _ => vec![(Scheme::Bearer, true)],
    }
}

fn constraint(provider: Fields<'_>) -> &str {
    provider.text("sender_constraint").unwrap_or_default()
}
