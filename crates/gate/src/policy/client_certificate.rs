//! Where the certificate of the client is learned from.

use crate::binding::{CertificateDigest, CertificateFormat};
use crate::reason::Reason;
use crate::request::{Connection, Request};

/// Where the certificate of the client is learned from (RFC 8705, section 3).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ClientCertificate {
    /// From the TLS connection on which the request arrived.
    #[default]
    Connection,
    /// From a header, which a proxy in front has set.
    Header(CertificateHeader),
}

/// A header that describes the certificate of the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateHeader {
    /// The name of the header, in lower case.
    pub name: String,
    /// How it describes the certificate.
    pub format: CertificateFormat,
    /// Who may set it.
    pub trusted_peers: TrustedPeers,
}

/// Who may set a header. Envoy does not know which headers come from a client, so the operator has to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TrustedPeers {
    /// Every peer: all of them remove the header that clients send.
    Any,
    /// Peers with one of these URIs in the certificate of their connection.
    WithUri(Vec<String>),
}

impl ClientCertificate {
    /// The name of the header that decisions need, in lower case.
    #[must_use]
    pub fn header(&self) -> Option<&str> {
        match self {
            Self::Connection => None,
            Self::Header(header) => Some(&header.name),
        }
    }

    /// The digest of the certificate of the client that sent `request`.
    ///
    /// # Errors
    ///
    /// [`Reason::CertificateMissing`] if there is none, or if the peer may not say which.
    /// [`Reason::CertificateAmbiguous`] if it is not known which one is meant.
    pub fn digest(&self, request: &Request) -> Result<CertificateDigest, Reason> {
        match self {
            Self::Connection => {
                let digest = request.connection.certificate_digest();
                let digest = digest.ok_or(Reason::CertificateMissing)?;
                CertificateDigest::from_hex(digest).ok_or(Reason::CertificateAmbiguous)
            }
            Self::Header(header) => header.digest(request),
        }
    }
}

impl CertificateHeader {
    fn digest(&self, request: &Request) -> Result<CertificateDigest, Reason> {
        if !self.trusted_peers.include(&request.connection) {
            return Err(Reason::CertificateMissing);
        }
        let mut values = request.header(&self.name);
        match (values.next(), values.next()) {
            (None, _) => Err(Reason::CertificateMissing),
            (Some(value), None) => {
                let digest = self.format.digest(value);
                digest.ok_or(Reason::CertificateAmbiguous)
            }
            (Some(_), Some(_)) => Err(Reason::CertificateAmbiguous),
        }
    }
}

impl TrustedPeers {
    fn include(&self, connection: &Connection) -> bool {
        match self {
            Self::Any => true,
            Self::WithUri(uris) => connection
                .certificate_uri()
                .is_some_and(|uri| uris.iter().any(|trusted| trusted.as_bytes() == uri)),
        }
    }
}
