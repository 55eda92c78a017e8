// A client that makes proofs of possession (RFC 9449).

import { createHash, randomUUID } from 'node:crypto';

import { SignJWT, calculateJwkThumbprint, exportJWK, generateKeyPair } from 'jose';

/** A client with a new key: `{ thumbprint, prove() }`. */
export async function makeProver(alg = 'ES256') {
  const { publicKey, privateKey } = await generateKeyPair(alg);
  const jwk = await exportJWK(publicKey);
  return {
    thumbprint: await calculateJwkThumbprint(jwk),
    /** A proof for a request with this method, URL and token. `claims` are further ones. */
    prove: (method, url, token, claims = {}) => new SignJWT({
      htm: method,
      htu: url,
      ath: createHash('sha256').update(token).digest('base64url'),
      jti: randomUUID(),
      iat: Math.floor(Date.now() / 1000),
      ...claims,
    }).setProtectedHeader({ typ: 'dpop+jwt', alg, jwk }).sign(privateKey),
  };
}
