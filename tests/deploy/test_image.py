"""`make image`: an image that Istio and Envoy Gateway fetch."""

import gzip
import hashlib
import io
import json
import os
import tarfile

import pytest

from support import wasm_fetcher
from support.checkout import MODULE, ROOT, debian, run
from support.envoy import scratch
from support.registry import Registry, blob

SOURCE = "https://git.example/bearer-gate"


def make_image(module=MODULE):
    """The digest that `make image` prints, and the layout that it writes."""
    layout = scratch("image")
    environment = {**os.environ, "WASM": str(module), "SOURCE": SOURCE}
    done = run("node", "scripts/image.mjs", layout, env=environment)
    return done.stdout.strip(), layout


@pytest.fixture(scope="module")
def made():
    return make_image()


def manifest(layout):
    [entry] = json.loads((layout / "index.json").read_text())["manifests"]
    return entry, blob(layout, entry["digest"])


def fetched(entry, content, layout):
    """The module as the meshes' fetcher finds it."""
    pinned = entry["digest"].removeprefix("sha256:")
    return wasm_fetcher.module(entry["mediaType"], content, lambda digest: blob(layout, digest), pinned)


def test_the_digest_is_the_same_twice_and_another_for_another_module(made):
    digest, layout = made
    again, other = make_image()
    assert again == digest

    def files(directory):
        return {path.relative_to(directory): path.read_bytes() for path in directory.rglob("*") if path.is_file()}

    assert files(other) == files(layout)
    changed = scratch("module") / "changed.wasm"
    changed.write_bytes(MODULE.read_bytes() + b"\0")
    assert make_image(changed)[0] != digest


def test_every_blob_is_what_its_name_and_its_descriptor_say(made):
    digest, layout = made
    entry, content = manifest(layout)
    assert entry["digest"] == digest
    descriptors = [entry, json.loads(content)["config"], *json.loads(content)["layers"]]
    for descriptor in descriptors:
        data = blob(layout, descriptor["digest"])
        assert "sha256:" + hashlib.sha256(data).hexdigest() == descriptor["digest"]
        assert len(data) == descriptor["size"]
    names = {path.name for path in (layout / "blobs/sha256").iterdir()}
    assert names == {descriptor["digest"].removeprefix("sha256:") for descriptor in descriptors}
    [layer] = json.loads(content)["layers"]
    [diff] = json.loads(blob(layout, json.loads(content)["config"]["digest"]))["rootfs"]["diff_ids"]
    archive = gzip.decompress(blob(layout, layer["digest"]))
    assert diff == "sha256:" + hashlib.sha256(archive).hexdigest()


def test_the_fetchers_of_the_meshes_find_the_module(made):
    _, layout = made
    entry, content = manifest(layout)
    assert entry["mediaType"] == wasm_fetcher.OCI_MANIFEST
    assert json.loads(content)["mediaType"] == entry["mediaType"]
    assert fetched(entry, content, layout) == MODULE.read_bytes()
    assert MODULE.read_bytes()[:4] == b"\0asm"


def test_the_layer_has_one_file_and_no_date_or_owner_of_this_machine(made):
    _, layout = made
    [layer] = json.loads(manifest(layout)[1])["layers"]
    compressed = blob(layout, layer["digest"])
    # Bytes 4 to 7 of gzip are a time.
    assert compressed[4:8] == bytes(4)
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(compressed))) as files:
        [file] = files
    described = (file.name, file.mode, file.mtime, file.uid, file.gid, file.uname, file.gname)
    assert described == ("plugin.wasm", 0o644, 0, 0, 0, "", "")


def test_the_manifest_says_what_it_is(made):
    _, layout = made
    _, content = manifest(layout)
    about = {
        name.removeprefix("org.opencontainers.image."): value
        for name, value in json.loads(content)["annotations"].items()
    }
    cargo = (ROOT / "Cargo.toml").read_text().split("[workspace.package]")[1]
    version = cargo.split('version = "')[1].split('"')[0]
    head = run("git", "rev-parse", "HEAD").stdout.strip()
    assert about["title"] == "bearer-gate"
    assert about["version"] == version
    assert about["licenses"] == "Apache-2.0"
    assert about["source"] == SOURCE
    assert about["revision"].removesuffix("-dirty") == head


@pytest.mark.parametrize(
    "spoil",
    [
        lambda entry, content: ({**entry, "mediaType": next(iter(wasm_fetcher.INDEXES))}, content),
        lambda entry, content: (entry, content.replace(b"tar+gzip", b"tar")),
        lambda entry, content: (entry, content + b" "),
    ],
    ids=["an index", "a layer that is not gzip", "another manifest"],
)
def test_the_check_of_what_fetchers_require_refuses_what_they_refuse(made, spoil):
    _, layout = made
    entry, content = spoil(*manifest(layout))
    with pytest.raises(wasm_fetcher.Refused):
        fetched(entry, content, layout)


def test_a_registry_takes_the_image_and_an_independent_client_pulls_the_same_module(made):
    digest, layout = made
    with Registry() as registry:
        assert registry.push(layout, "bearer-gate", "test") == digest
        import oras.client

        client = oras.client.OrasClient(hostname=registry.host, insecure=True)
        target = f"{registry.host}/bearer-gate:test"
        pulled = client.get_manifest(target, allowed_media_type=[wasm_fetcher.OCI_MANIFEST])
        assert pulled == json.loads(manifest(layout)[1])
        [layer] = pulled["layers"]
        data = client.get_blob(target, layer["digest"]).content
        with tarfile.open(fileobj=io.BytesIO(gzip.decompress(data))) as files:
            module = files.extractfile("plugin.wasm").read()
        assert hashlib.sha256(module).digest() == hashlib.sha256(MODULE.read_bytes()).digest()


def test_skopeo_copies_the_layout_to_a_registry_without_changing_the_digest(made):
    digest, layout = made
    skopeo = debian("skopeo", "skopeo")
    version = json.loads(manifest(layout)[1])["annotations"]["org.opencontainers.image.version"]
    with Registry() as registry:
        target = f"docker://{registry.host}/bearer-gate:{version}"
        run(skopeo, "--insecure-policy", "copy", "--dest-tls-verify=false", f"oci:{layout}:{version}", target)
        raw = run(skopeo, "inspect", "--raw", "--tls-verify=false", target).stdout
        assert "sha256:" + hashlib.sha256(raw.encode()).hexdigest() == digest
