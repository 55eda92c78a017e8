//! What a decision must be: a simple model of the filter, which looks at the servers and not at the filter.
//!
//! The model knows how long the filter may go on using what servers have withdrawn, and how soon it must use
//! what they have published. In between either decision is right.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::plan::{
    ACTIVE_CACHE, INACTIVE_CACHE, KEYS_CACHE, KEYS_MAX_STALE, LIST_INTERVAL, LIST_MAX_STALE,
    TIMEOUT,
};
use crate::server::Server;
use crate::servers::Servers;
use crate::tokens::{Kind, Token};

/// What a decision must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expected {
    Pass,
    /// With the reason.
    Refusal(&'static str),
    Either,
}

impl Expected {
    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Refusal(reason), _) | (_, Self::Refusal(reason)) => Self::Refusal(reason),
            (Self::Pass, Self::Pass) => Self::Pass,
            _ => Self::Either,
        }
    }
}

/// When a decision is made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Times {
    /// Since the start of the process.
    pub(crate) now: Duration,
    /// The wall clock, in Unix seconds.
    pub(crate) wall: u64,
    /// When a worker or root last vanished, perhaps with the turn to fetch.
    pub(crate) disturbed: Option<Duration>,
}

impl Times {
    fn ago(&self, time: Duration) -> Duration {
        self.now.saturating_sub(time)
    }

    /// Whether no worker or root has vanished for that time.
    fn calm_since(&self, time: Duration) -> bool {
        self.disturbed
            .is_none_or(|disturbed| disturbed + time < self.now)
    }
}

/// The clock skew that the filter allows.
const SKEW: u64 = 60;
/// The longest time between two attempts to fetch a document.
const LONGEST_BACKOFF: Duration = Duration::from_mins(1);
/// How long an answer, a tick and the adoption by another worker take, with room to spare.
const HANDOVER: Duration = Duration::from_secs(2);
/// How long a turn is lost if its worker dies.
const LOST_TURN: Duration = TIMEOUT.saturating_mul(2);
/// How long the backoff after failures has an effect once the server is well again.
const CONVALESCENCE: Duration = LONGEST_BACKOFF
    .saturating_add(TIMEOUT)
    .saturating_add(LOST_TURN)
    .saturating_add(HANDOVER);

/// What the decision about `token` must be now if it comes alone, or with a fresh proof.
pub(crate) fn expected_with(
    token: &Token,
    has_proof: bool,
    servers: &Servers,
    times: &Times,
) -> Expected {
    match (token.bound, has_proof) {
        (true, false) => Expected::Refusal("a bound token came as a bearer token"),
        (false, true) => Expected::Refusal("a token that is not bound came with a proof"),
        _ => expected(token, servers, times),
    }
}

/// What the decision about `token` must be now.
pub(crate) fn expected(token: &Token, servers: &Servers, times: &Times) -> Expected {
    match &token.kind {
        Kind::Bad => Expected::Refusal("the token is bad"),
        Kind::Opaque(number) => opaque(*number, servers, times),
        Kind::Signed { expires, .. } if times.wall >= expires.saturating_add(SKEW) => {
            Expected::Refusal("the token has expired")
        }
        Kind::Signed {
            issuer, kid, jti, ..
        } => {
            let Some(keys) = servers.keys.get(*issuer) else {
                return Expected::Refusal("nobody knows the issuer");
            };
            let has_key = |kids: &BTreeSet<_>| kids.contains(kid);
            let keys = document(keys, times, KEYS_CACHE, KEYS_MAX_STALE, has_key);
            let list = servers.lists.get(*issuer).and_then(Option::as_ref);
            let is_unrevoked = |revoked: &BTreeSet<_>| !revoked.contains(jti);
            let list = list.map_or(Expected::Pass, |list| {
                document(list, times, LIST_INTERVAL, LIST_MAX_STALE, is_unrevoked)
            });
            keys.and(list)
        }
    }
}

/// What follows from a document that is fetched again after `interval` and used for `max_stale`. `allows` says whether
/// it lets the token pass.
fn document<T: Clone + 'static>(
    server: &Server<T>,
    times: &Times,
    interval: Duration,
    max_stale: Duration,
    allows: impl Fn(&T) -> bool,
) -> Expected {
    let now = times.now;
    let staleness = max_stale + HANDOVER;
    if now > staleness && !server.was_ever_well(times.ago(staleness), now) {
        return Expected::Refusal("the document is older than max_stale");
    }
    let refresh = interval + TIMEOUT + HANDOVER;
    let is_prompt = server.was_well(times.ago(CONVALESCENCE + refresh), now)
        && times.calm_since(refresh + LOST_TURN);
    // The oldest document that a worker may use was published at that time.
    let memory = if is_prompt { refresh } else { staleness };
    let oldest = times.ago(memory);
    if server.all(oldest, now, |document| !allows(document)) {
        Expected::Refusal("the server has withdrawn the key, or revoked the token")
    } else if server.all(oldest, now, allows)
        && server.was_well(times.ago(CONVALESCENCE), now)
        && times.calm_since(LOST_TURN + HANDOVER)
    {
        Expected::Pass
    } else {
        Expected::Either
    }
}

/// The decision about an opaque token.
fn opaque(number: usize, servers: &Servers, times: &Times) -> Expected {
    let Some(endpoint) = &servers.endpoint else {
        return Expected::Refusal("no provider takes opaque tokens");
    };
    let now = times.now;
    let is_active = |active: &BTreeSet<usize>| active.contains(&number);
    let memory = ACTIVE_CACHE + TIMEOUT;
    if endpoint.all(times.ago(memory), now, |active| !is_active(active)) {
        return Expected::Refusal("the token is inactive");
    }
    let memory = INACTIVE_CACHE + TIMEOUT;
    if endpoint.all(times.ago(memory), now, is_active)
        && endpoint.was_well(times.ago(CONVALESCENCE), now)
        && times.calm_since(HANDOVER)
    {
        Expected::Pass
    } else {
        Expected::Either
    }
}
