//! TLS: of the listener, and of clients.

use std::io;
use std::net::{Ipv4Addr, TcpStream};
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{PrivateKeyDer, ServerName};
use rustls::{
    ClientConfig, ClientConnection, HandshakeKind, RootCertStore, StreamOwned,
    SupportedProtocolVersion,
};
use serde_json::{Value, json};
use tokio_rustls::TlsConnector;

use super::certificate::{Authority, Certificate};
use super::http::{Connection, Request, Response};
use super::wait::PATIENCE;

/// The transport socket of a listener with the certificate `server`. `context` has more fields of
/// `DownstreamTlsContext`, and `validation` is the `validation_context`, or `null`.
pub(crate) fn transport_socket(
    server: &Certificate,
    require_client_certificate: bool,
    validation: &Value,
) -> Value {
    let mut common = json!({
        "alpn_protocols": ["h2", "http/1.1"],
        "tls_certificates": [{
            "certificate_chain": {"inline_string": server.certificate.pem()},
            "private_key": {"inline_string": server.key.serialize_pem()},
        }],
    });
    if !validation.is_null() {
        common["validation_context"] = validation.clone();
    }
    json!({
        "name": "envoy.transport_sockets.tls",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
            "require_client_certificate": require_client_certificate,
            "common_tls_context": common,
        },
    })
}

/// A client that trusts the servers of one authority. Its connections resume each other's sessions.
#[derive(Clone)]
pub(crate) struct TlsClient(Arc<ClientConfig>);

impl TlsClient {
    /// A client that shows this certificate, if the server asks for one.
    pub(crate) fn new(authority: &Authority, certificate: Option<&Certificate>) -> Self {
        Self::with_versions(authority, certificate, rustls::ALL_VERSIONS)
    }

    /// The same with these versions of TLS.
    pub(crate) fn with_versions(
        authority: &Authority,
        certificate: Option<&Certificate>,
        versions: &[&'static SupportedProtocolVersion],
    ) -> Self {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let mut roots = RootCertStore::empty();
        roots.add(authority.certificate.der().clone()).unwrap();
        let verifier = WebPkiServerVerifier::builder_with_provider(roots.into(), provider.clone());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)
            .unwrap()
            .with_webpki_verifier(verifier.build().unwrap());
        let config = match certificate {
            Some(Certificate { certificate, key }) => {
                let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
                let chain = vec![certificate.der().clone()];
                builder.with_client_auth_cert(chain, key).unwrap()
            }
            None => builder.with_no_client_auth(),
        };
        Self(Arc::new(config))
    }

    /// Sends a request over a new connection to a port of this machine.
    pub(crate) fn send(&self, port: u16, request: &Request) -> io::Result<Response> {
        let connection = self.connect(port)?;
        Connection::over(connection).send(request)
    }

    /// The same. Also returns whether the connection resumed an earlier session.
    pub(crate) fn send_resuming(
        &self,
        port: u16,
        request: &Request,
    ) -> io::Result<(Response, bool)> {
        let mut stream = self.connect(port)?;
        let response = Connection::over(&mut stream).send(request)?;
        let resumed = stream.conn.handshake_kind() == Some(HandshakeKind::Resumed);
        Ok((response, resumed))
    }

    /// Connects and completes the handshake.
    pub(crate) fn connect(
        &self,
        port: u16,
    ) -> io::Result<StreamOwned<ClientConnection, TcpStream>> {
        let socket = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        socket.set_read_timeout(Some(PATIENCE))?;
        socket.set_nodelay(true)?;
        let client = ClientConnection::new(Arc::clone(&self.0), name());
        let client = client.map_err(io::Error::other)?;
        Ok(StreamOwned::new(client, socket))
    }

    /// Sends these requests one after the other over one HTTP/2 connection. Returns the statuses.
    pub(crate) fn send_http2(&self, port: u16, requests: &[Request]) -> Vec<u16> {
        let mut config = ClientConfig::clone(&self.0);
        config.alpn_protocols = vec![b"h2".to_vec()];
        let connector = TlsConnector::from(Arc::new(config));
        let runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = { runtime }.enable_all().build().unwrap();
        runtime.block_on(async {
            let socket = tokio::net::TcpStream::connect((Ipv4Addr::LOCALHOST, port));
            let stream = connector.connect(name(), socket.await.unwrap()).await;
            let (client, connection) = h2::client::handshake(stream.unwrap()).await.unwrap();
            tokio::spawn(connection);
            let mut client = client.ready().await.unwrap();
            let mut statuses = Vec::new();
            for request in requests {
                let (response, _) = client.send_request(request.for_http2(), true).unwrap();
                statuses.push(response.await.unwrap().status().as_u16());
            }
            statuses
        })
    }
}

fn name() -> ServerName<'static> {
    "localhost".try_into().unwrap()
}
