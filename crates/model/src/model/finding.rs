//! What is found out about a part of a requirement.

use std::rc::Rc;

use super::conditions::Refusal;
use super::credential::Place;
use super::fields::Fields;
use super::provider::Content;
use super::reason::Reason;

/// A token whose claims are forwarded.
#[derive(Clone)]
pub(crate) struct Forward {
    pub(crate) provider: String,
    pub(crate) place: Place,
    pub(crate) content: Rc<Content>,
}

/// What is found out about a part of a requirement.
pub(crate) enum Finding<'c> {
    Fulfilled {
        accepted: Vec<(usize, Forward)>,
        extraction: Option<(Fields<'c>, Vec<&'c str>)>,
        /// Whether other tokens may be in the request.
        lenient: bool,
    },
    Refused(Vec<Refusal>),
    /// An endpoint must be asked first, unless the request is refused at once for one of these reasons.
    Later(Vec<Refusal>),
}

impl Finding<'_> {
    pub(crate) const fn without_token(lenient: bool) -> Self {
        Finding::Fulfilled {
            accepted: Vec::new(),
            extraction: None,
            lenient,
        }
    }

    pub(crate) fn refused(reason: Reason) -> Self {
        Finding::Refused(vec![reason.into()])
    }
}

/// What becomes of a request that fulfils no alternative.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fallback {
    Missing,
    MissingOrFailed,
}

/// The first alternative that is fulfilled by a token counts, then one that is fulfilled without, but not if there is
/// a token that is refused.
pub(crate) fn any(findings: Vec<Finding<'_>>, fallback: Option<Fallback>) -> Finding<'_> {
    let mut later: Vec<Vec<Refusal>> = Vec::new();
    let mut without_token = None;
    let mut refused: Vec<Vec<Refusal>> = Vec::new();
    for finding in findings {
        match finding {
            Finding::Fulfilled { ref accepted, .. } if !accepted.is_empty() => return finding,
            Finding::Fulfilled { .. } => without_token = without_token.or(Some(finding)),
            Finding::Refused(refusals) => refused.push(refusals),
            Finding::Later(refusals) => later.push(refusals),
        }
    }
    if !later.is_empty() {
        // It waits as long as one alternative must wait.
        let must_wait = later.iter().any(Vec::is_empty);
        let at_once = if must_wait { Vec::new() } else { later };
        return Finding::Later(at_once.concat());
    }
    let is_missing = |refusal: &Refusal| refusal.reason == Reason::Missing;
    let nothing_refused = refused.iter().flatten().all(is_missing);
    if let Some(Finding::Fulfilled { lenient, .. }) = without_token
        && (lenient || nothing_refused)
    {
        return without_token.expect("it is there");
    }
    match fallback {
        Some(Fallback::Missing) if nothing_refused => return Finding::without_token(false),
        Some(Fallback::MissingOrFailed) => return Finding::without_token(true),
        _ => {}
    }
    let mut furthest = furthest(&refused);
    // A part of the alternative was missing, and another part refused.
    if refused.iter().all(|one| one.iter().any(is_missing)) && !nothing_refused {
        furthest.push(Reason::SeveralTokens.into());
    }
    if furthest.is_empty() {
        furthest.push(Reason::Missing.into());
    }
    Finding::Refused(furthest)
}

/// Of the refusals of several alternatives, those that may have got furthest.
fn furthest(refused: &[Vec<Refusal>]) -> Vec<Refusal> {
    let is_furthest = |refusal: &&Refusal| {
        refused.iter().all(|others| {
            let least = others.iter().map(|other| other.reason).min();
            least.is_none_or(|least| least <= refusal.reason)
        })
    };
    refused
        .iter()
        .flatten()
        .filter(is_furthest)
        .cloned()
        .collect()
}

/// All parts must be fulfilled.
pub(crate) fn all(findings: Vec<Finding<'_>>) -> Finding<'_> {
    let mut later = false;
    let mut refused = Vec::new();
    let mut at_once = Vec::new();
    let mut all = (Vec::new(), None, false);
    for finding in findings {
        match finding {
            Finding::Refused(refusals) => refused.extend(refusals),
            Finding::Later(refusals) => {
                later = true;
                at_once.extend(refusals);
            }
            Finding::Fulfilled {
                accepted,
                extraction,
                lenient,
            } => {
                all.0.extend(accepted);
                all.1 = all.1.or(extraction);
                all.2 |= lenient;
            }
        }
    }
    // A part that needs a document may be refused at once, or after the filter has tried to fetch a newer one. Then it
    // waits for both.
    let is_at_once = |refusal: &Refusal| !refusal.reason.may_wait();
    let waits = later && !refused.iter().any(is_at_once);
    refused.extend(at_once);
    if waits {
        return Finding::Later(refused);
    }
    if !refused.is_empty() {
        return Finding::Refused(refused);
    }
    let (accepted, extraction, lenient) = all;
    Finding::Fulfilled {
        accepted,
        extraction,
        lenient,
    }
}
