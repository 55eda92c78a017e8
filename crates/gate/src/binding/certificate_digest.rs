//! What identifies a client certificate.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq;

use crate::confirmation::{Digest, digest_from_base64url};

/// The SHA-256 of a certificate in DER: what `x5t#S256` says (RFC 8705, section 3.1).
#[derive(Clone, Copy, Debug, Eq)]
pub struct CertificateDigest(pub Digest);

impl CertificateDigest {
    /// The digest of a certificate in DER. Whether it is one is not checked: the client has shown it to
    /// a TLS server, and no other bytes have the digest of a certificate.
    #[must_use]
    pub fn from_der(der: &[u8]) -> Self {
        Self(Sha256::digest(der).into())
    }

    /// The digest in 64 hexadecimal digits of either case.
    #[must_use]
    pub fn from_hex(text: &[u8]) -> Option<Self> {
        let mut digest = [0; 32];
        let decoded = base16ct::mixed::decode(text, &mut digest).ok()?;
        (decoded.len() == digest.len()).then_some(Self(digest))
    }

    /// The digest in 43 characters of base64url without padding.
    #[must_use]
    pub fn from_base64url(text: &[u8]) -> Option<Self> {
        digest_from_base64url(text).map(Self)
    }

    /// The digest in base64url without padding, as in `x5t#S256`.
    #[must_use]
    pub fn to_base64url(self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }
}

/// The digest in lower-case hexadecimal digits, as Envoy writes it.
impl fmt::Display for CertificateDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}", base16ct::HexDisplay(&self.0))
    }
}

/// Compares in constant time, although digests are public.
impl PartialEq for CertificateDigest {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::STANDARD;
    use proptest::prelude::*;

    use super::*;

    /// The certificate of RFC 8705, appendix A.
    const DER: &str = "MIIBBjCBrAIBAjAKBggqhkjOPQQDAjAPMQ0wCwYDVQQDDARtdGxzMB4XDTE4MTAxODEyMzcwOVoXDT\
        IyMDUwMjEyMzcwOVowDzENMAsGA1UEAwwEbXRsczBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABNcnyxwqV6hY8QnhxxzF\
        Q03C7HKW9OylMbnQZjjJ/Au08/coZwxS7LfA4vOLS9WuneIXhbGGWvsDSb0tH6IxLm8wCgYIKoZIzj0EAwIDSQAwRgIhAP\
        0RC1E+vwJD/D1AGHGzuri+hlV/PpQEKTWUVeORWz83AiEA5x2eXZOVbUlJSGQgjwD5vaUaKlLR50Q2DmFfQj1L+SY=";
    const THUMBPRINT: &str = "A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v0";
    const HEX: &str = "0380ed2f626650c840b2f263e6d2b29fae12ab39ae5db32b25ad27efad72e6fd";

    #[test]
    fn the_certificate_of_rfc_8705_has_the_digest_that_is_printed_there() {
        let digest = CertificateDigest::from_der(&STANDARD.decode(DER).unwrap());
        for other in [
            CertificateDigest::from_base64url(THUMBPRINT.as_bytes()),
            CertificateDigest::from_hex(HEX.as_bytes()),
            CertificateDigest::from_hex(HEX.to_uppercase().as_bytes()),
        ] {
            assert_eq!(other, Some(digest));
        }
        assert_eq!(
            (digest.to_string(), digest.to_base64url()),
            (HEX.to_owned(), THUMBPRINT.to_owned())
        );
        let other = CertificateDigest::from_hex(HEX.replace('0', "1").as_bytes());
        assert_ne!(other, Some(digest));
    }

    #[test]
    fn unused_bits_of_base64url_do_not_matter() {
        let digest = |text: &str| CertificateDigest::from_base64url(text.as_bytes());
        let example = digest("bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2");
        assert_eq!(
            example,
            digest("bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg0")
        );
        assert!(example.is_some());
    }

    #[test]
    fn a_text_of_another_form_is_no_digest() {
        let hex = |text: &str| CertificateDigest::from_hex(text.as_bytes());
        let base64url = |text: &str| CertificateDigest::from_base64url(text.as_bytes());
        for text in ["", "0", "03", &HEX[1..], &HEX[2..], &format!("{HEX}00")] {
            assert_eq!(hex(text), None, "{text}");
        }
        for text in [
            &HEX.replace('0', "g"),
            &HEX.replace("03", "0x"),
            &format!(" {}", &HEX[1..]),
        ] {
            assert_eq!(hex(text), None, "{text}");
        }
        let padded = format!("{THUMBPRINT}=");
        let longer = format!("{THUMBPRINT}AA");
        let standard = THUMBPRINT.replace('A', "+");
        for text in [
            "",
            &THUMBPRINT[1..],
            &THUMBPRINT[2..],
            &padded,
            &longer,
            &standard,
        ] {
            assert_eq!(base64url(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(text: Vec<u8>) {
            let _ = CertificateDigest::from_hex(&text);
            let _ = CertificateDigest::from_base64url(&text);
        }
    }
}
