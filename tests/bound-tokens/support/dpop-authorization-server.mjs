// An authorization server that binds every token to a key: `oidc-provider`, which clients ask for tokens with a proof
// (RFC 9449, section 5).

import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';

import { LOOPBACK, SERVER, listen } from '../../../tools/listen.mjs';

/** The client that asks for tokens. */
export const CLIENT = { id: 'app', secret: 'secret' };

const SCOPE = 'orders';

function configuration() {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return {
    clients: [{
      client_id: CLIENT.id,
      client_secret: CLIENT.secret,
      dpop_bound_access_tokens: true,
      grant_types: ['client_credentials'],
      response_types: [],
      redirect_uris: [],
      id_token_signed_response_alg: 'ES256',
      scope: SCOPE,
    }],
    jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'ES256', kid: 'key' }] },
    responseTypes: [],
    scopes: [SCOPE],
    ttl: { ClientCredentials: 600 },
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      userinfo: { enabled: false },
      rpInitiatedLogout: { enabled: false },
      dPoP: { enabled: true, nonceSecret: randomBytes(32) },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (ctx, resource) => ({
          scope: SCOPE, audience: resource, accessTokenFormat: 'jwt', jwt: { sign: { alg: 'ES256' } },
        }),
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

/** Starts the server. Returns `{ port, issuer, stop() }`. */
export async function startDpopAuthorizationServer() {
  const server = createServer(SERVER);
  const port = await listen(server, 0);
  const issuer = `http://${LOOPBACK}:${port}`;
  await quietly(async () => {
    const { default: Provider } = await import('oidc-provider');
    server.on('request', new Provider(issuer, configuration()).callback());
  });
  const stop = () => new Promise((resolve) => {
    server.close(resolve);
    server.closeAllConnections();
  });
  return { port, issuer, stop };
}
