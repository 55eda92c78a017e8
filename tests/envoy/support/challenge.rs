//! `WWW-Authenticate` as a strict client reads it: RFC 9110, section 11.6.1, with an independent
//! parser, and the rules of RFC 6750, section 3.

use std::collections::BTreeMap;

use super::http::Response;

/// The parameters of a bearer challenge.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Challenge(BTreeMap<String, String>);

impl Challenge {
    /// The challenge of an answer, if there is one, or an error if it is not exactly one good challenge.
    pub(crate) fn from_response(answer: &Response) -> Result<Option<Self>, String> {
        let named = |(name, _): &&(String, String)| name == "www-authenticate";
        let headers: Vec<&(String, String)> = answer.headers.iter().filter(named).collect();
        match headers[..] {
            [] => Ok(None),
            [(_, value)] => Self::parse(value).map(Some),
            _ => Err(format!("more than one: {headers:?}")),
        }
    }

    fn parse(header: &str) -> Result<Self, String> {
        let wrong = |what: &str| format!("{what}: {header:?}");
        if !header.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
            return Err(wrong("not visible ASCII"));
        }
        let challenges: Result<Vec<_>, _> = http_auth::ChallengeParser::new(header).collect();
        let challenges = challenges.map_err(|error| wrong(&error.to_string()))?;
        let [challenge] = &challenges[..] else {
            return Err(wrong("not one challenge"));
        };
        if challenge.scheme != "Bearer" {
            return Err(wrong("another scheme"));
        }
        let mut parameters = BTreeMap::new();
        for (name, value) in &challenge.params {
            let value = value.to_unescaped();
            // RFC 6750, section 3, forbids these two even as quoted pairs.
            let allowed = |byte: u8| match *name {
                "scope" | "error" | "error_description" => !matches!(byte, b'"' | b'\\'),
                _ => true,
            };
            if !value.bytes().all(allowed) {
                return Err(wrong(name));
            }
            if parameters.insert((*name).to_owned(), value).is_some() {
                return Err(wrong("duplicate parameter"));
            }
        }
        let known = [
            "",
            "invalid_request",
            "invalid_token",
            "insufficient_scope",
            // RFC 9470, section 3.
            "insufficient_user_authentication",
        ];
        let error = parameters.get("error").map_or("", String::as_str);
        if !known.contains(&error) || !parameters.contains_key("realm") {
            return Err(wrong("not according to RFC 6750 and RFC 9470"));
        }
        Ok(Self(parameters))
    }

    /// The value of a parameter; empty if there is none.
    pub(crate) fn parameter(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }
}

#[test]
fn malformed_challenges_are_recognized() {
    for (header, good) in [
        (r#"Bearer realm="a""#, true),
        (r#"Bearer realm="a", error="invalid_token""#, true),
        (r#"Bearer realm="a", realm="b""#, false),
        (r#"Bearer realm="a" error="invalid_token""#, false),
        (r#"Bearer realm="a"b""#, false),
        (r#"Bearer realm="a\"b""#, true),
        (r#"Bearer realm="a", error="other""#, false),
        (r#"Bearer realm="a", error_description="b\"c""#, false),
        (r#"Bearer realm="a", Basic realm="b""#, false),
        ("Bearer realm=\"\u{e9}\"", false),
        (r#"Basic realm="a""#, false),
        (r#"Bearer error="invalid_token""#, false),
    ] {
        assert_eq!(Challenge::parse(header).is_ok(), good, "{header}");
    }
}
