// The clients that the console makes while the demo runs: "generate keys" of a developer portal.

import { randomBytes, timingSafeEqual } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

/** A client as `oidc-provider` is told of it (RFC 7591). */
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

  /** Makes a client with a secret. */
  async create({ keytype, subscribedAPIs }) {
    const id = `console-${keytype.toLowerCase()}-${randomBytes(4).toString('hex')}`;
    return this.#store({ id, secret: newSecret(), keytype, subscribedAPIs });
  }

  /**
   * Gives a client another secret; what it got with the old one is revoked. Answers with the client,
   * or with `null` where the old secret is not its secret.
   */
  async changeSecret(id, secret) {
    const client = await this.#find(id, secret);
    if (!client) {
      return null;
    }
    // Tokens tell their age in whole seconds. With the old secret gone now and the new one not given
    // out before the next second, every older token is older than that second and no newer one is.
    const second = Math.floor(Date.now() / 1000) + 1;
    const changed = await this.#store({ ...client, secret: newSecret() });
    this.#revocations.revokeClient(id, second);
    await sleep(second * 1000 - Date.now() + 1);
    return changed;
  }

  /** Sets what a client is subscribed to, for the tokens that it gets from now on. */
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

/** Whether two secrets are the same, in a time that tells nothing of how much of them is. */
function same(left, right) {
  const [a, b] = [Buffer.from(left), Buffer.from(right)];
  return a.length === b.length && timingSafeEqual(a, b);
}
