// The authorization server: `oidc-provider` with opaque tokens, and clients that authenticate themselves in every way.

import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { createServer } from 'node:http';

import { SERVER, listen } from '../../../tools/listen.mjs';
import { quietly } from './quietly.mjs';

/** What tokens are for. */
export const RESOURCE = 'https://api.example';

/** The client that gets tokens. */
export const API_CLIENT = { id: 'app', secret: 'the-secret-of-the-app' };

/** The certificate that Envoy has seen; `undefined` if the client has shown none. */
function certificateOf(ctx) {
  const [, encoded] = /(?:^|;)Cert="([^"]*)"/.exec(ctx.get('x-forwarded-client-cert')) ?? [];
  return encoded === undefined ? undefined : new X509Certificate(decodeURIComponent(encoded));
}

function configuration(clients) {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const common = { response_types: [], redirect_uris: [], id_token_signed_response_alg: 'ES256' };
  return {
    clients: [
      ...clients.map((client) => ({ ...common, grant_types: [], ...client })),
      {
        ...common,
        client_id: API_CLIENT.id,
        client_secret: API_CLIENT.secret,
        grant_types: ['client_credentials'],
      },
    ],
    clientAuthMethods: ['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'tls_client_auth'],
    jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'ES256', kid: 'key' }] },
    responseTypes: [],
    ttl: { ClientCredentials: 600 },
    enabledJWA: { clientAuthSigningAlgValues: ['ES256'] },
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      userinfo: { enabled: false },
      rpInitiatedLogout: { enabled: false },
      introspection: { enabled: true, allowedPolicy: async () => true },
      mTLS: {
        enabled: true,
        tlsClientAuth: true,
        getCertificate: certificateOf,
        // Envoy has verified the chain.
        certificateAuthorized: (ctx) => certificateOf(ctx) !== undefined,
        certificateSubjectMatches: (ctx, property, expected) => certificateOf(ctx).subject === expected,
      },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: () => ({ scope: 'read', audience: RESOURCE, accessTokenFormat: 'opaque' }),
      },
    },
  };
}

/** Starts the server, which calls itself `issuer`, with these clients. Returns `{ port, stop() }`. */
export async function startIntrospectionServer({ issuer, clients }) {
  const server = createServer(SERVER);
  const port = await listen(server, 0);
  await quietly(async () => {
    const { default: Provider } = await import('oidc-provider');
    const provider = new Provider(issuer, configuration(clients));
    provider.proxy = true;
    server.on('request', provider.callback());
  });
  const stop = () => new Promise((resolve) => {
    server.close(resolve);
    server.closeAllConnections();
  });
  return { port, stop };
}
