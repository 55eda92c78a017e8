"""What `convert` makes of policies of Istio and of Envoy Gateway: an API server accepts it, and Envoy decides by it."""

import json

import pytest
import yaml

from support import crds, forms
from support.checkout import MODULE, ROOT, check_program, run
from support.envoy import Envoy, bootstrap, cluster, scratch
from support.issuer import Issuer
from support.manifests import documents, one
from support.wait import eventually

POLICIES = ROOT / "tests/deploy/policies"
NAMES = ["istio", "envoy-gateway"]


def converted(name):
    """The documents that `convert` writes."""
    return documents(run(check_program(), "convert", POLICIES / f"{name}.yaml").stdout)


@pytest.fixture(scope="module")
def schemas():
    return crds.load()


@pytest.mark.parametrize("name", NAMES)
def test_the_api_server_accepts_policies_and_what_becomes_of_them(name, schemas):
    for document in documents((POLICIES / f"{name}.yaml").read_text()) + converted(name):
        assert crds.problems(document, schemas) == [], document


@pytest.mark.parametrize("name", NAMES)
def test_the_check_tool_accepts_what_becomes_of_policies(name):
    file = scratch("converted") / "documents.yaml"
    file.write_text(yaml.safe_dump_all(converted(name)))
    done = run(check_program(), file, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def upstream(servers):
    return servers(lambda path, headers: (200, {"user": headers.get("x-user")}))


@pytest.fixture
def key_server(servers, issuer):
    return servers(lambda path, headers: (200, issuer.key_set))


def decides(envoy, table):
    """Whether requests get the expected status: lists of a path, a token or none, and the status."""
    for path, token, expected in table:
        status, body = envoy.answer(path, token)
        assert status == expected, (path, token, body)


def test_envoy_decides_by_a_converted_policy_of_istio(issuer, upstream, key_server):
    made = converted("istio")
    plugin = one(made, "WasmPlugin")
    authorization = [document for document in made if document["kind"] == "AuthorizationPolicy"]
    assert [policy["metadata"]["name"] for policy in authorization] == ["shop", "no-strangers"]
    istio = forms.Istio([forms.wasm_plugin(plugin)], upstream.port, forms.authorization(authorization))
    istio.add_cluster(key_server.port)
    good = issuer.token()
    staff = issuer.token(groups=["other", "staff"])
    bad = Issuer().token()
    with Envoy(istio.configuration) as envoy:
        decides(envoy, [
            ("/catalogue", None, 200),
            ("/catalogue", good, 200),
            ("/catalogue", bad, 401),
            ("/catalogue/7/reviews", None, 401),
            ("/catalogue/7/reviews", good, 200),
            ("/catalogue/old.bak", None, 403),
            ("/orders", None, 401),
            ("/orders", good, 200),
            ("/orders", bad, 401),
            ("/orders", issuer.token(aud="https://other.example"), 401),
            ("/orders", issuer.token(sub=None), 401),
            ("/admin", None, 401),
            ("/admin", good, 403),
            ("/admin", staff, 200),
            ("/admin/old.bak", staff, 403),
            ("/internal", staff, 401),
            ("/elsewhere", good, 401),
        ])
        assert json.loads(envoy.answer("/orders", good)[1]) == {"user": "somebody"}
        assert json.loads(envoy.get("/catalogue", None, **{"x-user": "eve"})[1]) == {"user": None}


def test_envoy_decides_by_a_converted_policy_of_envoy_gateway(issuer, upstream, key_server, servers):
    made = converted("envoy-gateway")
    left = one(made, "SecurityPolicy")["spec"]
    assert "jwt" not in left and left["cors"] == {"allowOrigins": ["https://www.example"]}
    code = servers(lambda path, headers: (200, MODULE.read_bytes()))
    filters = forms.extension_policy(one(made, "EnvoyExtensionPolicy"), "wasm_cluster")
    route = {"typed_per_filter_config": forms.enabled(filters)}
    clusters = [cluster("upstream", upstream.port), cluster("wasm_cluster", code.port)]
    configuration = forms.patched(bootstrap(filters, clusters, route), one(made, "EnvoyProxy"))
    configuration = forms.redirected(configuration, {"bearer-gate-issuer-example": key_server.port})
    staff = issuer.token(groups=["staff"])
    reader = issuer.token(scope="read write")
    with Envoy(configuration) as envoy:
        eventually("the code is there", lambda: envoy.get("/orders")[0] == 401)
        decides(envoy, [
            ("/orders", None, 401),
            ("/orders", issuer.token(), 403),
            ("/orders", staff, 200),
            ("/orders", reader, 200),
            ("/orders", Issuer().token(scope="read"), 401),
            ("/admin", staff, 200),
            # The gate does not know the address of the client, so it refuses what the policy may deny.
            ("/admin/x", reader, 403),
            ("/admin/x", issuer.token(groups=["staff"], scope="read"), 200),
        ])
        assert json.loads(envoy.answer("/orders", staff)[1]) == {"user": "somebody"}


def test_envoy_takes_the_cluster_of_a_converted_policy_as_it_is(upstream):
    proxy = one(converted("envoy-gateway"), "EnvoyProxy")
    with Envoy(forms.patched(bootstrap([], [cluster("upstream", upstream.port)]), proxy)) as envoy:
        assert "bearer-gate-issuer-example" in envoy.admin("/clusters")[1]
