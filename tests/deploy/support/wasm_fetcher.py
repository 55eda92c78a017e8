"""What the fetcher of Istio's agent, which Envoy Gateway shares, accepts: written after its behaviour with images of
each kind against a real registry."""

import gzip
import hashlib
import io
import json
import posixpath
import tarfile

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
INDEXES = {
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
}
OCI_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
DOCKER_LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"
WASM_LAYER = "application/vnd.module.wasm.content.layer.v1+wasm"
MAX_SIZE = 256 * 1024 * 1024


class Refused(Exception):
    """The image is not one that the fetcher accepts."""


def module(media_type: str, manifest: bytes, blob, pinned: str) -> bytes:
    """The module of an image. `blob` returns the content of a digest, and `pinned` is the `sha256` of the resource
    that names the image."""
    if media_type in INDEXES:
        raise Refused("an index: the digest that is compared would be that of its child")
    if hashlib.sha256(manifest).hexdigest() != pinned:
        raise Refused("sha256 is not the digest of the manifest")
    layers = json.loads(manifest)["layers"]
    if not layers:
        raise Refused("no layers")
    expected = DOCKER_LAYER if media_type == DOCKER_MANIFEST else OCI_LAYER
    last = layers[-1]
    if last["mediaType"] == expected:
        return _from_layer(blob(last["digest"]))
    if media_type == DOCKER_MANIFEST:
        raise Refused(f"the last layer is {last['mediaType']}")
    if len(layers) != 2:
        raise Refused("number of layers must be 2")
    for layer in layers:
        if layer["mediaType"] == WASM_LAYER:
            return blob(layer["digest"])
    raise Refused("no layer with a module")


def _from_layer(layer: bytes) -> bytes:
    try:
        archive = gzip.decompress(layer)
    except OSError as error:
        raise Refused(f"the layer is not gzip: {error}") from error
    with tarfile.open(fileobj=io.BytesIO(archive)) as files:
        for file in files:
            if posixpath.basename(file.name) == "plugin.wasm" and file.isfile():
                if file.size > MAX_SIZE:
                    raise Refused("the module is too large")
                return files.extractfile(file).read()
    raise Refused("plugin.wasm is not in the layer")
