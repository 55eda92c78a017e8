"""`make release` and `make verify-release`."""

import json
import os
import re
import shutil
import tarfile
from pathlib import Path

import pytest
import yaml

from support import crds
from support.checkout import MODULE, ROOT, check_program, debian, run
from support.envoy import scratch
from support.manifests import documents

SBOM = {"bomFormat": "CycloneDX", "specVersion": "1.3", "version": 1, "components": []}


def environment(**more):
    kept = {name: value for name, value in os.environ.items() if name not in ("MINISIGN_KEY", "IMAGE", "DRAFT")}
    return {**kept, **{name: str(value) for name, value in more.items()}}


def release(directory, **more):
    """Writes a release with the files of this checkout; its tool may be a debug build, so it is replaced."""
    inputs = scratch("inputs")
    (inputs / "sbom.json").write_text(json.dumps(SBOM))
    tool = inputs / "tool"
    version = run(check_program(), "--version").stdout.strip()
    tool.write_text(f"#!/bin/sh\necho '{version}'\n")
    settings = {"OUT": directory, "WASM": MODULE, "CHECK": tool, "SBOM": inputs / "sbom.json", **more}
    return run("node", "scripts/release.mjs", env=environment(**settings), check=False)


def verify(directory, *key, **more):
    return run("scripts/verify-release", directory, *key, env=environment(**more), check=False)


@pytest.fixture(scope="module")
def draft():
    directory = scratch("release") / "dist"
    done = release(directory, DRAFT="1", IMAGE="registry.test/gate")
    assert done.returncode == 0, done.stdout + done.stderr
    return directory


@pytest.fixture
def copy(draft):
    directory = scratch("copy") / "dist"
    shutil.copytree(draft, directory)
    return directory


def test_a_release_is_verified(draft):
    done = verify(draft, UNSIGNED="1")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("ok  ") == 5


def test_a_release_is_the_same_twice(draft):
    again = scratch("release") / "dist"
    assert release(again, DRAFT="1", IMAGE="registry.test/gate").returncode == 0
    assert (again / "SHA256SUMS").read_text() == (draft / "SHA256SUMS").read_text()


def test_a_flipped_bit_in_any_file_is_refused(copy):
    for file in sorted(copy.iterdir()):
        content = file.read_bytes()
        middle = len(content) // 2
        file.write_bytes(content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :])
        done = verify(copy, UNSIGNED="1")
        assert done.returncode != 0, f"{file.name} was changed:\n{done.stdout}"
        file.write_bytes(content)
    assert verify(copy, UNSIGNED="1").returncode == 0


def test_a_missing_and_an_additional_file_are_refused(copy):
    (copy / "extra").write_text("")
    assert "extra" in verify(copy, UNSIGNED="1").stderr
    (copy / "extra").unlink()
    (copy / "deploy.tar.gz").unlink()
    assert verify(copy, UNSIGNED="1").returncode != 0


def resummed(directory):
    """Writes SHA256SUMS anew: what is left for the other checks to find."""
    names = [line.split("  ")[1] for line in (directory / "SHA256SUMS").read_text().splitlines()]
    text = run("sha256sum", *names, cwd=directory).stdout
    (directory / "SHA256SUMS").write_text(text)


@pytest.mark.parametrize(
    "name, spoil, expected",
    [
        ("bearer_gate.wasm", lambda content: content + b"\0", "another module"),
        ("bearer_gate.wasm", lambda content: b"\x7fELF" + content[4:], "no module"),
        ("istio-gateway.yaml", lambda content: re.sub(rb"[0-9a-f]{64}", b"0" * 64, content), "does not name the digest"),
        ("bearer-gate.cdx.json", lambda content: content + b"file:///home/somebody/x", "paths of the machine"),
        ("bearer-gate.cdx.json", lambda content: b"{}", "no CycloneDX SBOM"),
        ("bearer-gate-check-x86_64-linux", lambda content: b"#!/bin/sh\necho tool 9.9.9 x\n", "another version"),
    ],
)
def test_files_that_do_not_fit_together_are_refused_even_if_their_sums_are_right(copy, name, spoil, expected):
    file = copy / name
    file.write_bytes(spoil(file.read_bytes()))
    resummed(copy)
    done = verify(copy, UNSIGNED="1")
    assert done.returncode != 0 and expected in done.stderr, done.stdout + done.stderr


def test_without_a_key_nothing_is_verified(draft):
    done = verify(draft)
    assert done.returncode != 0 and "public key" in done.stderr


def test_the_signature_is_verified_with_the_right_key_only():
    minisign = debian("minisign", "minisign")
    keys = scratch("keys")
    for name in ("ours", "another"):
        run(minisign, "-G", "-W", "-p", keys / f"{name}.pub", "-s", keys / f"{name}.key")
    directory = scratch("signed") / "dist"
    done = release(directory, DRAFT="1", MINISIGN_KEY=keys / "ours.key")
    assert done.returncode == 0, done.stderr
    assert verify(directory, keys / "ours.pub").returncode == 0
    text = (keys / "ours.pub").read_text().splitlines()[1]
    assert verify(directory, text).returncode == 0
    assert "signature" in verify(directory, keys / "another.pub").stderr
    sums = directory / "SHA256SUMS"
    sums.write_text(sums.read_text().replace("  deploy.tar.gz", "  deploy.tar.xz"))
    assert "signature" in verify(directory, keys / "ours.pub").stderr
    (directory / "SHA256SUMS.minisig").unlink()
    assert verify(directory, keys / "ours.pub").returncode != 0


# What a machine has that has nothing of this project: coreutils, findutils, diffutils, grep, sed, tar and gzip.
ORDINARY = """bash basename chmod cp diff find grep gzip head mktemp od rm sed sha256sum sort tail tar tr uname wc""".split()


def test_a_clean_machine_verifies_a_release(draft):
    programs = scratch("programs")
    for name in ORDINARY:
        (programs / name).symlink_to(shutil.which(name))
    done = run(
        programs / "bash", ROOT / "scripts/verify-release", draft, cwd=programs,
        env={"PATH": str(programs), "UNSIGNED": "1"}, check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_release_that_lacks_something_is_refused():
    directory = scratch("release") / "dist"
    done = release(directory)
    assert done.returncode == 2
    for lacking in ("MINISIGN_KEY", "IMAGE"):
        assert lacking in done.stderr
    assert not directory.exists()
    other = scratch("module") / "other.wasm"
    other.write_bytes(b"\0asm of another commit")
    done = release(directory, WASM=other, IMAGE="registry.test/gate", UNSIGNED="1")
    assert done.returncode == 2
    assert "other.wasm" in done.stderr and "from this commit" in done.stderr


def test_manifests_and_chart_of_a_release_name_the_image_by_digest(draft):
    notes = (draft / "RELEASE_NOTES.md").read_text()
    digest = re.search(r"digest `sha256:([0-9a-f]{64})`", notes).group(1)
    for name in ("istio-gateway", "istio-sidecar", "istio-waypoint", "istio-envoy-filter", "envoy-gateway"):
        text = (draft / f"{name}.yaml").read_text()
        assert "registry.test/gate:" in text and digest in text and "registry.example" not in text, name
    with tarfile.open(draft / "bearer-gate-chart.tgz") as chart:
        values = yaml.safe_load(chart.extractfile("bearer-gate/values.yaml").read())
    assert values["image"]["sha256"] == digest
    assert values["image"]["url"].startswith("registry.test/gate:")


def test_manifests_of_a_release_are_ones_that_the_api_server_accepts(draft):
    schemas = crds.load()
    for file in draft.glob("*.yaml"):
        for document in documents(file.read_text()):
            assert crds.problems(document, schemas) == [], file.name


def test_everything_names_the_version_of_cargo_toml():
    cargo = (ROOT / "Cargo.toml").read_text().split("[workspace.package]")[1]
    version = cargo.split('version = "')[1].split('"')[0]
    pattern = r"registry\.example/bearer-gate:[0-9]+\.[0-9]+\.[0-9]+"
    named = run("git", "grep", "-hoE", pattern, "--", "deploy", "docs").stdout
    assert set(named.split()) == {f"registry.example/bearer-gate:{version}"}
    layouts = run("git", "grep", "-hoE", r"target/image:[0-9]+\.[0-9]+\.[0-9]+", "--", "docs").stdout
    assert set(layouts.split()) == {f"target/image:{version}"}
    tags = run("git", "grep", "-hoE", r"/bearer-gate@v[0-9]+\.[0-9]+\.[0-9]+", "--", "action.yml", "docs").stdout
    assert set(tags.split()) == {f"/bearer-gate@v{version}"}
    chart = yaml.safe_load((ROOT / "deploy/helm/bearer-gate/Chart.yaml").read_text())
    assert (chart["version"], chart["appVersion"]) == (version, version)
    action = yaml.safe_load((ROOT / "action.yml").read_text())
    assert action["inputs"]["version"]["default"] == version


def test_a_new_version_is_set_everywhere_by_one_command(tmp_path):
    clone = tmp_path / "clone"
    run("git", "clone", "--quiet", ROOT, clone)
    # What is not committed yet, too.
    for name in ("scripts/set-version", "action.yml", "CHANGELOG.md", "docs/in-your-ci.md"):
        shutil.copy(ROOT / name, clone / name)
    run(clone / "scripts/set-version", "98.76.54", cwd=clone)
    changed = run("git", "diff", "--name-only", cwd=clone).stdout.split()
    assert {"Cargo.toml", "Cargo.lock", "fuzz/Cargo.lock", "deploy/helm/bearer-gate/Chart.yaml"} <= set(changed)
    metadata = run("cargo", "metadata", "--no-deps", "--format-version", "1", "--offline", "--locked", cwd=clone)
    versions = {package["version"] for package in json.loads(metadata.stdout)["packages"]}
    # Packages of tests have the version 0.0.0.
    versions.discard("0.0.0")
    assert versions == {"98.76.54"}
    before = run("git", "grep", "-hoE", r"(registry.example/bearer-gate|target/image):[0-9.]+[0-9]", "--", "deploy", "docs", cwd=clone)
    assert {line.rpartition(":")[2] for line in before.stdout.split()} == {"98.76.54"}
    tags = run("git", "grep", "-hoE", r"/bearer-gate@v[0-9.]+[0-9]", "--", "action.yml", "docs", cwd=clone).stdout
    assert {line.rpartition("@v")[2] for line in tags.split()} == {"98.76.54"}
    action = yaml.safe_load((clone / "action.yml").read_text())
    assert action["inputs"]["version"]["default"] == "98.76.54"


def test_a_new_version_takes_over_what_is_not_released_in_the_changelog(tmp_path):
    clone = tmp_path / "clone"
    run("git", "clone", "--quiet", ROOT, clone)
    shutil.copy(ROOT / "scripts/set-version", clone / "scripts/set-version")
    changelog = clone / "CHANGELOG.md"
    head = "# Changelog\n\n"
    changelog.write_text(f"{head}## [Unreleased]\n\n### Added\n\n- A thing.\n")
    run(clone / "scripts/set-version", "98.76.54", cwd=clone)
    released = changelog.read_text()
    assert re.fullmatch(
        re.escape(f"{head}## [Unreleased]\n\n## [98.76.54] - ") + r"\d{4}-\d\d-\d\d\n\n### Added\n\n- A thing\.\n", released
    ), released
    # Nothing is new, so a second time changes nothing.
    run(clone / "scripts/set-version", "98.76.54", cwd=clone)
    assert changelog.read_text() == released


def test_the_tool_of_a_release_contains_no_path_of_this_machine():
    tool = ROOT / "target/x86_64-unknown-linux-gnu/release/bearer-gate-check"
    if not tool.exists():
        pytest.skip("the static tool is missing: make check-static builds it (some minutes)")
    content = tool.read_bytes()
    for place in (str(ROOT), os.environ.get("CARGO_HOME") or str(Path.home() / ".cargo"), ".cargo/registry"):
        assert f"{place}/".encode() not in content, f"the tool contains {place}"


def test_the_sbom_names_what_is_in_the_module_and_no_path_of_this_machine():
    if not (ROOT / ".tools/bin/cargo-cyclonedx").exists():
        pytest.skip("cargo-cyclonedx is missing: make sbom builds it (some minutes)")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    run("make", "sbom", env=environment)
    text = (ROOT / "target/bearer-gate.cdx.json").read_text()
    assert "file:" not in text and str(ROOT) not in text
    sbom = json.loads(text)
    assert "serialNumber" not in sbom
    names = {component["name"] for component in sbom["components"]}
    assert {"gate", "gate-config", "gate-worker", "proxy-wasm", "jwt-simple"} <= names
    assert not names & {"tokio", "proptest", "gate-simulator"}, "what only the tests use is not in the module"
    assert run("git", "status", "--porcelain", "--", "*bearer-gate.sbom.json").stdout == ""
