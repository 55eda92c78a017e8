"""Debian's docker-registry on the loopback address, and pushing an image layout to it over plain HTTP."""

import http.client
import json
import socket
import subprocess
from pathlib import Path

from .checkout import debian
from .envoy import scratch
from .wait import eventually


class Registry:
    """A running registry. Use it in a `with` block."""

    def __init__(self):
        program = debian("docker-registry", "docker-registry")
        directory = scratch("registry")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.host = f"127.0.0.1:{self.port}"
        config = directory / "config.yml"
        config.write_text(
            "version: 0.1\nlog: { level: error }\n"
            f"storage: {{ filesystem: {{ rootdirectory: {directory / 'data'} }} }}\n"
            f"http: {{ addr: '{self.host}' }}\n"
        )
        self._log = directory / "log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen([program, "serve", str(config)], stdout=log, stderr=log)

    def __enter__(self):
        eventually("the registry answers", self._answers)
        return self

    def __exit__(self, *_):
        self._process.kill()
        self._process.wait()

    def _answers(self):
        assert self._process.poll() is None, self._log.read_text()
        try:
            return self.request("GET", "/v2/")[0] == 200
        except OSError:
            return False

    def request(self, method: str, path: str, body=None, headers=None):
        """Status, headers and body of an answer."""
        connection = http.client.HTTPConnection(self.host, timeout=60)
        try:
            connection.request(method, path, body=body, headers=headers or {})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    def push(self, layout: Path, name: str, tag: str) -> str:
        """Pushes the only manifest of an image layout, as the distribution specification says. Returns its digest."""
        [entry] = json.loads((layout / "index.json").read_text())["manifests"]
        manifest = blob(layout, entry["digest"])
        content = json.loads(manifest)
        for descriptor in [content["config"], *content["layers"]]:
            status, headers, _ = self.request("POST", f"/v2/{name}/blobs/uploads/")
            assert status == 202
            place = headers["location"].split(self.host, 1)[-1]
            joint = "&" if "?" in place else "?"
            status, _, answer = self.request(
                "PUT", f"{place}{joint}digest={descriptor['digest']}", blob(layout, descriptor["digest"]),
                {"content-type": "application/octet-stream"},
            )
            assert status == 201, answer
        status, headers, answer = self.request(
            "PUT", f"/v2/{name}/manifests/{tag}", manifest, {"content-type": entry["mediaType"]}
        )
        assert status == 201, answer
        return headers["docker-content-digest"]


def blob(layout: Path, digest: str) -> bytes:
    return (layout / "blobs" / digest.replace(":", "/")).read_bytes()
