//! The configurations that the documentation shows are the files in `envoy/`, which Envoy accepts
//! and which work.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer as Ca, KeyPair};
use serde_json::json;

use crate::support::{Envoy, Issuer, Server, Token, bootstrap, cluster, get, root};

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[test]
fn the_readme_shows_the_smallest_configuration_as_it_is() {
    let shown = format!("```yaml\n{}```\n", read("envoy/minimal.yaml"));
    assert!(
        read("README.md").contains(&shown),
        "README.md does not show envoy/minimal.yaml word for word"
    );
}

#[test]
fn envoy_accepts_every_configuration() {
    let certificates = Certificates::make("localhost", "demo");
    let mut validated = 0;
    for entry in fs::read_dir(root().join("envoy")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "yaml") {
            continue;
        }
        // The demo makes its certificate when it runs.
        let text = fs::read_to_string(&path)
            .unwrap()
            .replace(
                "demo/.run/tls.crt",
                &certificates.chain.display().to_string(),
            )
            .replace("demo/.run/tls.key", &certificates.key.display().to_string());
        let copy = certificates.directory.join(path.file_name().unwrap());
        fs::write(&copy, text).unwrap();
        let output = Command::new(root().join(".tools/envoy/bin/envoy"))
            .current_dir(root())
            .env("GATE_SECRET", "secret")
            .args(["--mode", "validate", "--use-dynamic-base-id", "-c"])
            .arg(&copy)
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{}: {}",
            path.display(),
            String::from_utf8_lossy(&output.stderr)
        );
        validated += 1;
    }
    assert!(validated >= 2, "only {validated} configurations");
}

/// `text` with every one of the replacements made, each of which there must be something for.
fn replaced(mut text: String, replacements: &[(&str, String)]) -> String {
    for (from, to) in replacements {
        assert!(text.contains(from), "there is no {from:?}");
        text = text.replace(from, to);
    }
    text
}

#[test]
fn the_smallest_configuration_works() {
    let (issuer, upstream) = (Issuer::start(), Server::echo());
    let certificates = Certificates::make("issuer.example", "minimal");
    let front = certificates.front_of(&issuer.server);
    let bootstrap = replaced(
        read("envoy/minimal.yaml"),
        &[
            ("port_value: 9901", "port_value: 0".to_owned()),
            (
                "address: 0.0.0.0, port_value: 8080",
                "address: 127.0.0.1, port_value: 0".to_owned(),
            ),
            ("port_value: 8081", format!("port_value: {}", upstream.port)),
            (
                "address: issuer.example, port_value: 443",
                format!("address: 127.0.0.1, port_value: {}", front.port),
            ),
            (
                "/etc/ssl/certs/ca-certificates.crt",
                certificates.ca.display().to_string(),
            ),
        ],
    );
    let envoy = Envoy::start(&bootstrap, 2);
    assert_eq!(envoy.send(&get("/")).status, 401);
    let good = get("/orders").bearer(Token::good().signed());
    assert_eq!(envoy.send(&good).json()["target"], "/orders");
    assert_eq!(upstream.count(), 1);
}

/// A certificate for one name, and the authority that it is from, as files.
struct Certificates {
    directory: PathBuf,
    ca: PathBuf,
    chain: PathBuf,
    key: PathBuf,
}

impl Certificates {
    fn make(name: &str, directory: &str) -> Self {
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR"))
            .join(format!("certificates-{}-{directory}", std::process::id()));
        fs::create_dir_all(&directory).unwrap();
        let ca_key = KeyPair::generate().unwrap();
        let mut ca = CertificateParams::new(Vec::new()).unwrap();
        ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let ca_certificate = ca.self_signed(&ca_key).unwrap();
        let authority = Ca::new(ca, ca_key);
        let key = KeyPair::generate().unwrap();
        let mut certificate = CertificateParams::new(vec![name.to_owned()]).unwrap();
        // Not that of the authority: the certificate would look like one that signs itself.
        certificate
            .distinguished_name
            .push(DnType::CommonName, name);
        let certificate = certificate.signed_by(&key, &authority).unwrap();
        let write = |file: &str, text: String| {
            let path = directory.join(file);
            fs::write(&path, text).unwrap();
            path
        };
        Self {
            ca: write("ca.crt", ca_certificate.pem()),
            chain: write("tls.crt", certificate.pem()),
            key: write("tls.key", key.serialize_pem()),
            directory,
        }
    }

    /// An Envoy that speaks TLS with this certificate, in front of a server.
    fn front_of(&self, server: &Server) -> Envoy {
        let chain = json!({
            "filters": [{
                "name": "envoy.filters.network.tcp_proxy",
                "typed_config": {
                    "@type": "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy",
                    "stat_prefix": "front",
                    "cluster": "server",
                },
            }],
            "transport_socket": {
                "name": "envoy.transport_sockets.tls",
                "typed_config": {
                    "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
                    "common_tls_context": {"tls_certificates": [{
                        "certificate_chain": {"filename": self.chain},
                        "private_key": {"filename": self.key},
                    }]},
                },
            },
        });
        Envoy::start(&bootstrap(&chain, &[cluster("server", server.port)]), 1)
    }
}

impl Drop for Certificates {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.directory);
    }
}
