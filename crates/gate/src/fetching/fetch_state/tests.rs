use super::*;
use crate::fetching::Backoff;

const POLICY: RefreshPolicy = RefreshPolicy {
    timeout: Duration::from_secs(2),
    cache_duration: Duration::from_mins(10),
    max_stale: Duration::from_hours(24),
    refetch_cooldown: Duration::from_secs(10),
    retry: Backoff::new(Duration::from_secs(1), Duration::from_mins(1)),
    honors_cache_control: true,
};

const NEWER: FetchNeed = FetchNeed {
    newer: true,
    lost: false,
};
const LOST: FetchNeed = FetchNeed {
    newer: false,
    lost: true,
};

fn at(secs: u64) -> Instant {
    Instant::from_secs(1_700_000_000 + secs)
}

/// Whether a worker that checks after `secs` seconds gets the turn.
fn fetches(state: &FetchState, need: FetchNeed, secs: u64) -> bool {
    let (_, action) = state.after(FetchEvent::Checked(need), &POLICY, at(secs), 7);
    action == FetchAction::Fetch { holder: 7 }
}

fn due(state: &FetchState, secs: u64) -> bool {
    fetches(state, FetchNeed::default(), secs)
}

/// The state after `holder` has taken the turn.
fn taken(state: &FetchState, need: FetchNeed, holder: u64, secs: u64) -> FetchState {
    let (next, action) = state.after(FetchEvent::Checked(need), &POLICY, at(secs), holder);
    assert_eq!(action, FetchAction::Fetch { holder });
    next
}

fn kept(state: &FetchState, event: FetchEvent, secs: u64, random: u64) -> FetchState {
    let (next, action) = state.after(event, &POLICY, at(secs), random);
    assert_eq!(action, FetchAction::Use);
    next
}

fn failed(state: &FetchState, holder: u64, secs: u64, random: u64) -> FetchState {
    let (next, action) = state.after(FetchEvent::Failed { holder }, &POLICY, at(secs), random);
    assert_eq!(action, FetchAction::Nothing);
    next
}

fn changed(holder: u64) -> FetchEvent {
    FetchEvent::Changed {
        holder,
        fresh_for: None,
    }
}

/// The state after a first fetch that started and ended after `secs` seconds.
fn fetched(secs: u64, random: u64) -> FetchState {
    let turn = taken(&FetchState::default(), FetchNeed::default(), 1, secs);
    kept(&turn, changed(1), secs, random)
}

#[test]
fn the_first_fetch_is_due_at_once_and_requests_wait_for_it() {
    let new = FetchState::default();
    assert!(due(&new, 0));
    assert_eq!(new.retry_after(&POLICY, at(0)), None);
}

#[test]
fn a_turn_keeps_other_workers_from_fetching_for_twice_the_timeout() {
    for need in [FetchNeed::default(), NEWER, LOST] {
        let turn = taken(&FetchState::default(), FetchNeed::default(), 7, 0);
        for (secs, takes) in [(0, false), (1, false), (3, false), (4, true), (5, true)] {
            assert_eq!(fetches(&turn, need, secs), takes, "{secs} {need:?}");
        }
        assert_eq!(turn.retry_after(&POLICY, at(3)), None);
    }
}

#[test]
fn a_worker_that_takes_over_a_lapsed_turn_holds_it_alone() {
    let turn = taken(&FetchState::default(), FetchNeed::default(), 7, 0);
    let second = taken(&turn, FetchNeed::default(), 8, 4);
    let (next, action) = second.after(changed(7), &POLICY, at(5), 0);
    assert_eq!((&next, action), (&second, FetchAction::Nothing));
    assert_eq!(failed(&second, 7, 5, 0), second);
    assert_eq!(
        kept(&second, changed(8), 5, 0).version(),
        Some(DocumentVersion {
            id: 8,
            fetched_at: at(5)
        })
    );
}

#[test]
fn a_late_result_counts_if_no_other_worker_has_taken_the_turn() {
    let turn = taken(&FetchState::default(), FetchNeed::default(), 7, 0);
    assert!(kept(&turn, changed(7), 60, 0).version().is_some());
}

#[test]
fn a_result_counts_once() {
    let done = fetched(0, 0);
    let (next, action) = done.after(changed(1), &POLICY, at(1), 0);
    assert_eq!((next, action), (done, FetchAction::Nothing));
}

#[test]
fn a_document_is_refreshed_before_its_lifetime_ends_by_up_to_a_tenth() {
    for (random, due_after) in [(0, 600), (60_000, 540), (30_000, 570), (60_001, 600)] {
        let state = fetched(0, random);
        assert!(!due(&state, due_after - 1), "{random}");
        assert!(due(&state, due_after), "{random}");
    }
}

#[test]
fn a_server_may_shorten_the_lifetime_down_to_a_minute() {
    for (max_age, due_after) in [
        (None, 600),
        (Some(0), 60),
        (Some(59), 60),
        (Some(61), 61),
        (Some(300), 300),
        (Some(600), 600),
        (Some(u64::MAX), 600),
    ] {
        let fresh_for = max_age.map(Duration::from_secs);
        let turn = taken(&FetchState::default(), FetchNeed::default(), 1, 0);
        let event = FetchEvent::Changed {
            holder: 1,
            fresh_for,
        };
        let state = kept(&turn, event, 0, 0);
        assert!(!due(&state, due_after - 1), "{max_age:?}");
        assert!(due(&state, due_after), "{max_age:?}");
    }
    // The operator wants an even shorter one.
    let policy = RefreshPolicy {
        cache_duration: Duration::from_secs(2),
        ..POLICY
    };
    let turn = taken(&FetchState::default(), FetchNeed::default(), 1, 0);
    let event = FetchEvent::Changed {
        holder: 1,
        fresh_for: Some(Duration::ZERO),
    };
    let (state, _) = turn.after(event, &policy, at(0), 0);
    assert!(!due(&state, 1));
    assert!(due(&state, 2));
}

#[test]
fn the_lifetime_of_a_response_counts_unless_the_operator_says_otherwise() {
    for (honors_cache_control, expected) in [(true, 60), (false, 600)] {
        let policy = RefreshPolicy {
            honors_cache_control,
            ..POLICY
        };
        let turn = taken(&FetchState::default(), FetchNeed::default(), 1, 0);
        let event = FetchEvent::Changed {
            holder: 1,
            fresh_for: Some(Duration::ZERO),
        };
        let (state, _) = turn.after(event, &policy, at(0), 0);
        assert!(!due(&state, expected - 1) && due(&state, expected));
    }
}

#[test]
fn an_unchanged_document_is_renewed_and_stays_the_same_version() {
    let turn = taken(&fetched(0, 0), FetchNeed::default(), 2, 600);
    let unchanged = |id| FetchEvent::Unchanged {
        holder: 2,
        id,
        fresh_for: None,
    };
    let state = kept(&turn, unchanged(1), 601, 0);
    assert_eq!(
        state.version(),
        Some(DocumentVersion {
            id: 1,
            fetched_at: at(601)
        })
    );
    assert!(!due(&state, 1200));
    assert!(due(&state, 1201));
    // That another document is unchanged is a failure.
    let (next, action) = turn.after(unchanged(9), &POLICY, at(601), 1000);
    assert_eq!(
        (&next, action),
        (&failed(&turn, 2, 601, 1000), FetchAction::Nothing)
    );
}

#[test]
fn failures_are_retried_with_growing_delays_and_keep_the_document() {
    let mut state = fetched(0, 0);
    let mut now = 600;
    for (failures, delay) in [
        (0, 1),
        (1, 2),
        (2, 4),
        (3, 8),
        (4, 16),
        (5, 32),
        (6, 60),
        (7, 60),
    ] {
        assert_eq!(state.failures, failures);
        let turn = taken(&state, FetchNeed::default(), 7, now);
        // The random number that gives the longest delay.
        state = failed(&turn, 7, now, delay * 1000);
        assert!(!due(&state, now + delay - 1), "{failures}");
        assert!(due(&state, now + delay), "{failures}");
        assert_eq!(state.version(), fetched(0, 0).version());
        now += delay;
    }
    let turn = taken(&state, FetchNeed::default(), 7, now);
    assert_eq!(kept(&turn, changed(7), now, 0).failures, 0);
}

#[test]
fn a_document_is_used_until_max_stale_after_its_last_successful_fetch() {
    let version = fetched(0, 0).version().unwrap();
    for (secs, is_stale) in [(0, false), (86_399, false), (86_400, true), (90_000, true)] {
        assert_eq!(version.is_stale(&POLICY, at(secs)), is_stale, "{secs}");
    }
}

#[test]
fn unknown_keys_cause_one_fetch_in_a_cooldown() {
    let state = fetched(0, 0);
    assert!(!due(&state, 1));
    assert!(state.may_bring_newer(&POLICY, at(1)));
    let turn = taken(&state, NEWER, 2, 1);
    assert!(turn.may_bring_newer(&POLICY, at(1)), "a fetch is running");
    for end in [kept(&turn, changed(2), 2, 0), failed(&turn, 2, 2, 0)] {
        // The cooldown begins with the fetch.
        for (secs, may) in [(2, false), (10, false), (11, true), (100, true)] {
            assert_eq!(fetches(&end, NEWER, secs), may, "{secs}");
            assert_eq!(end.may_bring_newer(&POLICY, at(secs)), may, "{secs}");
        }
    }
    // The same if the worker vanishes with the turn.
    assert!(!fetches(&turn, NEWER, 5));
    assert!(fetches(&turn, NEWER, 11));
}

#[test]
fn a_failed_refetch_is_not_retried_and_delays_no_refresh() {
    let state = fetched(0, 0);
    let end = failed(&taken(&state, NEWER, 2, 1), 2, 2, 0);
    assert_eq!(end.failures, 0);
    assert!(!due(&end, 599));
    assert!(due(&end, 600));
    // If a refresh is due, it serves both.
    let turn = taken(&state, NEWER, 2, 600);
    assert!(!failed(&turn, 2, 600, 0).may_bring_newer(&POLICY, at(609)));
    assert_eq!(failed(&turn, 2, 600, 0).failures, 1);
}

#[test]
fn a_refresh_does_not_use_up_the_cooldown() {
    let end = kept(
        &taken(&fetched(0, 0), FetchNeed::default(), 2, 600),
        changed(2),
        600,
        0,
    );
    assert!(end.may_bring_newer(&POLICY, at(600)));
    assert!(fetches(&end, NEWER, 600));
}

#[test]
fn without_a_key_set_an_unknown_key_is_no_reason_to_fetch() {
    let state = failed(&taken(&FetchState::default(), NEWER, 2, 0), 2, 0, 1000);
    assert!(!fetches(&state, NEWER, 0));
    assert!(fetches(&state, NEWER, 1));
}

#[test]
fn a_lost_document_is_fetched_again_and_failures_are_delayed() {
    let state = fetched(0, 0);
    assert!(fetches(&state, LOST, 1));
    let end = failed(&taken(&state, LOST, 2, 1), 2, 1, 1000);
    assert!(!fetches(&end, LOST, 1));
    assert!(fetches(&end, LOST, 2));
}

#[test]
fn an_abandoned_fetch_leaves_the_turn_to_the_next_worker() {
    for (state, need, secs) in [
        (FetchState::default(), FetchNeed::default(), 0),
        (fetched(0, 0), FetchNeed::default(), 600),
        (fetched(0, 0), NEWER, 1),
        (fetched(0, 0), LOST, 1),
    ] {
        let turn = taken(&state, need, 7, secs);
        let (next, action) = turn.after(FetchEvent::Abandoned { holder: 7 }, &POLICY, at(secs), 0);
        assert_eq!((&next, action), (&state, FetchAction::Nothing));
        assert!(fetches(&next, need, secs));
        // The turn of another fetch is not given up.
        let (next, _) = turn.after(FetchEvent::Abandoned { holder: 8 }, &POLICY, at(secs), 0);
        assert_eq!(next, turn);
    }
}

#[test]
fn only_the_end_of_a_fetch_counts_as_an_advance() {
    let state = fetched(0, 0);
    let turn = taken(&state, NEWER, 2, 1);
    assert!(!turn.has_advanced_since(&state) && !state.has_advanced_since(&state));
    let end = failed(&turn, 2, 2, 0);
    assert!(end.has_advanced_since(&turn) && end.has_advanced_since(&state));
    let end = kept(&turn, changed(2), 2, 0);
    assert!(end.has_advanced_since(&turn) && end.has_advanced_since(&state));
    // Another worker has taken over a lapsed turn.
    assert!(taken(&turn, LOST, 3, 10).has_advanced_since(&turn));
}

#[test]
fn a_request_waits_only_if_a_fetch_is_due_in_time() {
    let mut turn = taken(&FetchState::default(), FetchNeed::default(), 7, 0);
    turn.failures = 5;
    let end = failed(&turn, 7, 0, 30_000);
    for (secs, retry_after) in [(0, Some(30)), (27, Some(3)), (28, Some(2)), (29, None)] {
        let expected = retry_after.map(Duration::from_secs);
        assert_eq!(end.retry_after(&POLICY, at(secs)), expected, "{secs}");
    }
    let turn = taken(&end, FetchNeed::default(), 8, 30);
    assert_eq!(turn.retry_after(&POLICY, at(30)), None);
}

#[test]
fn a_clock_that_was_set_back_delays_nothing() {
    assert!(due(&fetched(10_000, 0), 0));
    let turn = taken(&FetchState::default(), FetchNeed::default(), 7, 10_000);
    assert!(due(&turn, 0));
    assert!(due(&failed(&turn, 7, 10_000, 0), 0));
    let refetched = kept(&taken(&fetched(0, 0), NEWER, 2, 100), changed(2), 100, 0);
    assert!(refetched.may_bring_newer(&POLICY, at(50)));
}

#[test]
fn a_worker_whose_clock_lags_by_a_tick_does_not_fetch_as_well() {
    assert!(!due(
        &taken(&FetchState::default(), FetchNeed::default(), 7, 1),
        0
    ));
    assert!(!due(&fetched(1, 0), 0));
}

#[test]
fn another_configuration_may_want_a_fresher_document() {
    let policy = RefreshPolicy {
        cache_duration: Duration::from_secs(30),
        ..POLICY
    };
    for (secs, fetches) in [
        (29, FetchAction::Nothing),
        (30, FetchAction::Fetch { holder: 7 }),
    ] {
        let event = FetchEvent::Checked(FetchNeed::default());
        let (_, action) = fetched(0, 0).after(event, &policy, at(secs), 7);
        assert_eq!(action, fetches, "{secs}");
    }
}

#[test]
fn a_turn_that_is_too_long_is_ignored() {
    let mut state = taken(&FetchState::default(), FetchNeed::default(), 7, 0);
    state.turn = state.turn.map(|turn| Turn {
        until: Instant::from_millis(u64::MAX),
        ..turn
    });
    assert!(due(&state, 0));
}

/// The state after `event`, and whether the document is discarded.
fn used(state: &FetchState, event: FetchEvent, secs: u64) -> (FetchState, bool) {
    let (next, action) = state.after(event, &POLICY, at(secs), 0);
    (next, action == FetchAction::Discard)
}

#[test]
fn the_document_is_discarded_when_its_last_user_leaves() {
    let (one, _) = used(&fetched(0, 0), FetchEvent::Joined, 1);
    let (two, _) = used(&one, FetchEvent::Joined, 2);
    assert_eq!(two.version(), fetched(0, 0).version());
    assert!(!two.has_advanced_since(&one));
    assert_eq!(used(&two, FetchEvent::Left, 3), (one.clone(), false));
    let discarded = (FetchState::default(), true);
    assert_eq!(used(&one, FetchEvent::Left, 4), discarded);
    // If users were lost, the others fetch again.
    assert_eq!(used(&fetched(0, 0), FetchEvent::Left, 4), discarded);
}

#[test]
fn the_document_is_kept_for_ten_seconds_for_a_user_that_may_join() {
    let (one, _) = used(&fetched(0, 0), FetchEvent::Joined, 1);
    let (reserved, _) = used(&one, FetchEvent::Reserved, 2);
    for (secs, expected) in [(2, false), (11, false), (12, true)] {
        let (next, discarded) = used(&reserved, FetchEvent::Left, secs);
        assert_eq!(discarded, expected, "{secs}");
        assert_eq!(next.version().is_none(), expected);
    }
    // Once one has joined, users count again.
    let (two, _) = used(&reserved, FetchEvent::Joined, 3);
    let (one, discarded) = used(&two, FetchEvent::Left, 4);
    assert!(!discarded);
    assert!(used(&one, FetchEvent::Left, 5).1);
    // Fetches and failures change nothing about that.
    let turn = taken(&reserved, NEWER, 2, 3);
    let end = failed(&turn, 2, 3, 0);
    assert!(!used(&end, FetchEvent::Left, 4).1);
}

proptest::proptest! {
    #[test]
    fn in_every_state_a_fetch_is_due_within_some_hours(
        bytes: Vec<u8>, due_at: u64, failures: u32, refetched_at: Option<u64>, holder: u64,
        since: u64, until: u64, ahead: bool, id: u64, users: u32, fetched_at: Option<u64>, random: u64,
    ) {
        let state = FetchState {
            version: fetched_at.map(|millis| DocumentVersion { id, fetched_at: Instant::from_millis(millis) }),
            due_at: Instant::from_millis(due_at),
            failures,
            refetched_at: refetched_at.map(Instant::from_millis),
            turn: Some(Turn {
                holder,
                since: Instant::from_millis(since),
                until: Instant::from_millis(until),
                ahead,
            }),
            users,
            reserved_until: Instant::from_millis(until),
        };
        let text = serde_json::to_vec(&state).unwrap();
        proptest::prop_assert_eq!(serde_json::from_slice::<FetchState>(&text).unwrap(), state.clone());
        let _ = serde_json::from_slice::<FetchState>(&bytes);
        let checked = |secs| fetches(&state, FetchNeed::default(), secs);
        proptest::prop_assert!(checked(0) || checked(600) || checked(7200) || checked(7800));
        for event in [changed(holder), FetchEvent::Failed { holder }, FetchEvent::Unchanged { holder, id, fresh_for: Some(Duration::MAX) }] {
            let (next, _) = state.after(event, &POLICY, at(0), random);
            proptest::prop_assert!(!next.is_held(at(0)));
        }
    }
}
