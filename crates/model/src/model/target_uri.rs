//! The URIs that proofs are made for: `docs/configuration.md`, "DPoP".

use std::sync::LazyLock;

use regex::{Captures, Regex};

use super::fields::Fields;
use super::view::View;

/// The normal form of an absolute URI, without query and fragment.
pub(super) fn normal(text: &str) -> Option<String> {
    static URI: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"^(?i)(https?)://(\[[^/@\[\]]+\]|[^/@:\[\]]+)(?::([0-9]*))?(/.*)?$")
            .expect("a regular expression")
    });
    if text.contains(|one: char| !one.is_ascii_graphic() || one == '\\') {
        return None;
    }
    let text = text.split(['#', '?']).next()?;
    let parts = URI.captures(text)?;
    let (scheme, host) = (parts[1].to_lowercase(), parts[2].to_lowercase());
    let default = if scheme == "https" { 443 } else { 80 };
    let port = match parts.get(3).map_or("", |port| port.as_str()) {
        "" => default,
        digits => digits.parse::<u16>().ok()?,
    };
    let port = if port == default {
        String::new()
    } else {
        format!(":{port}")
    };
    let path = normal_path(parts.get(4).map_or("/", |path| path.as_str()));
    Some(format!("{scheme}://{host}{port}{path}"))
}

/// The URIs by which a client may know the target of a request, in normal form.
pub(super) fn of_request(configuration: Fields<'_>, view: View<'_>) -> Vec<String> {
    if !view.path().starts_with('/') {
        return Vec::new();
    }
    let path = normal_path(view.path());
    let own = normal(&format!(
        "{}://{}/",
        view.first(":scheme"),
        view.first(":authority")
    ));
    let below = |base: &String| format!("{}{path}", base.trim_end_matches('/'));
    let public = configuration.texts("public_urls").into_iter();
    let public: Vec<String> = public.filter_map(normal).collect();
    if public.is_empty() {
        return own.iter().map(below).collect();
    }
    let is_here = |base: &&String| {
        own.as_ref()
            .is_some_and(|own| base.starts_with(own.as_str()))
    };
    let here: Vec<&String> = public.iter().filter(is_here).collect();
    if here.is_empty() {
        public.iter().map(below).collect()
    } else {
        here.into_iter().map(below).collect()
    }
}

/// A path in the normal form of RFC 3986, sections 6.2.2.2 and 6.2.2.3.
fn normal_path(path: &str) -> String {
    static ESCAPE: LazyLock<Regex> =
        LazyLock::new(|| Regex::new("%([0-9A-Fa-f]{2})").expect("a regular expression"));
    let plain = |escape: &Captures<'_>| {
        let byte = u8::from_str_radix(&escape[1], 16).unwrap_or_default();
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            char::from(byte).to_string()
        } else {
            escape[0].to_uppercase()
        }
    };
    let path = ESCAPE.replace_all(path, plain);
    let mut kept: Vec<&str> = Vec::new();
    let segments: Vec<&str> = path.split('/').skip(1).collect();
    for (index, segment) in segments.iter().enumerate() {
        if *segment == ".." {
            kept.pop();
        }
        if !matches!(*segment, "." | "..") {
            kept.push(segment);
        } else if index + 1 == segments.len() {
            kept.push("");
        }
    }
    format!("/{}", kept.join("/"))
}
