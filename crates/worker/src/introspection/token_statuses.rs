//! What the introspection endpoint of one provider said about tokens.

use std::hash::RandomState;
use std::rc::Rc;
use std::time::Duration;

use gate::introspection::{Durations, IntrospectionResponse, TokenStatus};
use gate::time::{Instant, Timestamp};

use super::expiring_cache::ExpiringCache;

/// How long no introspection of a token is requested after a failed one.
const FAILED_FOR: Duration = Duration::from_secs(1);

/// Limits of each of the two caches. Active tokens are cached separately, so that a flood of invalid
/// tokens cannot displace them.
const MAX_CACHED: usize = 4096;
const MAX_ACTIVE_BYTES: usize = 8 * 1024 * 1024;
const MAX_INACTIVE_BYTES: usize = 2 * 1024 * 1024;

/// The status of a token while it cannot be determined.
const UNAVAILABLE: TokenStatus = TokenStatus::Unavailable {
    retry_after: FAILED_FOR,
};

/// The statuses of one provider's tokens.
#[derive(Debug)]
pub(super) struct TokenStatuses {
    durations: Durations,
    active: ExpiringCache<Rc<IntrospectionResponse>>,
    /// Inactive tokens, and tokens whose introspection failed.
    inactive: ExpiringCache<NotActive>,
}

#[derive(Clone, Copy, Debug)]
enum NotActive {
    Inactive,
    Failed,
}

/// Why a token has no status: its introspection failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Failed;

impl TokenStatuses {
    pub(super) fn new(durations: Durations, state: &RandomState) -> Self {
        Self {
            durations,
            active: ExpiringCache::new(MAX_CACHED, MAX_ACTIVE_BYTES, state.clone()),
            inactive: ExpiringCache::new(MAX_CACHED, MAX_INACTIVE_BYTES, state.clone()),
        }
    }

    /// The status of `token`; `None` if it is not known.
    pub(super) fn find(&mut self, token: &str, now: Instant) -> Option<TokenStatus> {
        if let Some(active) = self.active.find(token, now) {
            return Some(TokenStatus::Active(active));
        }
        Some(match self.inactive.find(token, now)? {
            NotActive::Inactive => TokenStatus::Inactive,
            NotActive::Failed => UNAVAILABLE,
        })
    }

    /// Stores the response about `token`, for as long as it may be used: `Ok(None)` if the token is not
    /// active. `date` is the wall clock. Returns the status for the requests that wait for it now.
    pub(super) fn insert(
        &mut self,
        token: &str,
        response: Result<Option<IntrospectionResponse>, Failed>,
        now: Instant,
        date: Timestamp,
    ) -> TokenStatus {
        match response {
            Ok(Some(active)) => {
                let expires_at = active.claims.expires_at.unwrap_or(Timestamp::END);
                let lifetime = expires_at.since(date).min(self.durations.active);
                let end = now.plus(lifetime);
                let (bytes, active) = (active.heap_bytes(), Rc::new(active));
                let stored = Rc::clone(&active);
                self.active.insert(token, stored, bytes, end, now);
                TokenStatus::Active(active)
            }
            Ok(None) => {
                let end = now.plus(self.durations.inactive);
                let stored = NotActive::Inactive;
                self.inactive.insert(token, stored, 0, end, now);
                TokenStatus::Inactive
            }
            Err(Failed) => {
                let end = now.plus(FAILED_FOR);
                self.inactive.insert(token, NotActive::Failed, 0, end, now);
                UNAVAILABLE
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use gate::introspection::read;

    use super::*;

    const DURATIONS: Durations = Durations {
        active: Duration::from_mins(1),
        inactive: Duration::from_secs(10),
    };

    fn statuses() -> TokenStatuses {
        TokenStatuses::new(DURATIONS, &RandomState::new())
    }

    /// The wall clock at the first instant.
    const DATE: Timestamp = Timestamp::from_unix_secs(1_700_000_000);

    fn at(secs: u64) -> Instant {
        Instant::from_secs(3600).plus(Duration::from_secs(secs))
    }

    fn active(members: &str) -> IntrospectionResponse {
        let body = format!("{{\"active\": true{members}}}");
        read(body.as_bytes()).unwrap().unwrap()
    }

    fn word(statuses: &mut TokenStatuses, token: &str, secs: u64) -> &'static str {
        match statuses.find(token, at(secs)) {
            None => "unknown",
            Some(TokenStatus::Active(_)) => "active",
            Some(TokenStatus::Inactive) => "inactive",
            Some(TokenStatus::Pending) => "pending",
            Some(TokenStatus::Unavailable { .. }) => "unavailable",
        }
    }

    #[test]
    fn a_status_is_kept_for_its_duration_and_at_most_until_the_token_expires() {
        for (response, expected, last) in [
            (Ok(Some(active(""))), "active", 59),
            (Ok(Some(active(r#", "exp": 1700000030"#))), "active", 29),
            (Ok(Some(active(r#", "exp": 1700000600"#))), "active", 59),
            (Ok(None), "inactive", 9),
            (Err(Failed), "unavailable", 0),
        ] {
            let mut statuses = statuses();
            assert_eq!(word(&mut statuses, "a", 0), "unknown");
            statuses.insert("a", response, at(0), DATE);
            assert_eq!(word(&mut statuses, "a", 0), expected);
            assert_eq!(word(&mut statuses, "a", last), expected);
            assert_eq!(word(&mut statuses, "a", last + 1), "unknown");
            assert_eq!(word(&mut statuses, "b", 0), "unknown");
        }
    }

    #[test]
    fn a_response_that_must_not_be_stored_is_returned_only() {
        let mut statuses = statuses();
        let response = Ok(Some(active(r#", "exp": 1"#)));
        let returned = statuses.insert("a", response, at(0), DATE);
        assert!(matches!(returned, TokenStatus::Active(_)));
        assert_eq!(word(&mut statuses, "a", 0), "unknown");
    }

    #[test]
    fn a_flood_of_invalid_tokens_displaces_no_active_one() {
        let mut statuses = statuses();
        statuses.insert("good", Ok(Some(active(""))), at(0), DATE);
        for number in 0..2 * MAX_CACHED {
            statuses.insert(&number.to_string(), Ok(None), at(0), DATE);
        }
        assert_eq!(word(&mut statuses, "good", 0), "active");
    }
}
