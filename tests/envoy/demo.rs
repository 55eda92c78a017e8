//! `make run` as a newcomer runs it: with a real authorization server, and every answer as expected.

use std::net::{Ipv4Addr, TcpListener};
use std::process::{Command, Output};

use crate::support::root;

const PORTS: [&str; 8] = [
    "HTTP_PORT",
    "HTTPS_PORT",
    "CONSOLE_PORT",
    "ADMIN_PORT",
    "AUTH_PORT",
    "API_PORT",
    "PORTAL_PORT",
    "MCP_PORT",
];

fn make_run(ports: [u16; 8]) -> Output {
    let mut command = Command::new("make");
    command.current_dir(root()).args(["run", "ONCE=1"]);
    for (name, port) in PORTS.iter().zip(ports) {
        command.arg(format!("{name}={port}"));
    }
    // They would be those of `make test`, if it runs this test.
    for name in ["MAKEFLAGS", "MAKELEVEL", "MFLAGS", "MAKEOVERRIDES"] {
        command.env_remove(name);
    }
    command.output().unwrap()
}

#[test]
fn the_walk_gets_the_expected_answers() {
    let output = make_run([0; 8]);
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}\n{errors}");
    assert!(
        text.contains("All answers were the expected ones."),
        "{text}"
    );
    assert!(!text.contains("FAILED"), "{text}");
    // Tokens that the authorization server issues, introspects and revokes.
    for line in [
        "The access token is not active",
        "The access token has been revoked",
        "POST /introspect 200",
        "POST /revoke 200",
        "403 Forbidden",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
    // The MCP client finds the authorization server by itself, and steps up.
    for line in [
        "/.well-known/oauth-protected-resource/mcp\"",
        "\"scopes_supported\": [ \"mcp:read\", \"mcp:write\" ]",
        "scope=mcp:read\n",
        "POST /mcp tools/call read_entry 200",
        "error=\"insufficient_scope\"",
        "scope=mcp:read mcp:write\n",
        "POST /mcp tools/call write_entry 200",
        "23. No refused call reached the MCP server",
        // A thief cannot use a token that is bound to a key.
        "The DPoP proof has been used before",
        "29. The thief has not reached the API",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
    assert!(!text.contains("write_entry 401"), "{text}");
}

#[test]
fn a_port_in_use_is_reported_in_one_line() {
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = taken.local_addr().unwrap().port();
    let output = make_run([port, 0, 0, 0, 0, 0, 0, 0]);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    assert!(
        errors.contains(&format!("port {port} (HTTP_PORT) is taken")),
        "{errors}"
    );
}
