//! The results of a comparison for people and for programs.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::comparison::{ComparedResult, Comparison, Verdict};
use super::difference::Difference;
use super::side::Side;

/// How many requests are shown of each difference.
const EXAMPLES: usize = 3;

/// The requests of one difference.
struct Group<'r> {
    difference: Option<&'static Difference>,
    results: Vec<&'r ComparedResult>,
}

/// The results for people. With `all`, every request that differs is shown.
pub(crate) fn text(file: &str, comparisons: &[Comparison], all: bool) -> String {
    let mut text = String::new();
    for comparison in comparisons {
        let at = if comparison.path.is_empty() { "" } else { ": " };
        let _ = writeln!(text, "{file}{at}{}", comparison.path);
        let total = comparison.results.len();
        let (expected, unexpected) = (groups(comparison, true), groups(comparison, false));
        let number =
            |groups: &[Group<'_>]| groups.iter().map(|one| one.results.len()).sum::<usize>();
        let differ = number(&expected).saturating_add(number(&unexpected));
        let same = total.saturating_sub(differ);
        let verb = if differ == 1 { "differs" } else { "differ" };
        let _ = writeln!(text, "  {total} requests, {same} the same, {differ} {verb}");
        if comparison.without_request > 0 {
            let number = comparison.without_request;
            let _ = writeln!(
                text,
                "  for {number} rules or routes no request is known: name some with --cases"
            );
        }
        if !expected.is_empty() {
            let _ = writeln!(text, "\n  Expected, since convert marks them with REVIEW:");
        }
        for group in &expected {
            group.write(&mut text, all);
        }
        if !unexpected.is_empty() {
            let _ = writeln!(text, "\n  Unexpected:");
        }
        for group in &unexpected {
            group.write(&mut text, all);
        }
        text.push('\n');
    }
    let unexpected = unexpected(comparisons);
    let _ = match unexpected {
        0 => writeln!(text, "no unexpected differences"),
        1 => writeln!(text, "1 unexpected difference"),
        number => writeln!(text, "{number} unexpected differences"),
    };
    text
}

/// How many requests differ although `convert` does not say so.
pub(crate) fn unexpected(comparisons: &[Comparison]) -> usize {
    let results = comparisons.iter().flat_map(|one| &one.results);
    let unexpected = results.filter(|one| matches!(one.verdict, Verdict::Unexpected(_)));
    unexpected.count()
}

/// The expected or the unexpected differences, in the order in which they occur.
fn groups(comparison: &Comparison, expected: bool) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    for result in &comparison.results {
        let difference = match result.verdict {
            Verdict::Expected(difference) if expected => Some(difference),
            Verdict::Unexpected(difference) if !expected => difference,
            Verdict::Same | Verdict::Expected(_) | Verdict::Unexpected(_) => continue,
        };
        match groups
            .iter_mut()
            .find(|group| group.difference == difference)
        {
            Some(group) => group.results.push(result),
            None => groups.push(Group {
                difference,
                results: vec![result],
            }),
        }
    }
    groups
}

impl Group<'_> {
    fn write(&self, text: &mut String, all: bool) {
        let number = self.results.len();
        let requests = if number == 1 { "request" } else { "requests" };
        match self.difference {
            Some(difference) => {
                let Difference {
                    name,
                    explanation,
                    link,
                    ..
                } = difference;
                let _ = writeln!(text, "  {name}: {number} {requests}");
                let _ = writeln!(text, "    {explanation} ({link})");
            }
            None => {
                let _ = writeln!(text, "  not explained: {number} {requests}");
            }
        }
        let shown = if all { number } else { EXAMPLES };
        for result in self.results.iter().take(shown) {
            let _ = writeln!(text, "    - {}: {}", result.request.title(), change(result));
        }
        let more = number.saturating_sub(shown);
        if more > 0 {
            let _ = writeln!(text, "    - {more} more (--all shows them)");
        }
    }
}

/// What becomes of the request.
fn change(result: &ComparedResult) -> String {
    let (native, gate) = (&result.native, &result.gate);
    if native.status != gate.status || native.status != 200 {
        return format!("{} -> {}", answer(native), answer(gate));
    }
    let names = native.different_headers(gate);
    let shown = |side: &Side, name: &str| {
        let headers = side.upstream.as_ref();
        let values: Vec<&str> = headers.into_iter().flat_map(|one| one.all(name)).collect();
        match values.as_slice() {
            [] => "none".to_owned(),
            values => shortened(&values.join(",")),
        }
    };
    let changes = names.iter().map(|name| {
        let (native, gate) = (shown(native, name), shown(gate, name));
        format!("{name}: {native} -> {gate}")
    });
    changes.collect::<Vec<_>>().join(", ")
}

/// A value that may be a token is not shown as a whole.
fn shortened(value: &str) -> String {
    const MOST: usize = 40;
    if value.chars().count() <= MOST {
        return format!("{value:?}");
    }
    let start: String = value.chars().take(MOST).collect();
    format!("{start:?}...")
}

fn answer(side: &Side) -> String {
    let challenge = if side.challenge || side.status == 200 || side.status == 404 {
        ""
    } else {
        ", no challenge"
    };
    match side.status {
        200 => "200".to_owned(),
        status => format!("{status} ({}{challenge})", side.why),
    }
}

/// The results for programs.
pub(crate) fn json(file: &str, comparisons: &[Comparison]) -> Value {
    let chains = comparisons.iter().map(|comparison| {
        let differences = comparison.results.iter().filter_map(|result| {
            let (difference, expected) = match result.verdict {
                Verdict::Same => return None,
                Verdict::Expected(difference) => (Some(difference), true),
                Verdict::Unexpected(difference) => (difference, false),
            };
            let side = |side: &Side| json!({"status": side.status, "why": side.why});
            Some(json!({
                "request": result.request.title(),
                "native": side(&result.native),
                "gate": side(&result.gate),
                "headers": result.native.different_headers(&result.gate),
                "expected": expected,
                "difference": difference.map(|one| one.name),
                "explanation": difference.map(|one| one.explanation),
                "link": difference.map(|one| one.link),
            }))
        });
        json!({
            "path": comparison.path,
            "requests": comparison.results.len(),
            "without_request": comparison.without_request,
            "differences": differences.collect::<Vec<_>>(),
        })
    });
    json!({
        "file": file,
        "unexpected": unexpected(comparisons),
        "comparisons": chains.collect::<Vec<_>>(),
    })
}
