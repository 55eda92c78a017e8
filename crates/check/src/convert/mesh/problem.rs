//! What a conversion does not say.

/// Something in the original that the result does not say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Problem {
    /// Where it is in the text.
    pub(super) position: usize,
    pub(super) text: String,
}

impl Problem {
    /// The problems in the order of the text, each once.
    pub(super) fn distinct(problems: Vec<Self>) -> Vec<Self> {
        let mut distinct: Vec<Self> = Vec::new();
        for problem in problems {
            if !distinct.contains(&problem) {
                distinct.push(problem);
            }
        }
        distinct.sort_by_key(|problem| problem.position);
        distinct
    }
}

/// What becomes of a rule with these conditions, beside rules for the same requests without them.
pub(super) fn cannot_check(others: &str) -> String {
    format!(
        "the gate cannot check {others}. So that nothing is opened, requests that only this rule allows need the tokens \
         that all rules for them ask for"
    )
}
