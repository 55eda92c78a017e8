"""The manifests: what an API server would accept, and what the check tool says."""

import copy

import pytest
import yaml

from support import crds
from support.checkout import ROOT, check_program, run
from support.envoy import scratch
from support.manifests import OVERLAYS, one, overlay


@pytest.fixture(scope="module")
def schemas():
    return crds.load()


@pytest.mark.parametrize("name", OVERLAYS)
def test_every_document_of_an_overlay_is_one_that_the_api_server_accepts(name, schemas):
    documents = overlay(name)
    assert len(documents) >= 3
    for document in documents:
        assert crds.problems(document, schemas) == [], document["kind"]


@pytest.mark.parametrize("name", OVERLAYS)
def test_the_check_tool_accepts_the_configuration_in_an_overlay(name):
    file = scratch("overlay") / "documents.yaml"
    file.write_text(yaml.safe_dump_all(overlay(name)))
    done = run(check_program(), file, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", OVERLAYS)
def test_image_and_digest_come_from_one_place(name):
    text = yaml.safe_dump_all(overlay(name))
    image = yaml.safe_load((ROOT / "deploy/kustomize/image/image.yaml").read_text())["data"]
    assert text.count(image["url"]) == 1
    assert text.count(image["sha256"]) == 1
    assert "bearer-gate-image" not in text, "what kustomize only reads must not be applied"


def test_all_documents_of_an_overlay_are_in_its_namespace():
    for name in OVERLAYS:
        namespaces = {document["metadata"]["namespace"] for document in overlay(name)}
        assert len(namespaces) == 1, name


def spoiled(document, change):
    document = copy.deepcopy(document)
    change(document["spec"])
    return document


def test_the_validation_finds_mistakes_of_schema_and_rules(schemas):
    plugin = one(overlay("istio/gateway"), "WasmPlugin")
    policy = one(overlay("envoy-gateway"), "EnvoyExtensionPolicy")
    mistakes = [
        (plugin, lambda spec: spec.update(phase="AUTHENTICATION"), "AUTHENTICATION"),
        (plugin, lambda spec: spec.update(failPolicy="FAIL_RELOAD"), "failPolicy"),
        (plugin, lambda spec: spec.update(url="ftp://registry.example/gate"), "url must have"),
        (plugin, lambda spec: spec.update(targetRefs=[{"kind": "Gateway", "name": "x"}]), "only one of targetRefs"),
        (policy, lambda spec: spec["wasm"][0]["code"].update(type="HTTP"), "http field needs to be set"),
        (policy, lambda spec: spec["wasm"][0].update(vmId="bearer-gate"), "vmId"),
    ]
    for document, change, expected in mistakes:
        said = crds.problems(spoiled(document, change), schemas)
        assert said and all("crd" not in problem for problem in said), expected
        assert any(expected in problem for problem in said), said


def test_every_cluster_that_the_configuration_names_is_made_by_the_same_overlay():
    for name in OVERLAYS:
        documents = overlay(name)
        text = yaml.safe_dump_all(documents)
        if name == "envoy-gateway":
            patches = one(documents, "EnvoyProxy")["spec"]["bootstrap"]["jsonPatches"]
            made = {patch["value"]["name"] for patch in patches}
        else:
            entry = one(documents, "ServiceEntry")["spec"]
            made = {f"outbound|{port['number']}||{host}" for host in entry["hosts"] for port in entry["ports"]}
            rule = one(documents, "DestinationRule")["spec"]
            assert rule["host"] in entry["hosts"]
            assert rule["trafficPolicy"]["tls"]["mode"] == "SIMPLE", "else keys are fetched in plain text"
        assert any(cluster in text.replace("\n", "") for cluster in made), name


def test_a_waypoint_is_told_of_the_issuer_that_its_plugin_needs():
    documents = overlay("istio/waypoint")
    annotations = one(documents, "EnvoyFilter")["metadata"]["annotations"]
    hosts = one(documents, "ServiceEntry")["spec"]["hosts"]
    assert annotations["envoyfilter.istio.io/referenced-services"].split(",") == hosts
