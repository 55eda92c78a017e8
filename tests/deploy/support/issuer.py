"""An issuer: its key set, and tokens."""

import json
import time

import jwt
from cryptography.hazmat.primitives.asymmetric import ec

ISSUER = "https://issuer.example"
AUDIENCE = "https://api.example"


class Issuer:
    """A key, and what is signed with it."""

    def __init__(self):
        self._key = ec.generate_private_key(ec.SECP256R1())
        public = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(self._key.public_key()))
        self.key_set = {"keys": [{**public, "kid": "1", "alg": "ES256", "use": "sig"}]}

    def token(self, **claims) -> str:
        """A token that passes, with these claims in place of its own."""
        now = int(time.time())
        payload = {"iss": ISSUER, "aud": AUDIENCE, "sub": "somebody", "iat": now, "exp": now + 600}
        return jwt.encode({**payload, **claims}, self._key, "ES256", {"kid": "1", "typ": "at+jwt"})
