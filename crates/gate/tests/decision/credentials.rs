//! Where the tokens of a request are found.

use gate::credential::{Credential, locate};
use gate::policy::Location;
use gate::reason::Reason;
use gate::request::Request;
use serde_json::{Value, json};

use crate::support::{policy_of, with};

/// The token in these `Authorization` headers.
fn located(target: &str, headers: &[&[u8]]) -> Result<String, Reason> {
    let headers: Vec<(&str, &[u8])> = headers
        .iter()
        .map(|value| ("authorization", *value))
        .collect();
    let texts = texts(&json!({}), target, &headers)?;
    texts.into_iter().next().ok_or(Reason::Missing)
}

/// The tokens at the locations of a provider with these fields.
fn found(
    fields: &Value,
    target: &str,
    headers: &[(&str, &[u8])],
) -> Result<Vec<(Location, String)>, Reason> {
    let keys = json!({"local_jwks": {"inline_string": gate_fixtures::key_set()}});
    let policy = policy_of(&with(&keys, fields));
    let pairs = headers
        .iter()
        .copied()
        .chain([(":path", target.as_bytes())]);
    let pairs = pairs.map(|(name, value)| (name.as_bytes(), value));
    let request = Request::from_headers(pairs);
    let found = locate(&request, &policy.providers[0].locations, false)?;
    let text = |one: Credential<'_>| ((*one.location).clone(), one.text.into_owned());
    Ok(found.into_iter().map(text).collect())
}

/// Only their texts.
fn texts(fields: &Value, target: &str, headers: &[(&str, &[u8])]) -> Result<Vec<String>, Reason> {
    let found = found(fields, target, headers)?;
    Ok(found.into_iter().map(|(_, text)| text).collect())
}

#[test]
fn one_header_is_parsed_by_the_grammar() {
    let malformed = Err(Reason::MalformedCredential);
    let missing = Err(Reason::Missing);
    for (header, expected) in [
        (&b"Bearer abc"[..], Ok("abc".to_owned())),
        (b"bearer abc", Ok("abc".to_owned())),
        (b"BEARER    abc", Ok("abc".to_owned())),
        (b"Bearer a-._~+/Z9==", Ok("a-._~+/Z9==".to_owned())),
        (b"", malformed.clone()),
        (b" ", malformed.clone()),
        (b" Bearer abc", malformed.clone()),
        (b"Bearer", malformed.clone()),
        (b"Bearer ", malformed.clone()),
        (b"Bearer =", malformed.clone()),
        (b"Bearer a=b", malformed.clone()),
        (b"Bearer abc def", malformed.clone()),
        (b"Bearer abc ", malformed.clone()),
        (b"Bearer abc,", malformed.clone()),
        (b"Bearer abc,def", malformed.clone()),
        (b"Bearer \"abc\"", malformed.clone()),
        (b"Bearer\tabc", malformed.clone()),
        (b"Bearer \tabc", malformed.clone()),
        (b"Bearer abc\x00", malformed.clone()),
        (b"Bearer a\xc3\xa9", malformed.clone()),
        (b"\xff\xfe", malformed.clone()),
        (b"Bearer: abc", malformed.clone()),
        (b"Basic YTpi", missing.clone()),
        (b"Bearerx abc", missing.clone()),
        (b"DPoP abc", missing.clone()),
        (b"abc", missing.clone()),
    ] {
        assert_eq!(
            located("/", &[header]),
            expected,
            "{}",
            header.escape_ascii()
        );
    }
}

#[test]
fn two_headers_are_several_tokens_whatever_they_contain() {
    for other in [
        &b"Bearer abc"[..],
        b"Bearer def",
        b"Basic YTpi",
        b"",
        b"\xff",
    ] {
        assert_eq!(
            located("/", &[b"Bearer abc", other]),
            Err(Reason::SeveralTokens)
        );
        assert_eq!(
            located("/", &[other, b"Bearer abc"]),
            Err(Reason::SeveralTokens)
        );
    }
}

#[test]
fn headers_that_the_host_joined_are_several_tokens() {
    for (header, several) in [
        (&b"Bearer abc,Bearer abc"[..], true),
        (b"Bearer abc, Basic YTpi", true),
        (b"Basic YTpi,Bearer abc", true),
        (b"Basic YTpi,Bearer\tabc", true),
        (b"Basic YTpi,\tBearer \tabc", true),
        (b"Digest realm=\"a\", nonce=\"b\",bearer abc", true),
        (b"Digest realm=\"a,Bearer abc", true),
        (b"Digest realm=\"a\\\",Bearer abc", true),
        (b"Digest realm=\"a\", nonce=\"b\", qop = auth", false),
        (b"Digest realm=\"a\", nonce=\"b\", qop\t=\tauth", false),
        (b"Digest realm=\"a, Bearer b\", nonce=\"b\"", false),
        (b"Digest realm=\"a\\\", Bearer b\"", false),
        (b"Digest realm=\"a\\\\\", Bearer abc", true),
        (b"Digest realm=\"ab\"", false),
        (b"Digest realm=\"abc\"", false),
        (b"Basic YTpi,", false),
        (b"Basic YTpi,abc", false),
    ] {
        let expected = if several {
            Reason::SeveralTokens
        } else {
            Reason::Missing
        };
        assert_eq!(
            located("/", &[header]),
            Err(expected),
            "{}",
            header.escape_ascii()
        );
    }
}

#[test]
fn an_access_token_parameter_beside_the_header_is_a_second_token() {
    for (target, several) in [
        ("/?access_token=abc", true),
        ("/?a=b&access_token=abc", true),
        ("/?access_token", true),
        ("/?acc%65ss_token=abc", true),
        ("/?%61%63%63%65%73%73%5F%74%6f%6B%65%6e=abc", true),
        ("/?access_token#x", true),
        ("/?access_tokens=abc", false),
        ("/?Access_Token=abc", false),
        ("/?x=access_token", false),
        ("/?acc%6ss_token=abc", false),
        ("/?%", false),
        ("/access_token=abc", false),
        ("/#?access_token=abc", false),
    ] {
        let expected = if several {
            Err(Reason::SeveralTokens)
        } else {
            Ok("abc".to_owned())
        };
        assert_eq!(located(target, &[b"Bearer abc"]), expected, "{target}");
    }
    assert_eq!(located("/?access_token=abc", &[]), Err(Reason::Missing));
}

#[test]
fn headers_may_have_their_own_prefixes() {
    let none = || Ok(Vec::new());
    let one = |text: &str| Ok(vec![text.to_owned()]);
    let plain = json!({"from_headers": [{"name": "X-Token"}]});
    let prefixed = json!({"from_headers": [{"name": "x-token", "value_prefix": "JWT "}]});
    let glued = json!({"fromHeaders": [{"name": "x-token", "valuePrefix": "t="}]});
    let bearer = json!({"from_headers": [{"name": "x-token", "value_prefix": "Bearer "}]});
    for (change, value, expected) in [
        (&plain, &b"abc"[..], one("abc")),
        (&plain, b"", Err(Reason::MalformedCredential)),
        (&plain, b"Bearer abc", Err(Reason::MalformedCredential)),
        (&prefixed, b"JWT abc", one("abc")),
        (&prefixed, b"JWT   abc", one("abc")),
        (&prefixed, b"jwt abc", none()),
        (&prefixed, b"abc", none()),
        (&prefixed, b"JWT", Err(Reason::MalformedCredential)),
        (&prefixed, b"JWT a b", Err(Reason::MalformedCredential)),
        (&glued, b"t=abc", one("abc")),
        (&bearer, b"bearer abc", one("abc")),
        (&bearer, b"Basic abc", none()),
    ] {
        let headers = [("x-token", value)];
        assert_eq!(
            texts(change, "/", &headers),
            expected,
            "{}",
            value.escape_ascii()
        );
    }
    let twice = [("x-token", &b"abc"[..]), ("x-token", b"abc")];
    assert_eq!(texts(&plain, "/", &twice), Err(Reason::SeveralTokens));
}

#[test]
fn of_several_prefixes_the_longest_counts() {
    let both = json!({"from_headers": [
        {"name": "x-token"},
        {"name": "x-token", "value_prefix": "JWT "},
    ]});
    for (value, prefix) in [(&b"JWT abc"[..], "JWT"), (b"abc", "")] {
        let location = Location::Header {
            name: "x-token".into(),
            prefix: prefix.to_owned(),
        };
        let found = found(&both, "/", &[("x-token", value)]);
        assert_eq!(found, Ok(vec![(location, "abc".to_owned())]));
    }
    let none = json!({"name": "x-token"});
    let short = json!({"name": "x-token", "value_prefix": "a"});
    let long = json!({"name": "x-token", "value_prefix": "a.b"});
    for order in [
        [&none, &short, &long],
        [&long, &short, &none],
        [&short, &long, &none],
        [&none, &long, &short],
    ] {
        let fields = json!({ "from_headers": order });
        for (value, expected) in [("a.b.c", ".c"), ("a.c", ".c"), ("b.c", "b.c")] {
            let found = texts(&fields, "/", &[("x-token", value.as_bytes())]);
            assert_eq!(found, Ok(vec![expected.to_owned()]), "{value} {fields}");
        }
    }
}

#[test]
fn a_prefix_counts_in_its_own_header_only() {
    let fields = json!({"from_headers": [
        {"name": "x-a", "value_prefix": "A "},
        {"name": "x-b", "value_prefix": "B "},
    ]});
    let found = |name: &str, value: &[u8]| texts(&fields, "/", &[(name, value)]);
    for (name, value, expected) in [
        ("x-a", &b"A abc"[..], Some("abc")),
        ("x-a", b"B abc", None),
        ("x-b", b"A abc", None),
        ("x-b", b"B abc", Some("abc")),
    ] {
        let expected: Vec<_> = expected.into_iter().map(str::to_owned).collect();
        assert_eq!(found(name, value), Ok(expected), "{name}");
    }
}

#[test]
fn a_comma_divides_no_other_header_than_authorization() {
    let prefixed = json!({"from_headers": [{"name": "x-token", "value_prefix": "JWT "}]});
    for (value, expected) in [
        (&b"Basic YTpi, Bearer abc"[..], Ok(Vec::new())),
        (b"JWT abc, JWT def", Err(Reason::MalformedCredential)),
    ] {
        assert_eq!(texts(&prefixed, "/", &[("x-token", value)]), expected);
    }
}

#[test]
fn a_prefix_with_a_comma_hides_no_second_credential() {
    let change =
        json!({"from_headers": [{"name": "authorization", "value_prefix": "Key a, Bearer "}]});
    let found = |value: &[u8]| found(&change, "/", &[("authorization", value)]);
    assert_eq!(found(b"Key a, Bearer abc"), Err(Reason::SeveralTokens));
    assert_eq!(found(b"Bearer abc, Bearer def"), Err(Reason::SeveralTokens));
    assert_eq!(found(b"Bearer abc"), Ok(Vec::new()));
}

#[test]
fn parameters_are_decoded() {
    let change = json!({"from_params": ["access_token", "jwt"]});
    let one = |text: &str| Ok(vec![text.to_owned()]);
    for (target, expected) in [
        ("/?access_token=abc", one("abc")),
        ("/?x=y&jwt=a%2Eb", one("a.b")),
        ("/?%6Awt=abc", one("abc")),
        ("/?jwt=abc==", one("abc==")),
        ("/?jwt", Err(Reason::MalformedCredential)),
        ("/?jwt=", Err(Reason::MalformedCredential)),
        ("/?jwt=a%20b", Err(Reason::MalformedCredential)),
        ("/?jwt=%FF", Err(Reason::MalformedCredential)),
        ("/?jwt=a&jwt=b", Err(Reason::SeveralTokens)),
        ("/?jwt=a&%6Awt=a", Err(Reason::SeveralTokens)),
        ("/?JWT=a", Ok(vec![])),
        ("/jwt=a", Ok(vec![])),
        (
            "/?access_token=a&jwt=b",
            Ok(vec!["a".to_owned(), "b".to_owned()]),
        ),
    ] {
        assert_eq!(texts(&change, target, &[]), expected, "{target}");
    }
}

#[test]
fn a_configured_location_replaces_the_default() {
    let change = json!({"from_params": ["jwt"]});
    let headers = [("authorization", &b"Bearer abc"[..])];
    assert_eq!(texts(&change, "/", &headers), Ok(vec![]));
    assert_eq!(texts(&change, "/?access_token=a", &headers), Ok(vec![]));
}

#[test]
fn cookies_are_found_in_all_cookie_headers() {
    let change = json!({"from_cookies": ["jwt"]});
    let one = |text: &str| Ok(vec![text.to_owned()]);
    for (headers, expected) in [
        (&[("cookie", &b"jwt=abc"[..])][..], one("abc")),
        (&[("cookie", b"a=b; jwt=abc; c=d")], one("abc")),
        (&[("cookie", b"a=b"), ("cookie", b"jwt=abc")], one("abc")),
        (&[("cookie", b"jwt=\"abc\"")], one("abc")),
        (&[("cookie", b"jwt=a; jwt=b")], Err(Reason::SeveralTokens)),
        (
            &[("cookie", b"jwt=a"), ("cookie", b"jwt=a")],
            Err(Reason::SeveralTokens),
        ),
        (&[("cookie", b"jwt=")], Err(Reason::MalformedCredential)),
        (&[("cookie", b"jwt=a b")], Err(Reason::MalformedCredential)),
        (&[("cookie", b"xjwt=a; JWT=b")], Ok(vec![])),
        (&[("cookie", b"\xff;;=;")], Ok(vec![])),
    ] {
        assert_eq!(texts(&change, "/", headers), expected, "{headers:?}");
    }
}

proptest::proptest! {
    #[test]
    fn every_b64token_is_found(token in "[A-Za-z0-9._~+/-]{1,40}={0,3}", spaces in " {1,5}") {
        let header = format!("Bearer{spaces}{token}");
        proptest::prop_assert_eq!(located("/", &[header.as_bytes()]), Ok(token));
    }

    #[test]
    fn no_authorization_header_panics(target: String, header: Vec<u8>) {
        let _ = located(&target, &[&header]);
    }

    #[test]
    fn no_location_panics(target: String, header: Vec<u8>, cookie: Vec<u8>) {
        let change = json!({
            "from_headers": [{"name": "x", "value_prefix": "a"}, {"name": "x"}],
            "from_params": ["a"],
            "from_cookies": ["a"],
        });
        let _ = texts(&change, &target, &[("x", &header), ("cookie", &cookie)]);
    }
}
