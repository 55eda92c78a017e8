// An authorization server whose tokens say how and when the user was authenticated: `oidc-provider`. A request for a
// token with `acr_values` or `max_age` stands for a user who signs in again.

import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';

import { LOOPBACK, SERVER, listen } from '../../../tools/listen.mjs';
import { quietly } from './quietly.mjs';

export const CLIENT = { id: 'app', secret: 'the-secret-of-the-app' };

/** How long ago the user signed in before, in seconds. */
const LONG_AGO = 7200;

const now = () => Math.floor(Date.now() / 1000);

/** What the token says about the user for a request with these parameters. */
function authentication({ acr_values: classes, max_age: maxAge } = {}) {
  return {
    acr: classes === undefined ? 'urn:example:password' : classes.split(' ')[0],
    auth_time: maxAge === undefined ? now() - LONG_AGO : now(),
  };
}

function configuration() {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return {
    clients: [{
      client_id: CLIENT.id,
      client_secret: CLIENT.secret,
      grant_types: ['client_credentials'],
      response_types: [],
      redirect_uris: [],
      id_token_signed_response_alg: 'ES256',
    }],
    jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'ES256', kid: 'key' }] },
    responseTypes: [],
    ttl: { ClientCredentials: 600 },
    extraTokenClaims: (ctx) => authentication(ctx.oidc.body),
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      userinfo: { enabled: false },
      rpInitiatedLogout: { enabled: false },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (ctx, resource) => ({
          scope: 'read', audience: resource, accessTokenFormat: 'jwt', jwt: { sign: { alg: 'ES256' } },
        }),
      },
    },
  };
}

/** Starts the server. Returns `{ port, issuer, stop() }`. */
export async function startStepUpServer() {
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
