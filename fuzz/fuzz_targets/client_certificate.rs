//! Reads any bytes as a header about a client certificate: nothing that a client sends hides or replaces the element
//! that the next proxy appends.
#![no_main]

use gate::binding::{CertificateDigest, CertificateFormat, MAX_HEADER_BYTES, XfccElement};
use libfuzzer_sys::fuzz_target;

const APPENDED: &str = "By=spiffe://mesh/proxy;Hash=5d5e94a6e5a4fd1d3d9eab3a6f1c6f4a3f5b0a0d6c1b7e8f9a2b3c4d5e6f7a8b;Subject=\"CN=a,O=\\\"b\\\"\"";

fuzz_target!(|value: &[u8]| {
    for format in [
        CertificateFormat::Rfc9440,
        CertificateFormat::Pem,
        CertificateFormat::Sha256Hex,
        CertificateFormat::Sha256Base64url,
        CertificateFormat::Xfcc(XfccElement::Only),
        CertificateFormat::Xfcc(XfccElement::First),
        CertificateFormat::Xfcc(XfccElement::Last),
    ] {
        let digest = format.digest(value);
        assert!(digest.is_none() || value.len() <= MAX_HEADER_BYTES);
        if let (CertificateFormat::Sha256Base64url, Some(digest)) = (format, digest) {
            let text = digest.to_base64url();
            assert_eq!(
                CertificateDigest::from_base64url(text.as_bytes()),
                Some(digest)
            );
        }
    }
    let appended = CertificateFormat::Xfcc(XfccElement::Only).digest(APPENDED.as_bytes());
    assert!(appended.is_some());
    let both = [value, b",", APPENDED.as_bytes()].concat();
    assert_eq!(
        CertificateFormat::Xfcc(XfccElement::Only).digest(&both),
        None
    );
    let last = CertificateFormat::Xfcc(XfccElement::Last).digest(&both);
    assert!(last.is_none() || last == appended);
});
