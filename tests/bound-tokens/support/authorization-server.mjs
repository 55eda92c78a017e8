// The authorization server: `oidc-provider` behind an Envoy that ends TLS. Clients authenticate by their certificates,
// and tokens are bound to these (RFC 8705).

import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { createServer } from 'node:http';

import { SERVER, listen } from '../../../tools/listen.mjs';
import { quietly } from './quietly.mjs';

/** The resources. Tokens for the second one are opaque. */
export const JWT_RESOURCE = 'https://api.example';
export const OPAQUE_RESOURCE = 'https://opaque.example';

/** The client by which the gate asks about opaque tokens. */
export const INTROSPECTION_CLIENT = { id: 'gate', secret: 'the-secret-of-the-gate' };

/** The certificate that Envoy has seen; `undefined` if the client has shown none. */
function certificateOf(ctx) {
  const [, encoded] = /(?:^|;)Cert="([^"]*)"/.exec(ctx.get('x-forwarded-client-cert')) ?? [];
  return encoded === undefined ? undefined : new X509Certificate(decodeURIComponent(encoded));
}

const client = (name) => ({
  client_id: name,
  token_endpoint_auth_method: 'tls_client_auth',
  tls_client_auth_subject_dn: `CN=${name}`,
  tls_client_certificate_bound_access_tokens: true,
  grant_types: ['client_credentials'],
  response_types: [],
  redirect_uris: [],
  id_token_signed_response_alg: 'ES256',
});

function configuration(names) {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return {
    clients: [
      ...names.map(client),
      {
        client_id: INTROSPECTION_CLIENT.id,
        client_secret: INTROSPECTION_CLIENT.secret,
        grant_types: [],
        response_types: [],
        redirect_uris: [],
        id_token_signed_response_alg: 'ES256',
      },
    ],
    clientAuthMethods: ['tls_client_auth', 'client_secret_basic'],
    jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'ES256', kid: 'key' }] },
    responseTypes: [],
    ttl: { ClientCredentials: 600 },
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      userinfo: { enabled: false },
      rpInitiatedLogout: { enabled: false },
      introspection: { enabled: true, allowedPolicy: async () => true },
      mTLS: {
        enabled: true,
        certificateBoundAccessTokens: true,
        tlsClientAuth: true,
        getCertificate: certificateOf,
        // Envoy has verified the chain.
        certificateAuthorized: (ctx) => certificateOf(ctx) !== undefined,
        certificateSubjectMatches: (ctx, property, expected) => certificateOf(ctx).subject === expected,
      },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (ctx, resource) => ({
          scope: 'read',
          audience: resource,
          accessTokenFormat: resource === OPAQUE_RESOURCE ? 'opaque' : 'jwt',
          jwt: { sign: { alg: 'ES256' } },
        }),
      },
    },
  };
}

/** Starts the server with clients of these names, which know it by `issuer`. Returns `{ port, stop() }`. */
export async function startAuthorizationServer({ issuer, clients }) {
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
