//! The model: what the filter must do with a request.
//!
//! It is derived from the documentation: `docs/configuration.md`, `docs/answers.md`, `docs/revocation.md`. It is
//! simple and slow, works on the text of the configuration, the raw headers and the documents as servers publish
//! them, and shares no code with the filter. Signatures are verified by aws-lc, JSON is read by `serde_json`,
//! regular expressions are matched by `regex`.

mod answer;
mod certificate;
mod challenges;
mod claim;
mod conditions;
mod credential;
mod date;
mod digest;
mod endpoint;
mod fields;
mod finding;
mod forwarding;
mod issuer;
mod key;
mod matching;
mod nonce;
mod own_headers;
mod path;
mod profile;
mod proof;
mod proof_key;
mod provider;
mod reason;
mod requirement;
mod revocation;
mod scope;
mod sender;
mod step_up;
mod strict_json;
mod surroundings;
mod target_uri;
mod token;
mod twin;
mod used_proofs;
mod view;

use std::iter;

use crate::case::{Request, World};
use conditions::Refusal;
use fields::Fields;
use matching::Truth;
use requirement::{Fulfilment, Opinion};
use surroundings::Surroundings;
use view::View;

pub(crate) use answer::Answer;
pub(crate) use digest::sha256;
pub(crate) use forwarding::Forwarded;
pub(crate) use nonce::{UNKNOWN, nonce};
pub(crate) use proof_key::thumbprint;
pub(crate) use reason::Reason;
pub(crate) use token::Token;
pub(crate) use twin::twin;
pub(crate) use used_proofs::UsedProofs;

/// What happens to a request.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Verdict {
    /// The upstream receives one of these. There are several if several providers accept the same token and not all
    /// know what they need when the request arrives: the one that does first counts.
    Forward(Vec<Forwarded>),
    /// The client receives one of these answers. There are several where the documentation does not say which of
    /// several refusals counts.
    Refuse(Vec<Answer>),
    /// The upstream receives this, because refusals are only reported, each with the reason of one of these answers.
    Report(Forwarded, Vec<Answer>),
    /// The upstream receives one of these, or the request is refused or reported: of several providers that accept the
    /// same token, some need a proof that has been used before.
    Either(Vec<Forwarded>, Box<Self>),
}

impl Verdict {
    /// The same verdict, with nonces of any time.
    pub(crate) fn without_nonce(self) -> Self {
        let without = |answers: Vec<Answer>| answers.into_iter().map(Answer::without_nonce);
        match self {
            Self::Forward(_) => self,
            Self::Refuse(answers) => Self::Refuse(without(answers).collect()),
            Self::Report(forwarded, answers) => Self::Report(forwarded, without(answers).collect()),
            Self::Either(forwarded, otherwise) => {
                Self::Either(forwarded, Box::new(otherwise.without_nonce()))
            }
        }
    }
}

/// What the filter must do with `request` at the time `now`, in milliseconds since the epoch. `asked` says whether
/// the filter remembers what the introspection endpoint behind a cluster said about a token, and `used` which proofs it
/// remembers.
pub(crate) fn judge(
    world: &World,
    request: &Request,
    now: i128,
    asked: &dyn Fn(&str, &str) -> bool,
    used: &UsedProofs,
) -> Verdict {
    let configuration = Fields(&world.configuration);
    let (kept, removed) = own_headers::split(configuration, &request.headers);
    let view = View(&kept);
    let refuse_unless = |reported: bool, node: Option<Fields<'_>>, refusals: &[Refusal]| {
        let answers = refusals.iter();
        let answers = answers.map(|one| Answer::new(one, world, node, view, now));
        if reported || configuration.flag("report_only") {
            Verdict::Report(Forwarded::unchanged(&kept), answers.collect())
        } else {
            Verdict::Refuse(answers.collect())
        }
    };
    let refuse = |refusal: Reason| refuse_unless(false, None, &[refusal.into()]);
    let per_route = configuration.flag("per_route_requirements");
    if per_route && removed {
        return refuse(Reason::Header);
    }
    let unchanged = || Verdict::Forward(vec![Forwarded::unchanged(&kept)]);
    if configuration.flag("bypass_cors_preflight") && view.is_preflight() {
        return unchanged();
    }
    let everything = |_: &str, _: &str| true;
    let mut surroundings = Surroundings {
        world,
        view,
        certificate: &certificate::shown(configuration, request, view),
        now,
        asked,
        undecided: &[],
    };
    // Nothing passes without a good token because of a path that the upstream may take for another one.
    let ambiguous = path::is_ambiguous(view.path());
    let skips = |fulfilment: &Fulfilment| fulfilment.accepted.is_empty() && ambiguous;
    for requirement in applicable(configuration, request, view) {
        let (node, reported) = match requirement {
            Ok(found) => found,
            Err(reason) => return refuse(reason),
        };
        let late = requirement::late_providers(&surroundings);
        let mut opinion = requirement::decide(node, &surroundings);
        if matches!(opinion, Opinion::Later) {
            // The filter waits for the answers, and decides again.
            surroundings.asked = &everything;
            opinion = requirement::decide(node, &surroundings);
        }
        match opinion {
            Opinion::Fulfilled(fulfilment) if skips(&fulfilment) => {}
            Opinion::Fulfilled(fulfilment) => {
                let others = others(node, &fulfilment, &late, &surroundings);
                let (mut forwarded, mut refusals) = (Vec::new(), Vec::new());
                for one in iter::once(fulfilment).chain(others) {
                    let checked = one.proof().map(|(proof, _)| used.check(proof, now));
                    match checked.unwrap_or(Ok(())) {
                        Ok(()) => forwarded.push(Forwarded::new(&one, configuration, &kept)),
                        Err(reason) => refusals.push(Refusal::from(reason).for_requirement(node)),
                    }
                }
                if refusals.is_empty() {
                    return Verdict::Forward(forwarded);
                }
                // No other requirement is asked after a used proof, not even on an ambiguous path.
                let otherwise = refuse_unless(reported && !ambiguous, Some(node), &refusals);
                return if forwarded.is_empty() {
                    otherwise
                } else {
                    Verdict::Either(forwarded, Box::new(otherwise))
                };
            }
            Opinion::Refused(_) if reported && ambiguous => {}
            Opinion::Refused(refusals) => {
                let refusals = refusals.into_iter().map(|one| one.for_requirement(node));
                let refusals: Vec<Refusal> = refusals.collect();
                return refuse_unless(reported, Some(node), &refusals);
            }
            Opinion::Later => unreachable!("everything has been asked"),
        }
    }
    if configuration.text("unmatched_requests") == Some("allow")
        && !configuration.list("rules").is_empty()
        && !ambiguous
    {
        return unchanged();
    }
    refuse(Reason::NoRule)
}

/// How else a request fulfils a requirement by a token, while some of the providers `late` are undecided.
fn others(
    node: Fields<'_>,
    fulfilment: &Fulfilment,
    late: &[&str],
    surroundings: &Surroundings<'_>,
) -> Vec<Fulfilment> {
    if fulfilment.accepted.is_empty() {
        return Vec::new();
    }
    let mut subsets: Vec<Vec<&str>> = vec![Vec::new()];
    for name in late {
        let with = subsets
            .iter()
            .map(|subset| [&subset[..], &[*name]].concat());
        subsets.extend(with.collect::<Vec<_>>());
    }
    let decided = subsets.iter().skip(1).map(|undecided| {
        let surroundings = Surroundings {
            asked: &|_, _| true,
            undecided,
            ..*surroundings
        };
        requirement::decide(node, &surroundings)
    });
    let fulfilled = decided.filter_map(|opinion| match opinion {
        Opinion::Fulfilled(other) if !other.accepted.is_empty() => Some(other),
        _ => None,
    });
    fulfilled.collect()
}

/// The requirements that apply to a request, in order, and whether their refusals are only reported. An error ends
/// them.
fn applicable<'c>(
    configuration: Fields<'c>,
    request: &Request,
    view: View<'_>,
) -> Vec<Result<(Fields<'c>, bool), Reason>> {
    let named = |name: &str| {
        let map = configuration.entries("requirement_map");
        let mut named = map.into_iter().filter(|(known, _)| *known == name);
        named.next().map(|(_, node)| node)
    };
    let mut found = Vec::new();
    if configuration.flag("per_route_requirements")
        && let Some(name) = &request.route_requirement
    {
        match named(name) {
            Some(node) => found.push(Ok((node, false))),
            None => return vec![Err(Reason::Requirement)],
        }
    }
    let rules = configuration.list("rules");
    if rules.is_empty() {
        found.push(Ok((Fields(&requirement::ANY_PROVIDER), false)));
    }
    for rule in rules {
        let rule = Fields(rule);
        let node = match (rule.object("requires"), rule.text("requirement_name")) {
            (Some(node), _) => node,
            (None, Some(name)) => named(name).expect("the configuration is valid"),
            (None, None) => Fields(&requirement::ALLOW),
        };
        let condition = rule.object("match").expect("the configuration is valid");
        match matching::matches(condition, view) {
            Truth::Yes => found.push(Ok((node, rule.flag("report_only")))),
            Truth::No => {}
            Truth::TooLong => {
                found.push(Err(Reason::TooLong));
                return found;
            }
        }
    }
    found
}
