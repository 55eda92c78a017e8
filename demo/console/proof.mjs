// Proofs of possession (DPoP, RFC 9449): the page has a key, and signs a proof for each request.

import { encode } from '/jose/util/base64url.js';
import { SignJWT } from '/jose/jwt/sign.js';
import { exportJWK } from '/jose/key/export.js';
import { generateKeyPair } from '/jose/key/generate_key_pair.js';

export class ProofKey {
  #jwk;
  #privateKey;
  /** The last proof for a request with a token; `null` before the first one. */
  last = null;

  /** A new key, which cannot leave the page. */
  static async generate() {
    const { publicKey, privateKey } = await generateKeyPair('ES256');
    const key = new ProofKey();
    key.#jwk = await exportJWK(publicKey);
    key.#privateKey = privateKey;
    return key;
  }

  /** A proof for a request with this method, URL and token; without one, for a token request. */
  async prove({ method, url, token = null }) {
    const { origin, pathname } = new URL(url);
    const claims = { htm: method, htu: origin + pathname };
    if (token !== null) {
      const hash = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(token));
      claims.ath = encode(new Uint8Array(hash));
    }
    const proof = await new SignJWT(claims)
      .setProtectedHeader({ typ: 'dpop+jwt', alg: 'ES256', jwk: this.#jwk })
      .setJti(crypto.randomUUID())
      .setIssuedAt()
      .sign(this.#privateKey);
    this.last = token === null ? this.last : proof;
    return proof;
  }
}
