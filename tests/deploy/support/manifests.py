"""The documents below deploy/, as a cluster would get them."""

from pathlib import Path

import yaml

from .checkout import ROOT, python, run

KUSTOMIZE = ROOT / "deploy/kustomize"
OVERLAYS = [
    "istio/gateway",
    "istio/sidecar",
    "istio/waypoint",
    "istio/envoy-filter",
    "envoy-gateway",
]


def overlay(name: str) -> list:
    """The documents of an overlay."""
    return documents(run(python("kubectl"), "kustomize", KUSTOMIZE / name).stdout)


def documents(text: str) -> list:
    return [document for document in yaml.safe_load_all(text) if document is not None]


def one(documents: list, kind: str, name: str | None = None) -> dict:
    """The only document of this kind, or the one with this name."""
    [found] = [
        document
        for document in documents
        if document["kind"] == kind and name in (None, document["metadata"]["name"])
    ]
    return found


def read(path: Path) -> dict:
    [document] = documents(path.read_text())
    return document
