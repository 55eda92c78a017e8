use super::*;

const DURATIONS: Durations = Durations {
    active: Duration::from_secs(60),
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

/// What is known of `token`, in a word.
fn word(introspector: &mut Introspector, token: &str, secs: u64) -> &'static str {
    match introspector.ask(token, at(secs)) {
        TokenStatus::Active(_) => "active",
        TokenStatus::Inactive => "inactive",
        TokenStatus::Pending => "pending",
        TokenStatus::Unavailable { .. } => "unavailable",
    }
}

#[test]
fn a_token_is_asked_about_once_however_many_wait_for_it() {
    let mut introspector = introspector();
    for _ in 0..3 {
        assert_eq!(word(&mut introspector, "a", 0), "pending");
    }
    assert!(introspector.has_next());
    assert_eq!(introspector.take_next().as_deref(), Some("a"));
    assert_eq!(introspector.take_next(), None);
    assert_eq!(word(&mut introspector, "a", 0), "pending");
    assert!(!introspector.has_next() && introspector.is_waiting());
    introspector.settle("a", Ok(Some(active(""))), at(0));
    assert_eq!(word(&mut introspector, "a", 0), "active");
    assert!(!introspector.is_waiting());
    assert_eq!(word(&mut introspector, "b", 0), "pending");
}

#[test]
fn what_was_said_counts_for_its_time_and_no_longer() {
    for (said, word_then, last) in [
        (Ok(Some(active(""))), "active", 59),
        (Ok(Some(active(r#", "exp": 1700000030"#))), "active", 29),
        (Ok(Some(active(r#", "exp": 1700000600"#))), "active", 59),
        (Ok(None), "inactive", 9),
        (Err(Failed), "unavailable", 0),
    ] {
        let mut introspector = introspector();
        assert_eq!(word(&mut introspector, "a", 0), "pending");
        assert!(introspector.take_next().is_some());
        introspector.settle("a", said, at(0));
        assert_eq!(word(&mut introspector, "a", 0), word_then);
        assert_eq!(word(&mut introspector, "a", last), word_then);
        assert_eq!(word(&mut introspector, "a", last + 1), "pending");
    }
}

#[test]
fn whoever_waited_sees_the_answer_also_if_the_token_has_expired() {
    let mut introspector = introspector();
    introspector.settle("a", Ok(Some(active(r#", "exp": 1"#))), at(0));
    assert_eq!(word(&mut introspector, "a", 0), "active");
    assert_eq!(word(&mut introspector, "a", 1), "pending");
}

#[test]
fn a_flood_of_tokens_is_put_off_and_displaces_no_good_one() {
    let mut introspector = introspector();
    introspector.settle("good", Ok(Some(active(""))), at(0));
    for number in 0..MOST_WANTED {
        assert_eq!(word(&mut introspector, &number.to_string(), 0), "pending");
    }
    assert_eq!(word(&mut introspector, "more", 0), "unavailable");
    let asked: Vec<_> = std::iter::from_fn(|| introspector.take_next()).collect();
    assert_eq!(asked.len(), MOST_ASKED);
    assert!(!introspector.has_next());
    introspector.settle(&asked[0], Ok(None), at(0));
    assert!(introspector.has_next());
    assert_eq!(word(&mut introspector, "more", 0), "pending");
    for number in 0..2 * MOST_REMEMBERED {
        introspector.settle(&number.to_string(), Ok(None), at(0));
    }
    assert_eq!(word(&mut introspector, "good", 0), "active");
}
