//! From the text of a token to a [`Token`]: a JWS in the compact serialization (RFC 7515, section
//! 7.1) whose payload is a JSON object of claims (RFC 7519), read by the strict rules of RFC 8725.
//!
//! `jwk`, `jku`, `x5c` and `x5u` of a token's header are never looked at: a token cannot bring the
//! key that it is to be verified with.

mod parts;

use std::borrow::Cow;

use base64_simd::URL_SAFE_NO_PAD;
use memchr::memchr;
use serde_json::{Map, Value};

use self::parts::{Header, Payload, Wanted};
use crate::claims::Claims;
use crate::json::{self, Members, Plain, Unreadable};
use crate::reason::Reason;
use crate::verify::Algorithm;

/// The longest token that is looked at where no configuration says otherwise, in bytes.
pub const MAX_TOKEN_BYTES: usize = 8192;

/// What a well-formed token says. Nothing about it has been verified.
#[derive(Debug)]
pub struct Token {
    /// `alg`: the algorithm that the token says it is signed with.
    pub algorithm: Algorithm,
    /// `typ`: the kind of token that it says it is, as it was sent.
    pub typ: Option<String>,
    /// `kid`: the name of the key that the token says it is signed with.
    pub kid: Option<String>,
    /// The registered claims of the payload.
    pub claims: Claims,
    /// The payload, or those members of it that are asked for.
    pub payload: Map<String, Value>,
}

/// What is to be verified of a token.
#[derive(Debug)]
pub struct Signed<'a> {
    /// What the signature is over: header and payload as they were sent.
    pub input: &'a str,
    /// The signature's bytes.
    pub signature: Vec<u8>,
}

impl Token {
    /// Parses a token in the compact serialization that has at most `longest` bytes.
    ///
    /// # Errors
    ///
    /// The first of these that applies: [`Reason::TooLarge`], [`Reason::MalformedToken`],
    /// [`Reason::Critical`], [`Reason::Algorithm`], [`Reason::ClaimType`].
    pub fn parse(text: &str, longest: usize) -> Result<(Self, Signed<'_>), Reason> {
        Self::parse_wanted(text, longest, Wanted::All)
    }

    /// The same, but of the payload only the members `names` are kept: a token may be remembered
    /// for long, and nobody asks for most of what it says.
    ///
    /// # Errors
    ///
    /// As [`Token::parse`].
    pub fn parse_some<'a>(
        text: &'a str,
        longest: usize,
        names: &[String],
    ) -> Result<(Self, Signed<'a>), Reason> {
        Self::parse_wanted(text, longest, Wanted::Named(names))
    }

    fn parse_wanted<'a>(
        text: &'a str,
        longest: usize,
        wanted: Wanted<'_>,
    ) -> Result<(Self, Signed<'a>), Reason> {
        if text.len() > longest {
            return Err(Reason::TooLarge {
                bytes: text.len(),
                limit: longest,
            });
        }
        let Parts {
            input,
            header,
            payload,
            signature,
        } = Parts::of(text).ok_or(Reason::MalformedToken)?;
        let decoded = decode(header)?;
        let mut header = Header::default();
        read(&decoded, &mut header)?;
        if header.is_critical {
            return Err(Reason::Critical);
        }
        let algorithm = text_of(header.alg)?
            .and_then(|name| Algorithm::from_name(&name))
            .ok_or(Reason::Algorithm { alg: None })?;
        let typ = text_of(header.typ)?.map(Cow::into_owned);
        let kid = text_of(header.kid)?.map(Cow::into_owned);
        let signature = decode(signature)?;
        let mut read_payload = Payload::new(wanted);
        read(&decode(payload)?, &mut read_payload)?;
        let token = Self {
            algorithm,
            typ,
            kid,
            claims: read_payload.claims?,
            payload: read_payload.members,
        };
        Ok((token, Signed { input, signature }))
    }

    /// Bytes that the token takes up beside itself.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        let strings = [&self.typ, &self.kid].map(|text| text.as_ref().map_or(0, String::capacity));
        let parsed = self
            .claims
            .heap_bytes()
            .saturating_add(json::heap_bytes(&self.payload));
        strings
            .iter()
            .fold(parsed, |sum, bytes| sum.saturating_add(*bytes))
    }
}

impl<'a> Signed<'a> {
    /// What is to be verified of a token that has been parsed before. `None` where it is none.
    #[must_use]
    pub fn of(text: &'a str) -> Option<Self> {
        let Parts {
            input, signature, ..
        } = Parts::of(text)?;
        let signature = decode(signature).ok()?;
        Some(Self { input, signature })
    }
}

/// A token taken apart at its two dots.
struct Parts<'a> {
    /// Header and payload, and the dot between them.
    input: &'a str,
    header: &'a str,
    payload: &'a str,
    signature: &'a str,
}

impl<'a> Parts<'a> {
    /// `None` where there are not exactly two dots.
    fn of(text: &'a str) -> Option<Self> {
        let (header, rest) = at_dot(text)?;
        let (payload, signature) = at_dot(rest)?;
        if at_dot(signature).is_some() {
            return None;
        }
        let input = header.len().checked_add(1)?.checked_add(payload.len())?;
        Some(Self {
            input: text.get(..input)?,
            header,
            payload,
            signature,
        })
    }
}

/// What is before the first dot, and what is after it.
// Three times the same code is less to come upon than three pieces of it.
#[inline(never)]
fn at_dot(text: &str) -> Option<(&str, &str)> {
    let (before, dot_and_after) = text.split_at_checked(memchr(b'.', text.as_bytes())?)?;
    Some((before, dot_and_after.get(1..)?))
}

/// The bytes of a non-empty part: base64url without padding and with no bit left over, so that no
/// two texts stand for the same bytes (RFC 7515, section 2; RFC 4648, section 3.5).
fn decode(part: &str) -> Result<Vec<u8>, Reason> {
    if part.is_empty() {
        return Err(Reason::MalformedToken);
    }
    URL_SAFE_NO_PAD
        .decode_to_vec(part)
        .map_err(|_| Reason::MalformedToken)
}

/// Reads the JSON object that a decoded part is.
fn read<'de>(part: &'de [u8], members: &mut dyn Members<'de>) -> Result<(), Reason> {
    json::read_object(part, members).map_err(|Unreadable| Reason::MalformedToken)
}

/// The text that a member of a header must be, where there is one.
fn text_of(member: Option<Plain<'_>>) -> Result<Option<Cow<'_, str>>, Reason> {
    match member {
        None => Ok(None),
        Some(Plain::Text(text)) => Ok(Some(text)),
        Some(_) => Err(Reason::MalformedToken),
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use proptest::prelude::*;

    use super::*;
    use crate::verify::Hash;

    const RS256: &str = r#"{"alg":"RS256"}"#;

    fn compact(header: &str, payload: &str) -> String {
        let parts = [header, payload, "signature"].map(|part| URL_SAFE_NO_PAD.encode(part));
        parts.join(".")
    }

    fn refused(text: &str) -> Option<Reason> {
        Token::parse(text, MAX_TOKEN_BYTES).err()
    }

    #[test]
    fn a_token_is_taken_apart() {
        let text = compact(
            r#"{"alg":"ES256","typ":"at+jwt","kid":"k"}"#,
            r#"{"iss":"i"}"#,
        );
        let (token, signed) = Token::parse(&text, MAX_TOKEN_BYTES).unwrap();
        assert_eq!(token.algorithm, Algorithm::Es(Hash::Sha256));
        assert_eq!(token.typ.as_deref(), Some("at+jwt"));
        assert_eq!(token.kid.as_deref(), Some("k"));
        assert_eq!(signed.signature, b"signature");
        assert_eq!(format!("{}.{}", signed.input, "c2lnbmF0dXJl"), text);
        let again = Signed::of(&text).unwrap();
        assert_eq!(
            (again.input, again.signature),
            (signed.input, signed.signature)
        );
    }

    #[test]
    fn a_token_forgets_what_nobody_asks_for() {
        let text = compact(
            RS256,
            r#"{"iss":"i","scope":"a b","groups":["g"],"x":{"y":1}}"#,
        );
        let names = ["scope", "x", "absent"].map(str::to_owned);
        let (token, _) = Token::parse_some(&text, MAX_TOKEN_BYTES, &names).unwrap();
        let kept = serde_json::json!({"scope": "a b", "x": {"y": 1}});
        assert_eq!(Value::Object(token.payload), kept);
        assert_eq!(token.claims.issuer.as_deref(), Some("i"));
        let (token, _) = Token::parse_some(&text, MAX_TOKEN_BYTES, &["iss".to_owned()]).unwrap();
        let kept = serde_json::json!({"iss": "i"});
        assert_eq!(Value::Object(token.payload), kept);
        let (token, _) = Token::parse_some(&text, MAX_TOKEN_BYTES, &[]).unwrap();
        assert_eq!(token.heap_bytes(), 1);
    }

    #[test]
    fn a_name_within_a_claim_occurs_once_whether_or_not_anybody_asks_for_the_claim() {
        let names = ["roles".to_owned()];
        for (payload, expected) in [
            (r#"{"roles":{"a":1,"b":{"a":1}}}"#, None),
            (r#"{"roles":{"a":1,"a":2}}"#, Some(Reason::MalformedToken)),
            (
                r#"{"roles":[{"b":{"a":1,"\u0061":2}}]}"#,
                Some(Reason::MalformedToken),
            ),
        ] {
            let text = compact(RS256, payload);
            assert_eq!(refused(&text), expected, "{payload}");
            for names in [&names[..], &[]] {
                let refused = Token::parse_some(&text, MAX_TOKEN_BYTES, names).err();
                assert_eq!(refused, expected, "{payload} {names:?}");
            }
        }
    }

    #[test]
    fn a_claim_that_nobody_asks_for_must_have_its_type_too() {
        for payload in [r#"{"iss":1}"#, r#"{"jti":[]}"#, r#"{"exp":"1"}"#] {
            let text = compact(RS256, payload);
            let refused = Token::parse_some(&text, MAX_TOKEN_BYTES, &[]).err();
            assert_eq!(refused, Some(Reason::ClaimType), "{payload}");
        }
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
            (r#"{"alg":"RS256","typ":"dpop+jwt"}"#, None),
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
            (r#"{"alg":"HS256"}"#, None),
            (r#"{"alg":"ES256K"}"#, Some(Reason::Algorithm)),
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
        let good = compact(RS256, "{}");
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
                refused(&compact(RS256, payload)),
                Some(Reason::MalformedToken),
                "{payload}"
            );
        }
    }

    #[test]
    fn a_token_is_bounded() {
        let claims = |len: usize| format!(r#"{{"a":"{}"}}"#, "x".repeat(len));
        assert_eq!(refused(&compact(RS256, &claims(6_000))), None);
        assert_eq!(
            refused(&compact(RS256, &claims(6_200))),
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
            let _ = Token::parse(&text, MAX_TOKEN_BYTES);
        }

        #[test]
        fn no_parts_panic(header: String, payload: String) {
            let _ = Token::parse(&compact(&header, &payload), MAX_TOKEN_BYTES);
        }
    }

    proptest! {
        #[test]
        fn base64url_is_read_as_another_library_reads_it(
            bytes in prop::collection::vec(any::<u8>(), 1..100),
            at in any::<prop::sample::Index>(),
            other in prop::sample::select(b"AZaz09-_+/=. \n!~".to_vec()),
        ) {
            let good = URL_SAFE_NO_PAD.encode(&bytes);
            prop_assert_eq!(decode(&good), Ok(bytes));
            let mut changed = good.into_bytes();
            let at = at.index(changed.len());
            changed[at] = other;
            for text in [&changed[..], &changed[..at], &changed[at..]] {
                let text = str::from_utf8(text).unwrap();
                let expected = match text {
                    "" => None,
                    text => URL_SAFE_NO_PAD.decode(text).ok(),
                };
                prop_assert_eq!(decode(text).ok(), expected, "{}", text);
            }
        }
    }
}
