//! Where the certificate of the client is learned from.

use gate::binding::{CertificateFormat, XfccElement};
use gate::policy::{CertificateHeader, ClientCertificate, TrustedPeers};

use super::choice::choice;
use super::object::object;
use super::place::Place;
use super::scalar::{NonEmpty, OwnHeaderName};

object! {
    pub(crate) struct ClientCertificateWire("ClientCertificate", "Client certificate") {
        /// Where the gate finds the certificate: `"connection"` (default), `"xfcc"`, the header
        /// x-forwarded-client-cert, or `"header"`, another one.
        from: optional FromWire,
        /// The name of the header, with `"header"`. Default `"client-cert"`.
        header: optional OwnHeaderName,
        /// How this header describes the certificate: `"rfc9440"` (default), `"pem"`, `"sha256_hex"` or
        /// `"sha256_base64url"`.
        format: optional FormatWire,
        /// Which element describes the client, with `"xfcc"`: `"only"` (default), `"first"` or `"last"`.
        element: optional ElementWire,
        /// Who may set the header: `"any"`, or the URIs in the certificates of these peers. Required with
        /// `"xfcc"` and `"header"`.
        trusted_peers: optional Vec<NonEmpty>,
    }
}

choice! {
    enum FromWire("ClientCertificateFrom") {
        Connection = "connection",
        Xfcc = "xfcc",
        Header = "header",
    }
}

choice! {
    enum FormatWire("ClientCertificateFormat") {
        Rfc9440 = "rfc9440",
        Pem = "pem",
        Sha256Hex = "sha256_hex",
        Sha256Base64url = "sha256_base64url",
    }
}

choice! {
    enum ElementWire("XfccElement") {
        Only = "only",
        First = "first",
        Last = "last",
    }
}

/// The header in which Envoy describes the client's certificate.
const XFCC: &str = "x-forwarded-client-cert";

/// The header of RFC 9440, section 2.2.
const CLIENT_CERT: &str = "client-cert";

impl ClientCertificateWire {
    /// Builds the source at this place.
    pub(crate) fn build(self, at: &Place<'_>) -> Option<ClientCertificate> {
        let from = self.from.unwrap_or(FromWire::Connection);
        let header = matches!(from, FromWire::Header);
        let xfcc = matches!(from, FromWire::Xfcc);
        let fields = [
            ("header", self.header.is_some(), header, "\"header\""),
            ("format", self.format.is_some(), header, "\"header\""),
            ("element", self.element.is_some(), xfcc, "\"xfcc\""),
            (
                "trusted_peers",
                self.trusted_peers.is_some(),
                header || xfcc,
                "\"xfcc\" or \"header\"",
            ),
        ];
        for (name, given, works, with) in fields {
            if given && !works {
                at.field(name)
                    .report(&format!("works only with from: {with}"));
            }
        }
        let (name, format) = match from {
            FromWire::Connection => return Some(ClientCertificate::Connection),
            FromWire::Xfcc => {
                let element = match self.element {
                    None | Some(ElementWire::Only) => XfccElement::Only,
                    Some(ElementWire::First) => XfccElement::First,
                    Some(ElementWire::Last) => XfccElement::Last,
                };
                (XFCC.to_owned(), CertificateFormat::Xfcc(element))
            }
            FromWire::Header => {
                let name = self.header.map(|name| name.0);
                let format = match self.format {
                    None | Some(FormatWire::Rfc9440) => CertificateFormat::Rfc9440,
                    Some(FormatWire::Pem) => CertificateFormat::Pem,
                    Some(FormatWire::Sha256Hex) => CertificateFormat::Sha256Hex,
                    Some(FormatWire::Sha256Base64url) => CertificateFormat::Sha256Base64url,
                };
                (name.unwrap_or_else(|| CLIENT_CERT.to_owned()), format)
            }
        };
        Some(ClientCertificate::Header(CertificateHeader {
            name,
            format,
            trusted_peers: trusted_peers(&at.field("trusted_peers"), self.trusted_peers)?,
        }))
    }
}

/// Builds the field at this place.
fn trusted_peers(at: &Place<'_>, given: Option<Vec<NonEmpty>>) -> Option<TrustedPeers> {
    let Some(given) = given else {
        return at.refuse("missing field: say who may set the header");
    };
    let names: Vec<String> = given.into_iter().map(|name| name.0).collect();
    match names.as_slice() {
        [] => at.refuse("must not be empty"),
        [any] if any == ANY => Some(TrustedPeers::Any),
        names if names.iter().all(|name| name.contains(':')) => {
            Some(TrustedPeers::WithUri(names.to_vec()))
        }
        _ => at.refuse("must be \"any\", or a list of URIs"),
    }
}

const ANY: &str = "any";
