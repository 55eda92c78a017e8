//! Certificates of clients, and where the filter learns them from.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use fastrand::Rng;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::claim_fault::DIGESTS;
use super::dice::{chance, one_of, some_of};

/// What stands for certificates. Their digests are those that tokens are bound to.
const CERTIFICATES: [&[u8]; 2] = [b"\x30\x0ccertificate 12", b"\x30\x0ccertificate 20"];

/// URIs in the certificates of peers.
const PEERS: [&str; 3] = [
    "spiffe://example/edge",
    "spiffe://example/edge2",
    "spiffe://example/client",
];

/// The headers that certificates are read from.
const HEADERS: [&str; 3] = ["client-cert", "ssl-client-cert", "x-forwarded-client-cert"];

/// A value of `client_certificate`.
pub(super) fn source(rng: &mut Rng) -> Value {
    let mut source = match rng.u8(0..10) {
        0 => return json!({"from": "connection"}),
        1..=4 => {
            let mut source = json!({"from": "xfcc"});
            if chance(rng, 60) {
                source["element"] = json!(one_of(rng, &["only", "first", "last"]));
            }
            source
        }
        _ => {
            let mut source = json!({"from": "header"});
            if chance(rng, 40) {
                source["header"] = json!(one_of(rng, &["Client-Cert", "ssl-client-cert"]));
            }
            if chance(rng, 75) {
                let formats = ["rfc9440", "pem", "sha256_hex", "sha256_base64url"];
                source["format"] = json!(one_of(rng, &formats));
            }
            source
        }
    };
    source["trusted_peers"] = match rng.u8(0..10) {
        0..=5 => json!("any"),
        6 => json!(["any"]),
        _ => json!(some_of(rng, &PEERS[..2])),
    };
    source
}

/// A certificate of a connection, and a URI in it.
pub(super) fn of_connection(rng: &mut Rng) -> (Option<String>, Option<String>) {
    let digest = chance(rng, 50).then(|| format!("{}I", one_of(rng, &DIGESTS)));
    let peer = digest.is_some() && chance(rng, 60);
    let peer = peer.then(|| one_of(rng, &PEERS).to_owned());
    (digest, peer)
}

/// Adds headers that describe a certificate, mostly the one that the filter reads.
pub(super) fn add(rng: &mut Rng, source: &Value, headers: &mut Vec<(String, String)>) {
    let from = source["from"].as_str();
    let name = match from {
        Some("xfcc") => HEADERS[2].to_owned(),
        Some("header") => source["header"]
            .as_str()
            .unwrap_or(HEADERS[0])
            .to_ascii_lowercase(),
        _ => one_of(rng, &HEADERS).to_owned(),
    };
    let count = [1, 1, 1, 1, 1, 1, 1, 0, 0, 2][rng.usize(0..10)];
    for _ in 0..count {
        // Of three requests, two have the first certificate.
        let number = usize::from(chance(rng, 33));
        let is_xfcc = name == HEADERS[2];
        let format = source["format"].as_str().unwrap_or("rfc9440");
        let mut value = match format {
            _ if is_xfcc => xfcc(rng, number),
            "pem" => pem(rng, number),
            "sha256_hex" => hex(rng, number),
            "sha256_base64url" => {
                let last = if chance(rng, 20) { "J" } else { "I" };
                format!("{}{last}", DIGESTS[number])
            }
            _ => rfc9440(rng, number),
        };
        if chance(rng, 8) {
            spoil(rng, &mut value);
        }
        headers.push((name.clone(), value));
    }
}

fn hex(rng: &mut Rng, number: usize) -> String {
    let bytes = URL_SAFE_NO_PAD.decode(format!("{}I", DIGESTS[number]));
    let digits = bytes.unwrap_or_default();
    let digits = digits.iter().map(|byte| format!("{byte:02x}"));
    let digits = digits.collect::<Vec<_>>().concat();
    if chance(rng, 20) {
        digits.to_uppercase()
    } else {
        digits
    }
}

fn rfc9440(rng: &mut Rng, number: usize) -> String {
    let encoded = STANDARD.encode(CERTIFICATES[number]);
    match rng.u8(0..10) {
        0 => format!(" :{encoded}: "),
        1 => format!(":{}:", encoded.trim_end_matches('=')),
        2 => format!(":{encoded}"),
        3 => format!(":{encoded}:;a=1"),
        _ => format!(":{encoded}:"),
    }
}

fn pem(rng: &mut Rng, number: usize) -> String {
    let block = |number: usize, line_end: &str| {
        let encoded = STANDARD.encode(CERTIFICATES[number]);
        let (first, second) = (&encoded[..8], &encoded[8..]);
        let (begin, end) = ("-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----");
        [begin, first, second, end, ""].join(line_end)
    };
    let escaped = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    match rng.u8(0..8) {
        0 => block(number, " "),
        1 => escaped(&block(number, "\r\n")),
        2 => escaped(&format!(
            "{}{}",
            block(number, "\n"),
            block(1 - number, "\n")
        )),
        3 => escaped(&block(number, "\n").replace("-----END CERTIFICATE-----", "")),
        4 => escaped(&block(number, "\n").replace("CERTIFICATE", "PUBLIC KEY")),
        _ => escaped(&block(number, "\n")),
    }
}

fn xfcc(rng: &mut Rng, number: usize) -> String {
    let mut element = |number: usize| {
        let hash = hex(rng, number);
        match rng.u8(0..12) {
            0 => format!("hash=\"{hash}\""),
            1 => format!(
                "By=spiffe://example/a;Hash={hash};Subject=\"CN=a,O=\\\"b\\\";Hash=x\";URI="
            ),
            2 => format!("Subject=\"CN=a\\\\\";HASH={hash}"),
            3 => format!("Hash={hash};Hash={hash}"),
            4 => "By=spiffe://example/a;URI=spiffe://example/b".to_owned(),
            5 => format!("Hash={hash};Subject=\"CN=a"),
            6 => format!(" Hash = {hash} ; By=x"),
            7 => format!("Hash={hash};Subject=CN=\"a\""),
            _ => format!("By=spiffe://example/a;Hash={hash};URI=spiffe://example/b"),
        }
    };
    let first = element(number);
    let second = element(1 - number);
    match rng.u8(0..8) {
        0 => format!("{first},{second}"),
        1 => format!("{second}, {first}"),
        2 => format!("{first},"),
        _ => first,
    }
}

fn spoil(rng: &mut Rng, value: &mut String) {
    match rng.u8(0..5) {
        0 => value.clear(),
        1 => value.push('x'),
        2 => {
            value.pop();
        }
        3 => value.push_str(&"x".repeat(16_384)),
        _ => "garbage".clone_into(value),
    }
}
