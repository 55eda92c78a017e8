"""Validation of resources as an API server does it: the OpenAPI schema of their CRD, and its CEL rules."""

import os
import re
from pathlib import Path
from urllib.parse import urlsplit

import celpy
import celpy.celtypes
import jsonschema
import pytest
import yaml

from .checkout import ROOT

# Kinds of Kubernetes itself have no CRD.
BUILT_IN = {"v1", "apps/v1"}

_loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def directory() -> Path:
    """Where the CRDs are: the variable CRDS names it, or they are beside the checkout."""
    path = Path(os.environ.get("CRDS") or ROOT.parent / "shared/crds")
    if not path.is_dir():
        pytest.skip(f"no CRDs in {path}: name their directory in CRDS")
    return path


def load() -> dict:
    """Schemas by (apiVersion, kind) and file, since there may be CRDs of several releases."""
    found = {}
    for path in sorted(directory().glob("*.yaml")):
        # Some are templates of a Helm chart, with conditions around the whole.
        text = re.sub(r"^\s*\{\{.*\}\}\s*$", "", path.read_text(), flags=re.MULTILINE)
        for crd in yaml.load_all(text, Loader=_loader):
            if not crd or crd.get("kind") != "CustomResourceDefinition":
                continue
            spec = crd["spec"]
            for version in spec["versions"]:
                api = f"{spec['group']}/{version['name']}"
                schemas = found.setdefault((api, spec["names"]["kind"]), {})
                schemas[path.name] = version["schema"]["openAPIV3Schema"]
    return found


def problems(document: dict, schemas: dict) -> list:
    """What an API server would say against a resource, for each file that has its CRD."""
    if document["apiVersion"] in BUILT_IN:
        return []
    kind = (document["apiVersion"], document["kind"])
    if kind not in schemas:
        return [f"no CRD for {kind}"]
    said = []
    for file, schema in schemas[kind].items():
        validator = jsonschema.Draft4Validator(_strict(schema))
        for error in validator.iter_errors(document):
            said.append(f"{file}: {error.json_path}: {error.message}")
        said += [f"{file}: {problem}" for problem in _rules(schema, document, "$")]
    return said


def _strict(schema, top=True):
    """An OpenAPI schema of Kubernetes as JSON Schema. Unknown fields are errors, as with `kubectl --validate`."""
    if isinstance(schema, list):
        return [_strict(item, False) for item in schema]
    if not isinstance(schema, dict):
        return schema
    result = {}
    for name, value in schema.items():
        if name in ("properties", "patternProperties"):
            result[name] = {key: _strict(item, False) for key, item in value.items()}
        elif name in ("default", "example", "enum"):
            result[name] = value
        elif name in ("description", "format") or name.startswith("x-"):
            continue
        else:
            result[name] = _strict(value, False)
    if top:
        for name in ("apiVersion", "kind", "metadata"):
            result["properties"].setdefault(name, {})
    if schema.get("x-kubernetes-int-or-string"):
        result["type"] = ["integer", "string"]
    if schema.get("nullable") and isinstance(result.get("type"), str):
        result["type"] = [result["type"], "null"]
    known = "properties" in result and schema.get("type") == "object"
    if known and "additionalProperties" not in result and not schema.get("x-kubernetes-preserve-unknown-fields"):
        result["additionalProperties"] = False
    return result


def _rules(schema: dict, value, path: str):
    """What the CEL rules of a schema say about a value and what is in it."""
    for rule in schema.get("x-kubernetes-validations", []):
        if "oldSelf" in rule["rule"]:
            continue
        if not _evaluate(rule["rule"], value):
            yield f"{path}: {rule.get('message') or rule['rule']}"
    if isinstance(value, dict):
        for name, item in value.items():
            inner = schema.get("properties", {}).get(name) or schema.get("additionalProperties")
            if isinstance(inner, dict):
                yield from _rules(inner, item, f"{path}.{name}")
    if isinstance(value, list) and isinstance(schema.get("items"), dict):
        for index, item in enumerate(value):
            yield from _rules(schema["items"], item, f"{path}[{index}]")


def _is_url(value):
    return celpy.celtypes.BoolType(bool(urlsplit(str(value)).scheme))


def _url(value):
    return value


def _scheme(value):
    return celpy.celtypes.StringType(urlsplit(str(value)).scheme)


_functions = {"isURL": _is_url, "url": _url, "getScheme": _scheme}
_programs = {}


def _evaluate(rule: str, value) -> bool:
    if rule not in _programs:
        environment = celpy.Environment()
        _programs[rule] = environment.program(environment.compile(rule), functions=_functions)
    return bool(_programs[rule].evaluate({"self": celpy.json_to_cel(value)}))
