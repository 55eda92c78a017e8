//! Suites of other projects, as tables: what the source expects, what the gate does, and why they
//! differ where they do. `docs/suites.md` has the figures.

use std::collections::BTreeSet;
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

impl Case {
    /// What is wrong with the case: it must differ if and only if it has a reason to.
    fn problem(&self) -> Option<String> {
        let Self {
            name,
            expected,
            found,
            differs,
        } = self;
        match differs {
            None if found != expected => Some(format!("{name:?}: {found}; the source: {expected}")),
            Some(reason) if found == expected => Some(format!(
                "{name:?}: {found} as the source, in spite of {reason:?}"
            )),
            _ => None,
        }
    }
}

/// Checks that exactly the cases with a reason differ, that `only_here` of them are refused by the source
/// and not by the gate, and that the section `title` of `docs/suites.md` has the figures.
pub(crate) fn check(title: &str, only_here: usize, cases: &[Case]) {
    let problems: Vec<String> = cases.iter().filter_map(Case::problem).collect();
    assert!(problems.is_empty(), "{title}:\n{}", problems.join("\n"));
    let differing: Vec<&Case> = cases
        .iter()
        .filter(|case| case.expected != case.found)
        .collect();
    let count = |by_source: bool, by_gate: bool| {
        let is_this = |case: &&&Case| {
            (
                case.expected == Verdict::Accepted,
                case.found == Verdict::Accepted,
            ) == (by_source, by_gate)
        };
        differing.iter().filter(is_this).count()
    };
    let (stricter, laxer, other) = (count(true, false), count(false, true), count(false, false));
    assert_eq!(
        laxer, only_here,
        "{title}: cases that only the source refuses"
    );
    let mut figures = format!(
        "{} cases, {} differ: {stricter} refused only by the gate, {laxer} refused only by the source, \
         {other} refused by both with different answers.\n",
        cases.len(),
        differing.len(),
    );
    let reasons: BTreeSet<&str> = differing
        .iter()
        .filter_map(|case| case.differs.as_deref())
        .collect();
    for reason in reasons {
        let with = |case: &&&Case| case.differs.as_deref() == Some(reason);
        let count = differing.iter().filter(with).count();
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
