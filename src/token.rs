//! From the text of a token to a [`Token`]: a JWS in the compact serialization (RFC 7515, section
//! 7.1) whose payload is a JSON object of claims (RFC 7519), read by the strict rules of RFC 8725.
//!
//! `jwk`, `jku`, `x5c` and `x5u` of a token's header are never looked at: a token cannot bring the
//! key that it is to be verified with.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use crate::claims::Claims;
use crate::denial::Reason;
use crate::json;
use crate::verify::Algorithm;

/// The longest token that is looked at, in bytes.
pub const MAX_TOKEN_BYTES: usize = 8192;

/// A token that is well-formed. Nothing about it has been verified.
#[derive(Debug)]
pub struct Token<'a> {
    /// `alg`: the algorithm that the token says it is signed with.
    pub algorithm: Algorithm,
    /// `kid`: the name of the key that the token says it is signed with.
    pub kid: Option<String>,
    /// The registered claims of the payload.
    pub claims: Claims,
    /// The payload.
    pub payload: Map<String, Value>,
    /// What the signature is over: header and payload as they were sent.
    pub signing_input: &'a str,
    /// The signature's bytes.
    pub signature: Vec<u8>,
}

impl<'a> Token<'a> {
    /// Parses a token in the compact serialization.
    ///
    /// # Errors
    ///
    /// The first of these that applies: [`Reason::TooLarge`], [`Reason::MalformedToken`],
    /// [`Reason::Critical`], [`Reason::Algorithm`], [`Reason::Type`], [`Reason::ClaimType`].
    pub fn parse(text: &'a str) -> Result<Self, Reason> {
        if text.len() > MAX_TOKEN_BYTES {
            return Err(Reason::TooLarge);
        }
        let (signing_input, signature) = text.rsplit_once('.').ok_or(Reason::MalformedToken)?;
        let (header, payload) = signing_input
            .split_once('.')
            .ok_or(Reason::MalformedToken)?;
        if payload.contains('.') {
            return Err(Reason::MalformedToken);
        }
        let header = object(header)?;
        // RFC 7515, section 4.1.11: a token with an extension that is not understood must be
        // refused. `b64` (RFC 7797) and `zip` would change what the signature is over or says.
        if ["crit", "b64", "zip"]
            .iter()
            .any(|name| header.contains_key(*name))
        {
            return Err(Reason::Critical);
        }
        let algorithm = string(&header, "alg")?
            .and_then(Algorithm::from_name)
            .ok_or(Reason::Algorithm)?;
        if !string(&header, "typ")?.is_none_or(is_access_token_type) {
            return Err(Reason::Type);
        }
        let kid = string(&header, "kid")?.map(str::to_owned);
        let signature = decode(signature)?;
        let payload = object(payload)?;
        Ok(Self {
            algorithm,
            kid,
            claims: Claims::from_object(&payload)?,
            payload,
            signing_input,
            signature,
        })
    }
}

/// Whether `typ` is that of an access token: `at+jwt` (RFC 9068, section 2.1) or `JWT`, compared
/// without case and without the prefix `application/` (RFC 7515, section 4.1.9).
fn is_access_token_type(typ: &str) -> bool {
    const PREFIX: &str = "application/";
    let short = match typ.split_at_checked(PREFIX.len()) {
        Some((prefix, short)) if prefix.eq_ignore_ascii_case(PREFIX) => short,
        _ => typ,
    };
    short.eq_ignore_ascii_case("at+jwt") || short.eq_ignore_ascii_case("jwt")
}

/// The bytes of a non-empty part: base64url without padding and with no bit left over, so that no
/// two texts stand for the same bytes (RFC 7515, section 2; RFC 4648, section 3.5).
fn decode(part: &str) -> Result<Vec<u8>, Reason> {
    if part.is_empty() {
        return Err(Reason::MalformedToken);
    }
    URL_SAFE_NO_PAD
        .decode(part)
        .map_err(|_| Reason::MalformedToken)
}

fn object(part: &str) -> Result<Map<String, Value>, Reason> {
    json::parse_object(&decode(part)?).ok_or(Reason::MalformedToken)
}

/// The string member `name` of a header, where there is one.
fn string<'h>(header: &'h Map<String, Value>, name: &str) -> Result<Option<&'h str>, Reason> {
    match header.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(Reason::MalformedToken),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = r#"{"alg":"RS256"}"#;

    fn compact(header: &str, payload: &str) -> String {
        let parts = [header, payload, "signature"].map(|part| URL_SAFE_NO_PAD.encode(part));
        parts.join(".")
    }

    fn refused(text: &str) -> Option<Reason> {
        Token::parse(text).err()
    }

    #[test]
    fn a_token_is_taken_apart() {
        let text = compact(
            r#"{"alg":"ES256","typ":"at+jwt","kid":"k"}"#,
            r#"{"iss":"i"}"#,
        );
        let token = Token::parse(&text).unwrap();
        assert_eq!(token.algorithm, Algorithm::Es256);
        assert_eq!(token.kid.as_deref(), Some("k"));
        assert_eq!(token.signature, b"signature");
        assert_eq!(format!("{}.{}", token.signing_input, "c2lnbmF0dXJl"), text);
    }

    #[test]
    fn headers_are_read_strictly() {
        for (header, expected) in [
            (r#"{"alg":"RS256"}"#, None),
            (r#"{"alg":"RS256","typ":"JWT"}"#, None),
            (r#"{"alg":"RS256","typ":"application/AT+JWT"}"#, None),
            (r#"{"alg":"RS256","typ":"Application/jwt"}"#, None),
            (
                r#"{"alg":"RS256","jwk":{},"jku":"https://evil.example","x5c":[],"x5u":1}"#,
                None,
            ),
            (r#"{"alg":"RS256","typ":"dpop+jwt"}"#, Some(Reason::Type)),
            (
                r#"{"alg":"RS256","typ":"application/"}"#,
                Some(Reason::Type),
            ),
            (r#"{"alg":"RS256","typ":""}"#, Some(Reason::Type)),
            (
                r#"{"alg":"RS256","typ":null}"#,
                Some(Reason::MalformedToken),
            ),
            (r#"{"alg":"RS256","kid":1}"#, Some(Reason::MalformedToken)),
            (r#"{"alg":["RS256"]}"#, Some(Reason::MalformedToken)),
            (r"{}", Some(Reason::Algorithm)),
            (r#"{"alg":"none"}"#, Some(Reason::Algorithm)),
            (r#"{"alg":"NONE"}"#, Some(Reason::Algorithm)),
            (r#"{"alg":""}"#, Some(Reason::Algorithm)),
            (r#"{"alg":"rs256"}"#, Some(Reason::Algorithm)),
            (r#"{"alg":"HS256"}"#, Some(Reason::Algorithm)),
            (r#"{"alg":"RS256","crit":["exp"]}"#, Some(Reason::Critical)),
            (r#"{"alg":"RS256","crit":null}"#, Some(Reason::Critical)),
            (r#"{"alg":"RS256","b64":true}"#, Some(Reason::Critical)),
            (r#"{"alg":"RS256","zip":"DEF"}"#, Some(Reason::Critical)),
            (
                r#"{"alg":"RS256","alg":"RS256"}"#,
                Some(Reason::MalformedToken),
            ),
            (r#"["alg"]"#, Some(Reason::MalformedToken)),
            ("", Some(Reason::MalformedToken)),
        ] {
            assert_eq!(refused(&compact(header, "{}")), expected, "{header}");
        }
    }

    #[test]
    fn the_serialization_is_exactly_three_canonical_parts() {
        let good = compact(HEADER, "{}");
        assert_eq!(refused(&good), None);
        let (front, signature) = good.rsplit_once('.').unwrap();
        for bad in [
            String::new(),
            ".".to_owned(),
            "..".to_owned(),
            "abc".to_owned(),
            front.to_owned(),
            format!("{front}."),
            format!(".{good}"),
            format!("{good}."),
            format!("{good}.{signature}"),
            format!("{front}..{signature}"),
            format!("{good}="),
            format!("{good}\n"),
            format!("{front}.+/+/"),
            // The last character's unused bits set: the same bytes in another text.
            format!("{front}.QR"),
            format!("{front}.A"),
        ] {
            assert_eq!(refused(&bad), Some(Reason::MalformedToken), "{bad}");
        }
    }

    #[test]
    fn payloads_are_json_objects() {
        for payload in ["[]", "1", "", "{", r#"{"a":1,"a":1}"#, "null"] {
            assert_eq!(
                refused(&compact(HEADER, payload)),
                Some(Reason::MalformedToken),
                "{payload}"
            );
        }
    }

    #[test]
    fn a_token_is_bounded() {
        let claims = |len: usize| format!(r#"{{"a":"{}"}}"#, "x".repeat(len));
        assert_eq!(refused(&compact(HEADER, &claims(6_000))), None);
        assert_eq!(
            refused(&compact(HEADER, &claims(6_200))),
            Some(Reason::TooLarge)
        );
        assert_eq!(
            refused(&"a".repeat(MAX_TOKEN_BYTES)),
            Some(Reason::MalformedToken)
        );
        assert_eq!(
            refused(&"a".repeat(MAX_TOKEN_BYTES + 1)),
            Some(Reason::TooLarge)
        );
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text: String) {
            let _ = Token::parse(&text);
        }

        #[test]
        fn no_parts_panic(header: String, payload: String) {
            let _ = Token::parse(&compact(&header, &payload));
        }
    }
}
