"""Every plugin configuration below deploy/ in a real Envoy, in the form in which its control plane hands it over."""

import copy
import json

import pytest
import yaml

from support import forms
from support.checkout import MODULE, ROOT
from support.envoy import Envoy, bootstrap, cluster
from support.issuer import Issuer
from support.manifests import one, overlay
from support.wait import eventually

ISTIO = ["istio/gateway", "istio/sidecar", "istio/waypoint", "istio/envoy-filter"]


def extension(name):
    """What Istio hands over for an overlay."""
    documents = overlay(name)
    if name == "istio/envoy-filter":
        return forms.envoy_filter(one(documents, "EnvoyFilter", "bearer-gate"))
    return forms.wasm_plugin(one(documents, "WasmPlugin"))


@pytest.fixture
def upstream(servers):
    return servers(lambda path, headers: (200, {"path": path, "authorization": headers.get("authorization")}))


@pytest.fixture
def key_server(servers, issuer):
    return servers(lambda path, headers: (200, issuer.key_set))


def decides(envoy, issuer):
    """Whether requests get what the rules of the manifests say."""
    assert envoy.get("/health")[0] == 200
    assert envoy.get("/orders")[0] == 401
    assert envoy.answer("/orders", Issuer().token())[0] == 401
    assert envoy.answer("/orders", issuer.token(aud="https://other.example"))[0] == 401
    status, body = envoy.answer("/orders", issuer.token())
    assert status == 200
    assert json.loads(body) == {"path": "/orders", "authorization": None}


@pytest.mark.parametrize("name", ISTIO)
def test_istio_hands_over_the_filter_first_and_the_cluster_later(name, issuer, upstream, key_server):
    istio = forms.Istio([extension(name)], upstream.port)
    with Envoy(istio.configuration) as envoy:
        assert envoy.get("/health")[0] == 200
        assert envoy.get("/orders")[0] == 401
        status, _ = envoy.get("/orders", issuer.token())
        assert status == 503, "there is no cluster to fetch keys from yet"
        assert key_server.requests == []
        istio.add_cluster(key_server.port)
        decides(envoy, issuer)


def test_two_plugins_with_the_same_module_each_have_their_own_audience(issuer, upstream, key_server):
    plugin = one(overlay("istio/gateway"), "WasmPlugin")
    plugin["spec"]["pluginConfig"]["providers"]["cloud"]["forward"] = True
    other = copy.deepcopy(plugin)
    other["metadata"]["name"] = "another-gate"
    other["spec"]["pluginConfig"]["providers"]["cloud"]["audiences"] = ["https://another.example"]
    istio = forms.Istio([forms.wasm_plugin(plugin), forms.wasm_plugin(other)], upstream.port)
    istio.add_cluster(key_server.port)
    both = issuer.token(aud=["https://api.example", "https://another.example"])
    with Envoy(istio.configuration) as envoy:
        assert envoy.answer("/orders", both)[0] == 200
        assert envoy.get("/health")[0] == 200
        assert envoy.answer("/orders", issuer.token())[0] == 401
        assert envoy.answer("/orders", issuer.token(aud="https://another.example"))[0] == 401


def test_envoy_gateway_hands_over_remote_code_that_one_route_enables(issuer, upstream, key_server, servers):
    documents = overlay("envoy-gateway")
    code = servers(lambda path, headers: (200, MODULE.read_bytes()))
    filters = forms.extension_policy(one(documents, "EnvoyExtensionPolicy"), "wasm_cluster")
    route = {"match": {"prefix": "/"}, "route": {"cluster": "upstream"}}
    routes = [
        {**route, "match": {"prefix": "/open"}},
        {**route, "typed_per_filter_config": forms.enabled(filters)},
    ]
    clusters = [cluster("upstream", upstream.port), cluster("wasm_cluster", code.port)]
    configuration = bootstrap(
        filters, clusters, route_config={"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": routes}]}
    )
    configuration = forms.patched(configuration, one(documents, "EnvoyProxy"))
    configuration = forms.redirected(configuration, {"bearer-gate-issuer": key_server.port})
    with Envoy(configuration) as envoy:
        eventually("the code is there", lambda: envoy.get("/orders")[0] == 401)
        decides(envoy, issuer)
        assert envoy.get("/open")[0] == 200, "a route without the policy has no gate"
        assert len(code.requests) == 1


def test_envoy_takes_the_cluster_of_the_envoy_proxy_resource_as_it_is(upstream):
    proxy = one(overlay("envoy-gateway"), "EnvoyProxy")
    with Envoy(forms.patched(bootstrap([], [cluster("upstream", upstream.port)]), proxy)) as envoy:
        assert "bearer-gate-issuer" in envoy.admin("/clusters")[1]


def plain():
    """deploy/envoy/envoy.yaml on free ports, with the module of this checkout."""
    text = (ROOT / "deploy/envoy/envoy.yaml").read_text()
    assert text.count("/etc/envoy/bearer_gate.wasm") == 1
    return forms.loopback(yaml.safe_load(text.replace("/etc/envoy/bearer_gate.wasm", str(MODULE))))


def test_plain_envoy_decides_as_its_configuration_says(issuer, upstream, key_server):
    ports = {"issuer": key_server.port, "upstream": upstream.port}
    with Envoy(forms.redirected(plain(), ports)) as envoy:
        decides(envoy, issuer)
