"""action.yml: each step runs here, in an empty directory, with the files of a local release."""

import hashlib
import re
import shutil

import pytest
import yaml

from support.action import Action
from support.checkout import MODULE, ROOT, check_program, python, run
from support.envoy import scratch
from test_release import release

# Neither of them would find a warning in it.
CONFIGURATION = ROOT / "tests/examples/pytest/envoy.yaml"
CASES = """\
cases:
  - name: a reader reads
    request: { path: /orders }
    token: { kind: good, claims: { scope: "orders:read" } }
    expect: { status: 200 }
  - name: a reader may not write
    request: { method: POST, path: /orders }
    token: { kind: good, claims: { scope: "orders:read" } }
    expect: { status: 403, reason: scope }
"""


@pytest.fixture(scope="module")
def published():
    """The files of a release with the real tool."""
    directory = scratch("published") / "dist"
    done = release(directory, DRAFT="1", CHECK=check_program())
    assert done.returncode == 0, done.stdout + done.stderr
    return directory


@pytest.fixture
def copy(published):
    directory = scratch("published-copy") / "dist"
    shutil.copytree(published, directory)
    return directory


@pytest.fixture
def workspace(tmp_path):
    """The checkout of somebody else: a configuration and cases for it, and nothing of this project."""
    directory = tmp_path / "somebody's repository"
    directory.mkdir()
    shutil.copy(CONFIGURATION, directory / "envoy.yaml")
    (directory / "cases.yaml").write_text(CASES)
    return directory


def act(workspace, published, **inputs):
    return Action(workspace, published, **{"envoy_version": "", **inputs})


def flip(file):
    content = file.read_bytes()
    middle = len(content) // 2
    file.write_bytes(content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :])


def test_the_action_checks_and_tests_a_configuration(workspace, published):
    pinned = hashlib.sha256((published / "SHA256SUMS").read_bytes()).hexdigest()
    action = act(
        workspace, published, version="98.76.54", sha256=pinned,
        configurations="\n  envoy.yaml\n", tests="cases.yaml envoy.yaml\ncases.yaml envoy.yaml",
    )
    assert action.status == 0, action.output
    assert "envoy.yaml: static_resources" in action.output and "valid, providers: cloud" in action.output
    assert action.output.count("2 cases, 0 failed") == 2
    [call] = action.downloads
    assert call.startswith("release download v98.76.54 --repo somebody/bearer-gate ")
    assert open(action.outputs["module"], "rb").read() == MODULE.read_bytes()
    assert run(action.outputs["check"], "--version").stdout == run(check_program(), "--version").stdout
    assert action.outputs["envoy"] == ""


def test_the_action_installs_envoy(workspace, published):
    version = (ROOT / "tests/envoy/versions").read_text().split()[-1]
    action = Action(workspace, published)
    assert action.status == 0, action.output
    assert f"/{version}/" in run(action.outputs["envoy"], "--version").stdout


@pytest.mark.parametrize("name", ["bearer_gate.wasm", "bearer-gate-check-x86_64-linux"])
def test_a_file_with_a_flipped_bit_is_refused(workspace, copy, name):
    flip(copy / name)
    action = act(workspace, copy, configurations="envoy.yaml")
    assert action.status == 1
    assert f"{name} is not the one in SHA256SUMS" in action.output
    assert "valid" not in action.output


@pytest.mark.parametrize("name", ["bearer_gate.wasm", "bearer-gate-check-x86_64-linux"])
def test_a_file_that_the_release_does_not_list_is_refused(workspace, copy, name):
    sums = copy / "SHA256SUMS"
    lines = sums.read_text().splitlines(keepends=True)
    sums.write_text("".join(line for line in lines if not line.endswith(f"  {name}\n")))
    assert f"{name} is not the one in SHA256SUMS" in act(workspace, copy).output


def test_another_release_than_the_pinned_one_is_refused(workspace, copy):
    pinned = hashlib.sha256((copy / "SHA256SUMS").read_bytes()).hexdigest()
    flip(copy / "bearer_gate.wasm")
    text = run("sha256sum", "SHA256SUMS", "bearer_gate.wasm", "bearer-gate-check-x86_64-linux", cwd=copy).stdout
    (copy / "SHA256SUMS").write_text(text.partition("\n")[2])
    action = act(workspace, copy, sha256=pinned)
    assert action.status == 1
    assert "has not the hash in sha256" in action.output


def test_a_case_that_fails_is_named(workspace, published):
    (workspace / "cases.yaml").write_text(CASES.replace("status: 403, reason: scope", "status: 200"))
    action = act(workspace, published, tests="cases.yaml envoy.yaml")
    assert action.status == 1
    assert "FAILED  a reader may not write (cases.yaml:" in action.output
    assert "expected 200, got 403 (scope)" in action.output


def test_a_configuration_with_a_warning_fails_and_the_next_is_checked_too(workspace, published):
    text = (workspace / "envoy.yaml").read_text()
    assert "failure_policy: FAIL_RELOAD" in text
    (workspace / "dangerous.yaml").write_text(text.replace("FAIL_RELOAD", "FAIL_OPEN"))
    action = act(workspace, published, configurations="dangerous.yaml\nenvoy.yaml")
    assert action.status == 1
    assert "warnings.md#fail-open" in action.output
    assert "\nenvoy.yaml: static_resources" in action.output


def test_files_of_ones_own_are_used_without_a_release(workspace, published):
    shutil.copy(MODULE, workspace / "own.wasm")
    shutil.copy(check_program(), workspace / "own-check")
    own = {"module": "own.wasm", "check": "own-check"}
    action = act(workspace, published, **own, tests="cases.yaml envoy.yaml")
    assert action.status == 0, action.output
    assert action.downloads == []
    assert action.outputs["module"] == str(workspace / "own.wasm")
    refused = act(workspace, published, **own, sha256="0" * 64)
    assert refused.status == 1 and "not from one" in refused.output


def test_a_machine_that_the_tool_is_not_built_for_is_refused(workspace, published):
    action = act(workspace, published, architecture="ARM64")
    assert action.status == 1
    assert "for x86-64 Linux only" in action.output


def test_the_workflow_in_the_documents_suits_its_schema_and_names_what_there_is(tmp_path):
    text = (ROOT / "docs/in-your-ci.md").read_text()
    [block] = [block for block in re.findall(r"^```yaml\n(.*?)^```$", text, re.MULTILINE | re.DOTALL) if "OWNER/" in block]
    workflow = yaml.safe_load(block)
    file = tmp_path / "workflow.yml"
    file.write_text(yaml.safe_dump({"on": "push", **workflow}))
    run(python("check-jsonschema"), "--builtin-schema", "vendor.github-workflows", file)
    action = yaml.safe_load((ROOT / "action.yml").read_text())
    [step] = [step for step in workflow["jobs"]["gate"]["steps"] if step.get("id") == "gate"]
    assert step["with"].keys() <= action["inputs"].keys()
    assert set(re.findall(r"steps\.gate\.outputs\.(\w+)", block)) <= action["outputs"].keys()
    documented = re.findall(r"^\| ((?:`[a-z0-9-]+`(?:, )?)+) \|", text.partition("| input |")[2], re.MULTILINE)
    assert set(re.findall("`([^`]+)`", " ".join(documented))) == action["inputs"].keys()


def test_the_action_installs_the_envoy_of_the_tests():
    version = (ROOT / "tests/envoy/versions").read_text().split()[-1]
    assert yaml.safe_load((ROOT / "action.yml").read_text())["inputs"]["envoy-version"]["default"] == version
