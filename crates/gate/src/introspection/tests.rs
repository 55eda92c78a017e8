use super::*;

const DURATIONS: Durations = Durations {
    active: Duration::from_mins(1),
    inactive: Duration::from_secs(10),
};

fn introspector() -> Introspector {
    Introspector::new(DURATIONS, &RandomState::new())
}

fn at(secs: u64) -> Timestamp {
    Timestamp::from_unix_secs(1_700_000_000 + secs)
}

fn active(members: &str) -> IntrospectionResponse {
    let body = format!("{{\"active\": true{members}}}");
    read(body.as_bytes()).unwrap().unwrap()
}

/// The status of `token`.
fn status(introspector: &mut Introspector, token: &str, secs: u64) -> &'static str {
    match introspector.ask(token, at(secs)) {
        TokenStatus::Active(_) => "active",
        TokenStatus::Inactive => "inactive",
        TokenStatus::Pending => "pending",
        TokenStatus::Unavailable { .. } => "unavailable",
    }
}

#[test]
fn a_token_is_asked_about_once_for_all_requests_that_wait() {
    let mut introspector = introspector();
    for _ in 0..3 {
        assert_eq!(status(&mut introspector, "a", 0), "pending");
    }
    assert!(introspector.has_next());
    assert_eq!(introspector.take_next().as_deref(), Some("a"));
    assert_eq!(introspector.take_next(), None);
    assert_eq!(status(&mut introspector, "a", 0), "pending");
    assert!(!introspector.has_next() && introspector.is_waiting());
    introspector.settle("a", Ok(Some(active(""))), at(0));
    assert_eq!(status(&mut introspector, "a", 0), "active");
    assert!(!introspector.is_waiting());
    assert_eq!(status(&mut introspector, "b", 0), "pending");
}

#[test]
fn an_answer_is_cached_for_its_duration() {
    for (answer, expected, last) in [
        (Ok(Some(active(""))), "active", 59),
        (Ok(Some(active(r#", "exp": 1700000030"#))), "active", 29),
        (Ok(Some(active(r#", "exp": 1700000600"#))), "active", 59),
        (Ok(None), "inactive", 9),
        (Err(Failed), "unavailable", 0),
    ] {
        let mut introspector = introspector();
        assert_eq!(status(&mut introspector, "a", 0), "pending");
        assert!(introspector.take_next().is_some());
        introspector.settle("a", answer, at(0));
        assert_eq!(status(&mut introspector, "a", 0), expected);
        assert_eq!(status(&mut introspector, "a", last), expected);
        assert_eq!(status(&mut introspector, "a", last + 1), "pending");
    }
}

#[test]
fn waiting_requests_see_the_answer_even_if_the_token_has_expired() {
    let mut introspector = introspector();
    introspector.settle("a", Ok(Some(active(r#", "exp": 1"#))), at(0));
    assert_eq!(status(&mut introspector, "a", 0), "active");
    assert_eq!(status(&mut introspector, "a", 1), "pending");
}

#[test]
fn a_flood_of_tokens_is_bounded_and_does_not_displace_active_ones() {
    let mut introspector = introspector();
    introspector.settle("good", Ok(Some(active(""))), at(0));
    for number in 0..MAX_UNANSWERED {
        assert_eq!(status(&mut introspector, &number.to_string(), 0), "pending");
    }
    assert_eq!(status(&mut introspector, "more", 0), "unavailable");
    let in_flight: Vec<_> = std::iter::from_fn(|| introspector.take_next()).collect();
    assert_eq!(in_flight.len(), MAX_IN_FLIGHT);
    assert!(!introspector.has_next());
    introspector.settle(&in_flight[0], Ok(None), at(0));
    assert!(introspector.has_next());
    assert_eq!(status(&mut introspector, "more", 0), "pending");
    for number in 0..2 * MAX_CACHED {
        introspector.settle(&number.to_string(), Ok(None), at(0));
    }
    assert_eq!(status(&mut introspector, "good", 0), "active");
}
