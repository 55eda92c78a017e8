//! What the filter did, compared with what it must do.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gate::reason::ReasonKind;

use crate::model::{Answer, Forwarded, UNKNOWN, Verdict};
use crate::trial::Observed;

/// What the filter did with a request.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Outcome {
    /// It needs no token.
    Passed,
    /// It has as many good tokens.
    Admitted(usize),
    /// It has tokens that are forwarded unverified.
    Extracted,
    /// It passed, although it would have been refused for this reason.
    Reported(ReasonKind),
    /// It was refused for this reason.
    Refused(ReasonKind),
}

/// The outcome, if the filter did what it must do.
///
/// # Errors
///
/// What differs.
pub(crate) fn compare(verdict: &Verdict, observed: &Observed) -> Result<Outcome, String> {
    match (verdict, observed) {
        (_, Observed::Stuck) => Err("the request is neither forwarded nor answered".to_owned()),
        (_, Observed::Panicked(who)) => Err((*who).to_owned()),
        (Verdict::Either(forwarded, otherwise), _) => {
            let admitted = compare(&Verdict::Forward(forwarded.clone()), observed);
            admitted.or_else(|one| {
                compare(otherwise, observed).map_err(|other| format!("{one}; or {other}"))
            })
        }
        (Verdict::Forward(_) | Verdict::Report(..), Observed::Answered { .. }) => {
            Err("it must be forwarded".to_owned())
        }
        (Verdict::Report(forwarded, answers), observed @ Observed::Forwarded { .. }) => {
            compare_report(forwarded, answers, observed)
        }
        (Verdict::Refuse(_), Observed::Forwarded { .. }) => Err("it must be refused".to_owned()),
        (Verdict::Forward(forwarded), observed @ Observed::Forwarded { .. }) => {
            let mut differences = Vec::new();
            for expected in forwarded {
                match compare_forwarded(expected, observed) {
                    Ok(outcome) => return Ok(outcome),
                    Err(difference) => differences.push(difference),
                }
            }
            Err(differences.join("; or "))
        }
        (Verdict::Refuse(answers), observed @ Observed::Answered { .. }) => {
            let mut differences = Vec::new();
            for answer in answers {
                match compare_answer(answer, observed) {
                    Ok(kind) => return Ok(Outcome::Refused(kind)),
                    Err(difference) => differences.push(difference),
                }
            }
            Err(differences.join("; or "))
        }
    }
}

/// A request that is only reported passes as it was sent, and the filter state names the reason.
fn compare_report(
    forwarded: &Forwarded,
    answers: &[Answer],
    observed: &Observed,
) -> Result<Outcome, String> {
    let mut differences = Vec::new();
    for answer in answers {
        let (name, _, _, _) = answer.reason.row();
        let key = "bearer_gate.would_deny".to_owned();
        let mut filter_state = vec![(key, name.to_owned())];
        // The model does not number its rules, so any rule may be named.
        filter_state.extend(rule_state(observed));
        let expected = Forwarded {
            filter_state,
            ..forwarded.clone()
        };
        match compare_forwarded(&expected, observed) {
            Ok(_) => {
                let kind =
                    kind(answer).ok_or_else(|| format!("the filter has no reason {name}"))?;
                return Ok(Outcome::Reported(kind));
            }
            Err(difference) => differences.push(format!("{name}: {difference}")),
        }
    }
    Err(differences.join("; or "))
}

/// The filter state that names a rule.
fn rule_state(observed: &Observed) -> Option<(String, String)> {
    let Observed::Forwarded { filter_state, .. } = observed else {
        return None;
    };
    let mut all = filter_state.iter();
    all.find(|(key, _)| key == "bearer_gate.rule").cloned()
}

fn compare_forwarded(expected: &Forwarded, observed: &Observed) -> Result<Outcome, String> {
    let Observed::Forwarded {
        headers,
        filter_state,
        clears_route,
    } = observed
    else {
        return Err("it is not forwarded".to_owned());
    };
    let mut headers = headers.clone();
    headers.sort_by(|(one, _), (other, _)| one.cmp(other));
    if headers != expected.headers {
        Err("the upstream receives other headers".to_owned())
    } else if *filter_state != expected.filter_state {
        Err("the filter state differs".to_owned())
    } else if *clears_route != expected.clears_route {
        Err("the route is selected again, or not".to_owned())
    } else if expected.accepted > 0 {
        Ok(Outcome::Admitted(expected.accepted))
    } else if expected.is_extracted {
        Ok(Outcome::Extracted)
    } else {
        Ok(Outcome::Passed)
    }
}

/// The filter's name for the reason of an answer.
pub(crate) fn kind(expected: &Answer) -> Option<ReasonKind> {
    let (name, status, _, _) = expected.reason.row();
    let mut kinds = ReasonKind::ALL.iter().copied();
    kinds.find(|kind| kind.metric() == name && kind.status() == status)
}

fn compare_answer(expected: &Answer, observed: &Observed) -> Result<ReasonKind, String> {
    let Observed::Answered {
        status,
        headers,
        body,
    } = observed
    else {
        return Err("it is not answered".to_owned());
    };
    let (name, expected_status, _, _) = expected.reason.row();
    let kind = kind(expected)
        .ok_or_else(|| format!("the filter has no reason {name} with status {expected_status}"))?;
    let description = kind.description();
    let expected_headers = expected.headers(description);
    let differs = |what: &str, expected: &dyn std::fmt::Debug, got: &dyn std::fmt::Debug| {
        Err(format!(
            "{what} must be {expected:?} ({name}) and is {got:?}"
        ))
    };
    if *status != expected_status {
        return differs("the status", &expected_status, status);
    }
    if *body != expected.body(description) {
        return differs("the body", &expected.body(description), body);
    }
    // When to try again depends on the backoff.
    let mut headers = headers.clone();
    if let Some(seconds) = headers.get_mut("retry-after")
        && seconds
            .parse::<u64>()
            .is_ok_and(|seconds| (1..=60).contains(&seconds))
    {
        "1 to 60".clone_into(seconds);
    }
    // Nobody else knows a random key: 24 bytes in base64url.
    if expected_headers.get("dpop-nonce").map(String::as_str) == Some(UNKNOWN)
        && let Some(nonce) = headers.get_mut("dpop-nonce")
        && URL_SAFE_NO_PAD
            .decode(&*nonce)
            .is_ok_and(|bytes| bytes.len() == 24)
    {
        UNKNOWN.clone_into(nonce);
    }
    if headers != expected_headers {
        return differs("the headers", &expected_headers, &headers);
    }
    Ok(kind)
}
