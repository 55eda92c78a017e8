// The developer portal: serves the console's page and manages its clients.
//
//   GET  /                            the page and its files (console/, Swagger UI)
//   GET  /settings.json               the URLs of this run's APIs and authorization server
//   GET  /openapi/<name>.json         the OpenAPI documents
//   GET  /jose/                       the library that reads tokens
//   GET  /docs/<name>.md              the documentation that the page links to
//   POST /applications/keys           creates a client: {keytype, subscribedAPIs}
//   POST /applications/secret         changes its secret: {client_id, client_secret}
//   POST /applications/subscriptions  sets its subscriptions: {client_id, client_secret, subscribedAPIs}
//
// There is no login: the demo listens on the loopback address only.

import { createServer } from 'node:http';
import { join } from 'node:path';

import sirv from 'sirv';

import { AREA_CODES_AUDIENCE, AUDIENCE, MCP_SCOPES, OTHER_AUDIENCE } from './authorization-server.mjs';
import { readBody } from '../tools/body.mjs';
import { ROOT } from '../tools/checkout.mjs';
import { SERVER, listen } from '../tools/listen.mjs';

/** A host that needs a token for production. Browsers resolve it to the loopback address. */
const PRODUCTION_HOST = 'production.localhost';

/** The APIs of the console that clients subscribe to. `audience` is the `resource` of token requests. */
const APIS = [
  {
    name: 'PhoneVerification',
    version: '1.0.0',
    title: 'Phone Verification',
    audience: AUDIENCE,
    productionHost: PRODUCTION_HOST,
  },
  { name: 'AreaCodes', version: '1.0.0', title: 'Area Codes', audience: AREA_CODES_AUDIENCE },
];
/** The MCP server, which asks for scopes and not for a subscription. */
const MCP = {
  name: 'PhoneBook',
  version: '1.0.0',
  title: 'Phone Book (MCP)',
  scopes: MCP_SCOPES,
  // MCP servers refuse requests that do not accept both.
  accept: 'application/json, text/event-stream',
};
const KEY_TYPES = ['PRODUCTION', 'SANDBOX'];

/** Directories of files: the path in their URLs, the directory, and which of its files are served. */
const DIRECTORIES = [
  ['', 'demo/console', /./],
  ['/openapi', 'demo/openapi', /\.json$/],
  ['/swagger-ui', 'demo/node_modules/swagger-ui-dist', /^\/swagger-ui(-bundle\.js|\.css)$/],
  ['/jose', 'demo/node_modules/jose/dist/webapi', /\.js$/],
  ['/docs', 'docs', /\.md$/],
];
/** Browsers show plain text, but not Markdown. */
const MARKDOWN = 'text/plain; charset=utf-8';
const JSON_TYPE = 'application/json';
const BODY_LIMIT = 4096;

/** Ends a request with a status and an error in the format of RFC 6749, section 5.2. */
class Refusal extends Error {
  constructor(status, error, description) {
    super(description);
    this.status = status;
    this.error = error;
  }
}

/**
 * A function that answers a request for a file, or calls its last argument if there is none. The files are
 * listed at the start: no request path reaches the file system.
 */
function files() {
  const mounted = DIRECTORIES.map(([prefix, directory, served]) => ({
    prefix, served, serve: sirv(join(ROOT, directory)),
  }));
  return (request, response, path, otherwise) => {
    const found = mounted.findLast(({ prefix, served }) => (
      path.startsWith(`${prefix}/`) && served.test(path.slice(prefix.length))));
    if (!found) {
      otherwise();
      return;
    }
    if (path.endsWith('.md')) {
      response.setHeader('content-type', MARKDOWN);
    }
    request.url = path.slice(found.prefix.length);
    found.serve(request, response, otherwise);
  };
}

/** Headers that restrict the page to its own files and this run's servers. */
function securityHeaders(settings) {
  const apis = settings.servers.map(({ url }) => url);
  const servers = [
    ...apis,
    ...apis.map((url) => url.replace(new URL(url).hostname, PRODUCTION_HOST)),
    settings.authorizationServer,
  ];
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

/** The JSON object in a request's body. Pages of other origins cannot send it without a preflight. */
async function body(request) {
  const type = request.headers['content-type'] ?? '';
  if (!/^application\/json *(;|$)/i.test(type)) {
    throw new Refusal(415, 'invalid_request', 'The body must be application/json');
  }
  const text = await readBody(request, BODY_LIMIT);
  if (text === null) {
    throw new Refusal(413, 'invalid_request', `The body is over ${BODY_LIMIT} bytes`);
  }
  let value = null;
  try {
    value = JSON.parse(text.toString());
  } catch {
    // Refused below, like JSON that is not an object.
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

/** The subscriptions in a request; each must name an API of the console. */
function subscriptions({ subscribedAPIs }) {
  if (!Array.isArray(subscribedAPIs)) {
    throw new Refusal(400, 'invalid_request', 'subscribedAPIs must be a list');
  }
  return subscribedAPIs.map((wanted) => {
    const api = APIS.find(({ name, version }) => wanted?.name === name && wanted.version === version);
    if (!api) {
      throw new Refusal(400, 'invalid_request', 'subscribedAPIs has an API that does not exist');
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

/** The POST operations by path. */
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

/** Performs a POST operation and returns the client. */
async function perform(register, request, path) {
  const client = await OPERATIONS.get(path)(register, await body(request));
  if (!client) {
    throw new Refusal(401, 'invalid_client', 'No client has this id and secret');
  }
  const { id, secret, keytype: type, subscribedAPIs } = client;
  return { client_id: id, client_secret: secret, keytype: type, subscribedAPIs };
}

/**
 * Starts the portal on the loopback address. `host` is the host and port in its URL, for HTTP and HTTPS;
 * `register` has the clients. `log` gets one line per POST request. Every answer is 503 until `publish`
 * is called with the settings of the page.
 */
export async function startPortal({ port: wantedPort, host, register, log }) {
  const serveFile = files();
  let settings = null;

  /** The JSON that answers a request; `null` if a file does. */
  const answer = async (request, path) => {
    if (!settings) {
      throw new Refusal(503, 'temporarily_unavailable', 'The demo is still starting');
    }
    if (OPERATIONS.has(path)) {
      if (request.method !== 'POST') {
        throw new Refusal(405, 'invalid_request', 'Only POST is served here');
      }
      return perform(register, request, path);
    }
    if (!['GET', 'HEAD'].includes(request.method)) {
      throw new Refusal(405, 'invalid_request', 'Only GET is served here');
    }
    return path === '/settings.json' ? settings : null;
  };

  const server = createServer(SERVER, async (request, response) => {
    const path = request.url.split('?')[0];
    // Under another name, such as localhost, the page would have an origin that the APIs reject. Any other
    // name that resolves to this address may be an attack (DNS rebinding).
    if (request.headers.host !== host) {
      const local = request.headers.host?.split(':')[0] === 'localhost';
      response.writeHead(local ? 307 : 421, local ? { location: `//${host}/` } : {});
      response.end();
      return;
    }
    const refuse = (error) => {
      const refused = error instanceof Refusal;
      if (!refused) {
        log(`error: ${error.message}`);
      }
      response.writeHead(refused ? error.status : 500, { 'content-type': JSON_TYPE });
      response.end(JSON.stringify({
        error: refused ? error.error : 'server_error',
        error_description: refused ? error.message : 'The portal failed',
      }));
    };
    try {
      const json = await answer(request, path);
      for (const [name, value] of Object.entries(securityHeaders(settings))) {
        response.setHeader(name, value);
      }
      if (json) {
        response.writeHead(200, { 'content-type': JSON_TYPE }).end(JSON.stringify(json));
      } else {
        serveFile(request, response, path, () => refuse(
          new Refusal(404, 'not_found', 'This page does not exist'),
        ));
      }
    } catch (error) {
      refuse(error);
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
    publish({ http, https, issuer, certificate, mcp, rules }) {
      settings = {
        rules,
        servers: [{ name: 'HTTP', url: http }, { name: 'HTTPS', url: https, certificate }],
        authorizationServer: issuer,
        otherAudience: OTHER_AUDIENCE,
        apis: [...APIS, { ...MCP, audience: mcp.resource }],
      };
    },
  };
}
