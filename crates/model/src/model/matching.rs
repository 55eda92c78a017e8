//! Which requests a rule applies to.

use regex::{Regex, RegexBuilder};
use serde_json::Value;

use super::fields::Fields;
use super::view::View;

/// The longest text that regular expressions are matched against.
const LONGEST: usize = 4096;

/// Whether a condition holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Truth {
    Yes,
    No,
    /// That depends on a text that is too long.
    TooLong,
}

impl From<bool> for Truth {
    fn from(truth: bool) -> Self {
        if truth { Self::Yes } else { Self::No }
    }
}

/// Whether `match` of a rule selects a request.
pub(crate) fn matches(condition: Fields<'_>, view: View<'_>) -> Truth {
    let mut truths = vec![path(condition, view.path())];
    for header in condition.list("headers") {
        truths.push(self::header(Fields(header), view));
    }
    for parameter in condition.list("query_parameters") {
        truths.push(self::parameter(Fields(parameter), view));
    }
    if condition.has("grpc") {
        truths.push(view.is_grpc().into());
    }
    if truths.contains(&Truth::No) {
        Truth::No
    } else if truths.contains(&Truth::TooLong) {
        Truth::TooLong
    } else {
        Truth::Yes
    }
}

fn path(condition: Fields<'_>, path: &str) -> Truth {
    if let Some(expression) = condition.object("safe_regex") {
        return expression_matches(expression, path);
    }
    let fold = |text: &str| {
        if condition.flag_or("case_sensitive", true) {
            text.to_owned()
        } else {
            text.to_ascii_lowercase()
        }
    };
    let path = fold(path);
    let truth = if let Some(prefix) = condition.text("prefix") {
        path.starts_with(&fold(prefix))
    } else if let Some(whole) = condition.text("path") {
        path == fold(whole)
    } else {
        let prefix = condition.text("path_separated_prefix").unwrap_or_default();
        path == fold(prefix) || path.starts_with(&format!("{}/", fold(prefix)))
    };
    truth.into()
}

fn header(condition: Fields<'_>, view: View<'_>) -> Truth {
    let name = condition.text("name").unwrap_or_default();
    let mut values = view.values(&name.to_ascii_lowercase());
    let invert = condition.flag("invert_match");
    if values.is_empty() && condition.flag("treat_missing_header_as_empty") {
        values.push("");
    }
    let is_there = !values.is_empty();
    let text = |kind: &str| condition.text(kind);
    let any = |holds: &dyn Fn(&str) -> Truth| {
        let truths: Vec<Truth> = values.iter().map(|value| holds(value)).collect();
        if truths.contains(&Truth::Yes) {
            Truth::Yes
        } else if truths.contains(&Truth::TooLong) {
            Truth::TooLong
        } else {
            Truth::No
        }
    };
    let found = if let Some(condition) = condition.object("string_match") {
        any(&|value| string(condition, value))
    } else if let Some(wanted) = text("exact_match").filter(|text| !text.is_empty()) {
        any(&|value| (value == wanted).into())
    } else if let Some(wanted) = text("prefix_match") {
        any(&|value| value.starts_with(wanted).into())
    } else if let Some(wanted) = text("suffix_match") {
        any(&|value| value.ends_with(wanted).into())
    } else if let Some(wanted) = text("contains_match") {
        any(&|value| value.contains(wanted).into())
    } else if let Some(expression) = condition.object("safe_regex_match") {
        any(&|value| expression_matches(expression, value))
    } else if let Some(range) = condition.object("range_match") {
        let (start, end) = (range.integer("start"), range.integer("end"));
        let range = start.unwrap_or(0)..end.unwrap_or(0);
        any(&|value| {
            let number = value.trim().parse::<i64>();
            number.is_ok_and(|number| range.contains(&number)).into()
        })
    } else {
        let present = condition.flag_or("present_match", true);
        return ((is_there == present) != invert).into();
    };
    match found {
        _ if !is_there => Truth::No,
        Truth::TooLong => Truth::TooLong,
        found => ((found == Truth::Yes) != invert).into(),
    }
}

fn parameter(condition: Fields<'_>, view: View<'_>) -> Truth {
    let name = condition.text("name").unwrap_or_default();
    let parameters = view.parameters();
    let value = parameters.iter().find(|(known, _, _)| *known == name);
    match (condition.object("string_match"), value) {
        (Some(condition), Some((_, value, _))) => string(condition, value),
        (Some(_), None) => Truth::No,
        (None, value) => (value.is_some() == condition.flag_or("present_match", true)).into(),
    }
}

/// Whether a string match holds.
pub(crate) fn string(condition: Fields<'_>, text: &str) -> Truth {
    if let Some(expression) = condition.object("safe_regex") {
        return expression_matches(expression, text);
    }
    let fold = |text: &str| {
        if condition.flag("ignore_case") {
            text.to_ascii_lowercase()
        } else {
            text.to_owned()
        }
    };
    let text = fold(text);
    let wanted = |kind: &str| condition.text(kind).map(fold);
    let truth = if let Some(wanted) = wanted("exact") {
        text == wanted
    } else if let Some(wanted) = wanted("prefix") {
        text.starts_with(&wanted)
    } else if let Some(wanted) = wanted("suffix") {
        text.ends_with(&wanted)
    } else {
        text.contains(&wanted("contains").unwrap_or_default())
    };
    truth.into()
}

/// Whether the whole text matches.
fn expression_matches(expression: Fields<'_>, text: &str) -> Truth {
    if text.len() > LONGEST {
        return Truth::TooLong;
    }
    let expression = expression.get("regex").and_then(Value::as_str);
    let expression = format!("^(?:{})$", expression.unwrap_or_default());
    let expression: Regex = RegexBuilder::new(&expression)
        .unicode(true)
        .build()
        .expect("the configuration is valid");
    expression.is_match(text).into()
}
