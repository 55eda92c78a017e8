//! Parsing the text of a token: a JWS in the compact serialization (RFC 7515, section 7.1) whose
//! payload is a JSON object of claims (RFC 7519). The rules are as strict as RFC 8725 asks for.
//!
//! The header parameters `jwk`, `jku`, `x5c` and `x5u` are ignored: a token must not supply the key
//! that it is verified with.

mod parts;

use base64::Engine as _;
use base64::alphabet::URL_SAFE;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use serde_json::{Map, Value};

pub(crate) use parts::{Parts, decode as decode_part};

use crate::claims::Claims;
use crate::json;
use crate::reason::Reason;
use crate::verify::Algorithm;

/// The default limit for the length of a token, in bytes.
pub const MAX_TOKEN_BYTES: usize = 16 * 1024;

/// The content of a well-formed token. Nothing in it has been verified.
#[derive(Debug)]
pub struct Token {
    /// `alg`: the algorithm of the signature, according to the token.
    pub algorithm: Algorithm,
    /// `typ`: the type of the token, as it was sent.
    pub typ: Option<String>,
    /// `kid`: the name of the key that signed the token, according to the token.
    pub kid: Option<String>,
    /// The registered claims of the payload.
    pub claims: Claims,
    /// The members of the payload, or those that the caller asked for.
    pub payload: Map<String, Value>,
}

/// The signature of a token, and the text it covers.
#[derive(Debug)]
pub struct Signed<'a> {
    /// Header and payload as they were sent, with the dot between them.
    pub input: &'a str,
    /// The decoded signature.
    pub signature: Vec<u8>,
}

impl Token {
    /// Parses a token of at most `longest` bytes and keeps the whole payload.
    ///
    /// # Errors
    ///
    /// The first of these that applies: [`Reason::TooLarge`]; [`Reason::MalformedToken`] if there are not three
    /// parts, or the header is malformed; [`Reason::Critical`]; [`Reason::Algorithm`];
    /// [`Reason::MalformedToken`] for signature and payload; [`Reason::ClaimType`].
    pub fn parse(text: &str, longest: usize) -> Result<(Self, Signed<'_>), Reason> {
        Self::parse_and_keep(text, longest, None)
    }

    /// Parses a token of at most `longest` bytes and keeps only the payload members in `names`. A
    /// token may be cached for long, and the configuration uses few of its claims.
    ///
    /// # Errors
    ///
    /// As [`Token::parse`]. Members that are not kept are checked as strictly.
    pub fn parse_some<'a>(
        text: &'a str,
        longest: usize,
        names: &[String],
    ) -> Result<(Self, Signed<'a>), Reason> {
        Self::parse_and_keep(text, longest, Some(names))
    }

    /// Keeps every member of the payload if `kept` is `None`.
    fn parse_and_keep<'a>(
        text: &'a str,
        longest: usize,
        kept: Option<&[String]>,
    ) -> Result<(Self, Signed<'a>), Reason> {
        if text.len() > longest {
            return Err(Reason::TooLarge {
                bytes: text.len(),
                limit: longest,
            });
        }
        let parts = Parts::parse(text).ok_or(Reason::MalformedToken)?;

        let mut header =
            json::parse_object(&decode(parts.header)?).ok_or(Reason::MalformedToken)?;
        // An extension that is not understood must be refused (RFC 7515, section 4.1.11), and `b64`
        // changes what the signature covers unless it is true (RFC 7797). Other parameters, such as
        // the `zip` of JWE, are ignored (RFC 7515, section 4).
        let unencoded = header
            .get("b64")
            .is_some_and(|b64| *b64 != Value::Bool(true));
        if header.contains_key("crit") || unencoded {
            return Err(Reason::Critical);
        }
        let algorithm = text_parameter(&mut header, "alg")?
            .and_then(|name| Algorithm::from_name(&name))
            .ok_or(Reason::Algorithm { alg: None })?;
        let typ = text_parameter(&mut header, "typ")?;
        let kid = text_parameter(&mut header, "kid")?;

        let signature = decode(parts.signature)?;

        let is_kept = |name: &str| kept.is_none_or(|kept| kept.iter().any(|one| one == name));
        let is_relevant = |name: &str| is_kept(name) || Claims::NAMES.contains(&name);
        let mut payload = json::parse_members(&decode(parts.payload)?, is_relevant)
            .ok_or(Reason::MalformedToken)?;
        let claims = Claims::from_object(&payload)?;
        if let Some(kept) = kept {
            let members = kept.iter().filter_map(|name| payload.remove_entry(name));
            payload = members.collect();
        }

        let token = Self {
            algorithm,
            typ,
            kid,
            claims,
            payload,
        };
        let input = parts.input;
        Ok((token, Signed { input, signature }))
    }

    /// Heap size of the token in bytes, approximately.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        let text_bytes = |text: &Option<String>| text.as_ref().map_or(0, String::capacity);
        text_bytes(&self.typ)
            .saturating_add(text_bytes(&self.kid))
            .saturating_add(self.claims.heap_bytes())
            .saturating_add(json::heap_bytes(&self.payload))
    }
}

/// Whether a text that cannot be parsed is a malformed JWT and not an opaque token: its first part is a
/// JSON object with `alg`. The encoding need not be canonical, because another parser may accept it. A
/// JWT that is encrypted (RFC 7516: five parts, and `enc` in the header) is opaque to the gate.
#[must_use]
pub fn resembles_jwt(text: &str) -> bool {
    const LENIENT: GeneralPurpose = GeneralPurpose::new(
        &URL_SAFE,
        GeneralPurposeConfig::new()
            .with_decode_allow_trailing_bits(true)
            .with_decode_padding_mode(DecodePaddingMode::Indifferent),
    );
    let header = text.split('.').next().unwrap_or_default();
    let header = header.replace('+', "-").replace('/', "_");
    let Ok(header) = LENIENT.decode(header) else {
        return false;
    };
    match serde_json::from_slice::<Map<String, Value>>(&header) {
        Ok(header) => {
            let encrypted = header.contains_key("enc") && text.split('.').count() == 5;
            header.contains_key("alg") && !encrypted
        }
        Err(_) => false,
    }
}

impl<'a> Signed<'a> {
    /// The signed text and the signature of a token that was parsed before. `None` if the text is
    /// not a token.
    #[must_use]
    pub fn of(text: &'a str) -> Option<Self> {
        let Parts {
            input, signature, ..
        } = Parts::parse(text)?;
        let signature = decode(signature).ok()?;
        Some(Self { input, signature })
    }
}

/// Decodes a part.
fn decode(part: &str) -> Result<Vec<u8>, Reason> {
    parts::decode(part).ok_or(Reason::MalformedToken)
}

/// Takes a header parameter that must be a text if it is present.
fn text_parameter(header: &mut Map<String, Value>, name: &str) -> Result<Option<String>, Reason> {
    match header.remove(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(Reason::MalformedToken),
    }
}

#[cfg(test)]
mod tests;
