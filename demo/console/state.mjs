// The state of the page, kept in memory only. It knows nothing of the page's elements.

export class State {
  /** The settings that the portal publishes: servers, APIs, the URL of the authorization server. */
  settings = null;
  /** The current choices. */
  api = null;
  server = null;
  keytype = 'PRODUCTION';
  /** The subscribed APIs, as `{name, version}`. */
  subscribed = [];
  /** Whether the client secret is shown. */
  revealed = false;
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

  /** The clients by key type. */
  get clients() {
    return this.#clients;
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
  }

  /** All tokens of the chosen key type. */
  get tokensOfClient() {
    return [...this.#tokens].filter(([place]) => place.endsWith(`/${this.keytype}`))
      .map(([, token]) => token);
  }

  /** Whether the chosen API is subscribed to. */
  get isSubscribed() {
    return this.subscribed.some(({ name }) => name === this.api.name);
  }
}
