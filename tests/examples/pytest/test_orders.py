"""What the gate does with requests for orders. Only the API and the keys are not the real ones."""

import pytest


def test_health_needs_no_token(gate):
    assert gate.send("GET", "/health").status == 200


def test_without_a_token_nobody_reads(gate):
    answer = gate.send("GET", "/orders")
    assert answer.status == 401
    assert answer.json()["error"] == "missing_token"


def test_a_reader_reads_and_the_api_learns_who_it_is(gate):
    answer = gate.send("GET", "/orders/1", "reader")
    assert answer.status == 200
    got = answer.json()["headers"]
    assert got["x-user"] == "alice"
    assert "authorization" not in got


def test_without_a_token_nobody_says_who_they_are(gate):
    got = gate.send("GET", "/health", **{"x-user": "root"}).json()["headers"]
    assert "x-user" not in got


@pytest.mark.parametrize("kind", ["expired", "wrong-audience", "wrong-issuer", "wrong-signature", "unsigned"])
def test_a_bad_token_is_refused(gate, kind):
    answer = gate.send("GET", "/orders", "reader", kind)
    assert answer.status == 401
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]


def test_a_reader_may_not_write(gate):
    answer = gate.send("POST", "/orders", "reader")
    assert answer.status == 403
    assert 'scope="orders:write"' in answer.headers["www-authenticate"]


def test_a_writer_writes(gate):
    assert gate.send("POST", "/orders", "writer").status == 200


def test_what_no_rule_names_is_refused(gate):
    assert gate.send("GET", "/internal", "writer").status == 401
