"""One Envoy process."""

import http.client
import itertools
import json
import shutil
import signal
import subprocess
import time
from pathlib import Path

from .checkout import ROOT, envoy_program
from .wait import PATIENCE, eventually

_numbers = itertools.count()
_directory = ROOT / "target/tmp/deploy"

WASM = "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm"
ROUTER = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"
MANAGER = (
    "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
)


def scratch(name: str) -> Path:
    """A new directory below target/tmp."""
    path = _directory / f"{name}-{next(_numbers)}"
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(parents=True)
    return path


def address(port: int) -> dict:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


def cluster(name: str, port: int) -> dict:
    """A cluster whose only host is this port of this machine."""
    endpoint = {"endpoint": {"address": address(port)}}
    return {
        "name": name,
        "type": "STATIC",
        "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": [endpoint]}]},
    }


def bootstrap(filters: list, clusters: list, route: dict | None = None, **manager) -> dict:
    """An Envoy with one listener on a free port, whose routes lead to the cluster `upstream`."""
    default = {"match": {"prefix": "/"}, "route": {"cluster": "upstream"}}
    manager = {
        "@type": MANAGER,
        "stat_prefix": "test",
        "route_config": {
            "virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [{**default, **(route or {})}]}]
        },
        "http_filters": [*filters, {"name": "router", "typed_config": {"@type": ROUTER}}],
        **manager,
    }
    chain = {"filters": [{"name": "http", "typed_config": manager}]}
    return {
        "node": {"id": "test", "cluster": "test"},
        "admin": {"address": address(0)},
        "static_resources": {
            "listeners": [{"name": "test", "address": address(0), "filter_chains": [chain]}],
            "clusters": clusters,
        },
    }


class Discovery:
    """A file that Envoy watches for resources of one type."""

    def __init__(self, resources: list):
        self._directory = scratch("discovery")
        self._versions = itertools.count()
        self.publish(resources)

    def publish(self, resources: list):
        """Replaces the resources."""
        new = self._directory / "new"
        new.write_text(json.dumps({"version_info": str(next(self._versions)), "resources": resources}))
        new.rename(self._directory / "resources.json")

    def source(self) -> dict:
        """The ConfigSource that makes Envoy watch the file."""
        path = str(self._directory / "resources.json")
        return {"resource_api_version": "V3", "path_config_source": {"path": path}}


class Envoy:
    """A running Envoy with two workers. Use it in a `with` block."""

    def __init__(self, configuration, environment=None):
        self._directory = scratch("envoy")
        config = self._directory / "envoy.json"
        config.write_text(configuration if isinstance(configuration, str) else json.dumps(configuration))
        self._admin_file = self._directory / "admin"
        self._log = self._directory / "log"
        command = [
            envoy_program(), "-c", config, "--use-dynamic-base-id", "--concurrency", "2",
            "--log-level", "warning", "--file-flush-interval-msec", "100",
            "--admin-address-path", self._admin_file,
        ]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [str(word) for word in command], cwd=ROOT, env=environment, stdin=subprocess.DEVNULL,
                stdout=log, stderr=log,
            )

    def __enter__(self):
        try:
            self._wait()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        self.stop()

    def _wait(self):
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if self._process.poll() is not None:
                raise AssertionError(f"Envoy did not start. Its log:\n{self.log()}")
            text = self._admin_file.read_text().strip() if self._admin_file.exists() else ""
            if text:
                self.admin_port = int(text.rsplit(":", 1)[1])
                try:
                    if self.admin("/ready")[0] == 200:
                        listeners = json.loads(self.admin("/listeners?format=json")[1])["listener_statuses"]
                        self.port = listeners[0]["local_address"]["socket_address"]["port_value"]
                        return
                except OSError:
                    pass
            time.sleep(0.02)
        raise AssertionError(f"Envoy was not ready within {PATIENCE} s. Its log:\n{self.log()}")

    def log(self) -> str:
        return self._log.read_text(errors="replace")

    def admin(self, path: str):
        """Status and body of an answer of the administration interface."""
        return _get(self.admin_port, path, {})

    def get(self, path: str = "/orders", token: str | None = None, **headers):
        """Status and body of an answer to a request over a new connection."""
        if token is not None:
            headers["authorization"] = f"Bearer {token}"
        return _get(self.port, path, headers)

    def answer(self, *arguments, **headers):
        """As `get`, once the worker has keys: each fetches on its own and answers 503 until it has them."""

        def other_than_503():
            status, body = self.get(*arguments, **headers)
            return (status, body) if status != 503 else None

        return eventually("the worker has keys", other_than_503)

    def stop(self):
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGKILL)
        self._process.wait()


def _get(port: int, path: str, headers: dict):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        connection.request("GET", path, headers={**headers, "connection": "close"})
        answer = connection.getresponse()
        return answer.status, answer.read().decode(errors="replace")
    finally:
        connection.close()
