// What a user can do: actions change the state and call servers. They know nothing of the page's elements.
// Each returns what to tell the user.

import { duration } from './duration.mjs';
import { ProofKey } from './proof.mjs';
import { KEY_TYPES } from './state.mjs';

/** The validity period of the token of "Let it expire", in seconds. */
const SHORT_LIFE = '3';

export class Actions {
  #state;
  #portal;
  #authorizationServer;

  constructor(state, portal, authorizationServer) {
    this.#state = state;
    this.#portal = portal;
    this.#authorizationServer = authorizationServer;
  }

  /** Gets a token for the current choices, or for those in `special`, and uses it. */
  async #useNewToken(special = {}) {
    const state = this.#state;
    const { client: { subscribedAPIs }, subscribed } = state;
    // The client's tokens have the subscriptions that it has at the portal. If an earlier change did not
    // reach it, or was made with the other key type, it is made now.
    if (JSON.stringify(subscribedAPIs) !== JSON.stringify(subscribed)) {
      state.client = await this.#portal.subscribe(state.client, subscribed);
    }
    const { api: { audience }, client, scopes, validity } = state;
    const wanted = { audience, scopes, validity, subscribed, ...special };
    state.token = await this.#authorizationServer.token(client, wanted);
  }

  /** Gets a token, and before that a client if there is none. */
  async generate() {
    const state = this.#state;
    const first = !state.client;
    if (first) {
      state.client = await this.#portal.generateKeys(state.keytype, state.subscribed);
    }
    await this.#useNewToken();
    const label = KEY_TYPES[state.keytype].toLowerCase();
    const said = first
      ? `You have a ${label} key and a token. The console sends the token from now on.`
      : `The console sends a new ${label} token from now on.`;
    const { lifetime } = state.token;
    return lifetime < Number(state.validity)
      ? `${said} The authorization server has shortened its validity to ${duration(lifetime)}.` : said;
  }

  /** Gets a token with the scopes that a challenge asks for. */
  async stepUp(scopes) {
    this.#state.scopes = scopes;
    return `${await this.generate()} It has the scopes of the challenge: execute the call again.`;
  }

  /** Subscribes to the chosen API, or ends the subscription. */
  async subscribe(wanted) {
    const state = this.#state;
    const { name, version, title } = state.api;
    const others = state.subscribed.filter((api) => api.name !== name);
    state.subscribed = wanted ? [...others, { name, version }] : others;
    const renewed = await this.#renew();
    const what = wanted ? `Subscribed to ${title}` : `No longer subscribed to ${title}`;
    const token = wanted ? 'that includes the subscription' : 'without the subscription';
    return renewed ? `${what}. The console sends a new token ${token}.` : `${what}.`;
  }

  async chooseScopes(scopes) {
    this.#state.scopes = scopes;
    return await this.#renew() ? 'The console sends a new token with these scopes.' : '';
  }

  /** Replaces the token, whose claims are older than a choice; returns `false` if there is none. */
  async #renew() {
    if (!this.#state.token) {
      return false;
    }
    await this.#useNewToken();
    return true;
  }

  tamper() {
    const { token } = this.#state;
    if (token.original) {
      return 'You have already tampered with this token: its exp is a day later than it was.';
    }
    this.#state.token = token.tampered();
    return 'The claim exp is a day later now, and the signature is still the old one.';
  }

  /** Gets a token that expires soon. */
  async letExpire() {
    await this.#useNewToken({ validity: SHORT_LIFE });
    return `This token is valid for ${SHORT_LIFE} seconds.`;
  }

  /** Gets a token for another API. */
  async otherAudience() {
    const audience = this.#state.settings.otherAudience;
    await this.#useNewToken({ audience, scopes: [] });
    return `This token is for another API, ${audience}. Execute the call to see what the gate says.`;
  }

  /** Gets a token that only the authorization server can read. */
  async opaque() {
    await this.#useNewToken({ opaque: true });
    return 'This token is a random text. The gate asks the authorization server about it (RFC 7662).';
  }

  /** Gets a token that is bound to a new key of this page. */
  async bound() {
    await this.#useNewToken({ key: await ProofKey.generate() });
    return 'This token is bound to a key of this page, which signs a proof for each call (DPoP, RFC 9449). '
      + 'Execute the call, then send it as a thief.';
  }

  async revoke() {
    const state = this.#state;
    const tampered = Boolean(state.token.original);
    const token = state.token.original ?? state.token;
    await this.#authorizationServer.revoke(state.client, token.text);
    token.isRevoked = true;
    state.token = token;
    const what = tampered
      ? 'The authorization server does not know the changed token, so its original is revoked. The '
        + 'console sends the original again.'
      : 'The authorization server has revoked the token.';
    return token.isOpaque
      ? `${what} The gate asks about the token again after 1 s.`
      : `${what} It is on the list of revoked tokens, which the gate reads every 2 s.`;
  }

  async changeSecret() {
    const state = this.#state;
    state.client = await this.#portal.changeSecret(state.client);
    for (const token of state.tokensOfClient) {
      (token.original ?? token).isOutdated = true;
    }
    return 'The old secret and all tokens issued with it no longer work. '
      + 'Generate a token with the new secret.';
  }
}
