//! A token that comes again: what was found of it is found anew without a look at each step.
//!
//! This is how most requests are decided, so it does no more than it must. It never decides otherwise
//! than [`judge`](super::judge) would without it; where that is not certain, it leaves the decision
//! to that.

use std::borrow::Cow;
use std::rc::{Rc, Weak};

use super::{Hearing, Means, RemoteKeys, RemoteList};
use crate::admission::{Admission, Passed};
use crate::config::{KeySource, Provider, Requirement};
use crate::credential::{Credential, carries_parameter};
use crate::keys::KeySet;
use crate::metrics::Counter;
use crate::policy::Grants;
use crate::request::Request;
use crate::revocation::RevocationList;
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
    let [header] = request.authorization.as_slice() else {
        return None;
    };
    let token = header.strip_prefix(b"Bearer ")?;
    let mut tokens = means.tokens.borrow_mut();
    let familiar = tokens.familiar(token)?;
    let grant = familiar.grant;
    let is_good = grant.is_for(&requirement.tree, now) && is_supplied(grant, means);
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
    let provider = &grant.provider;
    let keys = grant.keys.as_ref().is_none_or(|known| {
        let keys = keys_of(provider, means);
        keys.is_some_and(|keys| std::ptr::eq(Weak::as_ptr(known), Rc::as_ptr(&keys)))
    });
    let list = || {
        grant.list.as_ref().is_none_or(|known| {
            let list = list_of(provider, means);
            list.is_some_and(|list| std::ptr::eq(Weak::as_ptr(known), Rc::as_ptr(&list)))
        })
    };
    keys && list()
}

fn keys_of(provider: &Provider, means: Means<'_>) -> Option<Rc<KeySet>> {
    match (means.remote)(provider) {
        RemoteKeys::Ready { what, .. } => Some(what),
        RemoteKeys::Pending | RemoteKeys::Unavailable { .. } => None,
    }
}

fn list_of(provider: &Provider, means: Means<'_>) -> Option<Rc<RevocationList>> {
    match (means.lists)(provider) {
        RemoteList::Ready { what, .. } => Some(what),
        RemoteList::Pending | RemoteList::Unavailable { .. } => None,
    }
}

impl Hearing<'_, '_> {
    /// Takes note of what its only token is good for, where [`admitted`] can go by that.
    pub(super) fn remember(&self, requirement: &Requirement, grants: &Grants<'_>) {
        let ([provider], Some(_), 1) = (
            grants.providers.as_slice(),
            &requirement.bearer,
            self.asked.get(),
        ) else {
            return;
        };
        let Ok([bearer]) = self.bearers.as_deref() else {
            return;
        };
        let Ok(presented) = &bearer.presented else {
            return;
        };
        if provider.introspection.is_some() || !presented.may_be_known_to(provider) {
            return;
        }
        let keys = match &provider.keys {
            KeySource::Local(_) => None,
            _ => match keys_of(provider, self.means) {
                Some(keys) => Some(Rc::downgrade(&keys)),
                None => return,
            },
        };
        let list = match &provider.revocation {
            None => None,
            Some(_) => match list_of(provider, self.means) {
                Some(list) => Some(Rc::downgrade(&list)),
                None => return,
            },
        };
        let grant = Grant {
            tree: Rc::clone(&requirement.tree),
            provider: Rc::clone(provider),
            keys,
            list,
            from: self.now,
            until: presented.token.claims.end(provider),
        };
        let mut tokens = self.means.tokens.borrow_mut();
        tokens.grant(bearer.text(), grant);
    }
}
