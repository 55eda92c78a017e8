"""A client made with PyPI's `requests-oauth2client`: gets a token that is bound to its key, calls an API with it three
times, and prints the statuses of the answers to each call as JSON.

    client.py URL RESOURCE ISSUER CLIENT_ID CLIENT_SECRET
"""

import json
import sys

import requests
from requests.adapters import HTTPAdapter
from requests_oauth2client import DPoPKey, DPoPToken


class Recorder(HTTPAdapter):
    """Keeps the status of every answer, also of those after which the client tries again."""

    def __init__(self):
        super().__init__()
        self.statuses = []

    def send(self, *args, **kwargs):
        answer = super().send(*args, **kwargs)
        self.statuses.append(answer.status_code)
        return answer


def main(url, resource, issuer, client_id, client_secret):
    key = DPoPKey.generate(alg="ES256")
    # `OAuth2Client` refuses a server without TLS.
    endpoint = f"{issuer}/token"
    token = requests.post(
        endpoint,
        auth=(client_id, client_secret),
        headers={"DPoP": str(key.proof(htm="POST", htu=endpoint))},
        data={"grant_type": "client_credentials", "resource": resource, "scope": "api:read"},
        timeout=60,
    )
    token.raise_for_status()
    auth = DPoPToken(access_token=token.json()["access_token"], _dpop_key=key)
    session, recorder = requests.Session(), Recorder()
    session.mount("http://", recorder)
    calls = []
    for _ in range(3):
        session.get(url, auth=auth, timeout=60)
        calls.append(recorder.statuses)
        recorder.statuses = []
    json.dump(calls, sys.stdout)


main(*sys.argv[1:])
