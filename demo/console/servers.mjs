// The servers of the page: the portal, which serves it, and the authorization server. Secrets are sent only
// in bodies and in the Authorization header, never in a URL, and kept in memory only.

import { Token } from './token.mjs';

/** How long a server may take to answer, in milliseconds. */
const TIMEOUT_MS = 8000;

/** An error that a server reports, or that it gives no answer. The message is one or two sentences. */
class ServerError extends Error {}

/** An error as sentences for the user. */
export function sentence(error) {
  return error instanceof ServerError ? error.message : `The console failed: ${error.message}.`;
}

/** Calls a server. `name` is what errors call it. Returns the JSON value that it answers. */
async function call(name, url, init) {
  const server = `The ${name} (${new URL(url, location.href).host})`;
  let response;
  let text;
  try {
    response = await fetch(url, {
      credentials: 'omit', cache: 'no-store', signal: AbortSignal.timeout(TIMEOUT_MS), ...init,
    });
    text = await response.text();
  } catch (error) {
    throw new ServerError(error.name === 'TimeoutError'
      ? `${server} has not answered within ${TIMEOUT_MS / 1000} s.`
      : `${server} cannot be reached. Is the demo still running?`);
  }
  let body = null;
  try {
    body = text ? JSON.parse(text) : null;
  } catch {
    // Reported below if the answer is an error.
  }
  if (!response.ok) {
    const description = body?.error_description ? `: ${body.error_description}` : '';
    throw new ServerError(`${server} answered ${response.status}${description}.`);
  }
  return body;
}

/** The URLs of this run's APIs and authorization server. */
export const settings = () => call('portal', 'settings.json');

/** The reasons for refusals by their codes. */
export const reasons = () => call('portal', 'reasons.json');

/** An API's OpenAPI document with the URL of one of this run's servers. */
export async function openapi(api, server) {
  const document = await call('portal', `openapi/${api.name}.json`);
  const [{ url }] = document.servers;
  document.servers = [{ url: server.url + new URL(url).pathname.replace(/\/$/, ''), description: server.name }];
  return document;
}

/** The operations of the portal. Each returns the client. */
export class Portal {
  #post(path, body) {
    return call('portal', path, {
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

  #post(path, { client_id, client_secret }, form, headers = {}) {
    const credentials = [client_id, client_secret].map(encodeURIComponent).join(':');
    return call('authorization server', this.#url + path, {
      method: 'POST',
      headers: { authorization: `Basic ${btoa(credentials)}`, ...headers },
      body: new URLSearchParams(form),
    });
  }

  /**
   * Requests a token. `validity` is in seconds; -1 means that it never expires. An `opaque` token is one
   * that only this server can read. `subscribed` are the client's subscriptions. The token is bound to `key`, if
   * there is one.
   */
  async token(client, { audience, scopes, validity, subscribed, opaque = false, key = null }) {
    const form = {
      grant_type: 'client_credentials',
      resource: audience,
      ...(scopes.length > 0 && { scope: scopes.join(' ') }),
      validity_period: validity,
      ...(opaque && { token_format: 'opaque' }),
    };
    const url = `${this.#url}/token`;
    const headers = key ? { dpop: await key.prove({ method: 'POST', url }) } : {};
    const answer = await this.#post('/token', client, form, headers);
    const request = { url, client, form, audience, scopes, subscribed };
    return new Token(answer.access_token, request, answer.expires_in, key);
  }

  revoke(client, token) {
    return this.#post('/revoke', client, { token, token_type_hint: 'access_token' });
  }
}
