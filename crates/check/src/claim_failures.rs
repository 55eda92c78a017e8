//! All that is wrong with the registered claims of a token.
//!
//! The gate's check returns its first failure. It is repeated after the cause of that failure has been put right.

use std::time::Duration;

use gate::claims::Claims;
use gate::policy::{Issuers, Provider};
use gate::reason::{Reason, ReasonKind};
use gate::time::Timestamp;
use serde_json::{Map, Value};

/// A function that checks claims and returns the first failure.
pub(crate) type ClaimCheck =
    fn(&Provider, &Claims, &Map<String, Value>, Timestamp) -> Result<(), Reason>;

/// The largest number of failures that are looked for in the claims of one token.
const MAX_CLAIM_FAILURES: usize = 32;

/// All failures of `check`: after each, what it is about is put right, and the rest is checked again.
pub(crate) fn find(
    provider: &Provider,
    claims: &Claims,
    payload: &Map<String, Value>,
    now: Timestamp,
    check: ClaimCheck,
) -> Vec<Reason> {
    let mut repaired = Repaired {
        provider: Provider {
            max_lifetime: None,
            ..provider.clone()
        },
        claims: claims.clone(),
        payload: payload.clone(),
    };
    let mut failures = Vec::new();
    for _ in 0..MAX_CLAIM_FAILURES {
        let Repaired {
            provider,
            claims,
            payload,
        } = &repaired;
        let Err(reason) = check(provider, claims, payload, now) else {
            break;
        };
        let goes_on = repaired.repair(&reason, now);
        failures.push(reason);
        if !goes_on {
            break;
        }
    }
    failures.extend(failed_lifetime(provider, claims, payload, now, check));
    failures
}

/// Whether the lifetime is wrong, whatever else is.
fn failed_lifetime(
    provider: &Provider,
    claims: &Claims,
    payload: &Map<String, Value>,
    now: Timestamp,
    check: ClaimCheck,
) -> Option<Reason> {
    let only_lifetime = Provider {
        issuers: Issuers::default(),
        audiences: Vec::new(),
        subjects: None,
        profile: None,
        require_expiration: false,
        clock_skew: Duration::MAX,
        ..provider.clone()
    };
    let checked = check(&only_lifetime, claims, payload, now);
    checked
        .err()
        .filter(|reason| reason.kind() == ReasonKind::Lifetime)
}

/// A provider and claims that have been made to fit.
struct Repaired {
    provider: Provider,
    claims: Claims,
    payload: Map<String, Value>,
}

impl Repaired {
    /// Puts right what `reason` is about. Returns whether it could be.
    fn repair(&mut self, reason: &Reason, now: Timestamp) -> bool {
        let Self {
            provider,
            claims,
            payload,
        } = self;
        match reason {
            Reason::Issuer { .. } => provider.issuers = Issuers::default(),
            Reason::Audience { .. } => provider.audiences.clear(),
            Reason::Subject => provider.subjects = None,
            Reason::NoExpiration => provider.require_expiration = false,
            Reason::Expired { .. } | Reason::ClaimMissing { claim: "exp" } => {
                claims.expires_at = Some(Timestamp::END);
            }
            Reason::NotYetValid { .. } => claims.not_before = None,
            Reason::IssuedInFuture { .. } | Reason::ClaimMissing { claim: "iat" } => {
                claims.issued_at = Some(now);
            }
            // The profile demands more claims and their types.
            Reason::ClaimType => provider.profile = None,
            Reason::ClaimMissing { claim: "iss" } => {
                claims.issuer = Some(String::new());
                provider.issuers = Issuers::default();
            }
            Reason::ClaimMissing { claim: "aud" } => {
                claims.audiences.push(String::new());
                provider.audiences.clear();
            }
            Reason::ClaimMissing { claim: "sub" } => {
                claims.subject = Some(String::new());
                provider.subjects = None;
            }
            Reason::ClaimMissing { claim } => {
                payload.insert((*claim).to_owned(), Value::from(""));
            }
            _ => return false,
        }
        true
    }
}
