//! JWTs.

use std::fmt;

use base64::Engine;
use base64::alphabet::URL_SAFE;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, URL_SAFE_NO_PAD};
use serde_json::{Map, Value};

use super::reason::Reason;
use super::strict_json;

/// The values of `alg` that are known. `Ed25519` is another name of `EdDSA`.
const ALGORITHMS: [&str; 14] = [
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA",
    "Ed25519", "HS256", "HS384", "HS512",
];

/// A JWT that is well-formed. Nothing in it has been verified.
#[derive(Clone, Debug)]
pub(crate) struct Token {
    /// `Ed25519` is given as `EdDSA`.
    pub(crate) alg: String,
    pub(crate) typ: Option<String>,
    pub(crate) kid: Option<String>,
    pub(crate) payload: Map<String, Value>,
    /// The payload as it was sent.
    pub(crate) payload_text: String,
    /// What the signature covers.
    pub(crate) input: String,
    pub(crate) signature: Vec<u8>,
    /// The signature as it was sent.
    pub(crate) signature_text: String,
}

impl Token {
    /// Reads a token of at most `longest` bytes.
    pub(crate) fn parse(text: &str, longest: usize) -> Result<Self, Reason> {
        if text.len() > longest {
            return Err(Reason::TooLarge);
        }
        let malformed = Reason::MalformedToken;
        let parts: Vec<&str> = text.split('.').collect();
        let [header, payload, signature] = parts[..] else {
            return Err(malformed);
        };
        let decode = |part: &str| {
            let bytes = URL_SAFE_NO_PAD.decode(part).map_err(|_| malformed)?;
            if bytes.is_empty() {
                Err(malformed)
            } else {
                Ok(bytes)
            }
        };
        // The header comes first: what it says may be the reason why the other parts are strange.
        let parameters = strict_json::object(&decode(header)?).ok_or(malformed)?;
        if parameters.contains_key("crit") || parameters.get("b64").is_some_and(|b64| *b64 != true)
        {
            return Err(Reason::Critical);
        }
        let parameter = |name: &str| match parameters.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(malformed),
        };
        let alg = parameter("alg")?.ok_or(Reason::Algorithm)?;
        if !ALGORITHMS.contains(&alg.as_str()) {
            return Err(Reason::Algorithm);
        }
        let (typ, kid) = (parameter("typ")?, parameter("kid")?);
        let signature_bytes = decode(signature)?;
        let claims = strict_json::object(&decode(payload)?).ok_or(malformed)?;
        check_types(&claims)?;
        Ok(Self {
            alg: canonical(&alg).to_owned(),
            typ,
            kid,
            payload: claims,
            payload_text: payload.to_owned(),
            input: format!("{header}.{payload}"),
            signature: signature_bytes,
            signature_text: signature.to_owned(),
        })
    }
}

/// The usual name of an algorithm.
pub(crate) fn canonical(alg: &str) -> &str {
    if alg == "Ed25519" { "EdDSA" } else { alg }
}

/// Checks the types of registered claims (RFC 7519, section 4.1).
pub(crate) fn check_types(claims: &Map<String, Value>) -> Result<(), Reason> {
    for (name, value) in claims {
        let fits = match name.as_str() {
            "iss" | "sub" | "jti" => value.is_string(),
            "exp" | "nbf" | "iat" => value.is_number(),
            "aud" => match value {
                Value::Array(list) => list.iter().all(Value::is_string),
                single => single.is_string(),
            },
            _ => true,
        };
        if !fits {
            return Err(Reason::ClaimType);
        }
    }
    Ok(())
}

/// Whether a text that is no JWT is opaque: its first part does not decode to a JSON object with `alg`. Encrypted
/// JWTs are opaque too.
pub(crate) fn is_opaque(text: &str) -> bool {
    let lenient = GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let parts: Vec<&str> = text.split('.').collect();
    let first = parts[0].replace('+', "-").replace('/', "_");
    let first = GeneralPurpose::new(&URL_SAFE, lenient).decode(first);
    let header = first
        .ok()
        .and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok());
    let header = header.as_ref().and_then(Value::as_object);
    header.is_none_or(|header| {
        let encrypted = parts.len() == 5 && header.contains_key("enc");
        encrypted || !header.contains_key("alg")
    })
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { alg, typ, kid, .. } = self;
        let mut payload = Value::Object(self.payload.clone()).to_string();
        if payload.len() > 2000 {
            payload = format!("{} bytes", payload.len());
        }
        write!(f, "alg {alg}, typ {typ:?}, kid {kid:?}, payload {payload}")
    }
}
