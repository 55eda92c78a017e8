//! An issuer, or a template of the issuers of many tenants.

use std::fmt;

use serde_json::{Map, Value};

use super::claim_path::ClaimPath;

/// An issuer, or a template of issuers: `https://login.example/{tid}/v2.0`, where `{tid}` stands for the claim
/// `tid` of the token that names the issuer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuerTemplate {
    text: String,
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Claim(ClaimPath),
}

/// Why a text is not a template of issuers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotAnIssuerTemplate {
    /// A placeholder is not a whole segment of the path of a URL.
    Place,
    /// A placeholder does not name a claim.
    Claim,
    /// The URL has a query or a fragment.
    Query,
}

impl fmt::Display for NotAnIssuerTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Place => {
                "a placeholder must be a whole segment of the path of an http or https URL, as in \
                 https://login.example/{tid}/v2.0"
            }
            Self::Claim => "a placeholder must name a claim",
            Self::Query => "a template must have neither query nor fragment",
        })
    }
}

impl IssuerTemplate {
    /// The issuer with exactly this name, whatever characters it has.
    #[must_use]
    pub fn exact(issuer: String) -> Self {
        Self {
            parts: vec![Part::Text(issuer.clone())],
            text: issuer,
        }
    }

    /// Parses an issuer or a template. Braces enclose the names of claims.
    ///
    /// # Errors
    ///
    /// Why a text with braces is not a template.
    pub fn parse(text: &str) -> Result<Self, NotAnIssuerTemplate> {
        if !has_brace(text) {
            return Ok(Self::exact(text.to_owned()));
        }
        let (origin, path) = split(text).ok_or(NotAnIssuerTemplate::Place)?;
        if path.contains(['?', '#']) {
            return Err(NotAnIssuerTemplate::Query);
        }
        let mut parts = Vec::new();
        let mut literal = origin.to_owned();
        for segment in path.split('/') {
            literal.push('/');
            let inner = segment.strip_prefix('{');
            match inner.and_then(|inner| inner.strip_suffix('}')) {
                Some(name) => {
                    let names = name.split('.').map(str::to_owned).collect();
                    let claim = ClaimPath::new(names).filter(|_| !has_brace(name));
                    parts.push(Part::Text(std::mem::take(&mut literal)));
                    parts.push(Part::Claim(claim.ok_or(NotAnIssuerTemplate::Claim)?));
                }
                None if has_brace(segment) => return Err(NotAnIssuerTemplate::Place),
                None => literal.push_str(segment),
            }
        }
        parts.push(Part::Text(literal));
        let text = text.to_owned();
        Ok(Self { text, parts })
    }

    /// The text of the configuration.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The only issuer that it stands for; `None` if it has placeholders.
    #[must_use]
    pub fn only_issuer(&self) -> Option<&str> {
        self.claims().next().is_none().then_some(&self.text)
    }

    /// The claims that the placeholders stand for.
    pub fn claims(&self) -> impl Iterator<Item = &ClaimPath> {
        self.parts.iter().filter_map(|part| match part {
            Part::Text(_) => None,
            Part::Claim(claim) => Some(claim),
        })
    }

    /// Whether it stands for `issuer` in a token with this payload: with the claims in their places it is the same
    /// text.
    #[must_use]
    pub fn matches(&self, issuer: &str, payload: &Map<String, Value>) -> bool {
        let rest = self.parts.iter().try_fold(issuer, |rest, part| {
            let text = match part {
                Part::Text(text) => text,
                Part::Claim(claim) => Self::segment(claim.find(payload))?,
            };
            rest.strip_prefix(text)
        });
        rest == Some("")
    }

    /// The value of a claim that can stand in the place of a placeholder: a single segment of a path that every parser of
    /// URLs reads alike, of unreserved characters only (RFC 3986, section 2.3) and not a dot segment.
    #[must_use]
    pub fn segment(claim: Option<&Value>) -> Option<&str> {
        let text = claim?.as_str()?;
        let is_unreserved =
            |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
        let is_segment =
            !text.is_empty() && text.bytes().all(is_unreserved) && text != "." && text != "..";
        is_segment.then_some(text)
    }
}

/// Scheme and authority of a URL, and its path without the first slash.
fn split(url: &str) -> Option<(&str, &str)> {
    let (scheme, after) = url.split_once("://")?;
    let (authority, path) = after.split_once('/')?;
    let is_web = matches!(scheme, "http" | "https") && !authority.is_empty();
    let origin = url.strip_suffix(path)?.strip_suffix('/')?;
    (is_web && !has_brace(authority) && !authority.contains(['?', '#'])).then_some((origin, path))
}

fn has_brace(text: &str) -> bool {
    text.contains(['{', '}'])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn matches(template: &str, issuer: &str, payload: &Value) -> bool {
        let template = IssuerTemplate::parse(template).unwrap();
        template.matches(issuer, payload.as_object().unwrap())
    }

    #[test]
    fn a_template_is_a_url_whose_placeholders_are_segments_of_the_path() {
        use NotAnIssuerTemplate::{Claim, Place, Query};
        for (text, expected) in [
            ("https://a.example/{tid}/v2.0", Ok(1)),
            ("https://a.example/{tid}", Ok(1)),
            ("https://a.example/{tid}/", Ok(1)),
            ("http://a.example:8080/x/{a}/{b.c}", Ok(2)),
            ("https://a.example/{https:}/", Ok(1)),
            ("https://a.example", Ok(0)),
            ("any text without braces?#", Ok(0)),
            ("{tid}", Err(Place)),
            ("https://{tid}.example/", Err(Place)),
            ("https://{tid}/", Err(Place)),
            ("https://{tid}", Err(Place)),
            ("{scheme}://a.example/", Err(Place)),
            ("ftp://a.example/{tid}", Err(Place)),
            ("https:///{tid}", Err(Place)),
            ("urn:tenant:{tid}", Err(Place)),
            ("https://a.example?x=/{tid}", Err(Place)),
            ("https://a.example#/{tid}", Err(Place)),
            ("https://a.example/a{tid}", Err(Place)),
            ("https://a.example/{tid}a/", Err(Place)),
            ("https://a.example/{a}{b}/", Err(Claim)),
            ("https://a.example/{tid", Err(Place)),
            ("https://a.example/tid}", Err(Place)),
            ("https://a.example/}tid{", Err(Place)),
            ("https://a.example/{ti/d}", Err(Place)),
            ("https://a.example/{}", Err(Claim)),
            ("https://a.example/{a..b}", Err(Claim)),
            ("https://a.example/{{tid}}", Err(Claim)),
            ("https://a.example/{tid}?x", Err(Query)),
            ("https://a.example/{tid}#x", Err(Query)),
        ] {
            let parsed = IssuerTemplate::parse(text);
            let claims = parsed.map(|template| template.claims().count());
            assert_eq!(claims, expected, "{text}");
        }
    }

    #[test]
    fn a_template_knows_how_it_was_written_and_what_is_wrong_with_another() {
        let template = "https://login.example/{tid}/v2.0";
        let parsed = IssuerTemplate::parse(template).unwrap();
        assert_eq!(parsed.as_str(), template);
        for (text, problem) in [
            ("https://{tid}.example", "a whole segment"),
            ("https://a/{}", "name a claim"),
            ("https://a/{tid}?b", "neither query nor fragment"),
        ] {
            let message = IssuerTemplate::parse(text).unwrap_err().to_string();
            assert!(message.contains(problem), "{text}: {message}");
        }
    }

    #[test]
    fn an_exact_issuer_may_have_any_characters() {
        let exact = IssuerTemplate::exact("https://a.example/{tid}/".to_owned());
        let payload = json!({"tid": "a"});
        let payload = payload.as_object().unwrap();
        assert!(exact.matches("https://a.example/{tid}/", payload));
        assert!(!exact.matches("https://a.example/a/", payload));
        assert_eq!(exact.only_issuer(), Some("https://a.example/{tid}/"));
    }

    #[test]
    fn claims_of_objects_may_be_placeholders() {
        let payload = json!({"org": {"id": "7b"}, "tid": "x.y_z~-"});
        let template = "https://a.example/{org.id}/{tid}";
        assert!(matches(template, "https://a.example/7b/x.y_z~-", &payload));
        assert!(!matches(template, "https://a.example/7b/", &payload));
        assert!(!matches(template, "https://a.example/x.y_z~-/7b", &payload));
    }

    proptest! {
        /// However tokens are made, an issuer that matches has the value of the claim as one of its segments.
        #[test]
        fn a_placeholder_stands_for_one_segment(
            issuer in "https://a[.]example/[a-c/.%?#]{0,8}/v2[.]0",
            tid in "[a-c/.%?#]{0,8}",
        ) {
            let matched = matches("https://a.example/{tid}/v2.0", &issuer, &json!({ "tid": tid }));
            let segments: Vec<&str> = issuer.split('/').collect();
            let expected = ["https:", "", "a.example", &tid, "v2.0"];
            let is_plain = tid.bytes().all(|byte| matches!(byte, b'a'..=b'c' | b'.'));
            let is_dots = matches!(&*tid, "" | "." | "..");
            prop_assert_eq!(matched, segments == expected && is_plain && !is_dots);
        }
    }
}
