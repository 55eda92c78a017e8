//! The report as SARIF 2.1.0, which code hosts show beside the lines that it is about.

use gate_config::ConfigError;
use serde_json::{Value, json};

use crate::report::{LineColumn, Report};

/// The report as SARIF.
pub(crate) fn document(report: &Report) -> Value {
    let mut results = Vec::new();
    for result in &report.results {
        let problems = result.policy.as_ref().err().map(ConfigError::problems);
        for (index, problem) in problems.unwrap_or_default().iter().enumerate() {
            let place = result.places.get(index).copied().flatten();
            let text = problem.to_string();
            results.push(finding(
                &report.file,
                "configuration",
                "error",
                &text,
                place,
            ));
        }
        for warning in &result.warnings {
            results.push(finding(
                &report.file,
                "configuration",
                "warning",
                warning,
                None,
            ));
        }
    }
    let level = if report.strict { "error" } else { "warning" };
    for (place, warning) in &report.warnings {
        results.push(finding(
            &report.file,
            warning.kind,
            level,
            &warning.text,
            Some(*place),
        ));
    }
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {"name": "bearer-gate-check", "rules": rules(report)}},
            "results": results,
        }],
    })
}

/// The kinds of warnings in the report, each with its documentation.
fn rules(report: &Report) -> Vec<Value> {
    let mut kinds: Vec<_> = report.warnings.iter().map(|(_, warning)| warning).collect();
    kinds.sort_by_key(|warning| warning.kind);
    kinds.dedup_by_key(|warning| warning.kind);
    let rules = kinds.into_iter();
    rules
        .map(|warning| json!({"id": warning.kind, "help": {"text": warning.link()}}))
        .collect()
}

fn finding(file: &str, rule: &str, level: &str, text: &str, place: Option<LineColumn>) -> Value {
    let mut location = json!({"artifactLocation": {"uri": file}});
    if let (Some((line, column)), Some(members)) = (place, location.as_object_mut()) {
        let region = json!({"startLine": line, "startColumn": column});
        members.insert("region".to_owned(), region);
    }
    json!({
        "ruleId": rule,
        "level": level,
        "message": {"text": text},
        "locations": [{"physicalLocation": location}],
    })
}
