// The servers of the page: the portal, which serves it, and the authorization server. Secrets are sent only
// in bodies and in the Authorization header, never in a URL, and kept in memory only.

/** An error that a server reports, or that it cannot be reached. */
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
    // Reported below if the answer is an error.
  }
  if (!response.ok) {
    throw new ServerError(body?.error_description ?? `The server answered ${response.status}`);
  }
  return body;
}

/** The URLs of this run's APIs and authorization server. */
export const settings = () => call('settings.json');

/** An API's OpenAPI document with the URL of one of this run's servers. */
export async function openapi(api, server) {
  const document = await call(`openapi/${api.name}.json`);
  const [{ url }] = document.servers;
  document.servers = [{ url: server.url + new URL(url).pathname.replace(/\/$/, ''), description: server.name }];
  return document;
}

/** The operations of the portal. Each returns the client. */
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

/** The authorization server: client-credentials grant and revocation. */
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

  /**
   * Requests a token for an API with the given scopes. `validityPeriod` is in seconds; -1 means that it
   * never expires.
   */
  async token(client, api, scopes, validityPeriod) {
    const answer = await this.#post('/token', client, {
      grant_type: 'client_credentials',
      resource: api.audience,
      ...(scopes.length > 0 && { scope: scopes.join(' ') }),
      validity_period: validityPeriod,
    });
    return answer.access_token;
  }

  revoke(client, token) {
    return this.#post('/revoke', client, { token, token_type_hint: 'access_token' });
  }
}
