//! The results of cases, as text, TAP and `JUnit`.

use std::fmt::Write as _;

/// The result of one case.
pub(crate) struct CaseResult {
    pub(crate) name: String,
    /// Where the case is: line and column, both from 1.
    pub(crate) place: (usize, usize),
    /// What differs from what was expected; nothing if the case passes.
    pub(crate) differences: Vec<String>,
}

/// The results for people.
pub(crate) fn text(file: &str, results: &[CaseResult]) -> String {
    let mut text = String::new();
    for result in results {
        if result.differences.is_empty() {
            let _ = writeln!(text, "ok      {}", result.name);
        } else {
            let (line, column) = result.place;
            let _ = writeln!(text, "FAILED  {} ({file}:{line}:{column})", result.name);
            for difference in &result.differences {
                let _ = writeln!(text, "        {difference}");
            }
        }
    }
    let (all, failed) = (results.len(), failures(results));
    let _ = writeln!(text, "{all} cases, {failed} failed");
    text
}

/// The results in version 14 of the Test Anything Protocol.
pub(crate) fn tap(results: &[CaseResult]) -> String {
    let mut text = format!("TAP version 14\n1..{}\n", results.len());
    for (index, result) in results.iter().enumerate() {
        let number = index.saturating_add(1);
        let name = one_line(&result.name)
            .replace('\\', "\\\\")
            .replace('#', "\\#");
        let no = if result.differences.is_empty() {
            ""
        } else {
            "not "
        };
        let _ = writeln!(text, "{no}ok {number} - {name}");
        if !result.differences.is_empty() {
            text.push_str("  ---\n  differences:\n");
            for difference in &result.differences {
                // A string of JSON is one of YAML.
                let _ = writeln!(
                    text,
                    "    - {}",
                    serde_json::Value::from(difference.as_str())
                );
            }
            text.push_str("  ...\n");
        }
    }
    text
}

/// The results in the XML of `JUnit`.
pub(crate) fn junit(file: &str, results: &[CaseResult]) -> String {
    let (tests, failures) = (results.len(), failures(results));
    let suite = escape(file);
    let mut text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites tests=\"{tests}\" failures=\"{failures}\">\n  \
         <testsuite name=\"{suite}\" tests=\"{tests}\" failures=\"{failures}\">\n"
    );
    for result in results {
        let (name, line) = (escape(&result.name), result.place.0);
        let _ = write!(
            text,
            "    <testcase classname=\"{suite}\" name=\"{name}\" file=\"{suite}\" line=\"{line}\""
        );
        if result.differences.is_empty() {
            text.push_str("/>\n");
        } else {
            let differences = escape(&result.differences.join("; "));
            let _ = writeln!(
                text,
                ">\n      <failure message=\"{differences}\"/>\n    </testcase>"
            );
        }
    }
    text.push_str("  </testsuite>\n</testsuites>\n");
    text
}

/// How many cases fail.
pub(crate) fn failures(results: &[CaseResult]) -> usize {
    let failed = results
        .iter()
        .filter(|result| !result.differences.is_empty());
    failed.count()
}

/// The text for an attribute of XML. It has no control characters, which XML does not allow.
fn escape(text: &str) -> String {
    let text = one_line(text).replace('&', "&amp;").replace('<', "&lt;");
    text.replace('>', "&gt;").replace('"', "&quot;")
}

fn one_line(text: &str) -> String {
    text.replace(|letter: char| letter.is_control(), " ")
}
