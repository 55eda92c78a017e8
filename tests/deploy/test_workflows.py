"""The workflows and the action of GitHub: valid, and without what zizmor knows to be dangerous."""

import os
import re

import pytest
import yaml

from support.checkout import ROOT, debian, python, run

GITHUB = ROOT / ".github"
WORKFLOWS = sorted(GITHUB.glob("workflows/*.yml"))
ACTION = ROOT / "action.yml"


def test_workflows_and_action_suit_their_schemas():
    run(python("check-jsonschema"), "--builtin-schema", "vendor.github-workflows", *WORKFLOWS)
    run(python("check-jsonschema"), "--builtin-schema", "vendor.dependabot", GITHUB / "dependabot.yml")
    run(python("check-jsonschema"), "--builtin-schema", "vendor.github-actions", ACTION)


def test_zizmor_finds_nothing_in_workflows_and_action():
    environment = {name: value for name, value in os.environ.items() if name not in ("GH_TOKEN", "GITHUB_TOKEN")}
    run(python("zizmor"), "--offline", "--no-progress", "--pedantic", GITHUB, ACTION, env=environment)


def test_the_compose_file_suits_its_schema():
    run(python("check-jsonschema"), "--builtin-schema", "vendor.compose-spec", ROOT / "deploy/envoy/compose.yaml")


def test_systemd_accepts_the_unit(tmp_path):
    analyze = debian("systemd-analyze", "systemd")
    # Envoy is not where the unit says.
    text = (ROOT / "deploy/envoy/bearer-gate.service").read_text()
    assert "/usr/local/bin/envoy " in text
    unit = tmp_path / "bearer-gate.service"
    unit.write_text(text.replace("/usr/local/bin/envoy", "/bin/true"))
    done = run(analyze, "verify", "--man=no", unit, check=False)
    assert done.returncode == 0 and "bearer-gate.service" not in done.stderr, done.stderr


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_every_make_target_of_a_workflow_exists(workflow):
    targets = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    used = set(re.findall(r"\bmake ([a-z-]+)", workflow.read_text()))
    assert used <= targets, used - targets


def test_dependabot_knows_every_place_with_dependencies():
    listed = {}
    for update in yaml.safe_load((GITHUB / "dependabot.yml").read_text())["updates"]:
        places = update.get("directories") or [update["directory"]]
        listed[update["package-ecosystem"]] = {place.strip("/") for place in places}

    def having(*names):
        files = run("git", "ls-files", *[f"*{name}" for name in names]).stdout.split()
        return {file.rpartition("/")[0] for file in files if file.rpartition("/")[2] in names}

    assert listed["npm"] == having("package-lock.json")
    assert listed["cargo"] == having("Cargo.lock")
    assert listed["pip"] == having("requirements.txt")
