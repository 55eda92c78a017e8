// What is revoked: tokens one by one, and all that a client was given before a time.
//
// `oidc-provider` keeps no record of the JWTs that it has issued and so revokes none. This stands
// around its revocation endpoint: it leaves to it to know who the client is, and keeps the list.

import { compactVerify, createLocalJWKSet } from 'jose';

/** The members of a private key that make it private. */
const PRIVATE = new Set(['d', 'p', 'q', 'dp', 'dq', 'qi']);

export class Revocations {
  #keys;
  #tokens = new Set();
  #clients = new Map();

  /** `keys` are the server's, as JWKs. */
  constructor(keys) {
    const open = ([name]) => !PRIVATE.has(name);
    this.#keys = createLocalJWKSet({
      keys: keys.map((key) => Object.fromEntries(Object.entries(key).filter(open))),
    });
  }

  /** From now on, what `clientId` was given before `time`, in seconds since 1970, is revoked. */
  revokeClient(clientId, time) {
    this.#clients.set(clientId, time);
  }

  /** Serves `GET /revoked`, and lets `POST /revoke` revoke JWTs too. */
  middleware() {
    return async (ctx, next) => {
      if (ctx.method === 'GET' && ctx.path === '/revoked') {
        ctx.set('cache-control', 'no-store');
        ctx.body = this;
        return;
      }
      await next();
      // The client has shown who it is, and the token is a JWT, which `oidc-provider` leaves alone.
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
    // A token that is none of this server's is good for nothing already (RFC 7009, section 2.2).
    if (claims) {
      this.#tokens.add(claims.jti);
    }
    ctx.status = 200;
    ctx.body = '';
  }

  /** The claims of a token that this server has signed, or `null`. */
  async #claims(token) {
    try {
      const { payload } = await compactVerify(token, this.#keys);
      return JSON.parse(new TextDecoder().decode(payload));
    } catch {
      return null;
    }
  }

  /** The list, as the filter reads it. */
  toJSON() {
    return {
      tokens: [...this.#tokens],
      clients: Object.fromEntries(this.#clients),
      subjects: {},
    };
  }
}
