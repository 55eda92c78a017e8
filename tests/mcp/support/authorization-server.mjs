// The authorization server: `oidc-provider` with the client credentials grant, resource indicators (RFC 8707)
// and JWT access tokens.

import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';

import { LOOPBACK, SERVER, close, listen } from '../../../tools/listen.mjs';

/** The client that all tests use. */
export const CLIENT = { id: 'agent', secret: 'the-secret-of-the-agent' };

const SCOPES = 'mcp:read mcp:write';

function configuration(resource, pageOrigin, InvalidTarget) {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return {
    clients: [{
      client_id: CLIENT.id,
      client_secret: CLIENT.secret,
      grant_types: ['client_credentials'],
      response_types: [],
      redirect_uris: [],
      id_token_signed_response_alg: 'ES256',
      scope: SCOPES,
    }],
    clientBasedCORS: (ctx, origin) => origin === pageOrigin,
    jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'ES256', kid: 'key' }] },
    responseTypes: [],
    ttl: { ClientCredentials: 600 },
    scopes: SCOPES.split(' '),
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      userinfo: { enabled: false },
      rpInitiatedLogout: { enabled: false },
      resourceIndicators: {
        enabled: true,
        // A request without a resource gets a token for something else, so that a test notices.
        defaultResource: () => 'https://default.example',
        getResourceServerInfo(ctx, wanted) {
          if (wanted !== resource && wanted !== 'https://default.example') {
            throw new InvalidTarget();
          }
          return {
            scope: SCOPES, audience: wanted, accessTokenFormat: 'jwt', jwt: { sign: { alg: 'ES256' } },
          };
        },
      },
    },
  };
}

/** Runs `action` without the advice for production that `oidc-provider` prints. */
async function quietly(action) {
  const { info, warn } = console;
  Object.assign(console, { info() {}, warn() {} });
  try {
    return await action();
  } finally {
    Object.assign(console, { info, warn });
  }
}

/**
 * Starts the server. It gives tokens for `resource` only, and pages of `pageOrigin` may ask for them. Returns
 * `{ port, issuer, tokenRequests, stop() }`; each token request is `{ resource, scope, status }` with `null` for
 * an absent parameter.
 */
export async function startAuthorizationServer({ resource, pageOrigin }) {
  // Listens first: the issuer contains the port.
  const server = createServer(SERVER);
  const port = await listen(server, 0);
  const issuer = `http://${LOOPBACK}:${port}`;
  const tokenRequests = [];
  await quietly(async () => {
    const { default: Provider, errors } = await import('oidc-provider');
    const provider = new Provider(issuer, configuration(resource, pageOrigin, errors.InvalidTarget));
    provider.use(async (ctx, next) => {
      await next();
      if (ctx.path === '/token' && ctx.method === 'POST') {
        const { resource: wanted = null, scope = null } = ctx.oidc.params ?? {};
        tokenRequests.push({ resource: wanted, scope, status: ctx.status });
      }
    });
    server.on('request', provider.callback());
  });
  const stop = () => close(server);
  return { port, issuer, tokenRequests, stop };
}
