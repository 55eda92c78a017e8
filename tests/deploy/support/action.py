"""Runs the steps of action.yml as GitHub does, as far as the action needs it."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import yaml

from .checkout import ROOT

_EXPRESSION = re.compile(r"\$\{\{ *([a-z0-9_.-]+) *\}\}")
# A `gh` that has the files of a local release, and notes how it is called.
_GH = """#!/bin/bash
set -eu
echo "$*" >>"$GH_CALLS"
[ "$1 $2" = "release download" ]
shift 3
patterns=()
while [ $# -gt 0 ]; do
    case $1 in
    --dir) directory=$2 ;;
    --pattern) patterns+=("$2") ;;
    esac
    shift 2
done
mkdir -p "$directory"
for pattern in "${patterns[@]}"; do cp "$RELEASE/$pattern" "$directory"; done
"""


class Action:
    """One run of the action in a directory, with the files of a local release in place of those at GitHub."""

    def __init__(self, workspace: Path, release: Path, architecture: str = "X64", **inputs):
        """Runs the action on a machine of this architecture. Names of inputs have `_` for `-`. See `status`, `outputs` and `output`."""
        self._action = yaml.safe_load((ROOT / "action.yml").read_text())
        given = {name.replace("_", "-"): str(value) for name, value in inputs.items()}
        assert given.keys() <= self._action["inputs"].keys()
        self._values = {"github.action_repository": "somebody/bearer-gate", "github.token": "token"}
        for name, about in self._action["inputs"].items():
            self._values[f"inputs.{name}"] = given.get(name, str(about["default"]))
        self._workspace = workspace
        self._runner = workspace.parent / f"{workspace.name}-runner"
        self._calls = self._runner / "gh-calls"
        self._environment = self._prepare(release, architecture)
        self.output = ""
        self.status = self._run()
        self.outputs = {
            name: self._filled(about["value"]) for name, about in self._action["outputs"].items()
        }

    @property
    def downloads(self) -> list:
        """The command lines of `gh`."""
        return self._calls.read_text().splitlines() if self._calls.exists() else []

    def _prepare(self, release: Path, architecture: str) -> dict:
        shutil.rmtree(self._runner, ignore_errors=True)
        programs = self._runner / "bin"
        programs.mkdir(parents=True)
        gh = programs / "gh"
        gh.write_text(_GH)
        gh.chmod(0o755)
        return {
            **os.environ,
            "PATH": f"{programs}:{os.environ['PATH']}",
            "RUNNER_TEMP": str(self._runner), "RUNNER_OS": "Linux", "RUNNER_ARCH": architecture,
            "GITHUB_OUTPUT": str(self._runner / "outputs"),
            "RELEASE": str(release), "GH_CALLS": str(self._calls),
        }

    def _run(self) -> int:
        for step in self._action["runs"]["steps"]:
            if not self._holds(step.get("if")):
                continue
            status = self._step(step)
            if status != 0:
                return status
        return 0

    def _holds(self, condition) -> bool:
        if condition is None:
            return True
        [name] = re.fullmatch(r"(\S+) != ''", condition).groups()
        return self._values[name] != ""

    def _step(self, step: dict) -> int:
        assert step["shell"] == "bash"
        assert "${{" not in step["run"], "an input in a script could be a command"
        script = self._runner / "script.sh"
        script.write_text(step["run"])
        outputs = Path(self._environment["GITHUB_OUTPUT"])
        outputs.write_text("")
        environment = {name: self._filled(text) for name, text in step["env"].items()}
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", script], cwd=self._workspace, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env={**self._environment, **environment},
        )
        self.output += done.stdout
        for line in outputs.read_text().splitlines():
            name, _, value = line.partition("=")
            self._values[f"steps.{step['id']}.outputs.{name}"] = value
        return done.returncode

    def _filled(self, text: str) -> str:
        """The text with the values of expressions. An output of a step that has not run is empty."""

        def value(found):
            name = found[1]
            return self._values.get(name, "") if name.startswith("steps.") else self._values[name]

        return _EXPRESSION.sub(value, text)
