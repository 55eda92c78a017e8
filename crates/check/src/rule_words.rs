//! The match of a rule in words, and which of its conditions a request does not fulfil.

use gate::policy::{
    Comparison, Condition, Matcher, MetadataCondition, MetadataMatcher, PathMatcher, StringMatcher,
};
use gate::request::Request;

use crate::wording;

/// The conditions of `matcher`, in words.
pub(crate) fn all(matcher: &Matcher) -> Vec<String> {
    conditions(matcher, &|_| true)
}

/// The conditions of `matcher` that `request` does not fulfil, in words.
pub(crate) fn unmet(matcher: &Matcher, request: &Request<'_>) -> Vec<String> {
    conditions(matcher, &|part| match part {
        Part::Path => matcher.path.matches(request.path()) != Ok(true),
        Part::Grpc => !request.grpc,
        Part::Header(index) => {
            let header = matcher.headers.get(index);
            header.is_some_and(|header| header.matches(request) != Ok(true))
        }
        Part::Parameter(index) => {
            let parameter = matcher.query.get(index);
            parameter.is_some_and(|parameter| parameter.matches(request) != Ok(true))
        }
        Part::Metadata(index) => {
            let metadata = matcher.metadata.get(index);
            metadata.is_some_and(|metadata| metadata.matches(request) != Ok(true))
        }
    })
}

/// A condition of a match. Lists are referred to by index.
#[derive(Clone, Copy)]
enum Part {
    Path,
    Grpc,
    Header(usize),
    Parameter(usize),
    Metadata(usize),
}

/// The conditions of `matcher` that `is_shown` selects, in words.
fn conditions(matcher: &Matcher, is_shown: &dyn Fn(Part) -> bool) -> Vec<String> {
    let path = [(Part::Path, path(&matcher.path))];
    let grpc = matcher.grpc.then(|| (Part::Grpc, "gRPC".to_owned()));
    let headers = matcher.headers.iter().enumerate().map(|(index, header)| {
        let text = condition(&format!("header {}", header.name), &header.condition);
        (Part::Header(index), inverted(text, header.invert))
    });
    let query = matcher.query.iter().enumerate().map(|(index, parameter)| {
        let what = format!("query parameter {}", parameter.name);
        (
            Part::Parameter(index),
            condition(&what, &parameter.condition),
        )
    });
    let metadata = matcher.metadata.iter().enumerate();
    let metadata = metadata.map(|(index, one)| (Part::Metadata(index), dynamic_metadata(one)));
    let all = path.into_iter().chain(grpc).chain(headers);
    let all = all.chain(query).chain(metadata);
    all.filter(|(part, _)| is_shown(*part))
        .map(|(_, text)| text)
        .collect()
}

fn inverted(text: String, invert: bool) -> String {
    if invert { format!("not {text}") } else { text }
}

fn path(matcher: &PathMatcher) -> String {
    match matcher {
        PathMatcher::Separated { prefix, .. } => match prefix.comparison() {
            Comparison::Prefix(prefix) => format!("the path {prefix} or one below it"),
            other => format!("a path {}", comparison(other)),
        },
        PathMatcher::Text(matcher) => match matcher.comparison() {
            Comparison::Exact(path) => format!("the path {path}"),
            Comparison::Prefix(prefix) if prefix == "/" => "any path".to_owned(),
            Comparison::Prefix(prefix) => format!("a path that begins with {prefix}"),
            other => format!("a path {}", comparison(other)),
        },
    }
}

/// A condition on the header or parameter `what`.
fn condition(what: &str, condition: &Condition) -> String {
    match condition {
        Condition::Text(matcher) => compared(what, matcher),
        Condition::Range(range) => {
            format!("{what} from {} to below {}", range.start, range.end)
        }
        Condition::Present(true) => format!("the {what}"),
        Condition::Present(false) => format!("no {what}"),
    }
}

fn dynamic_metadata(matcher: &MetadataMatcher) -> String {
    let name = &matcher.name;
    let what = format!("metadata {} {}", name.filter, name.path.join("."));
    let text = match &matcher.condition {
        MetadataCondition::Text(matcher) => compared(&what, matcher),
        MetadataCondition::Bool(value) => format!("{what} = {value}"),
        MetadataCondition::Present => format!("the {what}"),
    };
    inverted(text, matcher.invert)
}

fn compared(what: &str, matcher: &StringMatcher) -> String {
    match matcher.comparison() {
        Comparison::Exact(value) => format!("{what} = {}", quoted(value)),
        other => format!("{what} {}", comparison(other)),
    }
}

fn comparison(comparison: &Comparison) -> String {
    match comparison {
        Comparison::Exact(text) => format!("equal to {}", quoted(text)),
        Comparison::Prefix(text) => format!("that begins with {}", quoted(text)),
        Comparison::Suffix(text) => format!("that ends with {}", quoted(text)),
        Comparison::Contains(text) => format!("that contains {}", quoted(text)),
        Comparison::Pattern(pattern) => format!("that matches {}", quoted(pattern.source())),
    }
}

fn quoted(text: &str) -> String {
    wording::string(Some(text))
}
