// The state of the page, kept in memory only. It knows nothing of the page's elements.

import { VARIATIONS } from './variations.mjs';

/** The key types and what the page calls them. */
export const KEY_TYPES = { PRODUCTION: 'Production', SANDBOX: 'Sandbox' };

export class State {
  /** The settings that the portal publishes: servers, APIs, the URL of the authorization server. */
  settings = null;
  /** The current choices. */
  api = null;
  server = null;
  keytype = 'PRODUCTION';
  /** The validity period of new tokens in seconds, as text; -1 for tokens that never expire. */
  validity = '3600';
  /** How calls are sent. */
  variation = VARIATIONS[0];
  /** The APIs that new tokens include a subscription to, as `{name, version}`. */
  subscribed = [];
  /** Whether the client secret is shown. */
  revealed = false;
  #scopes = new Map();
  #clients = new Map();
  #tokens = new Map();

  /** Begins with the first API and the server that fits the page's own protocol. */
  constructor(settings, protocol) {
    this.settings = settings;
    const { apis, servers } = settings;
    [this.api] = apis;
    this.server = servers.find(({ url }) => url.startsWith(protocol)) ?? servers[0];
    this.subscribed = [{ name: this.api.name, version: this.api.version }];
  }

  get #place() {
    return `${this.api.name}/${this.keytype}`;
  }

  /** Chooses an API. A way of sending calls that it does not have is given up. */
  chooseApi(api) {
    this.api = api;
    this.#keepVariation();
  }

  /** Chooses a key type, which has tokens of its own. */
  chooseKeytype(keytype) {
    this.keytype = keytype;
    this.#keepVariation();
  }

  #keepVariation() {
    if (!this.variations.includes(this.variation)) {
      [this.variation] = VARIATIONS;
    }
  }

  /** The ways of sending calls that suit the chosen API and the token. */
  get variations() {
    return VARIATIONS.filter(({ suits }) => suits(this.api, this.token));
  }

  /** The client of the chosen key type; `null` before keys are generated. */
  get client() {
    return this.#clients.get(this.keytype) ?? null;
  }

  set client(client) {
    this.#clients.set(this.keytype, client);
  }

  /** The token that calls are sent with: one for each API and key type. */
  get token() {
    return this.#tokens.get(this.#place) ?? null;
  }

  set token(token) {
    this.#tokens.set(this.#place, token);
    this.#keepVariation();
  }

  /** All tokens of the chosen key type. */
  get tokensOfClient() {
    return [...this.#tokens].filter(([place]) => place.endsWith(`/${this.keytype}`))
      .map(([, token]) => token);
  }

  /** The scopes of new tokens for the chosen API: at first the first one that it has. */
  get scopes() {
    return this.#scopes.get(this.api.name) ?? this.api.scopes?.slice(0, 1) ?? [];
  }

  set scopes(scopes) {
    this.#scopes.set(this.api.name, scopes);
  }

  /** Whether the chosen API is subscribed to. */
  get isSubscribed() {
    return this.subscribed.some(({ name }) => name === this.api.name);
  }

  /**
   * What the token in use says other than the choices, as a sentence: it was issued before they were made.
   * `null` if they agree.
   */
  get disagreement() {
    const { api, token } = this;
    if (!token || token.request.audience !== api.audience) {
      return null;
    }
    if (api.scopes) {
      const has = token.scopes;
      const same = has.length === this.scopes.length && this.scopes.every((one) => has.includes(one));
      return same ? null : `This token was issued before the change. Its scopes: ${has.join(' ') || 'none'}.`;
    }
    const has = token.subscribes(api);
    return has === this.isSubscribed ? null
      : `This token was issued before the change. It ${has ? 'still includes' : 'does not include'} `
        + `a subscription to ${api.title}.`;
  }
}
