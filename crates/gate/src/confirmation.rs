//! The claim `cnf`: which key or certificate a token is bound to (RFC 7800, section 3.1).

use base64::Engine as _;
use base64::alphabet::URL_SAFE;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use serde_json::Value;

/// A SHA-256 digest.
pub type Digest = [u8; 32];

/// What a token is bound to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Confirmation {
    /// `jkt`: the thumbprint of a key (RFC 9449, section 6.1).
    pub key: Option<Digest>,
    /// `x5t#S256`: the digest of a certificate (RFC 8705, section 3.1).
    pub certificate: Option<Digest>,
}

/// A `cnf` that is no object, or one of whose digests is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MalformedConfirmation;

impl Confirmation {
    /// Parses the value of a `cnf`. Members that are not known are ignored.
    ///
    /// # Errors
    ///
    /// [`MalformedConfirmation`] if it is no object, or `jkt` or `x5t#S256` is not a digest in base64url.
    pub fn from_claim(claim: &Value) -> Result<Self, MalformedConfirmation> {
        let members = claim.as_object().ok_or(MalformedConfirmation)?;
        let digest = |name: &str| match members.get(name) {
            Some(value) => {
                let text = value.as_str().ok_or(MalformedConfirmation)?;
                let digest = digest_from_base64url(text.as_bytes());
                digest.map(Some).ok_or(MalformedConfirmation)
            }
            None => Ok(None),
        };
        Ok(Self {
            key: digest("jkt")?,
            certificate: digest("x5t#S256")?,
        })
    }

    /// Whether it names something that the gate can check.
    #[must_use]
    pub const fn is_known(&self) -> bool {
        self.key.is_some() || self.certificate.is_some()
    }
}

/// Decodes a digest in 43 characters of base64url without padding. The last character has two unused
/// bits, which may have any value: the example in RFC 8705, section 3.1, sets them.
#[must_use]
pub fn digest_from_base64url(text: &[u8]) -> Option<Digest> {
    const ANY_TRAILING_BITS: GeneralPurpose = GeneralPurpose::new(
        &URL_SAFE,
        GeneralPurposeConfig::new()
            .with_decode_allow_trailing_bits(true)
            .with_decode_padding_mode(DecodePaddingMode::RequireNone),
    );
    ANY_TRAILING_BITS.decode(text).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The example of RFC 8705, section 3.1, whose last character has unused bits that are set.
    const EXAMPLE: &str = "bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2";

    #[test]
    fn the_known_members_are_digests() {
        let canonical = EXAMPLE.replace("dg2", "dg0");
        let (one, other) = (json!({"jkt": EXAMPLE}), json!({"jkt": canonical}));
        let parsed = Confirmation::from_claim(&one).unwrap();
        assert_eq!(Confirmation::from_claim(&other).unwrap(), parsed);
        assert!(parsed.key.is_some() && parsed.certificate.is_none());
        let both = json!({"jkt": EXAMPLE, "x5t#S256": EXAMPLE, "kid": 7});
        let both = Confirmation::from_claim(&both).unwrap();
        assert_eq!(both.key, both.certificate);
    }

    #[test]
    fn a_confirmation_without_known_members_names_nothing_that_can_be_checked() {
        for claim in [json!({}), json!({"kid": "a"}), json!({"jwk": {}})] {
            let parsed = Confirmation::from_claim(&claim).unwrap();
            assert!(!parsed.is_known(), "{claim}");
        }
    }

    #[test]
    fn anything_else_is_malformed() {
        let short = EXAMPLE.get(1..).unwrap();
        for digest in [
            json!(null),
            json!(7),
            json!(""),
            json!("x"),
            json!(short),
            json!(format!("{EXAMPLE}=")),
            json!(format!("{EXAMPLE}A")),
            json!(EXAMPLE.replace('_', "/")),
            json!([EXAMPLE]),
        ] {
            for name in ["jkt", "x5t#S256"] {
                let claim = json!({name: digest});
                assert!(Confirmation::from_claim(&claim).is_err(), "{claim}");
            }
        }
        for claim in [json!(null), json!([]), json!("a"), json!(true)] {
            assert!(Confirmation::from_claim(&claim).is_err(), "{claim}");
        }
    }
}
