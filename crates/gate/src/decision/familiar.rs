//! A token that comes again: what was found of it is found anew without a look at each step.
//!
//! This is how most requests are decided, so it does no more than it must. It never decides otherwise
//! than [`judge`](super::judge) would without it; where that is not certain, it leaves the decision
//! to that.

use std::borrow::Cow;
use std::rc::{Rc, Weak};

use super::{Hearing, Means, Presented};
use crate::admission::{Admission, Passed};
use crate::policy::{KeySource, Provider, Requirement};
use crate::credential::{Credential, carries_parameter, sole_bearer};
use crate::fetching::Supply;
use crate::metrics::Counter;
use super::requirement::Grants;
use crate::request::Request;
use crate::time::Timestamp;
use crate::token_cache::Grant;

/// The admission of a request whose only token, after `Bearer` in the only `Authorization` header,
/// is known to fulfil `requirement`, which takes none from anywhere else.
pub(super) fn admitted(
    requirement: &Requirement,
    request: &Request,
    means: Means<'_>,
    now: Timestamp,
) -> Option<Admission> {
    let location = requirement.bearer.as_ref()?;
    let token = sole_bearer(request)?;
    let mut tokens = means.tokens.borrow_mut();
    let familiar = tokens.familiar(token)?;
    let grant = familiar.grant;
    let is_good = grant.is_for(&requirement.root, now) && is_supplied(grant, means);
    if !is_good || carries_parameter(request) {
        return None;
    }
    means.tally.count(Counter::CacheHit);
    let credential = Credential {
        location: Rc::clone(location),
        text: Cow::Borrowed(familiar.text),
    };
    let passed = Passed {
        credential: &credential,
        payload: familiar.payload,
        provider: &grant.provider,
    };
    Some(Admission::new(true, request, [passed]))
}

/// Whether the keys and the list that `grant` was found by are those at hand.
fn is_supplied(grant: &Grant, means: Means<'_>) -> bool {
    is_same(grant.keys.as_ref(), || (means.remote)(&grant.provider))
        && is_same(grant.list.as_ref(), || (means.lists)(&grant.provider))
}

/// Whether what is `known`, if anything is, is what is supplied.
fn is_same<T>(known: Option<&Weak<T>>, supply: impl FnOnce() -> Supply<T>) -> bool {
    known.is_none_or(|known| {
        let what = supply().ready();
        what.is_some_and(|what| std::ptr::eq(known.as_ptr(), Rc::as_ptr(&what)))
    })
}

impl Hearing<'_, '_> {
    /// Takes note of what its only token is good for, where [`admitted`] can go by that.
    pub(super) fn remember(&self, requirement: &Requirement, grants: &Grants<'_>) {
        if requirement.bearer.is_some()
            && self.asked.get() == 1
            && let [provider] = grants.providers.as_slice()
            && let Ok([bearer]) = self.bearers.as_deref()
            && let Ok(presented) = &bearer.presented
            && let Some(grant) = self.grant(requirement, provider, presented)
        {
            let mut tokens = self.means.tokens.borrow_mut();
            tokens.grant(&presented.token, grant);
        }
    }

    /// What `provider` has accepted a token for, and by what.
    fn grant(
        &self,
        requirement: &Requirement,
        provider: &Rc<Provider>,
        presented: &Presented<'_>,
    ) -> Option<Grant> {
        if provider.introspection.is_some() || !presented.may_be_known_to(provider) {
            return None;
        }
        let keys = match &provider.keys {
            KeySource::Local(_) => None,
            KeySource::Remote(_) | KeySource::None => {
                let keys = (self.means.remote)(provider).ready()?;
                Some(Rc::downgrade(&keys))
            }
        };
        let list = if provider.revocation.is_some() {
            let list = (self.means.lists)(provider).ready()?;
            Some(Rc::downgrade(&list))
        } else {
            None
        };
        Some(Grant {
            tree: Rc::clone(&requirement.root),
            provider: Rc::clone(provider),
            keys,
            list,
            from: self.now,
            until: provider.expiration(&presented.token.claims),
        })
    }
}
