//! An independent authorization server: Debian's glewlwyd, written in C, signs the tokens, publishes the
//! keys, answers introspection requests and revokes tokens.

use std::env;
use std::fs::{self, File};
use std::io::{Write, stderr};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{KeyPair, PKCS_RSA_SHA256, RsaKeySize};
use serde_json::{Value, json};

use crate::support::{Connection, Gate, Request, Response, Setup, eventually, get};

/// The package's script that creates the tables, and its modules, relative to the program.
const TABLES: &str = "share/dbconfig-common/data/glewlwyd/install/sqlite3";
const MODULES: &str = "lib/glewlwyd";

/// The administrator that the script creates.
const ADMINISTRATOR: (&str, &str) = ("admin", "password");

const ISSUER: &str = "https://glewlwyd.example";
const CLIENTS: [(&str, &str); 2] = [("app", "the-secret-of-app"), ("other", "that-of-other")];

/// A glewlwyd with its own database.
struct Glewlwyd {
    child: Child,
    directory: PathBuf,
    port: u16,
    session: String,
}

impl Glewlwyd {
    /// Starts glewlwyd. `None` if it is not installed, with a message.
    fn start() -> Option<Self> {
        let Some(program) = program() else {
            // Directly, since the test harness captures `eprintln!`.
            let _ = writeln!(
                stderr(),
                "SKIPPED: glewlwyd is not in the PATH and GLEWLWYD does not name it. Debian's \
                 package of this name has it: apt-get install glewlwyd"
            );
            return None;
        };
        let directory =
            Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("glewlwyd-{}", std::process::id()));
        let _ = fs::remove_dir_all(&directory);
        fs::create_dir_all(&directory).unwrap();
        let database = directory.join("database");
        let prefix = program.parent().and_then(Path::parent).unwrap();
        let made = Command::new("sqlite3")
            .arg(&database)
            .stdin(File::open(prefix.join(TABLES)).unwrap())
            .status()
            .expect("glewlwyd's package brings sqlite3");
        assert!(made.success());
        let port = free_port();
        let modules = prefix.join(MODULES);
        let module = |kind: &str| modules.join(kind).display().to_string();
        let config = [
            format!("port = {port}"),
            "bind_address = \"127.0.0.1\"".to_owned(),
            format!("external_url = \"http://127.0.0.1:{port}\""),
            "login_url = \"login.html\"".to_owned(),
            "api_prefix = \"api\"".to_owned(),
            "log_mode = \"console\"".to_owned(),
            "log_level = \"INFO\"".to_owned(),
            "cookie_domain = \"127.0.0.1\"".to_owned(),
            "cookie_secure = 0".to_owned(),
            "session_key = \"SESSION\"".to_owned(),
            "admin_scope = \"g_admin\"".to_owned(),
            "profile_scope = \"g_profile\"".to_owned(),
            "hash_algorithm = \"SHA512\"".to_owned(),
            format!("user_module_path = {:?}", module("user")),
            format!(
                "user_middleware_module_path = {:?}",
                module("user_middleware")
            ),
            format!("client_module_path = {:?}", module("client")),
            format!("user_auth_scheme_module_path = {:?}", module("scheme")),
            format!("plugin_module_path = {:?}", module("plugin")),
            format!("database = {{ type = \"sqlite3\" path = {database:?} }};"),
        ];
        fs::write(directory.join("conf"), config.join("\n")).unwrap();
        let log = File::create(directory.join("log")).unwrap();
        let child = Command::new(program)
            .arg(format!(
                "--config-file={}",
                directory.join("conf").display()
            ))
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut glewlwyd = Self {
            child,
            directory,
            port,
            session: String::new(),
        };
        glewlwyd.log_in();
        Some(glewlwyd)
    }

    /// Waits until the server is up, and logs in as the administrator.
    fn log_in(&mut self) {
        let (username, password) = ADMINISTRATOR;
        let body = json!({"username": username, "password": password}).to_string();
        let request = post("/api/auth")
            .header("content-type", "application/json")
            .body(body);
        let end = Instant::now() + Duration::from_mins(5);
        let answer = loop {
            match Connection::to(self.port).and_then(|mut it| it.send(&request)) {
                Ok(answer) => break answer,
                Err(_) if Instant::now() < end => thread::sleep(Duration::from_millis(20)),
                Err(error) => panic!("{error}: {}", self.log()),
            }
        };
        assert_eq!(answer.status, 200, "{}", self.log());
        let cookie = answer.header("set-cookie").unwrap();
        self.session = cookie.split(';').next().unwrap().to_owned();
    }

    fn send(&self, request: &Request) -> Response {
        Connection::to(self.port).unwrap().send(request).unwrap()
    }

    /// Adds an object through the administration interface.
    fn add(&self, what: &str, value: &Value) {
        let request = post(&format!("/api/{what}/"))
            .header("content-type", "application/json")
            .header("cookie", &self.session)
            .body(value.to_string());
        let answer = self.send(&request);
        let said = String::from_utf8_lossy(&answer.body);
        assert_eq!(answer.status, 200, "{what}: {said} {}", self.log());
    }

    /// Adds an issuer at `/api/<name>` that signs tokens with this key, of the kind `rsa` or `ecdsa`.
    fn add_issuer(&self, name: &str, kind: &str, key: &KeyPair) {
        self.add(
            "mod/plugin",
            &json!({"module": "oidc", "name": name, "display_name": name, "parameters": {
                "iss": ISSUER,
                "jwt-type": kind,
                "jwt-key-size": "256",
                "key": key.serialize_pem(),
                "cert": key.public_key_pem(),
                "access-token-duration": 3600,
                "refresh-token-duration": 3600,
                "code-duration": 600,
                "refresh-token-rolling": false,
                "allow-non-oidc": true,
                "auth-type-client-enabled": true,
                "jwks-show": true,
                "introspection-revocation-allowed": true,
                "introspection-revocation-allow-target-client": true,
                "introspection-revocation-auth-scope": [],
            }}),
        );
    }

    /// Sends a form to an endpoint as this client.
    fn ask(&self, target: &str, (id, secret): (&str, &str), form: &str) -> Response {
        let basic = STANDARD.encode(format!("{id}:{secret}"));
        let request = post(target)
            .header("authorization", format!("Basic {basic}"))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form);
        self.send(&request)
    }

    /// Gets a token for a client.
    fn token(&self, issuer: &str, client: (&str, &str)) -> String {
        let form = "grant_type=client_credentials&scope=read";
        let answer = self.ask(&format!("/api/{issuer}/token"), client, form);
        let token = answer.json()["access_token"].as_str().map(str::to_owned);
        token.unwrap_or_else(|| panic!("{answer:?} {}", self.log()))
    }

    fn log(&self) -> String {
        let log = fs::read(self.directory.join("log")).unwrap_or_default();
        String::from_utf8_lossy(&log).into_owned()
    }
}

impl Drop for Glewlwyd {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() {
            eprintln!("glewlwyd's files are in {}.", self.directory.display());
        } else {
            let _ = fs::remove_dir_all(&self.directory);
        }
    }
}

/// The program that `GLEWLWYD` names, or the one in the `PATH`.
fn program() -> Option<PathBuf> {
    if let Some(named) = env::var_os("GLEWLWYD") {
        let named = PathBuf::from(named);
        assert!(
            named.is_file(),
            "GLEWLWYD={} is not a program",
            named.display()
        );
        return Some(named);
    }
    env::split_paths(&env::var_os("PATH")?)
        .map(|directory| directory.join("glewlwyd"))
        .find(|program| program.is_file())
}

/// A free port, since glewlwyd cannot choose one itself.
fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.local_addr().unwrap().port()
}

fn post(target: &str) -> Request {
    get(target).method("POST")
}

/// A gate that verifies tokens with the issuer's keys, and except at `/keys` also asks about them.
fn gate(glewlwyd: &Glewlwyd, issuer: &str) -> Gate {
    let uri = |name: &str| {
        let uri = format!("http://127.0.0.1:{}/api/{issuer}/{name}", glewlwyd.port);
        json!({"uri": uri, "cluster": "glewlwyd", "timeout": "60s"})
    };
    let (client, secret) = CLIENTS[0];
    // Without a requested resource, `aud` is the scope.
    let keys = json!({
        "issuer": ISSUER,
        "audiences": ["read"],
        "remote_jwks": {"http_uri": uri("jwks")},
    });
    let mut asked = keys.clone();
    asked["introspection"] = json!({
        "http_uri": uri("introspect"),
        "client_id": client,
        "client_secret_environment_variable": "GATE_SECRET",
        "cache_duration": "1s",
        "for": "all",
    });
    let rule = |prefix: &str, provider: &str| {
        let requires = json!({"provider_name": provider, "scopes": ["read"]});
        json!({"match": {"prefix": prefix}, "requires": requires})
    };
    let mut setup = Setup::new(json!({
        "providers": {"keys": keys, "asked": asked},
        "rules": [rule("/keys", "keys"), rule("/", "asked")],
    }));
    setup.clusters.push(("glewlwyd".to_owned(), glewlwyd.port));
    setup.vm_config = json!({"environment_variables": {"key_values": {"GATE_SECRET": secret}}});
    setup.start()
}

#[test]
fn the_tokens_of_glewlwyd_pass_until_they_are_revoked() {
    let Some(glewlwyd) = Glewlwyd::start() else {
        return;
    };
    let scope =
        json!({"name": "read", "display_name": "read", "password_required": false, "scheme": {}});
    glewlwyd.add("scope", &scope);
    for (id, secret) in CLIENTS {
        let client = json!({
            "client_id": id,
            "name": id,
            "enabled": true,
            "confidential": true,
            "client_secret": secret,
            "token_endpoint_auth_method": ["client_secret_basic"],
            "authorization_type": ["client_credentials"],
            "redirect_uri": [],
            "scope": ["read"],
        });
        glewlwyd.add("client", &client);
    }
    let rsa = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).unwrap();
    for (kind, key) in [("ecdsa", KeyPair::generate().unwrap()), ("rsa", rsa)] {
        glewlwyd.add_issuer(kind, kind, &key);
        let gate = gate(&glewlwyd, kind);
        let status = |target: &str, token: &str| gate.send(&get(target).bearer(token)).status;
        let (one, two) = (
            glewlwyd.token(kind, CLIENTS[0]),
            glewlwyd.token(kind, CLIENTS[0]),
        );
        for token in [&one, &two] {
            assert_eq!(status("/keys", token), 200, "{kind}: {}", gate.log());
            assert_eq!(status("/", token), 200, "{kind}: {}", gate.log());
        }
        // glewlwyd tells a client only about its own tokens.
        let foreign = glewlwyd.token(kind, CLIENTS[1]);
        assert_eq!(
            (status("/keys", &foreign), status("/", &foreign)),
            (200, 401)
        );
        gate.counts("denied.inactive", 1);

        let revoke = format!("/api/{kind}/revoke");
        let answer = glewlwyd.ask(&revoke, CLIENTS[0], &format!("token={one}"));
        assert_eq!(answer.status, 200, "{}", glewlwyd.log());
        let begun = Instant::now();
        eventually("the revoked token is refused", || status("/", &one) == 401);
        println!(
            "{kind}: a revoked token passed for {:?} with a cache_duration of 1 s",
            begun.elapsed()
        );
        assert!(begun.elapsed() < Duration::from_mins(1));
        let refused = gate.send(&get("/").bearer(&one));
        assert_eq!(
            (refused.status, refused.error().as_str()),
            (401, "invalid_token")
        );
        // Only that token is revoked, and a provider without introspection does not know.
        assert_eq!(status("/", &two), 200);
        assert_eq!(status("/keys", &one), 200);
        assert_eq!(gate.metric("introspection.asked.failure"), 0);
        assert!(gate.metric("introspection.asked.success") >= 4);
    }
}
