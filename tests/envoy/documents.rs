//! The configurations in the documentation are the files in `envoy/`. Envoy accepts them, and they
//! work.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer as Ca, KeyPair};
use serde_json::json;

use crate::support::{
    Challenge, Envoy, Issuer, Request, Server, Token, binary, bootstrap, cluster, envoy_has,
    eventually, get, root,
};

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Whether the Envoy under test knows all fields of this file in `envoy/`.
fn envoy_knows(file: &str) -> bool {
    let field = "reject_duplicate_keys";
    !read(&format!("envoy/{file}")).contains(field)
        || envoy_has("1.40.0", &format!("envoy/{file} with `{field}`"))
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
        if !envoy_knows(&path.file_name().unwrap().to_string_lossy()) {
            continue;
        }
        // These certificates do not exist, or only while the demo runs.
        let text = fs::read_to_string(&path)
            .unwrap()
            .replace(
                "demo/.run/tls.crt",
                &certificates.chain.display().to_string(),
            )
            .replace("demo/.run/tls.key", &certificates.key.display().to_string())
            .replace(
                "/etc/envoy/server.crt",
                &certificates.chain.display().to_string(),
            )
            .replace(
                "/etc/envoy/server.key",
                &certificates.key.display().to_string(),
            )
            .replace(
                "/etc/envoy/clients-ca.crt",
                &certificates.ca.display().to_string(),
            );
        let copy = certificates.directory.join(path.file_name().unwrap());
        fs::write(&copy, text).unwrap();
        let output = Command::new(binary())
            .current_dir(root())
            .env("GATE_SECRET", "secret")
            .env("DPOP_NONCE_KEY", "A".repeat(44))
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
    assert!(validated >= 7, "only {validated} configurations");
}

/// `text` with all replacements made. Each must apply.
fn replaced(mut text: String, replacements: &[(&str, String)]) -> String {
    for (from, to) in replacements {
        assert!(text.contains(from), "{from:?} is missing");
        text = text.replace(from, to);
    }
    text
}

/// The placeholders for the upstreams in the configurations.
const UPSTREAM: &str = "port_value: 8081";
const SANDBOX: &str = "port_value: 8082";

/// Envoy with a configuration of `envoy/`, and an issuer that it reaches over TLS.
struct Example {
    envoy: Envoy,
    _issuer: Issuer,
    _front: Envoy,
    _certificates: Certificates,
}

impl Example {
    /// Starts Envoy with the configuration in this file, but with addresses of this machine: those of
    /// `upstreams` by their placeholders. A busy key server may take longer than the timeout of the
    /// file.
    fn start(file: &str, upstreams: &[(&str, &Server)]) -> Self {
        let issuer = Issuer::start();
        let certificates = Certificates::make("issuer.example", file);
        let front = certificates.front_of(&issuer.server);
        let mut replacements = vec![
            ("port_value: 9901", "port_value: 0".to_owned()),
            ("timeout: 2s", "timeout: 60s".to_owned()),
            (
                "address: 0.0.0.0, port_value: 8080",
                "address: 127.0.0.1, port_value: 0".to_owned(),
            ),
            (
                "address: issuer.example, port_value: 443",
                format!("address: 127.0.0.1, port_value: {}", front.port),
            ),
            (
                "/etc/ssl/certs/ca-certificates.crt",
                certificates.ca.display().to_string(),
            ),
        ];
        for (place, server) in upstreams {
            replacements.push((place, format!("port_value: {}", server.port)));
        }
        let bootstrap = replaced(read(&format!("envoy/{file}")), &replacements);
        Self {
            envoy: Envoy::start(&bootstrap, 2),
            _issuer: issuer,
            _front: front,
            _certificates: certificates,
        }
    }

    fn status(&self, request: &Request) -> u16 {
        self.envoy.send(request).status
    }
}

#[test]
fn the_smallest_configuration_works() {
    let upstream = Server::echo();
    let example = Example::start("minimal.yaml", &[(UPSTREAM, &upstream)]);
    assert_eq!(example.status(&get("/")), 401);
    let good = get("/orders").bearer(Token::good().signed());
    assert_eq!(example.envoy.send(&good).json()["target"], "/orders");
    assert_eq!(upstream.count(), 1);
}

#[test]
fn the_configuration_for_metadata_works() {
    let upstream = Server::echo();
    let example = Example::start("metadata.yaml", &[(UPSTREAM, &upstream)]);
    let token = |roles: &[&str]| {
        Token::good()
            .claim("realm_access", json!({ "roles": roles }))
            .signed()
    };
    assert_eq!(example.status(&get("/orders")), 401);
    for (path, roles, expected) in [
        ("/orders", &[][..], 200),
        ("/admin", &["user"], 403),
        ("/admin", &["user", "admin"], 200),
    ] {
        let request = get(path)
            .bearer(token(roles))
            .header("x-jwt-metadata", "forged");
        let answer = example.envoy.send(&request);
        assert_eq!(answer.status, expected, "{path} {roles:?}");
        if expected == 200 {
            assert!(answer.json()["headers"].get("x-jwt-metadata").is_none());
        }
    }
}

#[test]
fn the_configuration_for_scopes_works() {
    let upstream = Server::echo();
    let example = Example::start("scopes.yaml", &[(UPSTREAM, &upstream)]);
    let scope = |scope: &str| Token::good().claim("scope", scope).signed();
    for (method, path, token, status) in [
        ("GET", "/health", None, 200),
        ("GET", "/orders", None, 401),
        ("GET", "/orders/7", Some("orders:read"), 200),
        ("POST", "/orders", Some("orders:read"), 403),
        ("POST", "/orders", Some("orders:write"), 200),
        ("GET", "/reports/1", Some("admin"), 200),
        ("GET", "/reports/1", Some("orders:read"), 403),
        ("GET", "/elsewhere", Some("orders:read"), 401),
        ("GET", "/health/../orders", None, 401),
    ] {
        let mut request = get(path).method(method).header("content-length", "0");
        if let Some(token) = token {
            request = request.bearer(scope(token));
        }
        assert_eq!(example.status(&request), status, "{method} {path}");
    }
    let reached = upstream.count();
    let preflight = |origin: &str| {
        get("/orders")
            .method("OPTIONS")
            .header("origin", origin)
            .header("access-control-request-method", "POST")
    };
    let answer = example.envoy.send(&preflight("https://app.example"));
    let allowed = "access-control-allow-origin";
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header(allowed), Some("https://app.example"));
    assert_eq!(upstream.count(), reached, "Envoy answers the preflight");
    assert_eq!(example.status(&preflight("https://evil.example")), 200);
    assert_eq!(
        upstream.count(),
        reached + 1,
        "that of another origin by the upstream"
    );
    // Scripts of the application may read why a request was refused.
    let answer = example
        .envoy
        .send(&get("/orders").header("origin", "https://app.example"));
    assert_eq!(answer.status, 401);
    assert_eq!(answer.header(allowed), Some("https://app.example"));
    assert_eq!(
        answer.header("access-control-expose-headers"),
        Some("www-authenticate")
    );
}

/// The status of a call of a tool, and the scope that the challenge asks for.
fn call(example: &Example, scope: &str, request: Request) -> (u16, String) {
    let token = Token::good().claim("aud", "https://api.example/mcp");
    let request = request.bearer(token.claim("scope", scope).signed());
    let answer = example.envoy.send(&request);
    let challenge = Challenge::from_response(&answer).unwrap();
    let scope = challenge.map(|challenge| challenge.parameter("scope").to_owned());
    (answer.status, scope.unwrap_or_default())
}

const BOTH: &str = "mcp:read mcp:write";

/// Checks what the configurations for MCP have in common.
fn check_mcp(example: &Example) {
    let well_known = "/.well-known/oauth-protected-resource/mcp";
    let metadata = example.envoy.send(&get(well_known)).json();
    assert_eq!(metadata["resource"], "https://api.example/mcp");
    assert_eq!(
        metadata["authorization_servers"],
        json!(["https://issuer.example"])
    );
    let stream = || get("/mcp").header("accept", "text/event-stream");
    let missing = stream().header("origin", "https://app.example");
    let missing = example.envoy.send(&missing);
    assert_eq!(
        missing.header("www-authenticate"),
        Some(
            r#"Bearer realm="api.example", scope="mcp:read", resource_metadata="https://api.example/.well-known/oauth-protected-resource/mcp""#
        )
    );
    // Clients in browsers may read it.
    let exposed = missing.header("access-control-expose-headers");
    assert_eq!(exposed, Some("www-authenticate, mcp-session-id"));
    let origin = missing.header("access-control-allow-origin");
    assert_eq!(origin, Some("https://app.example"));
    let preflight = |target: &str| {
        let request = get(target)
            .method("OPTIONS")
            .header("origin", "https://app.example");
        let request = request.header("access-control-request-method", "POST");
        example.envoy.send(&request)
    };
    let allowed = preflight("/mcp");
    assert_eq!(allowed.status, 200);
    let headers = allowed.header("access-control-allow-headers").unwrap();
    assert!(headers.contains("mcp-protocol-version"), "{headers}");
    assert_eq!(call(example, "mcp:read", stream()).0, 200);
    let end = get("/mcp").method("DELETE");
    assert_eq!(call(example, "mcp:read", end).0, 200);
    assert_eq!(example.status(&get("/mcp/x")), 401);
}

#[test]
fn the_configuration_for_mcp_works() {
    if !envoy_knows("mcp.yaml") {
        return;
    }
    let upstream = Server::echo();
    let example = Example::start("mcp.yaml", &[(UPSTREAM, &upstream)]);
    check_mcp(&example);
    let post = |body: String| {
        let request = get("/mcp")
            .method("POST")
            .header("content-type", "application/json");
        request
            .header("accept", "application/json, text/event-stream")
            .body(body)
    };
    let message = |method: &str, name: &str| {
        json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": {"name": name}}).to_string()
    };
    for (scope, body, status, asked) in [
        ("mcp:read", message("initialize", ""), 200, ""),
        ("mcp:read", message("tools/list", ""), 200, ""),
        ("mcp:read", message("tools/call", "read_file"), 200, ""),
        ("mcp:read", message("tools/call", "write_file"), 403, BOTH),
        ("mcp:read", message("tools/callx", "read_file"), 403, BOTH),
        (
            "mcp:write",
            message("tools/call", "read_file"),
            403,
            "mcp:read",
        ),
        (BOTH, message("tools/call", "write_file"), 200, ""),
        (BOTH, format!("[{}]", message("tools/list", "")), 400, ""),
    ] {
        let found = call(&example, scope, post(body.clone()));
        assert_eq!(found, (status, asked.to_owned()), "{scope}: {body}");
    }
    let reached = upstream.received().last().cloned().unwrap();
    assert_eq!(reached.header("authorization"), None);
}

#[test]
fn the_configuration_for_mcp_by_headers_works() {
    let upstream = Server::echo();
    let example = Example::start("mcp-headers.yaml", &[(UPSTREAM, &upstream)]);
    check_mcp(&example);
    let post = |headers: &[(&str, &str)]| {
        let request = get("/mcp").method("POST").body("{}");
        let with = |request: Request, (name, value): &(&str, &str)| request.header(name, value);
        headers.iter().fold(request, with)
    };
    let version = ("mcp-protocol-version", "2026-07-28");
    let (read, write) = (("mcp-name", "read_file"), ("mcp-name", "write_file"));
    let (called, listed) = (("mcp-method", "tools/call"), ("mcp-method", "tools/list"));
    for (headers, status) in [
        (&[version, listed][..], 200),
        (&[version, called, read], 200),
        (&[version, called, write], 403),
        (&[version, called], 403),
        (&[version, read], 403),
        (&[called, read], 403),
        (&[("mcp-protocol-version", "2025-11-25"), called, read], 403),
        (
            &[version, called, ("mcp-name", "=?base64?cmVhZF9maWxl?=")],
            403,
        ),
        // Of a repeated header the server gets only the value that counted.
        (&[version, called, read, write], 200),
        (&[version, called, write, read], 403),
        (&[version, called, listed, write], 403),
    ] {
        assert_eq!(
            call(&example, "mcp:read", post(headers)).0,
            status,
            "{headers:?}"
        );
    }
    for received in upstream.received() {
        let mut names = received
            .headers
            .iter()
            .filter(|(name, _)| name == "mcp-name");
        assert!(
            names.all(|(_, value)| value == b"read_file"),
            "{received:?}"
        );
    }
    assert_eq!(call(&example, BOTH, post(&[])).0, 200);
}

#[test]
fn the_configuration_for_wso2_works() {
    let (production, sandbox) = (Server::echo(), Server::echo());
    let example = Example::start("wso2.yaml", &[(UPSTREAM, &production), (SANDBOX, &sandbox)]);
    let token = |name: &str, keytype: &str| {
        let api = json!({"name": name, "version": "1.0.0", "context": "/phoneverify/1.0.0"});
        Token::good()
            .header("typ", "JWT")
            .claim("iss", "https://issuer.example/oauth2/token")
            .claim("aud", "client")
            .claim("keytype", keytype)
            .claim("subscribedAPIs", json!([api]))
            .signed()
    };
    let path = "/phoneverify/1.0.0/CheckPhoneNumber";
    let subscribed = |keytype: &str| get(path).bearer(token("PhoneVerification", keytype));
    let counts = || (production.count(), sandbox.count());
    assert_eq!(example.status(&subscribed("PRODUCTION")), 200);
    assert_eq!(counts(), (1, 0));
    let forged = subscribed("SANDBOX").header("x-key-type", "PRODUCTION");
    assert_eq!(example.status(&forged), 200);
    assert_eq!(counts(), (1, 1));
    assert_eq!(example.status(&subscribed("OTHER")), 403);
    assert_eq!(
        example.status(&get(path).bearer(token("Other", "PRODUCTION"))),
        403
    );
    assert_eq!(
        example.status(&get(path).header("x-key-type", "PRODUCTION")),
        401
    );
    let elsewhere = get("/other").bearer(token("PhoneVerification", "PRODUCTION"));
    assert_eq!(example.status(&elsewhere), 401);
    assert_eq!(counts(), (1, 1));
}

#[test]
fn prometheus_sees_reasons_and_providers_as_labels() {
    let upstream = Server::echo();
    let example = Example::start("stats-tags.yaml", &[(UPSTREAM, &upstream)]);
    assert_eq!(example.status(&get("/")), 401);
    let expired = Token::good().claim("exp", 1).signed();
    assert_eq!(example.status(&get("/").bearer(&expired)), 401);
    assert_eq!(example.status(&get("/").bearer(expired)), 401);
    // A good token waits for the keys.
    assert_eq!(
        example.status(&get("/").bearer(Token::good().signed())),
        200
    );
    let lines = [
        r#"bearer_gate_denied{bearer_gate_reason="missing"} 1"#,
        r#"bearer_gate_denied{bearer_gate_reason="expired"} 2"#,
        r#"bearer_gate_jwks_fetch_success{bearer_gate_provider="cloud"} 1"#,
        r"bearer_gate_allowed{} 1",
    ];
    eventually(&format!("{lines:?}"), || {
        let answer = example.envoy.admin("/stats/prometheus");
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        lines
            .iter()
            .all(|line| text.lines().any(|one| one == *line))
    });
}

/// A certificate for one name and its certificate authority, as files.
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
        // With the name of the authority the certificate would look self-signed.
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

    /// An Envoy that terminates TLS with this certificate in front of a server.
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
