//! The connection of the request to decide on.

use std::io::Read;
use std::path::Path;

use gate::binding::CertificateDigest;
use gate::pem;
use gate::request::ConnectionSource;

use crate::input;

/// A connection from the command line.
#[derive(Default)]
pub(crate) struct TrialConnection {
    certificate: Option<CertificateDigest>,
    uri: Option<String>,
}

impl TrialConnection {
    /// A connection whose client has shown `certificate`: its SHA-256 in hexadecimal digits or base64url,
    /// or the name of a file that it is in. The certificate contains `uri`.
    pub(crate) fn read(
        certificate: Option<&str>,
        uri: Option<&str>,
        input: &mut dyn Read,
    ) -> Result<Self, String> {
        let certificate = certificate.map(|certificate| digest(certificate, input));
        Ok(Self {
            certificate: certificate.transpose()?,
            uri: uri.map(str::to_owned),
        })
    }
}

fn digest(certificate: &str, input: &mut dyn Read) -> Result<CertificateDigest, String> {
    let text = certificate.as_bytes();
    let digest = CertificateDigest::from_hex(text);
    if let Some(digest) = digest.or_else(|| CertificateDigest::from_base64url(text)) {
        return Ok(digest);
    }
    let content = input::read(Path::new(certificate), input)?;
    let der = str::from_utf8(&content).ok().and_then(pem::certificate);
    let der = der.ok_or_else(|| format!("{certificate}: has no certificate in PEM"))?;
    Ok(CertificateDigest::from_der(&der))
}

impl ConnectionSource for TrialConnection {
    fn certificate_digest(&self) -> Option<Vec<u8>> {
        let digest = self.certificate?;
        Some(digest.to_string().into_bytes())
    }

    fn certificate_uri(&self) -> Option<Vec<u8>> {
        self.uri.clone().map(String::into_bytes)
    }
}
