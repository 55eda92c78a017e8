use super::*;

fn identifier(text: &str) -> ResourceIdentifier {
    ResourceIdentifier::parse(text).unwrap()
}

#[test]
fn the_metadata_are_at_a_url_that_is_built_from_the_identifier() {
    for (resource, authority, path) in [
        (
            "https://resource.example.com",
            "https://resource.example.com",
            "",
        ),
        (
            "https://resource.example.com/",
            "https://resource.example.com",
            "",
        ),
        (
            "https://resource.example.com/resource1",
            "https://resource.example.com",
            "/resource1",
        ),
        ("https://a/mcp/", "https://a", "/mcp/"),
        ("https://a/mcp/v1", "https://a", "/mcp/v1"),
        ("https://a:8443/mcp", "https://a:8443", "/mcp"),
        ("https://a:443/mcp", "https://a:443", "/mcp"),
        ("https://[2001:db8::1]/mcp", "https://[2001:db8::1]", "/mcp"),
        (
            "https://[2001:db8::1]:8443",
            "https://[2001:db8::1]:8443",
            "",
        ),
        ("http://localhost:3000/mcp", "http://localhost:3000", "/mcp"),
        ("http://127.0.0.1/", "http://127.0.0.1", ""),
        ("http://[::1]:8080/a%20b", "http://[::1]:8080", "/a%20b"),
        ("https://a/caf%C3%A9", "https://a", "/caf%C3%A9"),
    ] {
        let url = identifier(resource).metadata_url().unwrap();
        let expected = format!("{authority}{WELL_KNOWN}{path}");
        assert_eq!(url.as_str(), expected, "{resource}");
    }
    let longest = MAX_METADATA_URL - WELL_KNOWN.len();
    for (length, good) in [(longest, true), (longest + 1, false)] {
        let resource = format!("https://a/{}", "b".repeat(length - "https://a/".len()));
        let url = identifier(&resource).metadata_url();
        assert_eq!(url.is_ok(), good, "{length}");
        assert!(url.is_ok() || url == Err(MAX_METADATA_URL + 1));
    }
}

#[test]
fn an_identifier_leaves_nothing_open() {
    use NotAResourceIdentifier::{Host, Insecure, Path, Query, Url, WellKnown};
    for (text, problem) in [
        ("", Url(NotAWebUrl::Scheme)),
        ("/mcp", Url(NotAWebUrl::Scheme)),
        ("urn:example:api", Url(NotAWebUrl::Scheme)),
        ("https://", Url(NotAWebUrl::Authority)),
        ("https://user@a/mcp", Url(NotAWebUrl::Authority)),
        ("https://a/m cp", Url(NotAWebUrl::Character)),
        ("https://a/\"mcp\"", Url(NotAWebUrl::Character)),
        ("http://a/mcp", Insecure),
        ("http://localhost.example/mcp", Insecure),
        ("http://127.0.0.2/mcp", Insecure),
        ("https://a/mcp?b", Query),
        ("https://a/mcp?", Query),
        ("https://a/mcp#b", Query),
        ("https://A/mcp", Host),
        ("https://a//mcp", Path),
        ("https://a/mcp//", Path),
        ("https://a/./mcp", Path),
        ("https://a/b/../mcp", Path),
        ("https://a/b/..", Path),
        ("https://a/b%2fmcp", Path),
        ("https://a/b%5Cmcp", Path),
        ("https://a/mcp;b", Path),
        ("https://a/%6dcp", Path),
        ("https://a/.well-known/mcp", WellKnown),
    ] {
        assert_eq!(ResourceIdentifier::parse(text), Err(problem), "{text}");
    }
}

#[test]
fn slash_scheme_and_default_port_make_no_other_resource() {
    let equivalent = |one: &str, other: &str| {
        let (one, other) = (identifier(one), identifier(other));
        let result = one.is_equivalent(&other);
        assert_eq!(other.is_equivalent(&one), result);
        result
    };
    for (one, other, expected) in [
        ("https://a", "https://a/", true),
        ("https://a/mcp", "https://a/mcp/", true),
        ("https://a/mcp", "https://a:443/mcp", true),
        ("http://localhost", "http://localhost:80/", true),
        ("http://localhost", "https://localhost", true),
        ("https://a/mcp", "https://a:8443/mcp", false),
        ("https://a/mcp", "https://b/mcp", false),
        ("https://a/mcp", "https://a/mcpx", false),
        ("https://a/mcp", "https://a/MCP", false),
        ("https://a", "https://a/mcp", false),
    ] {
        assert_eq!(equivalent(one, other), expected, "{one} {other}");
    }
}

#[test]
fn an_audience_is_the_identifier_exactly() {
    for (resource, audience, expected) in [
        ("https://a/mcp", "https://a/mcp", true),
        ("https://a/mcp", "https://a/mcp/", false),
        ("https://a/mcp", "https://a", false),
        ("https://a/mcp", "https://a:443/mcp", false),
        ("https://a", "https://a", true),
        ("https://a", "https://a/", true),
        ("https://a/", "https://a", true),
        ("https://a/", "https://a/", true),
        ("https://a", "https://a//", false),
        ("https://a", "https://ab", false),
    ] {
        let is_audience = identifier(resource).is_audience(audience);
        assert_eq!(is_audience, expected, "{resource} {audience}");
    }
}

#[test]
fn a_text_that_is_no_identifier_has_a_reason() {
    for (text, problem) in [
        ("api.example", "https:// or http://"),
        ("http://a/mcp", "must begin with https://,"),
        ("https://a/mcp?b", "a query or a fragment"),
        ("https://A/mcp", "in lower case"),
        ("https://a//mcp", "all servers read alike"),
        ("https://a/.well-known/mcp", "begins with /.well-known/"),
    ] {
        let message = ResourceIdentifier::parse(text).unwrap_err().to_string();
        assert!(message.contains(problem), "{text}: {message}");
    }
}
