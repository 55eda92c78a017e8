//! What a decision must be: a simple model of the filter, which looks at the servers and not at the filter.
//!
//! The model knows how long the filter may go on using what servers have withdrawn, and how soon it must use
//! what they have published. In between either decision is right.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::disturbances::Disturbances;
use crate::plan::{
    ACTIVE_CACHE, AUTHENTICATION_AGE, INACTIVE_CACHE, KEYS, LIST, Schedule, TIMEOUT,
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

/// When a decision is made, and what got in the way before.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Times<'t> {
    /// Since the start of the process.
    pub(crate) now: Duration,
    /// The wall clock, in Unix seconds.
    pub(crate) wall: u64,
    /// The same in milliseconds.
    pub(crate) wall_millis: u64,
    pub(crate) disturbances: &'t Disturbances,
    /// Whether any swap of shared data was lost so far.
    pub(crate) lost_swaps: bool,
    /// When a worker died last in the middle of a write; zero if none has.
    pub(crate) writer_died: Duration,
    /// Until when the worker that decides was held up.
    pub(crate) held_up_until: Duration,
    /// Whether each worker fetches for itself.
    pub(crate) separate: bool,
}

impl Times<'_> {
    fn ago(&self, time: Duration) -> Duration {
        self.now.saturating_sub(time)
    }

    /// Whether nothing got in the way for that time.
    fn calm_since(&self, time: Duration) -> bool {
        self.disturbances.none_since(self.ago(time))
    }

    /// Whether the worker that decides has had the time to adopt what others fetched.
    fn is_up_to_date(&self) -> bool {
        self.held_up_until.is_zero() || self.now > self.held_up_until + HANDOVER
    }
}

/// The clock skew that the filter allows.
const SKEW: u64 = 60;
/// The longest time until a fetch is repeated that failed once. It doubles with every failure.
const FIRST_BACKOFF: Duration = Duration::from_secs(1);
/// How long no introspection of a token is requested after a failed one.
const INTROSPECTION_BACKOFF: Duration = Duration::from_secs(1);
/// How long an answer, a tick and the adoption by another worker take, with room to spare.
const HANDOVER: Duration = Duration::from_secs(2);
/// How long a turn is lost if its worker dies.
const LOST_TURN: Duration = TIMEOUT.saturating_mul(2);

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
pub(crate) fn expected(token: &Token, servers: &Servers, times: &Times<'_>) -> Expected {
    if let Some(time) = token.authenticated {
        let oldest = time + AUTHENTICATION_AGE.as_secs() + SKEW;
        if times.wall_millis > oldest * 1000 {
            return Expected::Refusal("the user was authenticated too long ago");
        }
        if times.wall + SKEW < time {
            return Expected::Refusal("the authentication is in the future");
        }
    }
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
            let keys = document(keys, times, &KEYS, has_key);
            let list = servers.lists.get(*issuer).and_then(Option::as_ref);
            let is_unrevoked = |revoked: &BTreeSet<_>| !revoked.contains(jti);
            let list = list.map_or(Expected::Pass, |list| {
                document(list, times, &LIST, is_unrevoked)
            });
            keys.and(list)
        }
    }
}

/// Why the stream of a request that passed with `token` must have ended by now; `None` if it may go on. The wall clock was
/// set last at `clock_set`. An outage ends no stream, nor does the endpoint that introspects tokens.
pub(crate) fn must_have_ended(
    token: &Token,
    servers: &Servers,
    times: &Times<'_>,
    clock_set: Duration,
) -> Option<&'static str> {
    let Kind::Signed {
        issuer,
        kid,
        jti,
        expires,
    } = &token.kind
    else {
        return None;
    };
    let is_noticed = times.now > clock_set + HANDOVER && times.is_up_to_date();
    if is_noticed && times.wall > expires.saturating_add(SKEW + HANDOVER.as_secs()) {
        return Some("the token has expired");
    }
    let keys = servers.keys.get(*issuer)?;
    if is_withdrawn(keys, times, &KEYS, |kids| !kids.contains(kid)) {
        return Some("its key is withdrawn");
    }
    let list = servers.lists.get(*issuer)?.as_ref()?;
    is_withdrawn(list, times, &LIST, |revoked| revoked.contains(jti)).then_some("it is revoked")
}

/// Whether every document that a worker may still use forbids a token, in calm times.
fn is_withdrawn<T: Clone + 'static>(
    server: &Server<T>,
    times: &Times<'_>,
    schedule: &Schedule,
    forbids: impl Fn(&T) -> bool,
) -> bool {
    let refresh = schedule.interval + TIMEOUT + HANDOVER;
    recovered_at(server, schedule.longest_backoff, times) <= times.now
        && times.calm_since(refresh + LOST_TURN)
        && times.is_up_to_date()
        && server.all(times.ago(refresh), times.now, forbids)
}

/// When the filter has recovered from the last failures of a server: it must have repeated the fetch by then.
fn recovered_at<T: Clone + 'static>(
    server: &Server<T>,
    longest_backoff: Duration,
    times: &Times<'_>,
) -> Duration {
    let failures = server.last_failures(times.disturbances);
    failures.map_or(Duration::ZERO, |failures| {
        let factor = 2_u32.saturating_pow(failures.number.saturating_sub(1));
        // Of failures of several workers nobody knows how many each of them has had.
        let backoff = if times.separate {
            longest_backoff
        } else {
            FIRST_BACKOFF.saturating_mul(factor).min(longest_backoff)
        };
        failures.last + TIMEOUT + backoff + HANDOVER
    })
}

/// When every decision is definite again, if from now on nothing fails, changes or gets in the way.
pub(crate) fn settled_at(servers: &Servers, times: &Times<'_>) -> Duration {
    let keys = servers.keys.iter();
    let keys = keys.map(|server| recovered_at(server, KEYS.longest_backoff, times));
    let lists = servers.lists.iter().flatten();
    let lists = lists.map(|server| recovered_at(server, LIST.longest_backoff, times));
    let recovered_at = keys.chain(lists).max().unwrap_or_default();
    // Failures so far and turns that are lost now may delay what is recent by as much.
    let memory = KEYS.interval.max(LIST.interval).max(ACTIVE_CACHE) + TIMEOUT + HANDOVER;
    recovered_at.max(times.now + memory + LOST_TURN)
}

/// What follows from a fetched document. `allows` says whether it lets the token pass.
fn document<T: Clone + 'static>(
    server: &Server<T>,
    times: &Times<'_>,
    schedule: &Schedule,
    allows: impl Fn(&T) -> bool,
) -> Expected {
    let now = times.now;
    let staleness = schedule.max_stale + HANDOVER;
    if now > staleness && !server.answered_well_since(times.ago(staleness)) {
        return Expected::Refusal("the document is older than max_stale");
    }
    let refresh = schedule.interval + TIMEOUT + HANDOVER;
    let has_recovered = recovered_at(server, schedule.longest_backoff, times) <= now;
    let is_prompt = has_recovered && times.calm_since(refresh + LOST_TURN) && times.is_up_to_date();
    // The oldest document that a worker may use was published at that time.
    let oldest = times.ago(if is_prompt { refresh } else { staleness });
    if server.all(oldest, now, |document| !allows(document)) {
        return Expected::Refusal("the server has withdrawn the key, or revoked the token");
    }
    if !times.calm_since(LOST_TURN + HANDOVER) || !times.is_up_to_date() {
        return Expected::Either;
    }
    // A document stays in use while its server fails. But if swaps are lost, the workers may count too few users of a
    // document, and discard it together with a replaced configuration. A worker that dies in the middle of a write leaves
    // half a document to those that start later. And a success of one worker is of no use to others that share nothing.
    let success = server.last_success(times.ago(HANDOVER), times.disturbances);
    let may_lack = times.lost_swaps || times.separate;
    let success = success.filter(|success| !may_lack && *success >= times.writer_died);
    let kept = success.filter(|success| now < *success + schedule.max_stale);
    if has_recovered && server.all(oldest, now, &allows)
        || kept.is_some_and(|success| server.all(success, now, &allows))
    {
        Expected::Pass
    } else {
        Expected::Either
    }
}

/// The decision about an opaque token.
fn opaque(number: usize, servers: &Servers, times: &Times<'_>) -> Expected {
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
        && recovered_at(endpoint, INTROSPECTION_BACKOFF, times) <= now
        && times.calm_since(HANDOVER)
        && times.is_up_to_date()
    {
        Expected::Pass
    } else {
        Expected::Either
    }
}
