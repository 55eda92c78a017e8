use proptest::prelude::*;

use super::*;

fn normal(text: &str) -> Option<String> {
    TargetUri::parse(text.as_bytes()).map(|uri| uri.to_text())
}

#[test]
fn the_origin_is_scheme_host_and_port() {
    for (text, origin) in [
        ("https://A.Example:443/b?c", "https://a.example"),
        ("http://a:8080/", "http://a:8080"),
    ] {
        let uri = TargetUri::parse(text.as_bytes()).unwrap();
        assert_eq!(uri.origin(), origin);
    }
}

#[test]
fn uris_are_brought_into_normal_form() {
    for (text, expected) in [
        ("https://a/b", "https://a/b"),
        ("HTTPS://A.Example/B", "https://a.example/B"),
        ("http://a/", "http://a/"),
        ("https://a", "https://a/"),
        ("https://a?b", "https://a/"),
        ("https://a#b", "https://a/"),
        ("https://a/b/", "https://a/b/"),
        ("https://a//b", "https://a//b"),
        ("https://a:443/b", "https://a/b"),
        ("https://a:0443/b", "https://a/b"),
        ("https://a:/b", "https://a/b"),
        ("https://a:80/b", "https://a:80/b"),
        ("http://a:80/b", "http://a/b"),
        ("http://a:443/b", "http://a:443/b"),
        ("https://a:008443/b", "https://a:8443/b"),
        ("https://[::1]/b", "https://[::1]/b"),
        ("https://[::FFFF:1]:443/b", "https://[::ffff:1]/b"),
        ("https://[::1]:8443/b", "https://[::1]:8443/b"),
        ("https://a/b?c=d", "https://a/b"),
        ("https://a/b?c#d", "https://a/b"),
        ("https://a/b#c?d", "https://a/b"),
        ("https://a/%7Eb", "https://a/~b"),
        ("https://a/%7eb", "https://a/~b"),
        ("https://a/%61%2D%2e%5f", "https://a/a-._"),
        ("https://a/b%2fc", "https://a/b%2Fc"),
        ("https://a/b%2Fc", "https://a/b%2Fc"),
        ("https://a/%c3%a9", "https://a/%C3%A9"),
        ("https://a/b%", "https://a/b%"),
        ("https://a/b%4", "https://a/b%4"),
        ("https://a/b%4g", "https://a/b%4g"),
        ("https://a/%25%37%45", "https://a/%257E"),
        ("https://a/%%37E", "https://a/%%37E"),
        ("https://a/%7%45", "https://a/%7%45"),
        ("https://a/./b", "https://a/b"),
        ("https://a/b/../c", "https://a/c"),
        ("https://a/b/..", "https://a/"),
        ("https://a/b/.", "https://a/b/"),
        ("https://a/../../b", "https://a/b"),
        ("https://a/b/%2E%2e/c", "https://a/c"),
        ("https://a/b//../c", "https://a/b/c"),
        ("https://a/...", "https://a/..."),
        (
            "https://a/b;c=d,e@f:g!$&'()*+",
            "https://a/b;c=d,e@f:g!$&'()*+",
        ),
        ("https://a%41/b", "https://a%41/b"),
    ] {
        assert_eq!(normal(text).as_deref(), Some(expected), "{text}");
    }
}

#[test]
fn other_texts_are_no_target() {
    for text in [
        "",
        "*",
        "/b",
        "a/b",
        "//a/b",
        "https",
        "https:",
        "https:/a",
        "https:a",
        "https://",
        "https:///b",
        "https://:443/b",
        "ftp://a/b",
        "ws://a/b",
        "https//a/b",
        "https://u@a/b",
        "https://u:p@a/b",
        "https://a:b/c",
        "https://a:-1/b",
        "https://a:+1/b",
        "https://a:65536/b",
        "https://a:443:443/b",
        "https://[::1/b",
        "https://[]/b",
        "https://[::1]x/b",
        "https://::1/b",
        "https://a/b c",
        "https://a/b\tc",
        " https://a/b",
        "https://a/b\\c",
        "https://a/b?c\\d",
        "https://a/caf\u{e9}",
        "https://a/\0",
    ] {
        assert_eq!(normal(text), None, "{text}");
    }
}

#[test]
fn the_uri_of_a_request_has_the_same_form() {
    let uri = |scheme: &str, authority: &str, path: &str| {
        let uri = TargetUri::from_parts(scheme.as_bytes(), authority.as_bytes(), path.as_bytes());
        uri.map(|uri| uri.to_text())
    };
    for (scheme, authority, path, expected) in [
        ("https", "A.example:443", "/b", Some("https://a.example/b")),
        ("http", "a:8080", "/%7Eb/../c", Some("http://a:8080/c")),
        ("https", "a", "*", None),
        ("https", "a", "", None),
        ("", "a", "/", None),
        ("ftp", "a", "/", None),
        ("https", "", "/", None),
        ("https", "a/b", "/", None),
        ("https", "u@a", "/", None),
    ] {
        let found = uri(scheme, authority, path);
        assert_eq!(found.as_deref(), expected, "{scheme} {authority} {path}");
    }
    let raw = TargetUri::from_parts(b"https", b"a", b"/caf\xe9").unwrap();
    assert_eq!(normal(&raw.to_text()), None);
}

#[test]
fn a_path_is_joined_to_a_base_without_leaving_it() {
    for (base, path, expected) in [
        ("https://a", "/b", Some("https://a/b")),
        ("https://a/", "/b", Some("https://a/b")),
        ("https://a/base", "/b", Some("https://a/base/b")),
        ("https://a/base/", "/", Some("https://a/base/")),
        ("https://a/base", "/../../b", Some("https://a/base/b")),
        ("https://a/base", "*", None),
    ] {
        let base = TargetUri::parse(base.as_bytes()).unwrap();
        let joined = base.join(path.as_bytes());
        let text = joined.as_ref().map(TargetUri::to_text);
        assert_eq!(text.as_deref(), expected, "{path}");
        assert!(joined.is_none_or(|joined| joined.has_same_origin(&base)));
    }
}

proptest! {
    #[test]
    fn the_normal_form_is_stable(
        text in r"(https?|HTTP)://[A-Za-z0-9.%\[\]:]{0,12}(/[A-Ea-e0-7%./;]{0,24})?([?#].*)?|.*",
    ) {
        if let Some(once) = TargetUri::parse(text.as_bytes()) {
            prop_assert_eq!(TargetUri::parse(once.to_text().as_bytes()), Some(once));
        }
    }

    #[test]
    fn no_bytes_panic(scheme: Vec<u8>, authority: Vec<u8>, path: Vec<u8>) {
        let _ = TargetUri::parse(&scheme);
        let _ = TargetUri::from_parts(b"https", &authority, &path);
        let _ = TargetUri::from_parts(&scheme, b"a", &path);
    }
}
