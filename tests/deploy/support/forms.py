"""What Istio and Envoy Gateway make of their resources: the configuration that Envoy gets from them."""

import copy
import hashlib
import json

from .checkout import MODULE
from .envoy import WASM, Discovery, address, bootstrap, cluster

ISTIO_CLUSTER = "outbound|443||issuer.example"
_STRING = "type.googleapis.com/google.protobuf.StringValue"
_EXTENSION = "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig"
_CLUSTER = "type.googleapis.com/envoy.config.cluster.v3.Cluster"
_POLICIES = {"FAIL_RELOAD": "FAIL_RELOAD", "FAIL_CLOSE": "FAIL_CLOSED", "FAIL_OPEN": "FAIL_OPEN"}


def local(path=MODULE) -> dict:
    """The code as Istio's agent leaves it: a file in place of the image."""
    return {"local": {"filename": str(path)}}


def wasm_plugin(plugin: dict, code=None) -> dict:
    """The extension that Istio makes of a WasmPlugin: with the empty vm_id, and the configuration as a string."""
    spec, metadata = plugin["spec"], plugin["metadata"]
    given = {}
    for variable in spec.get("vmConfig", {}).get("env", []):
        if variable.get("valueFrom") == "HOST":
            given.setdefault("host_env_keys", []).append(variable["name"])
        else:
            given.setdefault("key_values", {})[variable["name"]] = variable["value"]
    given.setdefault("key_values", {})["ISTIO_META_WASM_PLUGIN_RESOURCE_VERSION"] = "1"
    name = f"{metadata['namespace']}.{metadata['name']}"
    config = {
        "name": name,
        "root_id": spec.get("pluginName", ""),
        "failure_policy": _POLICIES[spec.get("failStrategy", "FAIL_CLOSE")],
        "vm_config": {
            "runtime": "envoy.wasm.runtime.v8",
            "code": code or local(),
            "environment_variables": given,
        },
        "configuration": {"@type": _STRING, "value": json.dumps(spec["pluginConfig"])},
    }
    return {"@type": _EXTENSION, "name": name, "typed_config": {"@type": WASM, "config": config}}


_RBAC = "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC"
_TEMPLATE = "type.googleapis.com/envoy.extensions.path.match.uri_template.v3.UriTemplateMatchConfig"


def authorization(policies: list) -> list:
    """The filters that Istio makes of AuthorizationPolicies about paths and methods: first what they deny, then what
    they allow."""
    filters = []
    for action in ["DENY", "ALLOW"]:
        rules = [
            rule for policy in policies if policy["spec"].get("action", "ALLOW") == action for rule in policy["spec"]["rules"]
        ]
        if rules:
            made = {
                str(index): {"permissions": [_permission(rule)], "principals": [{"any": True}]}
                for index, rule in enumerate(rules)
            }
            config = {"@type": _RBAC, "rules": {"action": action, "policies": made}}
            filters.append({"name": f"rbac-{action.lower()}", "typed_config": config})
    return filters


def _permission(rule: dict) -> dict:
    assert set(rule) <= {"to"}, rule
    operations = []
    for to in rule.get("to", []):
        operation = to["operation"]
        assert set(operation) <= {"paths", "methods"}, rule
        lists = [
            [_path(path) for path in operation.get("paths", [])],
            [{"header": {"name": ":method", "string_match": _text(method)}} for method in operation.get("methods", [])],
        ]
        operations.append({"and_rules": {"rules": [{"or_rules": {"rules": list}} for list in lists if list]}})
    return {"or_rules": {"rules": operations}} if operations else {"any": True}


def _path(pattern: str) -> dict:
    if "{" in pattern:
        template = pattern.replace("{*}", "*").replace("{**}", "**")
        return {"uri_template": {"name": "template", "typed_config": {"@type": _TEMPLATE, "path_template": template}}}
    return {"url_path": {"path": _text(pattern)}}


def _text(pattern: str) -> dict:
    if pattern.startswith("*"):
        return {"suffix": pattern[1:]}
    return {"prefix": pattern[:-1]} if pattern.endswith("*") else {"exact": pattern}


def envoy_filter(resource: dict, code=None) -> dict:
    """The extension of an EnvoyFilter with EXTENSION_CONFIG, after Istio's agent has fetched the code."""
    [patch] = [
        patch["patch"]["value"]
        for patch in resource["spec"]["configPatches"]
        if patch["applyTo"] == "EXTENSION_CONFIG"
    ]
    typed = copy.deepcopy(patch["typed_config"])
    assert typed["type_url"] == WASM
    typed["value"]["config"]["vm_config"]["code"] = code or local()
    return {"@type": _EXTENSION, "name": patch["name"], "typed_config": {"@type": WASM, **typed["value"]}}


class Istio:
    """An Envoy of Istio: filters by ECDS, clusters by CDS, and no cluster of the issuer at first."""

    def __init__(self, extensions: list, upstream: int, more: list | None = None):
        self._clusters = Discovery([])
        filters = [
            {
                "name": extension["name"],
                # A file of extensions has only one.
                "config_discovery": {"config_source": Discovery([extension]).source(), "type_urls": [WASM]},
            }
            for extension in extensions
        ]
        self.configuration = bootstrap(filters + (more or []), [cluster("upstream", upstream)])
        self.configuration["dynamic_resources"] = {"cds_config": self._clusters.source()}

    def add_cluster(self, port: int, name: str = ISTIO_CLUSTER):
        """The cluster of a ServiceEntry arrives. What TLS would do here is left out."""
        self._clusters.publish([{"@type": _CLUSTER, **cluster(name, port)}])


def extension_policy(policy: dict, code_cluster: str) -> list:
    """The filters that Envoy Gateway makes of an EnvoyExtensionPolicy: fetched by Envoy from the control plane,
    disabled in the chain, and with a vm_id of each policy."""
    metadata = policy["metadata"]
    sha256 = hashlib.sha256(MODULE.read_bytes()).hexdigest()
    filters = []
    for index, wasm in enumerate(policy["spec"]["wasm"]):
        place = f"envoyextensionpolicy/{metadata['namespace']}/{metadata['name']}/wasm/{index}"
        uri = {"uri": f"http://envoy-gateway:18002/{sha256}.wasm", "cluster": code_cluster, "timeout": "10s"}
        config = {
            "name": wasm.get("name", place),
            "fail_open": wasm.get("failOpen", False),
            "vm_config": {
                "vm_id": place,
                "runtime": "envoy.wasm.runtime.v8",
                "code": {"remote": {"http_uri": uri, "sha256": sha256}},
                "environment_variables": {"host_env_keys": wasm.get("env", {}).get("hostKeys", [])},
            },
            "configuration": {"@type": _STRING, "value": json.dumps(wasm["config"])},
        }
        filters.append({
            "name": f"envoy.filters.http.wasm/{place}",
            "disabled": True,
            "typed_config": {"@type": WASM, "config": config},
        })
    return filters


def enabled(filters: list) -> dict:
    """What Envoy Gateway writes at a route to enable filters that are disabled in the chain."""
    message = {"@type": "type.googleapis.com/envoy.config.route.v3.FilterConfig", "config": {}}
    return {filter["name"]: message for filter in filters}


def patched(configuration: dict, proxy: dict) -> dict:
    """A bootstrap with the JSON patches of an EnvoyProxy."""
    configuration = copy.deepcopy(configuration)
    bootstrap = proxy["spec"]["bootstrap"]
    assert bootstrap["type"] == "JSONPatch"
    for patch in bootstrap["jsonPatches"]:
        assert (patch["op"], patch["path"]) == ("add", "/static_resources/clusters/-")
        configuration["static_resources"]["clusters"].append(copy.deepcopy(patch["value"]))
    return configuration


def redirected(configuration: dict, ports: dict) -> dict:
    """The same with these clusters on ports of this machine, without TLS."""
    configuration = copy.deepcopy(configuration)
    clusters = configuration["static_resources"]["clusters"]
    for index, described in enumerate(clusters):
        if described["name"] in ports:
            clusters[index] = cluster(described["name"], ports[described["name"]])
    return configuration


def loopback(configuration: dict) -> dict:
    """The same with its listeners and its administration interface on free ports of this machine."""
    configuration = copy.deepcopy(configuration)
    for listener in configuration["static_resources"]["listeners"]:
        listener["address"] = address(0)
    configuration["admin"]["address"] = address(0)
    return configuration
