// The revocation list: single tokens, and all tokens of a client issued before a time.
//
// `oidc-provider` does not store the JWTs that it issues and cannot revoke them. This middleware wraps its
// revocation endpoint, which authenticates the client, and keeps the list.

import { compactVerify, createLocalJWKSet } from 'jose';

/** The private members of a JWK. */
const PRIVATE = new Set(['d', 'p', 'q', 'dp', 'dq', 'qi']);

export class Revocations {
  #keys;
  #tokens = new Set();
  #clients = new Map();

  /** `keys` are the server's signing keys as JWKs. */
  constructor(keys) {
    const isPublic = ([name]) => !PRIVATE.has(name);
    this.#keys = createLocalJWKSet({
      keys: keys.map((key) => Object.fromEntries(Object.entries(key).filter(isPublic))),
    });
  }

  /** Revokes the tokens that `clientId` got before `time`, in seconds since 1970. */
  revokeClient(clientId, time) {
    this.#clients.set(clientId, time);
  }

  /** Serves `GET /revoked`, and makes `POST /revoke` accept JWTs. */
  middleware() {
    return async (ctx, next) => {
      if (ctx.method === 'GET' && ctx.path === '/revoked') {
        ctx.set('cache-control', 'no-store');
        ctx.body = this;
        return;
      }
      await next();
      // The client is authenticated, and the token is a JWT, which `oidc-provider` does not revoke.
      if (ctx.oidc?.route === 'revocation' && ctx.body?.error === 'unsupported_token_type') {
        await this.#revokeToken(ctx);
      }
    };
  }

  async #revokeToken(ctx) {
    const claims = await this.#claims(ctx.oidc.params.token);
    if (claims && claims.client_id !== ctx.oidc.client.clientId) {
      ctx.status = 400;
      ctx.body = {
        error: 'unauthorized_client',
        error_description: 'the token was issued to another client',
      };
      return;
    }
    // A token of another issuer is invalid already, which is a success (RFC 7009, section 2.2).
    if (claims) {
      this.#tokens.add(claims.jti);
    }
    ctx.status = 200;
    ctx.body = '';
  }

  /** The claims of a token that this server signed; `null` for any other token. */
  async #claims(token) {
    try {
      const { payload } = await compactVerify(token, this.#keys);
      return JSON.parse(new TextDecoder().decode(payload));
    } catch {
      return null;
    }
  }

  /** The list in the format that the filter reads. */
  toJSON() {
    return {
      tokens: [...this.#tokens],
      clients: Object.fromEntries(this.#clients),
      subjects: {},
    };
  }
}
