//! Which certificate the client has shown: `docs/configuration.md`, "Client certificate".

use std::sync::LazyLock;

use base64::Engine;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{
    GeneralPurpose, GeneralPurposeConfig, STANDARD, URL_SAFE_NO_PAD,
};
use percent_encoding::percent_decode_str;
use regex::Regex;

use super::digest::{canonical, sha256};
use super::fields::Fields;
use super::reason::Reason;
use super::view::View;
use crate::case::Request;

/// The longest header that is read, in bytes.
const LONGEST: usize = 16_384;

/// The digest of the certificate that the client has shown, in base64url.
pub(super) fn shown(
    configuration: Fields<'_>,
    request: &Request,
    view: View<'_>,
) -> Result<String, Reason> {
    let source = configuration.object("client_certificate");
    let from = source.and_then(|source| source.text("from"));
    let (Some(source), "xfcc" | "header") = (source, from.unwrap_or("connection")) else {
        let digest = request.certificate.clone();
        return digest.ok_or(Reason::CertificateMissing);
    };
    let trusted = source.texts("trusted_peers");
    let is_trusted = request
        .peer
        .as_deref()
        .is_some_and(|uri| trusted.contains(&uri));
    if trusted != ["any"] && !is_trusted {
        return Err(Reason::CertificateMissing);
    }
    let is_xfcc = from == Some("xfcc");
    let name = if is_xfcc {
        "x-forwarded-client-cert"
    } else {
        source.text("header").unwrap_or("client-cert")
    };
    let read = if is_xfcc { in_xfcc } else { in_header };
    match view.values(&name.to_ascii_lowercase())[..] {
        [] => Err(Reason::CertificateMissing),
        [value] if value.len() <= LONGEST => {
            read(source, value).ok_or(Reason::CertificateAmbiguous)
        }
        _ => Err(Reason::CertificateAmbiguous),
    }
}

fn in_header(source: Fields<'_>, value: &str) -> Option<String> {
    match source.text("format").unwrap_or("rfc9440") {
        "pem" => {
            let text = percent_decode_str(value).decode_utf8().ok()?.into_owned();
            let (_, rest) = text.split_once("-----BEGIN CERTIFICATE-----")?;
            let (encoded, _) = rest.split_once("-----END CERTIFICATE-----")?;
            let encoded: String = encoded.split_ascii_whitespace().collect();
            Some(sha256(&STANDARD.decode(encoded).ok()?))
        }
        "sha256_hex" => from_hex(value),
        "sha256_base64url" => canonical(value),
        _ => {
            // RFC 8941, section 4.2.7.
            let encoded = value.trim().strip_prefix(':')?.strip_suffix(':')?;
            let lenient = GeneralPurposeConfig::new()
                .with_decode_allow_trailing_bits(true)
                .with_decode_padding_mode(DecodePaddingMode::Indifferent);
            let bytes = GeneralPurpose::new(&alphabet::STANDARD, lenient).decode(encoded);
            Some(sha256(&bytes.ok()?))
        }
    }
}

/// The one `Hash` of the element that counts. Every part of the header must be well-formed.
fn in_xfcc(source: Fields<'_>, value: &str) -> Option<String> {
    static PAIR: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r#"^\s*([^=;,"\s][^=;,"]*?)\s*=(?:"((?:[^"\\]|\\.)*)"|([^;,"]*))(;|,|$)"#)
            .expect("a regular expression")
    });
    let mut elements: Vec<Vec<&str>> = vec![Vec::new()];
    let mut rest = value;
    loop {
        let pair = PAIR.captures(rest)?;
        if pair[1].eq_ignore_ascii_case("hash") {
            let quoted = pair.get(2).map(|value| value.as_str());
            let plain = pair.get(3).map(|value| value.as_str().trim());
            elements.last_mut()?.extend(quoted.or(plain));
        }
        rest = &rest[pair[0].len()..];
        match &pair[4] {
            "" => break,
            "," => elements.push(Vec::new()),
            _ => {}
        }
    }
    let hashes = match source.text("element").unwrap_or("only") {
        "first" => elements.first(),
        "last" => elements.last(),
        _ => elements.first().filter(|_| elements.len() == 1),
    };
    match hashes?[..] {
        [hash] => from_hex(hash),
        _ => None,
    }
}

fn from_hex(text: &str) -> Option<String> {
    let is_digest = text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let digits =
        (0..32).map(|index| u8::from_str_radix(text.get(2 * index..2 * index + 2)?, 16).ok());
    let bytes: Option<Vec<u8>> = if is_digest { digits.collect() } else { None };
    Some(URL_SAFE_NO_PAD.encode(bytes?))
}
