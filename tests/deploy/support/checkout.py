"""Paths in the checkout, and programs that a machine may lack."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
MODULE = ROOT / "target/wasm32-wasip1/release/bearer_gate.wasm"

# Where programs of Debian packages are that an ordinary user does not have in the PATH.
SYSTEM = "/usr/sbin:/sbin"


def envoy_program() -> Path:
    """The Envoy that the variable ENVOY names, or the newest that is tested."""
    newest = (ROOT / "tests/envoy/versions").read_text().split()[-1]
    version = os.environ.get("ENVOY") or newest
    program = ROOT / f".tools/envoy-{version}/bin/envoy"
    assert program.exists(), f"Envoy {version} is missing: run make envoy ENVOY={version}"
    return program


def check_program() -> Path:
    """bearer-gate-check, as `make check` builds it, or as the variable CHECK names it."""
    program = Path(os.environ.get("CHECK") or ROOT / "target/release/bearer-gate-check")
    assert program.exists(), f"{program} is missing: run make check"
    return program


def debian(name: str, package: str) -> str:
    """The path of a program that a Debian package has. Without it, the test is skipped and says so."""
    found = shutil.which(name, path=os.environ["PATH"] + os.pathsep + SYSTEM)
    if found is None:
        pytest.skip(f"{name} is missing: apt-get install {package}")
    return found


def python(name: str) -> str:
    """A program of tests/deploy/requirements.txt."""
    program = ROOT / ".tools/deploy/bin" / name
    assert program.exists(), f"{name} is missing: run make test-deploy"
    return str(program)


def run(*command, check=True, **options) -> subprocess.CompletedProcess:
    """Runs a program in the checkout. Its output is in the error if it fails."""
    options.setdefault("cwd", ROOT)
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, **options)
    if check:
        assert done.returncode == 0, f"{command}:\n{done.stdout}{done.stderr}"
    return done
