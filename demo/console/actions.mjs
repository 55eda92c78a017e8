// What a user can do: actions change the state and call servers. They know nothing of the page's elements.
// Each returns what to tell the user.

import { Token } from './token.mjs';

export const LABELS = { PRODUCTION: 'Production', SANDBOX: 'Sandbox' };

/** The lifetime of the token of "Let it expire", in seconds. */
const SHORT_LIFE = 3;

export class Actions {
  #state;
  #portal;
  #authorizationServer;

  constructor(state, portal, authorizationServer) {
    this.#state = state;
    this.#portal = portal;
    this.#authorizationServer = authorizationServer;
  }

  /** Gets a token for the current choices and uses it. */
  async #useNewToken(scopes, validity) {
    const { client, api } = this.#state;
    const text = await this.#authorizationServer.token(client, api, scopes, validity);
    this.#state.token = new Token(text);
  }

  /** Gets a token, and before that a client if there is none. */
  async generate(scopes, validity) {
    const state = this.#state;
    const first = !state.client;
    if (first) {
      state.client = await this.#portal.generateKeys(state.keytype, state.subscribed);
    }
    await this.#useNewToken(scopes, validity);
    const label = LABELS[state.keytype].toLowerCase();
    return first
      ? `A ${label} key and a token are made. The console sends the token from now on.`
      : `The console sends a new ${label} token from now on.`;
  }

  /** Gets a token with the scopes that a challenge asks for. */
  async stepUp(scopes, validity) {
    return `${await this.generate(scopes, validity)} Its scopes are those of the challenge: call again.`;
  }

  /** Subscribes to the chosen API, or ends the subscription. */
  async subscribe(wanted, scopes) {
    const state = this.#state;
    const { name, version, title } = state.api;
    const others = state.subscribed.filter((api) => api.name !== name);
    const subscribed = wanted ? [...others, { name, version }] : others;
    for (const [keytype, existing] of state.clients) {
      state.clients.set(keytype, await this.#portal.subscribe(existing, subscribed));
    }
    state.subscribed = subscribed;
    const renewed = await this.#renew(scopes);
    const what = wanted ? `Subscribed to ${title}` : `No longer subscribed to ${title}`;
    return renewed ? `${what}. The console sends a new token that says so.` : `${what}.`;
  }

  async chooseScopes(scopes) {
    return await this.#renew(scopes) ? 'The console sends a new token with these scopes.' : '';
  }

  /** Replaces the token, since its claims are those of before; returns `false` if there is none. */
  async #renew(scopes) {
    const { token } = this.#state;
    if (!token) {
      return false;
    }
    const validity = token.expires ? Math.max(1, token.claims.exp - token.claims.iat) : '-1';
    await this.#useNewToken(scopes, validity);
    return true;
  }

  tamper() {
    this.#state.token = this.#state.token.tampered();
    return 'The claim exp says a day more now, and the signature is that of before.';
  }

  /** Gets a token that expires soon. */
  async letExpire(scopes) {
    await this.#useNewToken(scopes, SHORT_LIFE);
    return `This token is good for ${SHORT_LIFE} seconds.`;
  }

  async revoke() {
    const { client, token } = this.#state;
    await this.#authorizationServer.revoke(client, token.text);
    token.fate = 'revoked';
    return 'The authorization server has put the token on its list of revoked ones. The gate reads the '
      + 'list every 2 s.';
  }

  async changeSecret() {
    const state = this.#state;
    state.client = await this.#portal.changeSecret(state.client);
    for (const token of state.tokensOfClient) {
      token.fate ??= 'outdated';
    }
    return 'The old secret is good for nothing any more, nor are tokens that it got. '
      + 'Generate a token with the new one.';
  }
}
