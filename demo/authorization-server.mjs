// The authorization server: the OpenID-certified `oidc-provider`, set up for the demo.
//
//   POST /token       the client-credentials grant; returns JWT access tokens (RFC 9068, `at+jwt`)
//   POST /revoke      revokes a token (RFC 7009)
//   POST /introspect  tells the gate whether an opaque token is active (RFC 7662)
//   GET  /revoked     the revocation list
//   GET  /jwks        the key set
//   GET  /.well-known/oauth-authorization-server  the addresses of the above, for clients (RFC 8414)
//
// The tables below can be changed: the APIs that tokens can be issued for, and the clients of the walk.
// The console creates more clients (clients.mjs). Keys and secrets are generated at every start and kept
// in memory only.

import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';

import { Clients, metadata } from './clients.mjs';
import { LOOPBACK, SERVER, listen } from '../tools/listen.mjs';
import { Revocations } from './revocations.mjs';

/**
 * The APIs that tokens can be issued for: the `resource` of a token request, the `aud` of the token. The
 * MCP server is another one; its URL is known at the start.
 */
export const AUDIENCE = 'https://api.example.com/phoneverify';
export const AREA_CODES_AUDIENCE = 'https://api.example.com/areacodes';
export const OTHER_AUDIENCE = 'https://api.example.com/other';
const APIS = [
  [AUDIENCE, { accessTokenFormat: 'jwt', scope: '' }],
  [AREA_CODES_AUDIENCE, { accessTokenFormat: 'jwt', scope: '' }],
  [OTHER_AUDIENCE, { accessTokenFormat: 'jwt', scope: '' }],
];

/** The scopes of tokens for the MCP server. A token has those of them that its request names. */
export const MCP_SCOPES = ['mcp:read', 'mcp:write'];

/** The clients of the walk and the algorithms of their tokens. Tokens of all other clients use RS256. */
const SIGNING_ALGORITHMS = new Map([
  ['phone-app', 'RS256'],
  ['phone-app-es256', 'ES256'],
]);

/** The client of the walk that gets opaque tokens, which only this server can read. */
const OPAQUE = 'phone-app-opaque';

/** The client of the walk that calls the MCP server. */
const ASSISTANT = 'assistant';

/** The client that the gate authenticates as for introspection. It gets no tokens. */
const GATE = 'gate';

/** The lifetime of tokens in seconds if the request has no `validity_period`. */
const VALIDITY_PERIOD = 3600;

/** The `exp` of a token that never expires: the largest integer that every JSON parser reads exactly. */
const NEVER = Number.MAX_SAFE_INTEGER;

/** The subscription of the clients of the walk. */
const SUBSCRIPTION = { name: 'PhoneVerification', version: '1.0.0' };

/**
 * The format of the requested token. `token_format=opaque` in the request gets one that only this server
 * can read.
 */
function tokenFormat(ctx, client, InvalidRequest) {
  const wanted = ctx.oidc.body?.token_format ?? (client.clientId === OPAQUE ? 'opaque' : 'jwt');
  if (!['jwt', 'opaque'].includes(wanted)) {
    throw new InvalidRequest('token_format must be jwt or opaque');
  }
  return wanted;
}

/**
 * The lifetime of the requested token, in seconds. Like at other token endpoints, `validity_period` in
 * the request can shorten it; -1 means that the token never expires.
 */
function validityPeriod(ctx, InvalidRequest) {
  const wanted = ctx.oidc.body?.validity_period;
  if (wanted === undefined) {
    return VALIDITY_PERIOD;
  }
  if (wanted === '-1') {
    return NEVER - Math.floor(Date.now() / 1000);
  }
  if (typeof wanted !== 'string' || !/^[1-9]\d{0,8}$/.test(wanted)) {
    throw new InvalidRequest('validity_period must be a whole number of seconds, or -1 for never');
  }
  return Math.min(Number(wanted), VALIDITY_PERIOD);
}

/** A new signing key as JWK; `type` and `options` are for `node:crypto`. */
function signingKey(alg, type, options) {
  const { privateKey } = generateKeyPairSync(type, options);
  const kid = `demo-${alg.toLowerCase()}-${randomBytes(4).toString('hex')}`;
  return { ...privateKey.export({ format: 'jwk' }), use: 'sig', alg, kid };
}

function configuration({ clients, gateSecret, consoleHost, mcpResource }, errors) {
  const { InvalidRequest, InvalidTarget } = errors;
  const resourceServers = new Map([
    ...APIS,
    [mcpResource, { accessTokenFormat: 'jwt', scope: MCP_SCOPES.join(' ') }],
  ]);
  return {
    clients: [
      ...clients.map(metadata),
      { ...metadata({ id: GATE, secret: gateSecret }), grant_types: [] },
    ],
    // Members of clients that become claims of their tokens: production or sandbox, and the subscribed
    // APIs. The names are those of WSO2 API Manager.
    extraClientMetadata: { properties: ['keytype', 'subscribedAPIs'] },
    extraTokenClaims: (ctx) => ({
      keytype: ctx.oidc.client.keytype,
      subscribedAPIs: ctx.oidc.client.subscribedAPIs,
    }),
    // Only the console may call from a browser.
    clientBasedCORS: (ctx, origin) => (
      [`http://${consoleHost}`, `https://${consoleHost}`].includes(origin)
    ),
    routes: { introspection: '/introspect', revocation: '/revoke' },
    jwks: {
      keys: [
        signingKey('RS256', 'rsa', { modulusLength: 2048 }),
        signingKey('ES256', 'ec', { namedCurve: 'P-256' }),
      ],
    },
    responseTypes: [],
    scopes: [],
    ttl: { ClientCredentials: (ctx, token) => token.resourceServer.accessTokenTTL },
    features: {
      clientCredentials: { enabled: true },
      // A token that is requested with a proof is bound to its key (RFC 9449).
      dPoP: { enabled: true, nonceSecret: randomBytes(32) },
      revocation: {
        enabled: true,
        allowedPolicy: (ctx, client, token) => token.clientId === client.clientId,
      },
      introspection: {
        enabled: true,
        allowedPolicy: (ctx, client) => client.clientId === GATE,
      },
      devInteractions: { enabled: false },
      userinfo: { enabled: false },
      rpInitiatedLogout: { enabled: false },
      resourceIndicators: {
        enabled: true,
        // Without a `resource`, the token is for the demo's API, which keeps the commands short.
        defaultResource: () => AUDIENCE,
        getResourceServerInfo(ctx, resource, client) {
          const resourceServer = resourceServers.get(resource);
          if (!resourceServer) {
            throw new InvalidTarget();
          }
          return {
            ...resourceServer,
            accessTokenFormat: tokenFormat(ctx, client, InvalidRequest),
            audience: resource,
            accessTokenTTL: validityPeriod(ctx, InvalidRequest),
            jwt: { sign: { alg: SIGNING_ALGORITHMS.get(client.clientId) ?? 'RS256' } },
          };
        },
      },
    },
  };
}

/**
 * Runs `action` and redirects `console.warn` and `console.info` to `notice`. `oidc-provider` uses them for
 * advice that matters only in production, such as to configure a database.
 */
async function withNotices(notice, action) {
  const { info, warn } = console;
  Object.assign(console, { info: notice, warn: notice });
  try {
    return await action();
  } finally {
    Object.assign(console, { info, warn });
  }
}

/**
 * Starts the authorization server on the loopback address. `consoleHost` is the host and port of the page
 * that may call it, `mcpResource` the URL of the MCP server. `log` gets one line per request, except for the
 * revocation list; `notice` gets the advice of `oidc-provider`. Returns the server, its port, the issuer, the
 * clients of the walk with their secrets, the one of them that calls the MCP server, the secret of the gate,
 * and the register of the other clients.
 */
export async function startAuthorizationServer({
  port: wantedPort, consoleHost, mcpResource, log, notice,
}) {
  const gateSecret = randomBytes(24).toString('hex');
  const clients = [...SIGNING_ALGORITHMS, [OPAQUE, null]].map(([id, algorithm]) => ({
    id,
    algorithm,
    secret: randomBytes(12).toString('hex'),
    keytype: 'PRODUCTION',
    subscribedAPIs: [SUBSCRIPTION],
  }));
  const assistant = { id: ASSISTANT, secret: randomBytes(12).toString('hex') };

  // Listens first: the issuer's URL contains the port, which may be any free one.
  const server = createServer(SERVER);
  const port = await listen(server, wantedPort);
  const issuer = `http://${LOOPBACK}:${port}`;

  const { provider, handle, revocations } = await withNotices(notice, async () => {
    const { default: Provider, errors } = await import('oidc-provider');
    const settings = configuration({
      clients: [...clients, assistant], gateSecret, consoleHost, mcpResource,
    }, errors);
    const provider = new Provider(issuer, settings);
    const revocations = new Revocations(settings.jwks.keys);
    provider.on('server_error', (ctx, error) => log(`error: ${error.message}`));
    provider.use(revocations.middleware());
    return { provider, handle: provider.callback(), revocations };
  });
  server.on('request', (request, response) => {
    response.once('finish', () => {
      const path = request.url.split('?')[0];
      // The gate fetches the list every 2 s, which would fill the terminal.
      if (path !== '/revoked' || response.statusCode !== 200) {
        log(`${request.method} ${path} ${response.statusCode}`);
      }
    });
    handle(request, response);
  });

  const register = new Clients(provider, revocations);
  return { server, port, issuer, clients, assistant, gateSecret, register };
}
