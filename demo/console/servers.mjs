// The servers that the page talks to: the portal, which it comes from, and the authorization server.
// Secrets travel in bodies and in the Authorization header of the authorization server's endpoints,
// never in a URL; they are kept in memory only.

/** What a server says is wrong, or that it cannot be reached. */
export class ServerError extends Error {}

async function call(url, init) {
  let response;
  try {
    response = await fetch(url, { credentials: 'omit', cache: 'no-store', ...init });
  } catch {
    throw new ServerError(`${new URL(url, location.href).host} cannot be reached`);
  }
  const text = await response.text();
  let body = null;
  try {
    body = text ? JSON.parse(text) : null;
  } catch {
    // Said below, where it matters.
  }
  if (!response.ok) {
    throw new ServerError(body?.error_description ?? `The server answered ${response.status}`);
  }
  return body;
}

/** Where this run's APIs and authorization server are. */
export const settings = () => call('settings.json');

/** An API's OpenAPI document, for one of this run's servers. */
export async function openapi(api, server) {
  const document = await call(`openapi/${api.name}.json`);
  const [{ url }] = document.servers;
  document.servers = [{ url: server.url + new URL(url).pathname, description: server.name }];
  return document;
}

/** What can be asked of the portal. Each answers with the client. */
export class Portal {
  #post(path, body) {
    return call(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  }

  generateKeys(keytype, subscribedAPIs) {
    return this.#post('applications/keys', { keytype, subscribedAPIs });
  }

  changeSecret({ client_id, client_secret }) {
    return this.#post('applications/secret', { client_id, client_secret });
  }

  subscribe({ client_id, client_secret }, subscribedAPIs) {
    return this.#post('applications/subscriptions', { client_id, client_secret, subscribedAPIs });
  }
}

/** The authorization server: the client-credentials grant, and revocation. */
export class AuthorizationServer {
  #url;

  constructor(url) {
    this.#url = url;
  }

  #post(path, { client_id, client_secret }, form) {
    const credentials = [client_id, client_secret].map(encodeURIComponent).join(':');
    return call(this.#url + path, {
      method: 'POST',
      headers: { authorization: `Basic ${btoa(credentials)}` },
      body: new URLSearchParams(form),
    });
  }

  /** A token for an API, good for so many seconds, or forever with -1; as a text. */
  async token(client, api, validityPeriod) {
    const answer = await this.#post('/token', client, {
      grant_type: 'client_credentials',
      resource: api.audience,
      validity_period: validityPeriod,
    });
    return answer.access_token;
  }

  revoke(client, token) {
    return this.#post('/revoke', client, { token, token_type_hint: 'access_token' });
  }
}
