// The clients that the console creates while the demo runs: "generate keys" of a developer portal.

import { randomBytes, timingSafeEqual } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

/** The metadata of a client for `oidc-provider` (RFC 7591). */
export function metadata({ id, secret, keytype, subscribedAPIs }) {
  return {
    client_id: id,
    client_secret: secret,
    grant_types: ['client_credentials'],
    response_types: [],
    redirect_uris: [],
    keytype,
    subscribedAPIs,
  };
}

export class Clients {
  #provider;
  #revocations;

  constructor(provider, revocations) {
    this.#provider = provider;
    this.#revocations = revocations;
  }

  /** Creates a client with a secret. */
  async create({ keytype, subscribedAPIs }) {
    const id = `console-${keytype.toLowerCase()}-${randomBytes(4).toString('hex')}`;
    return this.#store({ id, secret: newSecret(), keytype, subscribedAPIs });
  }

  /**
   * Gives a client a new secret and revokes the tokens that it got with the old one. Returns the client,
   * or `null` if `secret` is not its secret.
   */
  async changeSecret(id, secret) {
    const client = await this.#find(id, secret);
    if (!client) {
      return null;
    }
    // `iat` is in whole seconds. The old secret is void now, and the new one is not returned before the
    // next second. So the tokens issued before that second are exactly those of the old secret.
    const second = Math.floor(Date.now() / 1000) + 1;
    const changed = await this.#store({ ...client, secret: newSecret() });
    this.#revocations.revokeClient(id, second);
    await sleep(second * 1000 - Date.now() + 1);
    return changed;
  }

  /** Sets the subscriptions that a client's tokens have from now on. Returns like `changeSecret`. */
  async subscribe(id, secret, subscribedAPIs) {
    const client = await this.#find(id, secret);
    return client && this.#store({ ...client, subscribedAPIs });
  }

  async #find(id, secret) {
    const found = await this.#provider.Client.adapter.find(id);
    if (!found || !same(found.client_secret, secret)) {
      return null;
    }
    const { keytype, subscribedAPIs } = found;
    return { id, secret, keytype, subscribedAPIs };
  }

  async #store(client) {
    await this.#provider.Client.adapter.upsert(client.id, metadata(client));
    return client;
  }
}

function newSecret() {
  return randomBytes(24).toString('base64url');
}

/** Compares two secrets in constant time. */
function same(left, right) {
  const [a, b] = [Buffer.from(left), Buffer.from(right)];
  return a.length === b.length && timingSafeEqual(a, b);
}
