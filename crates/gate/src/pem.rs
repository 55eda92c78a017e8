//! X.509 certificates in PEM (RFC 7468, section 5).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// How a certificate begins.
pub const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
/// How it ends.
const END: &str = "-----END CERTIFICATE-----";

/// The first certificate in `text`, in DER. `None` if there is none, or if it is not base64. Text around
/// it is ignored. Lines may have any length, as in Envoy, and may end in any white space.
#[must_use]
pub fn certificate(text: &str) -> Option<Vec<u8>> {
    let (_, rest) = text.split_once(BEGIN)?;
    let (encoded, _) = rest.split_once(END)?;
    let encoded: String = encoded.split_ascii_whitespace().collect();
    STANDARD.decode(encoded).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Seven bytes, so that the encoding ends in padding.
    const DER: &[u8] = b"\x30\x05abcde";
    const ENCODED: &str = "MAVhYmNkZQ==";

    #[test]
    fn text_around_a_certificate_and_its_line_ends_do_not_matter() {
        for line_end in ["\n", "\r\n", " ", "\t", ""] {
            let (first, second) = ENCODED.split_at_checked(8).unwrap();
            let pem = [BEGIN, first, second, END].join(line_end);
            for text in [
                pem.clone(),
                format!("subject=/CN=a\n{pem}\n"),
                format!("\n {pem} \n\n"),
                format!("{pem}{BEGIN}AAAA{END}"),
            ] {
                assert_eq!(certificate(&text).as_deref(), Some(DER), "{text:?}");
            }
        }
    }

    #[test]
    fn other_text_is_no_certificate() {
        for text in [
            String::new(),
            ENCODED.to_owned(),
            format!("{BEGIN}{ENCODED}"),
            format!("{ENCODED}{END}"),
            format!("{END}{ENCODED}{BEGIN}"),
            format!("{BEGIN}{}{END}", ENCODED.trim_end_matches('=')),
            format!("{BEGIN}MAVh-mNkZQ=={END}"),
            format!("-----BEGIN TRUSTED CERTIFICATE-----{ENCODED}{END}"),
            format!("-----BEGIN PRIVATE KEY-----{ENCODED}-----END PRIVATE KEY-----"),
        ] {
            assert_eq!(certificate(&text), None, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_in_pem_are_decoded(der: Vec<u8>, width in 1_usize..80) {
            let encoded = STANDARD.encode(&der);
            let lines: Vec<&str> = encoded
                .as_bytes()
                .chunks(width)
                .map(|line| str::from_utf8(line).unwrap())
                .collect();
            let text = format!("{BEGIN}\n{}\n{END}\n", lines.join("\n"));
            prop_assert_eq!(certificate(&text), Some(der));
        }

        #[test]
        fn no_text_panics(text: String) {
            let _ = certificate(&text);
            let _ = certificate(&format!("{BEGIN}{text}{END}"));
        }
    }
}
