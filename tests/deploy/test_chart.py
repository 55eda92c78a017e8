"""The Helm chart: rendered by Helm, and held to the same as the other manifests."""

import json

import pytest
import yaml

from support import crds, forms
from support.checkout import ROOT, check_program, run
from support.envoy import Envoy, bootstrap, cluster, scratch
from support.helm import Refused, lint, template
from support.manifests import documents, one
from test_control_planes import decides

CHART = ROOT / "deploy/helm/bearer-gate"
PLATFORMS = ["istio-gateway", "istio-sidecar", "istio-waypoint", "envoy-gateway"]


def values(platform):
    name = "bearer-gate-issuer.example" if platform == "envoy-gateway" else forms.ISTIO_CLUSTER
    uri = {"uri": "https://issuer.example/jwks", "cluster": name, "timeout": "2s"}
    provider = {
        "issuer": "https://issuer.example",
        "audiences": ["https://api.example"],
        "remote_jwks": {"http_uri": uri},
    }
    config = {
        "providers": {"cloud": provider},
        "rules": [{"match": {"path": "/health"}}, {"match": {"prefix": "/"}, "requires": {"provider_name": "cloud"}}],
    }
    if platform != "envoy-gateway":
        config["share"] = "worker"
    return {"platform": platform, "image": {"url": "registry.test/gate:1", "sha256": "a" * 64}, "config": config}


def rendered(platform):
    return documents(template(CHART, values(platform)))


def test_the_schema_of_the_values_is_that_of_the_configuration():
    schema = json.loads((CHART / "values.schema.json").read_text())
    ours = json.loads((ROOT / "docs/bearer-gate.schema.json").read_text())
    assert schema["$defs"] == ours.pop("$defs"), "run make schema"
    ours.pop("$schema")
    assert schema["properties"]["config"]["else"] == ours, "run make schema"


def test_the_values_that_come_with_the_chart_have_a_place_in_the_schema():
    default = yaml.safe_load((CHART / "values.yaml").read_text())
    schema = json.loads((CHART / "values.schema.json").read_text())
    assert set(default) == set(schema["properties"]) - {"global"}


def test_helm_has_nothing_against_the_chart():
    lint(CHART, values("istio-gateway"))


@pytest.mark.parametrize("platform", PLATFORMS)
def test_what_the_chart_makes_is_accepted_by_the_api_server_and_by_the_check_tool(platform):
    made = rendered(platform)
    file = scratch("chart") / "documents.yaml"
    file.write_text(yaml.safe_dump_all(made))
    done = run(check_program(), file, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    schemas = crds.load()
    for document in made:
        assert crds.problems(document, schemas) == [], document["kind"]


@pytest.mark.parametrize(
    "change, expected",
    [
        ({"config": {}}, "providers"),
        ({"config": {"providers": {"cloud": {"isuer": "x"}}}}, "isuer"),
        ({"config": {"providers": {"cloud": {"local_jwks": {"inline_string": "{}"}}}}}, "share"),
        ({"image": {"url": "oci://registry.test/gate"}}, "url"),
        ({"image": {"url": "registry.test/gate", "sha256": "sha256:" + "a" * 64}}, "sha256"),
        ({"failStrategy": "FAIL_OPEN"}, "failStrategy"),
    ],
)
def test_helm_refuses_values_that_make_no_gate(change, expected):
    with pytest.raises(Refused) as refused:
        template(CHART, {**values("istio-gateway"), **change})
    assert expected in str(refused.value)


@pytest.mark.parametrize("platform", ["istio-gateway", "istio-sidecar", "istio-waypoint"])
def test_what_the_chart_makes_for_istio_decides_in_envoy(platform, issuer, servers):
    upstream = servers(lambda path, headers: (200, {"path": path, "authorization": headers.get("authorization")}))
    keys = servers(lambda path, headers: (200, issuer.key_set))
    istio = forms.Istio([forms.wasm_plugin(one(rendered(platform), "WasmPlugin"))], upstream.port)
    istio.add_cluster(keys.port)
    with Envoy(istio.configuration) as envoy:
        decides(envoy, issuer)


def test_what_the_chart_makes_for_envoy_gateway_decides_in_envoy(issuer, servers):
    upstream = servers(lambda path, headers: (200, {"path": path, "authorization": headers.get("authorization")}))
    keys = servers(lambda path, headers: (200, issuer.key_set))
    code = servers(lambda path, headers: (200, forms.MODULE.read_bytes()))
    made = rendered("envoy-gateway")
    filters = forms.extension_policy(one(made, "EnvoyExtensionPolicy"), "wasm_cluster")
    clusters = [cluster("upstream", upstream.port), cluster("wasm_cluster", code.port)]
    configuration = bootstrap(filters, clusters, {"typed_per_filter_config": forms.enabled(filters)})
    configuration = forms.patched(configuration, one(made, "EnvoyProxy"))
    configuration = forms.redirected(configuration, {"bearer-gate-issuer.example": keys.port})
    with Envoy(configuration) as envoy:
        decides(envoy, issuer)
