//! Client certificates in request headers, which a proxy that ends TLS has set.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use percent_encoding::percent_decode;

use super::certificate_digest::CertificateDigest;
use super::xfcc::{self, XfccElement};
use crate::pem;

/// The longest header value that is examined, in bytes.
pub const MAX_HEADER_BYTES: usize = 16 * 1024;

/// How a header describes a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CertificateFormat {
    /// As in Envoy's `x-forwarded-client-cert`.
    Xfcc(XfccElement),
    /// DER as a byte sequence of structured fields: `:<base64>:` (RFC 9440, section 2.1).
    Rfc9440,
    /// PEM, percent-encoded or not. Of a chain, the first certificate counts.
    Pem,
    /// The SHA-256 of the DER in hexadecimal digits.
    Sha256Hex,
    /// The same in base64url without padding.
    Sha256Base64url,
}

impl CertificateFormat {
    /// The digest of the certificate that a header with this value describes. `None` if the value is
    /// malformed or longer than [`MAX_HEADER_BYTES`].
    #[must_use]
    pub fn digest(self, value: &[u8]) -> Option<CertificateDigest> {
        if value.len() > MAX_HEADER_BYTES {
            return None;
        }
        match self {
            Self::Xfcc(element) => xfcc::digest(value, element),
            Self::Rfc9440 => Some(CertificateDigest::from_der(&byte_sequence(value)?)),
            Self::Pem => {
                let text: Vec<u8> = percent_decode(value).collect();
                let der = pem::certificate(str::from_utf8(&text).ok()?)?;
                Some(CertificateDigest::from_der(&der))
            }
            Self::Sha256Hex => CertificateDigest::from_hex(value),
            Self::Sha256Base64url => CertificateDigest::from_base64url(value),
        }
    }
}

/// The bytes of a byte sequence without parameters (RFC 8941, section 4.2.7).
fn byte_sequence(value: &[u8]) -> Option<Vec<u8>> {
    let encoded = value.trim_ascii().strip_prefix(b":")?.strip_suffix(b":")?;
    BASE64.decode(encoded).ok()
}

/// As lenient as RFC 8941 recommends: neither padding nor unused bits matter.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
    use percent_encoding::{NON_ALPHANUMERIC, percent_encode};
    use proptest::prelude::*;
    use rcgen::generate_simple_self_signed;

    use super::*;

    /// A certificate in DER and in PEM.
    fn certificate() -> (Vec<u8>, String) {
        let certified = generate_simple_self_signed(["client".to_owned()]).unwrap();
        (certified.cert.der().to_vec(), certified.cert.pem())
    }

    fn from_pem(text: impl AsRef<[u8]>) -> Option<CertificateDigest> {
        CertificateFormat::Pem.digest(text.as_ref())
    }

    fn from_rfc9440(text: impl AsRef<[u8]>) -> Option<CertificateDigest> {
        CertificateFormat::Rfc9440.digest(text.as_ref())
    }

    #[test]
    fn a_certificate_has_one_digest_in_all_formats() {
        let (der, pem) = certificate();
        let digest = CertificateDigest::from_der(&der);
        let hex = digest.to_string();
        for (format, value) in [
            (
                CertificateFormat::Xfcc(XfccElement::Only),
                format!("By=x;Hash={hex}"),
            ),
            (
                CertificateFormat::Rfc9440,
                format!(":{}:", STANDARD.encode(&der)),
            ),
            (CertificateFormat::Pem, pem),
            (CertificateFormat::Sha256Hex, hex.clone()),
            (
                CertificateFormat::Sha256Base64url,
                URL_SAFE_NO_PAD.encode(digest.0),
            ),
        ] {
            assert_eq!(format.digest(value.as_bytes()), Some(digest), "{format:?}");
            assert_eq!(format.digest(b""), None, "{format:?}");
            assert_eq!(format.digest(b"x"), None, "{format:?}");
        }
    }

    #[test]
    fn pem_is_read_as_proxies_send_it() {
        let ((der, pem), (_, other)) = (certificate(), certificate());
        let digest = Some(CertificateDigest::from_der(&der));
        // `+` is a plus sign, not a space.
        let all = percent_encode(pem.as_bytes(), NON_ALPHANUMERIC).to_string();
        let some = all
            .replace("%2B", "+")
            .replace("%2F", "/")
            .replace("%3D", "=");
        for text in [
            pem.replace("\r\n", "\n"),
            pem.replace("\r\n", "\n").replace('\n', "\r\n"),
            pem.replace("\r\n", "\n").replace('\n', " "),
            pem.replace("\r\n", "\n").replace('\n', "\n\t"),
            pem.trim().to_owned(),
            all.clone(),
            some,
            format!("{pem}{other}"),
            percent_encode(format!("{pem}{other}").as_bytes(), NON_ALPHANUMERIC).to_string(),
        ] {
            assert_eq!(from_pem(&text), digest, "{text}");
        }
        for text in [
            pem.replace("CERTIFICATE", "PUBLIC KEY"),
            pem.replace("-----END CERTIFICATE-----", ""),
            all.replace("%2D", "%2"),
            format!("%ff{pem}"),
        ] {
            assert_eq!(from_pem(&text), None, "{text}");
        }
    }

    #[test]
    fn a_byte_sequence_is_read_with_or_without_padding() {
        let digest = |der: &[u8]| Some(CertificateDigest::from_der(der));
        for (text, der) in [
            (":YQ==:", &b"a"[..]),
            (":YQ=:", b"a"),
            (":YQ:", b"a"),
            (":YR==:", b"a"),
            (" :YWI=: ", b"ab"),
            ("::", b""),
        ] {
            assert_eq!(from_rfc9440(text), digest(der), "{text}");
        }
        for text in [
            "",
            ":",
            "YQ==",
            ":YQ==",
            "YQ==:",
            ":Y:",
            ":-_-_:",
            ":Y Q==:",
            ":YQ==:;a=1",
            ":YQ==:, :YQ==:",
            "\"YQ==\"",
        ] {
            assert_eq!(from_rfc9440(text), None, "{text}");
        }
    }

    #[test]
    fn a_value_that_is_too_long_is_not_examined() {
        let longest = format!(":{}:", "A".repeat(MAX_HEADER_BYTES - 2));
        assert!(from_rfc9440(&longest).is_some());
        assert!(from_rfc9440(format!("{longest} ")).is_none());
    }

    proptest! {
        #[test]
        fn no_value_panics(value: Vec<u8>, text in "[:%=A-Fa-f0-9 -]{0,40}") {
            for format in [
                CertificateFormat::Xfcc(XfccElement::Last),
                CertificateFormat::Rfc9440,
                CertificateFormat::Pem,
                CertificateFormat::Sha256Hex,
                CertificateFormat::Sha256Base64url,
            ] {
                let _ = format.digest(&value);
                let _ = format.digest(text.as_bytes());
            }
        }

        #[test]
        fn any_certificate_is_read_in_every_format(der: Vec<u8>) {
            let digest = CertificateDigest::from_der(&der);
            prop_assert_eq!(from_rfc9440(format!(":{}:", STANDARD.encode(&der))), Some(digest));
            let pem = format!("{}{}-----END CERTIFICATE-----", pem::BEGIN, STANDARD.encode(&der));
            prop_assert_eq!(from_pem(percent_encode(pem.as_bytes(), NON_ALPHANUMERIC).to_string()), Some(digest));
            prop_assert_eq!(from_pem(pem), Some(digest));
        }
    }
}
