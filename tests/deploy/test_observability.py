"""Metrics: rules, labels, and a dashboard whose queries a real Prometheus answers."""

import json
import math
import os
import re
import signal
import subprocess
import urllib.parse
import urllib.request

import pytest
import yaml

from support import forms
from support.checkout import MODULE, ROOT, debian, envoy_program, run
from support.envoy import Envoy, bootstrap, cluster, scratch
from support.issuer import Issuer
from support.manifests import one, overlay
from support.wait import eventually
from test_control_planes import plain

OBSERVABILITY = ROOT / "deploy/observability"
LABELS = {"bearer_gate_reason", "bearer_gate_provider", "bearer_gate_prefix"}


def dashboard_queries():
    dashboard = json.loads((OBSERVABILITY / "dashboard.json").read_text())
    return [
        (panel["title"], target["expr"])
        for panel in dashboard["panels"]
        for target in panel["targets"]
    ]


def filled(expression: str) -> str:
    """A query of the dashboard as Grafana sends it: for everything."""
    return (
        expression.replace("$__rate_interval", "2m").replace("$__range", "10m")
        .replace("$job", ".*").replace("$instance", ".*")
    )


def is_about_reports(expression: str) -> bool:
    """Whether a query needs a gate with `report_only`."""
    return "bearer_gate_would_deny" in expression


def rule_metrics():
    """The metrics that the rules read."""
    rules = yaml.safe_load((OBSERVABILITY / "rules.yml").read_text())
    expressions = [rule["expr"] for group in rules["groups"] for rule in group["rules"]]
    found = {name for text in expressions for name in re.findall(r"\b(?:bearer_gate|envoy)_\w+", text)}
    return sorted(found - LABELS)


def test_prometheus_accepts_configuration_and_rules():
    promtool = debian("promtool", "prometheus")
    run(promtool, "check", "config", OBSERVABILITY / "prometheus.yml")
    run(promtool, "check", "rules", OBSERVABILITY / "rules.yml")


def test_the_rules_fire_when_they_should_and_only_then():
    promtool = debian("promtool", "prometheus")
    run(promtool, "test", "rules", OBSERVABILITY / "rules.test.yml")


def test_every_alert_has_a_case_in_which_it_fires_and_one_in_which_it_does_not():
    rules = yaml.safe_load((OBSERVABILITY / "rules.yml").read_text())
    alerts = {rule["alert"] for group in rules["groups"] for rule in group["rules"] if "alert" in rule}
    tests = yaml.safe_load((OBSERVABILITY / "rules.test.yml").read_text())["tests"]
    cases = [case for test in tests for case in test["alert_rule_test"]]
    assert {case["alertname"] for case in cases if case.get("exp_alerts")} == alerts
    assert {case["alertname"] for case in cases if not case.get("exp_alerts")} >= alerts - {"BearerGateRevocationStale"}


class Prometheus:
    """A Prometheus that scrapes one Envoy with deploy/observability/prometheus.yml, every 200 ms."""

    def __init__(self, admin_port: int):
        program = debian("prometheus", "prometheus")
        directory = scratch("prometheus")
        config = yaml.safe_load((OBSERVABILITY / "prometheus.yml").read_text())
        config["global"] = {"scrape_interval": "200ms", "evaluation_interval": "1s"}
        config["rule_files"] = [str(OBSERVABILITY / "rules.yml")]
        config["scrape_configs"][0]["static_configs"] = [{"targets": [f"127.0.0.1:{admin_port}"]}]
        (directory / "prometheus.yml").write_text(yaml.safe_dump(config))
        self._log = directory / "log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [
                    program, f"--config.file={directory / 'prometheus.yml'}",
                    f"--storage.tsdb.path={directory / 'data'}", "--web.listen-address=127.0.0.1:0",
                ],
                stdout=log, stderr=log,
            )

    def __enter__(self):
        self.url = eventually("Prometheus listens", self._address)
        eventually("Prometheus is ready", self._ready)
        return self

    def __exit__(self, *_):
        self._process.kill()
        self._process.wait()

    def _address(self):
        text = self._log.read_text(errors="replace")
        assert self._process.poll() is None, text
        found = re.search(r'Listening on"? address="?(127\.0\.0\.1:\d+)', text)
        return f"http://{found.group(1)}" if found else None

    def _ready(self):
        try:
            with urllib.request.urlopen(f"{self.url}/-/ready", timeout=60) as answer:
                return answer.status == 200
        except OSError:
            return False

    def query(self, expression: str) -> list:
        return query(self.url, expression)


def query(url: str, expression: str) -> list:
    """The result of an instant query: pairs of labels and value."""
    target = f"{url}/api/v1/query?" + urllib.parse.urlencode({"query": expression})
    with urllib.request.urlopen(target, timeout=60) as answer:
        result = json.load(answer)["data"]["result"]
    return [(item["metric"], float(item["value"][1])) for item in result]


def traffic(envoy, issuer):
    """Requests that pass, that have no token, and whose token has expired."""
    assert envoy.answer("/orders", issuer.token())[0] == 200
    assert envoy.get("/orders")[0] == 401
    for _ in range(2):
        assert envoy.answer("/orders", issuer.token(exp=1))[0] == 401


def test_all_bootstraps_make_the_same_labels():
    tags = yaml.safe_load((ROOT / "envoy/stats-tags.yaml").read_text())["stats_config"]
    assert plain()["stats_config"] == tags


def labelled(prometheus, prefix=None):
    """Whether Prometheus has reasons and providers as labels, and nothing is lost in the name of a metric."""
    more = {"bearer_gate_prefix": prefix} if prefix else {}

    def value(name, **labels):
        labels = {**labels, **more}
        selector = ", ".join(f'{label}="{text}"' for label, text in labels.items())
        found = prometheus.query(f"{name}{{{selector}}}")
        return found[0][1] if len(found) == 1 else None

    def complete():
        return (
            value("bearer_gate_denied", bearer_gate_reason="missing") == 1
            and value("bearer_gate_denied", bearer_gate_reason="expired") == 2
            and value("bearer_gate_jwks_fetch_success", bearer_gate_provider="cloud") >= 1
        )

    eventually("Prometheus has scraped what was counted", complete)
    assert value("bearer_gate_jwks_keys", bearer_gate_provider="cloud") == 1
    assert value("bearer_gate_jwks_skipped_keys", bearer_gate_provider="cloud") == 0
    assert value("bearer_gate_allowed") >= 1
    assert value("bearer_gate_waiting") == 0
    assert value("bearer_gate_verified_host") >= 1
    assert value("bearer_gate_denied", bearer_gate_reason="proof_missing") == 0
    assert value("bearer_gate_proof_verified_host") == 0
    assert value("bearer_gate_denied", bearer_gate_reason="revocation_unavailable") == 0
    names = {labels["__name__"] for labels, _ in prometheus.query('{__name__=~"bearer_gate_.+"}')}
    strays = {name for name in names if re.search("cloud|edge|expired|missing", name)}
    assert strays == set()
    if prefix is None:
        assert prometheus.query('{bearer_gate_prefix!=""}') == []


def gate_with(servers, issuer, extra):
    """An Envoy of Istio with the plugin of the manifests and these fields in its configuration."""
    upstream = servers(lambda path, headers: (200, "{}"))
    keys = servers(lambda path, headers: (200, issuer.key_set))
    plugin = one(overlay("istio/gateway"), "WasmPlugin")
    plugin["spec"]["pluginConfig"].pop("share", None)
    plugin["spec"]["pluginConfig"].update(extra)
    istio = forms.Istio([forms.wasm_plugin(plugin)], upstream.port)
    istio.add_cluster(keys.port)
    return istio.configuration


@pytest.mark.parametrize("prefix", [None, "edge"])
def test_relabelling_makes_labels_where_the_control_plane_sets_no_stats_tags(servers, issuer, prefix):
    extra = {"dpop": {}, **({"stat_prefix": prefix} if prefix else {})}
    with Envoy(gate_with(servers, issuer, extra)) as envoy, Prometheus(envoy.admin_port) as prometheus:
        traffic(envoy, issuer)
        labelled(prometheus, prefix)


@pytest.mark.parametrize("prefix", [None, "edge"])
def test_relabelling_changes_nothing_where_envoy_makes_the_labels(servers, issuer, prefix):
    configuration = gate_with(servers, issuer, {"dpop": {}, **({"stat_prefix": prefix} if prefix else {})})
    configuration["stats_config"] = plain()["stats_config"]
    with Envoy(configuration) as envoy, Prometheus(envoy.admin_port) as prometheus:
        traffic(envoy, issuer)
        labelled(prometheus, prefix)


def test_an_alert_fires_when_requests_get_503_for_want_of_keys(servers, issuer):
    upstream = servers(lambda path, headers: (200, "{}"))
    plugin = one(overlay("istio/gateway"), "WasmPlugin")
    plugin["spec"]["pluginConfig"].pop("share", None)
    istio = forms.Istio([forms.wasm_plugin(plugin)], upstream.port)
    with Envoy(istio.configuration) as envoy, Prometheus(envoy.admin_port) as prometheus:

        def pending():
            assert envoy.get("/orders", issuer.token())[0] == 503
            states = prometheus.query('ALERTS{alertname="BearerGateKeysUnavailable"}')
            return any(labels["alertstate"] in ("pending", "firing") for labels, _ in states)

        eventually("the alert is pending or fires", pending)


def has_data(url: str, expression: str) -> bool:
    found = query(url, filled(expression))
    return found != [] and not any(math.isnan(value) for _, value in found)


def test_the_dashboard_has_data_about_a_gate_that_only_reports(servers, issuer):
    queries = [(title, expression) for title, expression in dashboard_queries() if is_about_reports(expression)]
    assert len(queries) == 2
    configuration = gate_with(servers, issuer, {"report_only": True})
    with Envoy(configuration) as envoy, Prometheus(envoy.admin_port) as prometheus:
        for title, expression in queries:

            def has_data_after_requests(expression=expression):
                # A rate needs a count that grows from one scrape to the next.
                assert envoy.get("/orders")[0] == 200
                assert envoy.get("/orders", issuer.token(exp=1))[0] == 200
                return has_data(prometheus.url, expression)

            eventually(f"{title}: {filled(expression)} has data", has_data_after_requests)
        reasons = {
            labels["bearer_gate_reason"] for labels, value in prometheus.query("bearer_gate_would_deny") if value > 0
        }
        # Some requests may come before the keys.
        assert {"missing"} <= reasons <= {"missing", "expired", "keys_unavailable"}
        assert prometheus.query("sum(bearer_gate_denied)")[0][1] == 0


def test_the_dashboard_has_data_for_every_other_query_under_the_load_of_the_demo():
    debian("prometheus", "prometheus")
    ports = ["HTTP", "HTTPS", "CONSOLE", "ADMIN", "AUTH", "API", "PORTAL", "MCP", "PROMETHEUS"]
    environment = {**os.environ, **{f"{name}_PORT": "0" for name in ports}, "METRICS": "1", "NO_COLOR": "1"}
    environment.pop("ONCE", None)
    log = scratch("demo") / "log"
    with log.open("wb") as output:
        demo = subprocess.Popen(
            ["node", "demo/run.mjs"], cwd=ROOT, env=environment, stdout=output, stderr=output,
        )

    def url():
        text = log.read_text()
        assert demo.poll() is None, text
        found = re.search(r"^  Prometheus +(http://\S+)$", text, re.MULTILINE)
        return found and found.group(1)

    try:
        address = eventually("the walk of the demo ends", url)
        assert "All answers were the expected ones." in log.read_text()
        for title, expression in dashboard_queries():
            if not is_about_reports(expression):
                eventually(f"{title}: {filled(expression)} has data", lambda e=expression: has_data(address, e))
        for name in rule_metrics():
            assert query(address, name), f"{name}, which the rules read, is not there"
        alerts = query(address, 'ALERTS{alertstate="firing"}')
        assert [labels["alertname"] for labels, _ in alerts if labels["severity"] == "critical"] == []
    finally:
        demo.send_signal(signal.SIGINT)
        assert demo.wait(60) in (0, 130)


def test_the_documentation_has_the_prometheus_name_of_every_metric():
    text = (ROOT / "docs/operations.md").read_text()
    watched = text.split("## What to watch")[1].split("\n## ")[0]
    names = text.split("## Prometheus")[1].split("\n## ")[0]
    metrics = re.findall(r"^\| `bearer_gate\.([^`]+)` \|", watched, re.MULTILINE)
    assert len(metrics) > 20
    expected = {
        "bearer_gate_" + re.sub(r"\.<\w+>", "", metric).replace(".", "_") for metric in metrics
    }
    assert expected <= set(re.findall(r"`(bearer_gate_\w+)`", names))


def test_the_dashboard_reads_only_metrics_that_the_documentation_names():
    text = (ROOT / "docs/operations.md").read_text()
    named = set(re.findall(r"`(bearer_gate_\w+)[`{]", text))
    used = {
        name
        for _, expression in dashboard_queries()
        for name in re.findall(r"\bbearer_gate_\w+", expression)
    } - LABELS
    assert used <= named, used - named


def test_the_access_log_names_refusals_and_subjects_and_no_token(servers, issuer):
    upstream = servers(lambda path, headers: (200, "{}"))
    keys = servers(lambda path, headers: (200, issuer.key_set))
    configuration = forms.redirected(plain(), {"issuer": keys.port, "upstream": upstream.port})
    [chain] = configuration["static_resources"]["listeners"][0]["filter_chains"]
    access = chain["filters"][0]["typed_config"]["access_log"][0]
    file = scratch("access") / "log"
    access["typed_config"] = {
        **access["typed_config"],
        "@type": "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog",
        "path": str(file),
    }
    access["name"] = "envoy.access_loggers.file"
    with Envoy(configuration) as envoy:
        good = issuer.token()
        assert envoy.answer("/orders?first=1", good)[0] == 200
        assert envoy.answer("/orders", issuer.token(exp=1))[0] == 401

        def lines():
            text = file.read_text() if file.exists() else ""
            lines = [json.loads(line) for line in text.splitlines() if line.endswith("}")]
            by_status = {line["status"]: line for line in lines}
            return by_status if {200, 401} <= by_status.keys() else None

        by_status = eventually("both requests are in the log", lines)
    assert by_status[200]["subject"] == "somebody"
    assert by_status[200]["path"] == "/orders", "the query may hold a token"
    assert by_status[200]["details"] == "via_upstream"
    assert 'error="invalid_token"' in by_status[401]["challenge"]
    assert by_status[401]["upstream"] is None
    assert by_status[401]["reason"] == "expired"
    assert by_status[200]["reason"] is None
    assert good not in file.read_text()
