// The developer portal: serves the console's page and makes its keys.
//
//   GET  /                            the page, and what it is made of (console/, Swagger UI)
//   GET  /settings.json               where this run's APIs and authorization server are
//   GET  /openapi/<name>.json         the OpenAPI documents
//   POST /applications/keys           makes a client: {keytype, subscribedAPIs}
//   POST /applications/secret         changes its secret: {client_id, client_secret}
//   POST /applications/subscriptions  sets what it may call: {client_id, client_secret, subscribedAPIs}
//
// Whoever reaches it may make keys, as suits a demo on the loopback address.

import { readFile, readdir } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname } from 'node:path';

import { AREA_CODES_AUDIENCE, AUDIENCE } from './authorization-server.mjs';
import { SERVER, listen } from '../tools/listen.mjs';

/** The APIs that the console shows. `audience` is the `resource` of their token requests. */
const APIS = [
  { name: 'PhoneVerification', version: '1.0.0', title: 'Phone Verification', audience: AUDIENCE },
  { name: 'AreaCodes', version: '1.0.0', title: 'Area Codes', audience: AREA_CODES_AUDIENCE },
];
const KEY_TYPES = ['PRODUCTION', 'SANDBOX'];

const CONTENT_TYPES = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.mjs': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};
const BODY_LIMIT = 4096;

/** What ends a request with a status and an error of RFC 6749's form. */
class Refusal extends Error {
  constructor(status, error, description) {
    super(description);
    this.status = status;
    this.error = error;
  }
}

/** All files that are served, by path. There are no others: no path leads to the file system. */
async function files() {
  const served = new Map();
  const add = async (path, url) => served.set(path, {
    body: await readFile(url),
    type: CONTENT_TYPES[extname(url.pathname)],
  });
  for (const [prefix, directory] of [['/', './console/'], ['/openapi/', './openapi/']]) {
    const base = new URL(directory, import.meta.url);
    for (const name of await readdir(base)) {
      await add(prefix + name, new URL(name, base));
    }
  }
  for (const name of ['swagger-ui.css', 'swagger-ui-bundle.js']) {
    const url = new URL(`./node_modules/swagger-ui-dist/${name}`, import.meta.url);
    await add(`/swagger-ui/${name}`, url);
  }
  served.set('/', served.get('/index.html'));
  return served;
}

/** What the page may do: run what comes from here, and talk to this run's servers. */
function securityHeaders(settings) {
  const servers = [...settings.servers.map(({ url }) => url), settings.authorizationServer];
  return {
    'content-security-policy': [
      "default-src 'none'",
      "script-src 'self'",
      "style-src 'self'",
      "img-src 'self' data:",
      `connect-src 'self' ${servers.join(' ')}`,
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
    ].join('; '),
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-store',
  };
}

/** The JSON object that a request brings. Pages of other origins cannot send one unasked. */
async function body(request) {
  const type = request.headers['content-type'] ?? '';
  if (!/^application\/json *(;|$)/i.test(type)) {
    throw new Refusal(415, 'invalid_request', 'The body must be application/json');
  }
  const chunks = [];
  let length = 0;
  for await (const chunk of request) {
    length += chunk.length;
    if (length > BODY_LIMIT) {
      throw new Refusal(413, 'invalid_request', `The body is over ${BODY_LIMIT} bytes`);
    }
    chunks.push(chunk);
  }
  let value = null;
  try {
    value = JSON.parse(Buffer.concat(chunks).toString());
  } catch {
    // The same answer as for JSON that is no object.
  }
  if (value === null || typeof value !== 'object' || Array.isArray(value)) {
    throw new Refusal(400, 'invalid_request', 'The body must be a JSON object');
  }
  return value;
}

function string(object, name) {
  if (typeof object[name] !== 'string' || object[name] === '') {
    throw new Refusal(400, 'invalid_request', `${name} must be a string`);
  }
  return object[name];
}

/** The subscriptions of a request: each must be of an API that there is. */
function subscriptions({ subscribedAPIs }) {
  if (!Array.isArray(subscribedAPIs)) {
    throw new Refusal(400, 'invalid_request', 'subscribedAPIs must be a list');
  }
  return subscribedAPIs.map((wanted) => {
    const api = APIS.find(({ name, version }) => wanted?.name === name && wanted.version === version);
    if (!api) {
      throw new Refusal(400, 'invalid_request', 'subscribedAPIs has an API that there is not');
    }
    return { name: api.name, version: api.version };
  });
}

function keytype(object) {
  if (!KEY_TYPES.includes(object.keytype)) {
    throw new Refusal(400, 'invalid_request', `keytype must be ${KEY_TYPES.join(' or ')}`);
  }
  return object.keytype;
}

/** What can be asked for with POST, by path. */
const OPERATIONS = new Map([
  ['/applications/keys', (register, wanted) => register.create({
    keytype: keytype(wanted),
    subscribedAPIs: subscriptions(wanted),
  })],
  ['/applications/secret', (register, wanted) => register.changeSecret(
    string(wanted, 'client_id'),
    string(wanted, 'client_secret'),
  )],
  ['/applications/subscriptions', (register, wanted) => register.subscribe(
    string(wanted, 'client_id'),
    string(wanted, 'client_secret'),
    subscriptions(wanted),
  )],
]);

/** Does what was asked for with POST; answers with the client. */
async function perform(register, request, path) {
  const client = await OPERATIONS.get(path)(register, await body(request));
  if (!client) {
    throw new Refusal(401, 'invalid_client', 'There is no client with this id and secret');
  }
  const { id, secret, keytype: type, subscribedAPIs } = client;
  return { client_id: id, client_secret: secret, keytype: type, subscribedAPIs };
}

/**
 * Starts the portal on the loopback address. `host` is the host and port where browsers find it, with
 * HTTP and HTTPS; `register` is the authorization server's. `publish` takes the settings for the page when they are known; before
 * that the answer is 503. `log` gets one line for each request that makes or changes something.
 */
export async function startPortal({ port: wantedPort, host, register, log }) {
  const served = await files();
  let settings = null;

  /** The status, the content type and the body that a request gets. */
  const answer = async (request, path) => {
    if (!settings) {
      throw new Refusal(503, 'temporarily_unavailable', 'The demo is being started');
    }
    if (OPERATIONS.has(path)) {
      if (request.method !== 'POST') {
        throw new Refusal(405, 'invalid_request', 'Only POST is served here');
      }
      return [200, CONTENT_TYPES['.json'], JSON.stringify(await perform(register, request, path))];
    }
    if (!['GET', 'HEAD'].includes(request.method)) {
      throw new Refusal(405, 'invalid_request', 'Only GET is served here');
    }
    if (path === '/settings.json') {
      return [200, CONTENT_TYPES['.json'], JSON.stringify(settings)];
    }
    const file = served.get(path);
    if (!file) {
      throw new Refusal(404, 'not_found', 'There is nothing here');
    }
    return [200, file.type, file.body];
  };

  const server = createServer(SERVER, async (request, response) => {
    const path = request.url.split('?')[0];
    // Under another name, such as localhost, the page would have an origin that the APIs refuse; and
    // a foreign name that leads here is somebody else's page.
    if (request.headers.host !== host) {
      const local = request.headers.host?.split(':')[0] === 'localhost';
      response.writeHead(local ? 307 : 421, local ? { location: `//${host}/` } : {});
      response.end();
      return;
    }
    try {
      const [status, type, content] = await answer(request, path);
      response.writeHead(status, { ...securityHeaders(settings), 'content-type': type });
      response.end(content);
    } catch (error) {
      const refused = error instanceof Refusal;
      if (!refused) {
        log(`error: ${error.message}`);
      }
      response.writeHead(refused ? error.status : 500, { 'content-type': CONTENT_TYPES['.json'] });
      response.end(JSON.stringify({
        error: refused ? error.error : 'server_error',
        error_description: refused ? error.message : 'The portal failed',
      }));
    }
    request.resume();
    if (request.method === 'POST') {
      log(`POST ${path} ${response.statusCode}`);
    }
  });
  const port = await listen(server, wantedPort);

  return {
    server,
    port,
    publish({ http, https, issuer, certificate }) {
      settings = {
        servers: [{ name: 'HTTP', url: http }, { name: 'HTTPS', url: https, certificate }],
        authorizationServer: issuer,
        apis: APIS,
      };
    },
  };
}
