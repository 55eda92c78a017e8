""".ci/run, with a `make` that only notes what it should do."""

import os
import re
import subprocess

import pytest

from support.checkout import ROOT
from support.wait import PATIENCE

MAKE = """#!/bin/sh
echo "$*" >>"$CALLS"
case "$1" in "$FAILING") echo "a test of $* failed"; exit 2 ;; esac
echo "a test of $* passed"
echo "1 passed in 0.01s"
"""
# Each is a step of its own. The suites come last, in whatever order they end.
STEPS = ["lint", "fuzz", "simulate", "matrix", "test"]
SUITES = ["test-browser", "test-mcp", "test-bound-tokens", "test-docs", "test-deploy"]


@pytest.fixture
def ci(tmp_path):
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, text in {"make": MAKE, "apt-get": "#!/bin/sh\n"}.items():
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)
    calls = tmp_path / "calls"

    def run(failing="nothing"):
        calls.write_text("")
        kept = {name: value for name, value in os.environ.items() if name not in ("AUDIT", "GITHUB_ACTIONS")}
        environment = {**kept, "PATH": f"{programs}:{kept['PATH']}", "CALLS": str(calls), "FAILING": failing}
        done = subprocess.run([ROOT / ".ci/run"], env=environment, capture_output=True, text=True, timeout=PATIENCE)
        return done, [line.split()[0] for line in calls.read_text().splitlines()]

    return run


def test_every_suite_runs_once_and_the_last_line_is_the_summary_of_one(ci):
    done, targets = ci()
    assert done.returncode == 0, done.stdout + done.stderr
    assert [target for target in targets if target in STEPS] == STEPS
    assert sorted(target for target in targets if target in SUITES) == sorted(SUITES)
    assert done.stdout.splitlines()[-1] == "1 passed in 0.01s"


def test_the_output_of_each_suite_is_in_one_piece(ci):
    done, _ = ci()
    for suite in SUITES:
        pattern = rf"^bearer-gate: make {suite} took \d+ s; its output:\na test of {suite} passed\n1 passed in 0.01s$"
        assert re.search(pattern, done.stdout, re.MULTILINE), done.stdout


@pytest.mark.parametrize("failing", ["lint", "fuzz", "simulate", "test", *SUITES])
def test_a_failure_is_named_and_fails_the_run(ci, failing):
    done, targets = ci(failing)
    assert done.returncode != 0
    assert f"a test of {failing}" in done.stdout and "failed" in done.stdout
    if failing in SUITES:
        assert f"bearer-gate: FAILED: make {failing}\n" in done.stderr
    if failing == "lint":
        assert "fuzz" not in targets


def test_every_target_exists(ci):
    _, targets = ci()
    known = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {target for target in targets if re.fullmatch("[a-z-]+", target)}
    assert named <= known, named - known
