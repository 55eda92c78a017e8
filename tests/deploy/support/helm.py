"""Helm 4 as a library: rendering and linting a chart without a cluster."""

from pathlib import Path

import helm_python


class Refused(Exception):
    """Helm makes nothing of these values."""


def template(chart: Path, values: dict) -> str:
    """What `helm template` prints for a release with the chart's name, in the namespace `gate`."""
    loaded = helm_python.Chart.load(chart)
    try:
        loaded.validate_schema(values)
        rendered = loaded.render(values, name="bearer-gate", namespace="gate", is_install=True)
    except helm_python.HelmError as error:
        raise Refused(str(error)) from error
    manifests = [text for name, text in sorted(rendered.items()) if name.endswith(".yaml")]
    return "\n---\n".join(manifests)


def lint(chart: Path, values: dict):
    """Fails with what `helm lint --strict` has against a chart."""
    report = helm_python.lint(chart, values, strict=True)
    found = [message for message in report["messages"] if message["severity"] >= 2]
    assert found == [] and report["errors"] == [], report
