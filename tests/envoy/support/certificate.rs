//! Certificates of servers and clients.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair, SanType,
};

/// A certificate authority.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    /// Its certificate.
    pub(crate) certificate: rcgen::Certificate,
}

/// A certificate and its key.
pub(crate) struct Certificate {
    pub(crate) certificate: rcgen::Certificate,
    pub(crate) key: KeyPair,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = params("authority", &[]);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        Self {
            issuer: Issuer::new(params, key),
            certificate,
        }
    }

    /// A certificate with this common name and these alternative names.
    pub(crate) fn issue(&self, name: &str, alternative_names: &[SanType]) -> Certificate {
        let key = KeyPair::generate().unwrap();
        let params = params(name, alternative_names);
        Certificate {
            certificate: params.signed_by(&key, &self.issuer).unwrap(),
            key,
        }
    }

    /// A certificate for a server with the name `localhost`.
    pub(crate) fn issue_server(&self) -> Certificate {
        self.issue(
            "server",
            &[SanType::DnsName("localhost".try_into().unwrap())],
        )
    }
}

impl Certificate {
    /// A certificate that no authority has signed.
    pub(crate) fn self_signed(name: &str, alternative_names: &[SanType]) -> Self {
        let key = KeyPair::generate().unwrap();
        let params = params(name, alternative_names);
        Self {
            certificate: params.self_signed(&key).unwrap(),
            key,
        }
    }

    /// Its digest.
    pub(crate) fn digest(&self) -> [u8; 32] {
        let digest = digest(&SHA256, self.certificate.der());
        digest.as_ref().try_into().unwrap()
    }

    /// Its digest as `x5t#S256` (RFC 8705, section 3.1).
    pub(crate) fn thumbprint(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.digest())
    }

    /// Its digest in hexadecimal digits.
    pub(crate) fn hex(&self) -> String {
        use std::fmt::Write;
        let mut hex = String::new();
        for byte in self.digest() {
            write!(hex, "{byte:02x}").unwrap();
        }
        hex
    }
}

/// A URI as an alternative name.
pub(crate) fn uri(uri: &str) -> SanType {
    SanType::URI(uri.try_into().unwrap())
}

fn params(name: &str, alternative_names: &[SanType]) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.subject_alt_names = alternative_names.to_vec();
    params
}
