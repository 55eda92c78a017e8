//! Whether a requirement is fulfilled, given what each provider says of the tokens of a request.

use std::rc::Rc;
use std::time::Duration;

use serde_json::{Map, Value};

use crate::policy::{Extract, Fallback, Provider, RequirementKind, RequirementNode};
use crate::denial::{Denial, Reason};

/// What is waited for: a key set, for the first time or, where the token names a key that is not
/// there, once more; a revocation list; or what an authorization server says of the token. Of two
/// the greater one takes longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Wait {
    /// How long that may take at most.
    pub at_most: Duration,
    /// Why a request is refused that cannot wait for it.
    pub otherwise: Reason,
}

/// What a provider says of the token that a request has for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Opinion {
    /// It is good.
    Accepted,
    /// It cannot be told before something has been fetched.
    Wait(Wait),
    /// It is not, or there is none ([`Reason::Missing`]).
    Refused(Denial),
}

impl From<Denial> for Opinion {
    fn from(denial: Denial) -> Self {
        Self::Refused(denial)
    }
}

impl From<Reason> for Opinion {
    fn from(reason: Reason) -> Self {
        Denial::from(reason).into()
    }
}

/// The tokens of a request, to be asked about.
pub trait Tokens {
    /// What `provider` says of the token at the places that it lists.
    fn opinion(&self, provider: &Provider) -> Opinion;

    /// Where it is certain without asking that the opinion of `provider` is a refusal that says
    /// nothing but its reason: a reason that is at least as late as that one. To ask many providers
    /// costs more than this, and who is known to refuse is asked only if it matters why. What is
    /// found is the same with this and without.
    fn refused_at_most(&self, _provider: &Provider) -> Option<Reason> {
        None
    }

    /// The payload of that token; `None` where there is none that can be read.
    fn payload(&self, provider: &Provider) -> Option<&Map<String, Value>>;
}

/// What a requirement comes to.
#[derive(Debug)]
pub enum Finding<'c> {
    /// It is fulfilled.
    Fulfilled(Grants<'c>),
    /// It may yet be, once something has been fetched.
    Wait(Wait),
    /// It is not.
    Refused(Denial),
}

/// By what a requirement is fulfilled; by nothing, where it lets requests without a token pass.
#[derive(Debug, Default)]
pub struct Grants<'c> {
    /// The providers that accepted a token.
    pub providers: Vec<&'c Rc<Provider>>,
    /// How to pass on claims that nobody verified.
    pub extract: Option<&'c Extract>,
    /// Whether the request passes with whatever tokens it has.
    pub lenient: bool,
}

/// Finds what the requirement `tree` comes to.
pub fn find<'c>(tree: &'c RequirementNode, tokens: &impl Tokens) -> Finding<'c> {
    let finding = match &tree.kind {
        RequirementKind::Nothing => Finding::Fulfilled(Grants::default()),
        RequirementKind::Provider(provider) => match tokens.opinion(provider) {
            Opinion::Accepted => Finding::Fulfilled(Grants {
                providers: vec![provider],
                ..Grants::default()
            }),
            Opinion::Wait(wait) => Finding::Wait(wait),
            Opinion::Refused(denial) => Finding::Refused(denial),
        },
        RequirementKind::Any(trees, lenience) => any(trees, *lenience, tokens),
        RequirementKind::All(trees) => all(trees, tokens),
        RequirementKind::ExtractOnly(extract) => Finding::Fulfilled(Grants {
            extract: Some(extract),
            lenient: true,
            ..Grants::default()
        }),
    };
    if let Finding::Fulfilled(grants) = &finding
        && !tree.conditions.is_empty()
    {
        for provider in &grants.providers {
            let payload = tokens.payload(provider);
            let Some(payload) = payload else {
                return Finding::Refused(Reason::Missing.into());
            };
            if let Err(denial) = tree.conditions.check(&provider.scope_claims, payload) {
                return Finding::Refused(denial);
            }
        }
    }
    finding
}

/// A token that is good is better than one that may be, and both are better than to pass without.
/// Of several refusals the one counts that was found last, since that provider is the one that the
/// token was most likely meant for.
fn any<'c>(trees: &'c [RequirementNode], lenience: Fallback, tokens: &impl Tokens) -> Finding<'c> {
    let (mut wait, mut without, mut denial) = (None, None, None);
    let refused_at_most = |tree: &RequirementNode| match &tree.kind {
        RequirementKind::Provider(provider) => tokens.refused_at_most(provider),
        _ => None,
    };
    for tree in trees {
        if refused_at_most(tree).is_some() {
            continue;
        }
        match find(tree, tokens) {
            Finding::Fulfilled(grants) if grants.providers.is_empty() => {
                without = without.or(Some(grants));
            }
            fulfilled @ Finding::Fulfilled(_) => return fulfilled,
            Finding::Wait(other) => wait = wait.max(Some(other)),
            Finding::Refused(refusal) => denial = denial.max(Some(refusal)),
        }
    }
    if let Some(wait) = wait {
        return Finding::Wait(wait);
    }
    // Those that are known to refuse are asked why only as long as that may be what counts.
    for tree in trees {
        if let Some(at_most) = refused_at_most(tree)
            && denial.as_ref().is_none_or(|known| known.reason < at_most)
            && let Finding::Refused(refusal) = find(tree, tokens)
        {
            denial = denial.max(Some(refusal));
        }
    }
    let denial = denial.unwrap_or_else(|| Reason::Missing.into());
    match without {
        // What passes for want of a token does not pass with one that somebody else refuses.
        Some(grants) if grants.lenient || denial.reason == Reason::Missing => {
            return Finding::Fulfilled(grants);
        }
        _ => {}
    }
    match lenience {
        Fallback::AllowMissing if denial.reason == Reason::Missing => {
            Finding::Fulfilled(Grants::default())
        }
        Fallback::AllowMissingOrFailed => Finding::Fulfilled(Grants {
            lenient: true,
            ..Grants::default()
        }),
        Fallback::None | Fallback::AllowMissing => Finding::Refused(denial),
    }
}

/// The first refusal decides, even where something else would have to be waited for.
fn all<'c>(trees: &'c [RequirementNode], tokens: &impl Tokens) -> Finding<'c> {
    let (mut wait, mut all) = (None, Grants::default());
    for tree in trees {
        match find(tree, tokens) {
            Finding::Fulfilled(grants) => {
                all.providers.extend(grants.providers);
                all.extract = all.extract.or(grants.extract);
                all.lenient |= grants.lenient;
            }
            Finding::Wait(other) => wait = wait.max(Some(other)),
            Finding::Refused(denial) => return Finding::Refused(denial),
        }
    }
    match wait {
        Some(wait) => Finding::Wait(wait),
        None => Finding::Fulfilled(all),
    }
}
