//! Suites of other projects, as tables: what the source expects, what the gate does, and why they
//! differ where they do. `docs/suites.md` has the figures.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

/// What happens to a case, in the words of its suite.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The request passes, the key is used, the path is matched as it was sent.
    Accepted,
    /// It does not. The text is the answer, where the source gives one.
    Refused(String),
}

impl Verdict {
    /// A verdict without an answer.
    pub(crate) fn new(accepted: bool) -> Self {
        if accepted {
            Self::Accepted
        } else {
            Self::Refused(String::new())
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Accepted => f.write_str("accepted"),
            Self::Refused(answer) => write!(f, "refused {answer}"),
        }
    }
}

/// One row of a suite.
pub(crate) struct Case {
    pub(crate) name: String,
    /// The verdict of the source.
    pub(crate) expected: Verdict,
    /// The verdict of the gate.
    pub(crate) found: Verdict,
    /// Why the gate differs; `None` if it must not.
    pub(crate) differs: Option<String>,
}

/// Checks that exactly the cases with a reason differ, that `accepted_here` of them are refused only by
/// the source, and that the section `title` of `docs/suites.md` has the figures.
pub(crate) fn check(title: &str, accepted_here: usize, cases: &[Case]) {
    let mut reasons = BTreeMap::<&str, usize>::new();
    let (mut stricter, mut laxer, mut other) = (0, 0, 0);
    let mut failures = String::new();
    for case in cases {
        let Case {
            name,
            expected,
            found,
            differs,
        } = case;
        let Some(reason) = differs else {
            if found != expected {
                writeln!(failures, "{name:?}: {found}, but the source: {expected}").unwrap();
            }
            continue;
        };
        if found == expected {
            writeln!(
                failures,
                "{name:?}: {found} as the source, in spite of {reason:?}"
            )
            .unwrap();
        }
        match (expected, found) {
            (Verdict::Accepted, _) => stricter += 1,
            (_, Verdict::Accepted) => laxer += 1,
            _ => other += 1,
        }
        *reasons.entry(reason).or_default() += 1;
    }
    assert_eq!(failures, "", "{title}");
    assert_eq!(laxer, accepted_here, "cases that only the source refuses");
    let mut figures = format!(
        "{} cases, {} differ: {stricter} refused only by the gate, {laxer} refused only by the source, \
         {other} refused by both with different answers.\n",
        cases.len(),
        stricter + laxer + other,
    );
    for (reason, count) in reasons {
        write!(figures, "\n- {count}: {reason}").unwrap();
    }
    let mut sections = DOCUMENT.split("\n## ");
    let section = sections.find(|section| section.lines().next() == Some(title));
    assert!(
        section.is_some_and(|section| section.trim_end().ends_with(figures.trim_end())),
        "docs/suites.md: the section \"{title}\" must end with\n\n{figures}"
    );
}

const DOCUMENT: &str = include_str!("../../docs/suites.md");
