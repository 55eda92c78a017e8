"""Fixtures of all tests here."""

import pytest

from support.issuer import Issuer
from support.server import Server


@pytest.fixture
def issuer():
    return Issuer()


@pytest.fixture
def servers():
    """Starts servers that end with the test: `servers(answer)`."""
    started = []

    def start(answer):
        server = Server(answer)
        started.append(server)
        return server

    yield start
    for server in started:
        server.stop()
