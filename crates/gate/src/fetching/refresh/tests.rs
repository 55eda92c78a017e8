use super::*;

const POLICY: Policy = Policy {
    timeout: Duration::from_secs(2),
    cache_duration: Duration::from_secs(600),
    max_stale: Duration::from_secs(86_400),
    refetch_cooldown: Duration::from_secs(10),
    retry: Backoff::new(Duration::from_secs(1), Duration::from_secs(60)),
};

const NEWER: Need = Need {
    newer: true,
    lost: false,
};
const LOST: Need = Need {
    newer: false,
    lost: true,
};

fn at(secs: u64) -> Timestamp {
    Timestamp::from_unix_secs(1_700_000_000 + secs)
}

/// Whether a worker that looks after `secs` seconds gets the turn.
fn fetches(progress: &Progress, need: Need, secs: u64) -> bool {
    let (_, action) = progress.after(Event::Looked(need), &POLICY, at(secs), 7);
    action == Action::Fetch { holder: 7 }
}

fn due(progress: &Progress, secs: u64) -> bool {
    fetches(progress, Need::default(), secs)
}

/// The progress after `holder` has looked and got the turn.
fn taken(progress: &Progress, need: Need, holder: u64, secs: u64) -> Progress {
    let (next, action) = progress.after(Event::Looked(need), &POLICY, at(secs), holder);
    assert_eq!(action, Action::Fetch { holder });
    next
}

fn kept(progress: &Progress, event: Event, secs: u64, random: u64) -> Progress {
    let (next, action) = progress.after(event, &POLICY, at(secs), random);
    assert_eq!(action, Action::Keep);
    next
}

fn failed(progress: &Progress, holder: u64, secs: u64, random: u64) -> Progress {
    let (next, action) = progress.after(Event::Failed { holder }, &POLICY, at(secs), random);
    assert_eq!(action, Action::Nothing);
    next
}

fn changed(holder: u64) -> Event {
    Event::Changed {
        holder,
        fresh_for: None,
    }
}

/// The progress after a first fetch that began and ended after `secs` seconds.
fn fetched(secs: u64, random: u64) -> Progress {
    let turn = taken(&Progress::default(), Need::default(), 1, secs);
    kept(&turn, changed(1), secs, random)
}

#[test]
fn the_first_fetch_is_due_at_once_and_is_worth_waiting_for() {
    let new = Progress::default();
    assert!(due(&new, 0));
    assert_eq!(new.retry_after(&POLICY, at(0)), None);
}

#[test]
fn a_turn_keeps_the_others_from_fetching_until_twice_the_timeout() {
    for need in [Need::default(), NEWER, LOST] {
        let turn = taken(&Progress::default(), Need::default(), 7, 0);
        for (secs, takes) in [(0, false), (1, false), (3, false), (4, true), (5, true)] {
            assert_eq!(fetches(&turn, need, secs), takes, "{secs} {need:?}");
        }
        assert_eq!(turn.retry_after(&POLICY, at(3)), None);
    }
}

#[test]
fn who_takes_the_turn_of_a_vanished_worker_has_it_alone() {
    let turn = taken(&Progress::default(), Need::default(), 7, 0);
    let second = taken(&turn, Need::default(), 8, 4);
    let (next, action) = second.after(changed(7), &POLICY, at(5), 0);
    assert_eq!((&next, action), (&second, Action::Nothing));
    assert_eq!(failed(&second, 7, 5, 0), second);
    assert_eq!(
        kept(&second, changed(8), 5, 0).set(),
        Some(SharedSet {
            id: 8,
            fetched_at: at(5)
        })
    );
}

#[test]
fn who_is_late_still_counts_as_long_as_nobody_took_the_turn() {
    let turn = taken(&Progress::default(), Need::default(), 7, 0);
    assert!(kept(&turn, changed(7), 60, 0).set().is_some());
}

#[test]
fn an_outcome_counts_once() {
    let done = fetched(0, 0);
    let (next, action) = done.after(changed(1), &POLICY, at(1), 0);
    assert_eq!((next, action), (done, Action::Nothing));
}

#[test]
fn a_set_is_refreshed_ahead_of_its_end_by_up_to_a_tenth() {
    for (random, due_after) in [(0, 600), (60_000, 540), (30_000, 570), (60_001, 600)] {
        let progress = fetched(0, random);
        assert!(!due(&progress, due_after - 1), "{random}");
        assert!(due(&progress, due_after), "{random}");
    }
}

#[test]
fn a_server_may_shorten_the_time_of_a_set_down_to_ten_seconds() {
    for (max_age, due_after) in [
        (None, 600),
        (Some(0), 10),
        (Some(9), 10),
        (Some(11), 11),
        (Some(300), 300),
        (Some(600), 600),
        (Some(u64::MAX), 600),
    ] {
        let fresh_for = max_age.map(Duration::from_secs);
        let turn = taken(&Progress::default(), Need::default(), 1, 0);
        let event = Event::Changed {
            holder: 1,
            fresh_for,
        };
        let progress = kept(&turn, event, 0, 0);
        assert!(!due(&progress, due_after - 1), "{max_age:?}");
        assert!(due(&progress, due_after), "{max_age:?}");
    }
    // What the operator wants is shorter still.
    let policy = Policy {
        cache_duration: Duration::from_secs(2),
        ..POLICY
    };
    let turn = taken(&Progress::default(), Need::default(), 1, 0);
    let event = Event::Changed {
        holder: 1,
        fresh_for: Some(Duration::ZERO),
    };
    let (progress, _) = turn.after(event, &policy, at(0), 0);
    assert!(!due(&progress, 1));
    assert!(due(&progress, 2));
}

#[test]
fn an_unchanged_set_is_renewed_and_stays_the_same_set() {
    let turn = taken(&fetched(0, 0), Need::default(), 2, 600);
    let unchanged = |id| Event::Unchanged {
        holder: 2,
        id,
        fresh_for: None,
    };
    let progress = kept(&turn, unchanged(1), 601, 0);
    assert_eq!(
        progress.set(),
        Some(SharedSet {
            id: 1,
            fetched_at: at(601)
        })
    );
    assert!(!due(&progress, 1200));
    assert!(due(&progress, 1201));
    // Of a set that is not shared it is no use to hear that it has not changed.
    let (next, action) = turn.after(unchanged(9), &POLICY, at(601), 1000);
    assert_eq!(
        (&next, action),
        (&failed(&turn, 2, 601, 1000), Action::Nothing)
    );
}

#[test]
fn failures_are_retried_with_growing_delays_and_keep_the_set() {
    let mut progress = fetched(0, 0);
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
        assert_eq!(progress.failures, failures);
        let turn = taken(&progress, Need::default(), 7, now);
        // The greatest random number that gives the whole delay.
        progress = failed(&turn, 7, now, delay * 1000);
        assert!(!due(&progress, now + delay - 1), "{failures}");
        assert!(due(&progress, now + delay), "{failures}");
        assert_eq!(progress.set(), fetched(0, 0).set());
        now += delay;
    }
    let turn = taken(&progress, Need::default(), 7, now);
    assert_eq!(kept(&turn, changed(7), now, 0).failures, 0);
}

#[test]
fn a_set_is_used_until_max_stale_after_the_last_good_fetch() {
    let set = fetched(0, 0).set().unwrap();
    for (secs, is_stale) in [(0, false), (86_399, false), (86_400, true), (90_000, true)] {
        assert_eq!(set.is_stale(&POLICY, at(secs)), is_stale, "{secs}");
    }
}

#[test]
fn unknown_keys_cost_one_fetch_in_a_cooldown_and_none_in_between() {
    let progress = fetched(0, 0);
    assert!(!due(&progress, 1));
    assert!(progress.may_bring_newer(&POLICY, at(1)));
    let turn = taken(&progress, NEWER, 2, 1);
    assert!(turn.may_bring_newer(&POLICY, at(1)), "it is being fetched");
    for end in [kept(&turn, changed(2), 2, 0), failed(&turn, 2, 2, 0)] {
        // The cooldown is counted from the beginning of the fetch.
        for (secs, may) in [(2, false), (10, false), (11, true), (100, true)] {
            assert_eq!(fetches(&end, NEWER, secs), may, "{secs}");
            assert_eq!(end.may_bring_newer(&POLICY, at(secs)), may, "{secs}");
        }
    }
    // A worker that vanishes with the turn has used up the cooldown too.
    assert!(!fetches(&turn, NEWER, 5));
    assert!(fetches(&turn, NEWER, 11));
}

#[test]
fn a_failed_refetch_sets_off_no_retries_and_delays_no_refresh() {
    let progress = fetched(0, 0);
    let end = failed(&taken(&progress, NEWER, 2, 1), 2, 2, 0);
    assert_eq!(end.failures, 0);
    assert!(!due(&end, 599));
    assert!(due(&end, 600));
    // One that was due anyway is a refresh that serves both.
    let turn = taken(&progress, NEWER, 2, 600);
    assert!(!failed(&turn, 2, 600, 0).may_bring_newer(&POLICY, at(609)));
    assert_eq!(failed(&turn, 2, 600, 0).failures, 1);
}

#[test]
fn a_refresh_does_not_use_up_the_cooldown() {
    let end = kept(
        &taken(&fetched(0, 0), Need::default(), 2, 600),
        changed(2),
        600,
        0,
    );
    assert!(end.may_bring_newer(&POLICY, at(600)));
    assert!(fetches(&end, NEWER, 600));
}

#[test]
fn without_a_set_a_key_that_it_does_not_have_is_no_reason_to_fetch() {
    let progress = failed(&taken(&Progress::default(), NEWER, 2, 0), 2, 0, 1000);
    assert!(!fetches(&progress, NEWER, 0));
    assert!(fetches(&progress, NEWER, 1));
}

#[test]
fn a_document_that_is_lost_is_fetched_again_but_not_for_ever() {
    let progress = fetched(0, 0);
    assert!(fetches(&progress, LOST, 1));
    let end = failed(&taken(&progress, LOST, 2, 1), 2, 1, 1000);
    assert!(!fetches(&end, LOST, 1));
    assert!(fetches(&end, LOST, 2));
}

#[test]
fn a_request_waits_only_for_what_can_come_in_time() {
    let mut turn = taken(&Progress::default(), Need::default(), 7, 0);
    turn.failures = 5;
    let end = failed(&turn, 7, 0, 30_000);
    for (secs, retry_after) in [(0, Some(30)), (27, Some(3)), (28, Some(2)), (29, None)] {
        let expected = retry_after.map(Duration::from_secs);
        assert_eq!(end.retry_after(&POLICY, at(secs)), expected, "{secs}");
    }
    let turn = taken(&end, Need::default(), 8, 30);
    assert_eq!(turn.retry_after(&POLICY, at(30)), None);
}

#[test]
fn a_clock_that_was_set_back_puts_off_nothing() {
    assert!(due(&fetched(10_000, 0), 0));
    let turn = taken(&Progress::default(), Need::default(), 7, 10_000);
    assert!(due(&turn, 0));
    assert!(due(&failed(&turn, 7, 10_000, 0), 0));
    let refetched = kept(&taken(&fetched(0, 0), NEWER, 2, 100), changed(2), 100, 0);
    assert!(refetched.may_bring_newer(&POLICY, at(50)));
}

#[test]
fn a_worker_whose_clock_lags_by_a_tick_does_not_fetch_beside_another() {
    assert!(!due(&taken(&Progress::default(), Need::default(), 7, 1), 0));
    assert!(!due(&fetched(1, 0), 0));
}

#[test]
fn another_configuration_may_want_a_fresher_set() {
    let policy = Policy {
        cache_duration: Duration::from_secs(30),
        ..POLICY
    };
    for (secs, fetches) in [(29, Action::Nothing), (30, Action::Fetch { holder: 7 })] {
        let event = Event::Looked(Need::default());
        let (_, action) = fetched(0, 0).after(event, &policy, at(secs), 7);
        assert_eq!(action, fetches, "{secs}");
    }
}

#[test]
fn a_turn_that_nobody_can_have_taken_is_not_believed() {
    let mut progress = taken(&Progress::default(), Need::default(), 7, 0);
    progress.turn = progress.turn.map(|turn| Turn {
        until: Timestamp::from_unix_millis(u64::MAX),
        ..turn
    });
    assert!(due(&progress, 0));
}

proptest::proptest! {
    #[test]
    fn whatever_is_shared_somebody_fetches_within_two_hours_of_a_day(
        bytes: Vec<u8>, due_at: u64, failures: u32, refetched_at: Option<u64>, holder: u64,
        since: u64, until: u64, ahead: bool, id: u64, fetched_at: Option<u64>, random: u64,
    ) {
        let progress = Progress {
            set: fetched_at.map(|millis| SharedSet { id, fetched_at: Timestamp::from_unix_millis(millis) }),
            due_at: Timestamp::from_unix_millis(due_at),
            failures,
            refetched_at: refetched_at.map(Timestamp::from_unix_millis),
            turn: Some(Turn {
                holder,
                since: Timestamp::from_unix_millis(since),
                until: Timestamp::from_unix_millis(until),
                ahead,
            }),
        };
        let text = serde_json::to_vec(&progress).unwrap();
        proptest::prop_assert_eq!(serde_json::from_slice::<Progress>(&text).unwrap(), progress.clone());
        let _ = serde_json::from_slice::<Progress>(&bytes);
        let looked = |secs| fetches(&progress, Need::default(), secs);
        proptest::prop_assert!(looked(0) || looked(600) || looked(7200) || looked(7800));
        for event in [changed(holder), Event::Failed { holder }, Event::Unchanged { holder, id, fresh_for: Some(Duration::MAX) }] {
            let (next, _) = progress.after(event, &POLICY, at(0), random);
            proptest::prop_assert!(!next.is_held(at(0)));
        }
    }
}
